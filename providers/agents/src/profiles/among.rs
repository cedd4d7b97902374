//! Looking up profiles by their names in the files that hold them.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Family, Means, Profile, ProfileFile, Resolved};

/// A profile, or the part of one that a file holds, with that file.
pub(crate) type Part<'p> = (&'p ProfileFile, &'p Profile);

/// Some files of profiles, by the names in them.
#[derive(Default)]
pub(crate) struct Among<'p> {
    files: Vec<&'p ProfileFile>,
    aws: BTreeMap<&'p str, Vec<Part<'p>>>,
    kube: BTreeMap<&'p str, Vec<Part<'p>>>,
}

impl<'p> Among<'p> {
    pub(crate) fn of(files: impl Iterator<Item = &'p ProfileFile>) -> Self {
        let mut among = Self { files: files.collect(), ..Self::default() };
        for (file, profile) in among.files.iter().flat_map(|file| file.profiles.iter().map(move |part| (*file, part))) {
            let names = match profile.family {
                Family::Aws => &mut among.aws,
                Family::Kube => &mut among.kube,
            };
            #[cfg(test)]
            crate::work::step();
            names.entry(&profile.name).or_default().push((file, profile));
        }
        among
    }

    fn names(&self, family: Family) -> &BTreeMap<&'p str, Vec<Part<'p>>> {
        match family {
            Family::Aws => &self.aws,
            Family::Kube => &self.kube,
        }
    }
}

/// The files in which the profiles of each family are looked up.
#[derive(Clone, Default)]
pub(crate) struct Known<'p> {
    pub(crate) aws: Rc<Among<'p>>,
    pub(crate) kube: Rc<Among<'p>>,
}

impl<'p> Known<'p> {
    fn files(&self, family: Family) -> &Among<'p> {
        match family {
            Family::Aws => &self.aws,
            Family::Kube => &self.kube,
        }
    }

    /// The principal that a name of the form `aws-profile:NAME` stands for.
    pub(crate) fn resolve(&self, target: &str) -> Option<Resolved<'p>> {
        const DEPTH: usize = 8;
        let (mut family, mut name) = Family::of_target(target)?;
        let mut first: Option<String> = None;
        for _ in 0..DEPTH {
            let parts = self.files(family).names(family).get(name)?;
            #[cfg(test)]
            parts.iter().for_each(|_| crate::work::step());
            // What is assumed from other credentials outweighs a key of the same name.
            let (file, part) = *parts
                .iter()
                .find(|(_, part)| matches!(part.means, Means::Principals(_)))
                .or_else(|| parts.iter().find(|(_, part)| matches!(part.means, Means::Key(_))))
                .or_else(|| parts.iter().find(|(_, part)| part.means != Means::Unknown))?;
            let through =
                first.get_or_insert_with(|| format!("{}{} ({}:{})", family.prefix(), name, file.document, part.line));
            match &part.means {
                Means::Principals(ids) => {
                    let through = through.clone();
                    return Some(Resolved { targets: ids.clone(), at: (file, part), key: None, through });
                }
                Means::Key(id) => {
                    let (targets, through) = (vec![format!("credential:{id}")], through.clone());
                    return Some(Resolved { targets, at: (file, part), key: Some(id), through });
                }
                Means::Profile(next, other) => (family, name) = (*next, other),
                Means::Unknown => return None,
            }
        }
        None
    }

    /// The part with a proof of its own under a name of that form, also where nothing tells whose proof it is.
    pub(crate) fn proven(&self, target: &str) -> Option<Part<'p>> {
        let (family, name) = Family::of_target(target)?;
        let parts = self.files(family).names(family).get(name)?;
        parts.iter().find(|(_, part)| !part.proofs.is_empty()).copied()
    }

    /// Where a name of the form `aws-profile:NAME` was looked for in vain, in words, with the names that are there. `None` =
    /// it is there, or no file was read that could hold it.
    pub(crate) fn lacks(&self, target: &str) -> Option<String> {
        const NAMED: usize = 8;
        let (family, name) = Family::of_target(target)?;
        let among = self.files(family);
        let names = among.names(family);
        let mut looked = among.files.iter().filter(|file| file.store.family() == family).peekable();
        looked.peek()?;
        if names.contains_key(name) {
            return None;
        }
        let documents: Vec<&str> = looked.map(|file| &*file.document).collect();
        let mut known: Vec<String> = names.keys().take(NAMED).map(|name| format!("`{name}`")).collect();
        if names.len() > NAMED {
            known.push(format!("{} more", names.len() - NAMED));
        }
        let known = if known.is_empty() { String::from("none that signs in") } else { known.join(", ") };
        Some(format!("{}: the names there are {known}", documents.join(", ")))
    }

    /// The names of all profiles, each with the first part of it, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = (String, Part<'p>)> {
        [Family::Aws, Family::Kube].into_iter().flat_map(|family| {
            let names = self.files(family).names(family).iter();
            names.filter_map(move |(name, parts)| Some((format!("{}{name}", family.prefix()), *parts.first()?)))
        })
    }
}
