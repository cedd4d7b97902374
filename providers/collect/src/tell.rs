//! What people who wait are told. Where it is shown, and whether, is not known here.

use std::sync::Arc;

/// What is said while a collection is under way.
#[derive(Clone)]
pub struct Tell(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Tell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tell")
    }
}

impl Default for Tell {
    fn default() -> Self {
        Self(Arc::new(|_| {}))
    }
}
