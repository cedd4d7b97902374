//! Programs that fetch code when they start: which package or image, which version, with what reach on the machine.

use evenhand_model::evidence::Fact;

use super::{Command, Mounts, reach};

/// Whether the program fetches code when it starts, and whether it says which.
pub(super) fn fetch(program: &str, arguments: &[String], command: &mut Command) {
    let first = arguments.first().map(String::as_str);
    let second = arguments.get(1).map(String::as_str);
    let from = |skip: usize| arguments.get(skip..).unwrap_or(&[]);
    let pinned = match (program, first, second) {
        ("npx" | "bunx" | "pnpx", ..) => npm(arguments),
        ("npm", Some("exec" | "x"), _) => npm(from(1)),
        ("bun", Some("x"), _) => npm(from(1)),
        ("pnpm" | "yarn", Some("dlx"), _) => npm(from(1)),
        ("uvx", ..) => python(arguments),
        ("uv", Some("tool"), Some("run")) => python(from(2)),
        ("uv", Some("run"), _) if arguments.iter().any(|word| word.starts_with("--with") || word == "--from") => {
            uv_with(from(1))
        }
        ("pipx", Some("run"), _) => python(from(1)),
        ("docker" | "podman" | "nerdctl" | "finch" | "container", Some("run"), _) => {
            command.container = Some(Mounts::of(from(1).iter().map(String::as_str)));
            container(from(1), command)
        }
        ("deno", Some("run"), _) => match from(1).iter().find(|word| !word.starts_with('-')) {
            Some(target) if target.starts_with("npm:") || target.starts_with("jsr:") => Some(npm_spec(target)),
            Some(target) if target.starts_with("https://") || target.starts_with("http://") => {
                Some(Fact::Known(target.contains('@')))
            }
            _ => None,
        },
        ("go", Some("run"), _) => from(1)
            .iter()
            .find(|word| word.contains('@'))
            .map(|target| Fact::Known(target.rsplit('@').next().is_some_and(is_version))),
        ("dnx", ..) | ("nix", Some("run"), _) => match arguments.iter().find(|word| !word.starts_with('-')) {
            Some(target) => Some(Fact::Known(target.contains('@') && target.chars().any(|c| c.is_ascii_digit()))),
            None => Some(Fact::Unknown),
        },
        _ => None,
    };
    match pinned {
        Some(pinned) => {
            command.fetched = Fact::Known(true);
            command.pinned = pinned;
        }
        None => {
            command.fetched = Fact::Known(false);
            command.pinned = Fact::Absent;
        }
    }
}

fn npm(arguments: &[String]) -> Option<Fact<bool>> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-p" | "--package" => return words.next().map(|package| npm_spec(package)),
            "-c" | "--call" | "--node-options" | "--registry" | "--cache" | "--prefix" | "-w" | "--workspace" => {
                words.next();
            }
            "--no-install" => return None,
            flag if flag.starts_with("--package=") => {
                return flag.split_once('=').map(|(_, package)| npm_spec(package));
            }
            flag if flag.starts_with('-') => {}
            package if package.starts_with("./") || package.starts_with("../") || package.starts_with('/') => {
                return None;
            }
            package => return Some(npm_spec(package)),
        }
    }
    Some(Fact::Unknown)
}

fn npm_spec(package: &str) -> Fact<bool> {
    let package = package.strip_prefix("npm:").or_else(|| package.strip_prefix("jsr:")).unwrap_or(package);
    if package.contains('$') {
        return Fact::Unknown;
    }
    if is_git(package) {
        return Fact::Known(package.rsplit('#').next().is_some_and(is_commit));
    }
    // The first character may be the mark of a scope, not of a version.
    let version = package.get(1..).and_then(|rest| rest.split_once('@')).map(|(_, version)| version);
    let version = version.map(|version| version.split('/').next().unwrap_or(version));
    Fact::Known(version.is_some_and(is_version))
}

fn python(arguments: &[String]) -> Option<Fact<bool>> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--from" | "--spec" => return words.next().map(|package| python_spec(package)),
            "--with" | "--python" | "-p" | "--index-url" | "--index" | "--default-index" | "--env-file"
            | "--with-editable" | "--directory" | "--project" => {
                words.next();
            }
            flag if flag.starts_with("--from=") || flag.starts_with("--spec=") => {
                return flag.split_once('=').map(|(_, package)| python_spec(package));
            }
            flag if flag.starts_with('-') => {}
            package => return Some(python_spec(package)),
        }
    }
    Some(Fact::Unknown)
}

fn uv_with(arguments: &[String]) -> Option<Fact<bool>> {
    let mut all: Option<bool> = None;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let package = match word.as_str() {
            "--with" | "--from" => words.next().map(String::as_str),
            flag => flag.strip_prefix("--with="),
        };
        if let Some(package) = package {
            match python_spec(package) {
                Fact::Known(pinned) => all = Some(all.unwrap_or(true) && pinned),
                _ => return Some(Fact::Unknown),
            }
        }
    }
    Some(Fact::known(all))
}

fn python_spec(package: &str) -> Fact<bool> {
    if package.contains('$') {
        return Fact::Unknown;
    }
    if is_git(package) {
        let reference = package.rsplit('@').next().unwrap_or("");
        return Fact::Known(is_commit(reference.split(['#', '?']).next().unwrap_or("")));
    }
    if package.starts_with('.') || package.starts_with('/') {
        return Fact::Absent;
    }
    let version = package.split_once("==").or_else(|| package.split_once('@')).map(|(_, version)| version);
    Fact::Known(version.is_some_and(is_version))
}

fn is_git(package: &str) -> bool {
    package.contains("git+")
        || package.starts_with("github:")
        || package.ends_with(".git")
        || package.contains("git://")
}

/// A full version, at least `1.2`, without range marks.
fn is_version(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split('.');
    let number = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && part.starts_with(|first: char| first.is_ascii_digit()))
    };
    number(parts.next())
        && number(parts.next())
        && !version.contains(['^', '~', '*', '<', '>', '|', ' '])
        && !version.split('.').any(|part| part == "x" || part == "X")
}

fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.chars().all(|character| character.is_ascii_hexdigit())
}

/// Flags of `docker run` that take a value as the next word.
const CONTAINER_VALUES: &[&str] = &[
    "-e",
    "--env",
    "-v",
    "--volume",
    "--mount",
    "--name",
    "-p",
    "--publish",
    "--network",
    "--net",
    "-u",
    "--user",
    "-w",
    "--workdir",
    "--env-file",
    "--entrypoint",
    "-l",
    "--label",
    "--platform",
    "--pull",
    "--memory",
    "-m",
    "--cpus",
    "--add-host",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--pid",
    "--ipc",
    "--device",
    "--tmpfs",
    "-h",
    "--hostname",
    "--gpus",
    "--ulimit",
    "--log-driver",
    "--restart",
    "--dns",
    "--userns",
    "--shm-size",
];

fn container(arguments: &[String], command: &mut Command) -> Option<Fact<bool>> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (flag, mut value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (word.as_str(), None),
        };
        if !flag.starts_with('-') {
            return Some(image(word));
        }
        if value.is_none() && CONTAINER_VALUES.contains(&flag) {
            value = words.next().map(String::as_str);
        }
        let text = value.unwrap_or("");
        match flag {
            "--privileged" => command.privileged = text != "false",
            "--pid" | "--ipc" | "--userns" if text == "host" => command.privileged = true,
            "--cap-add" if matches!(text.to_ascii_uppercase().as_str(), "ALL" | "SYS_ADMIN" | "CAP_SYS_ADMIN") => {
                command.privileged = true;
            }
            "--device" => command.privileged = true,
            "-v" | "--volume" | "--mount" => mount(text, flag == "--mount", command),
            _ => {}
        }
    }
    Some(Fact::Unknown)
}

fn mount(text: &str, long: bool, command: &mut Command) {
    let source = if long {
        text.split(',').find_map(|part| part.strip_prefix("src=").or_else(|| part.strip_prefix("source=")))
    } else {
        // A Windows drive letter has a colon of its own.
        match text.split_once(':') {
            Some((drive, _)) if drive.len() == 1 && drive.starts_with(|c: char| c.is_ascii_alphabetic()) => Some(text),
            Some((source, _)) => Some(source),
            None => None,
        }
    };
    let Some(source) = source else { return };
    if ["docker.sock", "podman.sock", "containerd.sock", "docker_engine"].iter().any(|name| source.contains(name)) {
        command.privileged = true;
        return;
    }
    if source.starts_with(['/', '~', '$', '.', '%']) || source.contains('\\') {
        command.reach = command.reach.max(Some(reach(source)));
    }
}

fn image(name: &str) -> Fact<bool> {
    if name.contains('$') {
        return Fact::Unknown;
    }
    if name.contains("@sha256:") {
        return Fact::Known(true);
    }
    let tag = name.rsplit('/').next().and_then(|last| last.split_once(':')).map(|(_, tag)| tag);
    Fact::Known(tag.is_some_and(is_version))
}
