//! What a provider's operations are and how much each matters.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::control::ControlKind;
use crate::opset::{OpSet, OperationIx};

/// How far an operation reaches, in the order of its weight.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// Names and existence.
    List,
    /// Content.
    Read,
    /// Labels.
    Tagging,
    /// Content is changed.
    Write,
    /// Who may do what is changed.
    PermissionManagement,
}

impl AccessLevel {
    /// The word used in the fact tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Tagging => "tagging",
            Self::Write => "write",
            Self::PermissionManagement => "permission_management",
        }
    }

    /// The weight of one operation of this level: 1, 2, 3, 5, 8.
    pub fn weight(self) -> u32 {
        match self {
            Self::List => 1,
            Self::Read => 2,
            Self::Tagging => 3,
            Self::Write => 5,
            Self::PermissionManagement => 8,
        }
    }
}

/// The weight of an operation that escalates or tampers with logs, whatever its level.
pub const ESCALATION_WEIGHT: u32 = 13;

/// Groups of operations that rules ask about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum OperationClass {
    /// Part of some escalation technique.
    Escalation,
    /// Stops, redirects or deletes audit logs.
    LogTamper,
    /// Changes the rules that gate identities: boundaries, organisation policies, admission, branch protection.
    GateTamper,
    /// Reads values from a secret store.
    SecretRead,
}

/// Where a catalogue comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CatalogSource {
    /// The package it was generated from.
    pub package: Arc<str>,
    /// Its version.
    pub version: Arc<str>,
    /// The date of its data, `YYYY-MM-DD`.
    pub date: Arc<str>,
}

/// A provider's operations, numbered from 0 in alphabetical order.
pub trait Catalog: Send + Sync {
    /// Where the catalogue comes from, most important source first.
    fn sources(&self) -> Vec<CatalogSource>;

    /// The number of operations.
    fn len(&self) -> usize;

    /// Whether the catalogue is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of an operation; empty for a number outside the catalogue.
    fn name(&self, operation: OperationIx) -> Arc<str>;

    /// The level of an operation.
    fn level(&self, operation: OperationIx) -> AccessLevel;

    /// The operations that a user means by a text: a name or a wildcard, in the vendor's spelling.
    fn expand(&self, pattern: &str) -> OpSet;

    /// The operations of a class.
    fn class(&self, class: OperationClass) -> &OpSet;

    /// The control that a condition key stands for, such as the presence of several factors.
    fn control_of_key(&self, key: &str) -> Option<ControlKind>;

    /// Whether a condition key tells something of the resource, such as its tag, so that a condition on it chooses some
    /// resources and leaves out others.
    fn key_chooses_resources(&self, _key: &str) -> bool {
        false
    }

    /// Whether a path, of a provider whose resources lie in each other, is that of a part of the scope in which resources
    /// of every kind and of every team lie, so that whoever reaches everything below it reaches all of a type there.
    fn is_part(&self, _path: &str) -> bool {
        false
    }

    /// Operations that the vendor lets nobody grant on less than all resources: granting them so is no choice.
    fn unscopable(&self) -> OpSet {
        OpSet::new()
    }

    /// Groups operations for printing: a whole service becomes one wildcard, everything else stands alone. The groups
    /// are disjoint, in catalogue order, and together are the set.
    fn summarise(&self, operations: &OpSet) -> Vec<(Arc<str>, OpSet)> {
        operations.iter().map(|operation| (self.name(operation), OpSet::single(operation))).collect()
    }

    /// The names of the groups that [`summarise`](Self::summarise) makes, in the same order. Catalogues override it where
    /// it costs less than the groups.
    fn name_groups(&self, operations: &OpSet, name: &mut dyn FnMut(&str)) {
        for (group, _) in self.summarise(operations) {
            name(&group);
        }
    }

    /// The summed weight of a set. Catalogues override it with prefix sums.
    fn weight_of(&self, operations: &OpSet) -> u64 {
        operations.iter().map(|operation| u64::from(self.weight(operation))).sum()
    }

    /// The operations of high risk, see [`Catalog::high_risk`]. Catalogues override it with a set made once.
    fn high_risk_set(&self) -> OpSet {
        OpSet::all(self.len()).iter().filter(|operation| self.high_risk(*operation)).collect()
    }

    /// The weight of one operation.
    fn weight(&self, operation: OperationIx) -> u32 {
        if self.class(OperationClass::Escalation).contains(operation)
            || self.class(OperationClass::LogTamper).contains(operation)
        {
            ESCALATION_WEIGHT
        } else {
            self.level(operation).weight()
        }
    }

    /// Whether excess of this operation is of high risk: weight 8 or more, gate tampering, or reading secrets.
    fn high_risk(&self, operation: OperationIx) -> bool {
        self.weight(operation) >= AccessLevel::PermissionManagement.weight()
            || self.class(OperationClass::GateTamper).contains(operation)
            || self.class(OperationClass::SecretRead).contains(operation)
    }
}
