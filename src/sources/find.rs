//! Lists the files below the sources.
//!
//! A named source is taken whole: ignore files of version control do not apply, because a secret in an ignored file is
//! still a secret on that machine. What is left out, and why, is part of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::Glob;
use evenhand_model::provider::MovedFiles;
use walkdir::{DirEntry, WalkDir};

use super::named::Root;
use super::proposed::{LIST, NOT_IN_FORCE, PROPOSAL, Proposed};

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The named sources. None: the current folder, the agent files of the project that it lies in, and the user's own.
    pub sources: Vec<PathBuf>,
    /// Sources that are shown under another name.
    pub shown: Vec<(PathBuf, String)>,
    /// The user's home folder; `None` when there is none, or when home files are not wanted.
    pub home: Option<PathBuf>,
    /// Home folders of other people, which are read like the user's own.
    pub other_homes: Vec<PathBuf>,
    /// Files below a home folder that some provider reads, with `/`.
    pub home_files: Vec<&'static str>,
    /// Files in the folder of a project that some provider reads, with `/`.
    pub project_files: Vec<&'static str>,
    /// What variables of the environment move, with their values; of the user's own home alone.
    pub moved: Vec<(MovedFiles, OsString)>,
    /// Files of the whole machine that some provider reads, as absolute paths; empty where the machine is not asked for.
    pub system_files: Vec<&'static str>,
    /// Of the files below the sources only those at a path that passes, and of the user's home only its known files.
    pub wanted: Option<fn(&str) -> bool>,
    /// Folders inside the sources that stand for home folders, as patterns of the path below the source.
    pub homes: Vec<String>,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub file: PathBuf,
    /// The path for people: as the source was named, with `/`.
    pub path: Arc<str>,
    /// The path below the source.
    pub relative: Arc<str>,
    /// The source's own name.
    pub source_name: Arc<str>,
    /// Whether it lies in a home folder outside any project.
    pub user_level: bool,
    /// Whether the user named this very file.
    pub named: bool,
    /// Its size on disk in bytes.
    pub bytes: u64,
}

/// Something that was not opened, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Located {
    /// The path, or a pattern that stands for several files.
    pub path: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}

/// What the sources hold.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Files to read, sorted by path, each once.
    pub files: Vec<Found>,
    /// Files and folders left out on purpose, sorted.
    pub skipped: Vec<Located>,
    /// Those of the files that are proposals of `evenhand fix` which somebody changed, sorted.
    pub edited: Vec<Arc<str>>,
    /// Files and folders that could not be opened, sorted.
    pub failed: Vec<Located>,
    /// Sources of which nothing could be read at all.
    pub unreadable_sources: Vec<Located>,
    /// The sources as named, for the report.
    pub sources: Vec<Arc<str>>,
    /// Where the sources are, those that could be opened.
    pub roots: Vec<Root>,
    /// Files below the sources that were passed over, because no file at such a path is wanted.
    pub passed_over: u64,
    /// Whether some home folder was looked into, of which only known places are.
    pub known_places: bool,
    /// How often the file system was asked about a file, or told of one while a folder was listed.
    pub asked: u64,
}

/// Folders that hold other people's code, version control's own data or what nobody put in place, and are never entered.
const NEVER_ENTERED: [(&str, &str); 6] = [
    (".git", "version control's own data"),
    (".hg", "version control's own data"),
    (".svn", "version control's own data"),
    ("node_modules", "installed packages"),
    (".venv", "installed packages"),
    (PROPOSAL, NOT_IN_FORCE),
];

/// Names that end so are programs, pictures or source code: no provider reads them, whatever they hold.
const NEVER_OPENED: [&str; 79] = [
    "7z", "a", "avi", "bin", "bmp", "bz2", "c", "cc", "class", "cpp", "cs", "css", "dll", "dmg", "doc", "docx",
    "dylib", "eot", "exe", "flac", "gif", "go", "h", "hpp", "html", "ico", "iso", "jar", "java", "jpeg", "jpg", "js",
    "jsx", "kt", "less", "lib", "lock", "map", "mjs", "mkv", "mov", "mp3", "mp4", "o", "obj", "ogg", "otf", "parquet",
    "pb", "pdf", "php", "png", "ppt", "pptx", "profraw", "py", "pyc", "rar", "rb", "rlib", "rmeta", "rs", "scss", "so",
    "sqlite", "sum", "svg", "swift", "tar", "tgz", "tiff", "ts", "tsx", "ttf", "wasm", "wav", "webp", "woff2", "xz",
];

/// Begins the names of documents that a collection has not finished.
const UNFINISHED: &str = ".evenhand-";

/// Folders of a home folder that hold settings although they are not hidden.
const SETTINGS_FOLDERS: [&str; 2] = ["Library", "AppData"];

/// Larger files are opened only when they are named like an export or the user names them.
const LARGE: u64 = 16 << 20;

/// Folders are not listed further down than this; no layout of documents known is a quarter as deep.
const DEEPEST: usize = 128;

/// Names that end so are exports, whatever their size.
const EXPORTS: [&str; 9] = ["csv", "gz", "json", "jsonl", "ndjson", "txt", "yaml", "yml", "zst"];

/// Lists the files of a request.
pub fn find(request: &Request) -> Listing {
    let mut walk = Walk::new(request);
    if request.sources.is_empty() {
        walk.current_folder();
        walk.homes();
        walk.machine();
    } else {
        for source in &request.sources {
            walk.source(source);
        }
    }
    walk.finish()
}

/// A listing under way.
pub(super) struct Walk<'a> {
    pub(super) request: &'a Request,
    pub(super) listing: Listing,
    /// Files already listed, by their true path: overlapping sources count once.
    seen: BTreeSet<PathBuf>,
    /// Files never opened, by folder of the source and ending.
    types: BTreeMap<(Arc<str>, String), usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(request: &'a Request) -> Self {
        Self { request, listing: Listing::default(), seen: BTreeSet::new(), types: BTreeMap::new() }
    }

    fn current_folder(&mut self) {
        let here = Path::new(".");
        let at_home = self.request.home.as_deref().is_some_and(|home| same(here, home));
        if at_home || here.canonicalize().is_ok_and(|path| path.parent().is_none()) {
            self.listing.skipped.push(Located {
                path: ".".into(),
                reason: "a home or root folder is not scanned unless it is named; the agent files in it are".into(),
            });
            return;
        }
        self.source(here);
        self.project_around(here);
    }

    fn source(&mut self, source: &Path) {
        let shown = self.request.shown.iter().find(|(path, _)| path == source);
        let named = shown.map_or_else(|| display(source), |(_, name)| name.clone());
        self.listing.sources.push(Arc::from(named.as_str()));
        self.listing.asked += 1;
        let request = self.request;
        match std::fs::metadata(source) {
            Ok(_) if request.wanted.is_some() && request.home.as_deref().is_some_and(|home| same(source, home)) => {
                self.known_files(source, &named, "home", &request.home_files, true);
                self.moved_files();
            }
            Ok(found) if found.is_dir() => {
                let name = source.canonicalize().ok();
                let name = name.as_deref().unwrap_or(source).file_name().map_or_else(|| named.clone(), text);
                self.root(&named, source, &name);
                self.folder(source, &named, "", (&name, false));
            }
            Ok(found) => {
                let name: Arc<str> = source.file_name().map_or_else(|| named.clone(), text).into();
                self.root(&named, source, &name);
                let user_level = self.is_home_file(source);
                self.add(Found {
                    file: source.to_owned(),
                    path: named.into(),
                    relative: Arc::clone(&name),
                    source_name: name,
                    user_level,
                    named: true,
                    bytes: found.len(),
                });
            }
            Err(error) => {
                let reason: Arc<str> = format!("{}; check the path", io_reason(&error)).into();
                let entry = Located { path: named.into(), reason };
                self.listing.failed.push(entry.clone());
                self.listing.unreadable_sources.push(entry);
            }
        }
    }

    pub(super) fn root(&mut self, shown: &str, path: &Path, source_name: &str) {
        let root = Root { shown: shown.into(), path: path.to_owned(), source_name: source_name.into() };
        self.listing.roots.push(root);
    }

    /// Adds the files of a folder. `below`: where it lies below the source.
    pub(super) fn folder(&mut self, folder: &Path, named: &str, below: &str, (source_name, user_level): (&str, bool)) {
        let request = self.request;
        let source_name: Arc<str> = source_name.into();
        let mut skipped_folders = Vec::new();
        let mut proposals: BTreeMap<PathBuf, Proposed> = BTreeMap::new();
        // Of each folder the list of its proposals comes first, if it has one.
        let by_name = |a: &DirEntry, b: &DirEntry| {
            (a.file_name() != LIST, a.file_name()).cmp(&(b.file_name() != LIST, b.file_name()))
        };
        let walk =
            WalkDir::new(folder).max_depth(DEEPEST).follow_links(false).sort_by(by_name).into_iter().filter_entry(
                |entry| match (entry.depth() > 0 && entry.file_type().is_dir())
                    .then(|| never_entered(entry.path()))
                    .flatten()
                {
                    Some(reason) => {
                        skipped_folders.push((entry.path().to_owned(), reason));
                        false
                    }
                    None => true,
                },
            );
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().map_or_else(|| named.to_owned(), |path| joined(named, folder, path));
                    let reason = error.io_error().map_or_else(|| "it cannot be listed".to_owned(), io_reason);
                    let entry = Located {
                        path: path.into(),
                        reason: format!("{reason}; give this user the right to read it").into(),
                    };
                    if error.depth() == 0 {
                        self.listing.unreadable_sources.push(entry.clone());
                    }
                    self.listing.failed.push(entry);
                    continue;
                }
            };
            self.listing.asked += 1;
            if entry.file_type().is_dir() {
                continue;
            }
            if request.wanted.is_some_and(|wanted| !wanted(&joined(named, folder, entry.path()))) {
                self.listing.passed_over += 1;
                continue;
            }
            let path: Arc<str> = joined(named, folder, entry.path()).into();
            if entry.file_type().is_symlink() {
                self.skip(path, "a symbolic link, not followed; name its target if it lies outside the source");
                continue;
            }
            if !entry.file_type().is_file() {
                self.skip(path, "neither a file nor a folder");
                continue;
            }
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                self.skip(path, "a document that a collection did not finish");
                continue;
            }
            let holder = entry.path().parent().unwrap_or(folder);
            if entry.file_name() == LIST
                && let Some(list) = Proposed::of(holder)
            {
                self.skip(path, NOT_IN_FORCE);
                // Who names a folder of nothing else asks for what is proposed.
                if entry.depth() > 1 || !list.is_all_of(holder) {
                    proposals.insert(holder.to_owned(), list);
                }
                continue;
            }
            if proposals.get(holder).is_some_and(|list| list.hides(entry.path())) {
                self.skip(path, NOT_IN_FORCE);
                continue;
            }
            let bytes = entry.metadata().map_or(0, |found| found.len());
            let ending = entry.path().extension().map(|ending| text(ending).to_ascii_lowercase()).unwrap_or_default();
            if NEVER_OPENED.contains(&ending.as_str()) {
                *self.types.entry((named.into(), ending)).or_default() += 1;
                continue;
            }
            if bytes > LARGE && !EXPORTS.contains(&ending.as_str()) {
                self.skip(path, "larger than 16 MiB and not named like an export; name the file itself to read it");
                continue;
            }
            let relative = slashed(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
            let relative = if below.is_empty() { relative } else { format!("{below}/{relative}") };
            let user_level = user_level || self.in_declared_home(&relative);
            if proposals.get(holder).is_some_and(|list| list.is_edited(entry.path())) {
                self.listing.edited.push(Arc::clone(&path));
            }
            self.add(Found {
                file: entry.into_path(),
                path,
                relative: relative.into(),
                source_name: Arc::clone(&source_name),
                user_level,
                named: false,
                bytes,
            });
        }
        for (path, reason) in skipped_folders {
            self.skip(joined(named, folder, &path).into(), &format!("{reason}, not entered"));
        }
    }

    /// Whether a file that the user named is one of the files that lie in a home folder.
    fn is_home_file(&self, file: &Path) -> bool {
        let Some(home) = &self.request.home else { return false };
        let (Ok(home), Ok(file)) = (home.canonicalize(), file.canonicalize()) else { return false };
        let Ok(relative) = file.strip_prefix(&home) else { return false };
        let relative = slashed(relative);
        self.request.home_files.iter().any(|known| *known == relative)
    }

    /// Whether a file is a user's own in a folder that stands for a home folder. What lies there in folders that do not
    /// hold settings is a project.
    fn in_declared_home(&self, relative: &str) -> bool {
        self.request.homes.iter().any(|pattern| {
            let mut below = relative.split('/');
            let fits = pattern
                .trim_matches('/')
                .split('/')
                .all(|part| below.next().is_some_and(|segment| Glob::wildcard(part).matches(segment) == Truth::Yes));
            let first = below.next().unwrap_or_default();
            fits && (first.starts_with('.') || SETTINGS_FOLDERS.contains(&first))
        })
    }

    pub(super) fn add(&mut self, found: Found) {
        let identity = found.file.canonicalize().unwrap_or_else(|_| found.file.clone());
        if self.seen.insert(identity) {
            self.listing.files.push(found);
        }
    }

    pub(super) fn skip(&mut self, path: Arc<str>, reason: &str) {
        self.listing.skipped.push(Located { path, reason: reason.into() });
    }

    pub(super) fn finish(self) -> Listing {
        let mut listing = self.listing;
        for ((folder, ending), count) in self.types {
            let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
            let prefix = if &*folder == "." { String::new() } else { format!("{folder}/") };
            listing.skipped.push(Located {
                path: format!("{prefix}**/*.{ending}").into(),
                reason: format!("{files} of a type that is never read").into(),
            });
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing.skipped.sort();
        listing.edited.sort();
        listing.edited.dedup();
        listing.failed.sort();
        listing
    }
}

fn never_entered(folder: &Path) -> Option<&'static str> {
    let name = folder.file_name()?;
    if let Some((_, reason)) = NEVER_ENTERED.iter().find(|(never, _)| name == OsStr::new(never)) {
        return Some(reason);
    }
    let beside = |name: &str| folder.parent().is_some_and(|parent| parent.join(name).exists());
    let build = name == "target" && (folder.join("CACHEDIR.TAG").exists() || beside("Cargo.toml") || beside("pom.xml"));
    build.then_some("build output")
}

pub(super) fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

pub(super) fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A source as the user named it, without what only means "here".
pub(super) fn display(path: &Path) -> String {
    let shown = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let shown = shown.strip_prefix("./").unwrap_or(&shown);
    match shown.trim_end_matches('/') {
        "" if shown.starts_with('/') => "/".to_owned(),
        "" => ".".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

fn joined(named: &str, folder: &Path, path: &Path) -> String {
    let below = slashed(path.strip_prefix(folder).unwrap_or(path));
    match (named, below.as_str()) {
        (_, "") => named.to_owned(),
        (".", below) => below.to_owned(),
        ("/", below) => format!("/{below}"),
        (named, below) => format!("{named}/{below}"),
    }
}

/// An operating system's error in words that do not change between platforms.
pub(super) fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        other => format!("it cannot be read ({other})"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use evenhand_model::id::IdentityId;

    use super::super::proposed::Listed;
    use super::*;

    pub(in crate::sources) fn names(listing: &Listing) -> Vec<&str> {
        listing.files.iter().map(|found| &*found.path).collect()
    }

    pub(in crate::sources) fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_listed_in_order_with_hidden_files_and_says_what_it_leaves_out() {
        let folder = tree(&["b.json", ".mcp.json", "a/z.yaml", "node_modules/x.json", "main.rs", "lib.rs"]);
        let listing = find(&Request { sources: vec![folder.path().into()], ..Request::default() });
        let relative: Vec<&str> = listing.files.iter().map(|found| &*found.relative).collect();
        assert_eq!(relative, [".mcp.json", "a/z.yaml", "b.json"]);
        let skipped: Vec<&str> = listing.skipped.iter().map(|entry| &*entry.reason).collect();
        assert_eq!(skipped, ["2 files of a type that is never read", "installed packages, not entered"]);
    }

    #[test]
    fn a_folder_called_target_is_entered_unless_it_is_build_output() {
        let folder = tree(&["target/roles.json"]);
        let request = Request { sources: vec![folder.path().into()], ..Request::default() };
        assert_eq!(find(&request).files.len(), 1);
        std::fs::write(folder.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(find(&request).files.iter().filter(|found| found.relative.starts_with("target")).count(), 0);
    }

    #[test]
    fn no_file_beside_them_hides_documents() {
        let folder = tree(&["app/evenhand-evidence.json", "app/.mcp.json"]);
        let listing = find(&Request { sources: vec![folder.path().into()], ..Request::default() });
        assert!(listing.files.iter().any(|found| &*found.relative == "app/.mcp.json"), "{:?}", listing.files);
    }

    #[test]
    fn proposals_are_left_out_by_their_list_in_any_folder_and_it_hides_nothing_else() {
        const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;
        const EXPORT: &str = r#"{"RoleDetailList":[]}"#;
        // Each with what was written, and with what is there by now.
        let held = [
            ("role-a.policy.json", POLICY, POLICY),
            ("role-b.policy-2.json", "", POLICY),
            ("x_y.rbac.yaml", "kind: Role", "kind: Role"),
            ("x_z.rbac.yaml", "", "kind: Role"),
            ("export.policy.json", EXPORT, EXPORT),
            (".mcp.json", POLICY, POLICY),
            ("mcp.json", POLICY, POLICY),
        ];
        let mut list = Proposed::default();
        let listed = held.map(|(name, written, _)| (name.to_owned(), Listed::new(&IdentityId::new("a"), written)));
        list.files.extend(listed);
        let list = serde_json::to_string(&list).unwrap();
        let folder = tree(&["app/sub/role-a.policy.json", "app/other.policy.json", "roles.json", "alone/.DS_Store"]);
        for (place, count) in [("app", held.len()), ("alone", 3), ("", 1)] {
            let place = folder.path().join(place);
            std::fs::write(place.join(LIST), &list).unwrap();
            held.iter().take(count).for_each(|(name, _, text)| std::fs::write(place.join(name), text).unwrap());
        }
        let relative = |source: &Path| -> Vec<String> {
            let listing = find(&Request { sources: vec![source.to_owned()], ..Request::default() });
            let reasons: Vec<&str> = listing.skipped.iter().map(|entry| &*entry.reason).collect();
            assert!(!reasons.is_empty() && reasons.iter().all(|reason| *reason == NOT_IN_FORCE), "{reasons:?}");
            // A manifest that is no longer as it was written is read, and told.
            let is_edited = |path: &Arc<str>| path.ends_with("/x_z.rbac.yaml");
            let edited = listing.files.iter().filter(|found| is_edited(&found.path)).count();
            assert!(listing.edited.len() == edited && listing.edited.iter().all(is_edited), "{:?}", listing.edited);
            listing.files.iter().map(|found| found.relative.to_string()).collect()
        };
        let read = [
            "alone/.DS_Store",
            "app/.mcp.json",
            "app/export.policy.json",
            "app/mcp.json",
            "app/other.policy.json",
            "app/sub/role-a.policy.json",
            "app/x_z.rbac.yaml",
            "roles.json",
        ];
        assert_eq!(relative(folder.path()), read);
        // Whoever names a folder of proposals asks for them.
        let alone = [".DS_Store", "role-a.policy.json", "role-b.policy-2.json", "x_y.rbac.yaml"];
        assert_eq!(relative(&folder.path().join("alone")), alone);
    }

    #[test]
    fn a_document_that_a_collection_did_not_finish_is_left_out_and_told() {
        let folder = tree(&["aws/111122223333/users.json", "aws/111122223333/.evenhand-x1Y2z3", "evenhand-notes.json"]);
        let listing = find(&Request { sources: vec![folder.path().into()], ..Request::default() });
        let relative: Vec<&str> = listing.files.iter().map(|found| &*found.relative).collect();
        assert_eq!(relative, ["aws/111122223333/users.json", "evenhand-notes.json"]);
        let [left] = listing.skipped.as_slice() else { panic!("{:?}", listing.skipped) };
        assert!(left.path.ends_with(".evenhand-x1Y2z3") && left.reason.contains("did not finish"), "{left:?}");
    }

    #[test]
    fn overlapping_sources_count_once() {
        let folder = tree(&["a.json"]);
        let sources = vec![folder.path().into(), folder.path().join("a.json")];
        assert_eq!(find(&Request { sources, ..Request::default() }).files.len(), 1);
    }

    #[test]
    fn a_missing_source_is_a_failure_with_a_remedy() {
        let listing = find(&Request { sources: vec!["no/such".into()], ..Request::default() });
        assert_eq!(listing.unreadable_sources.len(), 1);
        assert!(listing.failed[0].reason.contains("no such file"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let outside = tree(&["secret.json"]);
        let folder = tree(&["a.json"]);
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        let listing = find(&Request { sources: vec![folder.path().into()], ..Request::default() });
        assert_eq!(listing.files.len(), 1);
        assert!(listing.skipped[0].reason.contains("symbolic link"));
    }

    #[test]
    fn only_wanted_files_are_opened() {
        let folder = tree(&["a/.mcp.json", "a/data.json", "b/c/d/.mcp.json", "x.csv"]);
        let wanted: fn(&str) -> bool = |path| path.ends_with(".mcp.json");
        let listing =
            find(&Request { sources: vec![folder.path().into()], wanted: Some(wanted), ..Request::default() });
        let read: Vec<&str> = listing.files.iter().map(|found| &*found.relative).collect();
        assert_eq!(read, ["a/.mcp.json", "b/c/d/.mcp.json"]);
        assert!(listing.skipped.is_empty());
        assert_eq!(listing.passed_over, 2, "what is in the folder all the same is counted");
    }

    #[test]
    fn declared_homes_make_their_files_user_level() {
        let folder = tree(&["people/ada/.claude.json", "people/ada/src/.mcp.json", "people/x.json", "repo/.mcp.json"]);
        let listing = find(&Request {
            sources: vec![folder.path().into()],
            homes: vec!["people/*".to_owned()],
            ..Request::default()
        });
        let levels: Vec<bool> = listing.files.iter().map(|found| found.user_level).collect();
        assert_eq!(levels, [true, false, false, false]);
    }

    #[test]
    fn paths_stay_as_the_user_named_them() {
        for (given, shown) in [(".", "."), ("./a", "a"), ("a/", "a"), ("/", "/"), ("../x", "../x")] {
            assert_eq!(display(Path::new(given)), shown);
        }
        let folder = tree(&["a.json"]);
        let listing = find(&Request { sources: vec![folder.path().into()], ..Request::default() });
        assert_eq!(names(&listing), [format!("{}/a.json", folder.path().display())]);
    }
}
