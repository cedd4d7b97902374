//! Profiles and contexts that a command line names: with whose credentials what it starts signs in.

use super::{base, is_assignment};

/// Whose profile a word names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// One of AWS's shared configuration.
    Aws,
    /// The command line does not tell.
    Unclear,
}

/// Flags that name a profile of AWS and of nothing else.
const OF_AWS: &[&str] = &["--aws-profile", "--aws_profile", "--awsProfile"];

/// Programs that start another one with the credentials of a profile of AWS: `aws-vault exec NAME -- COMMAND`.
const LENDERS: &[&str] = &["aws-vault", "aws-okta"];

/// Flags of these, before and behind `exec`, that take a value as the next word.
const LENDERS_VALUES: &[&str] = &[
    "-a",
    "--assume-role-ttl",
    "--backend",
    "-d",
    "--duration",
    "--file-dir",
    "--keychain",
    "--mfa-token",
    "--pass-cmd",
    "--pass-dir",
    "--pass-prefix",
    "--prompt",
    "--region",
    "--session-ttl",
    "-t",
];

/// Flags of Docker and Podman, before the command, that take a value as the next word.
const CONTAINERS_VALUES: &[&str] = &[
    "-c",
    "--config",
    "--connection",
    "--context",
    "-H",
    "--host",
    "--identity",
    "-l",
    "--log-level",
    "--root",
    "--runroot",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
    "--url",
];

/// Flags of `sudo` and `doas` that take a value as the next word.
const OTHER_PERSONS_VALUES: &[&str] =
    &["-C", "-D", "-g", "-h", "-p", "-R", "-r", "-T", "-t", "-U", "-u", "--group", "--user"];

/// Programs whose `--profile` names something of their own.
const OTHERS: &[&str] = &["cargo", "codex", "databricks", "docker", "minikube", "oci", "podman", "snow"];

/// The profiles that the words of a command line name, the program first where it is known; with the place of the word.
/// `speaks_of_aws`: whether what stands beside the command line does.
pub(crate) fn profiles<'w>(words: &[&'w str], speaks_of_aws: bool) -> Vec<(usize, &'w str, Whose)> {
    let mut found = Vec::new();
    // What follows the image is for the program in it.
    let program = words.get(program_at(words));
    let is_others =
        program.is_some_and(|word| OTHERS.contains(&base(word).as_str())) && starts_container(words).is_none();
    let whose = |value_at: usize| {
        let mut others = words.iter().enumerate().filter(|(at, _)| *at != value_at);
        if is_others {
            None
        } else if speaks_of_aws || others.any(|(_, word)| is_of_aws(word)) {
            Some(Whose::Aws)
        } else {
            Some(Whose::Unclear)
        }
    };
    for (flag, at, value) in given(words) {
        match flag {
            flag if OF_AWS.contains(&flag) => found.push((at, value, Whose::Aws)),
            "--profile" => found.extend(whose(at).map(|whose| (at, value, whose))),
            _ => {}
        }
    }
    for (at, word) in words.iter().enumerate() {
        if LENDERS.contains(&base(word).as_str())
            && let Some((exec, "exec")) = operand(words, at + 1, LENDERS_VALUES)
        {
            let lent = operand(words, exec + 1, LENDERS_VALUES);
            found.extend(lent.map(|(at, name)| (at, name, Whose::Aws)));
        }
    }
    found
}

/// The contexts of a kubeconfig that the words of a command line name, with the place of the word. `speaks_of_clusters`:
/// whether what stands beside the command line does; `--context` alone means something else to every other program.
pub(crate) fn contexts<'w>(words: &[&'w str], speaks_of_clusters: bool) -> Vec<(usize, &'w str)> {
    // What stands before the `run` of Docker names a context of Docker.
    let from = starts_container(words).unwrap_or(0);
    let speaks = |value_at: usize| {
        let mut others = words.iter().enumerate().filter(|(at, _)| *at != value_at);
        speaks_of_clusters || others.any(|(_, word)| is_of_clusters(word))
    };
    let named = given(words).filter(|(flag, at, _)| match *flag {
        "--kube-context" => true,
        "--context" => *at >= from && speaks(*at),
        _ => false,
    });
    named.map(|(_, at, name)| (at, name)).collect()
}

/// The flags of a command line that have a value, with that and its place: `--flag VALUE`, `--flag=VALUE`.
fn given<'w>(words: &[&'w str]) -> impl Iterator<Item = (&'w str, usize, &'w str)> {
    words.iter().enumerate().filter_map(|(at, word)| {
        let (flag, at, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, at, value),
            None => (*word, at + 1, *words.get(at + 1)?),
        };
        (flag.starts_with('-') && !value.is_empty() && !value.starts_with('-')).then_some((flag, at, value))
    })
}

/// Where the program stands: behind those that start it as somebody else or with other variables.
fn program_at(words: &[&str]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let before = match base(word).as_str() {
            "sudo" | "doas" => OTHER_PERSONS_VALUES,
            "env" | "nohup" | "exec" => &[],
            _ => return at,
        };
        let mut from = at + 1;
        while let Some((next, _)) = operand(words, from, before).filter(|(_, word)| is_assignment(word)) {
            from = next + 1;
        }
        match operand(words, from, before) {
            Some((next, _)) => at = next,
            None => return at,
        }
    }
    at
}

/// Where the word stands with which Docker or Podman, if it is the program, is told to start a container.
fn starts_container(words: &[&str]) -> Option<usize> {
    let at = program_at(words);
    let program = base(words.get(at)?);
    if !matches!(program.as_str(), "docker" | "podman") {
        return None;
    }
    let command = operand(words, at + 1, CONTAINERS_VALUES)?;
    let (at, command) = if command.1 == "container" { operand(words, command.0 + 1, &[])? } else { command };
    (command == "run").then_some(at)
}

/// The first word from a place on that is neither a flag nor the value of one. `with_value`: flags that take the next word.
fn operand<'w>(words: &[&'w str], from: usize, with_value: &[&str]) -> Option<(usize, &'w str)> {
    let mut is_value = false;
    for (at, word) in words.iter().enumerate().skip(from) {
        if *word == "--" {
            return None;
        }
        if !is_value && !word.starts_with('-') {
            return Some((at, word));
        }
        is_value = !is_value && with_value.contains(word);
    }
    None
}

/// Whether a word speaks of AWS: `aws`, `awslabs.core-mcp-server`, `@org/mcp-aws@1.0.0`, `AWS_REGION=…`.
pub(crate) fn is_of_aws(word: &str) -> bool {
    parts(word).any(|part| begins(part, "aws"))
}

/// Whether a word speaks of clusters: `kubectl`, `mcp-server-kubernetes`, `K8S_CONTEXT=…`, `helm`.
pub(crate) fn is_of_clusters(word: &str) -> bool {
    // People are called Helmut and Wilhelm.
    let is_helm = |part: &str| ["helm", "helmfile"].iter().any(|name| part.eq_ignore_ascii_case(name));
    parts(word).any(|part| begins(part, "kube") || begins(part, "k8s") || is_helm(part))
}

/// What stands between the characters of a word that are neither letters nor digits.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(|character: char| !character.is_ascii_alphanumeric())
}

fn begins(part: &str, start: &str) -> bool {
    part.get(..start.len()).is_some_and(|held| held.eq_ignore_ascii_case(start))
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    #[test]
    fn a_context_is_one_of_a_cluster_where_the_command_line_speaks_of_them() {
        let cases: &[(&str, bool, &[&str])] = &[
            ("kubectl --context prod get pods", false, &["prod"]),
            ("kubectl --context=prod get pods", false, &["prod"]),
            ("npx -y mcp-server-kubernetes --context prod", false, &["prod"]),
            ("node server.js --kube-context prod", false, &["prod"]),
            ("node server.js --context prod", true, &["prod"]),
            ("node server.js --context prod", false, &[]),
            ("uvx coder start-mcp-server --context desktop", false, &[]),
            ("node server.js --context kube", false, &[]),
            ("node /Users/wilhelm/server.js --context prod", false, &[]),
            ("node /Users/helmut/server.js --context prod", false, &[]),
            ("node /opt/kube-tools/server.js --context prod", false, &["prod"]),
            ("helm --kube-context prod list", false, &["prod"]),
            ("npx helm-mcp --context prod", false, &["prod"]),
            ("node server.js K8S_NAMESPACE=a --context prod", false, &["prod"]),
            ("docker --context remote run ghcr.io/x/kubernetes-mcp-server", false, &[]),
            ("docker --context=remote container run ghcr.io/x/kubernetes-mcp-server", true, &[]),
            ("docker --context remote run -i x/kubernetes-mcp-server --context prod", false, &["prod"]),
            ("docker run -i x/kubernetes-mcp-server --context=prod", false, &["prod"]),
            ("sudo docker --context remote run ghcr.io/x/kubernetes-mcp-server", false, &[]),
            ("sudo -u ops -E docker --context=remote run ghcr.io/x/kubernetes-mcp-server", true, &[]),
            ("sudo docker --context remote run -i x/kubernetes-mcp-server --context prod", false, &["prod"]),
            ("env A=b docker --context remote run ghcr.io/x/kubernetes-mcp-server", false, &[]),
            ("sudo kubectl --context prod get pods", false, &["prod"]),
            ("sudo", false, &[]),
        ];
        for (line, speaks_of_clusters, expected) in cases {
            let words = split(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let found: Vec<&str> = contexts(&words, *speaks_of_clusters).into_iter().map(|(_, name)| name).collect();
            assert_eq!(found, *expected, "{line}");
        }
    }

    #[test]
    fn a_profile_is_of_aws_where_the_command_line_says_so_and_otherwise_in_doubt() {
        type Found = &'static [(&'static str, Whose)];
        let cases: &[(&str, bool, Found)] = &[
            ("aws s3 ls --profile dev", false, &[("dev", Whose::Aws)]),
            ("/usr/local/bin/aws --profile=dev s3 ls", false, &[("dev", Whose::Aws)]),
            ("uvx awslabs.core-mcp-server@1.0.0 --profile dev", false, &[("dev", Whose::Aws)]),
            ("npx -y @org/mcp-aws@1.0.0 --profile=dev", false, &[("dev", Whose::Aws)]),
            ("node server.js --profile dev", true, &[("dev", Whose::Aws)]),
            ("node server.js --profile dev", false, &[("dev", Whose::Unclear)]),
            ("node server.js --profile=aws-dev", false, &[("aws-dev", Whose::Unclear)]),
            ("node jaws.js --profile dev", false, &[("dev", Whose::Unclear)]),
            ("node server.js --aws-profile dev", false, &[("dev", Whose::Aws)]),
            ("node server.js --aws-profile=dev", false, &[("dev", Whose::Aws)]),
            ("aws-vault exec dev -- node server.js", false, &[("dev", Whose::Aws)]),
            ("aws-vault exec --duration 1h --no-session dev -- node server.js", false, &[("dev", Whose::Aws)]),
            ("env A=b aws-vault exec dev", false, &[("dev", Whose::Aws)]),
            ("aws-vault exec --prompt ykman dev -- npx x", false, &[("dev", Whose::Aws)]),
            ("aws-vault exec --prompt=ykman dev -- npx x", false, &[("dev", Whose::Aws)]),
            ("aws-vault --backend file exec dev -- npx x", false, &[("dev", Whose::Aws)]),
            ("aws-vault --debug --pass-dir /p --backend=pass exec dev -- npx x", false, &[("dev", Whose::Aws)]),
            ("aws-vault rotate exec", false, &[]),
            ("aws-vault exec --", false, &[]),
            ("aws-vault list", false, &[]),
            ("codex mcp-server --profile review", false, &[]),
            ("codex mcp-server --profile review", true, &[]),
            ("cargo run --profile release", true, &[]),
            ("sudo -u ops docker compose --profile tools run x", true, &[]),
            ("cargo run -p aws-docs --profile release", false, &[]),
            ("docker compose --profile tools run x", true, &[]),
            ("docker mcp gateway run --profile aws", true, &[]),
            ("docker run -i img --profile dev", true, &[("dev", Whose::Aws)]),
            ("docker --context remote run -i img --profile dev", true, &[("dev", Whose::Aws)]),
            ("docker container run -i img --profile dev", false, &[("dev", Whose::Unclear)]),
            ("docker compose --profile tools run x", false, &[]),
            ("docker run -i img --profile dev", false, &[("dev", Whose::Unclear)]),
            ("node server.js --profile --verbose", false, &[]),
            ("node server.js --profile", false, &[]),
            ("node server.js --profile-dir x", false, &[]),
        ];
        for (line, speaks_of_aws, expected) in cases {
            let words = split(line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let found: Vec<(&str, Whose)> =
                profiles(&words, *speaks_of_aws).into_iter().map(|(_, name, whose)| (name, whose)).collect();
            assert_eq!(found, *expected, "{line}");
        }
    }
}
