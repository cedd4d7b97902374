//! Roles that are held ready: what activating one takes, as a condition of the grant.
//!
//! Whoever is eligible for a role holds it under controls: it ends by itself, and perhaps somebody approves it or it takes
//! several factors. Rules that were not read leave open what else than time stands before it.
//! Source: "Configure Microsoft Entra role settings in Privileged Identity Management".

use std::sync::Arc;

use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use jiff::{Span, Timestamp};

use crate::catalog::classes::{ACTIVATION, APPROVAL, FACTORS, UNTIL};
use crate::documents::directory::ActivationRule;

/// What activating a role takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Rules {
    /// The longest time for which it is activated, in minutes.
    minutes: Option<i64>,
    approval: Truth,
    factors: Truth,
}

impl Rules {
    /// Rules that were not read.
    pub(crate) const UNREAD: Self = Self { minutes: None, approval: Truth::Unknown, factors: Truth::Unknown };

    /// The rules that hold when a person activates a role.
    pub(crate) fn of(rules: &[ActivationRule]) -> Self {
        let find =
            |id: &str| rules.iter().find(|rule| rule.id.as_deref().is_some_and(|held| held.eq_ignore_ascii_case(id)));
        let approval = find("Approval_EndUser_Assignment")
            .and_then(|rule| rule.setting.as_ref()?.is_approval_required)
            .map_or(Truth::Unknown, Truth::from);
        let listed = find("Enablement_EndUser_Assignment").and_then(|rule| rule.enabled_rules.as_ref());
        let by_rule = listed.map_or(Truth::Unknown, |rules| {
            rules.iter().any(|rule| rule.eq_ignore_ascii_case("MultiFactorAuthentication")).into()
        });
        // A context that conditional access knows may ask for several factors; which one does is said elsewhere.
        let by_context = find("AuthenticationContext_EndUser_Assignment")
            .is_some_and(|rule| rule.is_enabled == Some(true))
            .then_some(Truth::Unknown);
        let minutes = find("Expiration_EndUser_Assignment")
            .and_then(|rule| rule.maximum_duration.as_deref()?.parse::<Span>().ok())
            .map(|span| i64::from(span.get_days()) * 1440 + i64::from(span.get_hours()) * 60 + span.get_minutes());
        Self { minutes, approval, factors: by_rule.or(by_context.unwrap_or(Truth::No)) }
    }

    /// The rules as a condition.
    pub(crate) fn condition(&self) -> Condition {
        let activated = match self.minutes {
            Some(minutes) => test(ACTIVATION, "LessThanMinutes", &minutes.to_string()),
            None => test(ACTIVATION, "Equals", "true"),
        };
        let mut condition = Condition::unconditional().with(activated);
        for (key, held) in [(APPROVAL, self.approval), (FACTORS, self.factors)] {
            match held {
                Truth::Yes => condition = condition.with(test(key, "Equals", "true")),
                // Asked for if the rules, which were not read, say so.
                Truth::Unknown => condition = condition.with(test(key, "EqualsIfExists", "true")),
                Truth::No => {}
            }
        }
        condition
    }
}

/// The end of a grant as a condition.
pub(crate) fn until(end: Option<Timestamp>) -> Condition {
    match end {
        Some(end) => Condition::unconditional().with(test(UNTIL, "DateLessThan", &end.to_string())),
        None => Condition::unconditional(),
    }
}

fn test(key: &str, operator: &str, value: &str) -> Clause {
    let values: Arc<[Arc<str>]> = Arc::from([Arc::from(value)]);
    Clause::When(Test { operator: operator.into(), key: key.into(), values, negated: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::of(&serde_json::from_str::<Vec<ActivationRule>>(text).unwrap())
    }

    #[test]
    fn rules_say_how_long_and_who_is_asked() {
        let all = rules(
            r#"[{"id":"Expiration_EndUser_Assignment","maximumDuration":"PT8H"},
                {"id":"Enablement_EndUser_Assignment","enabledRules":["MultiFactorAuthentication","Justification"]},
                {"id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":true}}]"#,
        );
        assert_eq!(all, Rules { minutes: Some(480), approval: Truth::Yes, factors: Truth::Yes });
        assert_eq!(all.condition().keys().len(), 3);
        let day = rules(
            r#"[{"id":"Expiration_EndUser_Assignment","maximumDuration":"P1D"},
                {"id":"Enablement_EndUser_Assignment","enabledRules":[]},
                {"id":"Approval_EndUser_Assignment","setting":{"isApprovalRequired":false}}]"#,
        );
        assert_eq!(day, Rules { minutes: Some(1440), approval: Truth::No, factors: Truth::No });
        assert_eq!(rules("[]"), Rules::UNREAD.clone());
    }
}
