//! The policies of a capture: equal documents once, every attachment with its own name and evidence.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use evenhand_model::access::{Grant, GrantIx};
use evenhand_model::evidence::{Evidence, Place};
use evenhand_model::json_error;
use evenhand_model::parallel::IN_A_ROW;
use rayon::prelude::*;

use super::compile::CompiledPolicy;
use super::document::PolicyDocument;
use crate::catalog::Catalogue;
use crate::place;
use crate::world::PolicyIx;

/// Where a policy stands. It decides how short resource names are read and whether principals are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum PolicyRole {
    /// Attached to a principal: what it is granted, its boundary, a session's limits.
    Identity,
    /// Says who may assume a role.
    Trust,
    /// Attached to a resource.
    Resource,
    /// Limits the principals of an account.
    ServiceControl,
    /// Limits access to the resources of an account.
    ResourceControl,
    /// Limits what passes through a network endpoint.
    Endpoint,
}

#[derive(Debug)]
struct Attachment {
    label: Arc<str>,
    evidence: Evidence,
    distinct: u32,
    /// The number of its first statement.
    first_grant: u32,
}

#[derive(Debug)]
struct Distinct {
    /// Where the document was met first; problems are reported there.
    first: PolicyIx,
    document: PolicyDocument,
    compiled: CompiledPolicy,
    /// Not understood, wholly or in part.
    broken: bool,
    /// How long its text is, white space apart.
    characters: u32,
}

/// The text of a policy document with a hash that nobody can make collide, so that the text itself need not be kept.
#[derive(Debug)]
pub(crate) struct PolicyText<'d> {
    text: Cow<'d, str>,
    hash: blake3::Hash,
}

impl<'d> PolicyText<'d> {
    pub(crate) fn new(text: Cow<'d, str>) -> Self {
        Self { hash: blake3::hash(text.as_bytes()), text }
    }

    fn owned(self) -> PolicyText<'static> {
        PolicyText { text: Cow::Owned(self.text.into_owned()), hash: self.hash }
    }
}

/// A document that was attached for the first time and is yet to be understood.
#[derive(Debug)]
pub(crate) struct Fresh<'d> {
    index: PolicyIx,
    role: PolicyRole,
    text: PolicyText<'d>,
}

/// A document understood, and what is wrong with it.
pub(crate) struct Understood(Distinct, Vec<String>);

/// Parses and compiles documents on all cores.
pub(crate) fn understand(fresh: Vec<Fresh<'_>>) -> Vec<Understood> {
    fresh.into_par_iter().with_max_len(IN_A_ROW).map(Understood::of).collect()
}

impl Understood {
    fn of(fresh: Fresh<'_>) -> Self {
        let Fresh { index, role, text } = fresh;
        let characters = u32::try_from(characters(&text.text)).unwrap_or(u32::MAX);
        match PolicyDocument::parse(&text.text) {
            Ok(mut written) => {
                let (compiled, mut problems) = CompiledPolicy::of(&written, role);
                // A statement that names nobody lets nobody in as it stands; whom it was to let in is unknown.
                let nameless = if role == PolicyRole::Trust { written.names_nobody() } else { None };
                problems.extend(nameless.map(|number| {
                    format!("names no principal in statement {number}; whom that one lets in is unknown")
                }));
                // Only of trust policies is the text of a statement asked for later.
                if role != PolicyRole::Trust {
                    // An unknown action is a problem.
                    let is_unknown = |name: &str| !problems.is_empty() && Catalogue::global().is_unknown(name);
                    written.forget_grants(role == PolicyRole::Identity, is_unknown);
                }
                let document = written.owned();
                Self(Distinct { first: index, document, compiled, broken: nameless.is_some(), characters }, problems)
            }
            Err(error) => {
                let (document, compiled) = Default::default();
                let reason = json_error::reason(&error);
                let place = match place::pointer(&text.text, &error) {
                    whole if whole.is_empty() => whole,
                    part => format!(" at `{part}`"),
                };
                let problem = format!("is no policy document: it {reason}{place}; what it grants or denies is unknown");
                Self(Distinct { first: index, document, compiled, broken: true, characters }, vec![problem])
            }
        }
    }
}

/// The bytes of a JSON text that are no white space, of which JSON has no other than the space and what comes before it.
fn characters(json: &str) -> usize {
    // Stretches whose count fits into a byte are counted many bytes at a time.
    let count = |stretch: &[u8]| usize::from(stretch.iter().map(|byte| u8::from(*byte > b' ')).sum::<u8>());
    json.as_bytes().chunks(usize::from(u8::MAX)).map(count).sum()
}

/// So many bytes of documents wait, until all cores understand them together and their text is dropped.
const MOST_WAITING: usize = 4 << 20;

/// What is asked of the document of an attachment so often that it stands by itself, close together.
#[derive(Clone, Copy, Debug)]
struct Outline {
    broken: bool,
    personal: bool,
}

/// All policies of a capture.
#[derive(Debug, Default)]
pub(crate) struct PolicyStore {
    attachments: Vec<Attachment>,
    distinct: Vec<Distinct>,
    /// By attachment, once compiled.
    outlines: Vec<Outline>,
    waiting: Vec<Fresh<'static>>,
    waiting_bytes: usize,
    /// The numbers of distinct documents. Emptied once compiled.
    by_content: HashMap<(PolicyRole, [u8; blake3::OUT_LEN]), u32, foldhash::fast::RandomState>,
    /// What is wrong with documents, in the order of [`PolicyStore::distinct`].
    problems: Vec<(PolicyIx, Vec<String>)>,
    nothing: (PolicyDocument, CompiledPolicy),
}

impl Drop for PolicyStore {
    /// Gives back hundreds of thousands of documents on all cores: whoever waits for their memory waits half as long.
    fn drop(&mut self) {
        std::mem::take(&mut self.distinct).into_par_iter().with_max_len(IN_A_ROW).for_each(drop);
    }
}

impl PolicyStore {
    /// Takes one attached document. Equal documents in the same role are kept once.
    pub(crate) fn add(&mut self, label: Arc<str>, role: PolicyRole, raw_json: &str, evidence: Evidence) -> PolicyIx {
        let (index, fresh) = self.attach(label, role, PolicyText::new(Cow::Borrowed(raw_json)), evidence);
        if let Some(Fresh { index, role, text }) = fresh {
            self.waiting.push(Fresh { index, role, text: text.owned() });
            self.waiting_bytes += raw_json.len();
            if self.waiting_bytes > MOST_WAITING {
                self.settle();
            }
        }
        index
    }

    /// Takes one attached document, and hands it back where no equal one was attached before. What is handed back is to
    /// be understood and [kept](Self::keep) in that order, after [`Self::settle`] and before anything else is added.
    pub(crate) fn attach<'d>(
        &mut self,
        label: Arc<str>,
        role: PolicyRole,
        text: PolicyText<'d>,
        evidence: Evidence,
    ) -> (PolicyIx, Option<Fresh<'d>>) {
        let index = PolicyIx(u32::try_from(self.attachments.len()).unwrap_or(u32::MAX));
        let next = u32::try_from(self.by_content.len()).unwrap_or(u32::MAX);
        let distinct = *self.by_content.entry((role, text.hash.into())).or_insert(next);
        self.attachments.push(Attachment { label, evidence, distinct, first_grant: 0 });
        (index, (distinct == next).then_some(Fresh { index, role, text }))
    }

    /// Keeps what was understood of documents.
    pub(crate) fn keep(&mut self, understood: Vec<Understood>) {
        for Understood(distinct, problems) in understood {
            if !problems.is_empty() {
                self.problems.push((distinct.first, problems));
            }
            self.distinct.push(distinct);
        }
    }

    /// Understands what waits.
    pub(crate) fn settle(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        self.keep(understand(waiting));
    }

    /// Parses and compiles every distinct document. Returns what cannot be understood: once per document, in the order
    /// of attachment.
    pub(crate) fn compile(&mut self) -> Vec<(Evidence, String)> {
        self.settle();
        self.by_content = HashMap::default();
        let problems = std::mem::take(&mut self.problems);
        let mut next = 0_u32;
        self.outlines = Vec::with_capacity(self.attachments.len());
        for attachment in &mut self.attachments {
            attachment.first_grant = next;
            let distinct = self.distinct.get(attachment.distinct as usize);
            self.outlines.push(Outline {
                broken: distinct.is_none_or(|distinct| distinct.broken),
                personal: distinct.is_some_and(|distinct| distinct.compiled.personal),
            });
            let statements = distinct.map_or(0, |distinct| distinct.document.statements.len());
            next = next.saturating_add(u32::try_from(statements).unwrap_or(u32::MAX));
        }
        problems
            .into_iter()
            .filter_map(|(first, problems)| Some((self.attachments.get(first.0 as usize)?, problems)))
            .flat_map(|(attachment, problems)| {
                problems
                    .into_iter()
                    .map(|problem| (attachment.evidence.clone(), format!("`{}` {problem}", attachment.label)))
            })
            .collect()
    }

    fn distinct(&self, policy: PolicyIx) -> Option<&Distinct> {
        self.distinct.get(self.attachments.get(policy.0 as usize)?.distinct as usize)
    }

    /// The document; without statements where it cannot be understood.
    pub(crate) fn document(&self, policy: PolicyIx) -> &PolicyDocument {
        self.distinct(policy).map_or(&self.nothing.0, |distinct| &distinct.document)
    }

    /// The compiled document.
    pub(crate) fn compiled(&self, policy: PolicyIx) -> &CompiledPolicy {
        self.distinct(policy).map_or(&self.nothing.1, |distinct| &distinct.compiled)
    }

    /// How long the document is as AWS counts it: without white space.
    pub(crate) fn characters(&self, policy: PolicyIx) -> usize {
        self.distinct(policy).map_or(0, |distinct| distinct.characters as usize)
    }

    /// Whether the document, or a part of it, cannot be understood, so that it may do more than it says.
    pub(crate) fn broken(&self, policy: PolicyIx) -> bool {
        match self.outlines.get(policy.0 as usize) {
            Some(outline) => outline.broken,
            None => self.distinct(policy).is_none_or(|distinct| distinct.broken),
        }
    }

    /// Whether what the document grants depends on who asks.
    pub(crate) fn personal(&self, policy: PolicyIx) -> bool {
        match self.outlines.get(policy.0 as usize) {
            Some(outline) => outline.personal,
            None => self.compiled(policy).personal,
        }
    }

    /// Where documents stand that cannot be understood wholly.
    pub(crate) fn broken_places(&self) -> Vec<&Evidence> {
        let broken = |held: &&Attachment| self.distinct.get(held.distinct as usize).is_some_and(|one| one.broken);
        self.attachments.iter().filter(broken).map(|held| &held.evidence).collect()
    }

    /// The number shared by attachments of equal documents.
    pub(crate) fn content(&self, policy: PolicyIx) -> u32 {
        self.attachments.get(policy.0 as usize).map_or(u32::MAX, |attachment| attachment.distinct)
    }

    /// The name under which the policy is attached.
    pub(crate) fn label(&self, policy: PolicyIx) -> Arc<str> {
        self.attachments.get(policy.0 as usize).map_or_else(|| Arc::from(""), |held| Arc::clone(&held.label))
    }

    /// The number of a statement.
    pub(crate) fn grant_number(&self, policy: PolicyIx, statement: usize) -> GrantIx {
        let first = self.attachments.get(policy.0 as usize).map_or(0, |attachment| attachment.first_grant);
        GrantIx(first.saturating_add(u32::try_from(statement).unwrap_or(u32::MAX)))
    }

    /// The policy that holds the statement behind a number, and the place of the statement in it.
    pub(crate) fn statement_of(&self, grant: GrantIx) -> Option<(PolicyIx, usize)> {
        let after = self.attachments.partition_point(|attachment| attachment.first_grant <= grant.0);
        let index = after.checked_sub(1)?;
        let statement = grant.0.checked_sub(self.attachments.get(index)?.first_grant)? as usize;
        let policy = PolicyIx(u32::try_from(index).ok()?);
        (statement < self.document(policy).statements.len()).then_some((policy, statement))
    }

    /// The statement behind a number.
    pub(crate) fn grant(&self, grant: GrantIx) -> Grant {
        let after = self.attachments.partition_point(|attachment| attachment.first_grant <= grant.0);
        let index = after.saturating_sub(1);
        let Some(attachment) = self.attachments.get(index) else {
            return Grant {
                policy: Arc::from(""),
                statement: None,
                name: Arc::from(""),
                evidence: Evidence::whole(""),
            };
        };
        let statement = grant.0.saturating_sub(attachment.first_grant);
        let statements = self
            .distinct
            .get(attachment.distinct as usize)
            .map_or(&[][..], |distinct| distinct.document.statements.as_slice());
        let name =
            statements.get(statement as usize).map_or_else(|| Arc::from(""), |statement| Arc::clone(&statement.sid));
        let evidence = match &attachment.evidence.place {
            Place::Pointer(pointer) => {
                Evidence::pointer(Arc::clone(&attachment.evidence.document), format!("{pointer}/Statement/{statement}"))
            }
            _ => attachment.evidence.clone(),
        };
        Grant { policy: Arc::clone(&attachment.label), statement: Some(statement), name, evidence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},
        {"Sid":"list","Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;

    #[test]
    fn white_space_does_not_count_to_the_length_of_a_document() {
        assert_eq!(characters("{ \"a\":\r\n\t[1, 2]\n}"), 11);
        assert_eq!(characters(&"[ \"é\" ]".repeat(200)), 1200);
    }

    #[test]
    fn equal_documents_are_compiled_once_and_keep_their_own_evidence() {
        let mut store = PolicyStore::default();
        let a = store.add("a".into(), PolicyRole::Identity, READ, Evidence::pointer("x.json", "/0"));
        let b = store.add("b".into(), PolicyRole::Identity, READ, Evidence::pointer("x.json", "/1"));
        assert!(store.compile().is_empty());
        assert_eq!(store.content(a), store.content(b));
        let grant = store.grant(store.grant_number(b, 1));
        assert_eq!((&*grant.policy, grant.statement, &*grant.name), ("b", Some(1), "list"));
        assert_eq!(grant.evidence, Evidence::pointer("x.json", "/1/Statement/1"));
        assert_eq!(store.statement_of(store.grant_number(b, 1)), Some((b, 1)));
        assert_eq!(store.statement_of(store.grant_number(a, 0)), Some((a, 0)));
        assert_eq!(store.statement_of(GrantIx(4)), None, "there are four");
    }

    #[test]
    fn no_value_of_a_document_that_is_no_policy_is_in_the_problem() {
        const CANARY: &str = "c4nary-Zx81-correct-horse";
        let mut store = PolicyStore::default();
        let key = format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"StringEquals":{{"{CANARY}":{{}}}}}}}}}}"#
        );
        for text in [format!(r#""{CANARY}""#), format!(r#"{{"Statement":"{CANARY}"}}"#), key] {
            store.add("odd".into(), PolicyRole::Identity, &text, Evidence::whole("x.json"));
        }
        let problems: Vec<String> = store.compile().into_iter().map(|(_, problem)| problem).collect();
        assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.contains(CANARY)), "{problems:?}");
    }

    #[test]
    fn problems_name_the_policy_and_the_place() {
        let mut store = PolicyStore::default();
        let broken = store.add("broken".into(), PolicyRole::Identity, "{", Evidence::whole("x.json"));
        store.add(
            "odd".into(),
            PolicyRole::Identity,
            r#"{"Statement":{"Effect":"Allow","Action":["s3:GetObjct"],"Resource":"*","Condition":{"StringSoundsLike":{"a":"b"}}}}"#,
            Evidence::whole("x.json"),
        );
        let problems: Vec<String> = store.compile().into_iter().map(|(_, problem)| problem).collect();
        assert!(store.broken(broken));
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("`odd`") && problem.contains("`s3:GetObjct`")));
        assert!(problems.iter().any(|problem| problem.contains("`StringSoundsLike`")));
    }

    #[test]
    fn the_problem_says_where_in_the_document_it_is() {
        let mut store = PolicyStore::default();
        let text =
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Allow","Action":["*",7]}]}"#;
        store.add("odd".into(), PolicyRole::Identity, text, Evidence::whole("x.json"));
        let problems: Vec<String> = store.compile().into_iter().map(|(_, problem)| problem).collect();
        assert!(problems[0].contains("expected a text at `/Statement/1/Action/1`"), "{problems:?}");
    }

    #[test]
    fn a_statement_may_be_called_by_a_number() {
        let mut store = PolicyStore::default();
        let text = r#"{"Statement":{"Sid":1,"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let policy = store.add("p".into(), PolicyRole::Identity, text, Evidence::whole("x.json"));
        assert_eq!(store.compile(), []);
        assert_eq!(&*store.document(policy).statements[0].sid, "1");
    }

    #[test]
    fn a_trust_statement_that_names_nobody_is_not_understood_and_its_siblings_count() {
        for nobody in ["", r#""Principal":{},"#, r#""Principal":[],"#, r#""Principal":{"AWS":[]},"#] {
            let mut store = PolicyStore::default();
            let text = format!(
                r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}},
                {{"Effect":"Allow",{nobody}"Action":"sts:AssumeRole"}}]}}"#
            );
            let trust = store.add("trust policy".into(), PolicyRole::Trust, &text, Evidence::whole("x.json"));
            let problems: Vec<String> = store.compile().into_iter().map(|(_, problem)| problem).collect();
            assert!(store.broken(trust) && problems[0].contains("names no principal in statement 1"), "{problems:?}");
            assert_eq!(store.document(trust).statements.len(), 2);
        }
    }
}
