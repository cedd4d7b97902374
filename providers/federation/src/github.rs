//! The tokens that workflows of a GitHub repository can get, from plain facts about both.
//!
//! A workflow that may run on any branch can get any of endlessly many subjects, so subjects are patterns: whoever may
//! start the workflow has the choice. Facts that are not known make patterns wider, never narrower.

use std::fmt;
use std::sync::Arc;

use evenhand_model::glob::{Glob, Token as Piece};
use evenhand_model::token::{Claim, Token};

/// The issuer of github.com, without scheme.
pub const ISSUER: &str = "token.actions.githubusercontent.com";

/// A repository, as far as its tokens tell of it.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// Who signs its tokens, without scheme; see [`ISSUER`].
    pub issuer: Arc<str>,
    /// Who owns it.
    pub owner: Arc<str>,
    /// Its name, without the owner.
    pub name: Arc<str>,
    /// The owner's number.
    pub owner_id: Option<u64>,
    /// Its own number.
    pub id: Option<u64>,
    /// The branch that events without a branch of their own run on.
    pub default_branch: Option<Arc<str>>,
    /// How its subjects are made.
    pub subject: SubjectForm,
}

/// How subjects are made, in the words of `GET …/actions/oidc/customization/sub`.
#[derive(Clone, Debug, Default)]
pub struct SubjectForm {
    /// The claims that subjects are made of; `None`: `repo` and `context`.
    pub include_claim_keys: Option<Vec<String>>,
    /// What subjects begin with. Where it is known it decides: it may hold numbers where `use_immutable_subject` is false.
    pub sub_claim_prefix: Option<String>,
    /// Whether names in subjects carry their numbers; `None` where it is not known, and both forms are possible.
    pub use_immutable_subject: Option<bool>,
}

/// What starts a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name, as below `on:`.
    pub name: Arc<str>,
    /// The branches that it is limited to, as written; `None`: no limit.
    pub branches: Option<Vec<String>>,
    /// The tags that it is limited to, as written; `None`: no limit.
    pub tags: Option<Vec<String>>,
    /// Whether closing a proposal starts it too (`types: [closed]`).
    pub closed: bool,
}

/// The environment of a job.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Environment {
    /// It names none.
    #[default]
    None,
    /// It names this one.
    Named(Arc<str>),
    /// It names one that an expression decides.
    Any,
}

/// A job that may ask for tokens (`id-token: write`).
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// What starts its workflow.
    pub events: Vec<Event>,
    /// Its environment.
    pub environment: Environment,
    /// The file of its workflow, from the root of the repository.
    pub file: Option<Arc<str>>,
    /// The reusable workflow that it stands in or calls, as written behind `uses:`; the reference may be written in full
    /// (`refs/heads/main`), and is otherwise that of a branch or of a tag.
    pub calls: Option<Arc<str>>,
}

/// In which context a job gets a token.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// It runs on branches that fit.
    Branch(Arc<str>),
    /// It runs on tags that fit.
    Tag(Arc<str>),
    /// It runs for a pull request.
    PullRequest,
    /// It runs in environments that fit.
    Environment(Arc<str>),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) if &**name == "*" => f.write_str("any branch"),
            Self::Branch(name) => write!(f, "branch {name}"),
            Self::Tag(name) if &**name == "*" => f.write_str("any tag"),
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::PullRequest => f.write_str("pull requests"),
            Self::Environment(name) if &**name == "*" => f.write_str("any environment"),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}

/// A token that a job can get.
#[derive(Clone, Debug, PartialEq)]
pub struct Presented {
    /// The token; claims that the starter of the job chooses are patterns.
    pub token: Token,
    /// When it gets it.
    pub cause: Cause,
    /// Whether it gets such a token for certain: not where the form of subjects is not known, or another workflow or an
    /// expression decides over the context.
    pub certain: bool,
}

/// The tokens that a job of a repository can get, sorted by their causes. Of a repository of which it is not known whether
/// its subjects carry numbers, both forms.
pub fn tokens(repository: &Repository, job: &Job) -> Vec<Presented> {
    let mut runs: Vec<Run> =
        job.events.iter().flat_map(|event| runs(event, repository.default_branch.as_deref())).collect();
    runs.sort_by(|a, b| a.key().cmp(&b.key()));
    runs.dedup();
    let mut all = Vec::new();
    for run in &runs {
        let cause = match (&job.environment, &run.cause) {
            // A job with an environment gets a subject that names it, whatever started it.
            (Environment::Named(name), _) => Cause::Environment(Arc::clone(name)),
            (Environment::Any, _) => Cause::Environment("*".into()),
            (Environment::None, cause) => cause.clone(),
        };
        let prefixes = prefixes(repository);
        let certain = prefixes.len() == 1 && job.environment != Environment::Any && &*run.event != "workflow_call";
        for prefix in &prefixes {
            let token = token(repository, job, run, &cause, prefix);
            all.push(Presented { token, cause: cause.clone(), certain });
        }
    }
    all.sort_by(|a, b| a.cause.cmp(&b.cause));
    // Runs differ in what started them; where the environment hides that, the first will do if the rest is alike.
    all.dedup_by(|later, earlier| later == earlier);
    all
}

/// Where a job may run.
#[derive(Clone, PartialEq, Debug)]
struct Run {
    cause: Cause,
    /// The claim `ref`.
    reference: Glob,
    event: Arc<str>,
}

impl Run {
    fn key(&self) -> (&Cause, &str) {
        (&self.cause, &self.event)
    }
}

fn runs(event: &Event, default_branch: Option<&str>) -> Vec<Run> {
    let run = |cause: Cause, reference: Glob| Run { cause, reference, event: Arc::clone(&event.name) };
    let on = |head: &str, cause: fn(Arc<str>) -> Cause, filters: &Option<Vec<String>>| -> Vec<Run> {
        let names: Vec<String> = match filters {
            None => vec!["*".to_owned()],
            Some(filters) => filters.iter().filter(|filter| !filter.starts_with('!')).map(|one| widened(one)).collect(),
        };
        names.iter().map(|name| run(cause(name.as_str().into()), Glob::wildcard(&format!("{head}{name}")))).collect()
    };
    let branches = |filters: &Option<Vec<String>>| on("refs/heads/", Cause::Branch, filters);
    let tags = |filters: &Option<Vec<String>>| on("refs/tags/", Cause::Tag, filters);
    let default = || match default_branch {
        Some(name) => vec![run(Cause::Branch(name.into()), Glob::literal(format!("refs/heads/{name}")))],
        None => branches(&None),
    };
    match &*event.name {
        "push" => match (&event.branches, &event.tags) {
            (None, None) => [branches(&None), tags(&None)].concat(),
            (Some(_), None) => branches(&event.branches),
            (None, Some(_)) => tags(&event.tags),
            (Some(_), Some(_)) => [branches(&event.branches), tags(&event.tags)].concat(),
        },
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => {
            // Once it is merged, at the branch that it was merged into.
            let merged = match event.closed {
                true => on("refs/heads/", |_| Cause::PullRequest, &event.branches),
                false => Vec::new(),
            };
            [vec![run(Cause::PullRequest, Glob::wildcard("refs/pull/*"))], merged].concat()
        }
        // It runs on the branch that the proposal is for, with what stands there.
        "pull_request_target" => branches(&event.branches),
        "workflow_dispatch" | "create" => [branches(&None), tags(&None)].concat(),
        // Whatever the caller runs on.
        "workflow_call" => {
            [branches(&None), tags(&None), vec![run(Cause::PullRequest, Glob::wildcard("refs/pull/*"))]].concat()
        }
        "release" => tags(&None),
        "merge_group" => branches(&Some(vec!["gh-readonly-queue/*".to_owned()])),
        _ => default(),
    }
}

/// A filter of branches or tags as a pattern that is no narrower: `*` there stops at a slash, and marks of repetition have
/// no like.
fn widened(filter: &str) -> String {
    let mut pattern = String::new();
    for c in filter.chars() {
        match c {
            '*' | '[' => pattern.push('*'),
            '?' | '+' => {
                // What stands before it may be missing or repeated.
                pattern.pop();
                pattern.push('*');
            }
            other => pattern.push(other),
        }
        if c == '[' {
            break;
        }
    }
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    pattern
}

/// What subjects of a repository may begin with.
fn prefixes(repository: &Repository) -> Vec<Glob> {
    let Repository { owner, name, subject, .. } = repository;
    if let Some(prefix) = &subject.sub_claim_prefix {
        return vec![Glob::literal(prefix.as_str())];
    }
    let names = Glob::literal(format!("repo:{owner}/{name}"));
    let number = |id: Option<u64>| id.map_or("*".to_owned(), |id| id.to_string());
    let (owner_id, id) = (number(repository.owner_id), number(repository.id));
    let numbers = Glob::wildcard(&format!("repo:{owner}@{owner_id}/{name}@{id}"));
    match subject.use_immutable_subject {
        Some(true) => vec![numbers],
        Some(false) => vec![names],
        None => vec![names, numbers],
    }
}

fn token(repository: &Repository, job: &Job, run: &Run, cause: &Cause, prefix: &Glob) -> Token {
    let Repository { owner, name, .. } = repository;
    let full = format!("{owner}/{name}");
    let mut token = Token { issuer: Some(Arc::clone(&repository.issuer)), ..Token::default() }
        .with("iss", &format!("https://{}", repository.issuer))
        // A job names the audience when it asks.
        .with_any("aud", Glob::Any)
        .with("repository", &full)
        .with("repository_owner", owner)
        .with("event_name", &run.event);
    if let Some(id) = repository.id {
        token = token.with("repository_id", &id.to_string());
    }
    if let Some(id) = repository.owner_id {
        token = token.with("repository_owner_id", &id.to_string());
    }
    token = text(token, "ref", &run.reference);
    // No claim of that name where the job has no environment.
    token.claims.insert(
        "environment".into(),
        match cause {
            Cause::Environment(environment) if &**environment == "*" => Claim::AnyOf(Glob::Any),
            Cause::Environment(environment) => Claim::Value(environment.as_ref().into()),
            _ => Claim::Value(serde_json::Value::Null),
        },
    );
    // The reusable workflow where there is one, otherwise the workflow itself.
    let workflow = match (&job.calls, &job.file) {
        (Some(called), _) if !called.starts_with("./") => Some(named(called)),
        (Some(called), _) => {
            Some(joined([&Glob::literal(format!("{full}/{}@", called.trim_start_matches("./"))), &run.reference]))
        }
        (None, Some(file)) => Some(joined([&Glob::literal(format!("{full}/{file}@")), &run.reference])),
        (None, None) => None,
    };
    if let Some(workflow) = workflow {
        token = text(token, "job_workflow_ref", &workflow);
    }
    // The workflow that was started, whatever it calls.
    if let Some(file) = &job.file {
        token = text(token, "workflow_ref", &joined([&Glob::literal(format!("{full}/{file}@")), &run.reference]));
    }
    let subject = subject(&token, repository, run, cause, prefix);
    text(token, "sub", &subject)
}

/// A reusable workflow of another repository as tokens name it: always with a whole reference or a commit ("OpenID Connect
/// reference", `job_workflow_ref`). Of a short one nothing tells whether it is a branch or a tag.
fn named(called: &Arc<str>) -> Glob {
    let is_commit = |reference: &str| reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    match called.rsplit_once('@') {
        Some((file, reference)) if !reference.starts_with("refs/") && !is_commit(reference) => {
            joined([&Glob::literal(format!("{file}@")), &Glob::wildcard("refs/*/"), &Glob::literal(reference)])
        }
        _ => Glob::literal(Arc::clone(called)),
    }
}

fn text(token: Token, name: &str, pattern: &Glob) -> Token {
    match pattern {
        Glob::Literal(text) => token.with(name, text),
        other => token.with_any(name, other.clone()),
    }
}

fn subject(token: &Token, repository: &Repository, run: &Run, cause: &Cause, prefix: &Glob) -> Glob {
    let context = match cause {
        // A colon in a name would begin another claim.
        Cause::Environment(name) => Glob::wildcard(&format!("environment:{}", name.replace(':', "%3A"))),
        Cause::PullRequest if &*run.event == "pull_request" => Glob::literal("pull_request"),
        _ => joined([&Glob::literal("ref:"), &run.reference]),
    };
    let keys = match &repository.subject.include_claim_keys {
        Some(keys) if !keys.is_empty() => keys.clone(),
        _ => vec!["repo".to_owned(), "context".to_owned()],
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for key in keys {
        if !pieces.is_empty() {
            pieces.push(Piece::Char(':'));
        }
        let value = match key.as_str() {
            "repo" => prefix.clone(),
            "context" => context.clone(),
            key => {
                let value = match token.claim(key) {
                    Some(Claim::AnyOf(pattern)) => pattern.clone(),
                    Some(Claim::Value(serde_json::Value::String(text))) => Glob::literal(text.as_str()),
                    // A claim that the token lacks is empty.
                    Some(Claim::Value(_)) => Glob::literal(""),
                    None => Glob::Any,
                };
                joined([&Glob::literal(format!("{key}:")), &value])
            }
        };
        pieces.extend(value.tokens());
    }
    Glob::from_tokens(pieces)
}

fn joined<const N: usize>(parts: [&Glob; N]) -> Glob {
    Glob::from_tokens(parts.into_iter().flat_map(Glob::tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Event {
        Event { name: name.into(), branches: None, tags: None, closed: false }
    }

    fn on(name: &str, branches: &[&str]) -> Event {
        Event { branches: Some(branches.iter().map(|&one| one.to_owned()).collect()), ..event(name) }
    }

    fn repository(subject: SubjectForm) -> Repository {
        Repository {
            issuer: ISSUER.into(),
            owner: "octo-org".into(),
            name: "octo-repo".into(),
            owner_id: Some(1),
            id: Some(2),
            default_branch: Some("main".into()),
            subject,
        }
    }

    fn classic() -> SubjectForm {
        SubjectForm { use_immutable_subject: Some(false), ..SubjectForm::default() }
    }

    fn written(pattern: &Glob) -> String {
        let char = |piece: Piece| match piece {
            Piece::Char(c) => c,
            Piece::One => '?',
            Piece::Many | Piece::Variable(_) => '*',
        };
        pattern.tokens().into_iter().map(char).collect()
    }

    fn subjects(repository: &Repository, job: &Job) -> Vec<String> {
        let of = |presented: Presented| match presented.token.claim("sub") {
            Some(Claim::AnyOf(pattern)) => written(pattern),
            Some(Claim::Value(value)) => value.as_str().unwrap().to_owned(),
            None => String::new(),
        };
        tokens(repository, job).into_iter().map(of).collect()
    }

    #[test]
    fn each_event_gives_the_subjects_of_where_it_runs() {
        let repository = repository(classic());
        for (events, expected) in [
            (vec![on("push", &["main"])], vec!["repo:octo-org/octo-repo:ref:refs/heads/main"]),
            (vec![on("push", &["release/**", "!release/x"])], vec!["repo:octo-org/octo-repo:ref:refs/heads/release/*"]),
            (
                vec![event("push")],
                vec!["repo:octo-org/octo-repo:ref:refs/heads/*", "repo:octo-org/octo-repo:ref:refs/tags/*"],
            ),
            (vec![event("pull_request")], vec!["repo:octo-org/octo-repo:pull_request"]),
            (vec![event("schedule"), event("issues")], vec!["repo:octo-org/octo-repo:ref:refs/heads/main"; 2]),
            (vec![event("release")], vec!["repo:octo-org/octo-repo:ref:refs/tags/*"]),
            (vec![on("pull_request_target", &["main"])], vec!["repo:octo-org/octo-repo:ref:refs/heads/main"]),
        ] {
            let job = Job { events, ..Job::default() };
            assert_eq!(subjects(&repository, &job), expected, "{:?}", job.events);
        }
    }

    #[test]
    fn a_proposal_that_is_closed_runs_at_the_branch_that_it_was_merged_into() {
        let references = |event: Event| -> Vec<String> {
            let job = Job { events: vec![event], ..Job::default() };
            let tokens = tokens(&repository(classic()), &job);
            assert!(tokens.iter().all(|one| one.cause == Cause::PullRequest));
            let subjects: Vec<Option<&str>> = tokens.iter().map(|one| one.token.text("sub")).collect();
            assert!(subjects.iter().all(|sub| *sub == Some("repo:octo-org/octo-repo:pull_request")), "{subjects:?}");
            let reference = |one: &Presented| match one.token.claim("ref") {
                Some(Claim::AnyOf(pattern)) => written(pattern),
                Some(Claim::Value(value)) => value.as_str().unwrap().to_owned(),
                None => String::new(),
            };
            tokens.iter().map(reference).collect()
        };
        let closed = |event: Event| Event { closed: true, ..event };
        assert_eq!(references(event("pull_request")), ["refs/pull/*"]);
        assert_eq!(references(closed(event("pull_request"))), ["refs/pull/*", "refs/heads/*"]);
        assert_eq!(references(closed(on("pull_request", &["main"]))), ["refs/pull/*", "refs/heads/main"]);
    }

    #[test]
    fn an_environment_takes_the_place_of_what_started_the_job() {
        let repository = repository(classic());
        let mut job = Job { events: vec![event("pull_request")], ..Job::default() };
        job.environment = Environment::Named("prod:eu".into());
        assert_eq!(subjects(&repository, &job), ["repo:octo-org/octo-repo:environment:prod%3Aeu"]);
        job.environment = Environment::Any;
        assert_eq!(subjects(&repository, &job), ["repo:octo-org/octo-repo:environment:*"]);
    }

    #[test]
    fn names_carry_numbers_where_the_repository_says_so() {
        let job = Job { events: vec![event("pull_request")], ..Job::default() };
        let numbers = "repo:octo-org@1/octo-repo@2:pull_request";
        let of = |subject: SubjectForm| subjects(&repository(subject), &job);
        assert_eq!(of(SubjectForm { use_immutable_subject: Some(true), ..SubjectForm::default() }), [numbers]);
        let prefix = Some("repo:octo-org@1/octo-repo@2".to_owned());
        assert_eq!(of(SubjectForm { sub_claim_prefix: prefix, ..classic() }), [numbers], "the prefix decides");
        assert_eq!(of(SubjectForm::default()), ["repo:octo-org/octo-repo:pull_request", numbers], "both are possible");
        assert!(tokens(&repository(SubjectForm::default()), &job).iter().all(|one| !one.certain));
        assert!(tokens(&repository(classic()), &job).iter().all(|one| one.certain));
    }

    #[test]
    fn an_organisation_may_make_subjects_of_other_claims() {
        let keys = |keys: &[&str]| {
            let keys = keys.iter().map(|&key| key.to_owned()).collect();
            repository(SubjectForm { include_claim_keys: Some(keys), ..classic() })
        };
        let job = Job {
            events: vec![on("push", &["main"])],
            calls: Some("octo-org/shared/.github/workflows/deploy.yml@v1".into()),
            ..Job::default()
        };
        assert_eq!(
            subjects(&keys(&["repo", "context", "job_workflow_ref"]), &job),
            [
                "repo:octo-org/octo-repo:ref:refs/heads/main:job_workflow_ref:octo-org/shared/.github/workflows/deploy.yml@refs/*/v1"
            ]
        );
        assert_eq!(
            subjects(&keys(&["repository_owner_id", "repository_id", "environment", "actor"]), &job),
            ["repository_owner_id:1:repository_id:2:environment::actor:*"]
        );
    }

    #[test]
    fn a_called_workflow_is_named_by_a_whole_reference_and_the_started_one_beside_it() {
        let repository = repository(classic());
        let flow = "octo-org/shared/.github/workflows/deploy.yml";
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let own = "octo-org/octo-repo/.github/workflows/ci.yml@refs/heads/main".to_owned();
        for (calls, expected) in [
            (None, own.clone()),
            (Some("./.github/workflows/x.yml".to_owned()), own.replace("ci.yml", "x.yml")),
            (Some(format!("{flow}@v1")), format!("{flow}@refs/*/v1")),
            (Some(format!("{flow}@refs/heads/main")), format!("{flow}@refs/heads/main")),
            (Some(format!("{flow}@{commit}")), format!("{flow}@{commit}")),
        ] {
            let job = Job {
                events: vec![on("push", &["main"])],
                file: Some(".github/workflows/ci.yml".into()),
                calls: calls.map(Into::into),
                ..Job::default()
            };
            let claim = |name: &str| match tokens(&repository, &job).remove(0).token.claim(name) {
                Some(Claim::AnyOf(pattern)) => written(pattern),
                Some(Claim::Value(value)) => value.as_str().unwrap().to_owned(),
                None => String::new(),
            };
            assert_eq!((claim("job_workflow_ref"), claim("workflow_ref")), (expected, own.clone()));
        }
    }

    #[test]
    fn filters_become_no_narrower() {
        for (filter, pattern) in [("a/**", "a/*"), ("v1.?", "v1*"), ("v[12].x", "v*"), ("x+y", "*y"), ("main", "main")]
        {
            assert_eq!(widened(filter), pattern, "{filter}");
        }
    }
}
