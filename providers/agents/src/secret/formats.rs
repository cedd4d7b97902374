//! Token formats that issuers document: a prefix or shape that names the issuer.
//!
//! Rows come from the issuers' own documentation of their token formats. A pattern matches the secret and nothing
//! around it.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexSet};

use super::Kind;

/// A documented token format.
pub(crate) struct Format {
    pub(crate) kind: Kind,
    pub(crate) pattern: &'static str,
}

const fn format(name: &'static str, pattern: &'static str) -> Format {
    Format { kind: Kind::named(name), pattern }
}

/// A format whose issuer also offers federation.
const fn federable(name: &'static str, pattern: &'static str) -> Format {
    Format { kind: Kind { name, federable: Some(true), short_lived: false, public: false }, pattern }
}

/// A format of tokens that end by themselves.
const fn short_lived(name: &'static str, pattern: &'static str) -> Format {
    Format { kind: Kind { name, federable: Some(true), short_lived: true, public: false }, pattern }
}

/// The key id of a static AWS key; names the key, is no secret.
pub(crate) const AWS_KEY_ID: Kind =
    Kind { name: "aws_access_key_id", federable: Some(true), short_lived: false, public: true };
/// The key id of temporary AWS credentials.
pub(crate) const AWS_SESSION_KEY_ID: Kind =
    Kind { name: "aws_session_key_id", federable: Some(true), short_lived: true, public: true };

/// All formats. Where two match at one place, the earlier one wins.
pub(crate) const FORMATS: &[Format] = &[
    format("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"),
    Format { kind: AWS_KEY_ID, pattern: r"\bAKIA[A-Z0-9]{16}\b" },
    Format { kind: AWS_SESSION_KEY_ID, pattern: r"\bASIA[A-Z0-9]{16}\b" },
    federable("bedrock_api_key", r"\bABSK[A-Za-z0-9+/]{40,}={0,2}"),
    short_lived("bedrock_session_key", r"\bbedrock-api-key-[A-Za-z0-9+/=]{20,}"),
    federable("anthropic_api_key", r"\bsk-ant-api[0-9]{2}-[A-Za-z0-9_-]{8,}"),
    federable("anthropic_admin_key", r"\bsk-ant-admin[0-9]{2}-[A-Za-z0-9_-]{8,}"),
    format("anthropic_oauth_token", r"\bsk-ant-(?:oat|ort)[0-9]{2}-[A-Za-z0-9_-]{8,}"),
    federable("anthropic_api_key", r"\bsk-ant-[A-Za-z0-9_-]{12,}"),
    format("openrouter_api_key", r"\bsk-or-v1-[A-Za-z0-9]{16,}"),
    format("langfuse_secret_key", r"\bsk-lf-[a-f0-9-]{16,}"),
    format("openai_api_key", r"\bsk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{12,}"),
    format("openai_api_key", r"\bsk-[A-Za-z0-9]{20,}\b"),
    federable("github_pat_classic", r"\bghp_[A-Za-z0-9]{20,}\b"),
    federable("github_pat_fine_grained", r"\bgithub_pat_[A-Za-z0-9_]{22,}\b"),
    federable("github_oauth_token", r"\bgho_[A-Za-z0-9]{20,}\b"),
    short_lived("github_app_user_token", r"\bghu_[A-Za-z0-9]{20,}\b"),
    short_lived("github_app_token", r"\bghs_[A-Za-z0-9_.-]{20,}"),
    format("github_refresh_token", r"\bghr_[A-Za-z0-9]{20,}\b"),
    federable("gitlab_pat", r"\bglpat-[A-Za-z0-9_.-]{20,}"),
    format("gitlab_token", r"\bgl(?:dt|ptt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,}"),
    format("slack_webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_+-]{20,}"),
    format(
        "discord_webhook",
        r"https://(?:[a-z]+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]+/[A-Za-z0-9_-]{20,}",
    ),
    format(
        "teams_webhook",
        r"https://(?:[a-z0-9-]+\.webhook|outlook)\.office(?:365)?\.com/webhook(?:b2)?/[A-Za-z0-9@-]+/IncomingWebhook/[A-Za-z0-9]{20,}(?:/[A-Za-z0-9_-]+)*",
    ),
    format("slack_token", r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    format("slack_app_token", r"\bxapp-[0-9]-[A-Za-z0-9-]{10,}"),
    federable("google_api_key", r"\bAIza[A-Za-z0-9_-]{35}"),
    federable("google_client_secret", r"\bGOCSPX-[A-Za-z0-9_-]{20,}"),
    short_lived("google_access_token", r"\bya29\.[A-Za-z0-9_-]{20,}"),
    federable("azure_client_secret", r"\b[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    federable("azure_resource_key", r"\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}\b"),
    federable("azure_devops_pat", r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b"),
    format("huggingface_token", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}\b"),
    format("npm_token", r"\bnpm_[A-Za-z0-9]{30,}\b"),
    format("pypi_token", r"\bpypi-[A-Za-z0-9_-]{50,}"),
    format("stripe_key", r"\b(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}\b"),
    format("stripe_webhook_secret", r"\bwhsec_[A-Za-z0-9+/=]{20,}"),
    format("notion_token", r"\bntn_[A-Za-z0-9]{20,}\b"),
    format("notion_token", r"\bsecret_[A-Za-z0-9]{43}\b"),
    format("linear_api_key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{20,}\b"),
    format("sentry_token", r"\bsntry[su]_[A-Za-z0-9_=+/-]{20,}"),
    format("atlassian_token", r"\bAT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{20,}"),
    format("figma_token", r"\bfig[dou]r?_[A-Za-z0-9_-]{20,}"),
    format("postman_api_key", r"\bPMAK-[A-Za-z0-9-]{24,}"),
    format("supabase_token", r"\bsb(?:p|_secret)_[A-Za-z0-9_]{20,}"),
    format("databricks_token", r"\bdapi[a-f0-9]{32}(?:-[0-9])?\b"),
    format("digitalocean_token", r"\bdo[opr]_v1_[a-f0-9]{20,}\b"),
    format("doppler_token", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,}"),
    format("onepassword_service_token", r"\bops_eyJ[A-Za-z0-9_=-]{20,}"),
    format("vault_token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    format("terraform_token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{20,}"),
    format("groq_api_key", r"\bgsk_[A-Za-z0-9]{20,}\b"),
    format("xai_api_key", r"\bxai-[A-Za-z0-9]{20,}\b"),
    format("perplexity_api_key", r"\bpplx-[A-Za-z0-9]{20,}\b"),
    format("replicate_token", r"\br8_[A-Za-z0-9]{20,}\b"),
    format("tavily_api_key", r"\btvly-[A-Za-z0-9-]{16,}"),
    format("firecrawl_api_key", r"\bfc-[a-f0-9]{32}\b"),
    format("e2b_api_key", r"\be2b_[a-f0-9]{20,}\b"),
    format("langsmith_api_key", r"\blsv2_(?:pt|sk)_[A-Za-z0-9_]{20,}"),
    format("airtable_token", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{40,}\b"),
    format("sendgrid_api_key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    format("shopify_token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{20,}\b"),
    format("grafana_token", r"\bgl(?:sa|c)_[A-Za-z0-9_=+/-]{20,}"),
    format("newrelic_key", r"\bNRAK-[A-Z0-9]{20,}\b"),
    format("hubspot_token", r"\bpat-(?:na|eu)[0-9]-[a-f0-9-]{36}\b"),
    format("apify_token", r"\bapify_api_[A-Za-z0-9]{20,}\b"),
    format("telegram_bot_token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    format("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
];

/// Whether several issuers give out keys of the form of a token: OpenAI's older keys, and those of whoever made an API that
/// its clients take for OpenAI's, such as DeepSeek. Source: their documentation of authentication.
pub(crate) fn is_shared(token: &str) -> bool {
    let rest = token.strip_prefix("sk-");
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Which formats a text has, of all at once. A test proves that every pattern compiles.
static ANY: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(FORMATS.iter().map(|format| format.pattern)).unwrap_or_else(|_| RegexSet::empty()));

/// The pattern of each format, compiled when a text has it: hardly one does.
static EACH: [OnceLock<Option<Regex>>; FORMATS.len()] = [const { OnceLock::new() }; FORMATS.len()];

/// The tokens in a text: byte ranges and kinds, not overlapping, in order.
pub(crate) fn tokens(text: &str) -> Vec<(std::ops::Range<usize>, Kind)> {
    let mut found: Vec<(std::ops::Range<usize>, Kind)> = Vec::new();
    for at in &ANY.matches(text) {
        let (Some(format), Some(pattern)) = (FORMATS.get(at), EACH.get(at)) else { continue };
        let Some(pattern) = pattern.get_or_init(|| Regex::new(format.pattern).ok()) else { continue };
        for hit in pattern.find_iter(text) {
            let free = found.iter().all(|(held, _)| hit.end() <= held.start || held.end <= hit.start());
            if free {
                found.push((hit.range(), format.kind));
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Whether a token carries a checksum, in a form that its issuer documents, that does not fit. `false` for every other form.
///
/// - GitHub and npm: `ghp_` and its like, 30 characters, and the CRC-32 of these in six digits of base 62 (GitHub's
///   announcement of the format in 2021).
/// - GitLab's routable tokens: a prefix, a payload, `.`, two characters for its length, and the CRC-32 of all that in seven
///   digits of base 36 (GitLab handbook, "Cells: Routable Tokens").
/// - Grafana's service accounts: `glsa_`, 32 characters, `_`, and the CRC-32 of what stands before that `_` in eight
///   hexadecimal digits, the lowest byte first (`pkg/components/satokengen` of Grafana).
pub(crate) fn checksum_fails(token: &str) -> bool {
    const PREFIXES: [&str; 5] = ["ghp_", "gho_", "ghu_", "ghr_", "npm_"];
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if let Some(rest) = PREFIXES.iter().find_map(|prefix| token.strip_prefix(prefix)) {
        let parts = (rest.len() == 36).then(|| rest.split_at_checked(30)).flatten();
        return parts.is_some_and(|(random, checksum)| number(crc32(random.as_bytes()), DIGITS, 6) != checksum);
    }
    if let Some(rest) = token.strip_prefix("glsa_") {
        let parts = rest.split_once('_').filter(|(secret, checksum)| secret.len() == 32 && checksum.len() == 8);
        return parts.is_some_and(|(secret, checksum)| {
            let expected = crc32(format!("glsa_{secret}").as_bytes()).swap_bytes();
            !checksum.eq_ignore_ascii_case(&format!("{expected:08x}"))
        });
    }
    let is_tail = |tail: &str| tail.len() == 9 && tail.bytes().all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'z'));
    match token.split_once('.').filter(|(head, tail)| head.starts_with("gl") && head.contains('-') && is_tail(tail)) {
        Some(_) => token.split_at_checked(token.len() - 7).is_some_and(|(before, checksum)| {
            number(crc32(before.as_bytes()), b"0123456789abcdefghijklmnopqrstuvwxyz", 7) != checksum
        }),
        None => false,
    }
}

/// CRC-32 as in ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A number in digits that are given, with zeros in front up to a width.
fn number<const BASE: usize>(number: u32, digits: &[u8; BASE], width: usize) -> String {
    let (mut rest, mut written) = (number as usize, Vec::with_capacity(width));
    while rest > 0 || written.len() < width {
        let digit = digits.get(rest % BASE).copied().unwrap_or(b'0');
        written.push(char::from(digit));
        rest /= BASE;
    }
    written.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for format in FORMATS {
            assert!(Regex::new(format.pattern).is_ok(), "{}", format.pattern);
        }
        assert_eq!(ANY.len(), FORMATS.len());
    }

    #[test]
    fn issuers_are_told_by_their_prefixes() {
        let cases = [
            ("AKIAFAKEFAKEFAKEFAKE", "aws_access_key_id"),
            ("ASIAFAKEFAKEFAKEFAKE", "aws_session_key_id"),
            ("sk-ant-api03-fakefakefakefake", "anthropic_api_key"),
            ("sk-ant-oat01-fakefakefakefake", "anthropic_oauth_token"),
            ("sk-proj-fakefakefakefake", "openai_api_key"),
            ("sk-or-v1-fakefakefakefakefake", "openrouter_api_key"),
            ("ghp_FakeFakeFakeFakeFakeFakeFakeFakeFake", "github_pat_classic"),
            ("github_pat_FakeFakeFakeFakeFakeFake", "github_pat_fine_grained"),
            ("ghs_FakeFakeFakeFakeFakeFake", "github_app_token"),
            ("glpat-FakeFakeFakeFakeFake", "gitlab_pat"),
            ("xoxb-000000000000-fakefake", "slack_token"),
            ("https://hooks.slack.com/services/T0FAKE00/B0FAKE00/fakefakefakefakefakefake", "slack_webhook"),
            ("https://discord.com/api/webhooks/100000000000000000/fakefake-fakefake_fakefake0", "discord_webhook"),
            (
                "https://fake.webhook.office.com/webhookb2/00000000-fake@00000000-fake/IncomingWebhook/fakefakefakefakefake00/0000-fake",
                "teams_webhook",
            ),
            ("ntn_FakeFakeFakeFakeFakeFake", "notion_token"),
            ("lin_api_FakeFakeFakeFakeFakeFake", "linear_api_key"),
            ("hf_FakeFakeFakeFakeFakeFakeFakeFakeFa", "huggingface_token"),
            ("eyJmYWtlZmFrZQ.eyJmYWtlZmFrZQ.ZmFrZWZha2U", "jwt"),
            ("-----BEGIN RSA PRIVATE KEY-----\nfake\n-----END RSA PRIVATE KEY-----", "private_key"),
        ];
        for (token, kind) in cases {
            let text = format!("before {token} after");
            let found = tokens(&text);
            assert_eq!(found.len(), 1, "{token}");
            assert_eq!(found[0].1.name, kind, "{token}");
            assert_eq!(text.get(found[0].0.clone()), Some(token));
        }
        assert!(tokens("the sk-8 skates of task-force and a ghp_ prefix").is_empty());
    }

    #[test]
    fn the_checksum_tells_a_token_from_an_example() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        // The CRC-32 of each of these was worked out beside this program.
        let right = [
            "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",
            "glpat-RmFrZUZha2VGYWtlRmFrZUZha2U.0r1euoqik",
            "glsa_FakeFakeFakeFakeFakeFakeFakeFake_490e6de1",
        ];
        for token in right {
            assert!(!checksum_fails(token), "{token}");
            let (before, last) = token.split_at(token.len() - 1);
            let wrong = format!("{before}{}", if last == "0" { '1' } else { '0' });
            assert!(checksum_fails(&wrong), "{wrong}");
        }
        for other in ["ghp_short", "glpat-FakeFakeFakeFakeFake", "glsa_short_00000000", "a.b", "glpat-x.01.0r0000000"] {
            assert!(!checksum_fails(other), "{other}");
        }
    }
}
