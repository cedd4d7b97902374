//! Azure RBAC: role assignments, role definitions, deny assignments, conditions and scopes.
//!
//! One compiled form ([`Authorizer`]) answers single requests ([`Authorizer::decide`]) and lists what a principal may do
//! ([`Authorizer::access`]); a property test holds the two to each other. It knows nothing of documents: [`World`] is
//! what they say. Sources: Microsoft's pages "Understand Azure role definitions", "Understand Azure deny assignments",
//! "How Azure RBAC determines if a user has access to a resource".

mod access;
mod authorizer;
pub mod condition;
mod decide;
mod denies;
mod pattern;
mod scope;
#[cfg(test)]
mod tests;
mod world;

pub(crate) use access::KnownBlocks;
pub use access::Listed;
pub use authorizer::Authorizer;
pub use condition::Condition;
pub use decide::{Decided, Match, Request};
pub(crate) use denies::Denies;
pub use pattern::OperationPattern;
pub use scope::{ArmId, Hierarchy, NoArmId};
pub use world::{
    DenyAssignment, Grants, Groups, ObjectId, Permission, Principals, RoleAssignment, RoleDefinition, RoleKey, World,
};

/// Whether an operation acts on resources themselves, on the data in them, or on the directory. Roles grant these apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Plane {
    /// `actions`.
    Control,
    /// `dataActions`.
    Data,
    /// Actions of directory roles and permissions of applications: no role of Azure's grants one.
    Directory,
}
