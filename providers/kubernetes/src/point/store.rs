//! Worlds of requests, understood once however many lines carry them.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use evenhand_model::decide::Refusal;

use super::World;

/// The bytes of text beyond which everything is forgotten: an endless stream of new worlds must not fill the memory.
const MOST_BYTES: usize = 16 << 20;

/// Worlds by the text of their objects.
#[derive(Debug, Default)]
pub(super) struct Worlds(RwLock<Kept>);

type Understood = Result<Arc<World>, Refusal>;

#[derive(Debug, Default)]
struct Kept {
    by_text: HashMap<Box<str>, Understood, foldhash::fast::RandomState>,
    bytes: usize,
}

impl Worlds {
    /// The world of a text, made if it is new.
    pub(super) fn of(&self, text: &str, make: impl FnOnce() -> Result<World, Refusal>) -> Understood {
        if let Ok(kept) = self.0.read()
            && let Some(held) = kept.by_text.get(text)
        {
            return held.clone();
        }
        let understood = make().map(Arc::new);
        if text.len() <= MOST_BYTES
            && let Ok(mut kept) = self.0.write()
        {
            if kept.bytes + text.len() > MOST_BYTES {
                *kept = Kept::default();
            }
            kept.bytes += text.len();
            kept.by_text.insert(text.into(), understood.clone());
        }
        understood
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(worlds: &Worlds, text: &str) -> bool {
        let mut made = false;
        let held = worlds.of(text, || {
            made = true;
            Ok(World::default())
        });
        assert!(held.is_ok());
        made
    }

    #[test]
    fn equal_texts_are_understood_once() {
        let worlds = Worlds::default();
        assert!(made(&worlds, "a") && made(&worlds, "b") && !made(&worlds, "a"));
    }

    #[test]
    fn memory_has_a_bound() {
        let worlds = Worlds::default();
        let padding = "x".repeat(MOST_BYTES / 4);
        for at in 0..9 {
            assert!(made(&worlds, &format!("{at}{padding}")));
            assert!(worlds.0.read().unwrap().bytes <= MOST_BYTES);
        }
        let huge = "x".repeat(MOST_BYTES + 1);
        assert!(made(&worlds, &huge) && made(&worlds, &huge), "what fills the store by itself is not kept");
    }
}
