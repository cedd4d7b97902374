//! Answers become facts, call by call. Values of secrets are judged here and dropped.

use std::sync::Arc;

use base64::Engine as _;
use evenhand_agents::{stored, workflow};
use evenhand_model::evidence::Evidence;
use evenhand_model::json_error;
use evenhand_model::json_shape::{self, Unfit};
use evenhand_model::secret::{Fingerprinter, of_withheld};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::actions::File;
use super::apps::Named;
use super::gates::Ruleset;
use super::keys::{SecretVariable, WrittenVariable};
use super::route::Route;
use super::told::{At, Refused, Told};
use super::{Answer, Problem, page};
use crate::facts::{Facts, List, Unanswered, WorkflowFile, Written};
use crate::inventory::CALLED;

/// The answer under way: where it stands, and what of it cannot be understood.
struct Taking<'a> {
    document: &'a Arc<str>,
    pointer: &'a str,
    page: Arc<str>,
    response: Option<&'a RawValue>,
    problems: Vec<Problem>,
}

impl Taking<'_> {
    fn evidence(&self, below: &str) -> Evidence {
        Evidence::setting(Arc::clone(self.document), format!("{}{below}", self.pointer), Arc::clone(&self.page))
    }

    /// One object.
    fn one<T: DeserializeOwned>(&mut self) -> Option<At<T>> {
        let text = self.response.map_or("null", RawValue::get);
        match json_shape::from_str(text) {
            Ok(value) => Some(At { value, at: self.evidence("") }),
            Err(unfit) => {
                self.problems.push(unlike("", unfit));
                None
            }
        }
    }

    fn told<T: DeserializeOwned>(&mut self, to: &mut Told<At<T>>) {
        if let Some(read) = self.one() {
            *to = Told::Read(read);
        }
    }

    /// A list; an element that cannot be understood costs nobody else's.
    fn elements<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<At<T>>> {
        let text = self.response.map_or("null", RawValue::get);
        let list = if key.is_empty() {
            json_shape::from_str::<Vec<&RawValue>>(text)
        } else {
            json_shape::from_str::<std::collections::BTreeMap<&str, &RawValue>>(text)
                .and_then(|members| json_shape::from_str(members.get(key).map_or("null", |raw| raw.get())))
        };
        let below = if key.is_empty() { String::new() } else { format!("/{key}") };
        match list {
            Ok(list) => Some(
                list.into_iter()
                    .enumerate()
                    .filter_map(|(at, raw)| match json_shape::from_str(raw.get()) {
                        Ok(value) => Some(At { value, at: self.evidence(&format!("{below}/{at}")) }),
                        Err(unfit) => {
                            self.problems.push(unlike(&format!("{below}/{at}"), unfit));
                            None
                        }
                    })
                    .collect(),
            ),
            Err(unfit) => {
                self.problems.push(unlike(&below, unfit));
                None
            }
        }
    }

    fn list<T: DeserializeOwned>(&mut self, key: &str, to: &mut List<T>) {
        if let Some(read) = self.elements(key) {
            to.extend(read);
        }
    }

    fn names(&mut self, to: &mut Told<Vec<Named>>) {
        if let Some(read) = self.elements::<Named>("repositories") {
            to.extend(read.into_iter().map(|named| named.value).collect());
        }
    }

    fn variables(&mut self, keys: &Fingerprinter, to: &mut List<SecretVariable>) {
        let Some(read) = self.elements::<WrittenVariable>("variables") else { return };
        let secret = |written: At<WrittenVariable>| {
            let At { value: variable, at } = written;
            let (kind, fingerprint) = match of_withheld(&variable.value) {
                Some(withheld) => withheld?,
                None => stored::secret_in(&variable.name, &variable.value, keys)?,
            };
            let WrittenVariable { name, created_at, updated_at, .. } = variable;
            Some(At { value: SecretVariable { name, kind, fingerprint, created_at, updated_at }, at })
        };
        to.extend(read.into_iter().filter_map(secret).collect());
    }
}

/// What is wrong with a part of an answer, which stands at a pointer.
fn unlike(above: &str, unfit: Unfit) -> Problem {
    let Unfit { below, error } = unfit.within(above);
    Problem { below, reason: format!("the answer {}", json_error::reason(&error)) }
}

/// Adds an answer to the facts. What cannot be understood is returned; everything else is kept.
pub(crate) fn take(answer: Answer<'_>, document: &Arc<str>, keys: &Fingerprinter, facts: &mut Facts) -> Vec<Problem> {
    let Answer { host, asked, response, error, accepted, pointer } = answer;
    if let Some(refusal) = error {
        let refused = Refused { refusal, accepted: accepted.map(Arc::from) };
        refuse(facts, &host, &asked, refused);
        return Vec::new();
    }
    let mut taking =
        Taking { document, pointer: &pointer, page: page::of(&host, &asked).into(), response, problems: Vec::new() };
    let t = &mut taking;
    match asked.route {
        Route::App => {
            if let Some(app) = t.one() {
                facts.apps.insert((host, asked.at(0).to_owned()), app);
            }
        }
        Route::InstallationRepositories => {
            if let Ok(number) = asked.at(0).parse() {
                t.names(facts.installation_repositories.entry((host, number)).or_default());
            }
        }
        Route::LogStreams => t.list("", facts.log_streams.entry(host).or_default()),
        Route::EnterpriseAgents => {}
        route if route.is_of_repository() => {
            let owner = facts.owner(&host, asked.at(0));
            let (login, repository) = (owner.name.clone(), owner.repository(asked.at(1)));
            of_repository(t, &asked, (&host, &login), keys, repository);
        }
        _ => of_owner(t, &asked, keys, facts.owner(&host, asked.at(0))),
    }
    taking.problems
}

fn of_owner(t: &mut Taking<'_>, asked: &super::Asked, keys: &Fingerprinter, owner: &mut crate::facts::OwnerFacts) {
    let second = || asked.at(1).to_owned();
    let number = || asked.at(1).parse::<u64>().unwrap_or_default();
    match asked.route {
        Route::Organisation => t.told(&mut owner.organisation),
        Route::Repositories => {
            let Some(list) = t.elements::<super::actions::Repository>("") else { return };
            owner.repositories_listed = Told::Read(t.evidence(""));
            for repository in list {
                let page = format!("https://{}/{}", owner.host, repository.full_name);
                let name = repository.name.clone();
                let at = match &repository.at.place {
                    evenhand_model::evidence::Place::Setting { pointer, .. } => {
                        Evidence::setting(Arc::clone(t.document), Arc::clone(pointer), page)
                    }
                    _ => repository.at.clone(),
                };
                owner.listed.insert(name.to_lowercase());
                let held = owner.repository(&name);
                if !held.repository.is_read() {
                    held.repository = Told::Read(At { value: repository.value, at });
                }
            }
        }
        Route::Members => t.list("", &mut owner.members),
        Route::Owners => t.list("", &mut owner.owners),
        Route::MembersWithoutSecondFactor => t.list("", &mut owner.without_second_factor),
        Route::OutsideCollaborators => t.list("", &mut owner.outside_collaborators),
        Route::Teams => t.list("", &mut owner.teams),
        Route::TeamMembers => t.list("", owner.team_members.entry(second()).or_default()),
        Route::TeamRepositories => t.list("", owner.team_repositories.entry(second()).or_default()),
        Route::OrganisationRoles => t.list("roles", &mut owner.roles),
        Route::OrganisationRoleUsers => t.list("", owner.role_users.entry(number()).or_default()),
        Route::OrganisationRoleTeams => t.list("", owner.role_teams.entry(number()).or_default()),
        Route::CustomRepositoryRoles => t.list("custom_roles", &mut owner.custom_roles),
        Route::Installations => t.list("installations", &mut owner.installations),
        Route::TokenGrants => t.list("", &mut owner.token_grants),
        Route::TokenGrantRepositories => {
            let Some(read) = t.elements::<Named>("") else { return };
            let names = read.into_iter().map(|named| named.value).collect();
            owner.token_repositories.entry(number()).or_default().extend(names);
        }
        Route::TokenRequests => t.list("", &mut owner.token_requests),
        Route::CredentialAuthorisations => t.list("", &mut owner.authorisations),
        Route::OrganisationHooks => t.list("", &mut owner.hooks),
        Route::OrganisationSecrets => t.list("secrets", &mut owner.secrets),
        Route::OrganisationSecretRepositories => t.names(owner.secret_repositories.entry(second()).or_default()),
        Route::OrganisationVariables => t.variables(keys, &mut owner.variables),
        Route::OrganisationAgentSecrets => t.list("secrets", &mut owner.agent_secrets),
        Route::OrganisationAgentSecretRepositories => {
            t.names(owner.agent_secret_repositories.entry(second()).or_default());
        }
        Route::OrganisationAgentVariables => t.variables(keys, &mut owner.agent_variables),
        Route::OrganisationDependabotSecrets => t.list("secrets", &mut owner.dependabot_secrets),
        Route::OrganisationDependabotSecretRepositories => {
            t.names(owner.dependabot_secret_repositories.entry(second()).or_default());
        }
        Route::OrganisationCodespacesSecrets => t.list("secrets", &mut owner.codespaces_secrets),
        Route::OrganisationCodespacesSecretRepositories => {
            t.names(owner.codespaces_secret_repositories.entry(second()).or_default());
        }
        Route::PrivateRegistries => t.list("configurations", &mut owner.private_registries),
        Route::OrganisationWorkflowDefaults => t.told(&mut owner.workflow_defaults),
        Route::OrganisationActions => t.told(&mut owner.actions),
        Route::OrganisationOidcSubject => t.told(&mut owner.oidc_subject),
        Route::OrganisationRunners => t.list("runners", &mut owner.runners),
        Route::RunnerGroups => t.list("runner_groups", &mut owner.runner_groups),
        Route::RunnerGroupRepositories => t.names(owner.group_repositories.entry(number()).or_default()),
        // The list names no actors; each ruleset has an answer of its own.
        Route::OrganisationRulesets => {
            let _ = t.elements::<Ruleset>("");
        }
        Route::OrganisationRuleset => {
            if let Some(ruleset) = t.one::<Ruleset>() {
                owner.rulesets.insert(number(), ruleset);
            }
        }
        Route::CopilotBilling => t.told(&mut owner.copilot),
        Route::CopilotSeats => t.list("seats", &mut owner.seats),
        Route::CopilotAgent => t.told(&mut owner.copilot_agent),
        Route::CopilotAgentRepositories => t.names(&mut owner.copilot_agent_repositories),
        Route::AuditLog => owner.audit_log = Told::Read(t.evidence("")),
        _ => {}
    }
}

fn of_repository(
    t: &mut Taking<'_>,
    asked: &super::Asked,
    (host, owner): (&str, &str),
    keys: &Fingerprinter,
    repository: &mut crate::facts::RepositoryFacts,
) {
    let third = || asked.at(2).to_owned();
    match asked.route {
        Route::Repository => t.told(&mut repository.repository),
        Route::Collaborators => t.list("", &mut repository.collaborators),
        Route::RepositoryTeams => t.list("", &mut repository.teams),
        Route::DeployKeys => t.list("", &mut repository.keys),
        Route::RepositoryHooks => t.list("", &mut repository.hooks),
        Route::RepositorySecrets => t.list("secrets", &mut repository.secrets),
        Route::SharedSecrets => t.list("secrets", &mut repository.shared_secrets),
        Route::RepositoryVariables => t.variables(keys, &mut repository.variables),
        Route::RepositoryAgentSecrets => t.list("secrets", &mut repository.agent_secrets),
        Route::RepositoryAgentVariables => t.variables(keys, &mut repository.agent_variables),
        Route::RepositoryDependabotSecrets => t.list("secrets", &mut repository.dependabot_secrets),
        Route::RepositoryCodespacesSecrets => t.list("secrets", &mut repository.codespaces_secrets),
        Route::RepositoryActions => t.told(&mut repository.actions),
        Route::ActionsAccess => t.told(&mut repository.actions_access),
        Route::RepositoryWorkflowDefaults => t.told(&mut repository.workflow_defaults),
        Route::ForkApproval => t.told(&mut repository.fork_approval),
        Route::RepositoryOidcSubject => t.told(&mut repository.oidc_subject),
        Route::RepositoryRunners => t.list("runners", &mut repository.runners),
        Route::Branches => t.list("", &mut repository.branches),
        Route::Environments => t.list("environments", &mut repository.environments),
        Route::EnvironmentSecrets => t.list("secrets", repository.environment_secrets.entry(third()).or_default()),
        Route::EnvironmentVariables => t.variables(keys, repository.environment_variables.entry(third()).or_default()),
        Route::EnvironmentBranches => {
            t.list("branch_policies", repository.environment_branches.entry(third()).or_default());
        }
        Route::RepositoryRulesets => t.list("", &mut repository.rulesets_listed),
        Route::RepositoryRuleset => {
            if let (Some(ruleset), Ok(number)) = (t.one::<Ruleset>(), asked.at(2).parse()) {
                repository.rulesets.insert(number, ruleset);
            }
        }
        Route::EffectiveRules => t.list("", repository.effective_rules.entry(third()).or_default()),
        Route::BranchProtection => {
            if let Some(protection) = t.one() {
                repository.protection.insert(third(), Told::Read(Some(protection)));
            }
        }
        Route::CopilotConfiguration => t.told(&mut repository.copilot),
        Route::WorkflowFiles => {
            let Some(files) = t.elements::<File>("") else { return };
            let paths = files.into_iter().map(|file| file.value.path).filter(|path| is_workflow(path)).collect();
            repository.workflow_paths.extend(paths);
        }
        Route::File if is_workflow(asked.at(2)) => {
            let name = repository.name.clone();
            let document: Arc<str> = page::file(host, owner, &name, asked.at(2)).into();
            let Some(text) = t.one::<File>().and_then(|file| text(t, file.value)) else { return };
            match read_workflow(&text, keys, document) {
                Ok(file) => {
                    repository.workflows.insert(third(), file);
                }
                Err(error) => t.problems.push(Problem { below: "/content".to_owned(), reason: error.to_string() }),
            }
        }
        _ => {}
    }
}

fn is_workflow(path: &str) -> bool {
    path.strip_prefix(".github/workflows/").is_some_and(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
}

/// The text of a file.
fn text(t: &mut Taking<'_>, file: File) -> Option<String> {
    let content = file.content?;
    if file.encoding.as_deref() != Some("base64") {
        return Some(content);
    }
    let packed: String = content.split_ascii_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    if text.is_none() {
        t.problems
            .push(Problem { below: "/content".to_owned(), reason: "the content is no text in base64".to_owned() });
    }
    text
}

fn read_workflow(
    text: &str,
    keys: &Fingerprinter,
    document: Arc<str>,
) -> Result<WorkflowFile, workflow::WorkflowError> {
    let outline = workflow::outline(text, keys)?;
    let runs_agents = workflow::runs_agents(text);
    let written = (runs_agents || takes_part(&outline)).then(|| Written(text.to_owned()));
    Ok(WorkflowFile { outline, runs_agents, written, document })
}

/// Whether a workflow takes part in calls: it calls, or may be called.
fn takes_part(outline: &workflow::Outline) -> bool {
    outline.events.iter().any(|event| event == CALLED) || outline.jobs.iter().any(|job| job.calls.is_some())
}

/// Notes that a call brought no answer. Some refusals are answers: a branch that is not protected, a repository without
/// workflows.
fn refuse(facts: &mut Facts, host: &str, asked: &super::Asked, refused: Refused) {
    let absent = refused.status() == Some(404);
    let owner = match asked.route {
        Route::App | Route::EnterpriseAgents | Route::LogStreams => return,
        Route::InstallationRepositories => {
            if let Ok(number) = asked.at(0).parse() {
                facts.installation_repositories.entry((host.to_owned(), number)).or_default().refuse(refused);
            }
            return;
        }
        _ => facts.owner(host, asked.at(0)),
    };
    let of_repository = asked.route.is_of_repository();
    // That one which was named was not found makes no repository of it.
    if of_repository && asked.route != Route::Repository {
        let repository = owner.repository(asked.at(1));
        let said = refused.refusal.code.to_ascii_lowercase();
        match asked.route {
            Route::BranchProtection => {
                let told = repository.protection.entry(asked.at(2).to_owned()).or_default();
                if absent && said.contains("not protected") {
                    *told = Told::Read(None);
                    return;
                }
                told.refuse(refused.clone());
            }
            Route::WorkflowFiles if absent => {
                repository.workflow_paths = Told::Read(Vec::new());
                return;
            }
            // An empty repository has no rules' branch and no files.
            Route::File if absent => return,
            Route::EffectiveRules => {
                repository.effective_rules.entry(asked.at(2).to_owned()).or_default().refuse(refused.clone());
            }
            Route::WorkflowFiles => repository.workflow_paths.refuse(refused.clone()),
            Route::DeployKeys => repository.keys.refuse(refused.clone()),
            _ => {}
        }
    }
    owner.unanswered.push(Unanswered {
        route: asked.route,
        repository: of_repository.then(|| asked.at(1).to_owned()),
        refusal: refused.refusal,
        accepted: refused.accepted,
    });
}
