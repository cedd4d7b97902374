//! `evenhand doctor` without a provider: what a scan could work with here. It reads what a scan without a source would
//! read, looks for credentials by their files and variables, and asks nobody; no value of a credential is looked at.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use evenhand_reports::report::SourceStatus;
use evenhand_reports::text::{counted, printable};

use super::{Failure, Invocation};
use crate::cli::{Input, Live, LiveProvider};
use crate::gate::Exit;
use crate::output::to_stdout;
use crate::pipeline::Capture;

pub(super) fn run(invocation: &Invocation, live: &Live) -> Result<Exit, Failure> {
    super::own_options(live, &[])?;
    if live.deadline.is_some() {
        return Err(Failure::new("`--deadline` changes nothing where nobody is asked", "name a provider to ask"));
    }
    let config = invocation.config(&[])?;
    let input = Input { now: None, fingerprint_key: None };
    let (capture, _) = invocation.read(&[], &config, &input, &invocation.progress())?;
    let mut rows = vec![
        ("configuration", config.file.as_deref().unwrap_or("none, so that defaults hold").to_owned()),
        ("sources", sources(&capture)),
    ];
    rows.extend(documents(&capture).into_iter().map(|line| ("", line)));
    let home = std::env::home_dir();
    let mut reachable = false;
    for (provider, otherwise) in [
        (LiveProvider::Aws, "nothing is configured; the role of a machine shows only when it is asked"),
        (
            LiveProvider::Azure,
            "nothing is configured; set AZURE_TENANT_ID and a credential, or say with --sign-in who asks",
        ),
        (LiveProvider::Github, "nothing is configured; set GITHUB_TOKEN, or use --token-file or an app"),
        (LiveProvider::Kubernetes, "nothing is configured; set KUBECONFIG, or use --kubeconfig"),
    ] {
        let found = credentials(provider, home.as_deref(), &|name| std::env::var_os(name), &|path| path.is_file());
        reachable |= !found.is_empty();
        let said = match found.is_empty() {
            true => otherwise.to_owned(),
            false => format!("{}; `evenhand doctor {}` tries them", found.join(", "), provider.as_str()),
        };
        rows.push((provider.as_str(), said));
    }
    to_stdout(|sink| {
        for (word, said) in &rows {
            writeln!(sink, "{word:<14} {}", printable(said))?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let failed = capture.is_partial() || !capture.failures.is_empty();
    Ok(match (failed, capture.inventory.identities.is_empty() && !reachable) {
        (true, _) => Exit::Incomplete,
        (false, true) => Exit::NothingCollected,
        (false, false) => Exit::Passed,
    })
}

/// Where a scan without a source looks, and how much is there.
fn sources(capture: &Capture) -> String {
    let of = |status| capture.files.iter().filter(|file| file.status == status).count();
    let read = counted(of(SourceStatus::Read), "document is read", "documents are read");
    let failed = match of(SourceStatus::Failed) + of(SourceStatus::Partial) {
        0 => String::new(),
        some => format!(", {some} could not be, or not whole"),
    };
    let identities = counted(capture.inventory.identities.len(), "identity", "identities");
    format!("{}: {read}{failed}, {identities}", capture.sources.join(", "))
}

/// What is read, by kind.
fn documents(capture: &Capture) -> Vec<String> {
    let mut kinds: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for file in capture.files.iter().filter(|file| file.status == SourceStatus::Read) {
        *kinds.entry((file.provider.unwrap_or_default(), &file.what)).or_default() += 1;
    }
    kinds.into_iter().map(|((provider, what), count)| format!("{count:>4} {provider}: {what}")).collect()
}

/// The variables and files of a provider's own chain of credentials that are there.
///
/// AWS: <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>; Kubernetes:
/// <https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/> and, in a pod,
/// <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>.
fn credentials(
    provider: LiveProvider,
    home: Option<&Path>,
    variable: &dyn Fn(&str) -> Option<OsString>,
    is_file: &dyn Fn(&Path) -> bool,
) -> Vec<String> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let variables: &[&str] = match provider {
        LiveProvider::Aws => &[
            "AWS_ACCESS_KEY_ID",
            "AWS_PROFILE",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ],
        LiveProvider::Azure => {
            &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"]
        }
        LiveProvider::Github => &["GITHUB_TOKEN", "GH_TOKEN"],
        LiveProvider::Kubernetes => &[],
    };
    // A variable may lead elsewhere than to the file of the home folder.
    let file = |name: &str, usual: &str| {
        set(name).map(PathBuf::from).or_else(|| Some(home?.join(usual))).into_iter().collect::<Vec<_>>()
    };
    let files: Vec<PathBuf> = match provider {
        LiveProvider::Aws => {
            [file("AWS_CONFIG_FILE", ".aws/config"), file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")].concat()
        }
        LiveProvider::Azure | LiveProvider::Github => Vec::new(),
        LiveProvider::Kubernetes => {
            let mut files = match set("KUBECONFIG") {
                Some(several) => std::env::split_paths(&several).collect(),
                None => file("KUBECONFIG", ".kube/config"),
            };
            if set("KUBECONFIG").is_none() {
                files.push(PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount/token"));
            }
            files
        }
    };
    let variables = variables.iter().filter(|name| set(name).is_some()).map(|name| format!("{name} is set"));
    let files = files.iter().filter(|path| is_file(path)).map(|path| format!("`{}` is there", path.display()));
    variables.chain(files).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_places_and_never_by_their_values() {
        let found = |provider, set: &[(&str, &str)], there: &[&str]| {
            let variable = |name: &str| Some(set.iter().find(|(held, _)| *held == name)?.1.into());
            let is_file = |path: &Path| there.iter().any(|held| Path::new(held) == path);
            credentials(provider, Some(Path::new("/home/a")), &variable, &is_file)
        };
        use LiveProvider::{Aws, Azure, Github, Kubernetes};
        assert!(found(Aws, &[("AWS_PROFILE", "")], &[]).is_empty());
        assert_eq!(found(Aws, &[("AWS_ACCESS_KEY_ID", "hidden")], &[]), ["AWS_ACCESS_KEY_ID is set"]);
        assert_eq!(found(Aws, &[], &["/home/a/.aws/config"]), ["`/home/a/.aws/config` is there"]);
        assert!(found(Aws, &[("AWS_CONFIG_FILE", "/none")], &["/home/a/.aws/config"]).is_empty());
        assert_eq!(found(Azure, &[("IDENTITY_ENDPOINT", "hidden")], &[]), ["IDENTITY_ENDPOINT is set"]);
        assert_eq!(found(Github, &[("GH_TOKEN", "hidden")], &[]), ["GH_TOKEN is set"]);
        assert_eq!(found(Kubernetes, &[], &["/home/a/.kube/config"]), ["`/home/a/.kube/config` is there"]);
        let elsewhere = found(Kubernetes, &[("KUBECONFIG", "/k")], &["/k", "/home/a/.kube/config"]);
        assert_eq!(elsewhere, ["`/k` is there"]);
    }
}
