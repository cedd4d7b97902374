//! Denies of policies that go. They also keep from a principal what the policies of resources grant it, sessions, and whatever
//! it is given later, so nothing tells that one of them is no longer needed: each is said again as it stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Resolver;
use super::document::{self, Tests, WORDS};
use crate::policy::arn;
use crate::policy::document::{Action, Effect, Listed, Statement};
use crate::world::{PolicyIx, Principal};

/// A deny as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Again {
    /// Empty where it has no name.
    pub(super) sid: Arc<str>,
    pub(super) actions: Listed,
    pub(super) resources: Listed,
    pub(super) tests: Tests,
}

impl Again {
    /// `None` where it denies nothing, and an error where it cannot be said again. `variables`: whether its document has them.
    pub(super) fn of(statement: &Statement, variables: bool) -> Result<Option<Self>, &'static str> {
        let Some(resources) = statement.resources.as_ref().filter(|held| **held != Listed::In(Vec::new())) else {
            return Ok(None);
        };
        if statement.actions == Listed::In(Vec::new()) {
            return Ok(None);
        }
        if !statement.unknown.is_empty() {
            return Err("it has elements that the policy language does not know");
        }
        let mut tests = Tests::new();
        for test in statement.conditions.iter() {
            let keys = tests.entry(Arc::clone(&test.written)).or_default();
            if keys.insert(Arc::clone(&test.key), test.values.clone()).is_some() {
                return Err("it tests one key twice by one operator");
            }
        }
        let meant = |text: &Arc<str>| if variables { Arc::clone(text) } else { arn::without_variables(text).into() };
        let resources = resources.clone().map(|text| meant(&text));
        let (sid, actions) = (Arc::clone(&statement.sid), names(&statement.actions));
        Ok(Some(Self { sid, actions, resources, tests }))
    }

    /// The statement under a name.
    pub(super) fn statement(&self, sid: String) -> document::Statement {
        let (action, not_action) = parted(&self.actions, Arc::clone);
        let (resource, not_resource) = parted(&self.resources, |text| text.to_string());
        let (effect, condition) = (document::Effect::Deny, self.tests.clone());
        document::Statement { sid, effect, action, not_action, resource, not_resource, condition }
    }

    /// Its own name, where that tells it from all others of a proposal. The parts of one with a long list have letters behind
    /// it.
    pub(super) fn own_name(&self, all: &[Self]) -> Option<&str> {
        let is_made = |word: &&str| {
            self.sid.strip_prefix(*word).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        let is_like = |other: &&Self| {
            let rest = other.sid.strip_prefix(&*self.sid);
            rest.is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'a' | b'b')))
        };
        let is_name = !self.sid.is_empty() && self.sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_apart = !WORDS.iter().any(is_made) && all.iter().filter(is_like).count() == 1;
        (is_name && is_apart).then_some(&*self.sid)
    }
}

/// A list as what is meant, or as what is not.
fn parted<T>(listed: &Listed, form: impl Fn(&Arc<str>) -> T) -> (Option<Vec<T>>, Option<Vec<T>>) {
    match listed {
        Listed::In(texts) => (Some(texts.iter().map(form).collect()), None),
        Listed::NotIn(texts) => (None, Some(texts.iter().map(form).collect())),
    }
}

impl Resolver {
    /// The denies of a principal's policies that are not left alone, each once, and what of them cannot be said again, for
    /// people.
    pub(super) fn again(&self, principal: &Principal, left_alone: &BTreeSet<PolicyIx>) -> (Vec<Again>, Vec<String>) {
        let policies = &self.world().policies;
        let (mut again, mut notes) = (Vec::new(), Vec::new());
        for policy in principal.identity_policies.iter().filter(|policy| !left_alone.contains(policy)) {
            let (document, label) = (policies.document(*policy), policies.label(*policy));
            if policies.broken(*policy) {
                notes.push(format!(
                    "`{label}` is no policy document, so what it denies is not known, and goes with it: look at it before you \
                     take it away"
                ));
            }
            for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Deny) {
                match Again::of(statement, document.variables) {
                    Ok(Some(deny)) if !again.contains(&deny) => again.push(deny),
                    Ok(_) => {}
                    Err(why) => notes.push(format!(
                        "`{label}` denies {}, which cannot be said again, since {why}: write that deny in again",
                        told(&names(&statement.actions))
                    )),
                }
            }
        }
        (again, notes)
    }
}

fn names(actions: &Listed<Action>) -> Listed {
    actions.clone().map(|action| action.name())
}

fn told(actions: &Listed) -> String {
    match actions {
        Listed::In(names) => listed(names),
        Listed::NotIn(names) => format!("all but {}", listed(names)),
    }
}

/// Names, for people.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n Arc<str>>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenhand_model::catalog::Catalog as _;

    use super::super::fixture::{GONE, attached, document, gone, inline, inlines, managed, proposed};
    use crate::catalog::Catalogue;

    #[test]
    fn what_a_policy_that_goes_denies_what_stays_stays_denied() {
        let deny = r#"{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::keep/*"}"#;
        let mixed = document(&[GONE[0], "sqs:ListQueues"]).replace("[{\"Effect", &format!("[{deny},{{\"Effect"));
        let user = format!(
            r#""UserPolicyList":[{{"PolicyName":"mixed","PolicyDocument":{mixed}}},
            {{"PolicyName":"wide","PolicyDocument":{}}}],{}"#,
            document(&["s3:*"]),
            attached(&[])
        );
        let proposal = proposed(&user, &attached(&[]), "agent", "", &gone()).unwrap();
        let [file] = proposal.files.as_slice() else { panic!("{proposal:?}") };
        assert!(file.text.contains("arn:aws:s3:::keep/*") && file.text.contains("\"Deny\""), "{}", file.text);
        assert!(!file.text.contains("s3:Get") && !file.text.contains("s3:*"), "{}", file.text);
        let put = "aws iam put-user-policy --user-name=agent --policy-name=mixed";
        assert!(proposal.steps.len() == 1 && proposal.steps[0].starts_with(put), "{:#?}", proposal.steps);
    }

    /// An inline policy of which something goes, and that denies.
    fn denying(name: &str, denies: &[serde_json::Value]) -> String {
        let mut policy: serde_json::Value = serde_json::from_str(&document(&["s3:ListAllMyBuckets", GONE[0]])).unwrap();
        policy["Statement"].as_array_mut().unwrap().extend_from_slice(denies);
        format!(r#"{{"PolicyName":"{name}","PolicyDocument":{policy}}}"#)
    }

    #[test]
    fn every_deny_of_policies_that_go_is_said_again_as_it_stands() {
        let deny = |sid: &str, element: &str, actions: serde_json::Value| -> serde_json::Value {
            serde_json::json!({"Sid": sid, "Effect": "Deny", element: actions, "Resource": ["*"]})
        };
        // Nothing here allows these: a bucket's policy may, or a session.
        let mut limited = deny("Limited", "NotAction", serde_json::json!(["sqs:*", "s3:MakeNothing"]));
        limited["NotResource"] = serde_json::json!(["arn:aws:s3:::${aws:username}/*", "arn:aws:s3:::b"]);
        limited["Condition"] = serde_json::json!({
            "StringNotEqualsIfExists": {"aws:principaltag/x": ["${aws:SourceIdentity}"], "aws:username": ["somebody"]},
            "StringSoundsLike": {"k": ["v"]},
        });
        limited.as_object_mut().unwrap().remove("Resource");
        let plain = deny("Plain", "Action", serde_json::json!(["kms:Decrypt", "kms:Re*"]));
        let made = |sid: &str, action: &str| deny(sid, "Action", serde_json::json!([action]));
        let denies =
            [limited.clone(), plain.clone(), made("Twice", "a4b:A"), made("Twice", "a4b:B"), made("Keep1", "a4b:C")];
        let again = [plain.clone(), made("", "a4b:D"), made("Lista", "a4b:E"), made("List", "a4b:F")];
        let policies = [denying("one", &denies), denying("two", &again)].join(",");
        let user = format!(r#""UserPolicyList":[{policies}],{}"#, attached(&[]));
        let proposal = proposed(&user, &attached(&[]), "agent", "", &gone()).unwrap();
        let [file] = proposal.files.as_slice() else { panic!("{proposal:?}") };
        let written: serde_json::Value = serde_json::from_str(&file.text).unwrap();
        let statements = written["Statement"].as_array().unwrap();
        assert_eq!(statements[0]["Sid"], "Keep1", "{written:#}");
        let [a, b, c, d, f] =
            [("Never4", "a4b:A"), ("Never5", "a4b:B"), ("Never6", "a4b:C"), ("Never7", "a4b:D"), ("Never9", "a4b:F")]
                .map(|(sid, action)| made(sid, action));
        assert_eq!(statements[1..], [limited, plain, a, b, c, d, made("Lista", "a4b:E"), f], "{written:#}");
        assert_eq!(proposal.notes, Vec::<String>::new());
    }

    #[test]
    fn policies_that_only_deny_are_left_alone_whatever_else_is_written_anew() {
        let all = Catalogue::global().expand("ec2:*");
        let some: Vec<Arc<str>> =
            all.iter().filter(|at| at.0 % 2 == 0).map(|at| Catalogue::global().name(at)).collect();
        let some: Vec<&str> = some.iter().map(|name| &**name).chain([GONE[0]]).collect();
        let mut held: Vec<String> = (0..19).map(|number| format!("Small{number}")).collect();
        let mut policies: Vec<String> = held.iter().map(|name| managed(name, &["sns:Publish"])).collect();
        policies.push(managed("Guard", &["kms:Decrypt"]).replace("Allow", "Deny"));
        held.push("Guard".to_owned());
        for (actions, goes) in [(&[GONE[0], "sns:Get*"][..], 0), (&some[..], 19)] {
            let user = format!("{},{}", inlines(&[("act", actions)]), attached(&held));
            let proposal = proposed(&user, &attached(&[]), "agent", &policies.join(","), &gone()).unwrap();
            let detached: Vec<&String> = proposal.steps.iter().filter(|step| step.contains(" detach-")).collect();
            assert_eq!(detached.len(), goes, "{detached:#?}");
            assert!(!detached.iter().any(|step| step.ends_with("Guard")), "{detached:#?}");
            assert!(!proposal.files.iter().any(|file| file.text.contains("kms:")), "{:#?}", proposal.files);
        }
        // A group that only denies stays too; one that goes leaves what it denies.
        let deny = attached(&["Guard".to_owned()]);
        let user = format!("{},{}", inline("act", "sns:Get*"), attached(&[]));
        for (group, goes) in [(deny, false), (attached(&["Guard".to_owned(), "Queues".to_owned()]), true)] {
            let policies = [policies.join(","), managed("Queues", &["sqs:*"])].join(",");
            let proposal = proposed(&user, &group, "agent", &policies, &gone()).unwrap();
            assert_eq!(proposal.steps.iter().any(|step| step.contains("group")), goes, "{:#?}", proposal.steps);
            assert_eq!(
                proposal.files.iter().any(|file| file.text.contains("kms:Decrypt")),
                goes,
                "{:#?}",
                proposal.files
            );
        }
    }
}
