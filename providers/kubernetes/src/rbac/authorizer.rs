//! The authorizer over a set of roles and bindings, indexed so that a request touches only what can matter.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use serde::Deserialize;

use super::{
    ACCOUNTS, Binding, MASTERS, Request, Role, Rule, Rules, Subject, account_of_user, account_user, list, rule_allows,
};

/// Roles and bindings as they stand in files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct World {
    /// Roles.
    #[serde(deserialize_with = "list")]
    pub roles: Vec<Role>,
    /// ClusterRoles.
    #[serde(deserialize_with = "list")]
    pub cluster_roles: Vec<Role>,
    /// RoleBindings.
    #[serde(deserialize_with = "list")]
    pub role_bindings: Vec<Binding>,
    /// ClusterRoleBindings.
    #[serde(deserialize_with = "list")]
    pub cluster_role_bindings: Vec<Binding>,
}

/// A binding's number: ClusterRoleBindings first, then RoleBindings, each in the order given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BindingIx(pub u32);

/// What allows a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Granted {
    /// The binding.
    pub binding: BindingIx,
    /// The rule of its role, counted from 0.
    pub rule: u32,
}

type Map<K, V> = HashMap<K, V, FixedState>;

/// Where a rule is written: a role, by its index, and the rule there.
type Written = (u32, u32);

/// From so many bindings on, what can be done side by side is.
const LARGE: usize = 1 << 12;

/// Answers requests.
#[derive(Clone, Debug, Default)]
pub struct Authorizer {
    /// ClusterRoles first, then Roles.
    roles: Vec<Role>,
    /// For each rule of an aggregated ClusterRole, the rule that it was collected from.
    collected: Map<u32, Vec<Written>>,
    bindings: Vec<Binding>,
    /// For each binding the index of its role, where there is one.
    bound: Vec<Option<u32>>,
    subjects: Subjects,
}

/// The bindings by whom they name.
#[derive(Clone, Debug, Default)]
struct Subjects {
    by_user: Map<Arc<str>, Vec<BindingIx>>,
    by_group: Map<Arc<str>, Vec<BindingIx>>,
    /// Service accounts, by namespace and name.
    by_account: Map<Arc<str>, Map<Arc<str>, Vec<BindingIx>>>,
    /// Whether some user is a service account, and some group that of the service accounts of a namespace.
    accounts_as_users: bool,
    accounts_of_namespaces: bool,
}

impl Subjects {
    fn of(bindings: &[Binding]) -> Self {
        let mut subjects = Self::default();
        for (at, binding) in bindings.iter().enumerate() {
            let ix = BindingIx(index(at));
            for subject in &binding.subjects {
                let list = match &*subject.kind {
                    "User" => {
                        subjects.accounts_as_users |= account_of_user(&subject.name).is_some();
                        subjects.by_user.entry(Arc::clone(&subject.name)).or_default()
                    }
                    "Group" => {
                        let in_namespace = subject.name.strip_prefix(ACCOUNTS).is_some_and(|rest| !rest.is_empty());
                        subjects.accounts_of_namespaces |= in_namespace;
                        subjects.by_group.entry(Arc::clone(&subject.name)).or_default()
                    }
                    "ServiceAccount" => {
                        let home = account_home(binding, subject);
                        if home.is_empty() {
                            continue;
                        }
                        subjects.by_account.entry(home).or_default().entry(Arc::clone(&subject.name)).or_default()
                    }
                    _ => continue,
                };
                if list.last() != Some(&ix) {
                    list.push(ix);
                }
            }
        }
        subjects
    }
}

/// For each binding the index of its role, where there is one. The first roles are ClusterRoles, `clusterwide` of them.
fn bound(bindings: &[Binding], roles: &[Role], clusterwide: usize) -> Vec<Option<u32>> {
    let mut names: Map<(&str, &str), u32> = Map::with_capacity_and_hasher(roles.len(), FixedState::default());
    for (at, role) in roles.iter().enumerate() {
        // A Role that lacks its namespace is in none; it must not pass for a ClusterRole.
        if at >= clusterwide && role.metadata.namespace.is_empty() {
            continue;
        }
        names.entry((&*role.metadata.namespace, &*role.metadata.name)).or_insert(index(at));
    }
    let role = |binding: &Binding| {
        let home = match &*binding.role_ref.kind {
            "ClusterRole" => "",
            "Role" if !binding.metadata.namespace.is_empty() => &*binding.metadata.namespace,
            _ => return None,
        };
        names.get(&(home, &*binding.role_ref.name)).copied()
    };
    bindings.iter().map(role).collect()
}

impl Authorizer {
    /// Fills in aggregated ClusterRoles and indexes everything. Objects are taken as they are: a subject that a server
    /// would refuse matches nobody, a missing role grants nothing.
    pub fn new(world: World) -> Self {
        let World { mut roles, mut cluster_roles, mut role_bindings, mut cluster_role_bindings } = world;
        for object in &mut cluster_roles {
            object.metadata.namespace = Arc::from("");
        }
        for binding in &mut cluster_role_bindings {
            binding.metadata.namespace = Arc::from("");
        }
        let collected = aggregate(&mut cluster_roles);
        let clusterwide = cluster_roles.len();
        roles.splice(0..0, cluster_roles);
        role_bindings.splice(0..0, cluster_role_bindings);
        let bindings = role_bindings;
        let bound = || bound(&bindings, &roles, clusterwide);
        let subjects = || Subjects::of(&bindings);
        let (bound, subjects) =
            if bindings.len() < LARGE { (bound(), subjects()) } else { rayon::join(bound, subjects) };
        Self { roles, collected, bindings, bound, subjects }
    }

    /// The roles: ClusterRoles, aggregated, then Roles.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// The bindings, by their numbers.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// A binding.
    pub fn binding(&self, ix: BindingIx) -> Option<&Binding> {
        self.bindings.get(ix.0 as usize)
    }

    /// The index in [`Self::roles`] of the role that a binding names, where it exists.
    pub fn role_index(&self, ix: BindingIx) -> Option<usize> {
        self.bound.get(ix.0 as usize).copied().flatten().map(|role| role as usize)
    }

    /// The role that a binding names, where it exists.
    pub fn role_of(&self, ix: BindingIx) -> Option<&Role> {
        self.roles.get(self.role_index(ix)?)
    }

    /// Where a rule of a role is written: the role, by its index in [`Self::roles`], and the rule there. They differ from
    /// what is asked for aggregated ClusterRoles only.
    pub fn written(&self, role: usize, rule: u32) -> (usize, u32) {
        self.collected
            .get(&index(role))
            .and_then(|rules| rules.get(rule as usize))
            .map_or((role, rule), |(role, rule)| (*role as usize, *rule))
    }

    /// The bindings that name a user, a group, or a service account.
    pub fn bindings_of_user(&self, user: &str) -> Vec<BindingIx> {
        let mut held: Vec<BindingIx> = self.subjects.by_user.get(user).cloned().unwrap_or_default();
        if let Some((namespace, name)) = account_of_user(user)
            && let Some(more) = self.subjects.by_account.get(namespace).and_then(|held| held.get(name))
        {
            held.extend(more);
            held.sort_unstable();
            held.dedup();
        }
        held
    }

    /// The bindings that name a service account, as such or as the user that it is.
    pub fn bindings_of_account(&self, namespace: &str, name: &str) -> Cow<'_, [BindingIx]> {
        // Not every text is the name of an account.
        let odd = |text: &str| text.is_empty() || text.contains(':');
        if self.subjects.accounts_as_users || odd(namespace) || odd(name) {
            return self.bindings_of_user(&account_user(namespace, name)).into();
        }
        let held = self.subjects.by_account.get(namespace).and_then(|held| held.get(name));
        held.map_or(&[][..], Vec::as_slice).into()
    }

    /// The bindings that name a group.
    pub fn bindings_of_group(&self, group: &str) -> &[BindingIx] {
        self.subjects.by_group.get(group).map_or(&[], Vec::as_slice)
    }

    /// The bindings that name the group of all service accounts of a namespace.
    pub fn bindings_of_namespace(&self, namespace: &str) -> &[BindingIx] {
        if !self.subjects.accounts_of_namespaces {
            return &[];
        }
        self.bindings_of_group(&format!("{ACCOUNTS}:{namespace}"))
    }

    /// All bindings that apply to a user with groups, in whatever namespace they hold, in order.
    pub fn bindings_of(&self, user: &str, groups: &[Arc<str>]) -> Vec<BindingIx> {
        let mut held = self.bindings_of_user(user);
        for group in groups {
            held.extend(self.bindings_of_group(group));
        }
        held.sort_unstable();
        held.dedup();
        held
    }

    /// The first binding and rule that allow a request; `None` = the authorizer has no opinion, which denies.
    ///
    /// Members of [`MASTERS`] never reach the authorizer; ask that first.
    pub fn authorize(&self, request: &Request) -> Option<Granted> {
        self.authorize_within(&self.bindings_of(&request.user, &request.groups), request)
    }

    /// As [`Self::authorize`], for someone whose bindings are known.
    pub fn authorize_within(&self, held: &[BindingIx], request: &Request) -> Option<Granted> {
        self.granted_within(held, request).next()
    }

    /// Every binding and rule that allow a request of someone whose bindings are known, in their order.
    pub fn granted_within(&self, held: &[BindingIx], request: &Request) -> impl Iterator<Item = Granted> {
        held.iter()
            .filter(|ix| self.binding(**ix).is_some_and(|binding| binding.holds_in(&request.namespace)))
            .flat_map(|ix| {
                let rules = self.role_of(*ix).map_or(&[][..], |role| role.rules.shared());
                (0u32..)
                    .zip(rules)
                    .filter(|(_, rule)| rule_allows(rule, request))
                    .map(|(rule, _)| Granted { binding: *ix, rule })
            })
    }

    /// The rules that hold for a user in a namespace; with an empty one, cluster-wide.
    pub fn rules_for(&self, user: &str, groups: &[Arc<str>], namespace: &str) -> Vec<&Rule> {
        self.bindings_of(user, groups)
            .into_iter()
            .filter(|ix| self.binding(*ix).is_some_and(|binding| binding.holds_in(namespace)))
            .filter_map(|ix| self.role_of(ix))
            .flat_map(|role| role.rules.iter())
            .collect()
    }

    /// Who may do what a request asks, its user and groups apart: the masters, the given superuser, then the subjects of
    /// each binding that allows it. Groups are not expanded, duplicates are kept.
    pub fn allowed_subjects(&self, request: &Request, superuser: Option<&str>) -> Vec<Subject> {
        let subject = |kind: &str, name: &str| Subject {
            kind: kind.into(),
            api_group: "rbac.authorization.k8s.io".into(),
            name: name.into(),
            ..Subject::default()
        };
        let mut allowed = vec![subject("Group", MASTERS)];
        allowed.extend(superuser.filter(|name| !name.is_empty()).map(|name| subject("User", name)));
        for at in 0..self.bindings.len() {
            let ix = BindingIx(index(at));
            if self.authorize_within(&[ix], request).is_some()
                && let Some(binding) = self.binding(ix)
            {
                allowed.extend(binding.subjects.iter().cloned());
            }
        }
        allowed
    }
}

/// The namespace of a ServiceAccount subject; empty where it has none.
pub(crate) fn account_home(binding: &Binding, subject: &Subject) -> Arc<str> {
    Arc::clone(if subject.namespace.is_empty() { &binding.metadata.namespace } else { &subject.namespace })
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Fills in the rules of aggregated ClusterRoles: those of all others that a selector matches, in order of names, equal
/// rules once, until nothing changes. What stood there is overwritten. Returns where each collected rule is written.
fn aggregate(roles: &mut [Role]) -> Map<u32, Vec<Written>> {
    let mut order: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for (at, role) in roles.iter().enumerate() {
        order.entry(Arc::clone(&role.metadata.name)).or_insert(at);
    }
    let aggregated: Vec<(usize, Vec<usize>)> = roles
        .iter()
        .enumerate()
        .filter_map(|(at, role)| {
            let selectors = &role.aggregation_rule.as_ref()?.cluster_role_selectors;
            let sources = order.values().copied().filter(|other| {
                *other != at
                    && roles
                        .get(*other)
                        .is_some_and(|other| selectors.iter().any(|selector| selector.matches(&other.metadata.labels)))
            });
            Some((at, sources.collect()))
        })
        .collect();
    let mut written: Map<u32, Vec<Written>> = Map::default();
    for (at, _) in &aggregated {
        if let Some(role) = roles.get_mut(*at) {
            role.rules = Rules::default();
        }
        written.insert(index(*at), Vec::new());
    }
    // Each round carries rules one role further, so there are at most as many rounds as aggregated roles.
    for _ in 0..=aggregated.len() {
        let mut changed = false;
        for (at, sources) in &aggregated {
            let (collected, places) = collect(roles, sources, &written);
            if let Some(role) = roles.get_mut(*at)
                && *role.rules.shared() != *collected
            {
                role.rules = collected.into();
                written.insert(index(*at), places);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    written
}

/// The rules of some roles, equal ones once, and where each is written.
fn collect(roles: &[Role], sources: &[usize], written: &Map<u32, Vec<Written>>) -> (Vec<Arc<Rule>>, Vec<Written>) {
    let mut seen: HashSet<&Rule, FixedState> = HashSet::default();
    let (mut rules, mut places) = (Vec::new(), Vec::new());
    for (at, role) in sources.iter().filter_map(|at| Some((index(*at), roles.get(*at)?))) {
        let earlier = written.get(&at);
        for (number, rule) in (0u32..).zip(role.rules.shared()) {
            if seen.insert(&**rule) {
                rules.push(Arc::clone(rule));
                places.push(earlier.and_then(|held| held.get(number as usize)).copied().unwrap_or((at, number)));
            }
        }
    }
    (rules, places)
}
