//! The `permissions` of a workflow or job: what its own token may do.

use evenhand_model::evidence::Truth;

use crate::tree::{Node, Value};

/// Scopes that change nothing in the repository: proof of identity for others, and use of models.
const OUTSIDE: &[&str] = &["id-token", "models", "copilot-requests"];

/// What a token may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    /// Whether it may change the repository.
    pub(super) writes: Truth,
    /// Whether it may ask for a proof of identity that clouds exchange.
    pub(super) federates: Truth,
    /// Whether it may use GitHub's models.
    pub(super) models: bool,
    /// What limits it; `None` = not known.
    pub(super) grant: Option<TokenGrant>,
}

/// What limits the token of a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TokenGrant {
    /// A block that names scopes, or `read-all`.
    Limited,
    /// Nothing in the file: it may do what the repository or its organisation gives by default.
    Default,
    /// `write-all`.
    WriteAll,
}

impl TokenGrant {
    /// As the column holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Default => "default",
            Self::WriteAll => "write_all",
        }
    }
}

/// The token of a job; a job's own block takes the place of the workflow's. Without any block the repository's default
/// holds, which only the repository tells.
pub(super) fn of(job: Option<&Node>, workflow: Option<&Node>) -> Token {
    let Some(block) = job.or(workflow) else {
        return Token { writes: Truth::Unknown, federates: Truth::No, models: false, grant: Some(TokenGrant::Default) };
    };
    let limited = Some(TokenGrant::Limited);
    match &block.value {
        Value::Text(word) if word == "write-all" => {
            Token { writes: Truth::Yes, federates: Truth::Yes, models: true, grant: Some(TokenGrant::WriteAll) }
        }
        Value::Text(word) if word == "read-all" => {
            Token { writes: Truth::No, federates: Truth::No, models: true, grant: limited }
        }
        Value::Map(scopes) => {
            let level = |entry: &crate::tree::Entry| entry.node.text().map(str::to_owned).unwrap_or_default();
            let writes = scopes.iter().any(|entry| level(entry) == "write" && !OUTSIDE.contains(&entry.key.as_str()));
            let holds = |scope: &str, words: &[&str]| {
                scopes.iter().any(|entry| entry.key == scope && words.contains(&level(entry).as_str()))
            };
            Token {
                writes: Truth::from(writes),
                federates: Truth::from(holds("id-token", &["write"])),
                models: holds("models", &["read", "write"]) || holds("copilot-requests", &["write"]),
                grant: limited,
            }
        }
        // `permissions:` with nothing behind it takes everything away.
        Value::Null => Token { writes: Truth::No, federates: Truth::No, models: false, grant: limited },
        _ => Token { writes: Truth::Unknown, federates: Truth::Unknown, models: false, grant: None },
    }
}

/// What a workflow's own words on its token are held against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ceiling {
    /// Nothing: an event starts it.
    Nothing,
    /// The token of the job that calls it.
    Caller(Token),
    /// The token of a calling job that was not read.
    Untold,
}

impl Token {
    /// As much of it as another one may do too: a called workflow never gets more than the job that calls it.
    pub(super) fn within(self, ceiling: Self) -> Self {
        Self {
            writes: self.writes.and(ceiling.writes),
            federates: self.federates.and(ceiling.federates),
            models: self.models && ceiling.models,
            grant: self.grant.zip(ceiling.grant).map(|(own, most)| own.min(most)),
        }
    }

    /// The same where it is not known how much a caller gives.
    pub(super) fn unless_less(self) -> Self {
        Self {
            writes: self.writes.and(Truth::Unknown),
            federates: self.federates.and(Truth::Unknown),
            grant: self.grant.filter(|grant| *grant == TokenGrant::Limited),
            ..self
        }
    }
}

/// Whether an expression hands over the job's own token and nothing else.
pub(super) fn is_of_job(text: &str) -> bool {
    let Some(inner) = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) else { return false };
    matches!(inner.trim().to_ascii_lowercase().as_str(), "github.token" | "secrets.github_token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Syntax, parse};

    #[test]
    fn a_jobs_block_takes_the_place_of_the_workflows() {
        let node = |text: &str| parse(text, Syntax::Yaml).ok().unwrap();
        let (limited, default, all) = (TokenGrant::Limited, TokenGrant::Default, TokenGrant::WriteAll);
        let cases = [
            (None, None, Truth::Unknown, Some(default)),
            (None, Some("contents: write"), Truth::Yes, Some(limited)),
            (Some("contents: read"), Some("contents: write"), Truth::No, Some(limited)),
            (Some("{}"), Some("contents: write"), Truth::No, Some(limited)),
            (Some("~"), Some("write-all"), Truth::No, Some(limited)),
            (Some("write-all"), None, Truth::Yes, Some(all)),
            (Some("read-all"), Some("write-all"), Truth::No, Some(limited)),
            (Some("id-token: write"), None, Truth::No, Some(limited)),
            (Some("issues: write"), None, Truth::Yes, Some(limited)),
            (Some("[contents]"), None, Truth::Unknown, None),
        ];
        for (job, workflow, writes, grant) in cases {
            let token = of(job.map(node).as_ref(), workflow.map(node).as_ref());
            assert_eq!((token.writes, token.grant), (writes, grant), "{job:?}, {workflow:?}");
        }
        assert_eq!(of(Some(&node("id-token: write")), None).federates, Truth::Yes);
    }

    #[test]
    fn a_caller_gives_no_more_than_it_has() {
        let token = |text: &str| of(parse(text, Syntax::Yaml).ok().as_ref(), None);
        let open = of(None, None);
        let cases = [
            (token("write-all").within(token("contents: read")), Some(TokenGrant::Limited)),
            (token("write-all").within(open), Some(TokenGrant::Default)),
            (token("contents: read").within(open), Some(TokenGrant::Limited)),
            (token("write-all").unless_less(), None),
            (open.unless_less(), None),
            (token("contents: read").unless_less(), Some(TokenGrant::Limited)),
        ];
        for (token, expected) in cases {
            assert_eq!(token.grant, expected, "{token:?}");
        }
    }

    #[test]
    fn only_an_expression_that_names_nothing_else_is_the_jobs_token() {
        let cases = [
            ("${{ secrets.GITHUB_TOKEN }}", true),
            ("${{github.token}}", true),
            ("${{ secrets.AGENT_TOKEN }}", false),
            ("${{ secrets.AGENT_TOKEN || github.token }}", false),
            ("${{ steps.app.outputs.token }}", false),
            ("github.token", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_of_job(text), expected, "{text}");
        }
    }
}
