//! Right-sized policies as policy documents.
//!
//! A proposal takes the place of all identity policies of a principal: inline, attached and those of its groups. Its
//! boundary, the organisation's policies and the policies of resources stay in force, so what they take away is not said
//! again. Denies and exclusions of the replaced policies are carried over, and those of the human role become denies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::{GrantIx, Slice};
use evenhand_model::catalog::Catalog;
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, quoted};
use evenhand_model::scope::{Pattern, ResourceScope};
use serde::Serialize;

use super::Resolver;
use super::caller::Caller;
use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::policy::document::Effect;
use crate::world::{Principal, PrincipalKind};

/// The name of the inline policy that a proposal becomes.
const NAME: &str = "evenhand-right-sized";

/// The most characters of a managed policy, white space apart. Source: IAM and AWS STS quotas.
const MANAGED: usize = 6_144;
/// A document whose statements have so many actions at most fits into a managed policy, unless it names very many
/// resources: the longest names of actions have some sixty characters.
const ACTIONS: usize = 80;
/// How many managed policies a principal may have attached before its account asks for more. Source: IAM and AWS STS
/// quotas.
const ATTACHED: usize = 10;

/// A document. The members are in the order in which people write them.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    action: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_resource: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: Tests,
}

/// Operator, key, values.
type Tests = BTreeMap<Arc<str>, BTreeMap<Arc<str>, Vec<Arc<str>>>>;

/// What is granted or denied, before it is a statement.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reach {
    resources: Vec<String>,
    /// Whether the resources are those that are meant, or those that are not.
    inverted: bool,
    tests: Tests,
}

/// A deny that goes with a part of what is kept.
#[derive(Clone)]
struct Denied {
    operations: OpSet,
    scope: ResourceScope,
    reach: Reach,
}

impl Proposes for Resolver {
    fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool {
        let policies = &self.world().policies;
        self.world().principals.get(identity).is_some_and(|principal| {
            principal.identity_policies.iter().any(|policy| {
                let statements = policies.document(*policy).statements.len();
                (policies.grant_number(*policy, 0)..policies.grant_number(*policy, statements)).contains(&grant)
            })
        })
    }

    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal> {
        let Some(principal) = self.world().principals.get(identity) else {
            return Err(NoProposal {
                reason: format!("nothing about the policies of `{identity}` was read"),
                remedy: "add the output of `aws iam get-account-authorization-details` of its account".to_owned(),
            });
        };
        let kind = Changed::of(principal)?;
        let mut left_out = Vec::new();
        let mut grants: BTreeMap<Reach, OpSet> = BTreeMap::new();
        let mut denies: BTreeMap<Reach, OpSet> = BTreeMap::new();
        let own = self.own_denies(principal);
        let excluding = self.excluding(principal);
        for (at, part) in kept.iter().enumerate() {
            match written(part, kept, excluding.contains(&part.of.grant)) {
                Ok((reach, denied)) if own.iter().all(|deny| deny.is_ok_for(&part.slice.operations)) => {
                    let held = grants.entry(reach).or_default();
                    *held = held.union(&part.slice.operations);
                    for deny in denied {
                        let held = denies.entry(deny.reach).or_default();
                        *held = held.union(&deny.operations);
                    }
                }
                Ok(_) => {
                    let why = "a deny of the present policies cannot be written again";
                    left_out.push(LeftOut::whole(at, part, why));
                }
                Err(why) => left_out.push(LeftOut::whole(at, part, why)),
            }
        }
        let granted = grants.values().fold(OpSet::new(), |all, operations| all.union(operations));
        for OwnDeny { operations, reach } in own {
            let operations = operations.intersection(&granted);
            if let (Some(reach), false) = (reach, operations.is_empty()) {
                let held = denies.entry(reach).or_default();
                *held = held.union(&operations);
            }
        }
        let statements = grants.into_iter().map(|(reach, operations)| statement("Allow", reach, &operations));
        let denies = denies.into_iter().map(|(reach, operations)| statement("Deny", reach, &operations));
        let mut statements: Vec<Statement> = statements.chain(denies).collect();
        for (number, statement) in (1..).zip(&mut statements) {
            statement.sid = format!("{}{number}", if statement.effect == "Allow" { "Keep" } else { "Never" });
        }
        let name = format!("{}-{}{apart}", kind.word(), file_name(&principal.name));
        let documents = documents(statements, kind.quota());
        let files: Vec<ProposedFile> = match documents.as_slice() {
            [one] => vec![ProposedFile { name: format!("{name}.policy.json"), text: printed(one)? }],
            several => {
                let numbered = (1..).zip(several);
                let file = |(number, document): (u32, &Document)| -> Result<ProposedFile, NoProposal> {
                    Ok(ProposedFile { name: format!("{name}.policy-{number}.json"), text: printed(document)? })
                };
                numbered.map(file).collect::<Result<_, _>>()?
            }
        };
        let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        let steps = self.steps(principal, kind, &names);
        Ok(Proposal { files, steps, left_out })
    }

    fn evidence_of_use(&self, identity: &IdentityId) -> Option<String> {
        Some(format!(
            "the report of last access: `aws iam generate-service-last-accessed-details --granularity ACTION_LEVEL --arn \
             {}`, then the output of `aws iam get-service-last-accessed-details --job-id JOB` in a file, wrapped so \
             that it says whose it is: {{\"call\": \"iam get-service-last-accessed-details\", \"parameters\": {{\"Arn\": \
             \"{identity}\"}}, \"response\": …}}",
            quoted(identity.as_str())
        ))
    }
}

/// What kind of principal is changed, and by which calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    User,
    Role,
    Group,
    PermissionSet,
}

impl Changed {
    fn of(principal: &Principal) -> Result<Self, NoProposal> {
        let refuse =
            |reason: &str, remedy: &str| Err(NoProposal { reason: reason.to_owned(), remedy: remedy.to_owned() });
        match principal.kind {
            PrincipalKind::Root => refuse(
                "no policy limits an account's root user",
                "use a role in its place, and lock the root user away",
            ),
            PrincipalKind::JobFunction => {
                refuse("this stands for a policy of the vendor, which nobody can change", "name the role that holds it")
            }
            _ if principal.service_linked => refuse(
                "the policy of a service-linked role is the vendor's, which nobody can change",
                "limit what may use the role instead",
            ),
            PrincipalKind::User => Ok(Self::User),
            PrincipalKind::Role => Ok(Self::Role),
            PrincipalKind::Group => Ok(Self::Group),
            PrincipalKind::PermissionSet => Ok(Self::PermissionSet),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
            Self::Group => "group",
            Self::PermissionSet => "permission-set",
        }
    }

    /// The most characters of its inline policies together, white space apart. Source: IAM and AWS STS quotas.
    fn quota(self) -> usize {
        match self {
            Self::User => 2_048,
            Self::Role | Self::PermissionSet => 10_240,
            Self::Group => 5_120,
        }
    }
}

/// A name as a file's.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// A deny of the present policies; without a reach where the language of this module cannot say it again.
struct OwnDeny {
    operations: OpSet,
    reach: Option<Reach>,
}

impl OwnDeny {
    fn is_ok_for(&self, operations: &OpSet) -> bool {
        self.reach.is_some() || !self.operations.intersects(operations)
    }
}

impl Resolver {
    fn own_denies(&self, principal: &Principal) -> Vec<OwnDeny> {
        let caller = Caller::of(principal);
        let mut denies = Vec::new();
        for policy in &principal.identity_policies {
            let compiled = self.world().policies.compiled(*policy);
            for statement in compiled.statements.iter().filter(|statement| statement.effect == Effect::Deny) {
                // A condition that cannot hold denies nothing.
                let Some(condition) = statement.condition(&caller) else { continue };
                for part in &statement.parts {
                    let Some(scope) = statement.scope(part, &caller) else { continue };
                    let reach = tests_of(&condition, &Condition::unconditional())
                        .ok()
                        .and_then(|tests| deny_reach(&scope, tests));
                    denies.push(OwnDeny { operations: (*part.operations).clone(), reach });
                }
            }
        }
        denies
    }

    /// The statements that grant what is not on a list: what they leave out, nothing else need say.
    fn excluding(&self, principal: &Principal) -> BTreeSet<GrantIx> {
        let policies = &self.world().policies;
        let mut excluding = BTreeSet::new();
        for policy in &principal.identity_policies {
            for (number, statement) in policies.compiled(*policy).statements.iter().enumerate() {
                if statement.effect == Effect::Allow && statement.excludes() {
                    excluding.insert(policies.grant_number(*policy, number));
                }
            }
        }
        excluding
    }

    /// What to do, and in which order: the new policy first, so that nothing stops in between.
    fn steps(&self, principal: &Principal, kind: Changed, files: &[&str]) -> Vec<String> {
        let name = quoted(&principal.name);
        let mut steps = Vec::new();
        // Managed policies of an earlier proposal that go on with the text of this one.
        let mut rewritten: Vec<String> = Vec::new();
        match (kind, files) {
            (_, []) => {}
            (Changed::PermissionSet, [file]) => steps.push(format!(
                "aws sso-admin put-inline-policy-to-permission-set --instance-arn INSTANCE --permission-set-arn {} \
                 --inline-policy file://{}",
                quoted(principal.id.as_str()),
                quoted(file)
            )),
            (_, [file]) => {
                let word = kind.word();
                steps.push(format!(
                    "aws iam put-{word}-policy --{word}-name {name} --policy-name {NAME} --policy-document file://{}",
                    quoted(file)
                ));
            }
            // More than an inline policy may hold.
            (_, several) => {
                let word = kind.word();
                if several.len() > ATTACHED {
                    steps.push(format!(
                        "{} managed policies are more than the {ATTACHED} that a {word} may have attached: ask for a \
                         higher quota, or for less",
                        several.len()
                    ));
                }
                let partition = principal.id.as_str().split(':').nth(1).unwrap_or("aws");
                for (number, file) in (1..).zip(several) {
                    let policy = format!("{}-right-sized-{number}", file_name(&principal.name));
                    let arn = format!("arn:{partition}:iam::{}:policy/{policy}", principal.account.0);
                    let (policy, file, quoted_arn) = (quoted(&policy), quoted(file), quoted(&arn));
                    if principal.attached.iter().any(|held| **held == *arn) {
                        steps.push(format!(
                            "aws iam create-policy-version --policy-arn {quoted_arn} --policy-document file://{file} \
                             --set-as-default"
                        ));
                        rewritten.push(arn);
                        continue;
                    }
                    steps.push(format!("aws iam create-policy --policy-name {policy} --policy-document file://{file}"));
                    steps.push(match kind {
                        Changed::PermissionSet => {
                            format!("attach {policy} to the permission set as a customer managed policy")
                        }
                        Changed::User | Changed::Role | Changed::Group => {
                            format!("aws iam attach-{word}-policy --{word}-name {name} --policy-arn {quoted_arn}")
                        }
                    });
                }
            }
        }
        let world = self.world();
        let groups: Vec<&Principal> = principal.groups.iter().filter_map(|group| world.principals.get(group)).collect();
        for group in &groups {
            steps.push(format!(
                "aws iam remove-user-from-group --user-name {name} --group-name {}",
                quoted(&group.name)
            ));
        }
        let of_groups: BTreeSet<_> = groups.iter().flat_map(|group| &group.identity_policies).collect();
        let word = kind.word();
        if kind == Changed::PermissionSet {
            steps.push("detach the permission set's other policies, and provision it again".to_owned());
            return steps;
        }
        for managed in principal.attached.iter().filter(|held| !rewritten.iter().any(|arn| **arn == ***held)) {
            steps.push(format!("aws iam detach-{word}-policy --{word}-name {name} --policy-arn {}", quoted(managed)));
        }
        let inline = principal.identity_policies.iter().filter(|policy| !of_groups.contains(policy));
        // The one file takes the place of an earlier one, whose name it has.
        let replaced = |inline: &str| files.len() == 1 && inline == NAME;
        for label in inline.map(|policy| world.policies.label(*policy)) {
            if let Some(inline) = label.strip_prefix("inline policy ").filter(|inline| !replaced(inline)) {
                steps.push(format!(
                    "aws iam delete-{word}-policy --{word}-name {name} --policy-name {}",
                    quoted(inline)
                ));
            }
        }
        for missing in &principal.missing {
            steps.push(format!(
                "look at `{missing}` before you take it away: it was not read, and what it denies goes with it"
            ));
        }
        steps
    }
}

/// Statements as one document where an inline policy may hold it, else as several that managed policies may hold. Denies
/// hold for what any of them grants.
fn documents(statements: Vec<Statement>, quota: usize) -> Vec<Document> {
    let document = |statement: Vec<Statement>| Document { version: "2012-10-17", statement };
    let size = |document: &Document| serde_json::to_string(document).map_or(usize::MAX, |text| text.len());
    if statements.is_empty() {
        return Vec::new();
    }
    let whole = document(statements);
    if size(&whole) <= quota {
        return vec![whole];
    }
    let pieces = whole.statement.iter().flat_map(|statement| {
        let chunks = statement.action.chunks(ACTIONS).enumerate();
        chunks.map(|(number, action)| {
            // Names of statements are told apart inside a document only; letters tell the parts of one.
            let part = if number == 0 { String::new() } else { format!("Part{}", number + 1) };
            Statement { sid: format!("{}{part}", statement.sid), action: action.to_vec(), ..statement.clone() }
        })
    });
    let mut documents: Vec<Document> = Vec::new();
    for piece in pieces {
        if let Some(last) = documents.last_mut() {
            last.statement.push(piece);
            if size(last) <= MANAGED {
                continue;
            }
            let Some(piece) = last.statement.pop() else { continue };
            documents.push(document(vec![piece]));
        } else {
            documents.push(document(vec![piece]));
        }
    }
    documents
}

fn printed(document: &Document) -> Result<String, NoProposal> {
    match serde_json::to_string_pretty(document) {
        Ok(text) => Ok(format!("{text}\n")),
        Err(error) => Err(NoProposal { reason: error.to_string(), remedy: "report this".to_owned() }),
    }
}

/// A statement. What is granted is named one by one: a wildcard would grant what the catalogue does not know, and what the
/// vendor adds. A deny may reach further, and is shorter so.
fn statement(effect: &'static str, reach: Reach, operations: &OpSet) -> Statement {
    let catalogue = Catalogue::global();
    let action = match effect {
        "Deny" => catalogue.summarise(operations).into_iter().map(|(name, _)| name).collect(),
        _ => operations.iter().map(|operation| catalogue.name(operation)).collect(),
    };
    let (resource, not_resource) =
        if reach.inverted { (None, Some(reach.resources)) } else { (Some(reach.resources), None) };
    Statement { sid: String::new(), effect, action, resource, not_resource, condition: reach.tests }
}

/// How a part of what is kept is granted, and what has to be denied beside it. `excluding` tells whether the statement that
/// grants it now says what it does not reach; then no deny or limit need say it, and it is said again.
fn written(part: &Kept, all: &[Kept], excluding: bool) -> Result<(Reach, Vec<Denied>), &'static str> {
    let Kept { slice, of } = part;
    let said = |hole: &Pattern| !excluding && of.scope.none_of.contains(hole);
    let mut holes: Vec<Pattern> = slice.scope.none_of.iter().filter(|hole| !said(hole)).cloned().collect();
    let tests = tests_of(&slice.condition, &of.condition)?;
    let reach = match excluding && slice.scope.all_of.is_empty() && !holes.is_empty() {
        true => Reach { resources: holes.drain(..).map(|hole| entry(&hole)).collect(), inverted: true, tests },
        false => Reach { resources: resources(&slice.scope)?, inverted: false, tests },
    };
    let mut denied = Vec::new();
    if !holes.is_empty() {
        denied.push((ResourceScope::any_of(holes), Tests::new()));
    }
    for clause in slice.condition.clauses().filter(|clause| !of.condition.clauses().any(|held| held == *clause)) {
        if let Clause::Unless { tests, scope } = clause {
            denied.push(((**scope).clone(), joined(tests.iter())?));
        }
    }
    let mut denies = Vec::new();
    for (scope, tests) in denied {
        let reach = deny_reach(&scope, tests).ok_or("what the human role is denied cannot be written as one deny")?;
        let deny = Denied { operations: (*slice.operations).clone(), scope, reach };
        if all.iter().any(|other| deny.takes_from(&other.slice, part)) {
            return Err("a deny of what it leaves out would take from what else may stay");
        }
        denies.push(deny);
    }
    Ok((reach, denies))
}

impl Denied {
    /// Whether the deny would take away something that is kept beside the part that it goes with.
    fn takes_from(&self, other: &Slice, part: &Kept) -> bool {
        let excluded = self.reach.tests.is_empty()
            && self.scope.all_of.iter().flat_map(|list| list.iter()).all(|hole| other.scope.none_of.contains(hole));
        let mut clauses = part.slice.condition.clauses().filter(|clause| matches!(clause, Clause::Unless { .. }));
        let asked =
            !self.reach.tests.is_empty() && clauses.all(|clause| other.condition.clauses().any(|held| held == clause));
        other.operations.intersects(&self.operations)
            && !excluded
            && !asked
            && other.scope.intersection(&self.scope).is_nothing() != Truth::Yes
    }
}

/// A scope of at most one list, as entries of a policy; its exclusions are no part of them.
fn resources(scope: &ResourceScope) -> Result<Vec<String>, &'static str> {
    match scope.all_of.as_slice() {
        [] => Ok(vec!["*".to_owned()]),
        [list] => Ok(list.iter().map(entry).collect()),
        _ => Err("its resources are limited by several lists"),
    }
}

/// What a deny reaches; `None` where one statement cannot say it.
fn deny_reach(scope: &ResourceScope, tests: Tests) -> Option<Reach> {
    match (scope.all_of.as_slice(), scope.none_of.as_slice()) {
        (_, []) => Some(Reach { resources: resources(scope).ok()?, inverted: false, tests }),
        ([], holes) => Some(Reach { resources: holes.iter().map(entry).collect(), inverted: true, tests }),
        _ => None,
    }
}

/// A pattern as an entry under `Resource`.
fn entry(pattern: &Pattern) -> String {
    if pattern.is_any() {
        return "*".to_owned();
    }
    let segments: Vec<String> = pattern.segments().iter().map(|segment| arn::rewritten(&segment.tokens())).collect();
    segments.join(":")
}

/// The tests of a condition, apart from what stays in force anyway because something else than the replaced policies says
/// it: what denies and limits leave of the present grant.
fn tests_of(condition: &Condition, present: &Condition) -> Result<Tests, &'static str> {
    let mut tests = Vec::new();
    for clause in condition.clauses() {
        match clause {
            Clause::When(test) => tests.push(test),
            Clause::Unless { .. } => {}
            Clause::AnyOf(_) if present.clauses().any(|held| held == clause) => {}
            Clause::AnyOf(_) => return Err("its condition has alternatives, which one statement cannot say"),
            Clause::Opaque(_) => return Err("its condition is not understood"),
        }
    }
    joined(tests.into_iter())
}

/// All of some tests as one condition block, in which a key occurs once under an operator.
fn joined<'t>(tests: impl Iterator<Item = &'t Test>) -> Result<Tests, &'static str> {
    let mut block = Tests::new();
    for test in tests {
        let keys = block.entry(Arc::clone(&test.operator)).or_default();
        let Some(held) = keys.get_mut(&test.key) else {
            keys.insert(Arc::clone(&test.key), test.values.to_vec());
            continue;
        };
        if test.negated && !test.operator.contains(':') {
            held.extend(test.values.iter().cloned());
            held.sort_unstable();
            held.dedup();
        } else if matches!(&*test.operator, "StringEquals" | "Bool" | "NumericEquals" | "DateEquals") {
            held.retain(|value| test.values.contains(value));
            if held.is_empty() {
                return Err("the conditions of both sides exclude each other");
            }
        } else {
            return Err("the conditions of both sides test one key in ways that one statement cannot say");
        }
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(operator: &str, key: &str, values: &[&str], negated: bool) -> Test {
        let values: Vec<Arc<str>> = values.iter().map(|value| Arc::from(*value)).collect();
        Test { operator: operator.into(), key: key.into(), values: values.into(), negated }
    }

    #[test]
    fn tests_of_one_key_are_one_test_or_none() {
        let block = |tests: &[Test]| joined(tests.iter()).map(|block| serde_json::to_string(&block).unwrap());
        let (eu, both) = (test("StringEquals", "k", &["eu"], false), test("StringEquals", "k", &["eu", "us"], false));
        assert_eq!(block(&[eu.clone(), both]).unwrap(), r#"{"StringEquals":{"k":["eu"]}}"#);
        assert!(block(&[eu.clone(), test("StringEquals", "k", &["us"], false)]).is_err());
        let not = |value| test("StringNotEquals", "k", &[value], true);
        assert_eq!(block(&[not("a"), not("b")]).unwrap(), r#"{"StringNotEquals":{"k":["a","b"]}}"#);
        assert!(block(&[test("StringLike", "k", &["a*"], false), test("StringLike", "k", &["*b"], false)]).is_err());
        assert_eq!(
            block(&[eu, test("Bool", "mfa", &["true"], false)]).unwrap(),
            r#"{"Bool":{"mfa":["true"]},"StringEquals":{"k":["eu"]}}"#
        );
    }

    #[test]
    fn what_is_too_long_for_an_inline_policy_becomes_managed_ones() {
        let catalogue = Catalogue::global();
        let all: OpSet = catalogue.expand("ec2:*").iter().filter(|at| at.0 % 2 == 0).collect();
        let reach = Reach { resources: vec!["*".to_owned()], inverted: false, tests: Tests::new() };
        let statements = vec![statement("Allow", reach.clone(), &all), statement("Deny", reach, &all)];
        let whole: Vec<Arc<str>> = statements.iter().flat_map(|statement| statement.action.clone()).collect();
        assert_eq!(documents(statements.clone(), usize::MAX).len(), 1);
        let several = documents(statements, 10_240);
        assert!(several.len() > 1);
        for document in &several {
            assert!(serde_json::to_string(document).unwrap().len() <= MANAGED);
        }
        let split =
            several.iter().flat_map(|document| &document.statement).flat_map(|statement| statement.action.clone());
        assert_eq!(split.collect::<Vec<_>>(), whole);
        assert!(documents(Vec::new(), 10_240).is_empty());
    }

    const ACCOUNT: &str = "111122223333";

    /// The steps for a user that keeps all that it holds.
    fn steps(user: &str, group: &str, name: &str) -> Vec<String> {
        let user = format!(
            r#"{{"Path":"/","UserName":"{name}","Arn":"arn:aws:iam::{ACCOUNT}:user/{name}",
            "CreateDate":"2026-01-02T03:04:05+00:00","GroupList":["g"],{user}}}"#
        );
        let group = format!(
            r#"{{"Path":"/","GroupName":"g","Arn":"arn:aws:iam::{ACCOUNT}:group/g",
            "CreateDate":"2026-01-02T03:04:05+00:00","GroupPolicyList":[],{group}}}"#
        );
        let read = crate::tests::read(&[("details.json", &crate::tests::details(&user, &group, "", ""))]);
        let id = IdentityId::from(format!("arn:aws:iam::{ACCOUNT}:user/{name}"));
        let access = read.resolver.access(&id).unwrap();
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: slice.clone(), of: slice.clone() }).collect();
        read.resolver.proposer().unwrap().propose(&id, &kept, "").unwrap().steps
    }

    fn attached(names: &[&str]) -> String {
        let policy =
            |name: &&str| format!(r#"{{"PolicyName":"{name}","PolicyArn":"arn:aws:iam::{ACCOUNT}:policy/{name}"}}"#);
        let policies: Vec<String> = names.iter().map(policy).collect();
        format!(r#""AttachedManagedPolicies":[{}]"#, policies.join(","))
    }

    fn inline(name: &str, action: &str) -> String {
        format!(
            r#""UserPolicyList":[{{"PolicyName":"{name}","PolicyDocument":{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}}}]"#
        )
    }

    #[test]
    fn what_is_attached_itself_goes_whether_or_not_a_group_has_it_too() {
        let user = format!("{},{}", inline(NAME, "s3:ListAllMyBuckets"), attached(&["Shared", "Own"]));
        let steps = steps(&user, &attached(&["Shared", "OfGroup"]), "agent");
        let detached = |name: &str| {
            let step = format!(
                "aws iam detach-user-policy --user-name agent --policy-arn arn:aws:iam::{ACCOUNT}:policy/{name}"
            );
            steps.contains(&step)
        };
        assert!(detached("Shared") && detached("Own") && !detached("OfGroup"), "{steps:#?}");
        let put = "aws iam put-user-policy --user-name agent --policy-name evenhand-right-sized";
        assert!(steps.first().unwrap().starts_with(put), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("delete-user-policy")), "it is replaced: {steps:#?}");
    }

    #[test]
    fn managed_policies_of_an_earlier_proposal_are_written_anew_and_stay_attached() {
        let user = format!("{},{}", inline(NAME, "ec2:*"), attached(&["agent-right-sized-1", "agent-right-sized-99"]));
        let steps = steps(&user, &attached(&[]), "agent");
        let has = |step: &str| steps.iter().any(|held| held == step);
        let arn = |number: u32| format!("arn:aws:iam::{ACCOUNT}:policy/agent-right-sized-{number}");
        assert!(
            has(&format!(
                "aws iam create-policy-version --policy-arn {} --policy-document file://user-agent.policy-1.json \
                 --set-as-default",
                arn(1)
            )),
            "{steps:#?}"
        );
        assert!(has(&format!("aws iam attach-user-policy --user-name agent --policy-arn {}", arn(2))), "{steps:#?}");
        assert!(has(&format!("aws iam detach-user-policy --user-name agent --policy-arn {}", arn(99))), "{steps:#?}");
        assert!(!has(&format!("aws iam detach-user-policy --user-name agent --policy-arn {}", arn(1))), "{steps:#?}");
        assert!(!has(
            "aws iam create-policy --policy-name agent-right-sized-1 --policy-document file://user-agent.policy-1.json"
        ));
        // No file is inline any more, so the earlier one goes.
        assert!(has(&format!("aws iam delete-user-policy --user-name agent --policy-name {NAME}")), "{steps:#?}");
    }

    #[test]
    fn no_wildcard_grants_what_the_catalogue_does_not_know() {
        let reach = Reach { resources: vec!["*".to_owned()], inverted: false, tests: Tests::new() };
        let whole = Catalogue::global().expand("logs:*");
        let allow = statement("Allow", reach.clone(), &whole);
        assert_eq!(allow.action.len(), whole.len());
        assert!(allow.action.iter().all(|name| name.starts_with("logs:") && !name.contains('*')));
        assert_eq!(statement("Deny", reach, &whole).action, [Arc::<str>::from("logs:*")]);
    }

    #[test]
    fn names_of_files_have_no_folders() {
        assert_eq!(file_name("../a b"), "..-a-b");
    }
}
