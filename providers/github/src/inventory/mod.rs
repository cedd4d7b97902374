//! What the answers say, in evenhand's vocabulary: one organisation at a time.

mod accounts;
mod apps;
mod calls;
mod gaps;
mod hooks;
mod jobs;
mod logins;
mod machines;
mod nature;
mod people;
mod repositories;
mod steps;
mod stored;
mod tokens;

pub(crate) use apps::pointer;
pub(crate) use calls::{CALLED, Calls, Run};
pub(crate) use nature::follows_rules;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::id::{CredentialId, IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::provider::ReadOptions;

use accounts::Accounts;
use calls::Started;

use crate::PROVIDER;
use crate::access::{Compiler, Held, Holding, Reach, Resolver};
use crate::approval;
use crate::documents::GITHUB_COM;
use crate::facts::{Facts, OwnerFacts};

/// The scope that an organisation, or a person who owns repositories, is: `github:acme`, on another host
/// `github:git.acme.example/acme`.
pub(crate) fn scope_of(host: &str, owner: &str) -> ScopeId {
    if host == GITHUB_COM {
        ScopeId::new(format!("github:{owner}"))
    } else {
        ScopeId::new(format!("github:{host}/{owner}"))
    }
}

/// By what a gate may know an identity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Who {
    /// The app's number.
    pub(crate) app: Option<u64>,
    /// The app's name in paths.
    pub(crate) slug: Option<Arc<str>>,
    /// A person's number and name.
    pub(crate) user: Option<(Option<u64>, Arc<str>)>,
    /// Names of teams, those above included.
    pub(crate) teams: BTreeSet<Arc<str>>,
    /// Their numbers, where they were told.
    pub(crate) team_numbers: BTreeSet<u64>,
    /// Whether it may be in teams that were not read.
    pub(crate) teams_unread: bool,
    /// Roles by their names, with the repositories where they are held.
    pub(crate) roles: BTreeMap<Arc<str>, Reach>,
    /// The repositories where a custom role lets it bypass branch protections.
    pub(crate) bypasses: Option<Reach>,
    /// The repositories where it holds a role, or permissions, that were not read: that may let it change anything, and past every gate.
    pub(crate) unread: Option<Reach>,
    /// What it holds in repositories of which nothing tells which they are, as if these were all.
    pub(crate) unlisted: Vec<Holding>,
    /// Whether it owns the organisation.
    pub(crate) owner: bool,
    /// Whether it is a deploy key.
    pub(crate) deploy_key: bool,
    /// The repository whose workflows it is the token of.
    pub(crate) job_of: Option<Arc<str>>,
    /// Other repositories whose workflow files say what it does.
    pub(crate) written_in: BTreeSet<Arc<str>>,
    /// Whether people act by it; that is what others are measured by.
    pub(crate) people: bool,
    /// Whether a program acts by it and no person.
    pub(crate) machine: bool,
    /// Whether its name alone says so.
    pub(crate) by_name: bool,
}

/// An identity with its access, and by what gates know it.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) id: IdentityId,
    pub(crate) who: Who,
    pub(crate) held: Held,
    /// Whether steps lead from it, or to it where it is a job.
    pub(crate) worth: bool,
}

/// One organisation under way.
pub(crate) struct Join<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) owner: &'a OwnerFacts,
    calls: &'a Calls<'a>,
    /// What workflow files run, by repositories in lower case.
    started: BTreeMap<&'a str, Vec<Started<'a>>>,
    accounts: Accounts<'a>,
    /// Teams that were worked out, by name.
    teams: RefCell<BTreeMap<String, (Held, Who)>>,
    options: &'a ReadOptions,
    scope: ScopeId,
    inventory: Inventory,
    pub(crate) actors: Vec<Actor>,
    /// Why identities open nothing that are switched off.
    off: Vec<(IdentityId, &'static str)>,
    hints: Vec<Hint>,
}

/// Joins what was read. No resolver where no organisation was.
pub(crate) fn join(facts: &Facts, options: &ReadOptions) -> (Inventory, Option<Resolver>) {
    let mut inventory = Inventory::default();
    let mut compiler = Compiler::default();
    let (mut edges, mut left_out) = (Vec::new(), Vec::new());
    let calls = Calls::of(facts);
    for owner in facts.owners.values() {
        for repository in owner.repositories.values() {
            compiler.spell(full_name(owner, &repository.name));
        }
        if gaps::lists_all(facts, owner) {
            compiler.names_all_of(&owner.name);
        }
        let mut join = Join {
            facts,
            owner,
            calls: &calls,
            started: owner
                .repositories
                .iter()
                .map(|(lower, repository)| (lower.as_str(), calls.started(owner, repository)))
                .collect(),
            accounts: Accounts::of(owner),
            teams: RefCell::default(),
            options,
            scope: scope_of(&owner.host, &owner.name),
            inventory: Inventory::default(),
            actors: Vec::new(),
            off: Vec::new(),
            hints: Vec::new(),
        };
        join.take_people();
        join.take_apps();
        join.take_tokens();
        join.take_repositories();
        join.take_hooks();
        join.take_runners();
        join.take_jobs();
        join.take_stored();
        join.take_gaps();
        let controls = approval::controls(owner, &join.actors);
        join.inventory.controls.extend(controls);
        let (steps, more) = steps::of(owner, &join.scope, &join.actors);
        edges.extend(steps);
        left_out.extend(more);
        let name: Arc<str> = Arc::from(owner.name.as_str());
        for actor in join.actors {
            compiler.add(actor.id, &name, actor.held);
        }
        for (id, why) in &join.off {
            compiler.switched_off(id, why);
        }
        join.inventory.hints.append(&mut join.hints);
        inventory.merge(join.inventory);
    }
    inventory.hints.extend(logins::unmatched(facts, options));
    if inventory.identities.is_empty() {
        return (inventory, None);
    }
    (inventory, Some(compiler.finish(edges, left_out)))
}

/// Owner and name.
pub(crate) fn full_name(owner: &OwnerFacts, repository: &str) -> Arc<str> {
    format!("{}/{repository}", owner.name).into()
}

impl Join<'_> {
    /// An identity's id.
    fn id(&self, kind: &str, name: &str) -> IdentityId {
        IdentityId::new(format!("{}:{kind}:{name}", self.scope))
    }

    fn identity(&self, id: &IdentityId, kind: &'static str, name: impl Into<Arc<str>>, at: &Evidence) -> Identity {
        let mut identity = Identity::new(id.clone(), PROVIDER, self.scope.clone(), kind, name, at.clone());
        identity.enabled = Fact::Known(true);
        identity
    }

    fn credential(&self, id: String, identity: &IdentityId, kind: impl Into<Arc<str>>, at: &Evidence) -> Credential {
        let mut credential = Credential::new(CredentialId::new(id), identity.clone(), PROVIDER, kind, at.clone());
        credential.in_arguments = Fact::Known(false);
        credential.in_metadata = Fact::Known(false);
        credential.exposure = Fact::Known(Exposure::None);
        credential.enabled = Fact::Known(true);
        credential
    }

    fn hint(&mut self, evidence: Evidence, message: String) {
        self.hints.push(Hint { evidence, message: message.into() });
    }

    /// The page of the organisation, as evidence of what follows from it as a whole.
    fn organisation_evidence(&self) -> Evidence {
        match self.owner.organisation.get() {
            Some(organisation) => organisation.at.clone(),
            None => Evidence::whole(format!("https://{}/{}", self.owner.host, self.owner.name)),
        }
    }
}

/// A signal in one line.
fn signal(nature: Nature, strength: Strength, reason: impl Into<Arc<str>>, at: &Evidence) -> Signal {
    Signal { nature, strength, reason: reason.into(), evidence: at.clone() }
}
