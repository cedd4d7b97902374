//! The rows of a group: its identity, its agent, its tool servers, their secrets and the principals they borrow.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use evenhand_model::agent::{Agent, AgentKind, ApprovalMode};
use evenhand_model::credential::{Credential, Exposure};
use evenhand_model::document::FileFacts;
use evenhand_model::evidence::{Evidence, Fact, Truth};
use evenhand_model::gap::{Gap, GapKind, Lost, Subject};
use evenhand_model::id::{CredentialId, IdentityId, ScopeId};
use evenhand_model::identity::{Identity, Nature, Signal, Strength};
use evenhand_model::inventory::{Hint, Inventory};
use evenhand_model::trust::{Mechanism, Trust};

use super::{Ground, Group};
use crate::approval::Approval;
use crate::clients::{Client, Level};
use crate::command::Reach;
use crate::locate;
use crate::profiles::{self, Among, KUBECONFIG, Known, ProfileFile, Store};
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
    profiles: BTreeMap<&'o str, Rc<Among<'o>>>,
    /// By their paths.
    kubeconfigs: BTreeMap<&'o str, &'o ProfileFile>,
    /// Folders that are homes.
    homes: BTreeSet<String>,
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

/// Who holds a secret, and where its file lies.
pub(super) struct Holder<'h> {
    pub(super) identity: &'h IdentityId,
    pub(super) kind: Ground,
    pub(super) document: &'h Arc<str>,
    pub(super) facts: FileFacts,
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
            (false, Ground::Project) => Fact::Known(settings.hooks.is_some()),
            (false, Ground::Home | Ground::Machine) => Fact::Unknown,
        };
        agent.approval_keys.clone_from(&settings.keys);
        self.inventory.agents.push(agent);
        if client.shell && !own {
            self.ambient(id, &group.place);
        }
    }

    /// Whether credentials of whoever runs a client that runs commands are in its reach, as far as files tell: what is in
    /// no file that was read may still be there.
    fn in_reach(&self, place: &Place) -> Fact<bool> {
        if self.profiles_of(place).names().next().is_none() { Fact::Unknown } else { Fact::Known(true) }
    }

    /// Whether the principals that configuration names are the person in whose home a place lies.
    fn is_the_persons<'b>(&self, place: &Place, borrowed: impl Iterator<Item = &'b Borrowed>) -> Fact<bool> {
        let files = self.profiles_of(place);
        let all = borrowed.map(|named| match profiles::is_profile(&named.target) {
            // A name that means the same to everybody is no person's own.
            false => Truth::No,
            true => files.resolve(&named.target).map_or(Truth::Unknown, |found| profiles::is_the_persons(&found)),
        });
        Fact::known(all.fold(Truth::No, Truth::or).known())
    }

    /// The profiles of whoever runs the client, all of which it may use.
    fn ambient(&mut self, id: &IdentityId, place: &Place) {
        let files = self.profiles_of(place);
        for (name, (file, profile)) in files.names() {
            let evidence = Evidence::line(Arc::clone(&file.document), profile.line);
            match files.resolve(&name) {
                Some(found) => {
                    let constraint = format!("whoever runs it may use {}", found.through);
                    for target in found.targets {
                        self.trust(id, target, Mechanism::Ambient, constraint.clone(), evidence.clone());
                    }
                }
                None => self.trust(id, name, Mechanism::Ambient, String::new(), evidence),
            }
        }
    }

    /// The profiles of the person in whose home a place lies. In no home, whoever works there is not known; where only one
    /// person's profiles were read, theirs count.
    fn profiles_of(&self, place: &Place) -> Known<'o> {
        let nearest = place.around().find_map(|root| self.profiles.get(root));
        let found = match (nearest, self.profiles.first_key_value()) {
            (Some(among), _) => among,
            (None, Some((root, among))) if self.profiles.len() == 1 => {
                let of_another = place.around().any(|root| self.homes.contains(root));
                if of_another || place.is_apart_from(root) {
                    return Known::default();
                }
                among
            }
            _ => return Known::default(),
        };
        Known { aws: Rc::clone(found), kube: Rc::clone(found) }
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
        identity.purpose = Fact::read(definition.purpose.as_deref().map(Arc::from));
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
            Ground::Project => Fact::Known(definition.settings.hooks.is_some()),
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

    fn trust(&mut self, id: &IdentityId, target: String, mechanism: Mechanism, constraint: String, evidence: Evidence) {
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
        agent.ambient_credentials = if server.borrowed.iter().any(|named| profiles::is_profile(&named.target)) {
            self.is_the_persons(&group.place, server.borrowed.iter())
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
        for (named, line) in &server.env_files {
            self.environment(decided, file, server, id, (named, *line));
        }
    }

    /// The secrets of an environment file that a server names, if it is among the documents.
    fn environment(
        &mut self,
        decided: &Decided<'_>,
        file: &FileRead,
        server: &Server,
        id: &IdentityId,
        (named, line): (&str, u32),
    ) {
        let place = of_project(&decided.group.place, server.project.as_deref());
        let expected = place.file(named, self.home_of(&place));
        let found = expected.as_deref().and_then(|path| self.environments.get(path));
        let found = found.or_else(|| self.environments.get(&*locate::clean(named))).copied();
        match found {
            Some(environment) => {
                let holder = Holder {
                    identity: id,
                    kind: decided.group.kind,
                    document: &environment.document,
                    facts: environment.facts,
                };
                self.secrets(&holder, &environment.found);
            }
            None => {
                let evidence = Evidence::line(Arc::clone(&file.document), line);
                self.not_among(&decided.scope, named, "environment file", expected.is_some(), &evidence);
            }
        }
    }

    /// Tells of a file that configuration names and that was not read. `is_placed`: whether it is known where it lies.
    fn not_among(&mut self, scope: &ScopeId, named: &str, what: &str, is_placed: bool, evidence: &Evidence) {
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

    fn home_of<'h>(&self, place: &'h Place) -> &'h str {
        home_of(&self.homes, place)
    }

    pub(super) fn secrets(&mut self, holder: &Holder<'_>, found: &[Found]) {
        for secret in found {
            // The id of a key stands with the secret of the same key; alone it only names a principal.
            let partner =
                |other: &&Found| other.kind.name == "aws_secret_access_key" && beside(&other.slot, &secret.slot);
            if secret.kind.public && found.iter().any(|other| partner(&other)) {
                continue;
            }
            let key_id = found
                .iter()
                .find(|other| {
                    other.public_id.is_some()
                        && secret.kind.name == "aws_secret_access_key"
                        && beside(&other.slot, &secret.slot)
                })
                .and_then(|other| other.public_id.clone());
            let evidence = Evidence::line(Arc::clone(holder.document), secret.line);
            let mut id = format!("{}/{}", holder.identity, secret.slot);
            if !self.taken.insert(id.clone()) {
                id = format!("{id}@{}:{}", holder.document, secret.line);
                self.taken.insert(id.clone());
            }
            let kind = if key_id.is_some() { "aws_access_key" } else { secret.kind.name };
            let mut credential = Credential::new(
                CredentialId::new(id),
                holder.identity.clone(),
                provider_name(),
                kind,
                evidence.clone(),
            );
            credential.federable = Fact::known(secret.kind.federable);
            credential.fingerprint = secret.fingerprint;
            credential.public_id = secret.public_id.clone().or(key_id);
            credential.file_readable_by_others = Fact::known(holder.facts.readable_by_others);
            credential.in_arguments = Fact::Known(secret.in_arguments);
            if secret.kind.public {
                credential.exposure = Fact::Known(Exposure::None);
            } else {
                credential.is_static = Fact::Known(!secret.kind.short_lived);
                let committed = holder.kind == Ground::Project && holder.facts.tracked == Some(true);
                credential.exposure = Fact::Known(if committed { Exposure::Committed } else { Exposure::UserFile });
            }
            if secret.checksum_fails {
                self.hint(
                    evidence,
                    "a value in the form of an issuer's token has a checksum that does not fit: an example or a typing error; \
                     revoke it if it was ever real",
                );
            }
            self.inventory.credentials.push(credential);
        }
    }

    /// Principals that configuration names; a profile stands for the principal that the person's own files name, and a
    /// kubeconfig for those of its contexts, unless one of them is named too. `project`: the one in which that holds, where
    /// a person's file says so.
    pub(super) fn borrowed(
        &mut self,
        holder: &Holder<'_>,
        scope: &ScopeId,
        (place, project): (&Place, Option<&str>),
        borrowed: &[Borrowed],
    ) {
        let near = of_project(place, project);
        let given: Vec<(&Borrowed, Option<&'o ProfileFile>)> = borrowed
            .iter()
            .filter_map(|named| Some((named, named.target.strip_prefix(KUBECONFIG)?)))
            .map(|(named, path)| (named, self.kubeconfig(&near, path)))
            .collect();
        let mut files = self.profiles_of(place);
        if !given.is_empty() {
            files.kube = Rc::new(Among::of(given.iter().filter_map(|(_, file)| *file)));
        }
        let at = |line: u32| Evidence::line(Arc::clone(holder.document), line);
        for (named, file) in &given {
            let path = named.target.strip_prefix(KUBECONFIG).unwrap_or_default();
            if file.is_none() {
                let is_placed = near.file(path, self.home_of(&near)).is_some();
                self.not_among(scope, path, "kubeconfig", is_placed, &at(named.line));
                self.trust(
                    holder.identity,
                    named.target.clone(),
                    Mechanism::HoldsCredential,
                    String::new(),
                    at(named.line),
                );
            }
        }
        let is_context = |named: &&Borrowed| named.target.starts_with(profiles::KUBE_CONTEXT);
        if !borrowed.iter().any(|named| is_context(&named)) {
            let contexts = files.names().filter(|(_, (file, _))| file.store == Store::Kube);
            for (context, (file, _)) in contexts.filter(|_| !given.is_empty()) {
                let by = given.iter().find(|(_, given)| given.is_some_and(|given| std::ptr::eq(given, file)));
                let line = by.map_or(0, |(named, _)| named.line);
                self.lend(holder, &files, &context, at(line));
            }
        }
        for named in borrowed.iter().filter(|named| !named.target.starts_with(KUBECONFIG)) {
            self.lend(holder, &files, &named.target, at(named.line));
        }
    }

    /// The kubeconfig that configuration of a place names.
    fn kubeconfig(&self, place: &Place, path: &str) -> Option<&'o ProfileFile> {
        let path = place.file(path, self.home_of(place))?;
        self.kubeconfigs.get(path.as_str()).copied()
    }

    /// Lets a holder act as the principal that a name stands for. `files`: where its profiles may lie.
    fn lend(&mut self, holder: &Holder<'_>, files: &Known<'_>, named: &str, evidence: Evidence) {
        let Some(found) = files.resolve(named) else {
            // Whom a token proves may be unknown; that it lies there for everybody to take is not.
            if let Some(at) = files.proven(named) {
                self.hold(holder, named, at, None);
            }
            let constraint = match files.lacks(named) {
                Some(told) => {
                    let message = format!(
                        "`{named}` leads to nobody, so that what this borrows is unknown; it was looked for in {told}; correct \
                         the name, or add the file that holds it"
                    );
                    self.hint(evidence.clone(), &message);
                    format!("looked for in {told}")
                }
                None => String::new(),
            };
            self.trust(holder.identity, named.to_owned(), Mechanism::HoldsCredential, constraint, evidence);
            return;
        };
        self.hold(holder, named, found.at, found.key);
        let mut through = format!("through {}", found.through);
        for target in found.targets {
            self.trust(holder.identity, target, Mechanism::HoldsCredential, through.clone(), evidence.clone());
            if !through.ends_with(OF_GROUP) {
                through.push_str(OF_GROUP);
            }
        }
    }

    /// Makes what a profile proves itself with a credential of a holder. `key`: the public id of its key.
    fn hold(
        &mut self,
        holder: &Holder<'_>,
        named: &str,
        (file, profile): (&ProfileFile, &profiles::Profile),
        key: Option<&str>,
    ) {
        let held = |kind: &str| {
            let written = Evidence::line(Arc::clone(&file.document), profile.line);
            let id = CredentialId::new(format!("{}/{named}", holder.identity));
            let mut credential = Credential::new(id, holder.identity.clone(), provider_name(), kind, written);
            credential.exposure = Fact::Known(Exposure::UserFile);
            credential.in_arguments = Fact::Known(false);
            credential.file_readable_by_others = Fact::known(file.facts.readable_by_others);
            credential
        };
        if let Some(public_id) = key {
            let mut credential = held("aws_access_key");
            credential.is_static = Fact::Known(true);
            credential.federable = Fact::Known(true);
            credential.public_id = Some(Arc::from(public_id));
            self.inventory.credentials.push(credential);
        } else if let Some(proof) = &profile.proof {
            let mut credential = held(proof.kind);
            credential.is_static = match proof.expires_at {
                Fact::Absent => Fact::Known(true),
                // It is good for as long as it was issued for, and nobody renews it.
                Fact::Known(_) if proof.kind == profiles::CLIENT_CERTIFICATE => Fact::Known(true),
                Fact::Known(_) => Fact::Known(false),
                Fact::Unknown => Fact::Unknown,
            };
            credential.expires_at = proof.expires_at;
            self.inventory.credentials.push(credential);
        }
    }

    fn hint(&mut self, evidence: Evidence, message: &str) {
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

/// Whether two slots are members of the same map.
fn beside(a: &str, b: &str) -> bool {
    let parent = |slot: &str| slot.rsplit_once('.').map(|(parent, _)| parent.to_owned());
    parent(a) == parent(b)
}

/// Behind what a group lends.
const OF_GROUP: &str = ", by its groups";

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
