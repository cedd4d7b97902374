//! What the human role's conditions ask of who makes a call, where nothing that was read says that the principal has it:
//! until somebody sees to that, what a proposal keeps is refused.
//!
//! Sources: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html> for who may set tags of a session, and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> for the keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use evenhand_model::catalog::Catalog as _;
use evenhand_model::condition::{Clause, Test};
use evenhand_model::evidence::Truth;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, quoted};

use crate::catalog::Catalogue;
use crate::policy::context::{Context, Lookup};
use crate::policy::document::{Effect, condition_test};
use crate::policy::operator::holds;
use crate::world::{Principal, PrincipalKind, World};

/// How keys of tags begin.
const TAG: &str = "aws:principaltag/";
/// So many operations are named.
const NAMED: usize = 3;

/// Tests that fail as things stand, with the operations that are kept under them.
#[derive(Default)]
pub(super) struct Needs(BTreeMap<Test, OpSet>);

impl Needs {
    /// Notes the tests that a part of what is kept is under, and was not before.
    pub(super) fn note(&mut self, principal: &Principal, part: &Kept, operations: &OpSet) {
        for clause in part.slice.condition.clauses() {
            let Clause::When(test) = clause else { continue };
            let was = part.of.condition.clauses().any(|held| held == clause);
            if !was && fails(principal, test) {
                let held = self.0.entry(test.clone()).or_default();
                *held = held.union(operations);
            }
        }
    }

    /// What is needed, for people.
    pub(super) fn told(&self, world: &World, principal: &Principal) -> Vec<String> {
        self.0.iter().map(|(test, operations)| told(world, principal, test, operations)).collect()
    }
}

/// Whether a test fails for a request that carries no more than what was read of the principal.
fn fails(principal: &Principal, test: &Test) -> bool {
    holds(&condition_test(&test.operator, &test.key, &test.values), &AsRead(principal)) == Truth::No
}

/// A request of a principal that brings nothing along.
struct AsRead<'p>(&'p Principal);

impl Context for AsRead<'_> {
    fn get(&self, key: &str) -> Lookup {
        match (key.strip_prefix(TAG), key) {
            (Some(tag), _) => {
                let mut tags = self.0.tags.iter().flatten();
                let held = tags.find(|(name, _)| name.eq_ignore_ascii_case(tag));
                held.map_or(Lookup::Absent, |(_, value)| Lookup::Known(vec![Arc::clone(value)]))
            }
            // Whoever acts by itself signs in with no device.
            (None, "aws:multifactorauthpresent" | "aws:multifactorauthage") => Lookup::Absent,
            (None, _) => Lookup::Unknown,
        }
    }
}

fn told(world: &World, principal: &Principal, test: &Test, operations: &OpSet) -> String {
    let names: Vec<Arc<str>> =
        operations.iter().take(NAMED).map(|operation| Catalogue::global().name(operation)).collect();
    let more = match operations.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let asked = format!("`{} {} {}` for {}{more}", test.key, test.operator, test.values.join(", "), names.join(", "));
    let Some(tag) = test.key.strip_prefix(TAG) else {
        return format!(
            "{asked}: what acts by itself signs in with no device, so each such call is refused; take these away, or put \
             another control before them"
        );
    };
    let refused = "nothing that was read sets this tag so, and as things stand each such call is refused";
    let pair = quoted(&format!("Key={tag},Value=VALUE"));
    let name = quoted(&principal.name);
    let who = match principal.kind {
        PrincipalKind::Role => {
            let trust = match may_tag(world, principal) {
                Some(true) => "which its trust policy allows to some, by `sts:TagSession`",
                Some(false) => "for which its trust policy has to allow `sts:TagSession`, and does not",
                None => "for which its trust policy has to allow `sts:TagSession`",
            };
            format!(
                "whoever starts a session of the role sets it (`aws sts assume-role … --tags {pair}`), {trust}; on the role \
                 itself (`aws iam tag-role --role-name={name} --tags {pair}`) it is set for good, and no control any more"
            )
        }
        PrincipalKind::User => format!(
            "whoever may tag the user sets it (`aws iam tag-user --user-name={name} --tags {pair}`), for good, and then it \
             is no control any more"
        ),
        PrincipalKind::PermissionSet => {
            "who administers Identity Center sets it, as an attribute for access control".to_owned()
        }
        PrincipalKind::Group | PrincipalKind::JobFunction | PrincipalKind::Root => {
            "whoever may tag its members sets it".to_owned()
        }
    };
    format!("{asked}: {refused}; {who}")
}

/// Whether somebody may set tags of a role's sessions.
fn may_tag(world: &World, principal: &Principal) -> Option<bool> {
    let trust = principal.trust.filter(|trust| !world.policies.broken(*trust))?;
    let tag = Catalogue::global().operation("sts:TagSession")?;
    let mut allowed = world.policies.compiled(trust).statements.iter().filter(|held| held.effect == Effect::Allow);
    Some(allowed.any(|statement| statement.parts.iter().any(|part| part.operations.contains(tag))))
}

#[cfg(test)]
mod tests {
    use evenhand_model::access::Slice;
    use evenhand_model::condition::Condition;
    use evenhand_model::id::IdentityId;
    use evenhand_model::proposal::Proposal;

    use super::*;

    /// What is proposed for a role with these tags and this trust, where people do what it does under a test.
    fn proposed(tags: &str, trusted: &str, (operator, key, value): (&str, &str, &str)) -> Proposal {
        let trust = format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:root"}},"Action":{trusted}}}"#
        );
        let policy =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
        let more = format!(
            r#","Tags":[{tags}],"RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{policy}}}],"AttachedManagedPolicies":[]"#
        );
        let role = crate::tests::role("bot", &trust, &more);
        let read = crate::tests::read(&[("details.json", &crate::tests::details("", "", &role, ""))]);
        let id = IdentityId::from("arn:aws:iam::111122223333:role/bot");
        let access = read.resolver.access(&id).unwrap();
        let values: Vec<Arc<str>> = vec![value.into()];
        let test = Test {
            operator: operator.into(),
            key: key.into(),
            values: values.into(),
            negated: operator.contains("Not"),
        };
        let condition = Arc::new(Condition::unconditional().with(Clause::When(test)));
        let under = |slice: &Slice| Slice { condition: Arc::clone(&condition), ..slice.clone() };
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: under(slice), of: slice.clone() }).collect();
        read.resolver.proposer().unwrap().propose(&id, &kept, "").unwrap()
    }

    #[test]
    fn a_condition_that_nothing_meets_is_told_with_who_can_meet_it() {
        let (assume, tag) = (r#""sts:AssumeRole""#, r#"["sts:AssumeRole","sts:TagSession"]"#);
        let ticket = ("Null", "aws:principaltag/changeticket", "false");
        let set = r#"{"Key":"ChangeTicket","Value":"1"}"#;
        for (tags, trusted, test, parts) in [
            (
                "",
                assume,
                ticket,
                &["`aws:principaltag/changeticket Null false` for s3:GetObject", "refused", "and does not"][..],
            ),
            ("", tag, ticket, &["refused", "allows to some"]),
            (set, assume, ticket, &[]),
            (set, assume, ("StringEquals", "aws:principaltag/changeticket", "2"), &["refused"]),
            ("", assume, ("StringNotEquals", "aws:principaltag/changeticket", "2"), &[]),
            ("", assume, ("Bool", "aws:multifactorauthpresent", "true"), &["no device", "refused"]),
            ("", assume, ("StringEquals", "aws:requestedregion", "eu-central-1"), &[]),
        ] {
            let needs = proposed(tags, trusted, test).needs;
            assert_eq!(needs.len(), usize::from(!parts.is_empty()), "{test:?}: {needs:#?}");
            for part in parts {
                assert!(needs.iter().all(|need| need.contains(part)), "{part}: {needs:#?}");
            }
        }
    }
}
