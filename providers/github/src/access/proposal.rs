//! Right-sized access as permissions and repositories: what the owner of an app or the author of a workflow writes.
//!
//! Permissions are coarse: each is enough for many operations, and an app has one list of repositories for all of them. So
//! a proposal is the most permissions that grant nothing beyond what may stay, and the rest of it is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::access::{AccessResolver as _, Grant, GrantIx};
use evenhand_model::evidence::{self, Evidence, Truth};
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, file_name_part, quoted};
use evenhand_model::scope::ResourceScope;
use serde_json::json;

use super::Resolver;
use crate::catalog::{Catalogue, Level, Permissions, Place};

/// What grants are called that a workflow says nothing of.
const BY_DEFAULT: &str = "default permissions of workflows";
/// What they are called where a workflow asks for all permissions of a level.
const ALL_OF_A_KIND: &str = "permissions: ";

/// What the block of a job takes the place of. A job that goes by the permissions of its workflow has none of its own yet.
/// Source: "permissions" and "jobs.<job_id>.permissions" of the workflow syntax of GitHub Actions.
const INSTEAD: &str = "in place of its own `permissions` where it has any";

/// Who writes permissions down, told by what the grants are called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    App,
    Job,
    Token,
}

impl Holder {
    fn of(policy: &str) -> Option<Self> {
        if policy.starts_with("permissions of the app ") {
            Some(Self::App)
        } else if policy == "permissions of the job"
            || policy.starts_with(ALL_OF_A_KIND)
            || policy.starts_with(BY_DEFAULT)
        {
            Some(Self::Job)
        } else if policy.starts_with("permissions of the token ") {
            Some(Self::Token)
        } else {
            None
        }
    }
}

impl Proposes for Resolver {
    fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool {
        self.identities.contains_key(identity) && Holder::of(&self.grant(grant).policy).is_some()
    }

    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal> {
        self.proposed(identity, None, kept, apart)
    }

    fn propose_at(
        &self,
        identity: &IdentityId,
        at: &Evidence,
        kept: &[Kept],
        apart: &str,
    ) -> Result<Proposal, NoProposal> {
        self.proposed(identity, Some(at), kept, apart)
    }
}

impl Resolver {
    /// `at`: where the identity is described.
    fn proposed(
        &self,
        identity: &IdentityId,
        at: Option<&Evidence>,
        kept: &[Kept],
        apart: &str,
    ) -> Result<Proposal, NoProposal> {
        let access = self.access(identity);
        let slices = || access.iter().flat_map(|access| access.slices());
        let Some(holder) = slices().filter_map(|slice| Holder::of(&self.grant(slice.grant).policy)).min() else {
            let reason = format!("what `{identity}` holds is not in permissions of an app, a workflow or a token");
            let remedy = match slices().next().map(|slice| self.grant(slice.grant)) {
                Some(Grant { policy, evidence, .. }) => {
                    format!(
                        "it holds that by {policy}, whole or not at all: choose where, or switch it off, at {evidence}"
                    )
                }
                None => "`evenhand explain` tells where each grant stands".to_owned(),
            };
            return Err(NoProposal { reason, remedy });
        };
        let bare = |part: &&Kept| part.slice.condition == part.of.condition;
        let reach = widest(kept);
        let within = |part: &&Kept| reach.as_ref().is_some_and(|reach| part.slice.scope.contains(reach) == Truth::Yes);
        let may = union(kept.iter().filter(bare).filter(within));
        let permissions = most(&may);
        let granted = all_granted(&permissions);
        let mut left_out = Vec::new();
        for (place, part) in kept.iter().enumerate() {
            let why = if !bare(&part) {
                "permissions know no such condition"
            } else if !within(&part) {
                "there is one list of repositories for all permissions"
            } else {
                "a permission that is enough for it is enough for more"
            };
            let operations = match bare(&part) && within(&part) {
                true => part.slice.operations.difference(&granted),
                false => (*part.slice.operations).clone(),
            };
            if !operations.is_empty() {
                left_out.push(LeftOut { place, operations, why: why.into() });
            }
        }
        let repositories = reach.as_deref().map(repositories);
        let families = families(&may);
        let words = words(&permissions, &families);
        let written =
            slices().map(|slice| self.grant(slice.grant)).find(|held| Holder::of(&held.policy) == Some(holder));
        // What is held by default stands in settings, which hold for other workflows too.
        let place = match (written, at) {
            (Some(held), Some(at)) if held.policy.starts_with(BY_DEFAULT) => {
                format!("{}, which asks for none and has the {}", address(at), held.policy)
            }
            (Some(held), _) => address(&held.evidence),
            (None, at) => at.map(address).unwrap_or_default(),
        };
        Ok(told(identity, (holder, &place), &words, repositories.unwrap_or_default(), left_out, apart))
    }
}

/// Where people look. A line of a page is part of its address, as GitHub writes it. Source:
/// <https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-a-permanent-link-to-a-code-snippet>.
fn address(at: &Evidence) -> String {
    match at.place {
        evidence::Place::Line(line) | evidence::Place::LineColumn(line, _) if at.document.starts_with("https://") => {
            format!("{}#L{line}", at.document)
        }
        _ => at.to_string(),
    }
}

fn union<'k>(parts: impl Iterator<Item = &'k Kept>) -> OpSet {
    OpSet::from_ranges(parts.flat_map(|part| part.slice.operations.ranges().iter().copied()))
}

/// The scope, of those that occur, in which most operations may stay.
fn widest(kept: &[Kept]) -> Option<Arc<ResourceScope>> {
    let held = |scope: &Arc<ResourceScope>| {
        union(kept.iter().filter(|part| part.slice.scope.contains(scope) == Truth::Yes)).len()
    };
    let mut scopes: Vec<&Arc<ResourceScope>> = kept.iter().map(|part| &part.slice.scope).collect();
    scopes.sort_unstable();
    scopes.dedup();
    // Of equally many the wider: what is everywhere comes first, and of two lists the longer.
    let width = |scope: &Arc<ResourceScope>| match scope.all_of.first() {
        None => usize::MAX,
        Some(list) => list.len(),
    };
    scopes.into_iter().max_by_key(|scope| (held(scope), width(scope))).map(Arc::clone)
}

/// The most permissions that grant nothing beyond some operations, each at the lowest level that grants as much.
fn most(may: &OpSet) -> Permissions {
    let (mut chosen, mut granted) = (Permissions::default(), OpSet::new());
    for family in families(may) {
        let (before, held) = (chosen.clone(), granted.len());
        let mut most = held;
        for level in [Level::Read, Level::Write, Level::Admin] {
            let mut more = before.clone();
            more.add(&family, level);
            let grants = all_granted(&more);
            if grants.len() > most && grants.is_subset(may) {
                (most, chosen, granted) = (grants.len(), more, grants);
            }
        }
    }
    chosen
}

/// What permissions are enough for, wherever it is done.
fn all_granted(permissions: &Permissions) -> OpSet {
    let catalogue = Catalogue::global();
    catalogue.granted(permissions, Place::Repository).union(&catalogue.granted(permissions, Place::Organisation))
}

/// The families that operations take permissions of, by the words in which the catalogue says so.
fn families(operations: &OpSet) -> BTreeSet<String> {
    let mut families = BTreeSet::new();
    for operation in operations.iter() {
        let takes = Catalogue::global().takes(operation);
        let each = takes.split(", or ").flat_map(|together| together.split(" and "));
        families.extend(each.filter_map(|one| Some(one.split_once(": ")?.0.to_owned())));
    }
    families
}

/// Permissions in GitHub's words: family and level.
fn words<'f>(permissions: &Permissions, families: &'f BTreeSet<String>) -> BTreeMap<&'f str, &'static str> {
    let levels = [(Level::Admin, "admin"), (Level::Write, "write"), (Level::Read, "read")];
    let held = |family: &str| levels.iter().find(|(level, _)| permissions.holds(family, *level)).map(|(_, word)| *word);
    families.iter().filter_map(|family| Some((family.as_str(), held(family)?))).collect()
}

/// The repositories of a scope; none for all of them.
fn repositories(scope: &ResourceScope) -> Vec<String> {
    let patterns = scope.all_of.first().map_or(&[][..], |list| list);
    let name = |segments: &[Glob]| match segments {
        [Glob::Literal(name), ..] => Some(name.to_string()),
        _ => None,
    };
    patterns.iter().filter_map(|pattern| name(pattern.segments())).collect()
}

/// Where somebody lives, for addresses and calls: the host, the owner, and the name below it.
struct Home<'i> {
    host: &'i str,
    owner: &'i str,
    name: &'i str,
}

impl<'i> Home<'i> {
    fn of(identity: &'i IdentityId) -> Self {
        // `github:acme:app:claude`, on another host `github:git.acme.example/acme:app:claude`.
        let mut parts = identity.as_str().splitn(4, ':').skip(1);
        let scope = parts.next().unwrap_or_default();
        let (host, owner) = scope.rsplit_once('/').unwrap_or(("github.com", scope));
        Self { host, owner, name: parts.nth(1).unwrap_or_default() }
    }

    /// A page of the owner's settings.
    fn settings(&self, page: &str) -> String {
        format!("https://{}/organizations/{}/settings/{page}", self.host, self.owner)
    }

    /// The command that prints the page of an app's installation, where it is limited, suspended and uninstalled.
    fn installation(&self) -> String {
        let slug = serde_json::Value::from(self.name).to_string();
        let host = if self.host == "github.com" { String::new() } else { format!(" --hostname {}", quoted(self.host)) };
        format!(
            "gh api{host} --paginate {} --jq {}",
            quoted(&format!("/orgs/{}/installations", self.owner)),
            quoted(&format!(".installations[] | select(.app_slug == {slug}) | .html_url"))
        )
    }
}

/// `holder`: who writes the permissions down, and where that stands now.
fn told(
    identity: &IdentityId,
    (holder, place): (Holder, &str),
    words: &BTreeMap<&str, &'static str>,
    repositories: Vec<String>,
    left_out: Vec<LeftOut>,
    apart: &str,
) -> Proposal {
    let parts: Vec<String> = identity.as_str().split(':').map(file_name_part).collect();
    let name = format!("{}{apart}", parts.join("_"));
    let home = Home::of(identity);
    let mut steps = Vec::new();
    let file = match holder {
        Holder::Job => {
            // Every job may read metadata, and a workflow that asks for it is refused.
            let asked: Vec<_> = words.iter().filter(|(family, _)| **family != "metadata").collect();
            let mut text = String::from("permissions:");
            text.push_str(if asked.is_empty() { " {}\n" } else { "\n" });
            for (family, level) in asked {
                let _ = writeln!(text, "  {}: {level}", family.replace('_', "-"));
            }
            steps.push(format!("put the block into the job in its workflow, {INSTEAD}, at {place}"));
            ProposedFile { name: format!("{name}.permissions.yaml"), text }
        }
        Holder::App | Holder::Token => {
            let selection = if repositories.is_empty() { "all" } else { "selected" };
            let document = json!({
                "permissions": words, "repository_selection": selection, "repositories": repositories,
            });
            let selected = match repositories.is_empty() {
                true => String::new(),
                false => format!("; then select these repositories and no others: {}", repositories.join(", ")),
            };
            match holder {
                Holder::App => {
                    let page = home.settings(&format!("apps/{}/permissions", home.name));
                    steps.push(format!(
                        "set these permissions at {page}, where {} owns the app; of an app of somebody else its owner \
                         does, and what it does not need is asked of it",
                        home.owner
                    ));
                    steps.push(format!(
                        "open the page that this prints, and accept them{selected}: {}",
                        home.installation()
                    ));
                }
                Holder::Token | Holder::Job => {
                    steps.push(format!(
                        "make a token of these permissions at https://{}/settings/personal-access-tokens/new{selected}",
                        home.host
                    ));
                    let page = home.settings("personal-access-tokens/active");
                    steps.push(format!("put it in place of the present one, and revoke that at {page}"));
                }
            }
            ProposedFile { name: format!("{name}.permissions.json"), text: format!("{document:#}\n") }
        }
    };
    if words.is_empty() {
        let none = "take all of its permissions away, because none grants only what may stay";
        steps = vec![match holder {
            Holder::App => format!("{none}: uninstall the app at the page that this prints: {}", home.installation()),
            Holder::Token => {
                format!("{none}: revoke the token at {}", home.settings("personal-access-tokens/active"))
            }
            Holder::Job => format!("{none}: put the block into the job, {INSTEAD}, at {place}"),
        }];
    }
    Proposal { files: vec![file], steps, left_out, ..Proposal::default() }
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::Catalog as _;

    use super::*;

    #[test]
    fn whatever_a_job_has_by_its_workflow_is_the_jobs() {
        for (policy, is_job) in [
            ("permissions of the job", true),
            ("permissions: write-all", true),
            ("default permissions of workflows: read", true),
            ("permissions of the token x", false),
            ("role write in acme/web", false),
        ] {
            assert_eq!(Holder::of(policy) == Some(Holder::Job), is_job, "{policy}");
        }
    }

    #[test]
    fn a_line_of_a_page_is_part_of_its_address() {
        let at = |document: &str, place| address(&Evidence { document: document.into(), place });
        let page = "https://github.com/acme/shop/blob/HEAD/w.yml";
        assert_eq!(at(page, evidence::Place::Line(8)), format!("{page}#L8"));
        assert_eq!(at(page, evidence::Place::LineColumn(8, 3)), format!("{page}#L8"));
        assert_eq!(at("w.yml", evidence::Place::Line(8)), "w.yml:8");
        assert_eq!(at(page, evidence::Place::Whole), page);
    }

    #[test]
    fn the_most_permissions_are_taken_that_grant_nothing_beyond() {
        let catalogue = Catalogue::global();
        let granted = |words: &[(&str, &str)]| all_granted(&Permissions::of(words.iter().copied()));
        for words in [&[("contents", "read")][..], &[("contents", "write"), ("issues", "read")], &[]] {
            let may = granted(words);
            let chosen = most(&may);
            let families = families(&may);
            let told = super::words(&chosen, &families);
            assert!(told.values().all(|level| *level != "admin"), "{told:?}");
            assert_eq!(granted(&told.into_iter().collect::<Vec<_>>()), may, "{words:?}");
        }
        let told = |holder| {
            let words = BTreeMap::from([("contents", "read"), ("metadata", "read"), ("pull_requests", "write")]);
            told(&"github:acme:job:x".into(), (holder, "w.yml:3"), &words, Vec::new(), Vec::new(), "").files[0]
                .text
                .clone()
        };
        assert_eq!(told(Holder::Job), "permissions:\n  contents: read\n  pull-requests: write\n");
        assert!(told(Holder::App).contains("\"metadata\": \"read\""));
        let steps = |identity: &str, holder| {
            let words = BTreeMap::from([("contents", "read")]);
            super::told(&identity.into(), (holder, "w.yml:3"), &words, vec!["acme/web".to_owned()], Vec::new(), "")
                .steps
        };
        let instead = " of its own `permissions` where it has any, at w.yml:3";
        assert!(steps("github:acme:job:x", Holder::Job)[0].ends_with(instead));
        let app = steps("github:acme:app:it's", Holder::App);
        assert!(app[0].contains("https://github.com/organizations/acme/settings/apps/it's/permissions"), "{app:#?}");
        let asked = "gh api --paginate /orgs/acme/installations --jq \
                     '.installations[] | select(.app_slug == \"it'\\''s\") | .html_url'";
        assert!(app[1].ends_with(asked) && app[1].contains("no others: acme/web"), "{app:#?}");
        let other = steps("github:git.acme.example/acme:app:x", Holder::App);
        assert!(other[1].contains("gh api --hostname git.acme.example --paginate /orgs/acme/"), "{other:#?}");
        let token = steps("github:acme:token:t", Holder::Token);
        assert!(token[1].ends_with("/organizations/acme/settings/personal-access-tokens/active"), "{token:#?}");
        // One operation of many is no permission.
        let push = OpSet::single(catalogue.expand("git/push").first().expect("an operation"));
        assert!(most(&push).is_empty());
    }
}
