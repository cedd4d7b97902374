//! Statements as sets: which actions, on which resources, under which tests.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use evenhand_model::catalog::Catalog;
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};
use evenhand_model::opset::{OpSet, OperationIx};
use evenhand_model::scope::{Pattern, ResourceScope};

use super::arn::{self, Element, Length};
use super::context::{Context, Lookup, NothingKnown};
use super::document::{Action, ConditionTest, Effect, Listed, Statement, Written};
use super::operator::{self, Prepared};
use super::store::PolicyRole;
use crate::catalog::{ActionText, Catalogue};

/// A document, compiled.
#[derive(Debug, Default)]
pub(crate) struct CompiledPolicy {
    /// In the order of the document: the place is the statement's number.
    pub(crate) statements: Vec<CompiledStatement>,
    /// Whether what it grants depends on who asks.
    pub(crate) personal: bool,
}

/// A statement, compiled.
#[derive(Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    pub(crate) parts: Box<[Part]>,
    elements: Box<[Element]>,
    pub(crate) tests: Arc<[ConditionTest]>,
    /// The values of the tests, by number; read when a decision first needs them.
    prepared: Box<[OnceLock<Prepared>]>,
    /// What the language does not have and the statement does.
    opaque: Option<Arc<str>>,
    /// The condition, where it is the same for everybody.
    fixed: Option<Arc<Condition>>,
}

/// Some of a statement's actions, with the resources that it means for them.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) operations: Arc<OpSet>,
    reach: Reach,
    /// The scope, where it is the same for everybody.
    fixed: Option<Arc<ResourceScope>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// Every resource, and actions that have none.
    Everything,
    /// These of the statement's elements, each by its [`bit`].
    In(u128),
    /// None of the statement's elements.
    NotIn,
}

/// The bits of all elements.
const ALL: u128 = u128::MAX;

/// The bit of an element; what comes after the last bit shares it.
fn bit(at: usize) -> u128 {
    1 << at.min(127)
}

/// Keys that say who asks.
pub(crate) fn is_personal(key: &str) -> bool {
    matches!(key, "aws:username" | "aws:userid" | "aws:principalarn" | "aws:principalaccount" | "aws:principaltype")
        || key == "kms:calleraccount"
        || matches!(key, "aws:principalisawsservice" | "aws:principalservicename" | "aws:principalservicenameslist")
        || key.starts_with("aws:principaltag/")
}

impl CompiledPolicy {
    /// Compiles a document. Returns what in it cannot be understood, for people.
    pub(crate) fn of(document: &Written<'_>, role: PolicyRole) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let unconditional = Arc::new(Condition::unconditional());
        let statements: Vec<CompiledStatement> = document
            .statements
            .iter()
            .enumerate()
            .map(|(number, statement)| {
                let mut compiled = compile(statement, role, document.variables, &mut |problem| {
                    problems.push(format!("statement {number} {problem}"));
                });
                compiled.settle(&unconditional);
                compiled
            })
            .collect();
        let personal = statements.iter().any(CompiledStatement::personal);
        (Self { statements, personal }, problems)
    }
}

fn compile(
    statement: &Statement<Cow<'_, str>>,
    role: PolicyRole,
    variables: bool,
    problem: &mut dyn FnMut(String),
) -> CompiledStatement {
    let catalogue = Catalogue::global();
    let operations = operations(&statement.actions, catalogue, problem);
    let opaque = unknown_elements(statement, problem);
    let inverted = matches!(statement.resources, Some(Listed::NotIn(_)));
    let mut elements: Vec<Element> = Vec::new();
    let mut never = false;
    match &statement.resources {
        Some(Listed::In(texts)) => {
            elements.extend(texts.iter().map(|text| meant(arn::element(text, role, variables).0, catalogue)));
            if elements.is_empty() {
                never = true;
            }
        }
        Some(Listed::NotIn(texts)) => {
            for text in texts {
                let (element, length) = arn::element(text, role, variables);
                never |= length == Length::Short;
                elements.push(meant(element, catalogue));
            }
        }
        // Trust policies mean the role that they stand on; so do some resource policies.
        None => match role {
            PolicyRole::Trust | PolicyRole::Resource => elements.push(Element::Fixed(Pattern::any())),
            _ => {
                problem("names no resource, so it matches nothing".to_owned());
                never = true;
            }
        },
    }
    elements.retain(|element| !matches!(element, Element::Nothing));
    let everything = elements.iter().any(|element| matches!(element, Element::Fixed(pattern) if pattern.is_any()));
    let mut parts = Vec::with_capacity(1);
    let mut add = |operations: OpSet, reach: Reach| {
        if !operations.is_empty() {
            parts.push(Part { operations: Arc::new(operations), reach, fixed: None });
        }
    };
    if !never && !inverted && everything {
        add(operations, Reach::Everything);
    } else if !never && !inverted && !elements.is_empty() {
        // A specific name neither grants nor denies an action that knows no resource but `*`. Resource policies speak of
        // the resource that they stand on, whatever its name.
        let is_its_own = matches!(role, PolicyRole::Trust | PolicyRole::Resource);
        if statement.effect == Effect::Allow && !is_its_own {
            for (reach, operations) in by_resource_type(&operations, &elements, catalogue) {
                add(operations, Reach::In(reach));
            }
        } else {
            add(catalogue.with_resources(&operations), Reach::In(ALL));
        }
    } else if !never && inverted && !everything {
        // An action without resources is none of the resources listed.
        add(operations.intersection(catalogue.wildcard_only()), Reach::Everything);
        add(catalogue.with_resources(&operations), Reach::NotIn);
    }
    let tests = Arc::clone(&statement.conditions);
    CompiledStatement {
        effect: statement.effect,
        parts: parts.into(),
        elements: elements.into(),
        prepared: tests.iter().map(|_| OnceLock::new()).collect(),
        tests,
        opaque,
        fixed: None,
    }
}

/// An entry as the vendor means it: a wildcard does not stand for the kind of a resource, so that `*/i-1` reaches no
/// `instance/i-1` (IAM User Guide, "IAM identifiers"). `*` and `*/*` are every resource; EC2's own guide writes the latter.
fn meant(element: Element, catalogue: &Catalogue) -> Element {
    let Element::Fixed(pattern) = &element else { return element };
    let (Some(Glob::Literal(service)), Some(Glob::Tokens(rest))) =
        (pattern.segments().get(2), pattern.segments().get(5))
    else {
        return element;
    };
    let Some(separator) = rest.iter().position(|token| matches!(token, Token::Char('/' | ':'))) else {
        return element;
    };
    let hides_kind = rest.iter().take(separator).any(|token| matches!(token, Token::Many | Token::One));
    let names_one = rest.iter().skip(separator + 1).any(|token| *token != Token::Many);
    if hides_kind && names_one && catalogue.has_kinds(service) { Element::Nothing } else { element }
}

fn operations(actions: &Listed<Action>, catalogue: &Catalogue, problem: &mut dyn FnMut(String)) -> OpSet {
    let (actions, inverted) = match actions {
        Listed::In(actions) => (actions, false),
        Listed::NotIn(actions) => (actions, true),
    };
    let mut ranges = Vec::with_capacity(actions.len());
    for action in actions {
        let name = match action {
            Action::Known(OperationIx(at)) => {
                ranges.push((*at, at + 1));
                continue;
            }
            Action::Text(name) => name,
        };
        match catalogue.match_other(name, &mut ranges) {
            ActionText::Known | ActionText::Retired => {}
            ActionText::Unknown => problem(format!("names the unknown action `{name}`")),
            ActionText::Malformed => {
                problem(format!("names `{name}`, which is not written as an action and matches nothing"));
            }
        }
    }
    let listed = OpSet::from_ranges(ranges);
    if inverted { OpSet::all(catalogue.len()).difference(&listed) } else { listed }
}

fn unknown_elements<R>(statement: &Statement<R>, problem: &mut dyn FnMut(String)) -> Option<Arc<str>> {
    for test in statement.conditions.iter().filter(|test| test.operator.is_none()) {
        problem(format!("uses the unknown condition operator `{}`", test.written));
    }
    if statement.unknown.is_empty() {
        return None;
    }
    let names: Vec<String> = statement.unknown.iter().map(|name| format!("`{name}`")).collect();
    let text = format!("has elements that the policy language does not know: {}", names.join(", "));
    problem(text.clone());
    Some(text.into())
}

/// Groups actions by the elements that can name one of their resources. Actions that none of them fits are left out:
/// the statement cannot mean them.
fn by_resource_type(operations: &OpSet, elements: &[Element], catalogue: &Catalogue) -> Vec<(u128, OpSet)> {
    let patterns: Vec<Option<Cow<'_, Pattern>>> = elements
        .iter()
        .map(|element| match element {
            Element::Fixed(pattern) => Some(Cow::Borrowed(pattern)),
            Element::Template(template) => template.fill(&NothingKnown).map(arn::filled).map(Cow::Owned),
            Element::Nothing => None,
        })
        .collect();
    let reached = |kind: u16| {
        let Some(kind) = catalogue.patterns().get(usize::from(kind)) else { return ALL };
        let fits = |pattern: &Pattern| may_overlap(kind, pattern) && !misses_bucket(kind, pattern);
        let fitting = patterns.iter().enumerate().filter(|(_, pattern)| pattern.as_deref().is_some_and(fits));
        fitting.fold(0, |reach, (at, _)| reach | bit(at))
    };
    // Sorted. Kinds are numbered by service as actions are, so that most come last.
    let mut kinds: Vec<(u16, u128)> = Vec::new();
    let mut groups: Vec<(u128, Vec<(u32, u32)>)> = Vec::new();
    for operation in operations.iter() {
        let mut mask = 0_u128;
        for kind in catalogue.resources(operation) {
            mask |= match kinds.binary_search_by_key(kind, |(kind, _)| *kind) {
                Ok(at) => kinds.get(at).map_or(0, |(_, reach)| *reach),
                Err(at) => {
                    let reach = reached(*kind);
                    kinds.insert(at, (*kind, reach));
                    reach
                }
            };
        }
        if mask == 0 {
            continue;
        }
        let next = (operation.0, operation.0 + 1);
        match groups.iter_mut().find(|(held, _)| *held == mask) {
            Some((_, ranges)) => match ranges.last_mut() {
                Some((_, end)) if *end == operation.0 => *end += 1,
                _ => ranges.push(next),
            },
            None => groups.push((mask, vec![next])),
        }
    }
    groups.sort_unstable_by_key(|(mask, _)| *mask);
    groups.into_iter().map(|(mask, ranges)| (mask, OpSet::from_ranges(ranges))).collect()
}

/// Whether a kind of resource is buckets and a pattern reaches objects only: no bucket's name holds a slash.
fn misses_bucket(kind: &Pattern, pattern: &Pattern) -> bool {
    let (Some(Glob::Literal(service)), Some(Glob::Any)) = (kind.segments().get(2), kind.segments().get(5)) else {
        return false;
    };
    **service == *"s3"
        && pattern.segments().get(5).is_some_and(|name| match name {
            Glob::Literal(text) | Glob::Prefix(text) => text.contains('/'),
            Glob::Tokens(tokens) => tokens.contains(&Token::Char('/')),
            Glob::Any => false,
        })
}

/// Whether two names' patterns may share a name; the segments that differ most are looked at first.
pub(crate) fn may_overlap(a: &Pattern, b: &Pattern) -> bool {
    if a.is_any() || b.is_any() {
        return true;
    }
    [2, 5, 4, 3, 1, 0].into_iter().all(|at| match (a.segments().get(at), b.segments().get(at)) {
        (Some(a), Some(b)) => a.overlaps(b) != Truth::No,
        _ => false,
    })
}

impl CompiledStatement {
    /// Makes what is the same for everybody once. `unconditional`: what those share that ask for nothing.
    fn settle(&mut self, unconditional: &Arc<Condition>) {
        let templates = self.elements.iter().any(|element| matches!(element, Element::Template(_)));
        if !self.tests.iter().any(test_is_personal) {
            self.fixed = self.build_condition(&NothingKnown).map(|condition| {
                if condition.is_unconditional() { Arc::clone(unconditional) } else { Arc::new(condition) }
            });
        }
        let mut parts = std::mem::take(&mut self.parts);
        for part in parts.iter_mut().filter(|part| !templates || part.reach == Reach::Everything) {
            part.fixed = self.build_scope(part.reach, &NothingKnown).map(Arc::new);
        }
        self.parts = parts;
    }

    fn personal(&self) -> bool {
        self.fixed.is_none() || self.parts.iter().any(|part| part.fixed.is_none())
    }

    /// What the statement depends on of who asks, in a form that is equal where the outcome is.
    pub(crate) fn signature(&self, context: &dyn Context, into: &mut Vec<u8>) {
        let mut value = |key: &str| match context.get(key) {
            Lookup::Known(values) => {
                for value in values {
                    into.extend(value.as_bytes());
                    into.push(0);
                }
                into.push(1);
            }
            Lookup::Absent => into.push(2),
            Lookup::Unknown => into.push(3),
        };
        for element in &self.elements {
            if let Element::Template(template) = element {
                template.keys().for_each(|key| value(key));
            }
        }
        if self.fixed.is_some() {
            return;
        }
        let mut outcomes = Vec::new();
        for test in self.tests.iter() {
            for template in test.values.iter().filter(|text| text.contains("${")).map(|text| arn::Template::parse(text))
            {
                template.keys().for_each(|key| value(key));
            }
            outcomes.push(operator::holds(test, context) as u8);
        }
        into.extend(outcomes);
    }

    /// The resources of a part for whoever asks. `None` = none, because a variable has no value.
    pub(crate) fn scope(&self, part: &Part, context: &dyn Context) -> Option<Arc<ResourceScope>> {
        match &part.fixed {
            Some(fixed) => Some(Arc::clone(fixed)),
            None => self.build_scope(part.reach, context).map(Arc::new),
        }
    }

    fn build_scope(&self, reach: Reach, context: &dyn Context) -> Option<ResourceScope> {
        match reach {
            Reach::Everything => Some(ResourceScope::everything()),
            Reach::In(elements) => {
                let patterns = self.some_elements(elements, context);
                (!patterns.is_empty()).then(|| ResourceScope::any_of(patterns))
            }
            // A variable without a value makes the whole statement match nothing. Source: IAM User Guide, "Policy variables":
            // "If AWS cannot resolve a variable this might cause the entire statement to be invalid."
            Reach::NotIn => Some(ResourceScope::everything().without(self.all_elements(context)?)),
        }
    }

    /// All resources that the statement names for whoever asks, and whether it means what they are not. `None` where it
    /// means none, or what it leaves out depends on a variable without a value.
    pub(crate) fn resources(&self, context: &dyn Context) -> Option<(Vec<Pattern>, bool)> {
        if self.excludes() {
            return Some((self.all_elements(context)?, true));
        }
        let mut patterns = Vec::new();
        for part in self.parts.iter() {
            match part.reach {
                Reach::Everything => return Some((vec![Pattern::any()], false)),
                Reach::In(elements) => patterns.extend(self.some_elements(elements, context)),
                Reach::NotIn => {}
            }
        }
        patterns.sort_unstable();
        patterns.dedup();
        (!patterns.is_empty()).then_some((patterns, false))
    }

    /// The resources of the elements with these bits.
    fn some_elements(&self, bits: u128, context: &dyn Context) -> Vec<Pattern> {
        let elements = self.elements.iter().enumerate().filter(|(at, _)| bits & bit(*at) != 0);
        elements.filter_map(|(_, element)| resource(element, context)).collect()
    }

    fn all_elements(&self, context: &dyn Context) -> Option<Vec<Pattern>> {
        self.elements.iter().map(|element| resource(element, context)).collect()
    }

    /// What is left of the condition for whoever asks. `None` = it cannot hold.
    pub(crate) fn condition(&self, context: &dyn Context) -> Option<Arc<Condition>> {
        match &self.fixed {
            Some(fixed) => Some(Arc::clone(fixed)),
            None => self.build_condition(context).map(Arc::new),
        }
    }

    fn build_condition(&self, context: &dyn Context) -> Option<Condition> {
        let mut condition = Condition::unconditional();
        for test in self.tests.iter() {
            match operator::holds(test, context) {
                Truth::Yes => {}
                Truth::No => return None,
                Truth::Unknown => condition = condition.with(Clause::When(model_test(test, context)?)),
            }
        }
        if let Some(opaque) = &self.opaque {
            condition = condition.with(Clause::Opaque(Arc::clone(opaque)));
        }
        Some(condition)
    }

    /// The tests with whether each holds.
    pub(crate) fn tested<'a>(
        &'a self,
        context: &'a dyn Context,
    ) -> impl Iterator<Item = (&'a ConditionTest, Truth)> + 'a {
        let prepared = self.tests.iter().zip(&self.prepared);
        prepared.map(move |(test, prepared)| (test, operator::holds_prepared(test, prepared, context)))
    }

    /// The context keys of variables in resource names.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Arc<str>> {
        self.elements
            .iter()
            .filter_map(|element| if let Element::Template(template) = element { Some(template) } else { None })
            .flat_map(arn::Template::keys)
    }

    /// Whether it says which resources it does not mean (`NotResource`).
    pub(crate) fn excludes(&self) -> bool {
        self.parts.iter().any(|part| part.reach == Reach::NotIn)
    }

    /// Whether elements of the statement are not understood.
    pub(crate) fn opaque(&self) -> Option<&Arc<str>> {
        self.opaque.as_ref()
    }
}

/// Keys whose value is the caller's own name, and nobody else's.
fn is_own_name(key: &str) -> bool {
    matches!(key, "aws:username" | "aws:userid" | "aws:principalarn")
}

/// A context in which the caller's own name is not known.
struct Unnamed<'a>(&'a dyn Context);

impl Context for Unnamed<'_> {
    fn get(&self, key: &str) -> Lookup {
        if is_own_name(key) { Lookup::Unknown } else { self.0.get(key) }
    }
}

/// The resources that an entry means for whoever asks.
fn resource(element: &Element, context: &dyn Context) -> Option<Pattern> {
    match element {
        Element::Fixed(pattern) => Some(pattern.clone()),
        Element::Template(template) => filled(template, context),
        Element::Nothing => None,
    }
}

/// The resources that a text with variables means for whoever asks.
fn filled(template: &arn::Template, context: &dyn Context) -> Option<Pattern> {
    let pattern = arn::filled(template.fill(context)?);
    if !template.keys().any(|key| is_own_name(key)) {
        return Some(pattern);
    }
    let open = template.fill(&Unnamed(context)).map(arn::filled)?;
    Some(pattern.of_own_name(open))
}

fn test_is_personal(test: &ConditionTest) -> bool {
    is_personal(&test.key)
        || test
            .values
            .iter()
            .any(|value| value.contains("${") && arn::Template::parse(value).keys().any(|key| is_personal(key)))
}

/// A test in the vocabulary of conditions; known variables are put in place. A value with a variable that has none fits
/// nothing and fails every operator, negated ones included, so that what is left may ask for a request without the key.
/// `None` = it cannot hold.
pub(crate) fn model_test(test: &ConditionTest, context: &dyn Context) -> Option<Test> {
    let negated = test.operator.is_some_and(operator::Operator::negated);
    let mut values: Vec<Arc<str>> = Vec::with_capacity(test.values.len());
    let mut is_short = false;
    for value in &test.values {
        if !value.contains("${") {
            values.push(Arc::clone(value));
            continue;
        }
        match arn::Template::parse(value).fill(context) {
            Some(tokens) => values.push(arn::rewritten(&tokens).into()),
            None => is_short = true,
        }
    }
    if test.operator.is_some() && is_short && (negated || values.is_empty()) {
        let without_key = Test {
            operator: Arc::from("Null"),
            key: Arc::clone(&test.key),
            values: [Arc::from("true")].into(),
            negated: false,
        };
        return operator::holds_without_key(test).then_some(without_key);
    }
    values.sort_unstable();
    values.dedup();
    Some(Test { operator: Arc::clone(&test.written), key: Arc::clone(&test.key), values: values.into(), negated })
}
