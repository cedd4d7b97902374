//! Reports: one file per format over one report model.
//!
//! A writer takes a [`Report`] and a byte sink, and writes; it computes nothing that another format would have to
//! compute again, and knows neither rules nor providers. Names in a report are chosen by whoever could name a role, so
//! every writer neutralises what its format could execute: control characters, formulas, markup.

pub mod asff;
pub mod csv;
mod each;
mod evidence;
pub mod evidence_folder;
mod findings;
mod gap_lines;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod ocsf;
pub mod oscal;
pub mod parity_card;
pub mod report;
pub mod sarif;
pub mod saved;
pub mod schema;
mod screen;
pub mod terminal;
pub mod text;
mod undecided;
mod uuid;
mod words;
mod wrap;

pub use report::Report;
pub use wrap::{folded, hung};
