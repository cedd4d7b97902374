//! Objects of one cluster.
#![no_main]

use evenhand_fuzz::{document, read};
use evenhand_kubernetes::Kubernetes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    read(&Kubernetes, document("capture/kubernetes/prod/objects.yaml", bytes));
});
