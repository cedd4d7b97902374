//! Files that documents name, such as an environment file in the configuration of a tool server: only what lies in a
//! source is opened, whatever a document says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::find::{Found, Listing};

/// A larger file is none that is named for its settings.
const LARGEST: u64 = 1 << 20;

/// A source that was gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// How paths below it begin.
    pub shown: Arc<str>,
    /// Where it is: a folder, or one file.
    pub path: PathBuf,
    /// The source's own name.
    pub source_name: Arc<str>,
}

impl Root {
    /// The file that a path in the form of [`Found::path`] leads to; absolute paths lead wherever they say.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let below = match (&*self.shown, path.strip_prefix(&*self.shown)) {
            _ if Path::new(path).is_absolute() => return Some(PathBuf::from(path)),
            (".", _) => path,
            (_, Some("")) => return Some(self.path.clone()),
            (_, Some(rest)) => rest.strip_prefix('/')?,
            (_, None) => return None,
        };
        Some(below.split('/').fold(self.path.clone(), |file, part| file.join(part)))
    }
}

/// The file in a copy of somebody's home folder that lies at an absolute path on that person's machine. `folder`: the copy,
/// which is told by the end of its path: `lab/home/ana`, `lab/Users/ana`.
fn in_copy(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut parts = path.split('/');
    let (start, homes, person) = (parts.next()?, parts.next()?, parts.next()?);
    let is_absolute = start.is_empty() || (start.len() == 2 && start.ends_with(':'));
    let is_home = is_absolute && matches!(homes, "home" | "Users") && !person.is_empty();
    let is_it = is_home && folder.ends_with(Path::new(homes).join(person));
    is_it.then(|| parts.fold(folder.to_owned(), |file, part| file.join(part)))
}

impl Listing {
    /// The file at a path in the form of [`Found::path`], or at an absolute one, if it lies in a source; in a copy of a home
    /// folder also where that is named as on its machine. Links are followed as long as they stay there.
    pub fn inside(&self, path: &str) -> Option<Found> {
        self.roots.iter().find_map(|root| {
            let inside = root.path.canonicalize().ok()?;
            let mut files = root.file(path).into_iter().chain(in_copy(&inside, path));
            files.find_map(|file| root.found(&inside, file, path))
        })
    }
}

impl Root {
    /// A file, if it lies in this source and is small. `inside`: where the source really is.
    fn found(&self, inside: &Path, file: PathBuf, path: &str) -> Option<Found> {
        let target = file.canonicalize().ok()?;
        let below = target.strip_prefix(inside).ok()?;
        let found = std::fs::metadata(&target).ok()?;
        if !found.is_file() || found.len() > LARGEST {
            return None;
        }
        let relative: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let relative = match relative.as_slice() {
            [] => target.file_name()?.to_string_lossy().into_owned(),
            parts => parts.join("/"),
        };
        Some(Found {
            file,
            path: path.into(),
            relative: relative.into(),
            source_name: Arc::clone(&self.source_name),
            user_level: false,
            named: false,
            bytes: found.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::find::{Request, find};

    #[test]
    fn a_named_file_is_found_only_in_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for path in ["home/ana/src/shop/mcp.json", "home/ana/keys/mcp.env", "elsewhere/mcp.env", "one.env"] {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), "A=b").unwrap();
        }
        let sources = vec![at("home/ana"), at("one.env")];
        let shown = vec![(at("home/ana"), "ana".to_owned())];
        let listing = find(&Request { sources, shown, ..Request::default() });
        let absolute = |path: &str| at(path).to_string_lossy().into_owned();
        let cases = [
            ("ana/keys/mcp.env".to_owned(), Some("keys/mcp.env")),
            (absolute("home/ana/keys/mcp.env"), Some("keys/mcp.env")),
            (absolute("one.env"), Some("one.env")),
            (absolute("elsewhere/mcp.env"), None),
            ("ana/../../elsewhere/mcp.env".to_owned(), None),
            ("anabel/keys/mcp.env".to_owned(), None),
            ("ana/keys".to_owned(), None),
            ("ana/keys/missing.env".to_owned(), None),
            // What was copied names its files as on the machine that it comes from.
            ("/home/ana/keys/mcp.env".to_owned(), Some("keys/mcp.env")),
            ("C:/home/ana/keys/mcp.env".to_owned(), Some("keys/mcp.env")),
            ("/home/ana/../ana/keys/mcp.env".to_owned(), Some("keys/mcp.env")),
            ("/home/ana/../../elsewhere/mcp.env".to_owned(), None),
            ("/home/ben/keys/mcp.env".to_owned(), None),
            ("/Users/ana/keys/mcp.env".to_owned(), None),
            ("home/ana/keys/mcp.env".to_owned(), None),
        ];
        for (path, expected) in cases {
            let found = listing.inside(&path);
            assert_eq!(found.as_ref().map(|found| &*found.relative), expected, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_sources_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shop")).unwrap();
        std::fs::write(folder.path().join("mcp.env"), "A=b").unwrap();
        std::os::unix::fs::symlink(folder.path().join("mcp.env"), folder.path().join("shop/mcp.env")).unwrap();
        let sources = vec![folder.path().join("shop")];
        let shown = vec![(folder.path().join("shop"), "shop".to_owned())];
        let listing = find(&Request { sources, shown, ..Request::default() });
        assert_eq!(listing.inside("shop/mcp.env"), None);
    }
}
