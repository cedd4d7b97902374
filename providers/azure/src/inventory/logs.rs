//! Logs: the sign-in logs of Entra and where they are sent, and the activity logs of subscriptions.

use std::sync::Arc;

use evenhand_model::evidence::Fact;
use evenhand_model::log::Log;

use super::Join;
use crate::PROVIDER;
use crate::documents::manager::{Diagnostic, LogOfKind};

/// The kinds of logs that tell what applications and agents sign in to.
/// Source: "Learn about the sign-in log activity details" of Microsoft Entra.
const OF_AGENTS: [&str; 1] = ["ServicePrincipalSignInLogs"];

/// The longest time for which Entra itself keeps its logs, in days.
/// Source: "Microsoft Entra data retention".
const KEPT_DAYS: i64 = 30;

/// Whether a setting sends a kind of log on.
fn sends(setting: &Diagnostic, kinds: &[&str]) -> bool {
    let on = |log: &&LogOfKind| log.enabled == Some(true);
    setting.logs.iter().flatten().filter(on).any(|log| {
        log.category.as_deref().is_some_and(|kind| kinds.iter().any(|held| kind.eq_ignore_ascii_case(held)))
            || log.category_group.as_deref().is_some_and(|group| group.eq_ignore_ascii_case("allLogs"))
    })
}

/// Days for which a storage account keeps what is sent to it: none = for ever.
fn kept(setting: &Diagnostic) -> Fact<i64> {
    if setting.storage_account_id.is_none() || setting.workspace_id.is_some() {
        return Fact::Unknown;
    }
    let each: Vec<Option<i64>> = setting
        .logs
        .iter()
        .flatten()
        .filter(|log| log.enabled == Some(true))
        .map(|log| {
            let policy = log.retention_policy.as_ref()?;
            if policy.enabled == Some(false) { Some(0) } else { policy.days }
        })
        .collect();
    match each.iter().copied().collect::<Option<Vec<i64>>>() {
        None => Fact::Unknown,
        Some(days) => Fact::read(days.into_iter().filter(|days| *days > 0).min()),
    }
}

impl Join<'_> {
    pub(super) fn take_logs(&mut self) {
        let facts = self.facts;
        for (resource, settings) in &facts.diagnostics {
            let of_tenant = resource.is_empty();
            let of_subscription = resource.starts_with("/subscriptions/") && !resource.contains("/providers/");
            if !of_tenant && !of_subscription {
                continue;
            }
            let mut sent_on = false;
            for held in settings.all() {
                let agents =
                    if of_tenant { sends(&held.own, &OF_AGENTS) } else { sends(&held.own, &["Administrative"]) };
                sent_on |= of_tenant && agents;
                self.inventory.logs.push(Log {
                    scope: self.scope.clone(),
                    provider: PROVIDER,
                    // By its id, as what may be changed is named by ids.
                    name: held.id.to_ascii_lowercase().into(),
                    enabled: Fact::Known(held.own.logs.iter().flatten().any(|log| log.enabled == Some(true))),
                    covers_agents: Fact::Known(agents),
                    retention_days: kept(&held.own),
                    tamper_protected: Fact::Unknown,
                    evidence: held.at.clone(),
                });
            }
            if of_tenant && settings.is_read() && !sent_on {
                self.entras_own(settings.all().first().map(|held| held.at.clone()));
            }
        }
    }

    /// Without anything that sends them on, Entra keeps the sign-ins of applications for a while itself.
    fn entras_own(&mut self, at: Option<evenhand_model::evidence::Evidence>) {
        let evidence = at.unwrap_or_else(|| self.somewhere());
        self.inventory.logs.push(Log {
            scope: self.scope.clone(),
            provider: PROVIDER,
            name: Arc::from("sign-in logs of Entra"),
            enabled: Fact::Known(true),
            covers_agents: Fact::Known(true),
            retention_days: Fact::Known(KEPT_DAYS),
            // Nobody can change them there.
            tamper_protected: Fact::Known(true),
            evidence,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_sends_what_it_names_or_all() {
        for (logs, expected) in [
            (r#"[{"category":"ServicePrincipalSignInLogs","enabled":true}]"#, true),
            (r#"[{"category":"ServicePrincipalSignInLogs","enabled":false}]"#, false),
            (r#"[{"categoryGroup":"allLogs","enabled":true}]"#, true),
            (r#"[{"category":"AuditLogs","enabled":true}]"#, false),
        ] {
            let setting: Diagnostic = serde_json::from_str(&format!(r#"{{"logs":{logs}}}"#)).unwrap();
            assert_eq!(sends(&setting, &OF_AGENTS), expected, "{logs}");
        }
    }

    #[test]
    fn a_storage_account_keeps_for_ever_unless_it_is_told_otherwise() {
        let kept_by = |policy: &str| {
            let text = format!(r#"{{"storageAccountId":"/x","logs":[{{"category":"A","enabled":true{policy}}}]}}"#);
            kept(&serde_json::from_str(&text).unwrap())
        };
        assert_eq!(kept_by(r#","retentionPolicy":{"enabled":true,"days":90}"#), Fact::Known(90));
        assert_eq!(kept_by(r#","retentionPolicy":{"enabled":false,"days":0}"#), Fact::Absent);
        assert_eq!(kept_by(""), Fact::Unknown);
    }
}
