//! Terraform Cloud: `organization:O:project:P:workspace:W:run_phase:PHASE`, all of them names; of a stack
//! `organization:O:project:P:stack:S:deployment:D:operation:OPERATION`.

use super::{id, name, pairs};
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

const KEYS: &[&str] = &["organization", "project", "workspace", "run_phase", "stack", "deployment", "operation"];

/// What every subject fits one of.
pub(super) const SUBJECTS: &[&str] = &[
    "organization:?*:project:?*:workspace:?*:run_phase:*",
    "organization:?*:project:?*:stack:?*:deployment:?*:operation:*",
];

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let mut reach = Reach::default();
    let mut project = Pin::Open;
    for (key, value) in pairs(&pieces, KEYS, &[]) {
        let Some(value) = value else { continue };
        match key {
            "organization" => reach.tenant = name(value),
            "project" => project = name(value),
            "workspace" | "stack" => reach.workload = name(value),
            "deployment" => {}
            _ if !value.is_wild() => reach.context = Context::One,
            _ => {}
        }
    }
    // Workspaces of a project are fewer than those of an organisation, and more than one.
    if reach.workload == Pin::Open && project == Pin::Name {
        reach.workload = Pin::Part;
    }
    if !shape.is_wild() {
        return reach.remark("exact-ref");
    }
    // The pattern ends where the next key would stand.
    let ends_early = pieces.len() % 2 == 1 && pieces.last().is_some_and(Shape::is_wild);
    if ends_early { reach.remark("wildcard-suffix") } else { reach }
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    let immutable = |reach: Reach| {
        let held = reach.tenant.max(reach.workload) == Pin::Id;
        if held { reach.remark("immutable").remark("immutable-id") } else { reach }
    };
    match claim {
        "terraform_organization_id" => immutable(Reach::tenant(id(shape))),
        "terraform_organization_name" => Reach::tenant(name(shape)),
        "terraform_workspace_id" => immutable(Reach::workload(id(shape))),
        // Every organisation may have a workspace of that name.
        "terraform_workspace_name" => Reach { workload: name(shape), ..Reach::default() },
        "terraform_full_workspace" => subject(shape),
        "terraform_run_phase" if !shape.is_wild() => Reach::context(Context::One),
        _ => Reach::default(),
    }
}
