//! Kubernetes: `system:serviceaccount:NAMESPACE:NAME`, of a cluster on EKS, GKE, AKS or anywhere else.

use super::name;
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

/// What every subject fits one of.
pub(super) const SUBJECTS: &[&str] = &["system:serviceaccount:?*:?*"];

/// Which every pod of a namespace runs with that names no other.
const DEFAULT: &str = "default";

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let fixed: Vec<Option<String>> = pieces.iter().take(2).map(Shape::literal).collect();
    match fixed.as_slice() {
        [Some(system), Some(kind)] if system == "system" && kind == "serviceaccount" => {}
        // Not the beginning of any subject; a pattern may still be one.
        _ if shape.is_wild() => return Reach::default(),
        _ => return Reach::nobody(),
    }
    let namespace = pieces.get(2).map_or(Pin::Open, name);
    let account = pieces.get(3).map_or(Pin::Open, name);
    let reach = Reach { tenant: namespace, ..Reach::default() };
    reach.and(of_account(account, pieces.get(3)))
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim {
        "kubernetes.io/namespace" => Reach::tenant(name(shape)),
        "kubernetes.io/serviceaccount/name" => of_account(name(shape), Some(shape)),
        "kubernetes.io/serviceaccount/uid" => Reach { context: Context::One, ..Reach::workload(super::id(shape)) },
        _ => Reach::default(),
    }
}

fn of_account(held: Pin, shape: Option<&Shape>) -> Reach {
    let context = if held == Pin::Name { Context::One } else { Context::All };
    let mark = shape.and_then(Shape::literal).is_some_and(|name| name == DEFAULT).then_some("default-service-account");
    Reach { workload: held, context, mark, ..Reach::default() }
}
