//! Kubernetes.

mod access;
mod capture;
mod catalog;
mod documents;
pub mod rbac;
