//! One document of a tenant. The text may also be a list of answers, one a line.
#![no_main]

use evenhand_azure::Azure;
use evenhand_fuzz::{document, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read(&Azure, document("azure/0a0a0a0a-0000-4000-8000-000000000001/document.json", bytes));
});
