//! Identity Center: who has which permission set where, and permission sets whose roles are not in the capture; and the
//! vendor's job-function policies as baselines of last resort.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::nature::signal;
use super::roles::generic;
use super::{ENABLED, Join, identity};
use crate::inventory::facts::Described;
use crate::provider::NAME;
use crate::world::{AccountId, PolicyIx, PrincipalKind};

impl Join {
    /// Assignments, and the permission sets for whose accounts no role was read.
    pub(super) fn permission_sets(&mut self) {
        let mut made: BTreeMap<IdentityId, (Arc<str>, AccountId)> = BTreeMap::new();
        let assignments = std::mem::take(&mut self.facts.center.assignments);
        let mut written = BTreeSet::new();
        for said in &assignments {
            let Some(account) = &said.account else { continue };
            let name = self.facts.center.sets.get(&said.it.set).and_then(|set| set.name.clone());
            let role =
                name.as_ref().and_then(|name| self.made.reserved.get(&(Arc::clone(&account.0), name.to_string())));
            let target = match role {
                Some(role) => role.clone(),
                None => {
                    let id = IdentityId::new(format!("{}@{}", said.it.set, account.0));
                    made.insert(id.clone(), (Arc::clone(&said.it.set), account.clone()));
                    id
                }
            };
            let source = self.assignee(&said.it.principal_kind, &said.it.principal);
            if !written.insert((Arc::clone(&source), target.clone())) {
                continue;
            }
            self.made.inventory.trusts.push(Trust {
                source,
                target,
                provider: NAME,
                mechanism: Mechanism::Assignment,
                constraint: Arc::from(""),
                weak: Truth::No,
                weakness: Arc::from(""),
                evidence: said.evidence.clone(),
            });
        }
        for (id, (set, account)) in made {
            self.permission_set(id, &set, account);
        }
        self.describe_reserved();
    }

    fn assignee(&self, kind: &str, principal: &Arc<str>) -> Arc<str> {
        let center = &self.facts.center;
        let (word, name) = if kind.eq_ignore_ascii_case("GROUP") {
            ("group", center.groups.get(principal))
        } else {
            ("user", center.users.get(principal).map(|user| &user.label))
        };
        format!("Identity Center {word} {}", name.unwrap_or(principal)).into()
    }

    /// Identity Center's roles carry no description of their own: that of their permission set is theirs.
    fn describe_reserved(&mut self) {
        let mut purposes: BTreeMap<&IdentityId, &Fact<Arc<str>>> = BTreeMap::new();
        for set in self.facts.center.sets.values() {
            let Some(name) = &set.name else { continue };
            for ((_, held), role) in &self.made.reserved {
                if **held == **name {
                    purposes.insert(role, &set.description);
                }
            }
        }
        if purposes.is_empty() {
            return;
        }
        for identity in &mut self.made.inventory.identities {
            if let (Some(Fact::Known(purpose)), Fact::Absent | Fact::Unknown) =
                (purposes.get(&identity.id), &identity.purpose)
            {
                identity.purpose = Fact::Known(Arc::clone(purpose));
            }
        }
    }

    fn permission_set(&mut self, id: IdentityId, arn: &Arc<str>, account: AccountId) {
        let Some(set) = self.facts.center.sets.get(arn) else { return };
        let name = set.name.clone().unwrap_or_else(|| Arc::from(arn.rsplit('/').next().unwrap_or(arn)));
        let evidence = set.evidence.clone();
        let mut role = identity(&id, &account.0, "permission_set", &name, &evidence);
        role.created_at = set.created_at;
        role.purpose = set.description.clone();
        role.enabled = ENABLED;
        role.third_party = Fact::Known(false);
        role.human_sign_in = Fact::Known(true);
        let reason = "people sign in to it through Identity Center";
        role.signals.push(signal(Nature::HumanRole, Strength::Certain, reason, &evidence));
        let mut unread = Vec::new();
        let customer_arn = |name: &Arc<str>| -> Arc<str> { format!("arn:aws:iam::{}:policy/{name}", account.0).into() };
        let mut attached: Vec<Arc<str>> = Vec::new();
        match &set.managed {
            Some(managed) => attached.extend(managed.iter().cloned()),
            None => unread.push("the managed policies"),
        }
        match &set.customer {
            Some(customer) => attached.extend(customer.iter().map(customer_arn)),
            None => unread.push("the customer managed policies"),
        }
        let inline: Vec<PolicyIx> = match &set.inline {
            Some(policy) => policy.iter().copied().collect(),
            None => {
                unread.push("the inline policy");
                Vec::new()
            }
        };
        let boundary = match &set.boundary {
            Fact::Known(name) if name.starts_with("arn:") => Some(Arc::clone(name)),
            Fact::Known(name) => Some(customer_arn(name)),
            Fact::Absent | Fact::Unknown => None,
        };
        let boundary_unread = set.boundary == Fact::Unknown;
        let described = Described {
            kind: PrincipalKind::PermissionSet,
            account: account.clone(),
            name,
            path: Arc::from("/"),
            created_at: role.created_at,
            last_used_at: Fact::Unknown,
            tags: None,
            groups: Vec::new(),
            inline,
            attached,
            boundary,
            trust: None,
            instance_profiles: Vec::new(),
            evidence: evidence.clone(),
        };
        let mut principal = self.principal(&id, described);
        self.made.miss(&principal);
        // Of whose policies the doubt is, since another set's are others.
        let of_set = |what: &str| Arc::from(format!("{what} of {}", principal.name));
        let unread: Vec<Arc<str>> = unread.into_iter().map(of_set).collect();
        principal.missing.extend(unread);
        if boundary_unread {
            principal.boundary = Fact::Unknown;
        }
        self.made.keep(principal);
        self.made.inventory.controls.push(Control::new(id, ControlKind::Mfa, self.settings.center_mfa, evidence));
        self.made.inventory.identities.push(role);
    }

    /// The vendor's policies for job functions that are in the capture.
    pub(super) fn job_functions(&mut self) {
        let mut found: BTreeMap<IdentityId, (AccountId, Arc<str>, PolicyIx, Evidence)> = BTreeMap::new();
        for ((account, arn), managed) in &self.facts.managed {
            let Some(account) = account else { continue };
            let Some((_, path)) = arn.split_once(":iam::aws:policy/") else { continue };
            let name = path.strip_prefix("job-function/");
            let Some(name) =
                name.or_else(|| Some(path).filter(|path| matches!(*path, "ReadOnlyAccess" | "PowerUserAccess")))
            else {
                continue;
            };
            let id = IdentityId::new(format!("{arn}@{}", account.0));
            found.insert(id, (account.clone(), Arc::from(name), managed.policy, managed.evidence.clone()));
        }
        for (id, (account, name, policy, evidence)) in found {
            let mut role = identity(&id, &account.0, "job_function", &name, &evidence);
            generic(&mut role, "the vendor's policy for a job function", &evidence);
            let described = Described {
                kind: PrincipalKind::JobFunction,
                account,
                name,
                path: Arc::from("/"),
                created_at: Fact::Unknown,
                last_used_at: Fact::Unknown,
                tags: None,
                groups: Vec::new(),
                inline: vec![policy],
                attached: Vec::new(),
                boundary: None,
                trust: None,
                instance_profiles: Vec::new(),
                evidence,
            };
            let principal = self.principal(&id, described);
            self.made.hold(principal);
            self.made.inventory.identities.push(role);
        }
    }
}
