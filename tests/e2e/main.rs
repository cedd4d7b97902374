//! The built binary from end to end.

mod acme;
mod cli;
mod common;
mod robust;
mod samples;
mod secrets;
