//! Accepted exceptions, from the configuration or from the file of them.
//!
//! What cannot be understood is an error. What is understood but must not hold, such as a waiver that has expired, is read
//! all the same: the rules find it.

use std::sync::Arc;

use evenhand_model::evidence::Evidence;
use evenhand_model::waiver::Waiver;
use toml::Spanned;

use super::date;
use super::file::{WaiverFile, WaiverTable};
use super::problem::{ConfigProblem, Text};

/// The name of the file.
pub(crate) const NAME: &str = "waivers.toml";

/// Reads the text of a file of waivers.
///
/// # Errors
/// When it says something that is not understood; the error names the place.
pub(super) fn parse(path: &str, content: String) -> Result<Vec<Waiver>, ConfigProblem> {
    let text = Text::new(path, content);
    let raw: WaiverFile = toml::from_str(text.content()).map_err(|error| text.syntax(&error))?;
    of_tables(&raw.waiver, &text)
}

pub(super) fn of_tables(tables: &[Spanned<WaiverTable>], text: &Text) -> Result<Vec<Waiver>, ConfigProblem> {
    tables.iter().map(|table| waiver(table, text)).collect()
}

fn waiver(spanned: &Spanned<WaiverTable>, text: &Text) -> Result<Waiver, ConfigProblem> {
    let table = spanned.get_ref();
    let said = |value: &Spanned<String>, what: &str| match value.get_ref().trim() {
        "" => Err(text.at(value.span(), format!("a waiver needs {what}"), None)),
        said => Ok(Arc::from(said)),
    };
    let line = u32::try_from(text.place(spanned.span().start).0).unwrap_or(u32::MAX);
    Ok(Waiver {
        rule: said(&table.rule, "the id of a rule")?,
        identity: said(&table.identity, "the id of an identity")?,
        reason: said(&table.reason, "a reason")?,
        owner: said(&table.owner, "an owner")?,
        approver: said(&table.approver, "an approver")?,
        ticket: said(&table.ticket, "a ticket")?,
        expires: date(table.expires.get_ref()).ok_or_else(|| {
            text.at(
                table.expires.span(),
                "this is no date".to_owned(),
                Some("write the last day on which it holds as `2026-01-31`".to_owned()),
            )
        })?,
        evidence: Evidence::line(text.path(), line),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
[[waiver]]
rule = "no-owner"
identity = "arn:aws:iam::111122223333:role/bot"
reason = "moves in spring"
owner = "alice"
approver = "bao"
ticket = "SEC-1"
expires = 2027-01-31
"#;

    #[test]
    fn a_waiver_is_read_with_its_place() {
        let read = parse("waivers.toml", WHOLE.to_owned()).unwrap();
        let [waiver] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(waiver.evidence.to_string(), "waivers.toml:2");
        assert_eq!(waiver.expires.to_string(), "2027-01-31");
        let quoted = WHOLE.replace("2027-01-31", "\"2027-01-31\"");
        assert_eq!(parse("waivers.toml", quoted).unwrap(), read);
    }

    #[test]
    fn nothing_is_accepted_without_all_of_who_why_and_until_when() {
        for key in ["rule", "identity", "reason", "owner", "approver", "ticket", "expires"] {
            let without: String =
                WHOLE.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
            let problem = parse("waivers.toml", without).unwrap_err();
            assert!(problem.to_string().contains(key), "{key}: {problem}");
            let empty: String = WHOLE
                .lines()
                .map(|line| match line.split_once(" = ") {
                    Some((name, _)) if name == key => format!("{key} = \" \"\n"),
                    _ => format!("{line}\n"),
                })
                .collect();
            assert!(parse("waivers.toml", empty).is_err(), "{key}");
        }
        let problem = parse("waivers.toml", WHOLE.replace("ticket", "tikcet")).unwrap_err();
        let said = format!("{problem} {}", problem.remedy().unwrap_or_default());
        assert!(said.contains("waivers.toml:8") && said.contains("did you mean `ticket`?"), "{said}");
    }
}
