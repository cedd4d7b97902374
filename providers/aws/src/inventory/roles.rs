//! Roles: who may become them, what that says about their nature, and which controls stand before them.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{CredentialId, IdentityId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::Hint;
use evenhand_model::token::Acceptance;
use evenhand_model::trust::{Mechanism, Trust};
use rayon::prelude::*;

use super::accounts::Relation;
use super::arn::{Arn, is_account};
use super::facts::Described;
use super::nature::{is_agent_service, of_name, of_tags, signal};
use super::output::OutputPart;
use super::principals::Unjoined;
use super::trust::{Way, Who, ways};
use super::{ENABLED, Join, below, identity};
use crate::federation::{Door, provider_issuer};
use crate::inventory::tags;
use crate::provider::NAME;
use crate::world::{AccountId, PolicyIx};

const CENTER_PATH: &str = "/aws-reserved/sso.amazonaws.com/";
const CENTER_PREFIX: &str = "AWSReservedSSO_";

/// The permission set that Identity Center made a role for: `AWSReservedSSO_Support_0123456789abcdef` → `Support`.
pub(super) fn permission_set_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(CENTER_PREFIX)?;
    rest.rsplit_once('_').map(|(set, _)| set)
}

/// What the ways into a role add up to.
#[derive(Default)]
struct Seen {
    hints: Vec<Hint>,
    signals: Vec<Signal>,
    foreign: bool,
    perhaps_foreign: bool,
    people: bool,
    perhaps_people: bool,
    federated: bool,
    /// Ways that ask for several factors, that do not, that may.
    asked: bool,
    unasked: bool,
    perhaps: bool,
}

/// The name of a role without its path, as clusters have it: `aws-auth` takes no paths (EKS User Guide, "Troubleshooting
/// IAM"), and an account has no two roles of one name. `None` = it has no path.
fn without_path(id: &IdentityId) -> Option<IdentityId> {
    let (account, role) = id.as_str().split_once(":role/")?;
    let (_, name) = role.rsplit_once('/')?;
    Some(IdentityId::new(format!("{account}:role/{name}")))
}

impl Join {
    /// Finds the ways into roles, once for those whose trust policies are equal.
    pub(super) fn find_ways(&mut self, all: &[Unjoined]) {
        let mut distinct: BTreeMap<u32, PolicyIx> = BTreeMap::new();
        for trust in all.iter().filter_map(|one| one.held.trust) {
            distinct.entry(self.facts.policies.content(trust)).or_insert(trust);
        }
        let read = |(content, trust): (u32, PolicyIx)| (content, Arc::new(ways(self.facts.policies.document(trust))));
        let ways: Vec<_> = distinct.into_par_iter().map(read).collect();
        self.ways.extend(ways);
    }

    pub(super) fn role(&self, one: Unjoined, part: &mut OutputPart) {
        let Unjoined { id, held, .. } = one;
        let evidence = &held.evidence;
        let trust_evidence = below(evidence, "/AssumeRolePolicyDocument");
        let mut role = identity(&id, &held.account.0, "role", &held.name, evidence);
        role.created_at = held.created_at;
        role.last_used_at = held.last_used_at;
        role.enabled = ENABLED;
        tags::declare(&mut role, held.tags.as_ref());
        role.owner_active = self.owners.activity(&role.owner);
        role.vendor_managed = held.path.starts_with("/aws-service-role/");
        let center = held.name.starts_with(CENTER_PREFIX) || held.path.starts_with(CENTER_PATH);

        let ways = self.ways_of(&held);
        let seen = self.look(&id, &held.account, ways, &trust_evidence, &mut part.inventory.trusts);
        part.inventory.acceptances.extend(self.accept(&id, &held, ways, &trust_evidence));

        let carried = self.carried.signals.get(&id).map_or(&[][..], Vec::as_slice);
        // Whom a trust policy lets in that is not there or not understood, nobody knows.
        let unread = held.trust.is_none_or(|trust| self.facts.policies.broken(trust));
        let of_name = of_name(&held.name, evidence);
        // Declarations come first: among signs of equal strength the first one decides.
        let mut signals = held.tags.as_ref().map(|tags| of_tags(tags, evidence)).unwrap_or_default();
        let own = [role.vendor_managed, center, of_name.is_some()].into_iter().map(usize::from).sum::<usize>();
        signals.reserve_exact(own + carried.len() + seen.signals.len());
        if role.vendor_managed {
            let reason = "made and used by a service of the vendor";
            signals.push(signal(Nature::Workload, Strength::Certain, reason, evidence));
        }
        if center {
            let reason = "people sign in to it through Identity Center";
            signals.push(signal(Nature::HumanRole, Strength::Certain, reason, evidence));
        }
        signals.extend_from_slice(carried);
        signals.extend(seen.signals);
        // The trust may say another nature: beside one that was not read, a name says none by itself.
        if !unread || !signals.is_empty() {
            signals.extend(of_name);
        }
        role.signals = signals;
        if let (Fact::Absent | Fact::Unknown, Some(purpose)) = (&role.purpose, self.carried.purposes.get(&id)) {
            role.purpose = Fact::Known(Arc::clone(purpose));
        }
        role.third_party = match (seen.foreign, seen.perhaps_foreign || unread) {
            (true, _) => Fact::Known(true),
            (false, true) => Fact::Unknown,
            (false, false) => Fact::Known(false),
        };
        role.human_sign_in = if center || seen.people {
            Fact::Known(true)
        } else if seen.perhaps_people || unread {
            Fact::Unknown
        } else {
            Fact::Known(false)
        };
        if let Some(set) = permission_set_of(&held.name).filter(|_| center) {
            role.title = Some(Arc::from(set));
            part.reserved.push(((role.scope.shared(), set.to_owned()), id.clone()));
        }
        let made = &mut part.inventory;
        if !role.vendor_managed {
            let factors = if center {
                Some(self.settings.center_mfa)
            } else {
                match (seen.asked, seen.unasked, seen.perhaps) {
                    (_, true, _) => Some(Truth::No),
                    (_, false, true) => Some(Truth::Unknown),
                    (true, false, false) => Some(Truth::Yes),
                    (false, false, false) => None,
                }
            };
            let mfa = |in_place| Control::new(id.clone(), ControlKind::Mfa, in_place, trust_evidence.clone());
            made.controls.extend(factors.map(mfa));
            made.credentials.push(session(&id, seen.federated && !center, &trust_evidence));
        }
        made.aliases.extend(without_path(&id).map(|short| (short, id.clone())));
        made.hints.extend(seen.hints);
        made.identities.push(role);
        part.principals.push(self.principal(&id, *held));
    }

    /// What the role takes tokens of outside issuers for.
    fn accept(&self, id: &IdentityId, held: &Described, ways: &[Way], evidence: &Evidence) -> Vec<Acceptance> {
        let mut accepted = Vec::new();
        let Some(trust) = held.trust else { return accepted };
        for way in ways {
            let Who::Oidc { provider, subject, .. } = &way.who else { continue };
            if self.is_gone(provider, &held.account) {
                continue;
            }
            let Some(door) = Door::of(self.facts.policies.document(trust), way.statement, provider, subject) else {
                continue;
            };
            accepted.push(Acceptance {
                target: id.clone(),
                provider: NAME,
                issuer: provider_issuer(provider),
                condition: Arc::new(door),
                constraint: Arc::clone(&way.constraint),
                weak: way.weak(),
                weakness: way.weakness(),
                evidence: below(evidence, &format!("/Statement/{}", way.statement)),
            });
        }
        accepted
    }

    fn ways_of(&self, held: &Described) -> &[Way] {
        let ways = held.trust.and_then(|trust| self.ways.get(&self.facts.policies.content(trust)));
        ways.map_or(&[], |ways| ways)
    }

    /// Looks at each way into a role: writes the trust down, and adds up what the ways say.
    fn look(
        &self,
        id: &IdentityId,
        account: &AccountId,
        ways: &[Way],
        evidence: &Evidence,
        trusts: &mut Vec<Trust>,
    ) -> Seen {
        let mut seen = Seen::default();
        for way in ways {
            let at = below(evidence, &format!("/Statement/{}", way.statement));
            let mut weaknesses: Vec<&str> = way.weaknesses.clone();
            let mut weak = way.weak();
            let (source, mechanism): (Arc<str>, Mechanism) = match &way.who {
                Who::Service(service) => {
                    self.service(service, way, &at, &mut seen);
                    (Arc::clone(service), Mechanism::Service)
                }
                Who::Aws(name) => {
                    weak = self.aws(name, account, way, &at, &mut seen);
                    if weak != Truth::No {
                        weaknesses.push("missing-external-id");
                    }
                    (canonical(name), Mechanism::AssumeRole)
                }
                Who::Anyone => {
                    if way.narrowed {
                        seen.perhaps_people = true;
                    } else {
                        weak = Truth::Yes;
                        weaknesses.push("any-principal");
                        seen.perhaps_foreign = true;
                    }
                    if way.mfa {
                        seen.asked = true
                    } else {
                        seen.unasked = true
                    }
                    (Arc::from("*"), Mechanism::AssumeRole)
                }
                Who::Saml(provider) => {
                    seen.people = true;
                    seen.federated = true;
                    // The identity provider decides about factors and does not say so here.
                    if way.mfa {
                        seen.asked = true
                    } else {
                        seen.perhaps = true
                    }
                    let reason = format!("people sign in to it through {}", last(provider));
                    seen.signals.push(signal(Nature::HumanRole, Strength::Strong, reason, &at));
                    (Arc::clone(provider), Mechanism::Federation)
                }
                Who::Oidc { provider, issuer, subject } => {
                    self.dead_provider(provider, account, &at, &mut seen);
                    seen.federated = true;
                    seen.signals.push(oidc_signal(issuer, &at));
                    if of_users(issuer) {
                        seen.perhaps_people = true;
                        seen.perhaps = true;
                    } else {
                        seen.unasked = true;
                    }
                    (format!("{issuer} {subject}").into(), Mechanism::Federation)
                }
            };
            weaknesses.sort_unstable();
            weaknesses.dedup();
            trusts.push(Trust {
                source,
                target: id.clone(),
                provider: NAME,
                mechanism,
                constraint: Arc::clone(&way.constraint),
                weak,
                weakness: weaknesses.join(", ").into(),
                evidence: at,
            });
        }
        // Agents' services first: what acts by itself decides over what is merely run.
        seen.signals.sort_by_key(|held| (std::cmp::Reverse(held.strength), held.nature != Nature::AiAgent));
        seen.signals.dedup_by(|a, b| a.nature == b.nature && a.reason == b.reason);
        seen
    }

    fn service(&self, service: &Arc<str>, way: &Way, at: &Evidence, seen: &mut Seen) {
        seen.unasked = true;
        let (nature, strength) = if is_agent_service(service) && !way.for_no_agent {
            (Nature::AiAgent, Strength::Certain)
        } else {
            (Nature::Workload, Strength::Strong)
        };
        seen.signals.push(signal(nature, strength, format!("trusts {service}"), at));
    }

    /// Returns whether the way should ask for an external id and does not.
    fn aws(&self, name: &Arc<str>, account: &AccountId, way: &Way, at: &Evidence, seen: &mut Seen) -> Truth {
        let parsed = Arn::parse(name);
        let number = if is_account(name) { Some(&**name) } else { parsed.and_then(|arn| arn.account_number()) };
        if way.mfa {
            seen.asked = true
        } else {
            seen.unasked = true
        }
        let Some(number) = number else {
            // The number of a deleted principal, which nobody can be any more.
            let message =
                format!("the trust policy names `{name}`, a principal that no longer exists; remove the statement");
            seen.hints.push(Hint { evidence: at.clone(), message: message.into() });
            return Truth::No;
        };
        match self.members.relation(account, number) {
            Relation::Same | Relation::Ours => {
                let id = IdentityId::new(Arc::clone(name));
                let is_user = parsed.is_some_and(|arn| arn.resource.starts_with("user/"));
                let human = matches!(self.natures.get(&id), Some(Nature::Human));
                if is_user && human {
                    seen.people = true;
                    let reason = format!("trusts the person {}", last(name));
                    seen.signals.push(signal(Nature::HumanRole, Strength::Medium, reason, at));
                } else if way.mfa {
                    seen.people = true;
                    let reason = "asks whoever assumes it for several factors";
                    seen.signals.push(signal(Nature::HumanRole, Strength::Medium, reason, at));
                } else {
                    seen.perhaps_people = true;
                }
                Truth::No
            }
            Relation::Foreign => {
                seen.foreign = true;
                seen.perhaps_people = true;
                let reason = format!("trusts account {number} outside the organisation");
                seen.signals.push(signal(Nature::ThirdParty, Strength::Strong, reason, at));
                Truth::from(!way.external_id)
            }
            Relation::Unknown => {
                seen.perhaps_foreign = true;
                seen.perhaps_people = true;
                // It may be another account of ours: nothing is claimed about the role's nature.
                if way.external_id { Truth::No } else { Truth::Unknown }
            }
        }
    }

    /// Whether the account is known not to have a provider.
    fn is_gone(&self, provider: &Arc<str>, account: &AccountId) -> bool {
        let gone = self.providers.get(account).is_some_and(|known| !known.contains(provider));
        gone && provider.contains(":oidc-provider/")
    }

    /// A trust in a provider that the account no longer has.
    fn dead_provider(&self, provider: &Arc<str>, account: &AccountId, at: &Evidence, seen: &mut Seen) {
        if self.is_gone(provider, account) {
            let message =
                format!("the trust policy names `{provider}`, which the account no longer has; remove the statement");
            seen.hints.push(Hint { evidence: at.clone(), message: message.into() });
        }
    }
}

/// A bare account number means the account's root.
fn canonical(name: &Arc<str>) -> Arc<str> {
    if is_account(name) { format!("arn:aws:iam::{name}:root").into() } else { Arc::clone(name) }
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Issuers whose tokens are those of an application's users.
fn of_users(issuer: &str) -> bool {
    ["cognito-identity", "accounts.google.com", "www.amazon.com", "graph.facebook.com"]
        .iter()
        .any(|known| issuer.starts_with(known))
}

fn oidc_signal(issuer: &str, at: &Evidence) -> Signal {
    let reason = if issuer.starts_with("oidc.eks.") {
        "pods of a cluster run with it".to_owned()
    } else {
        format!("trusts tokens of {issuer}")
    };
    let strength = if of_users(issuer) { Strength::Medium } else { Strength::Strong };
    signal(Nature::Workload, strength, reason, at)
}

/// The short-lived proof of a role.
fn session(id: &IdentityId, federated: bool, evidence: &Evidence) -> Credential {
    let kind = if federated { "federated" } else { "role_session" };
    let mut credential = Credential::new(
        CredentialId::new([id.as_str(), "#session"].concat()),
        id.clone(),
        NAME,
        kind,
        evidence.clone(),
    );
    credential.is_static = Fact::Known(false);
    credential.federable = Fact::Known(true);
    credential.exposure = Fact::Known(Exposure::None);
    credential.enabled = Fact::Known(true);
    credential
}

/// Marks an identity as a baseline of last resort.
pub(super) fn generic(role: &mut Identity, reason: &str, evidence: &Evidence) {
    role.generic_role = true;
    role.signals.push(signal(Nature::HumanRole, Strength::Certain, reason, evidence));
    role.enabled = ENABLED;
    role.third_party = Fact::Known(false);
}
