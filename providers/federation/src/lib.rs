//! Tokens of outside issuers: who can present them, which conditions admit them, and how tightly.
//!
//! Several providers need this: one reads the workload that presents a token (a workflow, a service account), another the
//! trust that admits it (a role, a federated credential, a pool). What both speak of is the issuer's subject, so the
//! subjects of all issuers, the grading of patterns over them and the command that puts one against the other are here,
//! below the providers. How a cloud compares is that cloud's business: AWS's conditions are evaluated by `evenhand-aws`
//! alone and come in as a [`Platform`]; those of Entra ID and Google Cloud are here. This crate knows no capture, no
//! inventory and no policy document.

pub mod decide;
mod entra;
mod gcp;
pub mod github;
mod grade;
mod issuer;
mod issuers;
mod platform;
mod reach;
mod reasons;
mod shape;

pub use entra::Entra;
pub use gcp::Gcp;
pub use grade::{Alternative, Asks, Demand, Grade, Graded, Slack, grade};
pub use issuer::Issuer;
pub use platform::{Admitted, Platform, Understood};
