//! Right-sized policies as policy documents.
//!
//! A proposal takes the place of the identity policies of a principal: inline, attached and those of its groups. Policies of
//! which everything may stay are left alone, such as those that only deny. Its boundary, the organisation's policies and the
//! policies of resources stay in force, so what they take away is not said again. Denies of the replaced policies are said
//! again as they stand, their exclusions are carried over, and those of the human role become denies.

mod again;
mod document;
mod fit;
#[cfg(test)]
mod fixture;
mod kind;
mod needs;
mod permission_set;
#[cfg(test)]
mod room;
mod stays;
mod steps;
mod unknown;

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_model::access::{GrantIx, Slice};
use evenhand_model::condition::{Clause, Condition, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, file_name, quoted};
use evenhand_model::scope::{Pattern, ResourceScope};

use self::again::Again;
use self::document::{Document, Reach, Said, Tests};
use self::fit::{Room, Unfit, fitted};
use self::kind::Changed;
use self::stays::{attached_policy, inline_name};
use self::steps::Written;
use super::Resolver;
use super::caller::Caller;
use crate::policy::arn;
use crate::policy::document::Effect;
use crate::world::{PolicyIx, Principal};

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
        let policy = policies.statement_of(grant).map(|(policy, _)| policy);
        let principal = self.world().principals.get(identity);
        principal.zip(policy).is_some_and(|(principal, policy)| principal.identity_policies.contains(&policy))
    }

    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal> {
        let Some(principal) = self.world().principals.get(identity) else {
            return Err(NoProposal {
                reason: format!("nothing about the policies of `{identity}` was read"),
                remedy: "add the output of `aws iam get-account-authorization-details` of its account".to_owned(),
            });
        };
        let kind = Changed::of(principal)?;
        let denies = self.own_denies(principal);
        let alone = |may_stay| self.left_alone(principal, kind, may_stay, &denies);
        let left_alone = alone(self.whole(principal, kept));
        if left_alone.len() == principal.identity_policies.len() {
            return Ok(Proposal { notes: self.unknown(principal, &left_alone), ..Proposal::default() });
        }
        let draft = match self.draft(principal, kind, kept, left_alone, &denies) {
            // Written together, policies may take less room than beside those that are there.
            Err(_) => self.draft(principal, kind, kept, alone(self.denying(principal)), &denies),
            draft => draft,
        };
        let Draft { fitted, left_out, left_alone, needs, mut notes } =
            draft.map_err(|unfit| unfit.told(kind, &principal.name))?;
        let name = format!("{}-{}{apart}", kind.word(), file_name(&principal.name));
        let file = |suffix: String, document: &Document| -> Result<ProposedFile, NoProposal> {
            Ok(ProposedFile { name: format!("{name}.policy{suffix}.json"), text: printed(document)? })
        };
        let managed: Vec<ProposedFile> = (1..)
            .zip(&fitted.managed)
            .map(|(number, document): (u32, _)| file(format!("-{number}"), document))
            .collect::<Result<_, _>>()?;
        let inline = fitted.inline.as_ref().map(|document| file(String::new(), document)).transpose()?;
        let written = Written::of(&fitted, inline.as_ref(), &managed, &left_alone);
        let steps = steps::steps(self.world(), principal, kind, &written);
        notes.extend(steps::undenied(&steps));
        Ok(Proposal { files: inline.into_iter().chain(managed).collect(), steps, left_out, needs, notes })
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

/// A deny of the present policies.
struct OwnDeny {
    policy: PolicyIx,
    operations: OpSet,
    /// Whether it denies them whatever the request is like.
    is_always: bool,
    /// Whether it can be said again.
    is_sayable: bool,
}

impl OwnDeny {
    fn is_ok_for(&self, operations: &OpSet) -> bool {
        self.is_sayable || !self.operations.intersects(operations)
    }
}

/// A proposal before it is written down.
struct Draft {
    fitted: fit::Fitted,
    left_out: Vec<LeftOut>,
    left_alone: BTreeSet<PolicyIx>,
    needs: Vec<String>,
    notes: Vec<String>,
}

impl Resolver {
    /// What takes the place of the policies that are not left alone.
    fn draft(
        &self,
        principal: &Principal,
        kind: Changed,
        kept: &[Kept],
        left_alone: BTreeSet<PolicyIx>,
        denies: &[OwnDeny],
    ) -> Result<Draft, Unfit> {
        let mut said = Said::default();
        let (mut left_out, mut needs) = (Vec::new(), needs::Needs::default());
        let gone: Vec<&OwnDeny> = denies.iter().filter(|deny| !left_alone.contains(&deny.policy)).collect();
        let excluding = self.excluding(principal);
        let unchanged = self.unchanged(principal, kept, &left_alone, denies);
        for again in unchanged.values() {
            let held = said.allow.entry(again.reach.clone()).or_default();
            held.add(&again.meant.operations, again.meant.wildcards.iter().cloned());
        }
        for (at, part) in kept.iter().enumerate().filter(|(_, part)| !self.is_of(part.of.grant, &left_alone)) {
            let whole = unchanged.get(&part.of.grant).map(|again| &again.whole);
            let operations =
                whole.map_or_else(|| (*part.slice.operations).clone(), |whole| part.slice.operations.difference(whole));
            if operations.is_empty() {
                continue;
            }
            match written(part, kept, excluding.contains(&part.of.grant)) {
                Ok((reach, denied)) if gone.iter().all(|deny| deny.is_ok_for(&operations)) => {
                    let wildcards = self.wildcards(part.of.grant).into_iter();
                    let wildcards = wildcards.filter(|(_, matched)| matched.is_subset(&operations));
                    let held = said.allow.entry(reach).or_default();
                    held.add(&operations, wildcards.map(|(text, _)| text));
                    for deny in denied {
                        said.deny.entry(deny.reach).or_default().add(&deny.operations, []);
                    }
                    needs.note(principal, part, &operations);
                }
                Ok(_) => {
                    let why = "a deny of the present policies cannot be written again".into();
                    left_out.push(LeftOut { place: at, operations, why });
                }
                Err(why) => left_out.push(LeftOut { place: at, operations, why: why.into() }),
            }
        }
        let mut notes = self.unknown(principal, &left_alone);
        let (again, unsaid) = self.again(principal, &left_alone);
        said.again = again;
        notes.extend(unsaid);
        said.excepted = self.excepted(principal, &left_alone);
        let said = said.joined();
        let fitted = fitted(&said, self.room(principal, kind, &left_alone))?;
        notes.extend(unknown::denied(&said.excepted, fitted.inline.iter().chain(&fitted.managed)));
        Ok(Draft { fitted, left_out, left_alone, needs: needs.told(self.world(), principal), notes })
    }

    /// The room beside the policies that are left alone.
    fn room(&self, principal: &Principal, kind: Changed, left_alone: &BTreeSet<PolicyIx>) -> Room {
        let policies = &self.world().policies;
        let groups = principal.groups.iter().filter_map(|group| self.world().principals.get(group));
        let of_groups: BTreeSet<PolicyIx> = groups.flat_map(|group| group.identity_policies.iter().copied()).collect();
        let is_inline = |policy: &PolicyIx| inline_name(&policies.label(*policy)).is_some();
        let inline = left_alone.iter().filter(|policy| !of_groups.contains(policy) && is_inline(policy));
        let managed = principal.attached.iter().filter(|arn| {
            attached_policy(self.world(), principal, arn).is_some_and(|policy| left_alone.contains(&policy))
        });
        Room::beside(kind, inline.map(|policy| policies.characters(*policy)).sum(), managed.count())
    }

    fn own_denies(&self, principal: &Principal) -> Vec<OwnDeny> {
        let caller = Caller::of(principal);
        let mut denies = Vec::new();
        let policies = &self.world().policies;
        for policy in &principal.identity_policies {
            let document = policies.document(*policy);
            let statements = document.statements.iter().zip(&policies.compiled(*policy).statements);
            for (said, statement) in statements.filter(|(said, _)| said.effect == Effect::Deny) {
                // A condition that cannot hold denies nothing.
                let Some(condition) = statement.condition(&caller) else { continue };
                let is_sayable = Again::of(said, document.variables).is_ok();
                for part in &statement.parts {
                    let Some(scope) = statement.scope(part, &caller) else { continue };
                    let is_always = condition.is_unconditional() && scope.is_everything();
                    let operations = (*part.operations).clone();
                    denies.push(OwnDeny { policy: *policy, operations, is_always, is_sayable });
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
}

fn printed(document: &Document) -> Result<String, NoProposal> {
    match serde_json::to_string_pretty(document) {
        Ok(text) => Ok(format!("{text}\n")),
        Err(error) => Err(NoProposal { reason: error.to_string(), remedy: "report this".to_owned() }),
    }
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
}
