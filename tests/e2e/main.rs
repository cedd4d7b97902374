//! The built binary from end to end.

mod acme;
mod cli;
mod common;
mod samples;
