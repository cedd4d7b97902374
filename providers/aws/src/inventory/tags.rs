//! What tags declare about an identity: owner, purpose, job, environment, review.

use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::evidence::Fact;
use evenhand_model::id::Job;
use evenhand_model::identity::Identity;

use crate::world::Tags;

/// The first of several keys that is there with a value. Keys are compared without regard to case, as people write them
/// in every way.
fn first<'t>(tags: &'t Tags, keys: &[&str]) -> Option<&'t Arc<str>> {
    keys.iter().find_map(|key| {
        tags.iter()
            .find(|(held, value)| held.eq_ignore_ascii_case(key) && !value.trim().is_empty())
            .map(|(_, value)| value)
    })
}

/// Fills in what tags declare. `None`: the document does not carry tags, so that nothing is known.
pub(crate) fn declare(identity: &mut Identity, tags: Option<&Tags>) {
    let Some(tags) = tags else { return };
    let read = |keys: &[&str]| Fact::read(first(tags, keys).cloned());
    identity.job = first(tags, &["evenhand:job"]).map(|job| Job::new(Arc::clone(job)));
    identity.declared_human_role = first(tags, &["evenhand:human-role", "evenhand:human_role"]).cloned();
    identity.owner = read(&["evenhand:owner", "owner", "team", "contact"]);
    identity.sponsor = read(&["evenhand:sponsor", "sponsor"]);
    identity.purpose = read(&["evenhand:purpose", "purpose", "description"]);
    identity.environment = read(&["evenhand:environment", "environment", "env", "stage"]);
    identity.reviewed_at = match first(tags, &["evenhand:reviewed-on", "evenhand:reviewed_on"]) {
        None => Fact::Absent,
        Some(text) => Fact::known(day(text)),
    };
}

/// A date or a moment.
fn day(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let date: jiff::civil::Date = text.parse().ok()?;
        date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|moment| moment.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;
    use evenhand_model::id::{IdentityId, ProviderName, ScopeId};

    use super::*;

    fn identity(tags: Option<&[(&str, &str)]>) -> Identity {
        let mut identity = Identity::new(
            IdentityId::from("x"),
            ProviderName("aws"),
            ScopeId::from("s"),
            "role",
            "x",
            Evidence::whole("d"),
        );
        let tags: Option<Tags> =
            tags.map(|tags| tags.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value))).collect());
        declare(&mut identity, tags.as_ref());
        identity
    }

    #[test]
    fn no_tag_is_a_known_absence_and_no_field_for_tags_is_not_known() {
        assert_eq!(identity(Some(&[])).owner, Fact::Absent);
        assert_eq!(identity(None).owner, Fact::Unknown);
    }

    #[test]
    fn our_own_key_comes_before_the_customary_ones() {
        let identity =
            identity(Some(&[("Owner", "ops"), ("evenhand:owner", "ana"), ("evenhand:reviewed-on", "2026-05-01")]));
        assert_eq!(identity.owner, Fact::Known(Arc::from("ana")));
        assert_eq!(identity.reviewed_at, Fact::Known("2026-05-01T00:00:00Z".parse().unwrap()));
    }
}
