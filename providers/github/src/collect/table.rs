//! How each call is made: what fills its path, how its answer is paged, and what of it must not reach the disk.
//!
//! The paths and what is unknown without them are in [`crate::documents::route`].

use std::collections::BTreeSet;

use evenhand_model::refusal::Refusal;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::documents::calls::Call;
use crate::documents::route::Route;

/// What a call is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Reach {
    /// An organisation, once.
    Organisation,
    /// Each repository.
    Repository,
    /// An enterprise, once; only where one is named.
    Enterprise,
}

/// Where the elements of an answer are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pages {
    /// It is one object.
    One,
    /// It is a list.
    List,
    /// It is an object with a list.
    Member(&'static str),
    /// It is a list of which the first element is enough.
    First,
}

/// What leads to a call: it is made for each element of another one's answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each {
    /// The other call.
    pub(crate) of: Route,
    /// What of the element fills the path, as a JSON pointer.
    pub(crate) take: &'static str,
    /// Only elements that have one of these values there.
    pub(crate) only: Option<(&'static str, &'static [&'static str])>,
}

/// A call, and how it is made.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) route: Route,
    pub(crate) reach: Reach,
    pub(crate) pages: Pages,
    pub(crate) each: Option<Each>,
    /// Elements of a page at most, as GitHub allows; 0 = it has no pages.
    pub(crate) most: usize,
    /// What is added to the query, beside the paging.
    pub(crate) query: &'static str,
    /// Members whose values are replaced, as JSON pointers in which `*` is any element.
    pub(crate) withheld: &'static [&'static str],
    /// The plan without which there is nothing to answer.
    pub(crate) plan: Option<&'static str>,
}

const CLOUD: Option<&str> = Some("GitHub Enterprise Cloud");
const COPILOT: Option<&str> = Some("Copilot Business or Enterprise");

const fn step(reach: Reach, route: Route, pages: Pages) -> Step {
    Step { route, reach, pages, each: None, most: 100, query: "", withheld: &[], plan: None }
}

const fn org(route: Route, pages: Pages) -> Step {
    step(Reach::Organisation, route, pages)
}

const fn repo(route: Route, pages: Pages) -> Step {
    step(Reach::Repository, route, pages)
}

const fn each(of: Route, take: &'static str) -> Option<Each> {
    Some(Each { of, take, only: None })
}

const fn each_that(
    of: Route,
    take: &'static str,
    place: &'static str,
    values: &'static [&'static str],
) -> Option<Each> {
    Some(Each { of, take, only: Some((place, values)) })
}

/// Addresses of webhooks may be secrets by themselves.
const HOOK: &[&str] =
    &["/*/config/url", "/*/config/secret", "/*/config/username", "/*/config/password", "/*/config/token"];
/// Addresses of a private repository's files bear a token.
const DOWNLOADS: &[&str] = &["/*/download_url"];
const DOWNLOAD: &[&str] = &["/download_url"];
/// With which a repository can be cloned for a while, and those that it comes from.
const CLONED: &[&str] = &[
    "/temp_clone_token",
    "/parent/temp_clone_token",
    "/source/temp_clone_token",
    "/template_repository/temp_clone_token",
];
const CLONES: &[&str] = &["/*/temp_clone_token"];
const MEMBER_CLONES: &[&str] = &["/repositories/*/temp_clone_token"];
const VALUES: &[&str] = &["/variables/*/value"];
/// Addresses of registries may name who reads them.
const REGISTRIES: &[&str] = &["/configurations/*/url"];
const SELECTED: &[&str] = &["selected"];

use Pages::{First, List, Member, One};

/// Every call, each after the one that leads to it.
pub(crate) static STEPS: &[Step] = &[
    org(Route::Organisation, One),
    Step { withheld: CLONES, ..org(Route::Repositories, List) },
    org(Route::MembersWithoutSecondFactor, List),
    org(Route::Owners, List),
    org(Route::Members, List),
    org(Route::OutsideCollaborators, List),
    org(Route::Teams, List),
    Step { each: each(Route::Teams, "/slug"), ..org(Route::TeamMembers, List) },
    Step { each: each(Route::Teams, "/slug"), withheld: CLONES, ..org(Route::TeamRepositories, List) },
    Step { most: 0, ..org(Route::OrganisationRoles, Member("roles")) },
    Step { each: each(Route::OrganisationRoles, "/id"), ..org(Route::OrganisationRoleUsers, List) },
    Step { each: each(Route::OrganisationRoles, "/id"), ..org(Route::OrganisationRoleTeams, List) },
    Step { plan: CLOUD, most: 0, ..org(Route::CustomRepositoryRoles, Member("custom_roles")) },
    org(Route::Installations, Member("installations")),
    Step {
        each: each_that(Route::Installations, "/id", "/repository_selection", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::InstallationRepositories, Member("repositories"))
    },
    Step { each: each(Route::Installations, "/app_slug"), ..org(Route::App, One) },
    org(Route::TokenGrants, List),
    Step {
        each: each_that(Route::TokenGrants, "/id", "/repository_selection", &["subset"]),
        withheld: CLONES,
        ..org(Route::TokenGrantRepositories, List)
    },
    org(Route::TokenRequests, List),
    Step { plan: CLOUD, ..org(Route::CredentialAuthorisations, List) },
    Step { withheld: HOOK, ..org(Route::OrganisationHooks, List) },
    org(Route::OrganisationSecrets, Member("secrets")),
    Step {
        each: each_that(Route::OrganisationSecrets, "/name", "/visibility", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::OrganisationSecretRepositories, Member("repositories"))
    },
    Step { withheld: VALUES, most: 30, ..org(Route::OrganisationVariables, Member("variables")) },
    org(Route::OrganisationAgentSecrets, Member("secrets")),
    Step {
        each: each_that(Route::OrganisationAgentSecrets, "/name", "/visibility", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::OrganisationAgentSecretRepositories, Member("repositories"))
    },
    Step { withheld: VALUES, most: 30, ..org(Route::OrganisationAgentVariables, Member("variables")) },
    org(Route::OrganisationDependabotSecrets, Member("secrets")),
    Step {
        each: each_that(Route::OrganisationDependabotSecrets, "/name", "/visibility", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::OrganisationDependabotSecretRepositories, Member("repositories"))
    },
    org(Route::OrganisationCodespacesSecrets, Member("secrets")),
    Step {
        each: each_that(Route::OrganisationCodespacesSecrets, "/name", "/visibility", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::OrganisationCodespacesSecretRepositories, Member("repositories"))
    },
    Step { withheld: REGISTRIES, ..org(Route::PrivateRegistries, Member("configurations")) },
    org(Route::OrganisationWorkflowDefaults, One),
    org(Route::OrganisationActions, One),
    org(Route::OrganisationOidcSubject, One),
    org(Route::OrganisationRunners, Member("runners")),
    org(Route::RunnerGroups, Member("runner_groups")),
    Step {
        each: each_that(Route::RunnerGroups, "/id", "/visibility", SELECTED),
        withheld: MEMBER_CLONES,
        ..org(Route::RunnerGroupRepositories, Member("repositories"))
    },
    org(Route::OrganisationRulesets, List),
    Step { each: each(Route::OrganisationRulesets, "/id"), ..org(Route::OrganisationRuleset, One) },
    Step { plan: COPILOT, ..org(Route::CopilotBilling, One) },
    Step { plan: COPILOT, ..org(Route::CopilotSeats, Member("seats")) },
    Step { plan: COPILOT, ..org(Route::CopilotAgent, One) },
    Step {
        each: each_that(Route::CopilotAgent, "", "/enabled_repositories", SELECTED),
        plan: COPILOT,
        withheld: MEMBER_CLONES,
        ..org(Route::CopilotAgentRepositories, Member("repositories"))
    },
    Step { plan: CLOUD, ..org(Route::AuditLog, First) },
    Step { withheld: CLONED, ..repo(Route::Repository, One) },
    repo(Route::Collaborators, List),
    repo(Route::RepositoryTeams, List),
    repo(Route::DeployKeys, List),
    Step { withheld: HOOK, ..repo(Route::RepositoryHooks, List) },
    repo(Route::RepositorySecrets, Member("secrets")),
    repo(Route::SharedSecrets, Member("secrets")),
    Step { withheld: VALUES, most: 30, ..repo(Route::RepositoryVariables, Member("variables")) },
    repo(Route::RepositoryAgentSecrets, Member("secrets")),
    Step { withheld: VALUES, most: 30, ..repo(Route::RepositoryAgentVariables, Member("variables")) },
    repo(Route::RepositoryDependabotSecrets, Member("secrets")),
    repo(Route::RepositoryCodespacesSecrets, Member("secrets")),
    repo(Route::RepositoryActions, One),
    repo(Route::ActionsAccess, One),
    repo(Route::RepositoryWorkflowDefaults, One),
    repo(Route::ForkApproval, One),
    repo(Route::RepositoryOidcSubject, One),
    repo(Route::RepositoryRunners, Member("runners")),
    Step { query: "protected=true", ..repo(Route::Branches, List) },
    repo(Route::Environments, Member("environments")),
    Step { each: each(Route::Environments, "/name"), ..repo(Route::EnvironmentSecrets, Member("secrets")) },
    Step {
        each: each(Route::Environments, "/name"),
        withheld: VALUES,
        most: 30,
        ..repo(Route::EnvironmentVariables, Member("variables"))
    },
    Step {
        each: each_that(Route::Environments, "/name", "/deployment_branch_policy/custom_branch_policies", &["true"]),
        ..repo(Route::EnvironmentBranches, Member("branch_policies"))
    },
    Step {
        each: each(Route::Environments, "/name"),
        most: 0,
        ..repo(Route::EnvironmentGates, Member("custom_deployment_protection_rules"))
    },
    repo(Route::RepositoryRulesets, List),
    Step {
        each: each_that(Route::RepositoryRulesets, "/id", "/source_type", &["Repository"]),
        ..repo(Route::RepositoryRuleset, One)
    },
    Step { each: each(Route::Repository, "/default_branch"), ..repo(Route::EffectiveRules, List) },
    Step { each: each(Route::Repository, "/default_branch"), ..repo(Route::BranchProtection, One) },
    Step { withheld: &["/mcp_configuration"], plan: COPILOT, ..repo(Route::CopilotConfiguration, One) },
    Step { most: 0, withheld: DOWNLOADS, ..repo(Route::WorkflowFiles, List) },
    Step {
        each: each_that(Route::WorkflowFiles, "/path", "/type", &["file"]),
        withheld: DOWNLOAD,
        ..repo(Route::File, One)
    },
    Step { most: 0, ..step(Reach::Enterprise, Route::LogStreams, List) },
    Step { plan: COPILOT, ..step(Reach::Enterprise, Route::EnterpriseAgents, Member("custom_agents")) },
];

/// Everything but what may stand in a path as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What fills a path but for what leads to it: an organisation, a repository of it, an enterprise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Of {
    Organisation(String),
    Repository(String, String),
    Enterprise(String),
}

impl Of {
    /// For people.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Organisation(name) | Self::Enterprise(name) => name.clone(),
            Self::Repository(owner, name) => format!("{owner}/{name}"),
        }
    }
}

impl Step {
    /// What is known of the call.
    pub(crate) fn call(&self) -> &'static Call {
        // The table of calls holds every route: a test says so.
        static NONE: Call =
            Call { route: Route::Organisation, path: "", permission: "", lost: evenhand_model::gap::Lost::of("", &[]) };
        self.route.call().unwrap_or(&NONE)
    }

    /// What it is the whole of, in a word; who is not told of that is told nothing else about it.
    pub(crate) fn whole(&self) -> Option<&'static str> {
        match self.route {
            Route::Organisation => Some("organisation"),
            Route::Repository => Some("repository"),
            _ => None,
        }
    }

    /// The plan without which there is nothing to answer, where a refusal may say that.
    pub(crate) fn plan_lacking(&self, refusal: &Refusal) -> Option<&'static str> {
        self.plan.filter(|_| refusal.code.starts_with("404"))
    }

    /// What would be enough for an answer: as GitHub says, else as its documentation does. What a token may not see, GitHub
    /// says is not there, and then it names no permission.
    pub(crate) fn needs(&self, refusal: &Refusal, accepted: Option<&str>) -> Option<String> {
        let hidden = refusal.code.starts_with("403") || refusal.code.starts_with("404");
        let documented = Some(self.call().permission).filter(|needs| hidden && !needs.is_empty());
        let needs = accepted.or(documented).map(|needs| format!("needs {needs}"));
        match (self.plan_lacking(refusal), needs) {
            (Some(plan), Some(needs)) => Some(format!("{plan} only, {needs}")),
            (Some(plan), None) => Some(format!("{plan} only")),
            (None, needs) => needs,
        }
    }

    /// The steps of a reach.
    pub(crate) fn of(reach: Reach) -> impl Iterator<Item = &'static Self> {
        STEPS.iter().filter(move |step| step.reach == reach)
    }

    /// Whether it brings the content of a file.
    pub(crate) fn holds_text(&self) -> bool {
        self.route == Route::File
    }

    /// Whether its answer decides what else is asked.
    pub(crate) fn is_leading(&self) -> bool {
        self.route == Route::Repositories || self.leads_to().next().is_some()
    }

    /// Whether its answer is asked for again when a collection goes on: what else is asked depends on it, or whether all of
    /// that was named.
    pub(crate) fn is_asked_again(&self) -> bool {
        self.is_leading() || self.route == Route::Organisation
    }

    /// The steps that this one leads to.
    pub(crate) fn leads_to(&self) -> impl Iterator<Item = (&'static Self, Each)> + use<> {
        let route = self.route;
        STEPS.iter().filter_map(move |step| Some((step, step.each.filter(|each| each.of == route)?)))
    }

    /// The path, with the query that matters; `value` is what led to it.
    pub(crate) fn path(&self, of: &Of, value: &str) -> String {
        let mut filled: Vec<&str> = match of {
            Of::Organisation(name) | Of::Enterprise(name) => vec![name],
            Of::Repository(owner, name) => vec![owner, name],
        };
        let template = self.call().path;
        // These are about the organisation, and do not name it.
        if !["/orgs/", "/repos/", "/enterprises/"].iter().any(|top| template.starts_with(top)) {
            filled.clear();
        }
        filled.push(value);
        let mut values = filled.into_iter();
        let (path, query) = template.split_once('?').map_or((template, ""), |(path, query)| (path, query));
        let mut text = String::new();
        for part in path.split('/').skip(1) {
            text.push('/');
            match part.strip_prefix('{') {
                None => text.push_str(part),
                Some(name) => {
                    let value = values.next().unwrap_or_default();
                    let encoded = utf8_percent_encode(value, ENCODED).to_string();
                    text.push_str(&if name.ends_with("+}") { encoded } else { encoded.replace('/', "%2F") });
                }
            }
        }
        let query: Vec<&str> = [query, self.query].into_iter().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { text } else { format!("{text}?{}", query.join("&")) }
    }

    /// The path with what asks for a page of so many elements.
    pub(crate) fn page(&self, path: &str, page: usize) -> String {
        let size = match self.pages {
            Pages::One => return path.to_owned(),
            Pages::First => 1,
            Pages::List | Pages::Member(_) if self.most == 0 => return path.to_owned(),
            Pages::List | Pages::Member(_) => page.min(self.most),
        };
        format!("{path}{}per_page={size}", if path.contains('?') { '&' } else { '?' })
    }

    /// The document of the answers, below the folder of an organisation.
    pub(crate) fn document(&self) -> String {
        let path = self.call().path;
        let path =
            path.strip_prefix("/orgs/{org}").or_else(|| path.strip_prefix("/enterprises/{enterprise}")).unwrap_or(path);
        let words = path.split(['/', '?', '=']).filter(|part| !part.is_empty() && !part.starts_with('{'));
        let name = words.collect::<Vec<_>>().join("-");
        match name.as_str() {
            "" => "organization".to_owned(),
            // The list of them has a document of its own.
            _ if path.ends_with('}') => format!("{name}-each"),
            _ => name,
        }
    }
}

impl Each {
    /// What an element fills the path with, if it leads to the call.
    pub(crate) fn value(&self, element: &Value) -> Option<String> {
        let text = |place: &str| match element.pointer(place)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        if let Some((place, values)) = self.only
            && !text(place).is_some_and(|held| values.contains(&held.as_str()))
        {
            return None;
        }
        if self.of == Route::WorkflowFiles && !text("/path").is_some_and(|path| is_workflow(&path)) {
            return None;
        }
        if self.take.is_empty() { Some(String::new()) } else { text(self.take).filter(|text| is_sound(text)) }
    }
}

/// Whether a file of the folder is a workflow.
fn is_workflow(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

/// Whether a text may be part of a path: none that leads elsewhere.
fn is_sound(text: &str) -> bool {
    let climbs = text.split('/').any(|part| matches!(part, "" | "." | ".."));
    !climbs && text.len() <= 1024 && !text.chars().any(char::is_control)
}

/// Whether a name can be one of an organisation, an enterprise or a repository.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    is_sound(text) && text.len() <= 100 && text.bytes().all(plain)
}

/// Whether a refusal is an answer: what was asked for is known not to be there.
pub(crate) fn is_answer(route: Route, refusal: &Refusal) -> bool {
    let absent = refusal.code.starts_with("404");
    match route {
        Route::BranchProtection => absent && refusal.code.to_ascii_lowercase().contains("not protected"),
        Route::WorkflowFiles | Route::File => absent,
        _ => false,
    }
}

/// The values that lead to steps, by step.
pub(crate) type Leads = std::collections::BTreeMap<Route, BTreeSet<String>>;

#[cfg(test)]
mod tests {
    use evenhand_model::refusal::Why;
    use serde_json::json;

    use super::*;
    use crate::documents::calls::CALLS;
    use crate::documents::route::Asked;

    fn of(reach: Reach) -> Of {
        match reach {
            Reach::Organisation => Of::Organisation("acme".to_owned()),
            Reach::Repository => Of::Repository("acme".to_owned(), "shop".to_owned()),
            Reach::Enterprise => Of::Enterprise("group".to_owned()),
        }
    }

    #[test]
    fn every_call_that_is_understood_is_made_once_and_after_what_leads_to_it() {
        let made: Vec<Route> = STEPS.iter().map(|step| step.route).collect();
        let known: BTreeSet<Route> = CALLS.iter().map(|call| call.route).collect();
        assert_eq!(made.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(made.len(), known.len());
        for (at, step) in STEPS.iter().enumerate() {
            assert_eq!(step.call().route, step.route);
            if let Some(each) = step.each {
                let leading = made.iter().position(|route| *route == each.of).unwrap();
                assert!(leading < at && STEPS[leading].reach == step.reach, "{:?}", step.route);
            }
        }
    }

    #[test]
    fn what_is_asked_is_told_from_its_path() {
        for step in STEPS {
            let path = step.path(&of(step.reach), "x y");
            let asked = Asked::parse(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(asked.route, step.route, "{path}");
            assert_eq!(
                step.each.is_some_and(|each| !each.take.is_empty()),
                asked.of.contains(&"x y".to_owned()),
                "{path}"
            );
        }
    }

    #[test]
    fn no_two_calls_of_an_organisation_share_a_document() {
        let steps: Vec<&Step> = STEPS.iter().filter(|step| step.reach != Reach::Repository).collect();
        let names: BTreeSet<String> = steps.iter().map(|step| step.document()).collect();
        assert_eq!(names.len(), steps.len());
        assert!(names.iter().all(|name| is_name(name)), "{names:?}");
    }

    #[test]
    fn only_elements_that_fit_lead_on_and_none_leads_elsewhere() {
        let step = |route: Route| STEPS.iter().find(|step| step.route == route).unwrap();
        let value = |route: Route, element: Value| step(route).each.unwrap().value(&element);
        let app = |selection: &str| json!({"id": 7, "repository_selection": selection});
        assert_eq!(value(Route::InstallationRepositories, app("selected")).as_deref(), Some("7"));
        assert_eq!(value(Route::InstallationRepositories, app("all")), None);
        let policy =
            |custom: bool| json!({"name": "prod/eu", "deployment_branch_policy": {"custom_branch_policies": custom}});
        assert_eq!(value(Route::EnvironmentBranches, policy(true)).as_deref(), Some("prod/eu"));
        assert_eq!(value(Route::EnvironmentBranches, policy(false)), None);
        for (path, leads) in
            [(".github/workflows/ci.yml", true), (".github/workflows/README.md", false), ("../../x.yml", false)]
        {
            assert_eq!(value(Route::File, json!({"path": path, "type": "file"})).is_some(), leads, "{path}");
        }
        assert_eq!(value(Route::TeamMembers, json!({"slug": "../../orgs/other"})), None);
        let asked = step(Route::EnvironmentSecrets).path(&of(Reach::Repository), "prod/eu");
        assert_eq!(asked, "/repos/acme/shop/environments/prod%2Feu/secrets");
        let asked = step(Route::BranchProtection).path(&of(Reach::Repository), "rel/1#2");
        assert_eq!(asked, "/repos/acme/shop/branches/rel/1%232/protection");
        assert_eq!(
            step(Route::Owners).page("/orgs/acme/members?role=admin", 100),
            "/orgs/acme/members?role=admin&per_page=100"
        );
    }

    #[test]
    fn a_branch_without_protection_is_an_answer_and_one_that_is_hidden_is_none() {
        for (route, code, answer) in [
            (Route::BranchProtection, "404 Branch not protected", true),
            (Route::BranchProtection, "404 Not Found", false),
            (Route::WorkflowFiles, "404 Not Found", true),
            (Route::DeployKeys, "404 Not Found", false),
            (Route::WorkflowFiles, "403 Forbidden", false),
        ] {
            assert_eq!(is_answer(route, &Refusal::new(code, Why::Refused)), answer, "{route:?} {code}");
        }
    }
}
