//! Where a configuration holds: a person's home, a project, or the whole machine; and what that place is called.

use evenhand_model::document::Document;

use crate::locate;

/// The folder that a file speaks for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// As a prefix of document paths; tells places apart.
    pub(crate) root: String,
    /// As people see it: below the source; the source's name for the source itself.
    pub(crate) shown: String,
    /// The source's name, to tell equal names in two sources apart.
    pub(crate) source: String,
}

impl Place {
    pub(crate) fn of(document: &Document, root: &str) -> Self {
        let path = locate::clean(&document.path);
        let relative = locate::clean(&document.relative);
        let below = path.strip_prefix(root).unwrap_or(&path).trim_start_matches('/');
        let last = root.rsplit('/').next().unwrap_or("");
        let source = document.source_name.to_string();
        let is_file = *relative == *document.source_name;
        let shown = match relative.strip_suffix(below) {
            Some(folder) if !folder.is_empty() => folder.trim_end_matches('/').to_owned(),
            Some(_) if !is_file && !source.is_empty() && source != "." => source.clone(),
            _ if !last.is_empty() && last != "." => last.to_owned(),
            _ => String::from("."),
        };
        Self { root: root.to_owned(), shown, source }
    }

    /// A folder as a prefix of paths, which nobody is shown.
    pub(crate) fn at(root: &str) -> Self {
        Self { root: root.to_owned(), shown: String::new(), source: String::new() }
    }

    /// The person whose home this is, where the path says so: `home/ana`, `Users/ana`.
    pub(crate) fn person(&self) -> Option<&str> {
        let mut parts = self.root.rsplit('/');
        let (last, before) = (parts.next()?, parts.next()?);
        (matches!(before, "home" | "Users") && !last.is_empty()).then_some(last)
    }

    /// Whether the paths say that this folder lies in the home of somebody else than whose home `home` is.
    pub(crate) fn is_apart_from(&self, home: &str) -> bool {
        let is_parent = |part: &&str| matches!(*part, "home" | "Users");
        let mut own = self.root.split('/').peekable();
        let mut others = home.split('/').peekable();
        let mut shared = None;
        while own.peek().is_some() && own.peek() == others.peek() {
            (shared, _) = (own.next(), others.next());
        }
        let beside = shared.is_some_and(|part| is_parent(&part)) && own.peek().is_some() && others.peek().is_some();
        let below = |(at, part): (usize, &str)| is_parent(&part) && self.root.split('/').nth(at + 1).is_some();
        let first = self.root.split('/').count() - own.clone().count();
        beside || self.root.split('/').enumerate().skip(first).any(below)
    }

    /// Whether this folder is the one that a person's file calls `path`. `home`: that person's home, as a prefix of paths. A
    /// file names folders as the machine does, and what is scanned may be a copy of the machine.
    pub(crate) fn is_called(&self, path: &str, home: &str) -> bool {
        let path = path.replace('\\', "/");
        let path = path.strip_suffix('/').unwrap_or(&path);
        if self.root == path {
            return true;
        }
        if let (true, Some(below)) = (home == "~", self.root.strip_prefix("~/")) {
            let before = path.strip_suffix(below).and_then(|before| before.strip_suffix('/'));
            return before.is_some_and(|before| before == "/root" || Self::at(before).person().is_some());
        }
        let copy = self.root.strip_suffix(path).filter(|_| path.starts_with('/'));
        // The home lies in the same copy.
        copy.and_then(|copy| home.strip_prefix(copy)).is_some_and(|home| home.starts_with('/'))
    }

    /// The path among the documents of a file that configuration of this place names: below this folder where it is
    /// relative or begins with a variable for the project's folder, below `home` where it begins with one for that. A file
    /// names others as the machine does, and what is scanned may be a copy of the machine. `None` = another variable decides.
    pub(crate) fn file(&self, named: &str, home: &str) -> Option<String> {
        const OF_HOME: &[&str] =
            &["~", "$HOME", "${HOME}", "${env:HOME}", "${userHome}", "%USERPROFILE%", "${env:USERPROFILE}"];
        const OF_PROJECT: &[&str] =
            &["$PWD", "${PWD}", "${workspaceFolder}", "${workspaceRoot}", "${CLAUDE_PROJECT_DIR}"];
        let named = named.trim().replace('\\', "/");
        // `${workspaceFolder:shop}` is the folder of that name in a workspace of several.
        let named = match named.strip_prefix("${workspaceFolder:").and_then(|rest| rest.split_once('}')) {
            Some((_, rest)) => format!("${{workspaceFolder}}{rest}"),
            None => named,
        };
        let below = |starts: &[&str]| {
            let rest = starts.iter().filter_map(|start| named.strip_prefix(start)).next()?;
            rest.strip_prefix('/').filter(|rest| !rest.is_empty()).map(str::to_owned)
        };
        let is_absolute = named.starts_with('/') || named.get(1..3) == Some(":/");
        let path = match (below(OF_HOME), below(OF_PROJECT)) {
            (Some(rest), _) => within(home, &rest),
            (None, Some(rest)) => within(&self.root, &rest),
            (None, None) if named.is_empty() || named.contains(['$', '%', '{']) => return None,
            (None, None) if is_absolute => match (self.copy(), named.split_once('/')) {
                (Some(copy), Some((_, rest))) => within(copy, rest),
                _ => named,
            },
            (None, None) => within(&self.root, &named),
        };
        Some(straight(&path))
    }

    /// The home folder that this place lies in, where its path says so.
    pub(crate) fn home(&self) -> Option<&str> {
        let before = before_homes(&self.root)?;
        let below = self.root.get(before..)?;
        let ends = below.match_indices('/').nth(1).map_or(below.len(), |(at, _)| at);
        self.root.get(..before + ends)
    }

    /// The folder that is a copy of a machine and in which this place lies; `None` = the machine itself, as far as the path
    /// tells.
    fn copy(&self) -> Option<&str> {
        let before = self.root.get(..before_homes(&self.root)?)?;
        let is_machine = before == "/" || before.get(1..) == Some(":/");
        (!is_machine).then(|| before.trim_end_matches('/'))
    }

    /// This folder and those around it, the nearest first: all that [`Place::holds`] this one.
    pub(crate) fn around(&self) -> impl Iterator<Item = &str> {
        let root = self.root.as_str();
        let cuts = root.rmatch_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let folders = std::iter::once(root).filter(|root| !root.is_empty()).chain(cuts.filter_map(|at| root.get(..at)));
        let relative = lies_below(root).then_some("");
        folders.chain(relative).chain((root != "/").then_some("/"))
    }

    /// Whether another folder is this one or lies below it.
    pub(crate) fn holds(&self, root: &str) -> bool {
        match self.root.as_str() {
            "" => lies_below(root),
            "/" => true,
            outer => root.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// Where in a path the folder begins that holds the homes of people, if one of these follows.
fn before_homes(path: &str) -> Option<usize> {
    let mut at = 0;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if matches!(part, "home" | "Users") && parts.peek().is_some_and(|person| !person.is_empty()) {
            return Some(at);
        }
        at += part.len() + 1;
    }
    None
}

/// Whether a path leads to something below the current folder, and not around it or elsewhere.
fn lies_below(path: &str) -> bool {
    !path.starts_with('/') && path != ".." && !path.starts_with("../")
}

/// A path below a folder.
fn within(folder: &str, below: &str) -> String {
    match folder {
        "" => below.to_owned(),
        "/" => format!("/{below}"),
        folder => format!("{folder}/{below}"),
    }
}

/// The path without `.`, and without `..` as far as there is something before it.
fn straight(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            (".", _) => {}
            ("..", Some(before)) if !matches!(*before, "" | "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The root of the machine that a system-wide file lies on: what stands before `etc` and its like.
pub(crate) fn machine_root(root: &str) -> String {
    const SYSTEM: &[&str] =
        &["etc", "Library/Application Support", "Library", "ProgramData", "Program Files", "ProgramData/OpenAI"];
    let shortest = SYSTEM
        .iter()
        .filter_map(|folder| root.strip_suffix(folder))
        .filter(|before| before.is_empty() || before.ends_with('/'))
        .min_by_key(|before| before.len())
        .unwrap_or(root);
    // The live machine's own files hold for everything that is scanned with them.
    let folder = locate::folder(shortest);
    let drive = folder.len() == 2 && folder.ends_with(':');
    if drive { String::from("/") } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(root: &str) -> Place {
        Place { root: root.into(), shown: root.into(), source: String::new() }
    }

    #[test]
    fn a_file_that_configuration_names_is_found_among_the_documents() {
        let cases = [
            ("shop", "~", ".env", Some("shop/.env")),
            ("", "~", "./keys/mcp.env", Some("keys/mcp.env")),
            ("shop", "~", "../keys/mcp.env", Some("keys/mcp.env")),
            ("shop", "~", "../../keys/mcp.env", Some("../keys/mcp.env")),
            ("shop", "~", "${workspaceFolder}/.env", Some("shop/.env")),
            ("shop", "~", "${workspaceFolder:web}/.env", Some("shop/.env")),
            ("shop", "~", "${SECRETS}/.env", None),
            ("shop", "~", "", None),
            ("shop", "~", "~/keys/mcp.env", Some("~/keys/mcp.env")),
            ("lab/home/ana/shop", "lab/home/ana", "${HOME}/mcp.env", Some("lab/home/ana/mcp.env")),
            ("lab/home/ana/shop", "lab/home/ana", "/home/ana/mcp.env", Some("lab/home/ana/mcp.env")),
            ("home/ana/shop", "home/ana", "/srv/mcp.env", Some("srv/mcp.env")),
            ("/home/ana/shop", "/home/ana", "/srv/mcp.env", Some("/srv/mcp.env")),
            ("~/shop", "~", "/home/ana/mcp.env", Some("/home/ana/mcp.env")),
            ("C:/Users/ana/shop", "C:/Users/ana", "%USERPROFILE%\\mcp.env", Some("C:/Users/ana/mcp.env")),
            ("lab/Users/ana/shop", "lab/Users/ana", "C:\\keys\\mcp.env", Some("lab/keys/mcp.env")),
        ];
        for (root, home, named, expected) in cases {
            assert_eq!(place(root).file(named, home).as_deref(), expected, "{root}: {named}");
        }
        assert_eq!(place("lab/home/ana/src/shop").home(), Some("lab/home/ana"));
        assert_eq!(place("/Users/ana").home(), Some("/Users/ana"));
        assert_eq!(place("shop/home").home(), None);
    }

    #[test]
    fn homes_and_machines_hold_what_lies_below_them() {
        assert!(place("home/ana").holds("home/ana/shop"));
        assert!(!place("home/ana").holds("home/anabel"));
        for root in ["home/ana/shop", "/home/ana", "shop", "", "/", "~/x", "..", "../.."] {
            let around: Vec<&str> = place(root).around().map(|folder| folder.to_owned().leak() as &str).collect();
            assert!(around.iter().all(|folder| place(folder).holds(root)), "{root}: {around:?}");
            assert_eq!(around.first(), Some(&root));
        }
        assert_eq!(place("home/ana/shop").around().collect::<Vec<_>>(), ["home/ana/shop", "home/ana", "home", "", "/"]);
        assert!(place("/").holds("shop"));
        assert!(place("").holds("shop"));
        assert!(!place("").holds("..") && place("..").holds("../shop"));
        assert_eq!(place("x/home/ana").person(), Some("ana"));
        assert_eq!(place("/Users/ana").person(), Some("ana"));
        assert_eq!(place("shop").person(), None);
        for (root, apart) in [
            ("lab/home/ana/src", true),
            ("lab/other/home/ana", true),
            ("lab/home/ben/src", false),
            ("lab/shop", false),
            ("shop", false),
        ] {
            assert_eq!(place(root).is_apart_from("lab/home/ben"), apart, "{root}");
        }
        for (root, path, home, expected) in [
            ("/home/ana/shop", "/home/ana/shop", "/home/ana", true),
            ("/home/ana/shop", "/home/ana/shop/", "~", true),
            ("C:/Users/ana/shop", "C:\\Users\\ana\\shop", "~", true),
            ("lab/home/ana/shop", "/home/ana/shop", "lab/home/ana", true),
            ("lab/srv/shop", "/srv/shop", "lab/home/ana", true),
            ("lab/home/ana/shop", "/shop", "lab/home/ana", false),
            ("lab/home/ana/shop", "/home/ana/other", "lab/home/ana", false),
            ("~/src/shop", "/home/ana/src/shop", "~", true),
            ("~/shop", "/home/ana/src/shop", "~", false),
            ("~/shop", "/root/shop", "~", true),
            ("shop", "/home/ana/shop", "~", false),
        ] {
            assert_eq!(place(root).is_called(path, home), expected, "{root}, {path}");
        }
        assert!(!place("/home/ci/lab/shop").is_apart_from("/home/ci/lab/home/ben"));
        assert!(!place("shop").is_apart_from("~"));
        assert_eq!(machine_root("/etc"), "/");
        assert_eq!(machine_root("laptop/etc"), "laptop");
        assert_eq!(machine_root("/Library/Application Support"), "/");
        assert_eq!(machine_root("C:/ProgramData"), "/");
    }
}
