//! Secrets and variables that GitHub keeps for workflows. Only names, dates and kinds are there; of a variable whose value
//! is a secret also a fingerprint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_agents::stored;
use evenhand_model::credential::Exposure;
use evenhand_model::evidence::{Fact, Truth};
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, judge};

use super::calls::Run;
use super::jobs::SecretUsers;
use super::{Join, full_name};
use crate::documents::apps::Named;
use crate::documents::keys::{Secret, SecretVariable};
use crate::documents::told::{At, Told};
use crate::facts::RepositoryFacts;

impl Join<'_> {
    /// Secrets as credentials of the jobs that use them: of one that runs an agent where there is one. Whatever a job
    /// handed to its agent by name is there already.
    pub(super) fn take_stored(&mut self) {
        let agents: BTreeSet<IdentityId> = self
            .inventory
            .identities
            .iter()
            .filter(|identity| judge(&identity.signals).nature == Nature::AiAgent)
            .map(|identity| identity.id.clone())
            .collect();
        let handed: BTreeSet<(IdentityId, Arc<str>)> = self
            .inventory
            .credentials
            .iter()
            .map(|credential| (credential.identity.clone(), Arc::clone(&credential.kind)))
            .collect();
        let owner = self.owner;
        let mut unread: Vec<(At<SecretVariable>, String)> = Vec::new();
        let started = std::mem::take(&mut self.started);
        for (lower, repository) in &owner.repositories {
            let files = started.get(lower.as_str());
            let runs = || files.into_iter().flatten().flat_map(|started| &started.runs);
            let users = SecretUsers::of(repository, runs(), |run| self.job_id(repository, run));
            let of_environments = repository.environment_secrets.iter().flat_map(|(environment, list)| {
                list.all().iter().map(move |secret| (secret, Some(environment.as_str())))
            });
            let own = repository.secrets.all().iter().map(|secret| (secret, None));
            let shared = repository.shared_secrets.all().iter().map(|secret| (secret, None));
            let all = own.chain(shared).chain(of_environments).map(|(secret, environment)| (secret, environment, ""));
            // What Dependabot starts gets secrets of the same names from another store ("Dependabot on GitHub Actions").
            let of_dependabot =
                repository.dependabot_secrets.all().iter().chain(self.shared_with_dependabot(repository));
            let all: Vec<(&At<Secret>, Option<&str>, &str)> =
                all.chain(of_dependabot.map(|secret| (secret, None, "dependabot/"))).collect();
            for (secret, environment, store) in all {
                // Half of a key that names it and proves nothing.
                if secret.name.to_uppercase().ends_with("ACCESS_KEY_ID") {
                    continue;
                }
                let mut holding: Vec<&IdentityId> = users.find(environment, &secret.name).collect();
                holding.sort_by_key(|id| (!agents.contains(*id), (*id).clone()));
                let Some(first) = holding.first() else { continue };
                let kind = stored::kind(&secret.name);
                if handed.contains(&((*first).clone(), Arc::from(kind.name))) {
                    continue;
                }
                let place = environment.map_or_else(String::new, |name| format!("{name}/"));
                let id = format!("{}:secret:{}/{store}{place}{}", self.scope, repository.name, secret.name);
                let mut credential = self.credential(id, first, kind.name, &secret.at);
                credential.is_static = Fact::Known(!kind.short_lived);
                credential.federable = Fact::known(kind.federable);
                credential.exposure = Fact::Known(Exposure::Store);
                // A new value is a new secret.
                credential.created_at = Fact::known(secret.updated_at.or(secret.created_at));
                self.inventory.credentials.push(credential);
            }
            let of_environments = repository.environment_variables.iter().flat_map(|(environment, list)| {
                list.all().iter().map(move |variable| (variable, Some(environment.as_str())))
            });
            let own = repository.variables.all().iter().map(|variable| (variable, None));
            for (variable, environment) in own.chain(of_environments) {
                let place = environment.map_or_else(String::new, |name| format!("/{name}"));
                let place = format!("{}{place}", repository.name);
                match runs().find(|run| sees(run, environment)) {
                    Some(run) => {
                        let id = self.job_id(repository, run);
                        self.variable(variable, &place, &id);
                    }
                    None => unread.push((variable.clone(), format!("{}/{place}", owner.name))),
                }
            }
        }
        self.started = started;
        for repository in owner.repositories.values() {
            let place = |variable: &At<SecretVariable>| {
                (variable.clone(), format!("coding agents in {}/{}", owner.name, repository.name))
            };
            unread.extend(repository.agent_variables.all().iter().map(place));
        }
        let of_agents = owner.agent_variables.all().iter();
        unread.extend(of_agents.map(|variable| (variable.clone(), format!("coding agents of {}", owner.name))));
        unread.extend(owner.variables.all().iter().map(|variable| (variable.clone(), owner.name.clone())));
        for (variable, place) in unread {
            let message = format!(
                "the variable {} of {place} holds a secret ({}), which everybody with read access to Actions sees; make it a secret, and a new one",
                variable.name, variable.kind
            );
            self.hint(variable.at.clone(), message);
        }
    }

    /// Names of the secrets that coding agents get in a repository: its own, and those that the organisation shares with it.
    pub(super) fn agent_secrets(&self, repository: &RepositoryFacts) -> Fact<Vec<Arc<str>>> {
        let (Some(own), Some(shared)) = (repository.agent_secrets.get(), self.owner.agent_secrets.get()) else {
            return Fact::Unknown;
        };
        let mut names: BTreeSet<Arc<str>> = own.iter().map(|secret| Arc::from(secret.name.as_str())).collect();
        for secret in shared {
            match self.is_shared(secret, &self.owner.agent_secret_repositories, repository) {
                Truth::Yes => drop(names.insert(Arc::from(secret.name.as_str()))),
                Truth::No => {}
                Truth::Unknown => return Fact::Unknown,
            }
        }
        if names.is_empty() { Fact::Absent } else { Fact::Known(names.into_iter().collect()) }
    }

    /// Whether a secret of the organisation lies in the reach of a repository.
    pub(super) fn is_shared(
        &self,
        secret: &Secret,
        selected: &BTreeMap<String, Told<Vec<Named>>>,
        repository: &RepositoryFacts,
    ) -> Truth {
        match secret.visibility.as_deref() {
            Some("all") => Truth::Yes,
            Some("private") => repository.is_public().map_or(Truth::Unknown, |public| (!public).into()),
            Some("selected") => {
                let name = full_name(self.owner, &repository.name);
                let names = selected.get(&secret.name).and_then(Told::get);
                names.map_or(Truth::Unknown, |names| {
                    names.iter().any(|named| self.spelled(&named.full_name).as_ref() == Some(&name)).into()
                })
            }
            _ => Truth::Unknown,
        }
    }

    fn variable(&mut self, variable: &At<SecretVariable>, place: &str, identity: &IdentityId) {
        let id = format!("{}:variable:{place}/{}", self.scope, variable.name);
        let mut credential = self.credential(id, identity, variable.kind, &variable.at);
        credential.is_static = Fact::Known(true);
        credential.exposure = Fact::Known(Exposure::Environment);
        credential.fingerprint = Some(variable.fingerprint);
        credential.created_at = Fact::known(variable.updated_at.or(variable.created_at));
        self.inventory.credentials.push(credential);
    }
}

impl<'a> Join<'a> {
    /// Secrets of the organisation that workflows of a repository get when Dependabot starts them.
    fn shared_with_dependabot(&self, repository: &RepositoryFacts) -> Vec<&'a At<Secret>> {
        let owner = self.owner;
        let shared = &owner.dependabot_secret_repositories;
        let secrets = owner.dependabot_secrets.all().iter();
        secrets.filter(|secret| self.is_shared(secret, shared, repository) == Truth::Yes).collect()
    }
}

/// Whether a job sees the variables of its repository, or those of an environment.
fn sees(run: &Run<'_>, environment: Option<&str>) -> bool {
    environment.is_none_or(|name| run.job.environment.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
}
