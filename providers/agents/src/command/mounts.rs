//! Files and variables of the machine that a command line gives to a container.

use super::parts;

/// What of the machine a container has, and where.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Mounts {
    /// Paths on the machine, each with the one in the container.
    all: Vec<(String, String)>,
    /// Variables that it is given with the value that they have outside.
    variables: Vec<String>,
}

impl Mounts {
    /// Reads the words of a command line (`docker run`, options `--volume`, `--mount` and `--env`).
    pub(crate) fn of<'w>(words: impl Iterator<Item = &'w str>) -> Self {
        let mut mounts = Self::default();
        let mut before = "";
        for word in words {
            let (flag, text) = match word.split_once('=') {
                Some((flag, text)) if flag.starts_with("--") => (flag, text),
                _ => (before, word),
            };
            let variable = match flag {
                "-e" | "--env" => Some(text),
                _ => word.strip_prefix("-e"),
            };
            mounts.variables.extend(variable.filter(|name| !name.contains('=')).map(str::to_owned));
            let given = match flag {
                "-v" | "--volume" => volume(text),
                "--mount" => bind(text),
                _ => None,
            };
            // Anything else is the name of a volume, whose files are none of the machine's.
            if let Some((outside, inside)) = given
                && outside.starts_with(['/', '~', '$', '.', '%'])
            {
                mounts.all.push((cut(outside).to_owned(), cut(inside).to_owned()));
            }
            before = word;
        }
        mounts
    }

    /// Whether it is given a variable as it is outside: `-e NAME`.
    pub(crate) fn takes(&self, variable: &str) -> bool {
        self.variables.iter().any(|held| held == variable)
    }

    /// The path on the machine of one in the container; `None` = the container's own.
    pub(crate) fn outside(&self, path: &str) -> Option<String> {
        let below = self.all.iter().filter_map(|(outside, inside)| {
            let rest = path.strip_prefix(inside.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (inside.len(), format!("{outside}{rest}")))
        });
        below.max_by_key(|(length, _)| *length).map(|(_, path)| path)
    }
}

/// `SOURCE:TARGET:OPTIONS`. A drive of Windows has a colon of its own, and is left out.
fn volume(text: &str) -> Option<(&str, &str)> {
    let mut parts = parts(text, ':').into_iter();
    Some((parts.next()?, parts.next()?))
}

/// `type=bind,source=SOURCE,target=TARGET`.
fn bind(text: &str) -> Option<(&str, &str)> {
    let field = |names: &[&str]| {
        text.split(',').filter_map(|part| part.split_once('=')).find(|(name, _)| names.contains(name)).map(|(_, is)| is)
    };
    Some((field(&["source", "src"])?, field(&["target", "destination", "dst"])?))
}

fn cut(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    #[test]
    fn a_path_in_a_container_is_one_of_the_machine_where_it_is_given() {
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("run -v ~/.kube:/home/app/.kube img", "/home/app/.kube/config", Some("~/.kube/config")),
            (
                "run -v ${env:HOME}/.kube:/home/app/.kube:ro img",
                "/home/app/.kube/config",
                Some("${env:HOME}/.kube/config"),
            ),
            ("run --volume=/a/lab:/config img", "/config", Some("/a/lab")),
            ("run --mount type=bind,src=/a,dst=/b/ img", "/b/config", Some("/a/config")),
            ("run --mount=type=bind,source=/a,target=/b img", "/b/config", Some("/a/config")),
            ("run -v /a:/b -v /c:/b/d img", "/b/d/config", Some("/c/config")),
            ("run -v /a:/b img", "/bc/config", None),
            ("run -v kube:/home/app/.kube img", "/home/app/.kube/config", None),
            (r"run -v C:\kube:/home/app/.kube img", "/home/app/.kube/config", None),
            ("run img", "/home/app/.kube/config", None),
        ];
        for (line, path, expected) in cases {
            let words = split(line);
            let mounts = Mounts::of(words.iter().map(String::as_str));
            assert_eq!(mounts.outside(path).as_deref(), *expected, "{line}");
        }
        for (line, takes) in [
            ("run -e KUBECONFIG img", true),
            ("run -eKUBECONFIG img", true),
            ("run --env KUBECONFIG img", true),
            ("run --env=KUBECONFIG img", true),
            ("run -e KUBECONFIG=/x img", false),
            ("run -e KUBECONFIG_DIR img", false),
            ("run img KUBECONFIG", false),
        ] {
            let words = split(line);
            assert_eq!(Mounts::of(words.iter().map(String::as_str)).takes("KUBECONFIG"), takes, "{line}");
        }
    }
}
