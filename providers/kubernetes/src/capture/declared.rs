//! What people declare about an object in its labels and annotations.

use std::sync::Arc;

use evenhand_model::Timestamp;
use evenhand_model::evidence::Fact;

use super::take::{Taking, day};
use crate::documents::Meta;

/// Declarations. Empty for nearly every object, hence boxed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared(Option<Box<Declarations>>);

/// The declarations of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declarations {
    pub(crate) job: Option<Arc<str>>,
    pub(crate) human_role: Option<Arc<str>>,
    pub(crate) owner: Option<Arc<str>>,
    pub(crate) purpose: Option<Arc<str>>,
    pub(crate) reviewed_on: Option<Timestamp>,
    pub(crate) nature: Option<Arc<str>>,
    pub(crate) environment: Option<Arc<str>>,
}

impl Declared {
    pub(super) fn of(meta: &Meta<'_>, taking: &mut Taking<'_>) -> Self {
        let mut all = Declarations::default();
        let mut any = false;
        // Annotations come last: they can say more than a label may hold.
        for (key, value) in meta.labels.iter().chain(meta.annotations.iter()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let slot = match key {
                "evenhand.dev/job" => &mut all.job,
                "evenhand.dev/human-role" => &mut all.human_role,
                "evenhand.dev/owner" => &mut all.owner,
                "evenhand.dev/purpose" => &mut all.purpose,
                "evenhand.dev/nature" => &mut all.nature,
                "evenhand.dev/environment" => &mut all.environment,
                "evenhand.dev/reviewed-on" => {
                    all.reviewed_on = day(value);
                    any |= all.reviewed_on.is_some();
                    continue;
                }
                _ => match key.rsplit_once('/').map_or(key, |(_, name)| name) {
                    "owner" | "team" if all.owner.is_none() => &mut all.owner,
                    "environment" | "env" if all.environment.is_none() => &mut all.environment,
                    _ => continue,
                },
            };
            *slot = Some(taking.share(value));
            any = true;
        }
        Self(any.then(|| Box::new(all)))
    }

    pub(crate) fn get(&self) -> Option<&Declarations> {
        self.0.as_deref()
    }

    pub(crate) fn owner(&self) -> Option<&Arc<str>> {
        self.get()?.owner.as_ref()
    }

    pub(crate) fn environment(&self) -> Option<&Arc<str>> {
        self.get()?.environment.as_ref()
    }

    /// A declared text; an object that was read and declares none has none.
    pub(crate) fn fact(&self, text: impl Fn(&Declarations) -> Option<&Arc<str>>) -> Fact<Arc<str>> {
        Fact::read(self.get().and_then(|all| text(all).cloned()))
    }
}
