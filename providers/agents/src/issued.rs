//! Whose keys are found elsewhere than in the configuration of agents: what the name beside a secret and its own form tell
//! of its issuer.
//!
//! For readers of other configuration, so that there is one table of names and one of forms.

use crate::secret;

/// What an issuer gave out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The word used in the credentials table.
    pub kind: &'static str,
    /// Whether the issuer offers a short-lived or federated way for the same purpose; `None` = not known.
    pub federable: Option<bool>,
    /// Whether it ends by itself within hours.
    pub short_lived: bool,
    /// Whether models are called with it.
    pub calls_models: bool,
}

impl From<secret::Kind> for Issued {
    fn from(kind: secret::Kind) -> Self {
        let secret::Kind { name, federable, short_lived, .. } = kind;
        Self { kind: name, federable, short_lived, calls_models: secret::calls_models(name) }
    }
}

/// Told by the form of a secret, or of one inside a text; `None` where it is nobody's in particular.
pub fn by_form(text: &str) -> Option<Issued> {
    secret::of_form(text).map(Issued::from)
}

/// Told by the form of a secret and the name of the variable or setting that holds it; `None` where neither tells an issuer.
pub fn told(name: &str, text: &str) -> Option<Issued> {
    secret::of_form_under(name, text).or_else(|| secret::of_name(name)).map(Issued::from)
}

/// Told by the name of the variable or setting that holds it; `None` where that tells no issuer.
pub fn by_name(name: &str) -> Option<Issued> {
    secret::of_name(name).map(Issued::from)
}

/// What has this word in the credentials table; `None` where it is no issuer's.
pub fn by_word(word: &str) -> Option<Issued> {
    secret::of_word(word).map(Issued::from)
}

/// Whether a variable names a store that speaks the protocol of Amazon S3 and is not AWS's: keys beside it, though they have
/// the names of AWS's, are that store's.
pub fn is_other_store(name: &str, value: &str) -> bool {
    secret::is_elsewhere(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_form_and_by_the_name_beside_it() {
        let word = |issued: Option<Issued>| issued.map(|issued| (issued.kind, issued.calls_models));
        for (name, expected) in [
            ("OPENAI_API_KEY", Some(("openai_api_key", true))),
            ("ANTHROPIC_API_KEY", Some(("anthropic_api_key", true))),
            ("AZUREOPENAI_API_KEY", Some(("azure_resource_key", true))),
            ("openai-api-key", Some(("openai_api_key", true))),
            ("GITHUB_TOKEN", Some(("github_token", false))),
            ("CLAUDE_CODE_OAUTH_TOKEN", Some(("anthropic_oauth_token", true))),
            ("AWS_BEARER_TOKEN_BEDROCK", Some(("bedrock_api_key", true))),
            ("DEEPSEEK_API_KEY", Some(("deepseek_api_key", true))),
            ("TOGETHER_API_KEY", Some(("together_api_key", true))),
            ("FIREWORKS_API_KEY", Some(("fireworks_api_key", true))),
            ("MISTRAL_API_KEY", Some(("mistral_api_key", true))),
            ("GROQ_API_KEY", Some(("groq_api_key", true))),
            ("CO_API_KEY", Some(("cohere_api_key", true))),
            ("XAI_API_KEY", Some(("xai_api_key", true))),
            ("OPENROUTER_API_KEY", Some(("openrouter_api_key", true))),
            ("PERPLEXITY_API_KEY", Some(("perplexity_api_key", true))),
            ("API_KEY", None),
            ("DB_PASSWORD", None),
            ("LOG_LEVEL", None),
        ] {
            assert_eq!(word(by_name(name)), expected, "{name}");
        }
        for (text, expected) in [
            ("sk-proj-fakefakefakefake", Some(("openai_api_key", true))),
            ("Bearer sk-ant-api03-fakefake", Some(("anthropic_api_key", true))),
            ("ghp_fakefakefakefakefakefake", Some(("github_pat_classic", false))),
            ("AKIAFAKEFAKEFAKEFAKE", None),
            ("not-a-real-key", None),
        ] {
            assert_eq!(word(by_form(text)), expected, "{text}");
        }
        for (name, text, expected) in [
            // A form that several give: the name tells.
            ("DEEPSEEK_API_KEY", "sk-fakefakefakefakefakefakefake", "deepseek_api_key"),
            ("LLM_KEY", "sk-fakefakefakefakefakefakefake", "openai_api_key"),
            ("GITHUB_TOKEN", "sk-fakefakefakefakefakefakefake", "openai_api_key"),
            // A form that one gives: it tells, whatever the name says.
            ("DEEPSEEK_API_KEY", "sk-proj-fakefakefakefake", "openai_api_key"),
            ("OPENAI_API_KEY", "gsk_fakefakefakefakefakefake", "groq_api_key"),
            ("TOGETHER_API_KEY", "fakefakefake", "together_api_key"),
        ] {
            assert_eq!(told(name, text).map(|issued| issued.kind), Some(expected), "{name} {text}");
        }
        for (said, expected) in [
            ("openai_api_key", Some(("openai_api_key", true))),
            ("gitlab_pat", Some(("gitlab_pat", false))),
            ("token", None),
            ("x", None),
        ] {
            assert_eq!(word(by_word(said)), expected, "{said}");
        }
    }
}
