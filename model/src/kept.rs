//! What requests carry along, understood once however many lines carry it.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::decide::Refusal;

/// The bytes of text beyond which everything is forgotten: an endless stream of new worlds must not fill the memory.
const MOST_BYTES: usize = 16 << 20;

/// What was understood, by its text.
#[derive(Debug)]
pub struct Kept<T>(RwLock<Store<T>>);

type Understood<T> = Result<Arc<T>, Refusal>;

#[derive(Debug)]
struct Store<T> {
    by_text: HashMap<Box<str>, Understood<T>, foldhash::fast::RandomState>,
    bytes: usize,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { by_text: HashMap::default(), bytes: 0 }
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Kept<T> {
    /// What a text means, made out if it is new.
    ///
    /// # Errors
    /// Whatever `make` refuses; that is kept too.
    pub fn of(&self, text: &str, make: impl FnOnce() -> Result<T, Refusal>) -> Understood<T> {
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
                *kept = Store::default();
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

    fn made(worlds: &Kept<()>, text: &str) -> bool {
        let mut made = false;
        let held = worlds.of(text, || {
            made = true;
            Ok(())
        });
        assert!(held.is_ok());
        made
    }

    #[test]
    fn equal_texts_are_understood_once() {
        let worlds = Kept::default();
        assert!(made(&worlds, "a") && made(&worlds, "b") && !made(&worlds, "a"));
    }

    #[test]
    fn memory_has_a_bound() {
        let worlds = Kept::default();
        let padding = "x".repeat(MOST_BYTES / 4);
        for at in 0..9 {
            assert!(made(&worlds, &format!("{at}{padding}")));
            assert!(worlds.0.read().unwrap().bytes <= MOST_BYTES);
        }
        let huge = "x".repeat(MOST_BYTES + 1);
        assert!(made(&worlds, &huge) && made(&worlds, &huge), "what fills the store by itself is not kept");
    }
}
