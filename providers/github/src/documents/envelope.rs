//! The form of a capture: an answer of the API together with what was asked.
//!
//! Its shape is shared by the side that writes it and the side that reads it. GitHub's answers seldom say which
//! organisation or repository they are about, and an empty list never does; the path of the call does.

use evenhand_model::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One answer, or that there was none: a line of a document of a capture, or a document by itself.
///
/// A document holds any number of them, one a line (NDJSON), in any order; its name is free. A collector writes one document
/// for each organisation and one for each repository, so that one that is there is whole.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope<'a> {
    /// The host that people know: `github.com`, or that of a GitHub Enterprise Server.
    pub host: String,
    /// What was asked: the path below the API's base URL and the query that matters, without paging, as in
    /// `/orgs/acme/members?filter=2fa_disabled`.
    pub path: String,
    /// GitHub's own answer. The pages of a list are one list; those of an object that holds a list are one object whose
    /// list holds the elements of all. An answer without content (204) is `null`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub response: Option<&'a RawValue>,
    /// Why there is none. The code begins with the HTTP status, then GitHub's message: `404 Branch not protected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Refusal>,
    /// What would have been enough: the header `X-Accepted-GitHub-Permissions` of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

impl Envelope<'_> {
    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        self.error.as_ref()?.code.get(..3)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::refusal::Why;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let body = RawValue::from_string(r#"[{"id":1}]"#.to_owned()).unwrap();
        let answer = Envelope {
            host: "github.com".to_owned(),
            path: "/orgs/acme/hooks".to_owned(),
            response: Some(&body),
            error: None,
            accepted: None,
        };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text, r#"{"host":"github.com","path":"/orgs/acme/hooks","response":[{"id":1}]}"#);
        let read: Envelope<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((read.path.as_str(), read.response.map(RawValue::get)), ("/orgs/acme/hooks", Some(body.get())));
        let refused = Envelope {
            response: None,
            error: Some(Refusal::new("403 Resource not accessible by integration", Why::Refused)),
            accepted: Some("organization_hooks=read".to_owned()),
            ..answer
        };
        let text = serde_json::to_string(&refused).unwrap();
        assert_eq!(serde_json::from_str::<Envelope<'_>>(&text).unwrap().status(), Some(403));
    }
}
