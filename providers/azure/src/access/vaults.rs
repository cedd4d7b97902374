//! Access policies of key vaults: what they let a principal do with the secrets, keys and certificates of one vault, beside
//! the roles.
//!
//! A vault takes either policies or roles; only one that says that it takes roles ignores its policies.
//! Source: <https://learn.microsoft.com/azure/key-vault/general/assign-access-policy> for the permissions, the page of roles
//! for Key Vault for the data actions that do the same.

use std::collections::BTreeSet;

use evenhand_model::access::Grant;
use evenhand_model::condition::{Clause, Condition as Under};

use super::bond::{Bond, By};
use crate::documents::manager::{Resource, VaultPolicy};
use crate::documents::told::At;
use crate::facts::TenantFacts;
use crate::rbac::{ArmId, ObjectId, OperationPattern, Permission, RoleAssignment, RoleDefinition, RoleKey};

/// The type of a key vault, in its id.
const VAULTS: &str = "/providers/microsoft.keyvault/vaults/";

/// Permissions of policies on one kind of thing, with the data actions that do the same.
const SECRETS: (&str, &[(&str, &str)]) = (
    "secrets",
    &[
        ("get", "getSecret/action"),
        ("list", "readMetadata/action"),
        ("set", "setSecret/action"),
        ("delete", "delete"),
        ("recover", "recover/action"),
        ("backup", "backup/action"),
        ("restore", "restore/action"),
        ("purge", "purge/action"),
    ],
);
const KEYS: (&str, &[(&str, &str)]) = (
    "keys",
    &[
        ("get", "read"),
        ("list", "read"),
        ("update", "update/action"),
        ("create", "create/action"),
        ("import", "import/action"),
        ("delete", "delete"),
        ("recover", "recover/action"),
        ("backup", "backup/action"),
        ("restore", "restore/action"),
        ("decrypt", "decrypt/action"),
        ("encrypt", "encrypt/action"),
        ("unwrapKey", "unwrap/action"),
        ("wrapKey", "wrap/action"),
        ("verify", "verify/action"),
        ("sign", "sign/action"),
        ("purge", "purge/action"),
        ("release", "release/action"),
        ("rotate", "rotate/action"),
    ],
);
const CERTIFICATES: (&str, &[(&str, &str)]) = (
    "certificates",
    &[
        ("get", "read"),
        ("list", "read"),
        ("delete", "delete"),
        ("create", "create/action"),
        ("import", "import/action"),
        ("update", "update/action"),
        ("recover", "recover/action"),
        ("backup", "backup/action"),
        ("restore", "restore/action"),
        ("purge", "purge/action"),
    ],
);

/// What a policy holds, as a role would.
fn allowed(policy: &VaultPolicy) -> BTreeSet<String> {
    let held = &policy.permissions;
    let mut all = BTreeSet::new();
    for ((kind, table), words) in [(SECRETS, &held.secrets), (KEYS, &held.keys), (CERTIFICATES, &held.certificates)] {
        for word in words.iter().flatten() {
            if word.eq_ignore_ascii_case("all") || word == "*" {
                all.insert(format!("Microsoft.KeyVault/vaults/{kind}/*"));
                continue;
            }
            // One that nobody knows yet is held by its own name.
            let known = table.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, action)| *action);
            let action = known.map_or_else(|| format!("{}/action", word.to_ascii_lowercase()), str::to_owned);
            all.insert(format!("Microsoft.KeyVault/vaults/{kind}/{action}"));
        }
    }
    all
}

/// What a policy lets somebody do, in the form of a role that is assigned at the vault.
pub(super) struct Given {
    pub(super) role: RoleDefinition,
    pub(super) assignment: RoleAssignment,
    pub(super) under: Under,
    pub(super) grant: Grant,
    pub(super) bond: Bond,
}

/// The policies of all vaults that take them.
pub(super) fn given(facts: &TenantFacts) -> Vec<Given> {
    vaults(facts).flat_map(|(id, held)| of_vault(id, held)).collect()
}

/// The ids of vaults whose policies count, and were not read, or not all of them.
pub(super) fn unread(facts: &TenantFacts) -> impl Iterator<Item = &str> {
    let is_read = |id: &str, held: &Resource| {
        let policies = held.properties.as_ref().and_then(|own| own.access_policies.as_ref());
        policies.is_some_and(|policies| policies.others == 0) && ArmId::parse(id).is_ok()
    };
    vaults(facts).filter(move |(id, held)| !takes_roles(held) && !is_read(id, held)).map(|(id, _)| id)
}

fn vaults(facts: &TenantFacts) -> impl Iterator<Item = (&str, &At<Resource>)> {
    let is_vault = |id: &str| id.rsplit_once(VAULTS).is_some_and(|(_, name)| !name.contains('/'));
    facts.resources.iter().map(|(id, held)| (id.as_str(), held)).filter(move |(id, _)| is_vault(id))
}

/// Whether a vault says that it ignores its policies.
fn takes_roles(vault: &Resource) -> bool {
    vault.properties.as_ref().is_some_and(|own| own.enable_rbac_authorization == Some(true))
}

fn of_vault(id: &str, held: &At<Resource>) -> Vec<Given> {
    let (Some(own), Ok(scope)) = (&held.properties, ArmId::parse(id)) else { return Vec::new() };
    if takes_roles(held) {
        return Vec::new();
    }
    let policies = own.access_policies.iter().flat_map(|policies| &policies.read);
    let each = policies.filter_map(|policy| {
        let actions = allowed(policy);
        if actions.is_empty() {
            return None;
        }
        let data_actions = actions.iter().map(|action| OperationPattern::new(action)).collect();
        let key = RoleKey::new(&format!(
            "access-policy:{}",
            actions.iter().map(String::as_str).collect::<Vec<_>>().join("+").replace('/', ".")
        ));
        let under = match policy.application_id.as_deref().filter(|id| !id.is_empty()) {
            Some(application) => Under::unconditional()
                .with(Clause::Opaque(format!("by the application {}", application.to_ascii_lowercase()).into())),
            None => Under::unconditional(),
        };
        Some(Given {
            role: RoleDefinition {
                key: key.clone(),
                name: "access policy".into(),
                permissions: vec![Permission { data_actions, ..Permission::default() }],
            },
            assignment: RoleAssignment {
                id: id.into(),
                principal: ObjectId::new(&policy.object_id),
                role: key,
                scope: scope.clone(),
                condition: None,
            },
            under,
            grant: Grant {
                policy: format!("access policy of the vault {scope}").into(),
                statement: None,
                name: "".into(),
                evidence: held.at.clone(),
            },
            bond: Bond {
                principal: ObjectId::new(&policy.object_id),
                by: By::Vault {
                    vault: scope.clone(),
                    application: policy.application_id.as_deref().filter(|id| !id.is_empty()).map(Into::into),
                },
            },
        })
    });
    each.collect()
}
