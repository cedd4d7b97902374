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

use crate::access::floor::BECOMING;
use crate::catalog::Catalogue;
use crate::policy::arn;
use crate::policy::compile::CompiledStatement;
use crate::policy::context::{Context, Lookup};
use crate::policy::document::{Effect, Statement, condition_test};
use crate::policy::operator::holds;
use crate::world::{Principal, PrincipalKind, World};

/// How keys of tags begin.
const TAG: &str = "aws:principaltag/";
/// What is in the names of sessions of roles.
const SESSION: &str = ":assumed-role/";
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
                Some(false) => {
                    "for which its trust policy has to allow `sts:TagSession` to those whom it lets in, and does not"
                }
                None => "for which its trust policy has to allow `sts:TagSession`",
            };
            let setters = setters(world, principal, tag, &pair);
            format!(
                "{setters}, {trust}; on the role itself (`aws iam tag-role --role-name={name} --tags {pair}`) it is set for \
                 good, and no control any more"
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

/// Who sets a tag of a role's sessions: with a token or an assertion it is the identity provider, and no parameter of the
/// call. Where no way in was read, the plain call stands for all.
fn setters(world: &World, principal: &Principal, tag: &str, pair: &str) -> String {
    let trust = principal.trust.filter(|trust| !world.policies.broken(*trust));
    let lets_in = |action: &str, federated: bool| {
        let (Some(trust), Some(action)) = (trust, Catalogue::global().operation(action)) else { return false };
        let fits = |statement: &Statement| match &statement.principals {
            Some(named) if federated => !named.federated.is_empty(),
            Some(named) => {
                named.any || !(named.aws.is_empty() && named.service.is_empty() && named.canonical.is_empty())
            }
            None => !federated,
        };
        let allows = |held: &CompiledStatement| {
            held.effect == Effect::Allow && held.parts.iter().any(|part| part.operations.contains(action))
        };
        let mut pairs =
            world.policies.document(trust).statements.iter().zip(&world.policies.compiled(trust).statements);
        pairs.any(|(statement, held)| allows(held) && fits(statement))
    };
    let mut ways = Vec::new();
    if lets_in("sts:AssumeRoleWithWebIdentity", true) {
        ways.push(
            "the identity provider sets it in the token that starts a session of the role (claim \
             `https://aws.amazon.com/tags`)"
                .to_owned(),
        );
    }
    if lets_in("sts:AssumeRoleWithSAML", true) {
        ways.push(format!(
            "the identity provider sets it in the assertion that starts a session of the role (attribute \
             `https://aws.amazon.com/SAML/Attributes/PrincipalTag:{tag}`)"
        ));
    }
    if ways.is_empty() || lets_in("sts:AssumeRole", false) {
        ways.push(format!("whoever starts a session of the role sets it (`aws sts assume-role … --tags {pair}`)"));
    }
    ways.join(", or ")
}

/// Whether somebody whom the trust policy lets in may set tags of the role's sessions. `None` = that was not read, or denies
/// under conditions decide it.
fn may_tag(world: &World, principal: &Principal) -> Option<bool> {
    let trust = principal.trust.filter(|trust| !world.policies.broken(*trust))?;
    let catalogue = Catalogue::global();
    let (tag, becoming) = (OpSet::single(catalogue.operation("sts:TagSession")?), catalogue.all_of(BECOMING));
    let pairs = world.policies.document(trust).statements.iter().zip(&world.policies.compiled(trust).statements);
    let pairs: Vec<(&Statement, &CompiledStatement)> = pairs.collect();
    let saying = |effect: Effect, what: &OpSet| -> Vec<&Statement> {
        let says = |held: &CompiledStatement| held.parts.iter().any(|part| part.operations.intersects(what));
        let all = pairs.iter().filter(|(_, held)| held.effect == effect && says(held));
        all.map(|(statement, _)| *statement).collect()
    };
    let let_in: Vec<Whom<'_>> = saying(Effect::Allow, &becoming).into_iter().flat_map(Whom::of).collect();
    let denies = saying(Effect::Deny, &tag);
    let mut may = Some(false);
    for tagger in saying(Effect::Allow, &tag).into_iter().flat_map(Whom::of) {
        for both in let_in.iter().filter_map(|other| tagger.and(*other)) {
            match denies.iter().fold(Truth::No, |some, deny| some.or(reaches(deny, both))) {
                Truth::No => return Some(true),
                Truth::Unknown => may = None,
                Truth::Yes => {}
            }
        }
    }
    may
}

/// Whether a deny reaches somebody.
fn reaches(deny: &Statement, whom: Whom<'_>) -> Truth {
    match deny.not_principals.is_some() {
        true => Truth::Unknown,
        false if !Whom::of(deny).into_iter().any(|named| named.covers(whom)) => Truth::No,
        false if deny.conditions.is_empty() => Truth::Yes,
        false => Truth::Unknown,
    }
}

/// Whom a statement of a trust policy names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whom<'s> {
    Anyone,
    /// An account, or somebody of one.
    Aws(&'s str),
    /// A service, an identity provider, or an account by its canonical id.
    Other(&'s str),
}

impl<'s> Whom<'s> {
    /// Who is not excluded is meant, so that may be anyone.
    fn of(statement: &'s Statement) -> Vec<Self> {
        let Some(named) = &statement.principals else {
            return statement.not_principals.iter().map(|_| Self::Anyone).collect();
        };
        let others = named.service.iter().chain(&named.federated).chain(&named.canonical);
        let anyone = named.any.then_some(Self::Anyone).into_iter();
        anyone.chain(named.aws.iter().map(|name| Self::Aws(name))).chain(others.map(|name| Self::Other(name))).collect()
    }

    /// Whether all of somebody else is meant too: an account means everybody in it, and a role its sessions.
    fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Anyone, _) => true,
            (Self::Aws(whole), Self::Aws(part)) => {
                let is_account = is_number(whole) || whole.ends_with(":root");
                let is_role = !whole.contains(SESSION) && part.contains(SESSION);
                whole == part
                    || (is_account && account(whole) == account(part))
                    || (is_role && role(whole).is_some() && role(whole) == role(part))
            }
            (whole, part) => whole == part,
        }
    }

    /// Who is meant by both.
    fn and(self, other: Self) -> Option<Self> {
        match (self.covers(other), other.covers(self)) {
            (true, _) => Some(other),
            (false, true) => Some(self),
            (false, false) => None,
        }
    }
}

/// Whether somebody is named by no more than an account's number.
fn is_number(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of somebody.
fn account(name: &str) -> Option<&str> {
    if is_number(name) { Some(name) } else { arn::split(name).map(|[_, _, _, _, account, _]| account) }
}

/// The account and the name of a role, without its path, which its sessions do not tell.
fn role(name: &str) -> Option<(&str, &str)> {
    let [_, _, _, _, account, resource] = arn::split(name)?;
    let name = match resource.strip_prefix("assumed-role/") {
        Some(session) => session.split('/').next()?,
        None => resource.strip_prefix("role/")?.rsplit('/').next()?,
    };
    Some((account, name))
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
        proposed_of(tags, &trust, (operator, key, value))
    }

    /// The same with whole statements as trust.
    fn proposed_of(tags: &str, trust: &str, (operator, key, value): (&str, &str, &str)) -> Proposal {
        let policy =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
        let more = format!(
            r#","Tags":[{tags}],"RolePolicyList":[{{"PolicyName":"p","PolicyDocument":{policy}}}],"AttachedManagedPolicies":[]"#
        );
        let role = crate::tests::role("bot", trust, &more);
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

    #[test]
    fn tags_come_with_the_token_where_a_token_starts_the_session() {
        let says = |principal: &str, action: &str| {
            format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}"}}"#)
        };
        let oidc = r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}"#;
        let saml = r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"}"#;
        let home = r#"{"AWS":"111122223333"}"#;
        let all = ["`https://aws.amazon.com/tags`", "PrincipalTag:changeticket`", "aws sts assume-role"];
        let web = says(oidc, "sts:AssumeRoleWithWebIdentity");
        for (trust, told) in [
            (web.clone(), [true, false, false]),
            (says(saml, "sts:AssumeRoleWithSAML"), [false, true, false]),
            (says(home, "sts:*"), [false, false, true]),
            (format!("{web},{}", says(home, "sts:AssumeRole")), [true, false, true]),
        ] {
            let needs = proposed_of("", &trust, ("Null", "aws:principaltag/changeticket", "false")).needs;
            assert_eq!(all.map(|part| needs[0].contains(part)), told, "{trust}: {needs:#?}");
        }
    }

    #[test]
    fn tags_are_set_by_those_who_are_let_in_and_not_denied() {
        let says = |effect: &str, principal: &str, action: &str| {
            format!(r#"{{"Effect":"{effect}","Principal":{principal},"Action":"{action}"}}"#)
        };
        let (home, away) = (r#"{"AWS":"111122223333"}"#, r#"{"AWS":"arn:aws:iam::444455556666:root"}"#);
        let one = r#"{"AWS":"arn:aws:iam::111122223333:role/team/ann"}"#;
        let session = r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/ann/s"}"#;
        let when = says("Deny", r#""*""#, "sts:TagSession")
            .replace("\"Action\"", r#""Condition":{"Bool":{"aws:SecureTransport":"false"}},"Action""#);
        let assume = "sts:AssumeRole";
        let tag = "sts:TagSession";
        for (statements, expected) in [
            (vec![says("Allow", home, "sts:*")], "allows to some"),
            (vec![says("Allow", home, "sts:*"), says("Deny", r#""*""#, tag)], "and does not"),
            (vec![says("Allow", home, "sts:*"), says("Deny", away, tag)], "allows to some"),
            (vec![says("Allow", home, "sts:*"), says("Deny", one, tag)], "allows to some"),
            (vec![says("Allow", one, "sts:*"), says("Deny", home, tag)], "and does not"),
            (vec![says("Allow", home, "sts:*"), when], "`sts:TagSession`;"),
            (vec![says("Allow", home, assume), says("Allow", away, tag)], "and does not"),
            (vec![says("Allow", home, assume), says("Allow", one, tag)], "allows to some"),
            (vec![says("Allow", one, assume), says("Allow", session, tag)], "allows to some"),
            (vec![says("Allow", home, assume), says("Allow", one, tag), says("Deny", one, tag)], "and does not"),
        ] {
            let test = ("Null", "aws:principaltag/changeticket", "false");
            let needs = proposed_of("", &statements.join(","), test).needs;
            assert!(needs.len() == 1 && needs[0].contains(expected), "{statements:#?}: {needs:#?}");
        }
    }
}
