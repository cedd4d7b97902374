//! What tags declare about an identity: of resources by key and value, of applications as texts such as `owner:ops`.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::evidence::Fact;
use evenhand_model::id::Job;
use evenhand_model::identity::{Identity, Nature, Signal, Strength};

/// Keys and values.
pub(super) type Tags = BTreeMap<Arc<str>, Arc<str>>;

/// Tags of applications as keys and values; a text without either is none.
pub(super) fn of_texts<'t>(texts: impl IntoIterator<Item = &'t Arc<str>>) -> Tags {
    let pair = |text: &'t Arc<str>| {
        // Our own keys have a colon themselves.
        let at = text.strip_prefix("evenhand:").map_or(0, |_| "evenhand:".len());
        let rest = text.get(at..)?;
        let cut = at + rest.find([':', '='])?;
        let (key, value) = (text.get(..cut)?.trim(), text.get(cut + 1..)?.trim());
        (!key.is_empty() && !value.is_empty()).then(|| (Arc::from(key), Arc::from(value)))
    };
    texts.into_iter().filter_map(pair).collect()
}

/// The first of several keys that is there with a value, without regard to case.
fn first<'t>(tags: &'t Tags, keys: &[&str]) -> Option<&'t Arc<str>> {
    keys.iter().find_map(|key| {
        let found = tags.iter().find(|(held, value)| held.eq_ignore_ascii_case(key) && !value.trim().is_empty());
        found.map(|(_, value)| value)
    })
}

/// Fills in what tags declare. `None`: nothing told of tags, so that nothing is known.
pub(super) fn declare(identity: &mut Identity, tags: Option<&Tags>) {
    let Some(tags) = tags else { return };
    let read = |keys: &[&str]| Fact::read(first(tags, keys).cloned());
    let nature = first(tags, &["evenhand:nature"]).and_then(|word| {
        let word = word.trim().replace('-', "_");
        Nature::ALL.into_iter().find(|nature| nature.as_str() == word && *nature != Nature::Unknown)
    });
    if let Some(nature) = nature {
        let reason = format!("tag evenhand:nature = {}", nature.as_str());
        let evidence = identity.evidence.clone();
        identity.signals.push(Signal { nature, strength: Strength::Certain, reason: reason.into(), evidence });
    }
    identity.job = first(tags, &["evenhand:job"]).map(|job| Job::new(Arc::clone(job)));
    identity.declared_human_role = first(tags, &["evenhand:human-role", "evenhand:human_role"]).cloned();
    identity.owner = read(&["evenhand:owner", "owner", "team", "contact"]);
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
    use super::*;

    #[test]
    fn texts_with_a_key_and_a_value_are_tags() {
        let texts: Vec<Arc<str>> =
            ["evenhand:job:support", "owner=ops", "env: prod", "HideApp", "WindowsAzureActiveDirectoryIntegratedApp"]
                .map(Arc::from)
                .to_vec();
        let tags = of_texts(&texts);
        let found: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, [("env", "prod"), ("evenhand:job", "support"), ("owner", "ops")]);
    }
}
