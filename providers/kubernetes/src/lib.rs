//! Kubernetes.

mod capture;
mod catalog;
mod documents;
pub mod rbac;
