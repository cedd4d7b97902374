//! Requests and answers as bytes: the four ways in which the vendor's services are spoken.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::table::{Call, Path, Protocol};
use super::xml;

/// What a call is asked with, by name. All values are texts, in JSON too.
pub(crate) type Parameters = BTreeMap<String, String>;

/// A request before it is signed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// Path and query, encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Everything but what may stand in a path or query as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The request of a call.
pub(crate) fn request(call: &Call, parameters: &Parameters, page: Option<&str>) -> Request {
    let mut asked = parameters.clone();
    asked.retain(|name, _| !call.unsent.contains(&name.as_str()));
    if let (Some(pages), Some(page)) = (call.pages, page) {
        asked.insert(pages.ask.to_owned(), page.to_owned());
    }
    match call.service.protocol {
        Protocol::Query { version } | Protocol::Ec2 { version } => {
            let head = [("Action", call.operation), ("Version", version)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            Request {
                method: "POST",
                target: "/".to_owned(),
                headers: vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
                body: form(head.into_iter().chain(asked)),
            }
        }
        Protocol::Json { version, target } => Request {
            method: "POST",
            target: "/".to_owned(),
            headers: vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", format!("{target}.{}", call.operation)),
            ],
            body: json(call, asked),
        },
        Protocol::Rest => rest(call, asked),
    }
}

fn form(fields: impl Iterator<Item = (String, String)>) -> String {
    fields.map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value))).collect::<Vec<_>>().join("&")
}

fn json(call: &Call, fields: Parameters) -> String {
    let value = |(name, text): (String, String)| {
        let text = Value::String(text);
        let value = if call.plural.contains(&name.as_str()) { Value::Array(vec![text]) } else { text };
        (name, value)
    };
    Value::Object(fields.into_iter().map(value).collect()).to_string()
}

fn rest(call: &Call, mut fields: Parameters) -> Request {
    let (method, template, in_query) = match call.path {
        Path::Root => ("POST", "/", false),
        Path::Get(template) => ("GET", template, true),
        Path::Post(template) => ("POST", template, false),
        Path::PostQuery(template) => ("POST", template, true),
    };
    let filled: Vec<String> = template
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => encoded(&fields.remove(name).unwrap_or_default()),
            None => part.to_owned(),
        })
        .collect();
    let mut target = filled.join("/");
    let mut body = String::new();
    let mut headers = Vec::new();
    if in_query {
        if !fields.is_empty() {
            target = format!("{target}?{}", form(fields.into_iter()));
        }
    } else {
        headers.push(("content-type", "application/json".to_owned()));
        body = json(call, fields);
    }
    Request { method, target, headers, body }
}

/// An answer as the command line prints it; `None` where it cannot be understood.
pub(crate) fn answer(call: &Call, body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    match call.service.protocol {
        Protocol::Query { .. } => xml::query_answer(call.operation, text),
        Protocol::Ec2 { .. } => xml::ec2_answer(call.operation, text),
        // Some calls answer with nothing when there is nothing; those that list things do not.
        Protocol::Json { .. } | Protocol::Rest
            if text.trim().is_empty() && call.pages.is_none() && call.holds.is_none() =>
        {
            Some(Value::Object(Map::new()))
        }
        Protocol::Json { .. } | Protocol::Rest => serde_json::from_str(text).ok().filter(Value::is_object),
    }
}

/// The vendor's code of an error answer, without the name space before it and the address behind it.
pub(crate) fn error_code(header: Option<&str>, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let code = header
        .map(str::to_owned)
        .or_else(|| {
            let value: Value = serde_json::from_str(text).ok()?;
            ["__type", "code", "Code"].iter().find_map(|name| value.get(name)?.as_str().map(str::to_owned))
        })
        .or_else(|| xml::error_code(text))?;
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let code: String =
        code.rsplit('.').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    (!code.is_empty()).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::table::calls;

    fn of(operation: &str, parameters: &[(&str, &str)], page: Option<&str>) -> Request {
        let call = calls().find(|call| call.operation == operation).unwrap();
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        request(call, &parameters, page)
    }

    #[test]
    fn each_protocol_is_spoken_as_the_vendor_wants_it() {
        let query = of("ListAccessKeys", &[("UserName", "a+b@c")], Some("x="));
        assert_eq!(query.body, "Action=ListAccessKeys&Version=2010-05-08&Marker=x%3D&UserName=a%2Bb%40c");
        let json = of("ListRoots", &[], Some("t"));
        assert_eq!(json.body, r#"{"NextToken":"t"}"#);
        assert_eq!(json.headers[1], ("x-amz-target", "AWSOrganizationsV20161128.ListRoots".to_owned()));
        assert_eq!(json.headers[0].1, "application/x-amz-json-1.1");
        let older = of("DescribeStateMachine", &[("stateMachineArn", "a")], None);
        assert_eq!(older.headers[0].1, "application/x-amz-json-1.0");
        let plural = of("BatchGetProjects", &[("names", "p")], None);
        assert_eq!(plural.body, r#"{"names":["p"]}"#);
        let versions = of("DescribeLaunchTemplateVersions", &[("LaunchTemplateVersion.1", "$Default")], Some("t"));
        assert_eq!(
            versions.body,
            "Action=DescribeLaunchTemplateVersions&Version=2016-11-15&LaunchTemplateVersion.1=%24Default&NextToken=t"
        );
        let get = of("ListGatewayTargets", &[("gatewayIdentifier", "g/1")], Some("t"));
        assert_eq!((get.method, get.target.as_str()), ("GET", "/gateways/g%2F1/targets/?nextToken=t"));
        let post = of("ListAgents", &[], Some("t"));
        assert_eq!((post.target.as_str(), post.body.as_str()), ("/agents/", r#"{"nextToken":"t"}"#));
        let both = of("ListAgentRuntimes", &[], Some("t"));
        assert_eq!((both.method, both.target.as_str()), ("POST", "/runtimes/?nextToken=t"));
        let unsent = of("GetServiceLastAccessedDetails", &[("JobId", "j"), ("Arn", "a")], None);
        assert_eq!(unsent.body, "Action=GetServiceLastAccessedDetails&Version=2010-05-08&JobId=j");
    }

    #[test]
    fn the_code_of_an_error_is_found_wherever_it_stands() {
        for (header, body, code) in [
            (Some("AccessDeniedException:http://internal/"), "", Some("AccessDeniedException")),
            (None, r#"{"__type":"com.amazonaws.x#ThrottlingException"}"#, Some("ThrottlingException")),
            (None, r#"{"code":"ValidationException"}"#, Some("ValidationException")),
            (None, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", Some("AccessDenied")),
            (
                None,
                "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
                Some("UnauthorizedOperation"),
            ),
            (None, "<!doctype html><title>500</title>", None),
            (None, "", None),
        ] {
            assert_eq!(error_code(header, body.as_bytes()).as_deref(), code, "{body}");
        }
    }
}
