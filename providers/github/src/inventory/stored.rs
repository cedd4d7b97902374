//! Secrets and variables that GitHub keeps for workflows. Only names, dates and kinds are there; of a variable whose value
//! is a secret also a fingerprint.

use std::collections::BTreeSet;
use std::sync::Arc;

use evenhand_agents::stored;
use evenhand_model::credential::Exposure;
use evenhand_model::evidence::Fact;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Nature, judge};

use super::{Join, jobs};
use crate::documents::keys::{Secret, SecretVariable};
use crate::documents::told::At;
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
        for repository in owner.repositories.values() {
            let users = jobs::users_of_secrets(repository, |path, job| self.job_id(&repository.name, path, job));
            let of_environments = repository.environment_secrets.iter().flat_map(|(environment, list)| {
                list.all().iter().map(move |secret| (secret, Some(environment.as_str())))
            });
            let own = repository.secrets.all().iter().map(|secret| (secret, None));
            let shared = repository.shared_secrets.all().iter().map(|secret| (secret, None));
            let all: Vec<(&At<Secret>, Option<&str>)> = own.chain(shared).chain(of_environments).collect();
            for (secret, environment) in all {
                // Half of a key that names it and proves nothing.
                if secret.name.to_uppercase().ends_with("ACCESS_KEY_ID") {
                    continue;
                }
                let named = users.get(&secret.name.to_uppercase()).into_iter().flatten();
                let holding =
                    named.filter(|(_, job)| environment.is_none_or(|name| job.environment.as_deref() == Some(name)));
                let mut holding: Vec<&IdentityId> = holding.map(|(id, _)| id).collect();
                holding.sort_by_key(|id| (!agents.contains(*id), (*id).clone()));
                let Some(first) = holding.first() else { continue };
                let kind = stored::kind(&secret.name);
                if handed.contains(&((*first).clone(), Arc::from(kind.name))) {
                    continue;
                }
                let place = environment.map_or_else(String::new, |name| format!("{name}/"));
                let id = format!("{}:secret:{}/{place}{}", self.scope, repository.name, secret.name);
                let mut credential = self.credential(id, first, kind.name, &secret.at);
                credential.is_static = Fact::Known(!kind.short_lived);
                credential.federable = Fact::known(kind.federable);
                credential.exposure = Fact::Known(Exposure::Store);
                // A new value is a new secret.
                credential.created_at = Fact::known(secret.updated_at.or(secret.created_at));
                self.inventory.credentials.push(credential);
            }
            let variables = repository
                .variables
                .all()
                .iter()
                .chain(repository.environment_variables.values().flat_map(|list| list.all()));
            for variable in variables {
                match first_job(repository) {
                    Some((path, job)) => {
                        let id = self.job_id(&repository.name, path, job);
                        self.variable(variable, &repository.name, &id);
                    }
                    None => unread.push((variable.clone(), format!("{}/{}", owner.name, repository.name))),
                }
            }
        }
        unread.extend(owner.variables.all().iter().map(|variable| (variable.clone(), owner.name.clone())));
        for (variable, place) in unread {
            let message = format!(
                "the variable {} of {place} holds a secret ({}), which everybody with read access to Actions sees; make it a secret, and a new one",
                variable.name, variable.kind
            );
            self.hint(variable.at.clone(), message);
        }
    }

    fn variable(&mut self, variable: &At<SecretVariable>, repository: &str, identity: &IdentityId) {
        let id = format!("{}:variable:{repository}/{}", self.scope, variable.name);
        let mut credential = self.credential(id, identity, variable.kind, &variable.at);
        credential.is_static = Fact::Known(true);
        credential.exposure = Fact::Known(Exposure::Environment);
        credential.fingerprint = Some(variable.fingerprint);
        credential.created_at = Fact::known(variable.updated_at.or(variable.created_at));
        self.inventory.credentials.push(credential);
    }
}

/// The first job of a repository, which sees its variables like all others.
fn first_job(repository: &RepositoryFacts) -> Option<(&str, &str)> {
    repository.workflows.iter().find_map(|(path, file)| Some((path.as_str(), file.outline.jobs.first()?.key.as_str())))
}
