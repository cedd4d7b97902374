//! Kubernetes: `kubectl get … -o json|yaml` exports and plain manifests.
//!
//! [`Kubernetes`] recognises documents, reads them into the inventory without keeping a secret, and answers what each
//! identity may do by the rules of the API server's own RBAC authorizer, which stands by itself in [`rbac`]. [`point`]
//! decides requests that bring their roles and bindings along. It knows nothing of rules, reports or other providers. With the feature
//! `live`, [`collect`] reads clusters into such exports; nothing else here talks to a network.

mod access;
mod capture;
mod catalog;
#[cfg(feature = "live")]
pub mod collect;
mod documents;
mod inventory;
pub mod point;
pub mod rbac;
mod reader;
mod server;
mod sorted;
#[cfg(test)]
mod tests;

use evenhand_model::decide::Decides;
use evenhand_model::document::Document;
use evenhand_model::id::ProviderName;
use evenhand_model::provider::{Provider, ReadOptions, Reader};

/// The Kubernetes provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kubernetes;

impl Provider for Kubernetes {
    fn name(&self) -> ProviderName {
        inventory::PROVIDER
    }

    fn recognise(&self, document: &Document) -> Option<&'static str> {
        server::recognise(document).or_else(|| documents::recognise(document))
    }

    fn is_damaged(&self, document: &Document) -> bool {
        documents::is_damaged(document)
    }

    fn known_settings(&self) -> &'static [(&'static str, &'static str)] {
        &[
            (
                "cluster",
                "the name of the cluster that all documents speak of; by default each document's folder or source",
            ),
            ("audit_log", "`on` or `off`: whether the API server's audit log is on, which no export shows"),
            ("audit_retention_days", "how many days that log is kept"),
            ("version", "the version of the API server, such as `1.36`, where no document tells it"),
            ("clusters.<name>.version", "as `version`, for one cluster"),
            ("clusters.<name>.audit_log", "as `audit_log`, for one cluster"),
            ("clusters.<name>.audit_retention_days", "as `audit_retention_days`, for one cluster"),
        ]
    }

    fn reader(&self, options: ReadOptions) -> Box<dyn Reader> {
        Box::new(reader::KubernetesReader::new(options))
    }

    fn decider(&self) -> Option<Box<dyn Decides>> {
        Some(Box::new(point::Decider::default()))
    }
}
