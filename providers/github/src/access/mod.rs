//! What identities may do: permissions on repositories, compiled against the catalogue; single decisions.
//!
//! Nothing in GitHub denies by permission: an access is the union of what is held. Where a token is limited by its owner,
//! the limit is applied when it is held, so that enumeration and decisions see the same.

#[cfg(test)]
mod properties;
mod proposal;
pub(crate) mod roles;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use evenhand_model::access::{
    Access, AccessResolver, DecideError, Decision, Doubt, Edge, Grant, GrantIx, Outcome, Request, Slice,
};
use evenhand_model::catalog::Catalog;
use evenhand_model::condition::Condition;
use evenhand_model::evidence::{Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::inventory::Hint;
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::proposal::Proposes;
use evenhand_model::scope::{Pattern, ResourceScope};
use foldhash::fast::FixedState;

use crate::catalog::{Catalogue, Level, Permissions, Place};

/// Which repositories a permission reaches.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Reach {
    /// All of the organisation, also those to come.
    All,
    /// These, by owner and name.
    Some(BTreeSet<Arc<str>>),
}

impl Reach {
    /// One repository.
    pub(crate) fn one(repository: impl Into<Arc<str>>) -> Self {
        Self::Some(BTreeSet::from([repository.into()]))
    }

    /// Whether a repository is among them.
    pub(crate) fn holds(&self, repository: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(repository),
        }
    }

    /// Those that are named; `None` = all.
    fn names(&self) -> Option<&BTreeSet<Arc<str>>> {
        match self {
            Self::All => None,
            Self::Some(names) => Some(names),
        }
    }

    /// Adds what another reaches.
    pub(crate) fn extend(&mut self, other: Self) {
        match (self, other) {
            (Self::All, _) => {}
            (held, Self::All) => *held = Self::All,
            (Self::Some(held), Self::Some(more)) => held.extend(more),
        }
    }

    /// The repositories that both reach.
    pub(crate) fn both(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, reach) | (reach, Self::All) => reach.clone(),
            (Self::Some(a), Self::Some(b)) => Self::Some(a.intersection(b).cloned().collect()),
        }
    }

    /// The repositories as resources; `owner`: whose all of them are.
    fn scope(&self, owner: &str) -> ResourceScope {
        match self {
            Self::All => whole(owner),
            Self::Some(names) => ResourceScope::any_of(names.iter().map(|name| pattern(name))),
        }
    }
}

/// Everything of an owner, also repositories to come.
fn whole(owner: &str) -> ResourceScope {
    let segments = [Glob::wildcard(&format!("{owner}/*")), Glob::Any];
    ResourceScope::any_of([Pattern::new(segments, '/').of_whole_scope()])
}

/// Everything in a repository.
pub(crate) fn pattern(repository: &str) -> Pattern {
    Pattern::new([Glob::literal(repository), Glob::Any], '/')
}

/// Which operations a holding opens of those that its permissions are enough for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Opens {
    /// All of them.
    #[default]
    All,
    /// These alone.
    Only(&'static [&'static str]),
    /// All but these.
    AllBut(&'static [&'static str]),
    /// What is done with git over SSH, and no call of the API.
    Git,
}

/// The operations that are git's own.
const GIT: &[&str] = &["git/fetch", "git/push", "git/push-workflow-files"];

impl Opens {
    fn of(self, operations: &Arc<OpSet>) -> Arc<OpSet> {
        let named = |names: &[&'static str]| Catalogue::global().all_of(names.iter().copied());
        match self {
            Self::All => Arc::clone(operations),
            Self::Only(names) => Arc::new(operations.intersection(&named(names))),
            Self::AllBut(names) => Arc::new(operations.difference(&named(names))),
            Self::Git => Arc::new(operations.intersection(&named(GIT))),
        }
    }
}

/// Permissions that somebody holds.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Holding {
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) reach: Reach,
    /// What of its permissions it opens.
    pub(crate) opens: Opens,
    /// A limit that no permission expresses.
    pub(crate) condition: Option<Arc<Condition>>,
    /// What grants it, for people.
    pub(crate) by: Arc<str>,
    pub(crate) evidence: Evidence,
}

impl Holding {
    pub(crate) fn new(
        permissions: Arc<Permissions>,
        reach: Reach,
        by: impl Into<Arc<str>>,
        evidence: Evidence,
    ) -> Self {
        Self { permissions, reach, opens: Opens::All, condition: None, by: by.into(), evidence }
    }

    /// Whether a permission is held for all that it is good for.
    fn holds(&self, family: &str, level: Level) -> bool {
        !matches!(self.opens, Opens::Only(_)) && self.permissions.holds(family, level)
    }

    /// What is left of this where something else limits it.
    pub(crate) fn within(&self, limit: &Self) -> Option<Self> {
        let permissions = self.permissions.both(&limit.permissions);
        let reach = self.reach.both(&limit.reach);
        let nothing = permissions.is_empty() || matches!(&reach, Reach::Some(names) if names.is_empty());
        (!nothing).then(|| Self { permissions: Arc::new(permissions), reach, ..self.clone() })
    }
}

/// What one identity holds.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Held {
    pub(crate) holdings: Vec<Holding>,
    pub(crate) doubts: Vec<Doubt>,
}

impl Held {
    /// Whether a repository is reached with a permission.
    pub(crate) fn allows(&self, family: &str, level: Level, repository: &str) -> bool {
        self.holdings.iter().any(|held| held.reach.holds(repository) && held.holds(family, level))
    }

    /// What gives a permission, in a repository where one is named.
    pub(crate) fn by(&self, family: &str, level: Level, repository: Option<&str>) -> Option<&Holding> {
        let reaches = |held: &&Holding| repository.is_none_or(|name| held.reach.holds(name));
        self.holdings.iter().filter(reaches).find(|held| held.holds(family, level))
    }

    /// All repositories that are reached with a permission.
    pub(crate) fn reach(&self, family: &str, level: Level) -> Reach {
        let mut all = Reach::Some(BTreeSet::new());
        self.holdings.iter().filter(|held| held.holds(family, level)).for_each(|held| all.extend(held.reach.clone()));
        all
    }

    /// Whether workflow files of a repository may be written, on branches of one's own choice.
    pub(crate) fn writes_workflows(&self, repository: &str) -> bool {
        self.holdings.iter().any(|held| {
            held.condition.is_none()
                && held.reach.holds(repository)
                && held.permissions.holds("contents", Level::Write)
                && held.permissions.holds("workflows", Level::Write)
        })
    }

    /// Whether an operation of the organisation's is allowed by a permission.
    pub(crate) fn allows_of_organisation(&self, family: &str, level: Level) -> bool {
        self.holdings.iter().any(|held| held.holds(family, level))
    }
}

/// One access, compiled.
#[derive(Debug)]
struct Compiled {
    access: Arc<Access>,
    admin: bool,
    /// Whether all that is held is held for git alone.
    git_alone: bool,
}

/// Who holds an access.
#[derive(Debug)]
struct Holder {
    /// Its place among the sets.
    set: u32,
    /// The owner within whose repositories it holds it.
    owner: Arc<str>,
    /// Why it opens nothing, whatever it was given.
    off: Option<&'static str>,
}

/// Access over everything that was read.
#[derive(Default)]
pub(crate) struct Resolver {
    sets: Vec<Compiled>,
    identities: HashMap<IdentityId, Holder, FixedState>,
    grants: Vec<Grant>,
    edges: Vec<Edge>,
    left_out: Vec<Hint>,
    /// Owner and name as GitHub spells them, by the same in lower case; and owners alone.
    repositories: BTreeMap<String, Arc<str>>,
    owners: BTreeMap<String, Arc<str>>,
    /// Owners, in lower case, all of whose repositories are among these.
    whole: BTreeSet<String>,
}

/// Builds a resolver.
#[derive(Default)]
pub(crate) struct Compiler {
    resolver: Resolver,
    /// By owner: what is held of all is held of his.
    known: HashMap<(Arc<str>, Held), u32, FixedState>,
    operations: HashMap<Arc<Permissions>, (Arc<OpSet>, Arc<OpSet>), FixedState>,
}

impl Compiler {
    /// Adds an identity of an owner.
    pub(crate) fn add(&mut self, identity: IdentityId, owner: &Arc<str>, mut held: Held) {
        held.holdings.sort();
        held.holdings.dedup();
        held.doubts.sort();
        held.doubts.dedup();
        let key = (Arc::clone(owner), held);
        let at = match self.known.get(&key) {
            Some(at) => *at,
            None => {
                // What a list names is there, whatever else was read of it.
                for name in key.1.holdings.iter().filter_map(|held| held.reach.names()).flatten() {
                    self.resolver.repositories.entry(name.to_lowercase()).or_insert_with(|| Arc::clone(name));
                }
                let compiled = self.compile(&key.1, owner);
                let at = u32::try_from(self.resolver.sets.len()).unwrap_or(u32::MAX);
                self.resolver.sets.push(compiled);
                self.known.insert(key, at);
                at
            }
        };
        self.resolver.owners.entry(owner.to_lowercase()).or_insert_with(|| Arc::clone(owner));
        self.resolver.identities.insert(identity, Holder { set: at, owner: Arc::clone(owner), off: None });
    }

    /// Notes why an identity that was added opens nothing.
    pub(crate) fn switched_off(&mut self, identity: &IdentityId, why: &'static str) {
        if let Some(holder) = self.resolver.identities.get_mut(identity) {
            holder.off = Some(why);
        }
    }

    /// Names a repository as GitHub spells it.
    pub(crate) fn spell(&mut self, repository: Arc<str>) {
        self.resolver.repositories.insert(repository.to_lowercase(), repository);
    }

    /// Notes that all repositories of an owner are named.
    pub(crate) fn names_all_of(&mut self, owner: &str) {
        self.resolver.whole.insert(owner.to_lowercase());
    }

    pub(crate) fn finish(self, mut edges: Vec<Edge>, left_out: Vec<Hint>) -> Resolver {
        edges.sort_by(|a, b| (&a.source, &a.target, &a.technique).cmp(&(&b.source, &b.target, &b.technique)));
        Resolver { edges, left_out, ..self.resolver }
    }

    fn compile(&mut self, held: &Held, owner: &str) -> Compiled {
        let catalogue = Catalogue::global();
        let all = Arc::new(whole(owner));
        let mut slices = Vec::new();
        for holding in &held.holdings {
            let (repository, organisation) =
                self.operations.entry(Arc::clone(&holding.permissions)).or_insert_with(|| {
                    let granted = |place| Arc::new(catalogue.granted(&holding.permissions, place));
                    (granted(Place::Repository), granted(Place::Organisation))
                });
            let grant = GrantIx(u32::try_from(self.resolver.grants.len()).unwrap_or(u32::MAX));
            self.resolver.grants.push(Grant {
                policy: Arc::clone(&holding.by),
                statement: None,
                name: Arc::from(""),
                evidence: holding.evidence.clone(),
            });
            let condition = holding.condition.clone().unwrap_or_default();
            let mut slice = |operations: &Arc<OpSet>, scope: Arc<ResourceScope>| {
                let operations = holding.opens.of(operations);
                if !operations.is_empty() {
                    slices.push(Slice { operations, scope, condition: Arc::clone(&condition), grant });
                }
            };
            match &holding.reach {
                Reach::All => slice(repository, Arc::clone(&all)),
                Reach::Some(names) if names.is_empty() => {}
                Reach::Some(_) => slice(repository, Arc::new(holding.reach.scope(owner))),
            }
            slice(organisation, Arc::clone(&all));
        }
        let admin = held.holdings.iter().any(|held| {
            held.reach == Reach::All
                && held.condition.is_none()
                && held.permissions.holds("administration", Level::Write)
                && held.permissions.holds("organization_administration", Level::Write)
        });
        let git_alone = !held.holdings.is_empty() && held.holdings.iter().all(|held| held.opens == Opens::Git);
        Compiled { access: Arc::new(Access::new(slices, held.doubts.clone(), false)), admin, git_alone }
    }
}

impl Resolver {
    fn compiled(&self, identity: &IdentityId) -> Option<&Compiled> {
        self.sets.get(self.identities.get(identity)?.set as usize)
    }

    /// Whether an identity holds its access where a repository is: all repositories of its owner are none of another's.
    fn is_at_home(&self, identity: &IdentityId, repository: &str) -> bool {
        let owner = repository.split('/').next().unwrap_or_default();
        self.identities.get(identity).is_some_and(|holder| holder.owner.eq_ignore_ascii_case(owner))
    }

    /// Why a repository that was asked for is none that was read, and whether there is certainly none of its name; `None` = it
    /// was read.
    fn missing(&self, repository: &str) -> Option<(bool, Arc<str>)> {
        let lower = repository.to_lowercase();
        if self.repositories.contains_key(&lower) {
            return None;
        }
        let owner = repository.split('/').next().unwrap_or_default();
        let is_whole = self.whole.contains(&owner.to_lowercase());
        let why = match is_whole {
            true => format!("the list of repositories: all of {owner} were read, and `{repository}` is none of them"),
            false => format!(
                "the list of repositories: `{repository}` is none of those that were read, and nothing tells whether {owner} has \
                 more"
            ),
        };
        Some((is_whole, why.into()))
    }

    /// A resource as a question names it: `acme/shop`; none for the organisation as a whole and for any.
    fn resource(&self, asked: Option<&str>) -> Result<Option<Arc<str>>, DecideError> {
        let Some(asked) = asked.map(|asked| asked.trim().trim_end_matches("/*")).filter(|asked| *asked != "*") else {
            return Ok(None);
        };
        match asked.split('/').collect::<Vec<_>>().as_slice() {
            [owner, name] if !owner.is_empty() && !name.is_empty() => {
                let known = self.repositories.get(&asked.to_lowercase()).cloned();
                // One that was not read, or is still to come, has an owner all the same.
                let spelled = || match self.owners.get(&owner.to_lowercase()) {
                    Some(owner) => Arc::from(format!("{owner}/{name}")),
                    None => Arc::from(asked),
                };
                Ok(Some(known.unwrap_or_else(spelled)))
            }
            _ => Err(DecideError::BadResource {
                resource: asked.to_owned(),
                remedy:
                    "write OWNER/REPOSITORY, such as `acme/shop`; leave it out for what is done to the organisation"
                        .to_owned(),
            }),
        }
    }
}

/// The operation that a question names.
fn operation(asked: &str) -> Result<OperationIx, DecideError> {
    let name = asked.trim().replacen(' ', "/", 1);
    Catalogue::global().operation(&name).ok_or_else(|| DecideError::UnknownOperation {
        operation: asked.to_owned(),
        remedy: match name.contains(':') {
            true => {
                "a permission is many operations, which `evenhand explain` lists; ask about one, such as `git/push`"
            }
            false => "write it as GitHub's description of its API does, such as `pulls/merge`, or `git/push`",
        }
        .to_owned(),
    })
}

impl AccessResolver for Resolver {
    fn catalog(&self) -> &dyn Catalog {
        Catalogue::global()
    }

    fn access_key(&self, identity: &IdentityId) -> Option<u64> {
        self.identities.get(identity).map(|holder| u64::from(holder.set))
    }

    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>> {
        self.compiled(identity).map(|compiled| Arc::clone(&compiled.access))
    }

    fn is_admin(&self, identity: &IdentityId) -> Option<bool> {
        let compiled = self.compiled(identity)?;
        let may_gain = compiled.access.doubts.iter().any(Doubt::may_add);
        if !compiled.admin && may_gain { None } else { Some(compiled.admin) }
    }

    fn grant(&self, grant: GrantIx) -> Grant {
        self.grants.get(grant.0 as usize).cloned().unwrap_or_else(|| Grant {
            policy: Arc::from(""),
            statement: None,
            name: Arc::from(""),
            evidence: Evidence::whole(""),
        })
    }

    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError> {
        let asked = operation(&request.operation)?;
        let resource = self.resource(request.resource.as_deref())?;
        let mut decision =
            Decision { outcome: Outcome::Unknown, blocked_by: Vec::new(), because: Vec::new(), conditions: Vec::new() };
        let Some(compiled) = self.compiled(identity) else { return Ok(decision) };
        let at_home = resource.as_deref().is_none_or(|name| self.is_at_home(identity, name));
        let reaches = |slice: &&Slice| {
            slice.operations.contains(asked)
                && resource.as_ref().is_none_or(|name| slice.scope.matches(&[name, ""]) == Truth::Yes)
        };
        let granting: Vec<&Slice> = compiled.access.slices().iter().filter(reaches).collect();
        let free = granting.iter().any(|slice| slice.condition.is_unconditional());
        let (may_add, may_limit) = compiled
            .access
            .doubts
            .iter()
            .fold((false, false), |(add, limit), doubt| (add || doubt.may_add(), limit || doubt.may_limit()));
        decision.outcome = match (granting.is_empty(), free) {
            (true, _) if may_add && at_home => Outcome::Unknown,
            (true, _) => Outcome::ImplicitlyDenied,
            (false, _) if may_limit => Outcome::Unknown,
            (false, true) => Outcome::Allowed,
            (false, false) => Outcome::Conditional,
        };
        // What it holds it may hold elsewhere alone.
        let elsewhere =
            granting.is_empty() && compiled.access.slices().iter().any(|slice| slice.operations.contains(asked));
        if granting.is_empty() {
            let holder = self.identities.get(identity);
            let off = holder.and_then(|holder| holder.off);
            let is_git = Catalogue::global().all_of(GIT.iter().copied()).contains(asked);
            let elsewhere = resource.as_deref().filter(|_| elsewhere);
            let blocked = match (off, holder.filter(|_| !at_home), elsewhere) {
                (Some(why), ..) => format!("its state: {why}"),
                (None, Some(holder), _) => format!("its owner: it acts in repositories of {}", holder.owner),
                (None, None, Some(name)) => format!("the repositories it reaches: `{name}` is none of them"),
                // "Managing deploy keys".
                (None, None, None) if compiled.git_alone && !is_git => {
                    "its kind: a deploy key is no token of the API".to_owned()
                }
                (None, None, None) => format!("its permissions ({})", Catalogue::global().takes(asked)),
            };
            decision.blocked_by = vec![blocked.into()];
        }
        // What is done to an organisation, such as to make a repository, is done to what need not be there.
        let in_repository = Catalogue::global().place(asked) == Place::Repository;
        let missing = resource.as_deref().filter(|_| in_repository && at_home).and_then(|name| self.missing(name));
        if let Some((is_gone, why)) = missing
            && (decision.outcome != Outcome::ImplicitlyDenied || (elsewhere && is_gone))
        {
            decision.outcome = if is_gone { Outcome::ImplicitlyDenied } else { Outcome::Unknown };
            decision.blocked_by = vec![why];
            if is_gone {
                return Ok(decision);
            }
        }
        if decision.outcome == Outcome::Conditional {
            decision.conditions = granting.iter().map(|slice| slice.condition.to_string()).collect();
        }
        decision.because = granting.iter().map(|slice| self.grant(slice.grant)).collect();
        decision.because.sort();
        decision.because.dedup();
        Ok(decision)
    }

    fn edges(&self) -> Vec<Edge> {
        self.edges.clone()
    }

    fn edges_left_out(&self) -> Vec<Hint> {
        self.left_out.clone()
    }

    fn proposer(&self) -> Option<&dyn Proposes> {
        Some(self)
    }

    fn used(&self, _identity: &IdentityId) -> Option<OpSet> {
        None
    }
}
