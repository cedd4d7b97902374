//! A page of an answer: checked, without what must not reach the disk, and written element by element into the one answer
//! of all pages.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::step::{About, Pages, Step};

/// What answers lead to.
pub(crate) type Leads = BTreeMap<About, BTreeSet<String>>;

/// Why a page was not written.
#[derive(Debug)]
pub(crate) enum NoPage {
    /// It is no answer to the question.
    Malformed,
    /// The disk.
    Disk(io::Error),
}

impl From<io::Error> for NoPage {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<serde_json::Error> for NoPage {
    fn from(_: serde_json::Error) -> Self {
        Self::Malformed
    }
}

/// A list as both interfaces send it.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    value: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(rename = "@odata.nextLink")]
    graph: Option<String>,
    #[serde(rename = "nextLink")]
    manager: Option<String>,
    #[serde(rename = "$skipToken")]
    query: Option<String>,
}

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// At this address.
    Link(String),
    /// Behind this token, for the same question.
    Token(String),
}

/// Members of credentials that are kept: no text, no hint, no key.
const CREDENTIAL: &[&str] = &["keyId", "displayName", "type", "usage", "startDateTime", "endDateTime"];

/// The one answer of several pages.
pub(crate) struct Whole {
    step: &'static Step,
    begun: bool,
    elements: usize,
    /// What nothing can be asked about: no path is made of it.
    odd: Vec<(About, String)>,
}

impl Whole {
    pub(crate) fn new(step: &'static Step) -> Self {
        Self { step, begun: false, elements: 0, odd: Vec::new() }
    }

    /// What the elements lead to and nothing can be asked about.
    pub(crate) fn odd(&self) -> &[(About, String)] {
        &self.odd
    }

    /// Writes a page, and notes what its elements lead to. Returns where the next one is.
    pub(crate) fn page(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn Write,
        leads: &mut Leads,
    ) -> Result<Option<Next>, NoPage> {
        if self.step.pages == Pages::One {
            let one: Value = serde_json::from_slice(bytes)?;
            if !one.is_object() {
                return Err(NoPage::Malformed);
            }
            self.element(one, sink, leads)?;
            self.begun = true;
            return Ok(None);
        }
        let page: Listed<'_> = serde_json::from_slice(bytes)?;
        let (list, begin) = match self.step.pages {
            Pages::Query => (page.data, "{\"data\":["),
            _ => (page.value, "{\"value\":["),
        };
        let list = list.ok_or(NoPage::Malformed)?;
        if !self.begun {
            sink.write_all(begin.as_bytes())?;
            self.begun = true;
        }
        for raw in list {
            let element: Value = serde_json::from_str(raw.get())?;
            if !element.is_object() {
                return Err(NoPage::Malformed);
            }
            if self.elements > 0 {
                sink.write_all(b",")?;
            }
            self.elements += 1;
            self.element(element, sink, leads)?;
        }
        let link = page.graph.or(page.manager).filter(|link| !link.is_empty()).map(Next::Link);
        Ok(match self.step.pages {
            Pages::Query => page.query.filter(|token| !token.is_empty()).map(Next::Token),
            _ => link,
        })
    }

    fn element(&mut self, mut element: Value, sink: &mut dyn Write, leads: &mut Leads) -> Result<(), NoPage> {
        for (to, value) in self.step.found(&element) {
            match value {
                Ok(value) => {
                    leads.entry(to).or_default().insert(value);
                }
                Err(value) => self.odd.push((to, value)),
            }
        }
        if let Value::Object(members) = &mut element {
            if !self.step.keep.is_empty() {
                kept(members, self.step.keep);
            }
            for name in ["passwordCredentials", "keyCredentials"] {
                if let Some(list) = members.get_mut(name) {
                    credentials(list);
                }
            }
        }
        Ok(serde_json::to_writer(sink, &element).map_err(io::Error::from)?)
    }

    /// Ends the answer. False where there is none.
    pub(crate) fn finish(&self, sink: &mut dyn Write) -> io::Result<bool> {
        if self.begun && self.step.pages != Pages::One {
            sink.write_all(b"]}")?;
        }
        Ok(self.begun)
    }
}

/// Leaves of an object what is kept; `a/b` = of the member `a` only `b`.
fn kept(members: &mut Map<String, Value>, keep: &[&str]) {
    members.retain(|name, value| {
        let inner: Vec<&str> = keep
            .iter()
            .filter_map(|place| place.split_once('/').filter(|(outer, _)| outer == name))
            .map(|(_, inner)| inner)
            .collect();
        match value {
            _ if keep.contains(&name.as_str()) => true,
            Value::Object(members) if !inner.is_empty() => {
                members.retain(|name, _| inner.contains(&name.as_str()));
                true
            }
            _ => false,
        }
    });
}

fn credentials(list: &mut Value) {
    let keep = |members: &mut Map<String, Value>| members.retain(|name, _| CREDENTIAL.contains(&name.as_str()));
    match list {
        Value::Array(all) => all.iter_mut().for_each(|one| match one {
            Value::Object(members) => keep(members),
            // What is no credential is nobody's to keep.
            other => *other = Value::Null,
        }),
        other => *other = Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::table::STEPS;
    use crate::documents::route::Route;

    fn whole(route: Route, pages: &[&str]) -> Result<(String, Leads, Option<Next>), ()> {
        let step = STEPS.iter().find(|step| step.route == route).unwrap();
        let (mut whole, mut sink, mut leads, mut next) = (Whole::new(step), Vec::new(), Leads::new(), None);
        for page in pages {
            next = whole.page(page.as_bytes(), &mut sink, &mut leads).map_err(|_| ())?;
        }
        whole.finish(&mut sink).unwrap();
        Ok((String::from_utf8(sink).unwrap(), leads, next))
    }

    #[test]
    fn pages_become_one_answer_and_tell_where_the_next_one_is() {
        let pages = [
            r#"{"@odata.nextLink":"https://x/2","value":[{"id":"1","passwordProfile":{"password":"fake"}}]}"#,
            "{\"value\":[{\"id\":\n\"2\"}]}",
        ];
        let (text, _, next) = whole(Route::Users, &pages).unwrap();
        assert_eq!((text.as_str(), next), (r#"{"value":[{"id":"1"},{"id":"2"}]}"#, None));
        let (_, _, next) = whole(Route::Users, &pages[..1]).unwrap();
        assert_eq!(next, Some(Next::Link("https://x/2".to_owned())));
        let page =
            r#"{"totalRecords":9,"$skipToken":"t","data":[{"id":"/a","type":"Microsoft.CognitiveServices/accounts"}]}"#;
        let (text, leads, next) = whole(Route::Resources, &[page]).unwrap();
        assert_eq!(next, Some(Next::Token("t".to_owned())));
        assert!(text.starts_with(r#"{"data":[{"id":"/a""#));
        assert!(leads[&About::Account].contains("/a"));
        assert_eq!(whole(Route::SecurityDefaults, &["{\"isEnabled\":\ntrue}"]).unwrap().0, r#"{"isEnabled":true}"#);
    }

    #[test]
    fn of_credentials_no_text_no_hint_and_no_key_is_kept() {
        let page = r#"{"value":[{"id":"1","passwordCredentials":[{"keyId":"k","hint":"CAN","secretText":"CANARY"}],
            "keyCredentials":[{"keyId":"c","key":"CANARY","usage":"Verify"},"CANARY"],"notes":"CANARY"}]}"#;
        let (text, _, _) = whole(Route::Applications, &[page]).unwrap();
        assert!(!text.contains("CAN"), "{text}");
        assert!(text.contains(r#""keyId":"k""#) && text.contains("Verify"));
        let page = r#"{"value":[{"id":"1","passwordCredentials":"CANARY"}]}"#;
        assert!(!whole(Route::ServicePrincipals, &[page]).unwrap().0.contains("CANARY"));
    }

    #[test]
    fn of_connections_only_the_kind_is_kept() {
        let step = STEPS.iter().find(|step| step.about == About::Project).unwrap();
        let mut sink = Vec::new();
        let page = r#"{"value":[{"id":"/c","properties":{"authType":"ApiKey","category":"x","target":"CANARY",
            "credentials":{"key":"CANARY"},"metadata":{"a":"CANARY"}}},{"id":"/d","properties":"CANARY"}]}"#;
        Whole::new(step).page(page.as_bytes(), &mut sink, &mut Leads::new()).unwrap();
        let text = String::from_utf8(sink).unwrap();
        assert!(text.contains(r#"{"authType":"ApiKey","category":"x"}"#) && !text.contains("CANARY"), "{text}");
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_taken_for_an_empty_one() {
        for (route, page) in [
            (Route::Users, "{}"),
            (Route::Users, "<html>"),
            (Route::Users, "[]"),
            (Route::Users, r#"{"value":[{}"#),
            (Route::Users, r#"{"value":[1]}"#),
            (Route::Users, r#"{"data":[]}"#),
            (Route::Resources, r#"{"value":[]}"#),
            (Route::SecurityDefaults, "[]"),
            (Route::SecurityDefaults, "null"),
        ] {
            assert!(whole(route, &[page]).is_err(), "{route:?} {page}");
        }
    }
}
