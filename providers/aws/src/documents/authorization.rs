//! `iam get-account-authorization-details`: the one large document of an account, read in one typed pass.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::document::ReadError;
use evenhand_model::evidence::{Evidence, Fact};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::ScopeId;
use evenhand_model::json_parts::{self, Receive, Source};
use evenhand_model::{json_error, json_shape};
use indexmap::IndexSet;
use percent_encoding::percent_decode_str;
use serde::de::value::MapDeserializer;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::sheet::Sheet;
use super::values::{ArnText, List, Name, Profile, Tag, Text, When};
use crate::inventory::arn::Arn;
use crate::inventory::facts::{Described, DetailsRead, Facts, Managed};
use crate::inventory::some;
use crate::place;
use crate::policy::{Fresh, PolicyRole, PolicyText, understand};
use crate::provider::NAME;
use crate::world::{AccountId, PolicyIx, PrincipalKind, Tags};

const LISTS: [&str; 4] = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];

/// Members that grant something to a principal.
const GRANTING: [&str; 5] =
    ["UserPolicyList", "GroupPolicyList", "RolePolicyList", "AttachedManagedPolicies", "GroupList"];

const BOUNDARY: &str = "PermissionsBoundary";

/// Other members without which a principal is still known for who it is.
const BESIDE: [&str; 4] = [BOUNDARY, "Tags", "RoleLastUsed", "InstanceProfileList"];

/// An element of one of the lists.
enum Element<'a> {
    User(User<'a>),
    Group(Group<'a>),
    Role(Role<'a>),
    Policy(Policy<'a>),
}

impl<'a> Element<'a> {
    fn read<D: Deserializer<'a>>(list: &str, source: D) -> Result<Self, D::Error> {
        match list {
            "UserDetailList" => json_shape::read(source).map(Self::User),
            "GroupDetailList" => json_shape::read(source).map(Self::Group),
            "RoleDetailList" => json_shape::read(source).map(Self::Role),
            _ => json_shape::read(source).map(Self::Policy),
        }
    }
}

/// Elements of an ordinary part. Room for them is made at once: a list that grows by doubling is copied again and again.
const MANY: usize = 512;

/// A part of the document, in its order.
#[derive(Default)]
struct Details<'a> {
    elements: Vec<(&'static str, u32, Element<'a>)>,
    is_truncated: Option<bool>,
}

impl<'a> Receive<'a> for Details<'a> {
    fn element(&mut self, list: &'static str, index: u32, source: &mut Source<'a>) -> Result<(), serde_json::Error> {
        let element = Element::read(list, source)?;
        if self.elements.is_empty() {
            self.elements.reserve(MANY);
        }
        self.elements.push((list, index, element));
        Ok(())
    }

    fn member(&mut self, name: &str, value: &'a RawValue) -> Result<(), serde_json::Error> {
        if name == "IsTruncated" {
            self.is_truncated = serde_json::from_str(value.get())?;
        } else if let Some(list) = LISTS.iter().find(|list| **list == name) {
            // One thing stands for a list of one; nothing stands for none.
            let mut source = serde_json::Deserializer::from_str(value.get());
            self.elements.push((list, 0, Element::read(list, &mut source)?));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
    #[serde(borrow)]
    user_name: Option<Name<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    create_date: Option<When>,
    #[serde(borrow, default)]
    user_policy_list: List<Inline<'a>>,
    #[serde(borrow, default)]
    group_list: List<Name<'a>>,
    #[serde(borrow, default)]
    attached_managed_policies: List<Attached<'a>>,
    #[serde(borrow)]
    permissions_boundary: Option<Boundary<'a>>,
    #[serde(borrow)]
    tags: Option<List<Tag<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
    #[serde(borrow)]
    group_name: Option<Name<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    create_date: Option<When>,
    #[serde(borrow, default)]
    group_policy_list: List<Inline<'a>>,
    #[serde(borrow, default)]
    attached_managed_policies: List<Attached<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Role<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
    #[serde(borrow)]
    role_name: Option<Name<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    create_date: Option<When>,
    #[serde(borrow)]
    assume_role_policy_document: Option<PolicyText<'a>>,
    #[serde(borrow, default)]
    instance_profile_list: List<Profile<'a>>,
    #[serde(borrow, default)]
    role_policy_list: List<Inline<'a>>,
    #[serde(borrow, default)]
    attached_managed_policies: List<Attached<'a>>,
    #[serde(borrow)]
    permissions_boundary: Option<Boundary<'a>>,
    #[serde(borrow)]
    tags: Option<List<Tag<'a>>>,
    role_last_used: Option<LastUsed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
    #[serde(borrow)]
    policy_name: Option<Name<'a>>,
    #[serde(borrow)]
    default_version_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    policy_version_list: List<Version<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version<'a> {
    #[serde(borrow)]
    document: Option<PolicyText<'a>>,
    #[serde(borrow)]
    version_id: Option<Text<'a>>,
    is_default_version: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline<'a> {
    #[serde(borrow)]
    policy_name: Option<Name<'a>>,
    #[serde(borrow)]
    policy_document: Option<PolicyText<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached<'a> {
    #[serde(borrow)]
    policy_arn: ArnText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary<'a> {
    #[serde(borrow)]
    permissions_boundary_arn: ArnText<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    last_used_date: Option<When>,
}

/// Reads the details. A typed pass over the whole document comes first; where that fails, each principal and policy is
/// read by itself, so that only what is wrong is lost: of a principal, the member that is, unless it makes the principal.
pub(super) fn read(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    facts.policies.settle();
    let mut reading = Reading::new(sheet, facts, errors);
    let mut truncated = None;
    let read = json_parts::read(sheet.root(), &LISTS, Details::default, |part| {
        // One core takes what the others understand next.
        let fresh = std::mem::take(&mut reading.fresh);
        let (understood, ()) = rayon::join(
            || understand(fresh),
            || {
                for (list, index, element) in part.elements {
                    if reading.held.last() != Some(&list) {
                        reading.held.push(list);
                    }
                    reading.take(format_args!("/{list}/{index}"), element);
                }
            },
        );
        reading.facts.policies.keep(understood);
        truncated = part.is_truncated.or(truncated);
    });
    if read.is_some() {
        // A list without elements is named all the same.
        let is_absent =
            |list: &&'static str| !reading.held.contains(list) && !sheet.root().contains(&format!("\"{list}\""));
        let absent = LISTS.into_iter().filter(is_absent).collect();
        reading.end(truncated, absent);
        return;
    }
    // What was taken already is not taken again.
    let parts = sheet.parts(&LISTS, reading.errors);
    for (list, index, raw) in &parts.elements {
        match Element::read(list, &mut serde_json::Deserializer::from_str(raw.get())) {
            Ok(element) => reading.take(format_args!("/{list}/{index}"), element),
            Err(error) => {
                reading.errors.push(sheet.shape_error(&format!("/{list}/{index}"), raw.get(), &error));
                reading.take_rest(list, *index, raw, &error);
            }
        }
    }
    let truncated =
        parts.member("IsTruncated").and_then(|raw| sheet.part::<Option<bool>>("/IsTruncated", raw, reading.errors));
    // What is wrong in it has a gap already.
    reading.end(truncated.flatten(), Vec::new());
}

struct Reading<'r, 'd> {
    sheet: &'r Sheet<'d>,
    facts: &'r mut Facts,
    errors: &'r mut Vec<ReadError>,
    account: Option<AccountId>,
    /// The account that a name said last, and how names of that account begin.
    last: Option<(String, AccountId)>,
    /// The pointer to some part of the element that is taken.
    pointer: String,
    /// How many bytes of it lead to the element.
    element: usize,
    /// How a policy is called, while that is put together.
    label: String,
    /// Policies met before anything said whose details these are.
    unplaced: IndexSet<Arc<str>, foldhash::fast::RandomState>,
    /// Documents that nothing before had attached.
    fresh: Vec<Fresh<'d>>,
    /// The lists of which elements were met.
    held: Vec<&'static str>,
    /// By account, the roles whose trust policy is not there, and the place of the first one.
    without_trust: BTreeMap<AccountId, (Evidence, Vec<Arc<str>>)>,
    /// The member that the element that is taken has and that was not understood.
    lost: Option<&'static str>,
}

impl<'r, 'd> Reading<'r, 'd> {
    fn new(sheet: &'r Sheet<'d>, facts: &'r mut Facts, errors: &'r mut Vec<ReadError>) -> Self {
        Self {
            sheet,
            facts,
            errors,
            account: sheet.account.clone(),
            last: None,
            pointer: String::new(),
            element: 0,
            label: String::new(),
            unplaced: IndexSet::default(),
            fresh: Vec::new(),
            held: Vec::new(),
            without_trust: BTreeMap::new(),
            lost: None,
        }
    }

    fn end(self, truncated: Option<bool>, absent: Vec<&'static str>) {
        self.facts.policies.keep(understand(self.fresh));
        self.facts.gaps.extend(self.without_trust.into_iter().map(without_trust));
        // Policies of the vendor carry no account: those of this document belong to whom the document describes.
        if let Some(account) = &self.account {
            for arn in self.unplaced {
                if let Some(managed) = self.facts.managed.swap_remove(&(None, Arc::clone(&arn))) {
                    self.facts.managed.entry((Some(account.clone()), arn)).or_insert(managed);
                }
            }
        }
        self.facts.details.push(DetailsRead {
            document: Arc::clone(&self.sheet.path),
            account: self.account,
            more: truncated.unwrap_or(false),
            absent,
        });
    }

    /// The account that a name says.
    fn said_account(&mut self, arn: &str) -> Option<AccountId> {
        if let Some((beginning, account)) = &self.last
            && arn.starts_with(&**beginning)
        {
            return Some(account.clone());
        }
        let parsed = Arn::parse(arn)?;
        let account = self.facts.account(parsed.account_number()?);
        let beginning = arn.len() - parsed.resource.len();
        self.last = arn.get(..beginning).map(|beginning| (beginning.to_owned(), account.clone()));
        self.account.get_or_insert_with(|| account.clone());
        Some(account)
    }

    fn account_of(&mut self, arn: &str) -> AccountId {
        let account = self.said_account(arn).or_else(|| self.account.clone());
        account.unwrap_or_else(|| self.facts.account(""))
    }

    /// `steps`: from the element.
    fn moment(&mut self, steps: &str, when: Option<When>) -> Fact<Timestamp> {
        let element = self.pointer.get(..self.element).unwrap_or_default();
        self.sheet.moment(format_args!("{element}/{steps}"), when, self.errors)
    }

    /// `pointer`: to the element.
    fn take(&mut self, pointer: fmt::Arguments<'_>, element: Element<'d>) {
        self.pointer.clear();
        let _ = self.pointer.write_fmt(pointer);
        self.element = self.pointer.len();
        match element {
            Element::User(user) => self.user(user),
            Element::Group(group) => self.group(group),
            Element::Role(role) => self.role(role),
            Element::Policy(policy) => self.policy(policy),
        }
    }

    /// Takes what a principal says beside a member that is not understood.
    fn take_rest(&mut self, list: &'static str, index: usize, raw: &'d RawValue, error: &serde_json::Error) {
        let below = place::pointer(raw.get(), error);
        let wrong = below.split('/').nth(1).unwrap_or_default();
        let Some(lost) = GRANTING.into_iter().chain(BESIDE).find(|member| *member == wrong) else { return };
        let parts = self.sheet.inside(raw.get(), "").parts(&[], &mut Vec::new());
        let others = parts.members.into_iter().filter(|(name, _)| name != lost);
        let rest: Result<Element<'d>, serde_json::Error> = Element::read(list, MapDeserializer::new(others));
        match rest {
            Ok(element) => {
                self.lost = Some(lost);
                self.take(format_args!("/{list}/{index}"), element);
                self.lost = None;
            }
            // Its place in the text is not known: it was read member by member.
            Err(error) => {
                let remedy = "export it again as JSON and leave it unchanged";
                self.errors.push(self.sheet.error(&format!("/{list}/{index}"), json_error::reason(&error), remedy));
            }
        }
    }

    /// The evidence for a part of the element; without a step, for the element.
    fn evidence(&mut self, step: fmt::Arguments<'_>) -> Evidence {
        self.pointer.truncate(self.element);
        let _ = self.pointer.write_fmt(step);
        self.sheet.evidence(&self.pointer)
    }

    fn user(&mut self, user: User<'d>) {
        let account = self.account_of(&user.arn);
        let Some(arn) = self.unseen(&user.arn) else { return };
        let described = Described {
            kind: PrincipalKind::User,
            account,
            name: name(user.user_name, &user.arn),
            path: self.path(user.path),
            created_at: self.moment("CreateDate", user.create_date),
            last_used_at: Fact::Unknown,
            tags: self.tags(user.tags),
            groups: user.group_list.0.iter().map(|group| self.facts.texts.share(group)).collect(),
            inline: self.inline("UserPolicyList", user.user_policy_list),
            attached: self.attached(user.attached_managed_policies),
            boundary: self.boundary(user.permissions_boundary),
            trust: None,
            instance_profiles: Vec::new(),
            evidence: self.evidence(format_args!("")),
        };
        self.facts.principals.insert(arn, Box::new(described));
    }

    fn group(&mut self, group: Group<'d>) {
        let account = self.account_of(&group.arn);
        let Some(arn) = self.unseen(&group.arn) else { return };
        let described = Described {
            kind: PrincipalKind::Group,
            account,
            name: name(group.group_name, &group.arn),
            path: self.path(group.path),
            created_at: self.moment("CreateDate", group.create_date),
            last_used_at: Fact::Unknown,
            tags: None,
            groups: Vec::new(),
            inline: self.inline("GroupPolicyList", group.group_policy_list),
            attached: self.attached(group.attached_managed_policies),
            boundary: None,
            trust: None,
            instance_profiles: Vec::new(),
            evidence: self.evidence(format_args!("")),
        };
        self.facts.principals.insert(arn, Box::new(described));
    }

    fn role(&mut self, role: Role<'d>) {
        let account = self.account_of(&role.arn);
        let Some(arn) = self.unseen(&role.arn) else { return };
        let trust = role.assume_role_policy_document.map(|document| {
            let evidence = self.evidence(format_args!("/AssumeRolePolicyDocument"));
            self.attach(["trust policy", ""], PolicyRole::Trust, document, evidence)
        });
        let name = name(role.role_name, &role.arn);
        // Every role has a trust policy: one that is not there was left out.
        if trust.is_none() {
            let first = self.evidence(format_args!(""));
            let held = self.without_trust.entry(account.clone()).or_insert_with(|| (first, Vec::new()));
            held.1.push(Arc::clone(&name));
        }
        let described = Described {
            kind: PrincipalKind::Role,
            account,
            name,
            path: self.path(role.path),
            created_at: self.moment("CreateDate", role.create_date),
            // The vendor tracks use for 400 days and prints an empty object where there was none.
            last_used_at: match role.role_last_used {
                None => Fact::Unknown,
                Some(LastUsed { last_used_date: None }) => Fact::Absent,
                Some(LastUsed { last_used_date }) => self.moment("RoleLastUsed/LastUsedDate", last_used_date),
            },
            tags: self.tags(role.tags),
            groups: Vec::new(),
            inline: self.inline("RolePolicyList", role.role_policy_list),
            attached: self.attached(role.attached_managed_policies),
            boundary: self.boundary(role.permissions_boundary),
            trust,
            instance_profiles: role
                .instance_profile_list
                .0
                .iter()
                .map(|profile| self.facts.texts.share(&profile.arn))
                .collect(),
            evidence: self.evidence(format_args!("")),
        };
        self.facts.principals.insert(arn, Box::new(described));
    }

    fn policy(&mut self, policy: Policy<'d>) {
        let account = self.said_account(&policy.arn).or_else(|| self.account.clone());
        let arn = self.facts.texts.share(&policy.arn);
        if self.unplaced.contains(&arn) || self.facts.managed.contains_key(&(account.clone(), Arc::clone(&arn))) {
            return;
        }
        let mut versions = policy.policy_version_list.0;
        let wanted = policy.default_version_id.as_deref();
        let default = versions
            .iter()
            .position(|version| version.is_default_version == Some(true))
            .or_else(|| versions.iter().position(|version| wanted.is_some() && version.version_id.as_deref() == wanted))
            .or(if versions.len() == 1 { Some(0) } else { None });
        let Some((index, document)) =
            default.and_then(|index| Some((index, versions.get_mut(index)?.document.take()?)))
        else {
            return;
        };
        let name = policy.policy_name.as_deref().or_else(|| policy.arn.rsplit('/').next()).unwrap_or_default();
        let evidence = self.evidence(format_args!("/PolicyVersionList/{index}/Document"));
        let policy = self.attach(["managed policy ", name], PolicyRole::Identity, document, evidence.clone());
        if account.is_none() {
            self.unplaced.insert(Arc::clone(&arn));
        }
        self.facts.managed.insert((account, arn), Managed { policy, evidence });
    }

    /// `label`: the two halves of how the policy is called.
    fn attach(&mut self, label: [&str; 2], role: PolicyRole, text: PolicyText<'d>, evidence: Evidence) -> PolicyIx {
        self.label.clear();
        self.label.extend(label);
        let label = self.facts.texts.share(&self.label);
        let (policy, fresh) = self.facts.policies.attach(label, role, text, evidence);
        self.fresh.extend(fresh);
        policy
    }

    /// The principal's name (ARN), unless another page has described it already.
    fn unseen(&self, arn: &str) -> Option<Arc<str>> {
        if self.facts.principals.contains_key(arn) { None } else { Some(Arc::from(arn)) }
    }

    fn path(&mut self, path: Option<Text<'_>>) -> Arc<str> {
        self.facts.texts.share(path.as_deref().unwrap_or("/"))
    }

    fn tags(&mut self, tags: Option<List<Tag<'_>>>) -> Option<Tags> {
        let tags = tags?;
        let texts = &mut self.facts.texts;
        Some(
            tags.0.iter().map(|tag| (texts.share(&tag.key), texts.share(tag.value.as_deref().unwrap_or("")))).collect(),
        )
    }

    /// `list`: how the list of these policies is called.
    fn inline(&mut self, list: &str, policies: List<Inline<'d>>) -> Vec<PolicyIx> {
        let mut all = Vec::with_capacity(policies.0.len());
        for (index, policy) in policies.0.into_iter().enumerate() {
            // Without its document a policy may grant anything: it is kept as one that is not understood.
            let text = policy.policy_document.unwrap_or_else(|| PolicyText::new(Cow::Borrowed("null")));
            let name = policy.policy_name.as_deref().unwrap_or("without name");
            let evidence = self.evidence(format_args!("/{list}/{index}/PolicyDocument"));
            all.push(self.attach(["inline policy ", name], PolicyRole::Identity, text, evidence));
        }
        // Nor is anything known of what a list grants that is not understood.
        if let Some(lost) = self.lost.filter(|lost| GRANTING.contains(lost)) {
            let evidence = self.evidence(format_args!("/{lost}"));
            let nothing = PolicyText::new(Cow::Borrowed("null"));
            all.push(self.attach([lost, ""], PolicyRole::Identity, nothing, evidence));
        }
        all
    }

    fn attached(&mut self, policies: List<Attached<'_>>) -> Vec<Arc<str>> {
        policies.0.iter().map(|policy| self.facts.texts.share(&policy.policy_arn)).collect()
    }

    fn boundary(&mut self, boundary: Option<Boundary<'_>>) -> Option<Arc<str>> {
        if self.lost == Some(BOUNDARY) {
            return Some(self.facts.texts.share("a boundary that is not understood"));
        }
        boundary.map(|boundary| self.facts.texts.share(&boundary.permissions_boundary_arn))
    }
}

/// The gap that roles without a trust policy leave: one for all of an account.
fn without_trust((account, (first, names)): (AccountId, (Evidence, Vec<Arc<str>>))) -> Gap {
    let others = names.get(1..).unwrap_or_default();
    let like = match others.len() {
        0 => String::new(),
        count => format!(", like {count} more: {}", some(others.iter().map(|name| &**name))),
    };
    Gap {
        provider: Some(NAME),
        scope: Some(ScopeId::new(account.0)),
        kind: GapKind::NotCollected,
        call: first.to_string().into(),
        reason: format!("has no `AssumeRolePolicyDocument`{like}; export it again with the whole answer").into(),
        facts: vec![Lost::of("who may become this role", &[Subject::Trust, Subject::Access, Subject::Escalation])],
    }
}

/// A principal's name without path. Hardly two principals share one: nobody looks for a copy.
fn name(name: Option<Name<'_>>, arn: &str) -> Arc<str> {
    Arc::from(name.as_deref().unwrap_or_else(|| arn.rsplit('/').next().unwrap_or(arn)))
}

impl<'de: 'd, 'd> Deserialize<'de> for PolicyText<'d> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self::new(policy_text(raw).unwrap_or(Cow::Borrowed("null"))))
    }
}

impl Facts {
    /// Takes a policy document: an object, or a text that holds one, plain or URL-encoded. `None` for null.
    pub(super) fn policy(
        &mut self,
        label: &str,
        role: PolicyRole,
        document: &RawValue,
        evidence: Evidence,
    ) -> Option<PolicyIx> {
        let text = policy_text(document)?;
        let label = self.texts.share(label);
        Some(self.policies.add(label, role, &text, evidence))
    }
}

/// The JSON text of a policy document. What is none is handed on as it is and refused where policies are understood.
pub(super) fn policy_text(document: &RawValue) -> Option<Cow<'_, str>> {
    let raw = document.get();
    if raw == "null" {
        return None;
    }
    if !raw.starts_with('"') {
        return Some(Cow::Borrowed(raw));
    }
    let Ok(Text(text)) = serde_json::from_str::<Text<'_>>(raw) else { return Some(Cow::Borrowed(raw)) };
    if text.trim_start().starts_with('{') {
        return Some(text);
    }
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) if decoded.trim_start().starts_with('{') => Some(Cow::Owned(decoded.into_owned())),
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_came_before_anything_said_the_account_is_not_taken_again_behind_it() {
        let vendors = r#"{"Arn":"arn:aws:iam::aws:policy/A",
            "PolicyVersionList":[{"IsDefaultVersion":true,"Document":{"Statement":[]}}]}"#;
        let role = r#"{"Arn":"arn:aws:iam::111122223333:role/one"}"#;
        let sheet = Sheet::new("gaad.json".into(), "");
        let (mut facts, mut errors) = (Facts::default(), Vec::new());
        facts.policies.settle();
        let mut reading = Reading::new(&sheet, &mut facts, &mut errors);
        for (list, text) in [("Policies", vendors), ("RoleDetailList", role), ("Policies", vendors)] {
            let element = Element::read(list, &mut serde_json::Deserializer::from_str(text)).unwrap();
            reading.take(format_args!("/{list}/0"), element);
        }
        reading.end(None, Vec::new());
        let held: Vec<PolicyIx> = facts.managed.values().map(|managed| managed.policy).collect();
        assert_eq!(held, [PolicyIx(0)]);
        let account = AccountId("111122223333".into());
        assert!(facts.managed.contains_key(&(Some(account), Arc::<str>::from("arn:aws:iam::aws:policy/A"))));
    }

    #[test]
    fn a_policy_document_is_an_object_or_a_text_plain_or_encoded() {
        let read = |json: &str| {
            let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
            policy_text(&raw).map(Cow::into_owned)
        };
        assert_eq!(read(r#"{"a": 1}"#).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(read(r#""{\"a\": 1}""#).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(read(r#""%7B%22a%22%3A%201%7D""#).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(read("null"), None);
        assert_eq!(read(r#""nonsense""#).as_deref(), Some(r#""nonsense""#));
    }
}
