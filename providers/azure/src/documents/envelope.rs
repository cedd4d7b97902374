//! The form of a capture: an answer of Microsoft Graph or Azure Resource Manager together with what was asked.
//!
//! Its shape is shared by the side that writes it and the side that reads it. Answers seldom say which tenant they are of,
//! and an empty list never says what it is a list of; the call does.

use evenhand_model::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One answer, or that there was none: a line of a document of a capture, or a document by itself.
///
/// A document holds any number of them, one a line (NDJSON), in any order; its name is free.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope<'a> {
    /// The tenant's id.
    pub tenant: String,
    /// The host that was asked: `graph.microsoft.com`, `management.azure.com`, or those of a sovereign cloud.
    pub host: String,
    /// What was asked: the path below the host, of Graph with its version, without paging, `$select`, `$expand` and
    /// `api-version`, as in `/v1.0/servicePrincipals/ID/owners`.
    pub path: String,
    /// The vendor's own answer. The pages of a list are one `value`, those of Resource Graph one `data`. An answer without
    /// content is `null`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub response: Option<&'a RawValue>,
    /// Why there is none. The code begins with the HTTP status, then the vendor's code: `403 Authorization_RequestDenied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Refusal>,
    /// The permission that would have been enough, where the collector knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<String>,
}

#[cfg(test)]
mod tests {
    use evenhand_model::refusal::Why;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let body = RawValue::from_string(r#"{"value":[{"id":"1"}]}"#.to_owned()).unwrap();
        let answer = Envelope {
            tenant: "t".to_owned(),
            host: "graph.microsoft.com".to_owned(),
            path: "/v1.0/users".to_owned(),
            response: Some(&body),
            error: None,
            accepted: None,
        };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(
            text,
            r#"{"tenant":"t","host":"graph.microsoft.com","path":"/v1.0/users","response":{"value":[{"id":"1"}]}}"#
        );
        let refused = Envelope {
            response: None,
            error: Some(Refusal::new("403 Authorization_RequestDenied", Why::Refused)),
            accepted: Some("User.Read.All".to_owned()),
            ..serde_json::from_str::<Envelope<'_>>(&text).unwrap()
        };
        let text = serde_json::to_string(&refused).unwrap();
        assert!(serde_json::from_str::<Envelope<'_>>(&text).unwrap().error.unwrap().code.starts_with("403"));
    }
}
