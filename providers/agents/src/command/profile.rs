//! Profiles and contexts that a command line names: with whose credentials what it starts signs in.

use super::base;

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

/// Flags of these that take a value as the next word.
const LENDERS_VALUES: &[&str] =
    &["-d", "--duration", "-t", "--mfa-token", "--region", "--assume-role-ttl", "--session-ttl", "-a"];

/// Programs whose `--profile` names something of their own.
const OTHERS: &[&str] = &["cargo", "codex", "databricks", "docker", "minikube", "oci", "podman", "snow"];

/// The profiles that the words of a command line name, the program first where it is known; with the place of the word.
/// `speaks_of_aws`: whether what stands beside the command line does.
pub(crate) fn profiles<'w>(words: &[&'w str], speaks_of_aws: bool) -> Vec<(usize, &'w str, Whose)> {
    let mut found = Vec::new();
    let whose = |value_at: usize| {
        let mut others = words.iter().enumerate().filter(|(at, _)| *at != value_at);
        let speaks = speaks_of_aws || others.any(|(_, word)| is_of_aws(word));
        match (speaks, words.first().map(|word| base(word)), words.get(1)) {
            (true, ..) => Some(Whose::Aws),
            // What follows the image is for the program in it.
            (false, Some(program), Some(&"run")) if matches!(program.as_str(), "docker" | "podman") => {
                Some(Whose::Unclear)
            }
            (false, Some(program), _) if OTHERS.contains(&program.as_str()) => None,
            (false, ..) => Some(Whose::Unclear),
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
        if LENDERS.contains(&base(word).as_str()) && words.get(at + 1) == Some(&"exec") {
            found.extend(lent(words, at + 2).map(|(at, name)| (at, name, Whose::Aws)));
        }
    }
    found
}

/// The contexts of a kubeconfig that the words of a command line name, with the place of the word. `speaks_of_clusters`:
/// whether what stands beside the command line does; `--context` alone means something else to every other program.
pub(crate) fn contexts<'w>(words: &[&'w str], speaks_of_clusters: bool) -> Vec<(usize, &'w str)> {
    let speaks = |value_at: usize| {
        let mut others = words.iter().enumerate().filter(|(at, _)| *at != value_at);
        speaks_of_clusters || others.any(|(_, word)| is_of_clusters(word))
    };
    let named = given(words).filter(|(flag, at, _)| match *flag {
        "--kube-context" => true,
        "--context" => speaks(*at),
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

/// The first word from a place on that is neither a flag nor the value of one.
fn lent<'w>(words: &[&'w str], from: usize) -> Option<(usize, &'w str)> {
    let mut is_value = false;
    for (at, word) in words.iter().enumerate().skip(from) {
        if *word == "--" {
            return None;
        }
        if !is_value && !word.starts_with('-') {
            return Some((at, word));
        }
        is_value = !is_value && LENDERS_VALUES.contains(word);
    }
    None
}

/// Whether a word speaks of AWS: `aws`, `awslabs.core-mcp-server`, `@org/mcp-aws@1.0.0`, `AWS_REGION=…`.
pub(crate) fn is_of_aws(word: &str) -> bool {
    word.split(|character: char| !character.is_ascii_alphanumeric())
        .any(|part| part.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("aws")))
}

/// Whether a word speaks of clusters: `kubectl`, `mcp-server-kubernetes`, `K8S_CONTEXT=…`.
pub(crate) fn is_of_clusters(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["kube", "k8s", "helm"].iter().any(|part| word.contains(part))
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
            ("aws-vault exec --", false, &[]),
            ("aws-vault list", false, &[]),
            ("codex mcp-server --profile review", false, &[]),
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
