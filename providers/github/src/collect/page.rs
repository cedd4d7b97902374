//! A page of an answer: checked, withheld what must be, and written element by element into the one answer of all pages.

use std::io::{self, Write};

use evenhand_model::secret::Fingerprinter;
use serde_json::Value;
use serde_json::value::RawValue;

use super::table::{Leads, Pages, Step};
use super::withhold;
use crate::documents::route::Route;

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

/// The one answer of several pages.
pub(crate) struct Whole<'a> {
    step: &'static Step,
    fingerprinter: &'a Fingerprinter,
    begun: bool,
    elements: usize,
}

impl<'a> Whole<'a> {
    pub(crate) fn new(step: &'static Step, fingerprinter: &'a Fingerprinter) -> Self {
        Self { step, fingerprinter, begun: false, elements: 0 }
    }

    /// Writes a page, and notes what its elements lead to.
    pub(crate) fn page(&mut self, bytes: &[u8], sink: &mut dyn Write, leads: &mut Leads) -> Result<(), NoPage> {
        match self.step.pages {
            Pages::One => {
                // One object, whatever its pages: there are none.
                let members: std::collections::BTreeMap<&str, &RawValue> = borrowed(bytes)?;
                drop(members);
                let raw: &RawValue = borrowed(bytes)?;
                self.element(raw, "", sink, leads)?;
                self.begun = true;
                Ok(())
            }
            Pages::List | Pages::First => {
                let elements: Vec<&RawValue> = borrowed(bytes)?;
                if !self.begun {
                    sink.write_all(b"[")?;
                }
                self.elements(elements, "/*", sink, leads)
            }
            Pages::Member(list) => {
                let mut members: indexmap::IndexMap<&str, &RawValue> = borrowed(bytes)?;
                let elements = members.shift_remove(list).ok_or(NoPage::Malformed)?;
                let elements: Vec<&RawValue> = serde_json::from_str(elements.get())?;
                if !self.begun {
                    sink.write_all(b"{")?;
                    for (name, member) in members {
                        write!(sink, "{}:{},", Value::from(name), line(member)?)?;
                    }
                    write!(sink, "{}:[", Value::from(list))?;
                }
                self.elements(elements, &format!("/{list}/*"), sink, leads)
            }
        }
    }

    fn elements(
        &mut self,
        elements: Vec<&RawValue>,
        below: &str,
        sink: &mut dyn Write,
        leads: &mut Leads,
    ) -> Result<(), NoPage> {
        self.begun = true;
        for element in elements {
            if self.elements > 0 {
                sink.write_all(b",")?;
            }
            self.elements += 1;
            self.element(element, below, sink, leads)?;
        }
        Ok(())
    }

    /// Writes an element; `below`: where it stands in the answer.
    fn element(&self, raw: &RawValue, below: &str, sink: &mut dyn Write, leads: &mut Leads) -> Result<(), NoPage> {
        let withheld = self.step.withheld.iter().filter_map(|place| place.strip_prefix(below)).collect::<Vec<_>>();
        let mut lead = self.step.leads_to().peekable();
        if withheld.is_empty() && lead.peek().is_none() && !self.step.is_leading() && !self.step.holds_text() {
            return Ok(sink.write_all(line(raw)?.as_bytes())?);
        }
        let mut element: Value = serde_json::from_str(raw.get())?;
        if self.step.route == Route::Repositories {
            // The name with the default branch; neither can hold a space.
            let text = |name: &str| element.get(name).and_then(Value::as_str);
            let found = text("name").map(|name| [name, text("default_branch").unwrap_or_default()].join(" "));
            leads.entry(Route::Repository).or_default().extend(found);
        }
        for (step, each) in lead {
            let of = leads.entry(step.route).or_default();
            of.extend(each.value(&element));
        }
        if self.step.holds_text() {
            withhold::file(&mut element, self.fingerprinter);
        }
        withhold::hide(&mut element, &withheld, self.fingerprinter);
        Ok(serde_json::to_writer(sink, &element).map_err(io::Error::from)?)
    }

    /// Ends the answer. False where there is none.
    pub(crate) fn finish(&self, sink: &mut dyn Write) -> io::Result<bool> {
        if !self.begun {
            return Ok(false);
        }
        match self.step.pages {
            Pages::One => {}
            Pages::List | Pages::First => sink.write_all(b"]")?,
            Pages::Member(_) => sink.write_all(b"]}")?,
        }
        Ok(true)
    }
}

fn borrowed<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, NoPage> {
    Ok(serde_json::from_slice(bytes)?)
}

/// A value without line ends: a document has one answer a line.
fn line(raw: &RawValue) -> Result<std::borrow::Cow<'_, str>, NoPage> {
    if !raw.get().contains(['\n', '\r']) {
        return Ok(raw.get().into());
    }
    let value: Value = serde_json::from_str(raw.get())?;
    Ok(value.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::table::STEPS;

    fn whole(route: Route, pages: &[&str]) -> Result<(String, Leads), ()> {
        let step = STEPS.iter().find(|step| step.route == route).unwrap();
        let keys = Fingerprinter::keyed("test");
        let (mut whole, mut sink, mut leads) = (Whole::new(step, &keys), Vec::new(), Leads::new());
        for page in pages {
            whole.page(page.as_bytes(), &mut sink, &mut leads).map_err(|_| ())?;
        }
        whole.finish(&mut sink).unwrap();
        Ok((String::from_utf8(sink).unwrap(), leads))
    }

    #[test]
    fn pages_become_one_answer() {
        let (text, leads) =
            whole(Route::Teams, &[r#"[{"slug":"a"}]"#, "[]", "[{\"slug\":\n\"b\"}, {\"slug\": \"c\"}]"]).unwrap();
        assert_eq!(text, r#"[{"slug":"a"},{"slug":"b"},{"slug":"c"}]"#);
        assert_eq!(leads[&Route::TeamMembers], ["a", "b", "c"].map(str::to_owned).into());
        let pages = [r#"{"total_count":2,"secrets":[{"name":"A"}]}"#, r#"{"total_count":2,"secrets":[{"name":"B"}]}"#];
        let (text, _) = whole(Route::OrganisationSecrets, &pages).unwrap();
        assert_eq!(text, r#"{"total_count":2,"secrets":[{"name":"A"},{"name":"B"}]}"#);
        assert_eq!(
            whole(Route::OrganisationActions, &["{\"enabled_repositories\":\n\"all\"}"]).unwrap().0,
            "{\"enabled_repositories\":\"all\"}".to_owned()
        );
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_taken_for_an_empty_one() {
        for (route, page) in [
            (Route::Teams, "{}"),
            (Route::Teams, "<html>"),
            (Route::Teams, "[{}"),
            (Route::OrganisationSecrets, "[]"),
            (Route::OrganisationSecrets, r#"{"total_count":0}"#),
            (Route::OrganisationSecrets, r#"{"secrets":{}}"#),
            (Route::OrganisationActions, "[]"),
            (Route::OrganisationActions, "null"),
        ] {
            assert!(whole(route, &[page]).is_err(), "{route:?} {page}");
        }
    }
}
