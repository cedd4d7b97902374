//! Right-sized access as permissions and repositories: what the owner of an app or the author of a workflow writes.
//!
//! Permissions are coarse: each is enough for many operations, and an app has one list of repositories for all of them. So
//! a proposal is the most permissions that grant nothing beyond what may stay, and the rest of it is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use evenhand_model::access::{AccessResolver as _, Grant, GrantIx};
use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::id::IdentityId;
use evenhand_model::opset::OpSet;
use evenhand_model::proposal::{Kept, LeftOut, NoProposal, Proposal, ProposedFile, Proposes, file_name};
use evenhand_model::scope::ResourceScope;
use serde_json::json;

use super::Resolver;
use crate::catalog::{Catalogue, Level, Permissions, Place};

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
        } else if policy == "permissions of the job" || policy.starts_with("default permissions of workflows") {
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
        Ok(told(identity, holder, &words, repositories.unwrap_or_default(), left_out, apart))
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

fn told(
    identity: &IdentityId,
    holder: Holder,
    words: &BTreeMap<&str, &'static str>,
    repositories: Vec<String>,
    left_out: Vec<LeftOut>,
    apart: &str,
) -> Proposal {
    let name = format!("{}{apart}", file_name(identity.as_str()));
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
            steps.push("put the block in place of `permissions` of the job in its workflow".to_owned());
            ProposedFile { name: format!("{name}.permissions.yaml"), text }
        }
        Holder::App | Holder::Token => {
            let selection = if repositories.is_empty() { "all" } else { "selected" };
            let document = json!({
                "permissions": words, "repository_selection": selection, "repositories": repositories,
            });
            let what = if holder == Holder::App { "app" } else { "token" };
            steps.push(match holder {
                Holder::App => {
                    "set these permissions in the settings of the app, under Permissions & events; of an app \
                                of somebody else its owner does, and what it does not need is asked of it"
                        .to_owned()
                }
                _ => "make a token of these permissions in place of the present one, and revoke that".to_owned(),
            });
            if !repositories.is_empty() {
                steps.push(format!("select these repositories for the {what}, and no others"));
            }
            ProposedFile { name: format!("{name}.permissions.json"), text: format!("{document:#}\n") }
        }
    };
    if words.is_empty() {
        steps = vec!["take all of its permissions away: none grants only what may stay".to_owned()];
    }
    Proposal { files: vec![file], steps, left_out }
}

#[cfg(test)]
mod tests {
    use evenhand_model::catalog::Catalog as _;

    use super::*;

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
            told(&"github:acme:job:x".into(), holder, &words, Vec::new(), Vec::new(), "").files[0].text.clone()
        };
        assert_eq!(told(Holder::Job), "permissions:\n  contents: read\n  pull-requests: write\n");
        assert!(told(Holder::App).contains("\"metadata\": \"read\""));
        // One operation of many is no permission.
        let push = OpSet::single(catalogue.expand("git/push").first().expect("an operation"));
        assert!(most(&push).is_empty());
    }
}
