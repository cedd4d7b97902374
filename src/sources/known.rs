//! Files at places that programs are known to keep them: of home folders, of the whole machine, and of the project around a
//! folder. Nothing else there is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::find::{Found, Located, Walk, display, io_reason, same, text};

/// A file of a home folder that a program keeps its settings in is never larger.
const LARGEST_SETTINGS: u64 = 64 << 20;

impl Walk<'_> {
    /// The known files in the folders around one, up to that of its work tree: programs that are started in a folder of a
    /// project look for them there too. What lies beside them is none of this folder's.
    pub(super) fn project_around(&mut self, here: &Path) {
        let request = self.request;
        let Ok(here) = here.canonicalize() else { return };
        let Some(top) = here.ancestors().find(|folder| folder.join(".git").exists()) else { return };
        let mut shown = String::new();
        for folder in here.ancestors().take_while(|folder| *folder != top).filter_map(Path::parent) {
            let is_home = request.home.as_deref().is_some_and(|home| same(folder, home));
            // A home folder's own files are read as such.
            if is_home || folder.parent().is_none() {
                return;
            }
            shown = if shown.is_empty() { "..".to_owned() } else { format!("../{shown}") };
            let name = folder.file_name().map_or_else(|| shown.clone(), text);
            self.root(&shown, folder, &name);
            let before = self.listing.files.len();
            for relative in &request.project_files {
                let file = relative.split('/').fold(folder.to_owned(), |path, part| path.join(part));
                let path = format!("{shown}/{relative}").into();
                self.known_file(file, path, relative, (&name, false), Some(top));
            }
            if self.listing.files.len() > before {
                self.listing.sources.push(shown.as_str().into());
            }
        }
    }

    /// The known files of home folders: nothing else in them is touched.
    pub(super) fn homes(&mut self) {
        let request = self.request;
        if let Some(home) = &request.home {
            self.listing.sources.push("~".into());
            self.known_files(home, "~", "home", &request.home_files, true);
            self.moved_files();
        }
        for home in &request.other_homes {
            let shown = display(home);
            let name = home.file_name().map_or_else(|| shown.clone(), text);
            self.listing.sources.push(shown.as_str().into());
            if let Err(error) = std::fs::read_dir(home) {
                let reason: Arc<str> = format!("{}; run as a user who may read it", io_reason(&error)).into();
                self.listing.failed.push(Located { path: shown.into(), reason });
                continue;
            }
            self.known_files(home, &shown, &name, &request.home_files, true);
        }
    }

    /// Files that a variable lets lie elsewhere. Those in the home folder are read all the same: which of them a program
    /// uses depends on where it was started.
    pub(super) fn moved_files(&mut self) {
        let request = self.request;
        for (moved, value) in &request.moved {
            let variable = moved.variable;
            if moved.names_file() {
                for (at, file) in std::env::split_paths(value).enumerate() {
                    let shown = if at == 0 { format!("${variable}") } else { format!("${variable}[{}]", at + 1) };
                    self.known_file(file, shown.into(), moved.home, ("home", true), None);
                }
                continue;
            }
            let folder = Path::new(value);
            let inside = folder.canonicalize().ok();
            for relative in &request.home_files {
                let rest = relative.strip_prefix(moved.home);
                let Some(rest) = rest.filter(|rest| moved.home.ends_with('/') || rest.is_empty()) else { continue };
                let below = format!("{}{rest}", moved.inside);
                let file = below.split('/').fold(folder.to_owned(), |path, part| path.join(part));
                let shown = format!("${variable}/{below}");
                self.known_file(file, shown.into(), relative, ("home", true), inside.as_deref());
            }
        }
    }

    pub(super) fn machine(&mut self) {
        let request = self.request;
        let files: Vec<&'static str> =
            request.system_files.iter().filter(|file| Path::new(file).is_absolute()).copied().collect();
        self.known_files(Path::new(""), "", "machine", &files, false);
    }

    /// Adds those of some files that are there. A link is followed as long as it stays in the folder.
    pub(super) fn known_files(
        &mut self,
        folder: &Path,
        shown: &str,
        source_name: &str,
        files: &[&'static str],
        user_level: bool,
    ) {
        let inside = if user_level { folder.canonicalize().ok() } else { None };
        if user_level {
            self.root(shown, folder, source_name);
        }
        self.listing.known_places |= user_level;
        for relative in files {
            let file = relative.split('/').fold(folder.to_owned(), |path, part| {
                if path.as_os_str().is_empty() && part.is_empty() { PathBuf::from("/") } else { path.join(part) }
            });
            let path: Arc<str> =
                if shown.is_empty() { (*relative).into() } else { format!("{shown}/{relative}").into() };
            self.known_file(file, path, relative, (source_name, user_level), inside.as_deref());
        }
    }

    /// Adds a file, or the files of a folder, if it is there. `inside`: the folder that no link may lead out of.
    fn known_file(
        &mut self,
        file: PathBuf,
        path: Arc<str>,
        relative: &str,
        (source_name, user_level): (&str, bool),
        inside: Option<&Path>,
    ) {
        self.listing.asked += 1;
        let Ok(found) = std::fs::metadata(&file) else { return };
        if let Some(inside) = inside
            && !file.canonicalize().is_ok_and(|target| target.starts_with(inside))
        {
            let whose = if user_level { "home folder" } else { "project" };
            let reason = format!("a symbolic link out of the {whose}, not followed; name its target to read it");
            self.skip(path, &reason);
            return;
        }
        if found.is_dir() {
            self.folder(&file, &path, relative, (source_name, user_level));
            return;
        }
        if found.len() > LARGEST_SETTINGS {
            self.skip(path, "larger than 64 MiB, which no settings are; name the file itself to read it");
            return;
        }
        self.add(Found {
            file,
            path,
            relative: relative.into(),
            source_name: source_name.into(),
            user_level,
            named: false,
            bytes: found.len(),
        });
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::provider::MovedFiles;

    use super::super::find::tests::{names, tree};
    use super::super::find::{Request, find};
    use super::*;

    fn home_request(home: &Path) -> Request {
        Request {
            home: Some(home.into()),
            home_files: vec![".claude.json", ".gemini/policies", ".aws/config"],
            wanted: Some(|path| path.ends_with(".mcp.json") || path.contains("/policies/")),
            ..Request::default()
        }
    }

    #[test]
    fn a_home_folder_costs_the_same_however_much_lies_in_it() {
        let small = tree(&[".claude.json", ".gemini/policies/a.toml"]);
        let many: Vec<String> = (0..4_000).map(|at| format!("photos/{}/{at}.json", at % 40)).collect();
        let mut names: Vec<&str> = many.iter().map(String::as_str).collect();
        names.extend([".claude.json", ".gemini/policies/a.toml", ".cache/deep/er/x.json"]);
        let large = tree(&names);
        let asked = |home: &Path| {
            let listing = find(&Request { sources: vec![home.into()], ..home_request(home) });
            let read: Vec<String> = listing.files.iter().map(|found| found.relative.to_string()).collect();
            assert_eq!(read, [".claude.json", ".gemini/policies/a.toml"]);
            listing.asked
        };
        assert_eq!(asked(small.path()), asked(large.path()));
        assert!(asked(large.path()) < 10);
    }

    #[test]
    fn what_a_variable_moves_is_read_from_there_and_shown_by_the_variable() {
        let home = tree(&[".claude.json"]);
        let moved = tree(&["a/.claude.json", "b/policies/x.toml", "c/one", "d/two"]);
        let at = |name: &str| moved.path().join(name).into_os_string();
        let variable = |variable, inside, home| MovedFiles { variable, inside, home };
        let files = std::env::join_paths([at("c/one"), at("d/two"), at("no/such")]).unwrap();
        let request = Request {
            moved: vec![
                (variable("A", ".claude.json", ".claude.json"), at("a")),
                (variable("B", "", ".gemini/"), at("b")),
                (variable("C", "", ".aws/config"), files),
            ],
            ..home_request(home.path())
        };
        let listing = find(&Request { sources: vec![home.path().into()], ..request });
        let mut read: Vec<(&str, &str)> = listing.files.iter().map(|found| (&*found.path, &*found.relative)).collect();
        read.retain(|(path, _)| path.starts_with('$'));
        let expected = [
            ("$A/.claude.json", ".claude.json"),
            ("$B/policies/x.toml", ".gemini/policies/x.toml"),
            ("$C", ".aws/config"),
            ("$C[2]", ".aws/config"),
        ];
        assert_eq!(read, expected);
        assert_eq!(listing.files.len(), 5, "what lies in the home folder is read too");
    }

    #[test]
    fn of_the_project_around_a_folder_only_known_files_are_read_and_none_above_it() {
        // A work tree itself, so that nothing around the temporary folder counts.
        let tree = tree(&[
            ".git/HEAD",
            ".mcp.json",
            "home/.mcp.json",
            "home/shop/.git/HEAD",
            "home/shop/.mcp.json",
            "home/shop/.claude/agents/a.md",
            "home/shop/data.json",
            "home/shop/other/.mcp.json",
            "home/shop/src/.mcp.json",
            "home/shop/src/web/.mcp.json",
            "home/shop/src/web/app/.mcp.json",
        ]);
        let around = |folder: &str, home: &str| -> Vec<(String, String)> {
            let request = Request {
                home: Some(tree.path().join(home)),
                project_files: vec![".claude/agents", ".mcp.json", "opencode.json"],
                ..Request::default()
            };
            let mut walk = Walk::new(&request);
            walk.project_around(&tree.path().join(folder));
            let listing = walk.finish();
            assert!(listing.asked < 16, "{}", listing.asked);
            listing.files.iter().map(|found| (found.path.to_string(), found.relative.to_string())).collect()
        };
        let files = |files: &[(&str, &str)]| -> Vec<(String, String)> {
            files.iter().map(|(path, relative)| ((*path).to_owned(), (*relative).to_owned())).collect()
        };
        let project = [("../../.claude/agents/a.md", ".claude/agents/a.md"), ("../../.mcp.json", ".mcp.json")];
        let expected = files(&[project[0], project[1], ("../.mcp.json", ".mcp.json")]);
        assert_eq!(around("home/shop/src/web", "home"), expected);
        assert_eq!(around("home/shop", "home"), [], "it is the project");
        assert_eq!(around("home", "none"), files(&[("../.mcp.json", ".mcp.json")]), "a project around the project");
        assert_eq!(around("home/shop/src/web", "home/shop"), files(&[("../.mcp.json", ".mcp.json")]), "a home is none");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_project_around_a_folder_is_not_followed() {
        let outside = tree(&["secret.json"]);
        let project = tree(&[".git/HEAD", "shared/mcp.json", "src/x"]);
        let link = |target: PathBuf, name: &str| std::os::unix::fs::symlink(target, project.path().join(name)).unwrap();
        link(outside.path().join("secret.json"), ".mcp.json");
        link(project.path().join("shared/mcp.json"), "opencode.json");
        let request = Request { project_files: vec![".mcp.json", "opencode.json"], ..Request::default() };
        let mut walk = Walk::new(&request);
        walk.project_around(&project.path().join("src"));
        let listing = walk.finish();
        assert_eq!(names(&listing), ["../opencode.json"]);
        assert!(listing.skipped[0].reason.contains("out of the project"), "{:?}", listing.skipped);
    }

    #[test]
    fn homes_of_others_are_read_under_their_own_names() {
        let homes = tree(&["ana/.claude.json", "ben/.claude.json", "ben/notes/.claude.json"]);
        let listing = find(&Request {
            sources: Vec::new(),
            home: None,
            other_homes: vec![homes.path().join("ana"), homes.path().join("ben")],
            ..home_request(homes.path())
        });
        let paths: Vec<&str> = names(&listing).into_iter().filter(|path| path.contains("/.claude")).collect();
        assert_eq!(paths.len(), 2);
        assert!(paths[0].ends_with("ana/.claude.json") && paths[1].ends_with("ben/.claude.json"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_a_home_folder_is_not_followed_and_one_inside_is() {
        let outside = tree(&["secret.json"]);
        let home = tree(&["dotfiles/claude.json", ".aws/x"]);
        std::os::unix::fs::symlink(home.path().join("dotfiles/claude.json"), home.path().join(".claude.json")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.json"), home.path().join(".aws/config")).unwrap();
        let listing = find(&Request { sources: vec![home.path().into()], ..home_request(home.path()) });
        let read: Vec<&str> = listing.files.iter().map(|found| &*found.relative).collect();
        assert_eq!(read, [".claude.json"]);
        assert!(listing.skipped[0].reason.contains("out of the home folder"), "{:?}", listing.skipped);
    }
}
