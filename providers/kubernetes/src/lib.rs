//! Kubernetes.

mod documents;
pub mod rbac;
