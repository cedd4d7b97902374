//! GitLab CI/CD: `project_path:GROUP/PROJECT:ref_type:TYPE:ref:REF`, or the same from `project_id`.

use super::{id, name, pairs};
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

const KEYS: &[&str] =
    &["project_path", "project_id", "namespace_path", "namespace_id", "ref_type", "ref", "environment", "user_login"];

/// What every subject fits one of; what stands behind the project is the administrator's choice
/// (`ci_id_token_sub_claim_components`).
pub(super) const SUBJECTS: &[&str] = &["project_path:?*/?*", "project_id:?*"];

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let found = pairs(&pieces, KEYS, &[]);
    let tag = found
        .iter()
        .any(|(key, value)| *key == "ref_type" && value.and_then(Shape::literal).is_some_and(|kind| kind == "tag"));
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).fold(Reach::default(), |reach, (key, value)| {
        reach.and(match key {
            "ref" if tag => Reach::context(Context::Tag).remark("unprotected-ref"),
            key => claim(key, value),
        })
    })
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim {
        "project_path" => path(shape),
        "project_id" => by_id(Reach::workload(id(shape)), "project-id-pin"),
        "namespace_id" => by_id(Reach::tenant(id(shape)), "namespace-id-pin"),
        "namespace_path" => Reach::tenant(name(shape)),
        "ref" if shape.is_wild() => Reach::context(Context::Several("wildcard-ref")).remark("unprotected-ref"),
        "ref" => Reach::context(Context::One).remark("exact-ref"),
        "environment" if !shape.is_wild() => Reach::context(Context::One).remark("environment-scoped"),
        "ref_protected" if shape.literal().as_deref() == Some("true") => {
            Reach { protected: true, ..Reach::default() }.remark("ref-protected")
        }
        _ => Reach::default(),
    }
}

fn by_id(reach: Reach, pin: &'static str) -> Reach {
    if reach.tenant == Pin::Id { reach.remark("immutable").remark(pin) } else { reach }
}

/// `GROUP/PROJECT`, with any number of groups.
fn path(shape: &Shape) -> Reach {
    if !shape.is_wild() {
        // A project that is moved or deleted leaves its path behind.
        return Reach::workload(Pin::Name).remark("path-reuse");
    }
    let head = shape.head();
    let Some((_, rest)) = head.split_once('/') else { return Reach::default() };
    let workload = if rest.is_empty() { Pin::Open } else { Pin::Part };
    Reach { tenant: Pin::Name, workload, ..Reach::default() }
}
