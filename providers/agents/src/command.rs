//! What can be told of a tool server's command without running it: does it fetch code, which version, with what reach.

use evenhand_model::evidence::Fact;

/// How far over the file system something reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reach {
    Project,
    Home,
    Root,
}

impl Reach {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Home => "home",
            Self::Root => "root",
        }
    }
}

/// What a command line tells.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Command {
    pub(crate) fetched: Fact<bool>,
    pub(crate) pinned: Fact<bool>,
    pub(crate) privileged: bool,
    pub(crate) container: bool,
    pub(crate) reach: Option<Reach>,
    /// The address a local bridge connects to (`mcp-remote https://…`).
    pub(crate) bridged: Option<String>,
    /// Whether such a bridge is given a header.
    pub(crate) bridged_header: bool,
}

/// Cuts a command line into words: blanks separate, quotes hold together, a backslash before a blank or quote keeps it.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut started = false;
    let mut quote: Option<char> = None;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                started = true;
            }
            (held, '\\')
                if held != Some('\'')
                    && characters.peek().is_some_and(|next| next.is_whitespace() || "\"'\\".contains(*next)) =>
            {
                if let Some(next) = characters.next() {
                    word.push(next);
                    started = true;
                }
            }
            (None, blank) if blank.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            (_, other) => {
                word.push(other);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}

/// Looks at a whole command: the program and its arguments.
pub(crate) fn look(words: &[String]) -> Command {
    let mut command = Command {
        fetched: Fact::Unknown,
        pinned: Fact::Unknown,
        privileged: false,
        container: false,
        reach: None,
        bridged: None,
        bridged_header: false,
    };
    let mut rest: Vec<String> = words.to_vec();
    // Wrappers that start another program: at most a handful, so a hostile file cannot keep this busy.
    for _ in 0..8 {
        let Some(program) = rest.first().map(|word| base(word)) else { return command };
        match program.as_str() {
            "sudo" | "doas" => {
                command.privileged = true;
                rest = after_flags(&rest, &["-u", "-g"]);
            }
            "env" | "nohup" | "exec" | "timeout" | "time" | "nice" | "dotenvx" | "dotenv" => {
                rest = after_flags(&rest, &[]);
            }
            "sh" | "bash" | "zsh" | "dash" | "fish" | "cmd" | "powershell" | "pwsh" => {
                let Some(inner) = script(&rest) else { break };
                rest = inner;
            }
            _ => break,
        }
        while rest.first().is_some_and(|word| is_assignment(word)) {
            rest.remove(0);
        }
    }
    let Some(program) = rest.first().map(|word| base(word)) else { return command };
    if program.contains('$') {
        return command;
    }
    let arguments = rest.get(1..).unwrap_or(&[]);
    fetch(&program, arguments, &mut command);
    bridge(&rest, &mut command);
    if command.reach.is_none() && rest.iter().any(|word| is_file_server(word)) {
        command.reach =
            arguments.iter().filter(|word| !word.starts_with('-') && is_folder(word)).map(|word| reach(word)).max();
    }
    command
}

/// The program's name without its folder and Windows suffix.
fn base(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    [".exe", ".cmd", ".bat", ".ps1"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(&name).to_owned()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}

/// The words behind a wrapper and its flags.
fn after_flags(words: &[String], with_value: &[&str]) -> Vec<String> {
    let mut rest = words.iter().skip(1).peekable();
    while let Some(word) = rest.peek() {
        if word.starts_with('-') {
            if rest.next().is_some_and(|flag| with_value.contains(&flag.as_str())) {
                rest.next();
            }
        } else if is_assignment(word) || word.chars().all(|character| character.is_ascii_digit()) {
            rest.next();
        } else {
            break;
        }
    }
    rest.cloned().collect()
}

/// The command that a shell is given on its command line.
fn script(words: &[String]) -> Option<Vec<String>> {
    let at = words.iter().position(|word| {
        matches!(word.as_str(), "-c" | "-lc" | "-ic" | "/c" | "/C" | "-Command" | "-command" | "/k")
    })?;
    let rest = words.get(at + 1..)?;
    match rest {
        [line] => Some(split(line)),
        [] => None,
        // `sh -c LINE ARGUMENTS` gives the line positional arguments; `cmd /c A B` is one command.
        [line, ..] if line.contains(char::is_whitespace) => Some(split(line)),
        words => Some(words.to_vec()),
    }
}

/// Whether the program fetches code when it starts, and whether it says which.
fn fetch(program: &str, arguments: &[String], command: &mut Command) {
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
            command.container = true;
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

/// Bridges that run here and speak to a server elsewhere.
fn bridge(words: &[String], command: &mut Command) {
    let is_bridge = |word: &String| {
        ["mcp-remote", "supergateway", "mcp-proxy", "mcp-remote-client", "mcp-client-proxy"].iter().any(|name| {
            word.rsplit('/').next().is_some_and(|last| last == *name || last.starts_with(&format!("{name}@")))
        })
    };
    if words.iter().any(is_bridge) {
        command.bridged =
            words.iter().find(|word| word.starts_with("https://") || word.starts_with("http://")).cloned();
        command.bridged_header = words.iter().any(|word| {
            matches!(word.as_str(), "--header" | "-H" | "--headers" | "--oauth2Bearer") || word.starts_with("--header=")
        });
    }
}

fn is_file_server(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.contains("filesystem") || word.contains("file-system") || word.contains("mcp-server-files")
}

fn is_folder(word: &str) -> bool {
    word == "." || word.starts_with(['/', '~', '$', '.', '%']) || word.chars().nth(1) == Some(':')
}

/// How far a path reaches.
pub(crate) fn reach(path: &str) -> Reach {
    let path = path.trim_end_matches("/**").trim_end_matches("/*").trim_start_matches("//");
    let path = if path.len() > 1 { path.trim_end_matches(['/', '\\']) } else { path };
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Reach::Root,
        ["**" | "*"] if path.starts_with('/') => Reach::Root,
        [drive] if drive.len() == 2 && drive.ends_with(':') => Reach::Root,
        ["~" | "$HOME" | "${HOME}" | "%USERPROFILE%" | "${env:HOME}" | "${userHome}" | "$env:USERPROFILE"] => {
            Reach::Home
        }
        ["home" | "Users"] => Reach::Root,
        ["home" | "Users", _] if path.starts_with('/') => Reach::Home,
        ["root"] if path.starts_with('/') => Reach::Home,
        [drive, "Users"] if drive.ends_with(':') => Reach::Root,
        [drive, "Users", _] if drive.ends_with(':') => Reach::Home,
        _ => Reach::Project,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Command {
        look(&split(line))
    }

    #[test]
    fn command_lines_are_cut_like_a_shell_does() {
        assert_eq!(split(r#"npx -y "a b" 'c "d"' e\ f"#), ["npx", "-y", "a b", "c \"d\"", "e f"]);
        assert_eq!(split(r"C:\tools\x.exe --flag"), [r"C:\tools\x.exe", "--flag"]);
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
    }

    #[test]
    fn what_is_fetched_says_whether_it_is_pinned() {
        let cases: &[(&str, Fact<bool>, Fact<bool>)] = &[
            ("npx -y pkg", Fact::Known(true), Fact::Known(false)),
            ("npx -y pkg@1.2.3", Fact::Known(true), Fact::Known(true)),
            ("npx -y @scope/pkg", Fact::Known(true), Fact::Known(false)),
            ("npx -y @scope/pkg@latest", Fact::Known(true), Fact::Known(false)),
            ("npx -y @scope/pkg@2.0.1 --flag", Fact::Known(true), Fact::Known(true)),
            ("npx -y pkg@^1.2.3", Fact::Known(true), Fact::Known(false)),
            ("npx --package=pkg@1.0.0 tool", Fact::Known(true), Fact::Known(true)),
            ("npx -y github:o/r", Fact::Known(true), Fact::Known(false)),
            ("npx -y github:o/r#0123456789012345678901234567890123456789", Fact::Known(true), Fact::Known(true)),
            ("npx -y pkg@${VERSION}", Fact::Known(true), Fact::Unknown),
            ("pnpm dlx pkg@1.2.3", Fact::Known(true), Fact::Known(true)),
            ("cmd /c npx -y pkg@1.2.3", Fact::Known(true), Fact::Known(true)),
            ("bash -c 'K=v npx -y pkg'", Fact::Known(true), Fact::Known(false)),
            ("env A=b uvx pkg==1.2.3", Fact::Known(true), Fact::Known(true)),
            ("uvx pkg@latest", Fact::Known(true), Fact::Known(false)),
            (
                "uvx --from git+https://example.test/r@0123456789012345678901234567890123456789 x",
                Fact::Known(true),
                Fact::Known(true),
            ),
            ("uvx --from git+https://example.test/r x", Fact::Known(true), Fact::Known(false)),
            ("uv run server.py", Fact::Known(false), Fact::Absent),
            ("uv run --with mcp==1.2.3 server.py", Fact::Known(true), Fact::Known(true)),
            ("docker run -i --rm -e K img", Fact::Known(true), Fact::Known(false)),
            ("docker run -i ghcr.example/o/img:1.4.2", Fact::Known(true), Fact::Known(true)),
            ("docker run -i host:5000/img", Fact::Known(true), Fact::Known(false)),
            ("docker run -i img@sha256:00", Fact::Known(true), Fact::Known(true)),
            ("node ./server.js", Fact::Known(false), Fact::Absent),
            ("${ROOT}/bin/server", Fact::Known(false), Fact::Absent),
        ];
        for (line, fetched, pinned) in cases {
            let command = of(line);
            assert_eq!((command.fetched, command.pinned), (*fetched, *pinned), "{line}");
        }
    }

    #[test]
    fn privilege_and_reach_are_read_from_the_arguments() {
        assert!(of("docker run --privileged img").privileged);
        assert!(of("docker run -v /var/run/docker.sock:/var/run/docker.sock img").privileged);
        assert!(of("sudo -u root node x.js").privileged);
        assert!(!of("docker run -i img --privileged").privileged);
        assert_eq!(of("docker run -v /:/host img").reach, Some(Reach::Root));
        assert_eq!(of("docker run --mount type=bind,src=$HOME,dst=/h img").reach, Some(Reach::Home));
        assert_eq!(of("npx -y @x/server-filesystem /").reach, Some(Reach::Root));
        assert_eq!(of("npx -y @x/server-filesystem ~ ./src").reach, Some(Reach::Home));
        assert_eq!(of("npx -y @x/server-filesystem /home/ana/src").reach, Some(Reach::Project));
        assert_eq!(of("npx -y @x/server-filesystem /Users/ana").reach, Some(Reach::Home));
        assert_eq!(of("npx -y @x/other /").reach, None);
    }

    #[test]
    fn bridges_are_seen_through() {
        let command = of("npx -y mcp-remote@0.1.2 https://example.test/mcp --header X:y");
        assert_eq!(command.bridged.as_deref(), Some("https://example.test/mcp"));
        assert!(command.bridged_header);
    }
}
