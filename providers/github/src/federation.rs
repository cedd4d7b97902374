//! The tokens that jobs get: what the settings of organisation and repository make of their subjects.
//!
//! Which subjects a repository can emit is `evenhand_federation`'s to say; here the answers of the API become its plain
//! facts. Whether a cloud accepts such a token is that cloud's business.

use std::sync::Arc;

use evenhand_agents::workflow::{TokenPermissions, Trigger};
use evenhand_federation::github::{Environment, Event, Job, Repository, SubjectForm, tokens};
use evenhand_model::id::IdentityId;
use evenhand_model::token::Bearer;

use crate::documents::GITHUB_COM;
use crate::facts::{OwnerFacts, RepositoryFacts};
use crate::inventory::Run;

/// The tokens of jobs that a repository runs; `identity`: who acts in a job.
pub(crate) fn bearers(
    owner: &OwnerFacts,
    repository: &RepositoryFacts,
    runs: &[Run<'_>],
    identity: &dyn Fn(&Run<'_>) -> IdentityId,
) -> Vec<Bearer> {
    let asking: Vec<(&Run<'_>, bool)> = runs.iter().filter_map(|run| Some((run, may_ask(run)?))).collect();
    if asking.is_empty() {
        return Vec::new();
    }
    let (facts, form_known) = facts(owner, repository);
    let event = |trigger: &Trigger| Event {
        name: trigger.event.as_str().into(),
        branches: trigger.branches.clone(),
        tags: trigger.tags.clone(),
        closed: trigger.event == "pull_request" && trigger.types.iter().any(|kind| kind == "closed"),
    };
    asking
        .into_iter()
        .flat_map(|(run, certain)| {
            let plain = Job {
                events: run.started.file.outline.triggers.iter().map(event).collect(),
                environment: match run.job.environment.as_deref() {
                    None => Environment::None,
                    Some(name) if name.contains("${{") => Environment::Any,
                    Some(name) => Environment::Named(name.into()),
                },
                file: Some(run.started.path.into()),
                calls: run.called.clone().or_else(|| run.job.calls.as_deref().map(Arc::from)),
            };
            let (who, evidence) = (identity(run), run.evidence());
            tokens(&facts, &plain).into_iter().map(move |presented| Bearer {
                identity: who.clone(),
                token: presented.token,
                when: presented.cause.to_string().into(),
                certain: certain && form_known && presented.certain,
                evidence: evidence.clone(),
            })
        })
        .collect()
}

/// Whether a job may ask for tokens, and whether that is certain; `None` = it may not. A called job may where all jobs that
/// lead to it may.
pub(crate) fn may_ask(run: &Run<'_>) -> Option<bool> {
    let certain = run.elsewhere.is_none();
    run.permissions().try_fold(certain, |certain, said| Some(asks(said)? && certain))
}

/// Whether a block of permissions lets ask. No default does.
fn asks(permissions: &TokenPermissions) -> Option<bool> {
    match permissions {
        TokenPermissions::WriteAll => Some(true),
        TokenPermissions::Listed(scopes) => {
            scopes.iter().any(|(scope, level)| scope == "id_token" && level == "write").then_some(true)
        }
        TokenPermissions::Default | TokenPermissions::ReadAll => None,
        TokenPermissions::Unclear => Some(false),
    }
}

/// A repository's plain facts, and whether all that decides over the form of its subjects was read.
fn facts(owner: &OwnerFacts, repository: &RepositoryFacts) -> (Repository, bool) {
    let own = repository.oidc_subject.get().map(|at| &at.value);
    let shared = owner.oidc_subject.get().map(|at| &at.value);
    // A repository that takes GitHub's own template has no keys, one that says nothing has those of the organisation.
    let (keys, known) = match own {
        Some(own) if own.use_default == Some(true) => (None, true),
        Some(own) if own.include_claim_keys.as_ref().is_some_and(|keys| !keys.is_empty()) => {
            (own.include_claim_keys.clone(), true)
        }
        Some(_) => (shared.and_then(|shared| shared.include_claim_keys.clone()), shared.is_some()),
        None => (None, false),
    };
    let subject = SubjectForm {
        include_claim_keys: keys,
        sub_claim_prefix: own.and_then(|own| own.sub_claim_prefix.clone()),
        use_immutable_subject: own
            .and_then(|own| own.use_immutable_subject)
            .or_else(|| shared.and_then(|shared| shared.use_immutable_subject)),
    };
    let described = repository.repository.get().map(|at| &at.value);
    let plain = Repository {
        issuer: issuer_of(&owner.host),
        owner: owner.name.as_str().into(),
        name: repository.name.as_str().into(),
        owner_id: described
            .and_then(|described| described.owner.as_ref()?.id)
            .or_else(|| owner.organisation.get().and_then(|at| at.value.id)),
        id: described.and_then(|described| described.id),
        default_branch: repository.default_branch().map(Arc::from),
        subject,
    };
    (plain, known)
}

/// Who signs the tokens of a host. An enterprise that has an issuer of its own has its name behind the address, which no
/// answer of an organisation tells: trusts in such an issuer are not joined.
fn issuer_of(host: &str) -> Arc<str> {
    match host.strip_suffix(".ghe.com") {
        _ if host == GITHUB_COM => evenhand_federation::github::ISSUER.into(),
        Some(name) => format!("token.actions.{name}.ghe.com").into(),
        None => format!("{host}/_services/token").into(),
    }
}

#[cfg(test)]
mod tests {
    use evenhand_model::evidence::Evidence;
    use evenhand_model::secret::Fingerprinter;
    use evenhand_model::token::Found;

    use super::*;
    use crate::documents::actions::OidcSubject;
    use crate::documents::told::{At, Told};
    use crate::facts::{Facts, WorkflowFile};
    use crate::inventory::Calls;

    fn told(subject: OidcSubject) -> Told<At<OidcSubject>> {
        Told::Read(At { value: subject, at: Evidence::whole("settings") })
    }

    /// The subjects of a job that runs on pushes to `main`, and whether each is certain.
    fn subjects(permissions: &str, own: Told<At<OidcSubject>>, shared: Told<At<OidcSubject>>) -> Vec<(String, bool)> {
        let text = format!(
            "on: {{push: {{branches: [main]}}}}\njobs: {{do: {{runs-on: x, permissions: {permissions}, steps: [{{run: make}}]}}}}\n"
        );
        let outline = evenhand_agents::workflow::outline(&text, &Fingerprinter::keyed("case")).unwrap();
        let document = "https://github.com/acme/shop/ci.yml".into();
        let file = WorkflowFile { outline, runs_agents: false, written: None, document };
        let mut facts = Facts::default();
        let owner = facts.owner(GITHUB_COM, "acme");
        owner.oidc_subject = shared;
        let repository = owner.repository("shop");
        repository.oidc_subject = own;
        repository.workflows.insert(".github/workflows/ci.yml".to_owned(), file);
        let identity = |run: &Run<'_>| IdentityId::new(format!("job:{}", run.keys()));
        let of = |bearer: Bearer| {
            assert_eq!((bearer.identity.as_str(), &*bearer.when), ("job:do", "branch main"));
            assert_eq!(bearer.token.issuer.as_deref(), Some("token.actions.githubusercontent.com"));
            assert_eq!(bearer.evidence.line_number(), Some(2));
            let subject = match bearer.token.find("sub") {
                Found::Texts(texts) => texts.first().map(|text| text.to_string()).unwrap_or_default(),
                other => format!("{other:?}"),
            };
            (subject, bearer.certain)
        };
        let owner = facts.owners().next().unwrap();
        let repository = owner.find("shop").unwrap();
        let started = Calls::of(&facts).started(owner, repository);
        started.iter().flat_map(|started| bearers(owner, repository, &started.runs, &identity)).map(of).collect()
    }

    #[test]
    fn jobs_that_may_ask_for_tokens_bear_the_subjects_that_the_settings_make() {
        let classic = || {
            told(OidcSubject { use_default: Some(true), use_immutable_subject: Some(false), ..OidcSubject::default() })
        };
        let name = "repo:acme/shop:ref:refs/heads/main".to_owned();
        for permissions in ["{contents: read}", "read-all", "{}"] {
            assert_eq!(subjects(permissions, classic(), Told::Unread), [], "{permissions}");
        }
        for permissions in ["{id-token: write}", "write-all"] {
            assert_eq!(subjects(permissions, classic(), Told::Unread), [(name.clone(), true)], "{permissions}");
        }
        assert_eq!(subjects("[id-token]", classic(), Told::Unread), [(name.clone(), false)], "it cannot be told");
        let prefix = told(OidcSubject {
            use_default: Some(true),
            sub_claim_prefix: Some("repo:acme@1/shop@2".to_owned()),
            ..OidcSubject::default()
        });
        let numbers = "repo:acme@1/shop@2:ref:refs/heads/main".to_owned();
        assert_eq!(subjects("write-all", prefix, Told::Unread), [(numbers, true)]);
        // Neither form nor claims are known.
        let open = subjects("write-all", Told::Unread, Told::Unread);
        assert_eq!((open.len(), open.iter().any(|(_, certain)| *certain)), (2, false));
    }

    #[test]
    fn a_repository_without_a_template_has_that_of_its_organisation() {
        let own = || {
            told(OidcSubject { use_default: Some(false), use_immutable_subject: Some(false), ..OidcSubject::default() })
        };
        let keys = ["repository_owner", "repository"].map(str::to_owned).to_vec();
        let shared = told(OidcSubject { include_claim_keys: Some(keys), ..OidcSubject::default() });
        let expected = ("repository_owner:acme:repository:acme/shop".to_owned(), true);
        assert_eq!(subjects("write-all", own(), shared), [expected]);
        let unread = subjects("write-all", own(), Told::Unread);
        assert_eq!(unread, [("repo:acme/shop:ref:refs/heads/main".to_owned(), false)]);
    }

    #[test]
    fn each_host_signs_for_itself() {
        for (host, issuer) in [
            (GITHUB_COM, "token.actions.githubusercontent.com"),
            ("octo.ghe.com", "token.actions.octo.ghe.com"),
            ("git.acme.example", "git.acme.example/_services/token"),
        ] {
            assert_eq!(&*issuer_of(host), issuer);
        }
    }
}
