//! What is to be collected: what options say, and what the capture to go on with says.

use std::collections::BTreeSet;

use evenhand_collect::Folder;
use evenhand_model::secret::Fingerprinter;

use super::document;
use super::table::is_name;
use super::{CollectError, NoCapture, Options};
use crate::documents::manifest::{Manifest, Planned};

/// What to collect.
pub(crate) struct Plan {
    pub(crate) folder: Folder,
    pub(super) resume: bool,
    pub(super) organisations: BTreeSet<String>,
    /// Only these, by owner and name; none = all.
    pub(super) repositories: BTreeSet<(String, String)>,
    pub(super) enterprise: Option<String>,
    pub(super) fingerprinter: Fingerprinter,
    /// The manifest of the capture to go on with.
    pub(super) before: Option<Manifest>,
}

impl Plan {
    /// What options say; what they do not say is taken from the capture to go on with.
    pub(crate) fn new(options: &Options) -> Result<Self, CollectError> {
        let folder = document::of_capture(&options.terms.folder);
        let before: Option<Manifest> = match options.terms.resume {
            true => folder.read_manifest().map_err(|error| NoCapture::NoManifest(error.to_string()))?,
            false => None,
        };
        let planned = before.as_ref().map(|before| &before.plan);
        let mut organisations: BTreeSet<String> = options.organisations.iter().cloned().collect();
        let mut repositories = BTreeSet::new();
        let named = |name: &str| if is_name(name) { Ok(()) } else { Err(CollectError::NotAName(name.to_owned())) };
        for name in &options.repositories {
            let (owner, repository) = match name.split_once('/') {
                Some((owner, repository)) => (owner.to_owned(), repository),
                None => match organisations.iter().next().filter(|_| organisations.len() == 1) {
                    Some(only) => (only.clone(), name.as_str()),
                    None => return Err(CollectError::Elsewhere(name.clone())),
                },
            };
            named(repository)?;
            if !organisations.contains(&owner) {
                return Err(CollectError::Elsewhere(name.clone()));
            }
            repositories.insert((owner, repository.to_owned()));
        }
        if let Some(planned) = planned {
            let all_before = planned.repositories.is_empty() && !planned.organisations.is_empty();
            organisations.extend(planned.organisations.iter().cloned());
            let split = |name: &String| name.split_once('/').map(|(owner, name)| (owner.to_owned(), name.to_owned()));
            if options.repositories.is_empty() && !all_before {
                repositories.extend(planned.repositories.iter().filter_map(split));
            }
        }
        let enterprise = options.enterprise.clone().or_else(|| planned.and_then(|planned| planned.enterprise.clone()));
        for name in organisations.iter().chain(&enterprise) {
            named(name)?;
        }
        if organisations.is_empty() {
            return Err(CollectError::NoOrganisation);
        }
        let (resume, fingerprinter) = (options.terms.resume, options.terms.fingerprinter.clone());
        Ok(Self { folder, resume, organisations, repositories, enterprise, fingerprinter, before })
    }

    /// What is planned for the capture: this, and what was planned before.
    pub(super) fn planned(&self, host: &str) -> Planned {
        let before = self.before.as_ref().map(|before| &before.plan).filter(|plan| !plan.organisations.is_empty());
        let name = |(owner, name): &(String, String)| format!("{owner}/{name}");
        let mut repositories: BTreeSet<String> = self.repositories.iter().map(name).collect();
        match before {
            Some(before) if before.repositories.is_empty() => repositories.clear(),
            Some(before) => repositories.extend(before.repositories.iter().cloned()),
            None => {}
        }
        Planned {
            host: host.to_owned(),
            organisations: self.organisations.iter().cloned().collect(),
            repositories: repositories.into_iter().collect(),
            enterprise: self.enterprise.clone(),
        }
    }
}
