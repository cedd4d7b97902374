//! The rows of a group: its identity, its agent, its tool servers.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::trust::{Mechanism, Trust};

use super::lending::Holder;
use super::{Ground, Group};
use crate::approval::Approval;
use crate::clients::{Client, Level};
use crate::command::Reach;
use crate::locate;
use crate::profiles::{self, Among, ProfileFile, Store};
use crate::provider_name;
use crate::reader::{Definition, Environment, FileRead};
use crate::scope::Place;
use crate::secret::{Borrowed, Found};
use crate::server::Server;
use crate::settings::{Settings, Standing};

/// Where rows go.
pub(super) struct Out<'o> {
    pub(super) inventory: &'o mut Inventory,
    /// By their paths.
    environments: BTreeMap<&'o str, &'o Environment>,
    /// The profiles of people, by their home folders.
    pub(super) profiles: BTreeMap<&'o str, Rc<Among<'o>>>,
    /// By their paths.
    pub(super) kubeconfigs: BTreeMap<&'o str, &'o ProfileFile>,
    /// Folders that are homes.
    pub(super) homes: BTreeSet<String>,
    /// Ids that are given away.
    pub(super) taken: BTreeSet<String>,
}

/// A group with everything that was decided about it as a whole.
struct Decided<'d> {
    group: &'d Group<'d>,
    /// The place's name.
    name: &'d str,
    id: IdentityId,
    scope: ScopeId,
    settings: &'d Settings,
    standing: Standing<'d>,
    approval: Approval,
    evidence: Evidence,
    person: Option<Arc<str>>,
}

impl<'o> Out<'o> {
    /// Rows that no other file says anything of.
    pub(super) fn new(inventory: &'o mut Inventory) -> Self {
        Self {
            inventory,
            environments: BTreeMap::new(),
            profiles: BTreeMap::new(),
            kubeconfigs: BTreeMap::new(),
            homes: BTreeSet::new(),
            taken: BTreeSet::new(),
        }
    }

    /// With the files that configuration may mean, and the folders that are homes.
    pub(super) fn beside(
        self,
        environments: &'o [Environment],
        profiles: &'o [ProfileFile],
        homes: BTreeSet<String>,
    ) -> Self {
        let mut by_home: BTreeMap<&str, Vec<&ProfileFile>> = BTreeMap::new();
        for file in profiles.iter().filter(|file| file.found_unasked) {
            by_home.entry(&file.root).or_default().push(file);
        }
        let clusters = profiles.iter().filter(|file| file.store == Store::Kube);
        Self {
            environments: environments.iter().map(|file| (file.path.as_str(), file)).collect(),
            profiles: by_home.into_iter().map(|(root, of)| (root, Rc::new(Among::of(of.into_iter())))).collect(),
            kubeconfigs: clusters.map(|file| (file.path.as_str(), file)).collect(),
            homes,
            ..self
        }
    }

    /// Adds a group; with a `host`, only its tool servers, which that client uses.
    pub(super) fn group(&mut self, group: &Group<'_>, name: &str, host: Option<IdentityId>, settings: &Settings) {
        let client = group.client;
        let standing = settings.standing();
        let approval = Approval::of_client(client, settings, &standing);
        let first = group.files.first().map(|file| Evidence::line(Arc::clone(&file.document), 1));
        let Some(evidence) = approval.evidence.clone().or(first) else { return };
        let decided = Decided {
            group,
            name,
            id: host.clone().unwrap_or_else(|| IdentityId::new(format!("agent:{}:{name}", client.id))),
            scope: ScopeId::new(format!("agents:{name}")),
            settings,
            standing,
            approval,
            evidence,
            person: person(group),
        };
        if host.is_none() {
            self.client(&decided);
        }
        let mut seen: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
        for server in group.files.iter().flat_map(|file| &file.servers) {
            *seen.entry((server.project.as_deref(), &server.name)).or_default() += 1;
        }
        for file in &group.files {
            for server in &file.servers {
                let several =
                    seen.get(&(server.project.as_deref(), server.name.as_str())).is_some_and(|count| *count > 1);
                let id = server_id(client, name, server, several.then(|| tail(file)));
                self.server(&decided, file, server, &id);
            }
            let defined = file.definition.as_ref().map(|definition| self.definition(&decided, file, definition));
            let holder = Holder {
                identity: defined.as_ref().unwrap_or(&decided.id),
                kind: group.kind,
                document: &file.document,
                facts: file.facts,
            };
            self.secrets(&holder, &file.found);
            self.borrowed(&holder, &decided.scope, (&group.place, None), &file.borrowed);
        }
        for (key, evidence) in group.files.iter().flat_map(|file| &file.settings.unclear) {
            let message = format!(
                "`{key}` has a value that {} does not document: its effect is unknown; check it by hand",
                client.name
            );
            self.hint(evidence.clone(), &message);
        }
    }

    fn client(&mut self, decided: &Decided<'_>) {
        let Decided { group, name, id, scope, settings, approval, evidence, person, standing: _ } = decided;
        let client = group.client;
        let label = person.as_deref().unwrap_or(name);
        let shown = format!("{} ({label})", client.name);
        let mut identity =
            Identity::new(id.clone(), provider_name(), scope.clone(), "agent_client", shown.as_str(), evidence.clone());
        identity.signals.push(signal(format!("configuration of {}", client.name), evidence));
        identity.owner = Fact::known(person.clone());
        self.inventory.identities.push(identity);

        let mut agent = started_by_people(id, scope, client, &shown, evidence);
        set_approval(&mut agent, approval);
        // Defaults hold only where the files that could have set the key were read: a project's files alone do not tell
        // what its users set for themselves.
        let above = settings.read_above_project;
        let or_default = |said: Option<Option<bool>>, default: Option<bool>| match said {
            Some(value) => Fact::known(value),
            None if above => Fact::known(default),
            None => Fact::Unknown,
        };
        agent.sandboxed = or_default(settings.sandboxed.as_ref().map(|said| said.value), client.defaults.sandboxed);
        agent.telemetry = or_default(settings.telemetry.as_ref().map(|said| said.value), client.defaults.telemetry);
        agent.project_servers_enabled =
            or_default(settings.project_servers.as_ref().map(|said| said.value), client.defaults.project_servers);
        agent.managed_policy = if settings.forbids.iter().any(|said| said.value && said.level == Level::Managed) {
            Fact::Known(true)
        } else if settings.read_managed {
            Fact::Known(false)
        } else {
            Fact::Unknown
        };
        let mut reach = settings.reach.as_ref().map(|said| said.value);
        if approval.mode == Fact::Known(ApprovalMode::Bypass) && agent.sandboxed == Fact::Known(false) && client.shell {
            // Commands that nobody confirms and nothing confines reach whatever the person reaches.
            reach = reach.max(Some(Reach::Home));
        }
        agent.file_scope = Fact::known(reach.max(client.defaults.reach).map(|reach| Arc::from(reach.as_str())));
        let cloud = |found: &Found| found.kind.federable == Some(true) && found.kind.name.starts_with("aws_");
        let borrowed = || group.files.iter().flat_map(|file| &file.borrowed);
        let own = borrowed().next().is_some() || group.files.iter().any(|file| file.found.iter().any(cloud));
        agent.ambient_credentials = match (client.shell, own) {
            (false, _) => Fact::Unknown,
            (true, true) if borrowed().next().is_some() => self.is_the_persons(&group.place, borrowed()),
            (true, true) => Fact::Known(false),
            (true, false) => self.in_reach(&group.place),
        };
        agent.sandbox_escape = match agent.sandboxed {
            Fact::Known(true) => or_default(settings.escape.as_ref().map(|said| said.value), client.defaults.escape),
            Fact::Known(false) => Fact::Absent,
            Fact::Absent | Fact::Unknown => Fact::Unknown,
        };
        agent.project_hooks = match (settings.only_managed_hooks, group.kind) {
            (true, _) => Fact::Known(false),
            // In a home nothing tells which repositories are opened.
            (false, Ground::Project) => settings.runs_hooks(),
            (false, Ground::Home | Ground::Machine) => Fact::Unknown,
        };
        agent.approval_keys.clone_from(&settings.keys);
        self.inventory.agents.push(agent);
        if client.shell && !own {
            self.ambient(id, &group.place);
        }
    }

    /// An agent that a file defines for the client; the client's settings hold for it where its own say nothing.
    fn definition(&mut self, decided: &Decided<'_>, file: &FileRead, definition: &Definition) -> IdentityId {
        let Decided { group, name, scope, approval, person, .. } = decided;
        let client = group.client;
        let id = IdentityId::new(format!("agent:{}:{name}#agents/{}", client.id, definition.name));
        let evidence = Evidence::line(Arc::clone(&file.document), definition.line);
        let mut identity = Identity::new(
            id.clone(),
            provider_name(),
            scope.clone(),
            "agent_definition",
            definition.name.as_str(),
            evidence.clone(),
        );
        identity.signals.push(signal(format!("an agent defined for {}", client.name), &evidence));
        identity.owner = Fact::known(person.clone());
        identity.purpose = definition.purpose.clone();
        self.inventory.identities.push(identity);
        let mut agent = started_by_people(&id, scope, client, &definition.name, &evidence);
        match &definition.settings.mode {
            Some(_) => {
                let own = Approval::of_client(client, &definition.settings, &definition.settings.standing());
                set_approval(&mut agent, &own);
            }
            None => set_approval(&mut agent, approval),
        }
        agent.project_hooks = match group.kind {
            Ground::Project => definition.settings.runs_hooks(),
            Ground::Home | Ground::Machine => Fact::Known(false),
        };
        agent.ambient_credentials = if client.shell { self.in_reach(&group.place) } else { Fact::Unknown };
        agent.approval_keys.clone_from(&definition.settings.keys);
        self.inventory.agents.push(agent);
        self.trust(&decided.id, id.to_string(), Mechanism::UsesTool, String::new(), evidence);
        if client.shell {
            self.ambient(&id, &group.place);
        }
        id
    }

    pub(super) fn trust(
        &mut self,
        id: &IdentityId,
        target: String,
        mechanism: Mechanism,
        constraint: String,
        evidence: Evidence,
    ) {
        self.inventory.trusts.push(Trust {
            source: id.shared(),
            target: IdentityId::new(target),
            provider: provider_name(),
            mechanism,
            constraint: constraint.into(),
            weak: Truth::No,
            weakness: Arc::from(""),
            evidence,
        });
    }

    fn server(&mut self, decided: &Decided<'_>, file: &FileRead, server: &Server, id: &IdentityId) {
        let Decided { group, scope, settings, standing, approval: client_approval, person, .. } = decided;
        let evidence = Evidence::line(Arc::clone(&file.document), server.line);
        let mut identity = Identity::new(
            id.clone(),
            provider_name(),
            scope.clone(),
            "tool_server",
            server.name.as_str(),
            evidence.clone(),
        );
        let reason = format!("MCP server configured in {}", group.client.name);
        identity.signals.push(signal(reason, &evidence));
        identity.owner = Fact::known(person.clone());
        identity.enabled = Fact::Known(!server.disabled);
        self.inventory.identities.push(identity);

        // A server of one project is subject to what the same file says of that project.
        let own = server.project.as_deref().and_then(|project| settings.of_named_project(project));
        let approval = match &own {
            Some(own) => {
                let standing = own.standing();
                Approval::of_server(server, &Approval::of_client(group.client, own, &standing), &standing)
            }
            None => Approval::of_server(server, client_approval, standing),
        };
        let mut agent = Agent::new(
            id.as_str(),
            id.clone(),
            provider_name(),
            scope.clone(),
            group.client.id,
            AgentKind::ToolServer,
            server.name.as_str(),
            evidence.clone(),
        );
        describe(&mut agent, server, &file.document);
        agent.trigger = Fact::Known(Arc::from("person"));
        agent.untrusted_trigger = Fact::Known(false);
        agent.project_servers_enabled = Fact::Absent;
        agent.managed_policy = Fact::Absent;
        let named = server.env_files.iter().map(|named| (named, self.environment_of(group, server, &named.path).0));
        let lent = named.filter_map(|(named, file)| Some(file?.lends_to(server, named)));
        let lent: Vec<Borrowed> = lent.flatten().collect();
        let borrowed = || server.borrowed.iter().chain(lent.iter());
        agent.ambient_credentials = if borrowed().any(|named| profiles::is_profile(&named.target)) {
            self.is_the_persons(&group.place, borrowed())
        } else if !server.found.is_empty() || server.remote == Fact::Known(true) {
            Fact::Known(false)
        } else {
            Fact::Unknown
        };
        set_approval(&mut agent, &approval);
        self.inventory.agents.push(agent);
        self.trust(&decided.id, id.to_string(), Mechanism::UsesTool, String::new(), evidence);
        let holder = Holder { identity: id, kind: group.kind, document: &file.document, facts: file.facts };
        self.secrets(&holder, &server.found);
        self.borrowed(&holder, scope, (&group.place, server.project.as_deref()), &server.borrowed);
        for named in &server.env_files {
            let (environment, is_placed) = self.environment_of(group, server, &named.path);
            let Some(environment) = environment else {
                let evidence = Evidence::line(Arc::clone(&file.document), named.line);
                self.not_among(scope, &named.path, "environment file", is_placed, &evidence);
                continue;
            };
            let (document, facts) = (&environment.document, environment.facts);
            let holder = Holder { identity: id, kind: group.kind, document, facts };
            self.secrets(&holder, &environment.found);
            let borrowed = environment.lends_to(server, named);
            self.borrowed(&holder, scope, (&group.place, server.project.as_deref()), &borrowed);
        }
    }

    /// An environment file that a server names, if it is among the documents; and whether it is known where it lies.
    fn environment_of(&self, group: &Group<'_>, server: &Server, named: &str) -> (Option<&'o Environment>, bool) {
        let place = of_project(&group.place, server.project.as_deref());
        let expected = place.file(named, self.home_of(&place));
        let found = expected.as_deref().and_then(|path| self.environments.get(path));
        let found = found.or_else(|| self.environments.get(&*locate::clean(named))).copied();
        (found, expected.is_some())
    }

    /// Tells of a file that configuration names and that was not read. `is_placed`: whether it is known where it lies.
    pub(super) fn not_among(&mut self, scope: &ScopeId, named: &str, what: &str, is_placed: bool, evidence: &Evidence) {
        let remedy = match is_placed {
            true => {
                "it is not there, or lies outside the sources; name the file itself as a further source of the scan"
            }
            false => "where it lies, a variable decides; write its path without one and name it as a further source",
        };
        self.inventory.gaps.push(Gap {
            provider: Some(provider_name()),
            scope: Some(scope.clone()),
            kind: GapKind::NotCollected,
            call: Arc::from(named),
            reason: Arc::from(format!("the {what} that {evidence} names was not read: {remedy}")),
            facts: vec![Lost::of("credentials", &[Subject::Credentials])],
        });
    }

    pub(super) fn home_of<'h>(&self, place: &'h Place) -> &'h str {
        home_of(&self.homes, place)
    }

    pub(super) fn hint(&mut self, evidence: Evidence, message: &str) {
        self.inventory.hints.push(Hint { evidence, message: Arc::from(message) });
    }
}

/// What a server's own configuration says.
pub(super) fn describe(agent: &mut Agent, server: &Server, document: &Arc<str>) {
    agent.transport = server.transport.clone();
    agent.remote = server.remote;
    agent.tls = server.tls;
    agent.authenticated = server.authenticated;
    agent.command_fetched = server.fetched;
    agent.command_pinned = server.pinned;
    agent.privileged = server.privileged;
    agent.sandboxed = server.sandboxed;
    agent.file_scope = Fact::known(server.reach.map(|reach| Arc::from(reach.as_str())));
    agent.disabled = server.disabled;
    agent.project_hooks = Fact::Absent;
    agent.sandbox_escape = Fact::Absent;
    agent.approval_keys = server
        .keys
        .iter()
        .map(|(key, line)| (Arc::from(key.as_str()), Evidence::line(Arc::clone(document), *line)))
        .collect();
}

/// The row of an agent that runs where its client does and that people start: it has no endpoint of its own.
fn started_by_people(id: &IdentityId, scope: &ScopeId, client: &Client, shown: &str, evidence: &Evidence) -> Agent {
    let mut agent = Agent::new(
        id.as_str(),
        id.clone(),
        provider_name(),
        scope.clone(),
        client.id,
        AgentKind::Agent,
        shown,
        evidence.clone(),
    );
    agent.transport = Fact::Absent;
    agent.command_pinned = Fact::Absent;
    agent.command_fetched = Fact::Absent;
    agent.remote = Fact::Known(false);
    agent.authenticated = Fact::Absent;
    agent.tls = Fact::Absent;
    agent.trigger = Fact::Known(Arc::from("person"));
    agent.untrusted_trigger = Fact::Known(false);
    agent
}

fn set_approval(agent: &mut Agent, approval: &Approval) {
    agent.approval_mode = approval.mode;
    agent.approval_defaulted = Fact::Known(approval.defaulted);
    agent.auto_approved = approval.auto_approved.clone();
    agent.auto_approve_all = approval.all;
    agent.external_effect_approved = approval.external;
}

pub(super) fn signal(reason: String, evidence: &Evidence) -> Signal {
    Signal {
        nature: Nature::AiAgent,
        strength: Strength::Certain,
        reason: Arc::from(reason),
        evidence: evidence.clone(),
    }
}

/// The person whose home a group stands for.
fn person(group: &Group<'_>) -> Option<Arc<str>> {
    if group.kind == Ground::Home { group.place.person().map(Arc::from) } else { None }
}

fn server_id(client: &Client, scope: &str, server: &Server, file: Option<String>) -> IdentityId {
    let project = server.project.as_deref().map(|project| format!(":{project}")).unwrap_or_default();
    let file = file.map(|file| format!("@{file}")).unwrap_or_default();
    IdentityId::new(format!("agent:{}:{scope}{project}#{}{file}", client.id, server.name))
}

/// The file's path below the place it speaks for.
fn tail(file: &FileRead) -> String {
    // What a variable moves is told from what lies in the home folder by the variable.
    if file.document.starts_with('$') {
        return file.document.to_string();
    }
    let path = locate::clean(&file.document);
    path.strip_prefix(file.place.root.as_str()).unwrap_or(&path).trim_start_matches('/').to_owned()
}

/// The place of a server: that of its file, or of the project that the file means.
pub(crate) fn of_project(place: &Place, project: Option<&str>) -> Place {
    match project {
        Some(project) => {
            let root = place.file(project, "~").unwrap_or_else(|| project.to_owned());
            Place { root: locate::folder(&root), ..place.clone() }
        }
        None => place.clone(),
    }
}

/// The home folder whose owner works in a place, as a prefix of paths. `homes`: those that are known.
pub(crate) fn home_of<'h>(homes: &BTreeSet<String>, place: &'h Place) -> &'h str {
    place.around().find(|root| homes.contains(*root)).or_else(|| place.home()).unwrap_or("~")
}
