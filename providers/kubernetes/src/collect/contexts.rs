//! Which clusters are asked, and as whom: contexts of the vendor's own configuration, or the cluster that the program runs
//! in. The environment decides which file is read, and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use evenhand_collect::causes;
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::CollectError;

/// The cluster's name where it runs the collector: nothing there says another one.
const HERE: &str = "in-cluster";

/// Which clusters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The file; `None` = `KUBECONFIG`, else the one in the home folder, else the cluster around the program.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Contexts by name; none = the current one.
    pub(crate) contexts: Vec<String>,
    pub(crate) all: bool,
    /// Clusters that the capture to go on with holds, by folder, with their contexts.
    pub(crate) before: BTreeMap<String, Option<String>>,
}

/// A cluster to ask.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The cluster's folder in the capture.
    pub(crate) name: String,
    /// `None` = the cluster around the program.
    pub(crate) context: Option<String>,
    /// How to reach it, or why the configuration does not tell.
    pub(crate) config: Result<Config, String>,
    /// The program that makes the credentials.
    pub(crate) plugin: Option<String>,
    /// What is worth knowing of the way to it.
    pub(crate) notes: Vec<String>,
}

impl Target {
    /// The address of the API server, without what authenticates; empty where the configuration does not tell it.
    pub(crate) fn server(&self) -> String {
        let Ok(config) = &self.config else { return String::new() };
        let url = &config.cluster_url;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (scheme, host) = (url.scheme_str().unwrap_or("https"), url.host().unwrap_or_default());
        format!("{scheme}://{host}{port}{}", url.path())
    }
}

/// The clusters, and what is said of those that are left out.
pub(crate) async fn targets(wanted: &Wanted) -> Result<(Vec<Target>, Vec<String>), CollectError> {
    let read = match &wanted.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let kubeconfig = match read {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            let nowhere = match &error {
                KubeconfigError::ReadConfig(cause, _) => cause.kind() == std::io::ErrorKind::NotFound,
                KubeconfigError::FindPath => true,
                _ => false,
            };
            let may_be_here = nowhere && wanted.kubeconfig.is_none() && std::env::var_os("KUBECONFIG").is_none();
            return if may_be_here && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
                here(wanted)
            } else {
                Err(CollectError::NoConfiguration(told(&error)))
            };
        }
    };
    let names = contexts(&kubeconfig, wanted)?;
    let mut targets: Vec<Target> = Vec::new();
    let mut left_out = Vec::new();
    for name in names {
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await.map_err(|error| told(&error));
        let config = config.map(|config| tuned(config, names_a_proxy(&kubeconfig, &name)));
        let same =
            |held: &&Target| matches!((&held.config, &config), (Ok(held), Ok(one)) if leads_to_the_same(held, one));
        // What was named is asked.
        let may_be_left_out = wanted.all && wanted.contexts.is_empty();
        if let Some(first) = targets.iter().find(same).filter(|_| may_be_left_out) {
            left_out.push(why_left_out(&kubeconfig, &name, first.context.as_deref().unwrap_or(HERE)));
            continue;
        }
        let user = config.as_ref().ok().map(|config| config.auth_info.clone()).unwrap_or_default();
        let plugin = plugin(&user);
        let notes = notes(&name, config.as_ref().ok(), plugin.as_deref());
        let folder = folder(&name, wanted, &targets);
        targets.push(Target { name: folder, context: Some(name), config, plugin, notes });
    }
    Ok((targets, left_out))
}

/// Whether two contexts lead to one cluster by one way, whoever asks: a cluster that is in a capture twice would count
/// twice.
fn leads_to_the_same(one: &Config, other: &Config) -> bool {
    let way = |config: &Config| {
        (config.cluster_url.clone(), config.root_cert.clone(), config.proxy_url.clone(), config.tls_server_name.clone())
    };
    way(one) == way(other)
}

/// Says that a context is left out for another one, and which user is asked with: the other may see more.
fn why_left_out(kubeconfig: &Kubeconfig, name: &str, first: &str) -> String {
    let user = |name: &str| {
        let held = kubeconfig.contexts.iter().find(|held| held.name == name)?;
        held.context.as_ref()?.user.clone()
    };
    let same = format!("context `{name}` leads to the same cluster as `{first}` and is left out");
    match (user(first), user(name)) {
        (Some(asks), Some(other)) if asks != other => format!(
            "{same}: user `{asks}` asks, not `{other}`; where that one may see more, name the context with --context"
        ),
        _ => same,
    }
}

/// The names of the contexts to ask, each once.
fn contexts(kubeconfig: &Kubeconfig, wanted: &Wanted) -> Result<Vec<String>, CollectError> {
    let held: Vec<&String> = kubeconfig.contexts.iter().map(|context| &context.name).collect();
    let before: Vec<String> = wanted.before.values().flatten().cloned().collect();
    let mut names = if !wanted.contexts.is_empty() {
        wanted.contexts.clone()
    } else if wanted.all {
        // The current one first: of several ways to one cluster it is the one that people use.
        let current = kubeconfig.current_context.iter().filter(|current| held.contains(current)).cloned();
        current.chain(held.iter().map(|name| (*name).clone())).collect()
    } else if !before.is_empty() {
        before
    } else {
        match kubeconfig.current_context.clone().filter(|current| !current.is_empty()) {
            Some(current) => vec![current],
            None => return Err(CollectError::NoContext),
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    match names.iter().find(|name| !held.contains(name)) {
        Some(unknown) => Err(CollectError::UnknownContext(unknown.clone())),
        None if names.is_empty() => Err(CollectError::NoContext),
        None => Ok(names),
    }
}

/// The cluster that the program runs in.
fn here(wanted: &Wanted) -> Result<(Vec<Target>, Vec<String>), CollectError> {
    if let Some(context) = wanted.contexts.first() {
        return Err(CollectError::UnknownContext(context.clone()));
    }
    let config = Config::incluster().map_err(|error| CollectError::NoConfiguration(causes(&error)))?;
    let target = Target {
        name: HERE.to_owned(),
        context: None,
        config: Ok(tuned(config, true)),
        plugin: None,
        notes: Vec::new(),
    };
    Ok((vec![target], Vec::new()))
}

/// Waits that end, and retries of our own.
fn tuned(mut config: Config, own_proxy: bool) -> Config {
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(Duration::from_secs(60));
    config.reset_reader_on_write = true;
    config.default_retry = false;
    // A proxy of the environment does not speak for hosts that the environment takes out.
    if !own_proxy && Matcher::from_env().intercept(&config.cluster_url).is_none() {
        config.proxy_url = None;
    }
    config
}

/// Whether the configuration itself names a proxy for a context's cluster.
fn names_a_proxy(kubeconfig: &Kubeconfig, context: &str) -> bool {
    let context = kubeconfig.contexts.iter().find(|held| held.name == context);
    let cluster = context.and_then(|held| held.context.as_ref()).map(|context| &context.cluster);
    let cluster = kubeconfig.clusters.iter().find(|held| Some(&held.name) == cluster);
    let proxy = cluster.and_then(|held| held.cluster.as_ref()?.proxy_url.as_deref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

/// The program that makes the credentials of a user.
fn plugin(user: &AuthInfo) -> Option<String> {
    let exec = user.exec.as_ref().and_then(|exec| exec.command.clone());
    exec.or_else(|| user.auth_provider.as_ref()?.config.get("cmd-path").cloned())
}

fn notes(context: &str, config: Option<&Config>, plugin: Option<&str>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(plugin) = plugin {
        notes.push(format!("context `{context}` makes its credentials by running `{plugin}`"));
    }
    let Some(config) = config else { return notes };
    if config.accept_invalid_certs {
        notes.push(format!(
            "context `{context}` does not check the server's certificate: anyone on the way may have answered"
        ));
    }
    if config.cluster_url.scheme_str() == Some("http") {
        notes.push(format!("context `{context}` talks without TLS: anyone on the way may have answered"));
    }
    if let Some(user) = &config.auth_info.impersonate {
        notes.push(format!("context `{context}` impersonates `{user}`"));
    }
    notes
}

/// A folder for a context: its name as far as file systems and reports bear it.
fn folder(context: &str, wanted: &Wanted, taken: &[Target]) -> String {
    if let Some((folder, _)) = wanted.before.iter().find(|(_, held)| held.as_deref() == Some(context)) {
        return folder.clone();
    }
    let kept = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@') { c } else { '-' };
    let name: String = context.trim_start_matches('.').chars().take(200).map(kept).collect();
    let name = if name.is_empty() { "cluster".to_owned() } else { name };
    // Where file systems do not tell `Prod` from `prod`, they would be one folder.
    let free = |name: &String| {
        let mut held = taken.iter().map(|held| &held.name).chain(wanted.before.keys());
        !held.any(|held| held.eq_ignore_ascii_case(name))
    };
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or(name)
}

/// What is wrong with a configuration, without quoting it: it holds credentials.
fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(cause, path) => format!("`{}`: {cause}", path.display()),
        KubeconfigError::Parse(cause) => match cause.location() {
            Some(at) if at.line() > 0 => format!("it is no kubeconfig: line {}, column {}", at.line(), at.column()),
            _ => "it is no kubeconfig".to_owned(),
        },
        KubeconfigError::ParseCertificates(_) => "its certificate authority is no PEM".to_owned(),
        other => causes(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
apiVersion: v1
kind: Config
current-context: b
clusters:
- {name: one, cluster: {server: 'https://one.example:6443'}}
- {name: two, cluster: {server: 'http://127.0.0.1:1', insecure-skip-tls-verify: true}}
contexts:
- {name: a, context: {cluster: one, user: plain}}
- {name: b, context: {cluster: one, user: plain}}
- {name: 'arn:aws:eks:eu-west-1:111122223333:cluster/x', context: {cluster: two, user: made}}
- {name: lost, context: {cluster: nowhere, user: plain}}
users:
- {name: plain, user: {token: fake}}
- {name: made, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws-fake, args: [get-token]}}}
";

    fn ask(text: &str, wanted: Wanted) -> Result<(Vec<Target>, Vec<String>), CollectError> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config");
        std::fs::write(&path, text).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(targets(&Wanted { kubeconfig: Some(path), ..wanted }))
    }

    fn named(contexts: &[&str]) -> Wanted {
        Wanted { contexts: contexts.iter().map(|name| (*name).to_owned()).collect(), ..Wanted::default() }
    }

    #[test]
    fn the_current_context_is_asked_or_those_that_are_named_or_all() {
        let (targets, _) = ask(FILE, Wanted::default()).unwrap();
        assert_eq!(targets.len(), 1);
        assert_eq!((targets[0].name.as_str(), targets[0].context.as_deref()), ("b", Some("b")));
        let (targets, left_out) = ask(FILE, Wanted { all: true, ..Wanted::default() }).unwrap();
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["b", "arn-aws-eks-eu-west-1-111122223333-cluster-x", "lost"]);
        assert_eq!(left_out, ["context `a` leads to the same cluster as `b` and is left out"]);
        assert!(targets[2].config.is_err());
        assert!(matches!(ask(FILE, named(&["c"])), Err(CollectError::UnknownContext(name)) if name == "c"));
        let none = FILE.replace("current-context: b", "");
        assert!(matches!(ask(&none, Wanted::default()), Err(CollectError::NoContext)));
    }

    #[test]
    fn a_cluster_is_asked_once_by_each_way_to_it_and_whatever_was_named_is_asked() {
        let all = || Wanted { all: true, ..Wanted::default() };
        let names = |text: &str, wanted: Wanted| -> Vec<String> {
            ask(text, wanted).unwrap().0.into_iter().map(|target| target.name).collect()
        };
        assert_eq!(names(FILE, named(&["a", "b"])), ["a", "b"]);
        let other = |part: &str, instead: &str| {
            let text = FILE.replace(
                "- {name: a, context: {cluster: one, user: plain}}",
                "- {name: a, context: {cluster: other, user: plain}}",
            );
            let text = text
                .replace("clusters:\n", "clusters:\n- {name: other, cluster: {server: 'https://one.example:6443'}}\n");
            assert!(text.contains(part), "{part}");
            text.replacen(part, instead, 1)
        };
        let same = "{server: 'https://one.example:6443'}";
        assert_eq!(names(&other(same, same), all()).len(), 3, "another name for the same is the same");
        for part in ["proxy-url: 'http://127.0.0.1:9'", "tls-server-name: two.example"] {
            let text = other(same, &format!("{{server: 'https://one.example:6443', {part}}}"));
            assert_eq!(names(&text, all()).len(), 4, "{part}");
        }
        let users = FILE.replace(
            "{name: a, context: {cluster: one, user: plain}}",
            "{name: a, context: {cluster: one, user: made}}",
        );
        assert_eq!(names(&users, all()), names(FILE, all()), "another user is no other cluster");
        assert_eq!(names(&users, named(&["a", "b"])), ["a", "b"]);
        let (_, left_out) = ask(&users, all()).unwrap();
        assert!(
            left_out[0].contains("user `plain` asks, not `made`") && left_out[0].contains("--context"),
            "{left_out:?}"
        );
    }

    #[test]
    fn no_two_clusters_share_a_folder_where_case_does_not_count() {
        let text = FILE.replace("name: a,", "name: Prod,").replace("name: b,", "name: prod,");
        let of = |contexts: &[&str], before: &[(&str, &str)]| -> Vec<String> {
            let before = before.iter().map(|(folder, held)| ((*folder).to_owned(), Some((*held).to_owned()))).collect();
            let wanted = Wanted { before, ..named(contexts) };
            ask(&text, wanted).unwrap().0.into_iter().map(|target| target.name).collect()
        };
        assert_eq!(of(&["Prod", "prod"], &[]), ["Prod", "prod-2"]);
        assert_eq!(of(&["Prod"], &[("prod", "prod")]), ["Prod-2"]);
        assert_eq!(of(&["prod"], &[("Prod", "prod")]), ["Prod"], "it goes on where it was");
    }

    #[test]
    fn what_a_context_runs_and_leaves_unchecked_is_said() {
        let (targets, _) = ask(FILE, named(&["arn:aws:eks:eu-west-1:111122223333:cluster/x"])).unwrap();
        let said = targets[0].notes.join("\n");
        for part in ["running `aws-fake`", "does not check the server's certificate", "without TLS"] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(targets[0].plugin.as_deref(), Some("aws-fake"));
        assert!(ask(FILE, named(&["a"])).unwrap().0[0].notes.is_empty());
    }

    #[test]
    fn the_address_of_a_server_is_told_without_what_authenticates() {
        for (server, told) in [
            ("https://one.example:6443", "https://one.example:6443/"),
            (
                "https://user:fake-password@one.example:6443/k8s/c-1?key=fake-password",
                "https://one.example:6443/k8s/c-1",
            ),
            ("http://fake-token@[::1]:8080", "http://[::1]:8080/"),
            ("https://one.example", "https://one.example/"),
        ] {
            let (targets, _) = ask(&FILE.replace("https://one.example:6443", server), named(&["a"])).unwrap();
            assert_eq!(targets[0].server(), told);
        }
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_not_quoted() {
        for text in ["users: [{name: x, user: {token: CANARY", "clusters: CANARY"] {
            let Err(CollectError::NoConfiguration(said)) = ask(text, Wanted::default()) else { panic!("{text}") };
            assert!(!said.contains("CANARY") && said.contains("no kubeconfig"), "{said}");
        }
    }
}
