//! What the documents said, cluster by cluster, in a compact form that holds no secret.
//!
//! Every object is reduced when it is met: the text of a document is gone when its reading ends. Nothing here judges.

mod agents;
mod arguments;
mod declared;
mod guards;
mod literals;
mod mapped;
mod network;
mod pod;
mod secret;
mod signals;
mod status;
mod take;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::Arc;

use evenhand_agents::issued::Issued;
use evenhand_model::Timestamp;
use evenhand_model::document::{Document, FileFacts};
use evenhand_model::evidence::Evidence;
use evenhand_model::secret::{Fingerprint, Fingerprinter};
use foldhash::fast::FixedState;
use rayon::prelude::*;

pub(crate) use agents::{AgentResource, Approval, ModelSettings, ToolRef};
#[cfg(feature = "live")]
pub(crate) use arguments::secrets as secrets_of_words;
#[cfg(feature = "live")]
pub(crate) use arguments::{is_separator, words_of};
pub(crate) use declared::Declared;
pub(crate) use guards::{Guard, GuardBinding, Matched, Whom};
pub(crate) use mapped::Mapped;
pub(crate) use network::{NetworkRules, Reach};
#[cfg(all(test, feature = "live"))]
pub(crate) use secret::issued;
#[cfg(feature = "live")]
pub(crate) use secret::{found, header, is_name, kind_of};
pub(crate) use signals::{Sign, Speaks, name_hint};
pub(crate) use status::Refused;

use take::Taking;

use crate::documents::{Found, Problem, Spot};
use crate::rbac::{Binding, LabelSelector, Labels, Role, Rule, Rules};

/// Where something was read.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) document: Arc<str>,
    pub(crate) spot: Spot,
}

impl Origin {
    /// Evidence for something inside the object, by a JSON pointer below it; empty = the object.
    pub(crate) fn evidence(&self, below: &str) -> Evidence {
        Evidence { document: Arc::clone(&self.document), place: self.spot.place(below) }
    }
}

/// A ServiceAccount.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) created: Option<Timestamp>,
    pub(crate) automount: Option<bool>,
    pub(crate) declared: Declared,
    /// Roles of clouds that its pods may take: the annotation's provider and value.
    pub(crate) clouds: Vec<(Cloud, Arc<str>)>,
    pub(crate) signals: Vec<Sign>,
    pub(crate) pull_secrets: Vec<Arc<str>>,
    /// Whether a server returned it.
    pub(crate) from_server: bool,
}

/// Whose workload identity an annotation speaks of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cloud {
    Aws,
    Azure,
    Google,
}

/// A token Secret: what its metadata tells.
#[derive(Clone, Debug)]
pub(crate) struct TokenSecret {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) account: Arc<str>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) last_used: Option<Timestamp>,
    pub(crate) invalid: bool,
    /// Whether its annotations repeat the object, token included.
    pub(crate) in_metadata: bool,
    pub(crate) origin: Origin,
}

/// A literal secret: what is left of it.
#[derive(Clone, Debug)]
pub(crate) struct LiteralSecret {
    /// Whose environment or object it stands in.
    pub(crate) holder: Arc<str>,
    /// The name beside it: an environment variable, a key of a Secret.
    pub(crate) key: Arc<str>,
    pub(crate) kind: &'static str,
    /// Whose it is, where its form or the name beside it tells.
    pub(crate) issued: Option<Issued>,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) in_arguments: bool,
    /// Whether the object's annotations repeat it.
    pub(crate) in_metadata: bool,
    pub(crate) origin: Origin,
    pub(crate) file: FileFacts,
}

impl LiteralSecret {
    /// Whether it is the key of a model.
    pub(crate) fn calls_models(&self) -> bool {
        self.issued.is_some_and(|issued| issued.calls_models)
    }
}

/// A variable that takes a key of a Secret, and whose name tells the issuer of what that holds.
#[derive(Clone, Debug)]
pub(crate) struct KeyRef {
    pub(crate) secret: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) issued: Issued,
}

/// A projected ServiceAccount token that a pod asks for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ProjectedToken {
    pub(crate) audience: Arc<str>,
    pub(crate) seconds: Option<i64>,
}

/// Something with a pod template, or a pod.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    /// The API kind.
    pub(crate) kind: &'static str,
    /// The word of the fact tables.
    pub(crate) word: &'static str,
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) account: Arc<str>,
    pub(crate) images: Vec<Arc<str>>,
    pub(crate) automount: Option<bool>,
    pub(crate) privileged: bool,
    pub(crate) host_port: bool,
    /// Whether it uses its node's network, to which no network policy applies.
    pub(crate) host_network: bool,
    pub(crate) labels: Vec<(Arc<str>, Arc<str>)>,
    /// The controller that owns it: kind and name.
    pub(crate) owner: Option<(Arc<str>, Arc<str>)>,
    pub(crate) projected: Vec<ProjectedToken>,
    pub(crate) secrets: Vec<LiteralSecret>,
    /// Names of Secrets that its environment or volumes take.
    pub(crate) secret_refs: Vec<Arc<str>>,
    pub(crate) key_refs: Vec<KeyRef>,
    /// Names of Secrets with which its images are fetched.
    pub(crate) pull_secrets: Vec<Arc<str>>,
    pub(crate) signals: Vec<Sign>,
    pub(crate) declared: Declared,
    /// Whether the manifest leaves its namespace open.
    pub(crate) unplaced: bool,
    /// The audit settings of an API server that runs as a pod.
    pub(crate) audit: Option<Audit>,
}

/// What the arguments of an API server say of its audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Audit {
    pub(crate) policy: bool,
    pub(crate) max_age_days: Option<i64>,
}

/// A Namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Namespace {
    pub(crate) declared: Declared,
    pub(crate) labels: Labels,
}

/// A Secret whose annotations repeat it, values in clear.
#[derive(Clone, Debug)]
pub(crate) struct Repeated {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) origin: Origin,
}

/// A Service.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) selector: Vec<(Arc<str>, Arc<str>)>,
    /// Whether its own type opens it to the outside.
    pub(crate) outside: bool,
}

/// A custom resource definition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CustomKind {
    pub(crate) group: Arc<str>,
    pub(crate) plural: Arc<str>,
    pub(crate) namespaced: bool,
    pub(crate) status: bool,
    pub(crate) scale: bool,
}

/// Objects in a list, each by itself on the heap: lists of them grow, are joined and are sorted without a copy of what is
/// large.
pub(crate) type Objects<T> = Vec<Box<T>>;

/// A role with its place.
#[derive(Clone, Debug)]
pub(crate) struct RoleObject {
    pub(crate) role: Role,
    /// `None` = it is one that every server creates.
    pub(crate) origin: Option<Origin>,
    /// The lines of its rules, where the document has lines.
    pub(crate) lines: Option<Box<[u32]>>,
    /// Whether a server returned it, so that aggregated rules are complete.
    pub(crate) from_server: bool,
}

/// A binding with its place.
#[derive(Clone, Debug)]
pub(crate) struct BindingObject {
    pub(crate) binding: Binding,
    pub(crate) origin: Origin,
}

/// What the metadata of a binding tell; nothing for most of them.
#[derive(Clone, Debug)]
pub(crate) struct BindingNote {
    /// Of the binding.
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) declared: Declared,
    /// Whether the server itself made it.
    pub(crate) bootstrap: bool,
}

/// One cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cluster {
    pub(crate) documents: BTreeSet<Arc<str>>,
    pub(crate) accounts: Objects<Account>,
    pub(crate) roles: Objects<RoleObject>,
    pub(crate) bindings: Objects<BindingObject>,
    pub(crate) binding_notes: Vec<BindingNote>,
    pub(crate) tokens: Vec<TokenSecret>,
    pub(crate) stored: Vec<(Arc<str>, LiteralSecret)>,
    pub(crate) workloads: Objects<Workload>,
    pub(crate) services: Vec<Service>,
    /// Namespace and Service names that an Ingress or route opens.
    pub(crate) routed: BTreeSet<(Arc<str>, Arc<str>)>,
    pub(crate) namespaces: HashMap<Arc<str>, Namespace, FixedState>,
    pub(crate) repeated: Vec<Repeated>,
    pub(crate) network: Vec<NetworkRules>,
    /// Whether network rules of another kind were seen, which may limit what those do not.
    pub(crate) other_network: bool,
    pub(crate) guards: Vec<Guard>,
    /// Whether anything that may refuse requests speaks of pods, whatever it asks of them.
    pub(crate) guards_pods: bool,
    pub(crate) guard_bindings: Vec<GuardBinding>,
    pub(crate) models: Vec<ModelSettings>,
    /// Roles and users of a cloud that are mapped to names of the cluster.
    pub(crate) mapped: Vec<Mapped>,
    /// Since when the server notes the use of legacy tokens.
    pub(crate) tracked_since: Option<Timestamp>,
    pub(crate) custom_kinds: BTreeSet<CustomKind>,
    pub(crate) agents: Vec<AgentResource>,
    /// Whether ConfigMap kube-system/aws-auth was seen, and whether any ConfigMap of kube-system was.
    pub(crate) aws_auth: Option<bool>,
    /// The kinds that occur.
    pub(crate) seen: BTreeSet<Box<str>>,
    /// The kinds of objects that could not be understood.
    pub(crate) dropped: BTreeSet<Box<str>>,
    /// Kinds of which the collector says itself that they are missing.
    pub(crate) missing: BTreeSet<Box<str>>,
    /// Calls whose answers are no objects.
    pub(crate) refused: Vec<Refused>,
    pub(crate) hints: Vec<(Origin, String)>,
}

impl Cluster {
    /// Whether objects of a kind are part of the capture, be it as an empty list, and each of them was understood.
    pub(crate) fn has_all(&self, kind: &str) -> bool {
        self.seen.contains(kind) && !self.dropped.contains(kind)
    }

    /// Adds what one document, or a part of it, tells. Where it ends early, or holds what has no kind, there may be more of
    /// every kind that it holds.
    fn add(&mut self, mut part: Self, is_whole: bool) {
        if !is_whole {
            part.dropped.extend(part.seen.iter().cloned());
        }
        self.append(part);
    }

    /// Adds what stands behind this in the same cluster.
    fn append(&mut self, mut later: Self) {
        self.documents.append(&mut later.documents);
        self.accounts.append(&mut later.accounts);
        self.roles.append(&mut later.roles);
        self.bindings.append(&mut later.bindings);
        self.binding_notes.append(&mut later.binding_notes);
        self.tokens.append(&mut later.tokens);
        self.stored.append(&mut later.stored);
        self.workloads.append(&mut later.workloads);
        self.services.append(&mut later.services);
        self.routed.append(&mut later.routed);
        self.namespaces.extend(later.namespaces);
        self.repeated.append(&mut later.repeated);
        self.network.append(&mut later.network);
        self.other_network |= later.other_network;
        self.guards.append(&mut later.guards);
        self.guards_pods |= later.guards_pods;
        self.guard_bindings.append(&mut later.guard_bindings);
        self.models.append(&mut later.models);
        self.mapped.append(&mut later.mapped);
        self.tracked_since = self.tracked_since.or(later.tracked_since);
        self.custom_kinds.append(&mut later.custom_kinds);
        self.agents.append(&mut later.agents);
        if let Some(seen) = later.aws_auth {
            self.aws_auth = Some(self.aws_auth.unwrap_or(false) || seen);
        }
        self.seen.append(&mut later.seen);
        self.dropped.append(&mut later.dropped);
        self.refused.append(&mut later.refused);
        self.hints.append(&mut later.hints);
    }
}

/// Equal texts and equal rules, held once, and what of a document's objects did not fit.
#[derive(Debug, Default)]
struct Shared {
    texts: HashSet<Arc<str>, FixedState>,
    rules: KnownRules,
    misfits: Vec<Problem>,
    /// Objects that were not understood.
    refused: usize,
}

/// Of an account with its role, binding and workload, some 4,000 bytes, four texts are its own.
const BYTES_PER_TEXT: usize = 1024;

impl Shared {
    /// For a part of a large document that has about so many bytes, with room for the texts that such a part mostly has.
    fn of_part(bytes: usize) -> Self {
        let room = bytes / BYTES_PER_TEXT;
        Self { texts: HashSet::with_capacity_and_hasher(room, FixedState::default()), ..Self::default() }
    }
}

/// Rules of one document: a server writes equal rules equally, so equal texts are parsed once, and roles with the same
/// list of rules share it.
#[derive(Debug, Default)]
struct KnownRules {
    each: ByText<Arc<Rule>>,
    lists: ByText<Rules>,
}

/// What parts of one document say, by the hashes of their texts. The texts stay where they are: of each it is held where
/// it is written first.
#[derive(Debug)]
struct ByText<T>(HashMap<u64, (Range<usize>, T), FixedState>);

impl<T> Default for ByText<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T: Clone> ByText<T> {
    /// What a part of the document says, parsed where no equal part was. A text that is no part of it, as in formats that
    /// are rewritten to be read, is parsed each time, and so is one that only has the hash of another.
    fn of<E>(&mut self, document: &str, part: &str, parse: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let start = part.as_ptr().addr().wrapping_sub(document.as_ptr().addr());
        let place = start..start.saturating_add(part.len());
        if !document.get(place.clone()).is_some_and(|held| std::ptr::eq(held, part)) {
            return parse();
        }
        match self.0.entry(FixedState::default().hash_one(part)) {
            Entry::Occupied(held) => {
                let (first, known) = held.get();
                if document.get(first.clone()) == Some(part) { Ok(known.clone()) } else { parse() }
            }
            Entry::Vacant(free) => Ok(free.insert((place, parse()?)).1.clone()),
        }
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    clusters: BTreeMap<Arc<str>, Cluster>,
    shared: Shared,
}

/// What of a document could not be understood.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// Objects, or what stands in place of one.
    pub(crate) objects: Vec<Problem>,
    /// Members of objects that are known without.
    pub(crate) members: Vec<Problem>,
}

impl Capture {
    /// Ends the taking.
    pub(crate) fn into_clusters(self) -> BTreeMap<Arc<str>, Cluster> {
        self.clusters
    }

    /// Takes everything from a document. What cannot be understood is returned.
    pub(crate) fn take(&mut self, cluster: &Arc<str>, document: &Document, fingerprinter: &Fingerprinter) -> Problems {
        let held = self.clusters.entry(Arc::clone(cluster)).or_default();
        self.shared.rules = KnownRules::default();
        held.documents.insert(Arc::clone(&document.path));
        let take = |cluster: &mut Cluster, shared: &mut Shared, path: &Arc<str>, found: &Found<'_, '_>| {
            let Shared { texts, rules, misfits, refused } = shared;
            let mut taking = Taking { document: path, file: document.file, fingerprinter, texts, misfits };
            let taken = cluster.take(found, &mut taking, &document.text, rules);
            if taken.is_err() {
                *refused += 1;
                cluster.dropped.insert(found.object.kind.as_str().into());
            }
            taken
        };
        // Cores that count the users of one text wait for each other: each part has a path of its own.
        let start = |bytes| (Cluster::default(), Shared::of_part(bytes), Arc::<str>::from(&*document.path));
        let parts = crate::documents::read_in_parts(document, start, |(part, shared, path), found| {
            take(part, shared, path, &found)
        });
        let mut problems = Problems::default();
        match parts {
            Some(parts) => {
                let mut done = Vec::new();
                for ((part, mut shared, _), mut of_part) in parts {
                    held.add(part, of_part.len() == shared.refused);
                    problems.objects.append(&mut of_part);
                    problems.members.append(&mut shared.misfits);
                    done.push(shared);
                }
                // Each has very many small texts. It is waited for, lest those of several documents pile up.
                done.into_par_iter().for_each(drop);
            }
            None => {
                let (mut part, path) = (Cluster::default(), &document.path);
                self.shared.refused = 0;
                problems.objects =
                    crate::documents::read(document, &mut |found| take(&mut part, &mut self.shared, path, &found));
                held.add(part, problems.objects.len() == self.shared.refused);
                problems.members.append(&mut self.shared.misfits);
            }
        }
        problems
    }
}

/// Whether an object of this kind can select by labels as Services do.
pub(crate) fn selects(selector: &[(Arc<str>, Arc<str>)], labels: &[(Arc<str>, Arc<str>)]) -> bool {
    !selector.is_empty() && selector.iter().all(|pair| labels.contains(pair))
}

/// Used where an aggregation selector is built from a label alone.
pub(crate) fn label_selector(label: &str) -> LabelSelector {
    LabelSelector { match_labels: [(Arc::from(label), Arc::from("true"))].into(), match_expressions: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parts_of_a_document_are_parsed_once() {
        let document = r#"[{"verbs":["get"]},{"verbs":["list"]},{"verbs":["get"]}]"#;
        let mut known = ByText::default();
        let mut parsed = 0;
        let mut rule = |known: &mut ByText<Arc<Rule>>, part: &str| {
            let parse = || {
                parsed += 1;
                serde_json::from_str::<Rule>(part).map(Arc::new)
            };
            known.of(document, part, parse).unwrap()
        };
        let parts = [1..18, 19..37, 38..55].map(|place| document.get(place).unwrap());
        let [first, second, third] = parts.map(|part| rule(&mut known, part));
        assert!(Arc::ptr_eq(&first, &third) && !Arc::ptr_eq(&first, &second));
        // The same text elsewhere is no part of the document.
        let elsewhere = r#"{"verbs":["get"]}"#.to_owned();
        assert_eq!(rule(&mut known, &elsewhere), first);
        assert_eq!(parsed, 3);
    }

    #[test]
    fn roles_with_the_same_text_of_rules_share_one_list() {
        let role = |name: &str, verb: &str| {
            serde_json::json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": name, "namespace": "shop"},
                "rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}]
            })
        };
        let items = [role("a", "get"), role("b", "list"), role("c", "get")];
        let list = serde_json::json!({"kind": "List", "items": items});
        let document = crate::tests::document("dump.json", &list.to_string());
        let mut capture = Capture::default();
        assert!(capture.take(&Arc::from("c"), &document, &Fingerprinter::keyed("test")).objects.is_empty());
        let clusters = capture.into_clusters();
        let roles = clusters.values().flat_map(|cluster| &cluster.roles);
        let lists: Vec<_> = roles.map(|object| object.role.rules.shared().as_ptr()).collect();
        assert!(matches!(lists.as_slice(), [a, b, c] if a == c && a != b));
    }
}
