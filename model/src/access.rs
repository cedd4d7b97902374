//! Access: what an identity may effectively do, and single decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::catalog::Catalog;
use crate::condition::Condition;
use crate::decide::Decides;
use crate::evidence::Evidence;
use crate::gap::Gap;
use crate::id::{IdentityId, ScopeId};
use crate::inventory::Hint;
use crate::opset::OpSet;
use crate::proposal::Proposes;
use crate::scope::ResourceScope;
use crate::steps::Steps;

/// A provider's number for a statement that grants, limits or denies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct GrantIx(pub u32);

/// A statement, for people.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The policy, role or binding: `inline policy deploy`, `ClusterRole edit through RoleBinding ops`.
    pub policy: Arc<str>,
    /// Its statement or rule, counted from 0; `None` = it grants as a whole.
    pub statement: Option<u32>,
    /// The statement's own name, empty where it has none.
    pub name: Arc<str>,
    /// Where it stands.
    pub evidence: Evidence,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.policy)?;
        if let Some(statement) = self.statement {
            write!(f, " statement {statement}")?;
        }
        if !self.name.is_empty() {
            write!(f, " ({})", self.name)?;
        }
        Ok(())
    }
}

/// What stands between an identity and a statement that grants it something, beside the groups that it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// In a few words: `RoleBinding ops/readers, which names group sre`.
    pub text: Arc<str>,
    /// Where it is written.
    pub evidence: Evidence,
}

/// Part of an identity's access: these operations, on these resources, under this condition, because of this statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    /// The operations.
    pub operations: Arc<OpSet>,
    /// The resources.
    pub scope: Arc<ResourceScope>,
    /// The condition.
    pub condition: Arc<Condition>,
    /// The statement that grants it.
    pub grant: GrantIx,
}

/// Which way something that was not read can change an access.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DoubtEffect {
    /// It can only grant more: a role that is bound but was not read, where roles do not deny.
    Adds,
    /// It can only take away: a boundary that was not read.
    Limits,
    /// It can grant and deny: an attached policy that was not read.
    Either,
}

/// Why the true access of an identity may be other than the one that was resolved.
///
/// Equal doubts of one scope are about one and the same thing: whatever it is, it does the same to all that share it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Doubt {
    /// In a few words. It names what was not read.
    pub text: Arc<str>,
    /// Tells apart things that the text calls by the same name; 0 where the name is enough, [`Self::OWN`] where equal doubts
    /// are not about the same thing.
    pub about: u32,
    /// What it can do to the access.
    pub effect: DoubtEffect,
}

impl Doubt {
    /// For [`about`](Self::about): something that may be another thing for each who has the doubt, such as what is bound to
    /// it by documents that were not read. Nobody shares it.
    pub const OWN: u32 = u32::MAX;

    /// A doubt about something that its text names without ambiguity.
    pub fn new(text: impl Into<Arc<str>>, effect: DoubtEffect) -> Self {
        Self { text: text.into(), about: 0, effect }
    }

    /// Whether the true access may be more.
    pub fn may_add(&self) -> bool {
        matches!(self.effect, DoubtEffect::Adds | DoubtEffect::Either)
    }

    /// Whether the true access may be less.
    pub fn may_limit(&self) -> bool {
        matches!(self.effect, DoubtEffect::Limits | DoubtEffect::Either)
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The effective permissions of an identity after every deny, boundary and organisation policy that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    slices: Vec<Slice>,
    /// Why the true access may be other than this; empty = it is this.
    pub doubts: Vec<Doubt>,
    /// Whether the provider's own logic says that nothing is denied to it, policies apart (a cluster's masters group, an
    /// account's root user).
    pub unlimited: bool,
    operations: Arc<OpSet>,
}

impl Access {
    /// An access of some slices; their union is the access. Overlaps are possible, each with its own grant.
    pub fn new(slices: Vec<Slice>, doubts: Vec<Doubt>, unlimited: bool) -> Self {
        let operations = match slices.as_slice() {
            [slice] => Arc::clone(&slice.operations),
            _ => Arc::new(OpSet::union_of(slices.iter().map(|slice| &*slice.operations))),
        };
        Self { slices, doubts, unlimited, operations }
    }

    /// The same access, with all its operations taken from those that others hold too, where they are the same: kept once.
    #[must_use]
    pub fn sharing(mut self, held: &mut BTreeSet<Arc<OpSet>>) -> Self {
        match held.get(&self.operations) {
            Some(same) => self.operations = Arc::clone(same),
            None => {
                held.insert(Arc::clone(&self.operations));
            }
        }
        self
    }

    /// The slices.
    pub fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// All operations that some slice holds, under whatever scope and condition.
    pub fn operations(&self) -> &OpSet {
        &self.operations
    }

    /// The same, for whoever keeps it longer than the access.
    pub fn shared_operations(&self) -> Arc<OpSet> {
        Arc::clone(&self.operations)
    }
}

/// A question: may this identity do this?
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The identity's id or unambiguous name.
    pub identity: String,
    /// The operation in the vendor's spelling.
    pub operation: String,
    /// The resource in the vendor's spelling; `*` or absent = any.
    #[serde(default)]
    pub resource: Option<String>,
    /// What is known of the context: key to values.
    #[serde(default)]
    pub context: BTreeMap<String, ContextValue>,
}

/// One value or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ContextValue {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl ContextValue {
    /// The values.
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What happens.
    pub outcome: Outcome,
    /// The layers that stop it, in the vendor's words; empty when allowed.
    pub blocked_by: Vec<Arc<str>>,
    /// The statements that decided.
    pub because: Vec<Grant>,
    /// The conditions under which a `conditional` request is allowed, as text.
    pub conditions: Vec<String>,
}

/// What happens to a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is allowed.
    Allowed,
    /// It is allowed under conditions on context that the question leaves open.
    Conditional,
    /// Nothing allows it.
    ImplicitlyDenied,
    /// Something denies it.
    ExplicitlyDenied,
    /// What was read does not tell.
    Unknown,
}

impl Outcome {
    /// The word used everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "conditional",
            Self::ImplicitlyDenied => "implicitly_denied",
            Self::ExplicitlyDenied => "explicitly_denied",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a question cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// The operation is in no catalogue.
    #[error("no operation `{operation}` is known; {remedy}")]
    UnknownOperation {
        /// As asked.
        operation: String,
        /// What to do.
        remedy: String,
    },
    /// The resource is not written as the vendor writes resources.
    #[error("`{resource}` is no resource name; {remedy}")]
    BadResource {
        /// As asked.
        resource: String,
        /// What to do.
        remedy: String,
    },
    /// A context value cannot be used.
    #[error("context key `{key}` has a value that cannot be used: {reason}")]
    BadContext {
        /// The key.
        key: String,
        /// Why not.
        reason: String,
    },
}

/// Where an edge leads.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum EdgeTarget {
    /// To another identity.
    Identity(IdentityId),
    /// To full control of a scope.
    Admin(ScopeId),
}

/// A step from one identity to more access, with all its preconditions already decided by the provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// Who takes it.
    pub source: IdentityId,
    /// Where it leads.
    pub target: EdgeTarget,
    /// The technique's id: `assume-role`, `iam-create-policy-version`, `k8s.sa-token.create` …
    pub technique: Arc<str>,
    /// Whether using it takes more than being who one is allowed to be: an escalation, not a trust meant to be used.
    pub escalation: bool,
    /// Whether it depends on a condition that is not known to hold.
    pub conditional: bool,
    /// The statements that allow it: one list for all steps that rest on the same ones.
    pub grants: Arc<[Grant]>,
}

/// Steps of an identity that the edges do not list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unlisted {
    /// Lesser targets of a technique that leads to very many, none stronger than those that are listed, or a technique that
    /// leads to nobody who is known; in a few words.
    Lesser(Arc<str>),
    /// Steps that may be there or not: what tells was not read. All else that they take is given.
    Unread(Arc<Unread>),
}

/// Something that was not read and may offer steps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unread {
    /// What, in a few words: `functions of account 1234`.
    pub what: Arc<str>,
    /// The gap: what to call, and why it is not there.
    pub gap: Gap,
}

/// A provider's view of access, over everything that it read. Pure and thread-safe; asked in parallel.
pub trait AccessResolver: Send + Sync {
    /// The provider's operations.
    fn catalog(&self) -> &dyn Catalog;

    /// Equal keys mean equal access, so that equal work is done once. `None` = the identity's access is not known here.
    fn access_key(&self, identity: &IdentityId) -> Option<u64>;

    /// The effective access of an identity; `None` where nothing about it was read.
    fn access(&self, identity: &IdentityId) -> Option<Arc<Access>>;

    /// Whether an identity controls its whole scope by what it may do, not by the name of its policies.
    fn is_admin(&self, identity: &IdentityId) -> Option<bool>;

    /// The statement behind a number.
    fn grant(&self, grant: GrantIx) -> Grant;

    /// What leads from an identity to a statement that grants it something, nearest to the identity first. Empty = nothing
    /// stands between them but groups, whose members the inventory tells.
    fn links(&self, _identity: &IdentityId, _grant: GrantIx) -> Vec<Link> {
        Vec::new()
    }

    /// Answers one question about an identity of this provider.
    ///
    /// # Errors
    /// When the operation, resource or context cannot be understood.
    fn decide(&self, identity: &IdentityId, request: &Request) -> Result<Decision, DecideError>;

    /// The flags of `evenhand can` that name one resource.
    fn narrower(&self) -> &'static str {
        "--on"
    }

    /// Whether what is known of a request's context can change an answer.
    fn weighs_context(&self) -> bool {
        false
    }

    /// Decides requests that leave some of their policies to what was read; `None` where that cannot be.
    fn decider(&self) -> Option<Box<dyn Decides + '_>> {
        None
    }

    /// Steps to more access inside this provider, sorted by source, target and technique.
    fn edges(&self) -> Vec<Edge>;

    /// [`edges`](Self::edges) as numbers, for providers that have so many that spelling them out takes longest.
    fn steps(&self) -> Steps {
        self.edges().into()
    }

    /// What a conditional step by some technique takes besides the statements that allow it, in a few words behind "if"; `None` =
    /// nothing that is the same for all who take it.
    fn takes(&self, _technique: &str) -> Option<Arc<str>> {
        None
    }

    /// What [`edges`](Self::edges) leaves out because there is too much of it, for all identities together; empty =
    /// nothing.
    fn edges_left_out(&self) -> Vec<Hint> {
        Vec::new()
    }

    /// What [`edges`](Self::edges) leaves out of an identity's steps. Empty = every step is listed.
    fn unlisted(&self, _identity: &IdentityId) -> Vec<Unlisted> {
        Vec::new()
    }

    /// Those of [`unlisted`](Self::unlisted) that may be there or not. Asked of every identity, the others only where
    /// somebody wants to read them.
    fn unread(&self, identity: &IdentityId) -> Vec<Arc<Unread>> {
        let unread = |held| match held {
            Unlisted::Unread(unread) => Some(unread),
            Unlisted::Lesser(_) => None,
        };
        self.unlisted(identity).into_iter().filter_map(unread).collect()
    }

    /// Which document tells of an identity of another provider that documents of this one name, in a few words: what to add
    /// to a capture where it is missing. `None` = they name no such identity.
    fn told_by(&self, _named: &IdentityId) -> Option<Arc<str>> {
        None
    }

    /// Writes right-sized policies in the vendor's own form; `None` where the vendor's access has no such form.
    fn proposer(&self) -> Option<&dyn Proposes> {
        None
    }

    /// The operations that an identity used in the last 90 days, where evidence of use was read.
    fn used(&self, identity: &IdentityId) -> Option<OpSet>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_statements_is_named_with_the_number_of_one() {
        let cases = [
            ("inline policy deploy", Some(0), "", "inline policy deploy statement 0"),
            ("inline policy deploy", Some(2), "Main", "inline policy deploy statement 2 (Main)"),
            ("default permissions of workflows: write", None, "", "default permissions of workflows: write"),
            ("permissions of the job", None, "contents", "permissions of the job (contents)"),
        ];
        for (policy, statement, name, expected) in cases {
            let evidence = Evidence::whole("x.json");
            let grant = Grant { policy: policy.into(), statement, name: name.into(), evidence };
            assert_eq!(grant.to_string(), expected);
        }
    }
}
