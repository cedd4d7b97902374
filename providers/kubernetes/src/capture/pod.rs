//! Pods and everything that makes pods: which account, what runs, what it carries.

use std::sync::Arc;

use evenhand_agents::issued::{self, Issued};
use evenhand_model::secret::Fingerprint;
use serde::Deserialize;

use super::signals::{self, Clue};
use super::take::{Named, Taking, member, missing, mistyped, namespace};
use super::{Audit, Declared, KeyRef, LiteralSecret, ProjectedToken, Workload, agents, arguments, secret};
use crate::documents::{Found, Meta, Problem, ScalarText, Step, Text};

/// Group, kind, the word of the fact tables, and the way from `spec` to the pod template.
const KINDS: &[(&str, &str, &str, &[&str])] = &[
    ("", "Pod", "pod", &[]),
    ("", "ReplicationController", "replication_controller", &["template"]),
    ("apps", "Deployment", "deployment", &["template"]),
    ("apps", "DaemonSet", "daemon_set", &["template"]),
    ("apps", "StatefulSet", "stateful_set", &["template"]),
    ("apps", "ReplicaSet", "replica_set", &["template"]),
    ("extensions", "Deployment", "deployment", &["template"]),
    ("extensions", "DaemonSet", "daemon_set", &["template"]),
    ("extensions", "ReplicaSet", "replica_set", &["template"]),
    ("batch", "Job", "job", &["template"]),
    ("batch", "CronJob", "cron_job", &["jobTemplate", "spec", "template"]),
    ("agents.x-k8s.io", "Sandbox", "sandbox", &["podTemplate"]),
    ("extensions.agents.x-k8s.io", "SandboxTemplate", "sandbox_template", &["podTemplate"]),
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template<'a> {
    #[serde(borrow)]
    metadata: Meta<'a>,
    #[serde(borrow)]
    spec: Option<Box<PodSpec<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec<'a> {
    #[serde(borrow)]
    service_account_name: Text<'a>,
    /// The older name of the same field.
    #[serde(borrow)]
    service_account: Text<'a>,
    automount_service_account_token: Option<bool>,
    #[serde(borrow)]
    containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    init_containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    ephemeral_containers: Option<Vec<Container<'a>>>,
    #[serde(borrow)]
    volumes: Option<Vec<Volume<'a>>>,
    #[serde(borrow)]
    image_pull_secrets: Option<Vec<Named<'a>>>,
    host_network: Option<bool>,
    #[serde(rename = "hostPID")]
    host_pid: Option<bool>,
    #[serde(rename = "hostIPC")]
    host_ipc: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container<'a> {
    #[serde(borrow)]
    image: Text<'a>,
    #[serde(borrow)]
    command: Option<Vec<ScalarText<'a>>>,
    #[serde(borrow)]
    args: Option<Vec<ScalarText<'a>>>,
    #[serde(borrow)]
    env: Option<Vec<EnvVar<'a>>>,
    #[serde(borrow)]
    env_from: Option<Vec<EnvFrom<'a>>>,
    security_context: Option<SecurityContext>,
    ports: Option<Vec<Port>>,
    #[serde(borrow)]
    liveness_probe: Option<Box<Handler<'a>>>,
    #[serde(borrow)]
    readiness_probe: Option<Box<Handler<'a>>>,
    #[serde(borrow)]
    startup_probe: Option<Box<Handler<'a>>>,
    #[serde(borrow)]
    lifecycle: Option<Box<Lifecycle<'a>>>,
}

/// What the kubelet does at the beginning and the end of a container.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lifecycle<'a> {
    #[serde(borrow)]
    post_start: Option<Handler<'a>>,
    #[serde(borrow)]
    pre_stop: Option<Handler<'a>>,
}

/// A command that is run in a container, or a request that is made to it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Handler<'a> {
    #[serde(borrow)]
    exec: Option<Exec<'a>>,
    #[serde(borrow)]
    http_get: Option<HttpGet<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Exec<'a> {
    #[serde(borrow)]
    command: Option<Vec<ScalarText<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HttpGet<'a> {
    #[serde(borrow)]
    http_headers: Option<Vec<EnvVar<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EnvVar<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: ScalarText<'a>,
    #[serde(borrow)]
    value_from: Option<ValueFrom<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ValueFrom<'a> {
    #[serde(borrow)]
    secret_key_ref: Option<KeySelector<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct KeySelector<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    key: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EnvFrom<'a> {
    #[serde(borrow)]
    secret_ref: Option<Named<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SecurityContext {
    privileged: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    host_port: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Volume<'a> {
    #[serde(borrow)]
    host_path: Option<HostPath<'a>>,
    #[serde(borrow)]
    secret: Option<SecretVolume<'a>>,
    #[serde(borrow)]
    projected: Option<Projected<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HostPath<'a> {
    #[serde(borrow)]
    path: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecretVolume<'a> {
    #[serde(borrow)]
    secret_name: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Projected<'a> {
    #[serde(borrow)]
    sources: Option<Vec<Source<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source<'a> {
    #[serde(borrow)]
    service_account_token: Option<TokenSource<'a>>,
    #[serde(borrow)]
    secret: Option<Named<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TokenSource<'a> {
    #[serde(borrow)]
    audience: Text<'a>,
    expiration_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct OwnerReference {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    controller: Option<bool>,
}

/// A `spec` that holds a pod template, in whichever way its kind does. What is large is on the heap: it is handed from one
/// reader to the next.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Holder<'a> {
    #[serde(borrow)]
    template: Option<Box<Template<'a>>>,
    #[serde(borrow)]
    pod_template: Option<Box<Template<'a>>>,
    #[serde(borrow)]
    job_template: Option<Box<JobTemplate<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobTemplate<'a> {
    #[serde(borrow)]
    spec: Option<JobSpec<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobSpec<'a> {
    #[serde(borrow)]
    template: Option<Box<Template<'a>>>,
}

/// Whether objects of a kind describe workloads.
pub(super) fn is_workload(group: &str, kind: &str) -> bool {
    KINDS.iter().any(|(held, name, ..)| (*held, *name) == (group, kind))
}

/// The workload that an object describes, if it describes one.
pub(super) fn workload(found: &Found<'_, '_>, taking: &mut Taking<'_>) -> Result<Option<Box<Workload>>, Problem> {
    let object = &found.object;
    let (group, name) = (object.group(), object.kind.as_str());
    let Some((_, kind, word, way)) = KINDS.iter().find(|(held, kind, ..)| *held == group && *kind == name) else {
        return Ok(None);
    };
    let template: Option<Box<Template<'_>>> = if way.is_empty() {
        Some(Box::new(Template { metadata: object.meta.clone(), spec: member(found, object.spec, "spec")? }))
    } else {
        let held: Holder<'_> = member(found, object.spec, "spec")?.unwrap_or_default();
        let of_job = held.job_template.and_then(|job| job.spec).and_then(|spec| spec.template);
        match way.first() {
            Some(&"jobTemplate") => of_job,
            Some(&"podTemplate") => held.pod_template,
            _ => held.template,
        }
    };
    let Some(template) = template else {
        // Without a template it runs nothing that is known.
        taking.misfits.push(missing(found, &format!("spec.{}", way.join("."))));
        return Ok(None);
    };
    let Template { metadata: of_template, spec } = *template;
    let mut steps: Vec<&str> = vec!["spec"];
    steps.extend(*way);
    // A pod's own are looked at like those of any object. The name of a template is nobody's.
    if let Some(pointer) = of_template.misfit.or(of_template.wrong).filter(|_| !way.is_empty()) {
        taking.misfits.push(mistyped(found, &format!("/{}{pointer}", steps.join("/"))));
    }
    let spec = spec.unwrap_or_default();
    let owners: Vec<OwnerReference> =
        member(found, object.meta.owners, "metadata/ownerReferences")?.unwrap_or_default();
    if !way.is_empty() {
        steps.push("spec");
    }
    let containers = [&spec.containers, &spec.init_containers, &spec.ephemeral_containers];
    let mut workload = Box::new(Workload {
        kind,
        word,
        namespace: namespace(&object.meta, taking),
        name: Arc::from(object.meta.name.as_str()),
        origin: taking.origin(found.spot.clone()),
        account: taking
            .share(spec.service_account_name.some().or_else(|| spec.service_account.some()).unwrap_or("default")),
        images: Vec::with_capacity(containers.into_iter().flatten().map(Vec::len).sum()),
        // A template of a sandbox places no token unless it says so.
        automount: spec.automount_service_account_token.or((*kind == "SandboxTemplate").then_some(false)),
        privileged: [spec.host_network, spec.host_pid, spec.host_ipc].contains(&Some(true)),
        host_port: spec.host_network == Some(true),
        host_network: spec.host_network == Some(true),
        labels: of_template.labels.iter().map(|(key, value)| (taking.share(key), taking.share(value))).collect(),
        owner: owners
            .iter()
            .find(|owner| owner.controller == Some(true))
            .map(|owner| (taking.share(&owner.kind), taking.share(&owner.name))),
        projected: Vec::new(),
        secrets: Vec::new(),
        secret_refs: Vec::new(),
        key_refs: Vec::new(),
        pull_secrets: spec
            .image_pull_secrets
            .iter()
            .flatten()
            .filter_map(|secret| secret.name.some())
            .map(|name| taking.share(name))
            .collect(),
        signals: Vec::new(),
        declared: Declared::of(&object.meta, taking),
        unplaced: object.meta.namespace.is_empty(),
        audit: None,
    });
    if let Some((_, what)) = signals::platform_of(group, name) {
        workload.signals.push(Clue::of_kind(what, name, group).at(workload.origin.clone()));
    }
    let above = steps.get(..steps.len().saturating_sub(1)).unwrap_or_default();
    let labelled = (!way.is_empty()).then_some((&of_template.labels, above));
    for (labels, above) in [(&object.meta.labels, &[][..])].into_iter().chain(labelled) {
        for (key, clue) in signals::of_labels(labels) {
            if workload.signals.iter().any(|held| held.clue == clue) {
                continue;
            }
            let path: Vec<Step<'_>> = above.iter().copied().chain(["metadata", "labels", key]).map(Step::Key).collect();
            let below: String = above.iter().map(|step| format!("/{step}")).collect();
            let spot = found.spot_of(&path, &format!("{below}/metadata/labels/{}", escaped(key)));
            workload.signals.push(clue.at(taking.origin(spot)));
        }
    }
    for (member, containers) in [
        ("containers", &spec.containers),
        ("initContainers", &spec.init_containers),
        ("ephemeralContainers", &spec.ephemeral_containers),
    ] {
        for (at, container) in containers.iter().flatten().enumerate() {
            take_container(&mut workload, container, found, &steps, member, at, taking);
        }
    }
    for volume in spec.volumes.iter().flatten() {
        take_volume(&mut workload, volume, taking);
    }
    workload.images.dedup();
    workload.secret_refs.sort();
    workload.secret_refs.dedup();
    workload.pull_secrets.sort();
    // The strongest first; of several that say the same, the first place.
    workload.signals.sort_by(|a, b| {
        let model = |sign: &signals::Sign| sign.clue.speaks == signals::Speaks::ModelServer;
        (b.clue.strength, model(a), &a.clue.reason, &a.origin.spot).cmp(&(
            a.clue.strength,
            model(b),
            &b.clue.reason,
            &b.origin.spot,
        ))
    });
    workload.signals.dedup_by(|a, b| a.clue == b.clue);
    workload.signals.shrink_to_fit();
    Ok(Some(workload))
}

/// A key as a JSON pointer spells it (RFC 6901).
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn take_volume(workload: &mut Workload, volume: &Volume<'_>, taking: &mut Taking<'_>) {
    if let Some(path) = &volume.host_path {
        workload.privileged |= agents::is_host_control(path.path.as_str());
    }
    if let Some(secret) = &volume.secret
        && let Some(name) = secret.secret_name.some()
    {
        workload.secret_refs.push(taking.share(name));
    }
    for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
        if let Some(secret) = &source.secret
            && let Some(name) = secret.name.some()
        {
            workload.secret_refs.push(taking.share(name));
        }
        if let Some(token) = &source.service_account_token {
            // The token that automounting places has no audience of its own.
            if let Some(audience) = token.audience.some() {
                workload
                    .projected
                    .push(ProjectedToken { audience: taking.share(audience), seconds: token.expiration_seconds });
            }
        }
    }
}

fn take_container(
    workload: &mut Workload,
    container: &Container<'_>,
    found: &Found<'_, '_>,
    steps: &[&str],
    member: &str,
    at: usize,
    taking: &mut Taking<'_>,
) {
    workload.privileged |= container.security_context.as_ref().and_then(|held| held.privileged) == Some(true);
    workload.host_port |= container.ports.iter().flatten().any(|port| port.host_port.is_some_and(|port| port > 0));
    let words = || container.command.iter().flatten().chain(container.args.iter().flatten()).map(ScalarText::as_str);
    take_audit(workload, words());
    let base = || {
        let mut path: Vec<Step<'_>> = steps.iter().map(|step| Step::Key(step)).collect();
        path.extend([Step::Key(member), Step::Index(at)]);
        path
    };
    let pointer = || format!("/{}/{member}/{at}", steps.join("/"));
    for misfit in container.misfits() {
        taking.misfits.push(mistyped(found, &format!("{}/{misfit}", pointer())));
    }
    if let Some(image) = container.image.some() {
        workload.images.push(taking.share(image));
        if let Some(clue) = signals::of_image(image) {
            let mut path = base();
            path.push(Step::Key("image"));
            let spot = found.spot_of(&path, &format!("{}/image", pointer()));
            workload.signals.push(clue.at(taking.origin(spot)));
        }
    }
    let in_list = |clue: Clue, within: &str, index: usize, taking: &Taking<'_>| {
        let mut path = base();
        path.extend([Step::Key(within), Step::Index(index)]);
        clue.at(taking.origin(found.spot_of(&path, &format!("{}/{within}/{index}", pointer()))))
    };
    if let Some((number, clue)) = signals::of_arguments(words()) {
        let commands = container.command.as_ref().map_or(0, Vec::len);
        let (within, index) =
            if number < commands { ("command", number) } else { ("args", number.saturating_sub(commands)) };
        workload.signals.push(in_list(clue, within, index, taking));
    }
    for (index, variable) in container.env.iter().flatten().enumerate() {
        if let Some(clue) = signals::of_env(variable.name.as_str()) {
            workload.signals.push(in_list(clue, "env", index, taking));
        }
    }
    let mut holder: Option<Arc<str>> = None;
    let fingerprinter = taking.fingerprinter;
    type Secret = (&'static str, Option<Issued>, Fingerprint);
    let mut keep = |key: &str, secret: Secret, in_arguments: bool, within: &str, index: usize| {
        let (kind, issued, fingerprint) = secret;
        let mut path = base();
        path.extend(within.split('/').map(Step::Key));
        path.push(Step::Index(index));
        let named = || format!("{} {}/{}", workload.word, workload.namespace, workload.name).into();
        let holder = Arc::clone(holder.get_or_insert_with(named));
        workload.secrets.push(LiteralSecret {
            holder,
            key: taking.share(key),
            kind,
            issued,
            fingerprint,
            in_arguments,
            in_metadata: found.object.meta.annotations.last_applied,
            origin: taking.origin(found.spot_of(&path, &format!("{}/{within}/{index}", pointer()))),
            file: taking.file,
        });
    };
    let mut refs: Vec<&str> = Vec::new();
    let mut named: Vec<(&str, &str, Issued)> = Vec::new();
    for (index, variable) in container.env.iter().flatten().enumerate() {
        let name = variable.name.as_str();
        if let Some((kind, fingerprint)) = secret::found(name, variable.value.as_str(), fingerprinter) {
            let issued = secret::issued(name, variable.value.as_str());
            let issued = issued.filter(|issued| !(issued.kind.starts_with("aws_") && container.keeps_elsewhere()));
            keep(name, (kind, issued, fingerprint), false, "env", index);
        }
        if let Some(secret) = variable.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref())
            && let Some(holder) = secret.name.some()
        {
            refs.push(holder);
            named.extend(issued::by_name(name).map(|issued| (holder, secret.key.as_str(), issued)));
        }
    }
    refs.extend(container.env_from.iter().flatten().filter_map(|from| from.secret_ref.as_ref()?.name.some()));
    for (within, list) in [("command", &container.command), ("args", &container.args)] {
        for held in arguments::secrets(list.iter().flatten().map(ScalarText::as_str), fingerprinter) {
            keep(&held.name, (held.kind, held.issued, held.fingerprint), true, within, held.at);
        }
    }
    for (within, handler) in container.handlers() {
        let command = handler.exec.iter().flat_map(|exec| exec.command.iter().flatten());
        for held in arguments::secrets(command.map(ScalarText::as_str), fingerprinter) {
            let secret = (held.kind, held.issued, held.fingerprint);
            keep(&held.name, secret, true, &format!("{within}/exec/command"), held.at);
        }
        let headers = handler.http_get.iter().flat_map(|get| get.http_headers.iter().flatten());
        for (index, header) in headers.enumerate() {
            let name = header.name.as_str();
            let value = header.value.as_str();
            if let Some((kind, fingerprint)) = secret::found(name, value, fingerprinter) {
                let secret = (kind, secret::issued(name, value), fingerprint);
                keep(name, secret, false, &format!("{within}/httpGet/httpHeaders"), index);
            }
        }
    }
    for name in refs {
        workload.secret_refs.push(taking.share(name));
    }
    for (secret, key, issued) in named {
        workload.key_refs.push(KeyRef { secret: taking.share(secret), key: taking.share(key), issued });
    }
}

impl<'a> Container<'a> {
    /// Whether it is told of a store that speaks as AWS's does and is another's, whose keys have the names of AWS's.
    fn keeps_elsewhere(&self) -> bool {
        let mut variables = self.env.iter().flatten();
        variables.any(|variable| issued::is_other_store(variable.name.as_str(), variable.value.as_str()))
    }

    /// Where texts of its own stand as values of another type.
    fn misfits(&self) -> Vec<String> {
        fn words(way: &str, list: Option<&[ScalarText<'_>]>) -> impl Iterator<Item = String> {
            let words = list.into_iter().flatten().enumerate().filter(|(_, word)| !word.fits);
            words.map(move |(at, _)| format!("{way}/{at}"))
        }
        fn values(way: &str, list: Option<&[EnvVar<'_>]>) -> impl Iterator<Item = String> {
            let values = list.into_iter().flatten().enumerate().filter(|(_, variable)| !variable.value.fits);
            values.map(move |(at, _)| format!("{way}/{at}/value"))
        }
        let mut all: Vec<String> = words("command", self.command.as_deref())
            .chain(words("args", self.args.as_deref()))
            .chain(values("env", self.env.as_deref()))
            .collect();
        for (way, handler) in self.handlers() {
            let exec = handler.exec.as_ref().and_then(|exec| exec.command.as_deref());
            all.extend(words(&format!("{way}/exec/command"), exec));
            let headers = handler.http_get.as_ref().and_then(|get| get.http_headers.as_deref());
            all.extend(values(&format!("{way}/httpGet/httpHeaders"), headers));
        }
        all
    }

    /// What the kubelet does to it, each with its way from the container.
    fn handlers(&self) -> impl Iterator<Item = (&'static str, &Handler<'a>)> {
        let lifecycle = self.lifecycle.as_ref();
        [
            ("livenessProbe", self.liveness_probe.as_deref()),
            ("readinessProbe", self.readiness_probe.as_deref()),
            ("startupProbe", self.startup_probe.as_deref()),
            ("lifecycle/postStart", lifecycle.and_then(|held| held.post_start.as_ref())),
            ("lifecycle/preStop", lifecycle.and_then(|held| held.pre_stop.as_ref())),
        ]
        .into_iter()
        .filter_map(|(way, handler)| Some((way, handler?)))
    }
}

/// The audit settings of an API server that runs as a pod, in its arguments.
fn take_audit<'a>(workload: &mut Workload, words: impl Iterator<Item = &'a str>) {
    let mut server = false;
    let mut audit = Audit::default();
    for word in words {
        server |= word.rsplit('/').next() == Some("kube-apiserver");
        match word.split_once('=') {
            Some(("--audit-policy-file", file)) => audit.policy = !file.is_empty(),
            Some(("--audit-log-maxage", days)) => audit.max_age_days = days.parse().ok(),
            _ => {}
        }
    }
    if server {
        workload.audit = Some(audit);
    }
}
