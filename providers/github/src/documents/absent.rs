//! What is null, which is as if it were left out: the API's description lets lists be null that are mostly left out.

use serde::{Deserialize, Deserializer};

/// Reads a value; null is the default, as a member that is missing.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use crate::documents::{actions, apps, gates, people};

    fn alike<T: DeserializeOwned + Debug>(with: &str, without: &str) {
        let [with, without] = [with, without].map(|text| format!("{:?}", serde_json::from_str::<T>(text).unwrap()));
        assert_eq!(with, without);
    }

    #[test]
    fn a_list_that_is_null_is_as_one_that_is_left_out() {
        alike::<gates::RuleParameters>(
            r#"{"required_reviewers": null, "required_status_checks": null, "required_deployment_environments": null}"#,
            "{}",
        );
        alike::<gates::EffectiveRule>(r#"{"type": "update", "parameters": null}"#, r#"{"type": "update"}"#);
        alike::<gates::Actors>(r#"{"users": null, "teams": null, "apps": null}"#, "{}");
        alike::<gates::Environment>(r#"{"name": "live", "protection_rules": null}"#, r#"{"name": "live"}"#);
        alike::<gates::ProtectionRule>(r#"{"reviewers": null}"#, "{}");
        alike::<actions::Runner>(r#"{"id": 1, "labels": null}"#, r#"{"id": 1}"#);
        alike::<actions::Repository>(r#"{"name": "shop", "custom_properties": null}"#, r#"{"name": "shop"}"#);
        alike::<apps::Installation>(r#"{"id": 1, "events": null}"#, r#"{"id": 1}"#);
        alike::<people::TeamRepository>(r#"{"full_name": "a/b", "permissions": null}"#, r#"{"full_name": "a/b"}"#);
        alike::<people::OrganisationRole>(
            r#"{"id": 1, "name": "r", "permissions": null}"#,
            r#"{"id": 1, "name": "r"}"#,
        );
        alike::<people::CustomRole>(r#"{"id": 1, "name": "r", "permissions": null}"#, r#"{"id": 1, "name": "r"}"#);
    }
}
