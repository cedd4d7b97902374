//! Bitbucket Pipelines: `{REPOSITORY}:{STEP}`, or `{REPOSITORY}:{ENVIRONMENT}:{STEP}`, all of them numbers in braces.

use super::id;
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

/// What every subject fits one of.
pub(super) const SUBJECTS: &[&str] = &["{*}:{*}"];

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let Some((repository, rest)) = pieces.split_first() else { return Reach::default() };
    // What does not begin with a brace is a name, and names are in no subject.
    let is_name = |piece: &Shape| {
        let head = piece.head();
        !head.is_empty() && !head.starts_with('{')
    };
    if pieces.iter().any(is_name) {
        return Reach::nobody().remark("name-based");
    }
    let held = rest.iter().any(|piece| !piece.is_wild());
    let context = if held { Context::One } else { Context::All };
    let reach = Reach { context, ..Reach::workload(id(repository)) };
    if reach.workload == Pin::Id { reach.remark("immutable-id") } else { reach.remark("wildcard-repo") }
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim.to_ascii_lowercase().as_str() {
        "repositoryuuid" => Reach::workload(id(shape)).remark("immutable-id"),
        "workspaceuuid" => Reach::tenant(id(shape)),
        "deploymentenvironmentuuid" if !shape.is_wild() => Reach::context(Context::One).remark("environment-scoped"),
        "branchname" if !shape.is_wild() => Reach::context(Context::One).remark("exact-ref"),
        _ => Reach::default(),
    }
}
