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
            // A folder below the person's home was gone through by itself, as part of the home.
            None if document.file.user_level && !is_file && below.ends_with(&*relative) && !source.is_empty() => {
                source.clone()
            }
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

    /// Whether another folder is this one or lies below it.
    pub(crate) fn holds(&self, root: &str) -> bool {
        match self.root.as_str() {
            "" => !root.starts_with('/'),
            "/" => true,
            outer => root.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
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
    fn homes_and_machines_hold_what_lies_below_them() {
        assert!(place("home/ana").holds("home/ana/shop"));
        assert!(!place("home/ana").holds("home/anabel"));
        assert!(place("/").holds("shop"));
        assert!(place("").holds("shop"));
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
