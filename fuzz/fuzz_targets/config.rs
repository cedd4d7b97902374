//! `evenhand.toml`.
#![no_main]

use evenhand::config::Config;

libfuzzer_sys::fuzz_target!(|text: &str| {
    drop(Config::parse("evenhand.toml", text.to_owned(), &evenhand::providers()));
});
