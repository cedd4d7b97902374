//! Decompression, decoding, the syntax of a text and the look at its head.
#![no_main]

use evenhand_fuzz::document;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for path in ["capture/document.json", "capture/document.toml", "capture/document.csv", "capture/document"] {
        document(path, bytes);
    }
});
