//! The command line of evenhand as a library, so that tests and benches can call what the binary calls.

pub mod sources;
