//! Conditional access: what people pass when they sign in, and from where applications may.
//!
//! A policy counts for certain only where it is enforced, means every application and has no condition that lets it pass
//! over a sign-in; one that counts for some sign-ins leaves the control unknown.

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::id::IdentityId;

use super::Join;
use crate::documents::directory::{ConditionalAccess, Included};
use crate::documents::told::{At, Told};
use crate::rbac::ObjectId;

const DEVICE: [&str; 2] = ["compliantDevice", "domainJoinedDevice"];

impl Join<'_> {
    /// The controls of a user, a group or a role of people; an empty object stands for people in general.
    pub(super) fn take_controls(&mut self, id: &IdentityId, object: &str, at: &Evidence) {
        let policies = self.facts.conditional_access.all();
        let read = self.facts.conditional_access.is_read();
        let (mut factors, mut device) = (Truth::No, Truth::No);
        let (mut factors_at, mut device_at) = (at.clone(), at.clone());
        for policy in policies {
            let means = self.means(policy, object);
            if means == Truth::No {
                continue;
            }
            let (asks_factors, asks_device) = asks(policy);
            for (held, asked, place) in
                [(&mut factors, asks_factors, &mut factors_at), (&mut device, asks_device, &mut device_at)]
            {
                let now = means.and(asked);
                if now > *held {
                    *held = now;
                    *place = policy.at.clone();
                }
            }
        }
        if let Some(defaults) = &self.facts.security_defaults
            && defaults.is_enabled == Some(true)
            && factors < Truth::Yes
        {
            (factors, factors_at) = (Truth::Yes, defaults.at.clone());
        }
        // Several factors may also be demanded of a person one by one, which no answer here tells.
        let factors = if factors == Truth::Yes { Truth::Yes } else { Truth::Unknown };
        let device = if read { device } else { Truth::Unknown };
        self.inventory.controls.push(Control::new(id.clone(), ControlKind::Mfa, factors, factors_at));
        self.inventory.controls.push(Control::new(id.clone(), ControlKind::NetworkOrDevice, device, device_at));
    }

    /// Whether a policy is enforced for somebody, whatever he signs in to.
    fn means(&self, policy: &At<ConditionalAccess>, object: &str) -> Truth {
        if policy.state.as_deref() != Some("enabled") {
            return Truth::No;
        }
        let Some(conditions) = &policy.conditions else { return Truth::Unknown };
        let Some(users) = &conditions.users else { return Truth::No };
        let who = self.groups.of(&ObjectId::new(object));
        let members: Vec<String> = self
            .facts
            .members
            .get(object)
            .map_or(&[][..], Told::all)
            .iter()
            .map(|member| member.id.to_ascii_lowercase())
            .collect();
        let names = |list: &Option<Vec<String>>| -> bool {
            list.iter().flatten().any(|id| !object.is_empty() && who.contains(&ObjectId::new(id)))
        };
        let names_a_member =
            |list: &Option<Vec<String>>| list.iter().flatten().any(|id| members.contains(&id.to_ascii_lowercase()));
        let all = users.include_users.iter().flatten().any(|id| id == "All");
        let included = all || names(&users.include_users) || names(&users.include_groups);
        let by_role = users.include_roles.iter().flatten().next().is_some();
        let mut means = match (included, by_role) {
            (true, _) => Truth::Yes,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::No,
        };
        if names(&users.exclude_users) || names(&users.exclude_groups) {
            return Truth::No;
        }
        let excludes = |list: &Option<Vec<String>>| list.iter().flatten().next().is_some();
        let people_in_general =
            object.is_empty() && (excludes(&users.exclude_users) || excludes(&users.exclude_groups));
        let some_members =
            names_a_member(&users.exclude_users) || !members.is_empty() && excludes(&users.exclude_groups);
        if people_in_general || some_members || excludes(&users.exclude_roles) {
            means = means.and(Truth::Unknown);
        }
        if !means_every_application(conditions.applications.as_ref()) || passes_over(policy) {
            means = means.and(Truth::Unknown);
        }
        means
    }

    /// From where an application may sign in.
    pub(super) fn take_network(&mut self, id: &IdentityId, object: &str, at: &Evidence) {
        let read = self.facts.conditional_access.is_read();
        let mut held = (Truth::No, at.clone());
        for policy in self.facts.conditional_access.all() {
            if policy.state.as_deref() != Some("enabled") {
                continue;
            }
            let Some(conditions) = &policy.conditions else { continue };
            let Some(clients) = &conditions.client_applications else { continue };
            let named = |list: &Option<Vec<String>>| {
                list.iter().flatten().any(|id| id.eq_ignore_ascii_case(object) || id == "ServicePrincipalsInMyTenant")
            };
            let only = |list: &Option<Vec<String>>| list.iter().flatten().any(|id| id.eq_ignore_ascii_case(object));
            if !named(&clients.include_service_principals) || only(&clients.exclude_service_principals) {
                continue;
            }
            let blocks = policy
                .grant_controls
                .as_ref()
                .is_some_and(|controls| controls.built_in_controls.iter().flatten().any(|one| one == "block"));
            let by_place = conditions.locations.as_ref().is_some_and(|places| {
                places.include_locations.iter().flatten().any(|place| place == "All")
                    && places.exclude_locations.iter().flatten().next().is_some()
            });
            let by_risk = conditions.service_principal_risk_levels.iter().flatten().next().is_some();
            if blocks && by_place {
                let whole = means_every_application(conditions.applications.as_ref()) && !by_risk;
                let truth = if whole { Truth::Yes } else { Truth::Unknown };
                if truth > held.0 {
                    held = (truth, policy.at.clone());
                }
            }
        }
        let truth = if read { held.0 } else { Truth::Unknown };
        self.inventory.controls.push(Control::new(id.clone(), ControlKind::NetworkOrDevice, truth, held.1));
    }
}

/// Whether a policy means all applications and leaves out none.
fn means_every_application(applications: Option<&Included>) -> bool {
    applications.is_some_and(|held| {
        held.include_applications.iter().flatten().any(|app| app == "All")
            && held.exclude_applications.iter().flatten().next().is_none()
    })
}

/// Whether some sign-ins of those whom a policy means are not under it.
fn passes_over(policy: &ConditionalAccess) -> bool {
    let Some(conditions) = &policy.conditions else { return true };
    let some = |list: &Option<Vec<String>>| list.iter().flatten().next().is_some();
    let clients = conditions.client_app_types.iter().flatten().next().is_some()
        && !conditions.client_app_types.iter().flatten().any(|kind| kind == "all");
    conditions.locations.is_some()
        || conditions.platforms.is_some()
        || conditions.devices.is_some()
        || some(&conditions.sign_in_risk_levels)
        || some(&conditions.user_risk_levels)
        || clients
}

/// Whether a policy asks for several factors, and for a device or place.
fn asks(policy: &ConditionalAccess) -> (Truth, Truth) {
    let Some(controls) = &policy.grant_controls else { return (Truth::No, Truth::No) };
    let asked: Vec<&str> = controls.built_in_controls.iter().flatten().map(String::as_str).collect();
    let strength = controls.authentication_strength.is_some();
    let alone = asked.len() + usize::from(strength) <= 1 || controls.operator.as_deref() == Some("AND");
    let truth = |wanted: bool| match (wanted, alone) {
        (false, _) => Truth::No,
        (true, true) => Truth::Yes,
        (true, false) => Truth::Unknown,
    };
    let device = asked.iter().any(|one| DEVICE.contains(one));
    // One of two kinds of managed devices is a managed device.
    let only_devices = device && !strength && asked.iter().all(|one| DEVICE.contains(one));
    (truth(asked.contains(&"mfa") || strength), if only_devices { Truth::Yes } else { truth(device) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_ways_is_no_certain_control() {
        for (controls, factors, device) in [
            (r#"{"operator":"OR","builtInControls":["mfa"]}"#, Truth::Yes, Truth::No),
            (r#"{"operator":"OR","builtInControls":["mfa","compliantDevice"]}"#, Truth::Unknown, Truth::Unknown),
            (r#"{"operator":"AND","builtInControls":["mfa","compliantDevice"]}"#, Truth::Yes, Truth::Yes),
            (r#"{"operator":"OR","builtInControls":["compliantDevice","domainJoinedDevice"]}"#, Truth::No, Truth::Yes),
            (r#"{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"x"}}"#, Truth::Yes, Truth::No),
            (r#"{"operator":"OR","builtInControls":["block"]}"#, Truth::No, Truth::No),
        ] {
            let policy: ConditionalAccess =
                serde_json::from_str(&format!(r#"{{"state":"enabled","grantControls":{controls}}}"#)).unwrap();
            assert_eq!(asks(&policy), (factors, device), "{controls}");
        }
    }
}
