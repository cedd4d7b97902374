//! CircleCI: `org/O/project/P/user/U`, all of them numbers, and for some jobs `/vcs-origin/…/vcs-ref/…`.

use super::{id, pairs};
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

/// What every subject fits one of.
pub(super) const SUBJECTS: &[&str] = &["org/?*/project/?*/user/*"];

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split('/');
    let mut reach = Reach::default();
    for (key, value) in pairs(&pieces, &["org", "project", "user", "vcs-ref"], &[]) {
        let Some(value) = value else { continue };
        match key {
            "org" => reach.tenant = id(value),
            "project" => reach.workload = id(value),
            "user" if !value.is_wild() => reach.context = Context::One,
            "vcs-ref" if !value.is_open() => {
                reach.context = reach.context.max(Context::Several("wildcard-user"));
            }
            _ => {}
        }
    }
    immutable(reach)
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim.strip_prefix("oidc.circleci.com/").unwrap_or(claim) {
        "project-id" => {
            let reach = immutable(Reach::workload(id(shape)));
            if reach.workload == Pin::Id { reach.remark("project-id-pin") } else { reach }
        }
        "org-id" => Reach::tenant(id(shape)),
        "vcs-ref" if !shape.is_open() => Reach::context(Context::Several("wildcard-user")),
        _ => Reach::default(),
    }
}

fn immutable(reach: Reach) -> Reach {
    if reach.workload == Pin::Id { reach.remark("immutable-id") } else { reach }
}
