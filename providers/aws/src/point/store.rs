//! Policies of requests, understood once however many requests carry them.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use evenhand_model::decide::Refusal;

use super::check::check;
use crate::policy::compile::CompiledPolicy;
use crate::policy::{PolicyDocument, PolicyRole};

/// A document, parsed and compiled.
#[derive(Debug)]
pub(crate) struct Understood {
    pub(crate) document: PolicyDocument,
    pub(crate) compiled: CompiledPolicy,
    /// What in it matches nothing, for people.
    pub(crate) notes: Vec<String>,
}

/// The bytes of text beyond which everything is forgotten: an endless stream of new documents must not fill the memory.
const MOST_BYTES: usize = 64 << 20;

/// Documents by text, each also by where it stands: that decides how it is read.
#[derive(Debug, Default)]
pub(crate) struct Policies(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_text: HashMap<PolicyRole, ByText, foldhash::fast::RandomState>,
    bytes: usize,
}

type ByText = HashMap<Box<str>, Result<Arc<Understood>, Refusal>, foldhash::fast::RandomState>;

impl Policies {
    /// A document in the form that is decided from.
    pub(crate) fn understand(&self, role: PolicyRole, text: &str) -> Result<Arc<Understood>, Refusal> {
        if let Ok(kept) = self.0.read()
            && let Some(held) = kept.by_text.get(&role).and_then(|held| held.get(text))
        {
            return held.clone();
        }
        let understood = understand(role, text);
        if let Ok(mut kept) = self.0.write() {
            if kept.bytes + text.len() > MOST_BYTES {
                *kept = Kept::default();
            }
            kept.bytes += text.len();
            kept.by_text.entry(role).or_default().insert(text.into(), understood.clone());
        }
        understood
    }
}

fn understand(role: PolicyRole, text: &str) -> Result<Arc<Understood>, Refusal> {
    check(role, text)?;
    let mut written = PolicyDocument::parse(text).map_err(|error| {
        Refusal::new(
            "",
            format!("this is no policy: {}", evenhand_model::decide::plain(&error)),
            "write it as AWS does",
        )
    })?;
    let (compiled, notes) = CompiledPolicy::of(&written, role);
    written.forget_grants(false, |_| false);
    Ok(Arc::new(Understood { document: written.owned(), compiled, notes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_documents_are_understood_once_in_each_place() {
        let policies = Policies::default();
        let text = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        let first = policies.understand(PolicyRole::Identity, text).unwrap();
        assert!(Arc::ptr_eq(&first, &policies.understand(PolicyRole::Identity, text).unwrap()));
        assert!(!Arc::ptr_eq(&first, &policies.understand(PolicyRole::ServiceControl, text).unwrap()));
    }

    #[test]
    fn memory_has_a_bound() {
        let policies = Policies::default();
        let padding = "x".repeat(MOST_BYTES / 4);
        for n in 0..9 {
            let text = format!(r#"{{"Id":"{n}{padding}","Statement":[]}}"#);
            policies.understand(PolicyRole::Identity, &text).unwrap();
            assert!(policies.0.read().unwrap().bytes <= MOST_BYTES);
        }
    }
}
