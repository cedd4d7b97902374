//! The role that a thing runs with, as its document names it. A text that is no role's name tells nothing of the role,
//! and no more than that is lost.

use std::sync::Arc;

use evenhand_model::document::ReadError;
use evenhand_model::evidence::Fact;

use super::sheet::Sheet;
use super::values::Text;
use crate::inventory::arn::Arn;
use crate::inventory::facts::{Carrier, Facts};

const REMEDY: &str = "export it again and leave it unchanged";

/// What it means that no role is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Without {
    /// It runs without one.
    None,
    /// The document does not say (a summary).
    NotSaid,
    /// The vendor always names one: it was left out.
    LeftOut,
}

/// The role's name (ARN) in a member of an element; unknown, and an error, where something else stands there.
pub(super) fn role(
    sheet: &Sheet<'_>,
    (pointer, member): (&str, &str),
    named: Option<Text<'_>>,
    without: Without,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) -> Fact<Arc<str>> {
    match named.filter(|text| !text.is_empty()) {
        Some(text) if is_role(&text) => Fact::Known(facts.texts.share(&text)),
        Some(_) => {
            errors.push(sheet.error(&format!("{pointer}/{member}"), "is no name (ARN) of a role", REMEDY));
            Fact::Unknown
        }
        None if without == Without::None => Fact::Absent,
        None => {
            if without == Without::LeftOut {
                errors.push(sheet.error(
                    pointer,
                    format!("has no `{member}`"),
                    "export it again with the whole answer",
                ));
            }
            Fact::Unknown
        }
    }
}

/// How a thing names its role.
pub(super) fn carrier(
    sheet: &Sheet<'_>,
    place: (&str, &str),
    named: Option<Text<'_>>,
    without: Without,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) -> Carrier {
    match role(sheet, place, named, without, facts, errors) {
        Fact::Known(role) => Carrier::Role(role),
        Fact::Absent => Carrier::None,
        Fact::Unknown => Carrier::NotSaid,
    }
}

/// The same where the vendor takes the name of a role of the same account too.
pub(super) fn carrier_by_name(
    sheet: &Sheet<'_>,
    place: (&str, &str),
    named: Option<Text<'_>>,
    without: Without,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) -> Carrier {
    // The path may stand before the name, which is unique without it.
    let alone = |text: &str| text.rsplit('/').next().map(str::to_owned).filter(|_| is_role_name(text));
    match named.as_deref().and_then(alone).filter(|name| !name.is_empty()) {
        Some(name) => Carrier::RoleName(facts.texts.share(&name)),
        None => carrier(sheet, place, named, without, facts, errors),
    }
}

/// The name (ARN) of something else that a member leads to.
pub(super) fn leads_to(
    sheet: &Sheet<'_>,
    pointer: &str,
    named: Option<&str>,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) -> Option<Arc<str>> {
    let named = named.filter(|text| !text.is_empty())?;
    if Arn::parse(named).is_none_or(|arn| arn.resource.is_empty()) {
        errors.push(sheet.error(pointer, "is no resource name (ARN)", REMEDY));
        return None;
    }
    Some(facts.texts.share(named))
}

fn is_role(text: &str) -> bool {
    let name = Arn::parse(text).filter(|arn| arn.service == "iam").and_then(|arn| arn.resource.strip_prefix("role/"));
    name.is_some_and(|name| !name.is_empty())
}

fn is_role_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/team/deployer";

    fn said(named: Option<&str>, without: Without, by_name: bool) -> (String, Vec<String>) {
        let sheet = Sheet::new("x.json".into(), "{}");
        let (mut facts, mut errors) = (Facts::default(), Vec::new());
        let named = named.map(|text| Text(text.into()));
        let read = if by_name { carrier_by_name } else { carrier };
        let carrier = read(&sheet, ("/a/0", "role"), named, without, &mut facts, &mut errors);
        (format!("{carrier:?}"), errors.into_iter().map(|error| error.document).collect())
    }

    #[test]
    fn what_is_no_role_is_told_and_the_role_is_unknown() {
        let told = |place: &str| ("NotSaid".to_owned(), vec![place.to_owned()]);
        assert_eq!(said(Some(ROLE), Without::LeftOut, false), (format!("Role({ROLE:?})"), vec![]));
        for wrong in ["deployer", "arn:aws:iam::111122223333:user/u", "arn:aws:iam::111122223333:role/"] {
            assert_eq!(said(Some(wrong), Without::None, false), told("x.json#/a/0/role"), "{wrong}");
        }
        for nothing in [None, Some("")] {
            assert_eq!(said(nothing, Without::LeftOut, false), told("x.json#/a/0"));
            assert_eq!(said(nothing, Without::NotSaid, false), ("NotSaid".to_owned(), vec![]));
            assert_eq!(said(nothing, Without::None, false), ("None".to_owned(), vec![]));
        }
    }

    #[test]
    fn a_name_alone_is_a_role_where_the_vendor_takes_one() {
        let name = |text: &str| said(Some(text), Without::LeftOut, true);
        assert_eq!(name("deployer"), (r#"RoleName("deployer")"#.to_owned(), vec![]));
        assert_eq!(name("/team/deployer"), (r#"RoleName("deployer")"#.to_owned(), vec![]));
        assert_eq!(name(ROLE), (format!("Role({ROLE:?})"), vec![]));
        for wrong in ["no role", "team/", "arn:aws:iam"] {
            assert_eq!(name(wrong).0, "NotSaid", "{wrong}");
        }
    }
}
