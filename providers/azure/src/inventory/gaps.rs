//! What was not read: refused calls, and calls whose answers are not part of the capture.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::access::Unread;
use evenhand_model::gap::{Gap, GapKind};

use super::applications::is_microsofts;
use super::{Join, is_read};
use crate::PROVIDER;
use crate::documents::directory::PrincipalKind;
use crate::documents::route::Route;

/// A call, the code of its refusal, and what would have been enough.
type Refusal<'a> = (Route, &'a str, Option<&'a Arc<str>>);

/// Lists of the tenant as a whole without which something stays unknown.
const WHOLE: [Route; 18] = [
    Route::ServicePrincipals,
    Route::Applications,
    Route::Users,
    Route::Groups,
    Route::DelegatedGrants,
    Route::DirectoryAssignments,
    Route::DirectoryRoles,
    Route::DirectoryEligible,
    Route::ActivationRules,
    Route::ConditionalAccess,
    Route::SignIns,
    Route::RoleAssignments,
    Route::RoleDefinitions,
    Route::DenyAssignments,
    Route::RoleEligible,
    Route::RoleActivationRules,
    Route::Resources,
    Route::DiagnosticSettings,
];

/// Lists without which steps to more access may be there unseen.
const OF_STEPS: [Route; 2] = [Route::DirectoryAssignments, Route::RoleAssignments];

impl Join<'_> {
    pub(super) fn take_gaps(&mut self) {
        self.refused();
        self.missing_lists();
        self.missing_of_principals();
    }

    /// One gap for each call and reason, however many objects it is about.
    fn refused(&mut self) {
        let mut all: BTreeMap<Refusal<'_>, BTreeSet<&str>> = BTreeMap::new();
        for held in &self.facts.unanswered {
            let key = (held.route, held.refusal.code.as_str(), held.accepted.as_ref());
            all.entry(key).or_default().insert(&held.of);
        }
        let mut gaps = Vec::new();
        for ((route, code, accepted), about) in all {
            let call = route.call();
            let is_it = |held: &&crate::facts::Unanswered| held.route == route && held.refusal.code == code;
            let why = self.facts.unanswered.iter().find(is_it).map_or_else(Default::default, |held| held.refusal.why);
            let needs = accepted.map_or(call.permission, |accepted| accepted);
            let mut reason = format!("{} ({needs})", why.said(code, PROVIDER.0));
            let mut names = about.iter().filter(|of| !of.is_empty());
            if let Some(first) = names.next() {
                reason.push_str(&format!("; of {first}"));
                let more = names.count();
                if more > 0 {
                    reason.push_str(&format!(" and {more} more"));
                }
            }
            gaps.push((route, self.gap(GapKind::Failed, route, reason)));
        }
        for (route, gap) in gaps {
            if OF_STEPS.contains(&route) && !self.is_read(route) {
                self.note_unread(&call_words(route), &gap);
            }
            self.inventory.gaps.push(gap);
        }
    }

    fn missing_lists(&mut self) {
        let refused: BTreeSet<Route> = self.facts.unanswered.iter().map(|held| held.route).collect();
        for route in WHOLE {
            let instances = route == Route::DirectoryAssignments && self.is_read(Route::DirectoryActive);
            if self.is_read(route) || refused.contains(&route) || instances {
                continue;
            }
            let gap = self.gap(GapKind::NotCollected, route, not_there(route, ""));
            if OF_STEPS.contains(&route) {
                self.note_unread(&call_words(route), &gap);
            }
            self.inventory.gaps.push(gap);
        }
    }

    /// What has to be asked of each principal by itself.
    fn missing_of_principals(&mut self) {
        let facts = self.facts;
        let refused: BTreeSet<(Route, &str)> =
            facts.unanswered.iter().map(|held| (held.route, held.of.as_str())).collect();
        let mut missing: BTreeMap<Route, Vec<&str>> = BTreeMap::new();
        for (object, held) in &facts.principals {
            let kind = held.kind();
            // Microsoft's own are listed and never judged.
            if is_microsofts(held) {
                continue;
            }
            let told = [
                (Route::AppRoleAssignments, self.permissions_read(object)),
                (Route::Owners, kind == PrincipalKind::ManagedIdentity || is_read(facts.owners.get(object))),
                (Route::Sponsors, kind != PrincipalKind::Agent || is_read(facts.sponsors.get(object))),
            ];
            for (route, read) in told {
                if !read && !refused.contains(&(route, object)) {
                    missing.entry(route).or_default().push(held.display_name.as_deref().unwrap_or(object));
                }
            }
        }
        for (object, held) in &facts.applications {
            if !is_read(facts.federated.get(object)) && !refused.contains(&(Route::FederatedCredentials, object)) {
                let name = held.display_name.as_deref().unwrap_or(object);
                missing.entry(Route::FederatedCredentials).or_default().push(name);
            }
        }
        for (object, held) in &facts.groups {
            if !is_read(facts.members.get(object)) && !refused.contains(&(Route::Members, object)) {
                missing.entry(Route::Members).or_default().push(held.display_name.as_deref().unwrap_or(object));
            }
        }
        for (route, names) in missing {
            let first = names.first().copied().unwrap_or_default();
            let more = names.len().saturating_sub(1);
            let place = if more > 0 { format!(" of {first} and {more} more") } else { format!(" of {first}") };
            let gap = self.gap(GapKind::NotCollected, route, not_there(route, &place));
            self.inventory.gaps.push(gap);
        }
    }

    /// That it was not read which permissions a principal holds, as something that may offer steps.
    pub(super) fn permission_gap(&self, object: &str) -> Option<Arc<Unread>> {
        let route = Route::AppRoleAssignments;
        let held = self.permissions_refused.get(object);
        let reason = match held {
            Some(refusal) => refusal.why.said(&refusal.code, PROVIDER.0),
            None => not_there(route, ""),
        };
        let kind = if held.is_some() { GapKind::Failed } else { GapKind::NotCollected };
        let gap = self.gap(kind, route, reason);
        Some(Arc::new(Unread { what: format!("application permissions of {object}").into(), gap }))
    }

    pub(super) fn gap(&self, kind: GapKind, route: Route, reason: String) -> Gap {
        let call = route.call();
        Gap {
            provider: Some(PROVIDER),
            scope: Some(self.scope.clone()),
            kind,
            call: call.path.into(),
            reason: reason.into(),
            facts: vec![call.lost.clone()],
        }
    }
}

fn call_words(route: Route) -> String {
    route.call().lost.words.to_string()
}

fn not_there(route: Route, place: &str) -> String {
    format!("the capture holds no answer{place}; export it with `{}`", route.export())
}
