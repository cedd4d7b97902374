//! Roles: who may become them, what that says about their nature, and which controls stand before them.

use std::sync::Arc;

use evenhand_model::control::{Control, ControlKind};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::id::{CredentialId, IdentityId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::trust::{Mechanism, Trust};

use super::accounts::Relation;
use super::arn::{Arn, is_account};
use super::facts::Described;
use super::nature::{is_agent_service, of_name, of_tags, signal};
use super::trust::{Way, Who, ways};
use super::{ENABLED, Join, below, declared_first, identity};
use crate::inventory::tags;
use crate::provider::NAME;
use crate::world::AccountId;

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

impl Join {
    pub(super) fn role(&mut self, id: IdentityId, held: Described) {
        let evidence = held.evidence.clone();
        let trust_evidence = below(&evidence, "/AssumeRolePolicyDocument");
        let mut role = identity(&id, &held.account.0, "role", &held.name, &evidence);
        role.created_at = held.created_at;
        role.last_used_at = held.last_used_at;
        role.enabled = ENABLED;
        tags::declare(&mut role, held.tags.as_ref());
        role.vendor_managed = held.path.starts_with("/aws-service-role/");
        let center = held.name.starts_with(CENTER_PREFIX) || held.path.starts_with(CENTER_PATH);

        let ways = self.ways_of(&held);
        let seen = self.look(&id, &held.account, &ways, &trust_evidence);

        let declared = held.tags.as_ref().map(|tags| of_tags(tags, &evidence)).unwrap_or_default();
        let mut others = Vec::new();
        if role.vendor_managed {
            let reason = "made and used by a service of the vendor";
            others.push(signal(Nature::Workload, Strength::Certain, reason, &evidence));
        }
        if center {
            let reason = "people sign in to it through Identity Center";
            others.push(signal(Nature::HumanRole, Strength::Certain, reason, &evidence));
        }
        others.extend(self.carried.signals.remove(&id).unwrap_or_default());
        others.extend(seen.signals);
        others.extend(of_name(&held.name, &evidence));
        role.signals = declared_first(declared, others);
        if let (Fact::Absent | Fact::Unknown, Some(purpose)) = (&role.purpose, self.carried.purposes.get(&id)) {
            role.purpose = Fact::Known(Arc::clone(purpose));
        }
        role.third_party = match (seen.foreign, seen.perhaps_foreign) {
            (true, _) => Fact::Known(true),
            (false, true) => Fact::Unknown,
            (false, false) => Fact::Known(false),
        };
        role.human_sign_in = if center || seen.people {
            Fact::Known(true)
        } else if seen.perhaps_people || held.trust.is_none() {
            Fact::Unknown
        } else {
            Fact::Known(false)
        };
        if center && let Some(set) = permission_set_of(&held.name) {
            role.title = Some(Arc::from(set));
            self.reserved.insert((Arc::clone(&held.account.0), set.to_owned()), id.clone());
        }
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
            if let Some(in_place) = factors {
                let control = Control::new(id.clone(), ControlKind::Mfa, in_place, trust_evidence.clone());
                self.inventory.controls.push(control);
            }
            self.inventory.credentials.push(session(&id, seen.federated && !center, &trust_evidence));
        }
        let principal = self.principal(&id, held);
        self.principals.push(principal);
        self.add(role);
    }

    fn ways_of(&mut self, held: &Described) -> Arc<Vec<Way>> {
        let Some(trust) = held.trust else { return Arc::new(Vec::new()) };
        let content = self.facts.policies.content(trust);
        if let Some(ways) = self.ways.get(&content) {
            return Arc::clone(ways);
        }
        let read = Arc::new(ways(self.facts.policies.document(trust)));
        self.ways.insert(content, Arc::clone(&read));
        read
    }

    /// Looks at each way into a role: writes the trust down, and adds up what the ways say.
    fn look(&mut self, id: &IdentityId, account: &AccountId, ways: &[Way], evidence: &Evidence) -> Seen {
        let mut seen = Seen::default();
        for way in ways {
            let at = below(evidence, &format!("/Statement/{}", way.statement));
            let mut weaknesses: Vec<&str> = way.weaknesses.clone();
            let mut weak = Truth::from(!weaknesses.is_empty());
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
                    self.dead_provider(provider, account, &at);
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
            self.inventory.trusts.push(Trust {
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

    fn service(&mut self, service: &Arc<str>, way: &Way, at: &Evidence, seen: &mut Seen) {
        seen.unasked = true;
        let (nature, strength) = if is_agent_service(service) && !way.for_no_agent {
            (Nature::AiAgent, Strength::Certain)
        } else {
            (Nature::Workload, Strength::Strong)
        };
        seen.signals.push(signal(nature, strength, format!("trusts {service}"), at));
    }

    /// Returns whether the way should ask for an external id and does not.
    fn aws(&mut self, name: &Arc<str>, account: &AccountId, way: &Way, at: &Evidence, seen: &mut Seen) -> Truth {
        let parsed = Arn::parse(name);
        let number = if is_account(name) { Some(&**name) } else { parsed.and_then(|arn| arn.account_number()) };
        if way.mfa {
            seen.asked = true
        } else {
            seen.unasked = true
        }
        let Some(number) = number else {
            // The number of a deleted principal, which nobody can be any more.
            self.hint(
                at,
                format!("the trust policy names `{name}`, a principal that no longer exists; remove the statement"),
            );
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

    /// A trust in a provider that the account no longer has.
    fn dead_provider(&mut self, provider: &Arc<str>, account: &AccountId, at: &Evidence) {
        let gone = self.providers.get(account).is_some_and(|known| !known.contains(provider));
        if gone && provider.contains(":oidc-provider/") {
            self.hint(
                at,
                format!("the trust policy names `{provider}`, which the account no longer has; remove the statement"),
            );
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
    let mut credential =
        Credential::new(CredentialId::new(format!("{id}#session")), id.clone(), NAME, kind, evidence.clone());
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
