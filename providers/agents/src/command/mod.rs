//! What can be told of a tool server's command without running it: does it fetch code, which version, with what reach.

mod fetch;
mod mounts;
mod profile;

use evenhand_model::evidence::Fact;

use fetch::fetch;
pub(crate) use mounts::Mounts;
pub(crate) use profile::{Whose, contexts, is_of_aws, is_of_clusters, profiles};

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
    /// What the container has of the machine that it starts, where it starts one.
    pub(crate) container: Option<Mounts>,
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

/// Cuts a text at a separator, though not inside braces: `${env:HOME}` is one name.
pub(crate) fn parts(text: &str, between: char) -> Vec<&str> {
    let mut open = 0_usize;
    text.split(|character: char| {
        match character {
            '{' => open = open.saturating_add(1),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0 && character == between
    })
    .collect()
}

/// Programs that start another one with secrets or variables that they fetch: `op run -- COMMAND`.
const LAUNCHERS: &[&str] = &[
    "aws-okta",
    "aws-vault",
    "bws",
    "chamber",
    "doppler",
    "dotenv",
    "dotenvx",
    "infisical",
    "mise",
    "op",
    "phase",
    "saml2aws",
    "teller",
    "varlock",
];

/// Looks at a whole command: the program and its arguments.
pub(crate) fn look(words: &[String]) -> Command {
    let mut command = Command {
        fetched: Fact::Unknown,
        pinned: Fact::Unknown,
        privileged: false,
        container: None,
        reach: None,
        bridged: None,
        bridged_header: false,
    };
    let mut rest: Vec<String> = words.to_vec();
    // Wrappers that start another program: at most a handful, so a hostile file cannot keep this busy.
    for _ in 0..8 {
        let Some(program) = rest.first().map(|word| base(word)) else { return command };
        let launches = LAUNCHERS.contains(&program.as_str());
        match program.as_str() {
            _ if launches && rest.iter().any(|word| word == "--") => {
                rest = rest.into_iter().skip_while(|word| word != "--").skip(1).collect();
            }
            // Where its own words end is not told.
            _ if launches && starts_another(&rest) => return command,
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

/// Whether a launcher is told to start something: flags of its own may stand before the word that says so.
fn starts_another(words: &[String]) -> bool {
    let says = |word: &String| matches!(word.as_str(), "run" | "exec");
    words.get(1).is_some_and(|first| says(first) || (first.starts_with('-') && words.iter().skip(2).any(says)))
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
    fn a_separator_in_braces_separates_nothing() {
        let cases: &[(&str, &[&str])] = &[
            ("/a:/b", &["/a", "/b"]),
            ("${env:HOME}/a:/b", &["${env:HOME}/a", "/b"]),
            ("${workspaceFolder:shop}/kube.yaml", &["${workspaceFolder:shop}/kube.yaml"]),
            ("${KUBECONFIG:-${HOME}:/a}:/b", &["${KUBECONFIG:-${HOME}:/a}", "/b"]),
            ("a}:b", &["a}", "b"]),
            ("", &[""]),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text, ':'), *expected, "{text}");
        }
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
            ("aws-vault exec p -- npx -y z", Fact::Known(true), Fact::Known(false)),
            ("op run --env-file=.env -- npx -y y@1.2.3", Fact::Known(true), Fact::Known(true)),
            ("doppler run -- npx -y z", Fact::Known(true), Fact::Known(false)),
            ("dotenvx run -f .env -- uvx z", Fact::Known(true), Fact::Known(false)),
            ("sh -c 'aws-vault exec p -- env A=b npx -y z'", Fact::Known(true), Fact::Known(false)),
            ("op run -- node ./server.js", Fact::Known(false), Fact::Absent),
            ("op run --", Fact::Unknown, Fact::Unknown),
            ("aws-vault exec p npx -y z", Fact::Unknown, Fact::Unknown),
            ("aws-vault --backend file exec p npx -y z", Fact::Unknown, Fact::Unknown),
            ("op --account=x run npx -y z", Fact::Unknown, Fact::Unknown),
            ("dotenv npx -y z", Fact::Known(true), Fact::Known(false)),
            ("node ./server.js -- npx -y z", Fact::Known(false), Fact::Absent),
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
