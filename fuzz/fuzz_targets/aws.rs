//! One document of an account. The text may also be a list of documents, one a line.
#![no_main]

use evenhand_aws::Aws;
use evenhand_fuzz::{document, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read(&Aws, document("capture/111122223333/document.json", bytes));
});
