//! The built binary from end to end.
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot set up its input, or finds another shape than it expects, has failed"
)]

mod acme;
mod against;
mod agents;
mod azure;
mod cli;
mod cloud_roles;
mod common;
mod decide;
#[cfg(feature = "live")]
mod doctor;
mod federation;
mod fix;
mod fix_files;
mod formats;
mod gates;
mod init;
mod kubernetes;
mod people;
mod robust;
mod samples;
mod secrets;
mod unread;
mod waivers;
