//! GitHub Actions: `repo:OWNER/REPO:<context>`, the same with numbers, and what organisations make of it.

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};

use super::{TIGHTER, id, name, pairs};
use crate::reach::{Context, Guard, NO_ID, Pin, Proposals, Reach};
use crate::shape::Shape;

/// Claims that a subject may be made of (`include_claim_keys`).
const KEYS: &[&str] = &[
    "repo",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "ref",
    "ref_protected",
    "ref_type",
    "environment",
    "job_workflow_ref",
    "job_workflow_sha",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "sha",
    "check_run_id",
    "run_attempt",
    "run_id",
    "run_number",
    "head_ref",
    "base_ref",
    "event_name",
    "actor",
    "actor_id",
    "enterprise",
    "enterprise_id",
    "runner_environment",
];

/// Where claims begin that are made of an organisation's own properties of repositories.
const PROPERTY: &str = "repo_property_";

/// Where references of pull requests begin.
const PROPOSALS: &str = "refs/pull/";

/// Where references begin that a job runs at.
const REFERENCES: [&str; 3] = ["refs/heads/", "refs/tags/", PROPOSALS];

/// Digits that the number of a pull request has at the most.
const MOST_DIGITS: usize = 9;

/// The context that stands without a value.
const PROPOSED: &str = "pull_request";

/// Whether any subject fits: keys with values, `pull_request` among them. Behind the first wildcard anything may be.
pub(super) fn is_subject(shape: &Shape) -> bool {
    let pieces = shape.split(':');
    let mut rest = pieces.iter();
    while let Some(piece) = rest.next() {
        let Some(key) = piece.literal() else {
            let head = piece.head();
            let begins = |key: &&str| key.starts_with(&head);
            return KEYS.iter().chain(&[PROPOSED, PROPERTY]).any(begins) || head.starts_with(PROPERTY);
        };
        if key == PROPOSED {
            continue;
        }
        if !KEYS.iter().any(|known| *known == key) && !key.starts_with(PROPERTY) {
            return false;
        }
        let Some(value) = rest.next() else { return false };
        if !is_value(&key, value) {
            return false;
        }
        // The name of a workflow may hold colons.
        if value.is_wild() || key == "workflow" {
            return true;
        }
    }
    true
}

/// Whether a claim can have such a value.
pub(super) fn is_value(claim: &str, shape: &Shape) -> bool {
    let (head, literal) = (shape.head(), shape.literal());
    let whole = |is: &dyn Fn(&str) -> bool| literal.as_deref().is_none_or(is);
    match claim {
        "repo" | "repository" => {
            let is_named =
                |text: &str| text.split_once('/').is_some_and(|(owner, name)| !owner.is_empty() && !name.is_empty());
            head.matches('/').count() <= 1 && !head.starts_with('/') && whole(&is_named)
        }
        "repository_owner" => !head.contains('/') && whole(&|text| !text.is_empty()),
        "repository_id" | "repository_owner_id" | "enterprise_id" | "actor_id" => {
            head.bytes().all(|byte| byte.is_ascii_digit()) && whole(&|text| !text.is_empty())
        }
        "ref" => {
            let may_begin = |start: &&str| head.starts_with(start) || (literal.is_none() && start.starts_with(&head));
            REFERENCES.iter().any(may_begin)
        }
        // Whatever the caller wrote, the token has the whole reference or the commit.
        "job_workflow_ref" => {
            let is_at = |at: &str| is_commit(at) || REFERENCES.iter().any(|start| at.starts_with(start));
            whole(&|text| text.split_once('@').is_some_and(|(file, at)| is_workflow(file) && is_at(at)))
        }
        // What an event starts runs at a branch, a tag or a proposal, and never at a commit.
        "workflow_ref" => {
            whole(&|text| text.split_once("@refs/").is_some_and(|(file, at)| is_workflow(file) && !at.is_empty()))
        }
        _ => true,
    }
}

/// Whether a reference is that of a commit.
fn is_commit(reference: &str) -> bool {
    reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a workflow has such a path: a file of the repository, or one that GitHub makes up itself, as for updates of
/// dependencies and code scanning.
fn is_workflow(path: &str) -> bool {
    path.contains("/.github/workflows/") || path.contains("/dynamic/")
}

/// A pattern of `repo:` that leaves the whole context open, once for each context; one that leaves the reference open, once
/// for each kind of references. It is read as one of GitHub's own form of subjects: what an organisation makes of other claims
/// begins so only by its own choice, and tells contexts in other words.
pub(super) fn contexts(pattern: &Glob) -> Vec<Glob> {
    let contexts = ["environment:*", "ref:*", PROPOSED];
    let references = ["ref:refs/pull/*", "ref:refs/heads/*", "ref:refs/tags/*"];
    if Glob::wildcard("repo:*").contains(pattern) != Truth::Yes {
        return Vec::new();
    }
    let tokens = pattern.tokens();
    let before = |tail: &str| tokens.strip_suffix(Glob::wildcard(tail).tokens().as_slice());
    let found = match tokens.iter().filter(|token| **token == Token::Char(':')).count() {
        1 => before("*").map(|_| (tokens.as_slice(), contexts)),
        2 => before(":*").map(|open| (open, contexts)),
        3 => before(":ref:*").map(|open| (open, references)),
        _ => None,
    };
    let Some((open, parts)) = found else { return Vec::new() };
    let with = |part: &str| {
        let part = Glob::wildcard(part).tokens();
        Glob::from_tokens(open.iter().cloned().chain([Token::Char(':')]).chain(part))
    };
    Vec::from(parts.map(with))
}

/// What a subject says of the claims about its repository, of the reference and of the environment: what stands before the
/// first wildcard, since more may stand in the place of that than one piece.
pub(super) fn told(shape: &Shape) -> Vec<(&'static str, Glob)> {
    let pieces = shape.split(':');
    let mut rest = pieces.iter();
    let mut said = Vec::new();
    while let Some(key) = rest.next().and_then(Shape::literal) {
        if key == PROPOSED {
            continue;
        }
        let Some(value) = rest.next() else { break };
        match key.as_str() {
            "repo" | "repository" => said.extend(names(value)),
            "repository_owner" => {
                let (owner, id) = numbered(&value.head(), !value.is_wild());
                said.push(("repository_owner", owner));
                said.extend(id.map(|id| ("repository_owner_id", id)));
            }
            "repository_id" => said.push(("repository_id", beginning(&value.head(), !value.is_wild()))),
            "repository_owner_id" => said.push(("repository_owner_id", beginning(&value.head(), !value.is_wild()))),
            "ref" => said.push(("ref", beginning(&value.head(), !value.is_wild()))),
            // A colon in a name is written otherwise here than there.
            "environment" if !value.head().contains('%') => {
                said.push(("environment", beginning(&value.head(), !value.is_wild())));
            }
            _ => {}
        }
        // The name of a workflow may hold colons.
        if value.is_wild() || key == "workflow" {
            break;
        }
    }
    said
}

/// `OWNER/REPO`, or `OWNER@ID/REPO@ID`, as claims, which tell names and numbers apart.
fn names(shape: &Shape) -> Vec<(&'static str, Glob)> {
    let head = shape.head();
    let (owner, repository) = match head.split_once('/') {
        Some((owner, repository)) => (owner, Some(repository)),
        None => (head.as_str(), None),
    };
    let (owner, owner_id) = numbered(owner, repository.is_some());
    let (name, id) = repository.map_or((Glob::Any, None), |name| numbered(name, !shape.is_wild()));
    let full = Glob::from_tokens(owner.tokens().into_iter().chain([Token::Char('/')]).chain(name.tokens()));
    let ids = [("repository_owner_id", owner_id), ("repository_id", id)].into_iter();
    let ids = ids.filter_map(|(claim, id)| Some((claim, id?)));
    [("repository", full), ("repository_owner", owner)].into_iter().chain(ids).collect()
}

/// A name, and its number behind an `@`.
fn numbered(text: &str, whole: bool) -> (Glob, Option<Glob>) {
    match text.split_once('@') {
        Some((name, id)) => (Glob::literal(name), Some(beginning(id, whole))),
        None => (beginning(text, whole), None),
    }
}

/// A text that is whole, or whatever begins with it.
fn beginning(text: &str, whole: bool) -> Glob {
    if whole { Glob::literal(text) } else { Glob::from_tokens(text.chars().map(Token::Char).chain([Token::Many])) }
}

pub(super) fn subject(shape: &Shape) -> Reach {
    let pieces = shape.split(':');
    let found = pairs(&pieces, KEYS, &[PROPOSED]);
    let custom = found.iter().any(|(key, _)| !matches!(*key, "repo" | "ref" | "environment" | "pull_request"));
    let at_branch_or_tag =
        found.iter().any(|(key, value)| *key == "ref" && value.is_some_and(|value| is_branch_or_tag(&value.head())));
    let reach = found.into_iter().fold(Reach::default(), |reach, (key, value)| match (key, value) {
        (PROPOSED, _) => reach.and(Reach::proposed()),
        (key, Some(value)) => reach.and(claim(if key == "repo" { "repository" } else { key }, value)),
        (_, None) => reach,
    });
    if custom {
        return reach.remark("custom-sub");
    }
    // The event `pull_request` has a context of its own, so that a branch or tag here is never that of one.
    if at_branch_or_tag { reach.and(without_proposals(Context::All)) } else { reach }
}

pub(super) fn claim(claim: &str, shape: &Shape) -> Reach {
    match claim {
        "repository" => repository(shape),
        "repository_owner" => Reach::tenant(owner(shape)),
        "repository_id" => immutable(Reach::workload(id(shape))),
        "repository_owner_id" | "enterprise_id" => immutable(Reach::tenant(id(shape))),
        "ref" => reference(shape),
        "ref_protected" if shape.literal().as_deref() == Some("true") => {
            Reach { protected: true, guard: Guard::Context, ..Reach::default() }.remark("ref-protected")
        }
        "environment" => environment(shape),
        "job_workflow_ref" => workflow(&dotted(shape)),
        "workflow_ref" => started(&dotted(shape)),
        "event_name" => shape.literal().map_or_else(Reach::default, |name| event(&name)),
        // What is proposed runs at a reference of type `branch`.
        "ref_type" if shape.literal().as_deref() == Some("tag") => without_proposals(Context::Tag),
        _ => Reach::default(),
    }
}

/// Why a claim counts for nothing in the grade; `None`: it counts.
pub(super) fn passed_over(claim: &str) -> Option<&'static str> {
    Some(match claim {
        "sub" | "aud" | "oaud" | "iss" | "azp" => return None,
        "repository" | "repository_id" | "repository_owner" | "repository_owner_id" | "enterprise_id" => return None,
        "ref" | "ref_protected" | "ref_type" | "environment" | "event_name" => return None,
        "job_workflow_ref" | "workflow_ref" => return None,
        "actor" | "actor_id" | "triggering_actor" => "it says who started the run, and not whose changes the run is of",
        "head_ref" => "it is the branch that a proposal comes from, and whoever proposes gives it that name",
        "base_ref" => {
            "it is the branch that a proposal is for, which whoever proposes chooses, and nobody has merged it there"
        }
        "workflow" => "it is what a workflow calls itself, and any file of any branch may call itself so",
        "repository_visibility" => "it says who sees the repository, and not whose it is",
        "runner_environment" => "it says where a job runs, and not what it runs",
        "check_run_id" | "run_attempt" | "run_id" | "run_number" => "it numbers runs, and does not say what they run",
        _ => TIGHTER,
    })
}

/// An event: at which references its jobs run ("Events that trigger workflows", the column `GITHUB_REF`).
fn event(name: &str) -> Reach {
    match name {
        // At the merge of what is proposed, or at its base once it is merged.
        "pull_request" => Reach::proposed(),
        "pull_request_review" | "pull_request_review_comment" => {
            Reach { proposals: Proposals::Beside, ..Reach::proposed() }
        }
        "push" | "workflow_dispatch" | "merge_group" => without_proposals(Context::Several("unprotected-branch")),
        "create" | "deployment" | "deployment_status" | "registry_package" => {
            without_proposals(Context::Several("wildcard-ref"))
        }
        "release" => without_proposals(Context::Tag),
        // At the default branch or the base of a proposal too, with what stands there; and whoever sees the repository can
        // cause it: the checks and states of what is proposed do, so does who edits an open wiki, and whatever starts the
        // other workflow.
        "pull_request_target"
        | "check_run"
        | "check_suite"
        | "discussion"
        | "discussion_comment"
        | "fork"
        | "gollum"
        | "issue_comment"
        | "issues"
        | "status"
        | "watch"
        | "workflow_run" => Reach { guard: Guard::Context, ..Reach::context(Context::Several("strangers-start")) },
        // At the default branch, whatever else there is.
        "branch_protection_rule"
        | "delete"
        | "label"
        | "milestone"
        | "page_build"
        | "public"
        | "repository_dispatch"
        | "schedule" => without_proposals(Context::One),
        _ => Reach::default(),
    }
}

/// The references that the runs of an event about a proposal may be at ("Contexts reference", `github.ref`); `None` for other
/// events.
pub(super) fn references(event: &Glob) -> Option<Vec<Glob>> {
    const BRANCHES: &str = "refs/heads/*";
    let Glob::Literal(name) = event else { return None };
    match &**name {
        // The branch that it was merged into, once it was.
        "pull_request" | "pull_request_review" | "pull_request_review_comment" => {
            Some(vec![Glob::wildcard("refs/pull/*"), Glob::wildcard(BRANCHES)])
        }
        // The branch that it is for.
        "pull_request_target" => Some(vec![Glob::wildcard(BRANCHES)]),
        _ => None,
    }
}

/// What the workflow that an event starts is called where the job runs at a branch or tag: it is that of the same reference.
/// `None` for other references, at which a workflow of another one may be demanded of what is proposed or queued.
pub(super) fn started_at(reference: &Glob) -> Option<Vec<Glob>> {
    const QUEUE: &str = "refs/heads/gh-readonly-queue/";
    let text = Shape::of(reference).literal()?;
    let is_one = is_branch_or_tag(&text) && !text.starts_with(QUEUE);
    let tokens = [Token::Many, Token::Char('@')].into_iter().chain(text.chars().map(Token::Char));
    is_one.then(|| vec![Glob::from_tokens(tokens)])
}

fn without_proposals(context: Context) -> Reach {
    Reach { proposals: Proposals::Never, ..Reach::context(context) }
}

fn is_branch_or_tag(head: &str) -> bool {
    head.starts_with("refs/heads/") || head.starts_with("refs/tags/")
}

fn immutable(reach: Reach) -> Reach {
    let held = reach.tenant.max(reach.workload) == Pin::Id;
    if held { reach.remark("immutable").remark("immutable-id") } else { reach }
}

/// `OWNER/REPO`, or `OWNER@ID/REPO@ID`.
fn repository(shape: &Shape) -> Reach {
    let pieces = shape.split('/');
    let Some(first) = pieces.first() else { return Reach::default() };
    let tenant = owner(first);
    // A pattern of the owner that goes on over the slash is no owner.
    let workload = match pieces.get(1) {
        None => Pin::Open,
        Some(repository) => owner(repository),
    };
    let reach = Reach { tenant, workload, ..Reach::default() };
    if reach.tenant == Pin::Id || reach.workload == Pin::Id {
        let reach = immutable(reach);
        if reach.workload <= Pin::Part { reach.remark("wildcard-repo") } else { reach }
    } else if reach.workload == Pin::Name {
        // Whoever writes the numbers as a wildcard takes whoever has the names.
        let opens_numbers = pieces.iter().take(2).any(|piece| piece.is_wild() && piece.head().contains('@'));
        Reach { mark: opens_numbers.then_some(NO_ID), ..reach }.remark("name-based")
    } else if reach.tenant == Pin::Name {
        reach.remark("wildcard-repo")
    } else {
        reach
    }
}

/// A name with or without its number. No name holds an `@`, so that one before a wildcard ends the name.
fn owner(shape: &Shape) -> Pin {
    let head = shape.head();
    match head.split_once('@') {
        Some((_, number)) if !shape.is_wild() && !number.is_empty() => Pin::Id,
        Some(_) => Pin::Name,
        None => name(shape),
    }
}

/// Whether a pattern fits references of proposals, `refs/pull/NUMBER/merge`.
fn fits_proposals(shape: &Shape) -> bool {
    // One digit is as good as another.
    let alike = |token: &Token| match token {
        Token::Char(c) if c.is_ascii_digit() => Token::Char('0'),
        other => other.clone(),
    };
    let pattern = Glob::from_tokens(shape.tokens().iter().map(alike));
    (1..=MOST_DIGITS).any(|digits| {
        let reference = format!("{PROPOSALS}{}/merge", "0".repeat(digits));
        pattern.matches(&reference) != Truth::No
    })
}

fn reference(shape: &Shape) -> Reach {
    let head = shape.head();
    let reach = if head.starts_with("refs/tags/") {
        Reach::context(Context::Tag)
    } else if head.starts_with(PROPOSALS) {
        Reach::proposed()
    } else if !shape.is_wild() {
        return Reach { guard: Guard::Context, ..Reach::context(Context::One) }.remark("exact-ref");
    } else if head == "refs/heads/" {
        Reach::context(Context::Several("unprotected-branch"))
    } else if head.starts_with("refs/heads/") {
        Reach::context(Context::Several("branch-prefix-collision")).remark("unprotected-branch")
    } else {
        let proposals = if fits_proposals(shape) { Proposals::Fit("pull-request") } else { Proposals::Unsaid };
        Reach { proposals, ..Reach::context(Context::Several("wildcard-ref")) }
    };
    let guard = if reach.proposals == Proposals::Unsaid { Guard::Context } else { Guard::Open };
    let reach = Reach { guard, ..reach };
    if shape.is_wild() { reach.remark("wildcard-suffix") } else { reach }
}

fn environment(shape: &Shape) -> Reach {
    if shape.is_wild() {
        // A workflow names its environments itself, that of a proposal too, and one that is not there is made.
        const OPEN: &str = "wildcard-environment";
        Reach { proposals: Proposals::Fit(OPEN), ..Reach::context(Context::Several(OPEN)) }.remark("wildcard-suffix")
    } else {
        Reach { guard: Guard::Context, ..Reach::context(Context::One) }.remark("environment-scoped")
    }
}

/// A pattern of workflows with dots in place of wildcards of one character that can be nothing else: that of `.github`, and
/// that before the ending of the file. Regular expressions often leave them without a backslash.
fn dotted(shape: &Shape) -> Shape {
    let tokens = shape.tokens();
    let end = tokens.iter().position(|token| *token == Token::Char('@')).unwrap_or(tokens.len());
    let spells = |at: usize, text: &str| {
        let found = tokens.iter().skip(at).zip(text.chars());
        found.filter(|(token, c)| **token == Token::Char(*c)).count() == text.len()
    };
    let mut slashes = tokens.iter().enumerate().filter(|(_, token)| **token == Token::Char('/')).map(|(at, _)| at);
    // Behind the owner and the repository.
    let Some(folder) = slashes.nth(1).map(|at| at + 1) else { return shape.clone() };
    // What may run past a slash may begin anywhere.
    let is_short = tokens.iter().take(end).all(|token| matches!(token, Token::Char(_) | Token::One));
    if !is_short || !spells(folder + 1, "github/workflows/") {
        return shape.clone();
    }
    let is_dot = |at: usize| at == folder || ["yml@", "yaml@"].iter().any(|ending| spells(at + 1, ending));
    let dot = |(at, token): (usize, &Token)| match token {
        Token::One if at < end && is_dot(at) => Token::Char('.'),
        other => other.clone(),
    };
    Shape::of(&Glob::from_tokens(tokens.iter().enumerate().map(dot)))
}

/// The workflow that an event starts: it stands in the repository itself, at the reference that the job runs at.
fn started(shape: &Shape) -> Reach {
    let Some((file, at)) = shape.split_once('@') else { return repository(shape) };
    let head = at.head();
    let held = repository(&file);
    // What may be the reference of a pull request too is not limited at all.
    if at.is_wild() && head.len() < PROPOSALS.len() && PROPOSALS.starts_with(&head) {
        return held;
    }
    // A branch may be called `x@refs/heads/main`, so that an open file leaves the name open too.
    match file.is_wild() && !head.starts_with(PROPOSALS) {
        true => held.and(Reach::context(Context::Several("unprotected-branch"))),
        false => held.and(reference(&at)),
    }
}

/// A reusable workflow: whoever calls it, it is its steps that run.
///
/// A reference that may be a commit is anybody's: a repository gives out the commits of its forks as its own.
fn workflow(shape: &Shape) -> Reach {
    if let Some(text) = shape.literal() {
        let (_, at) = text.split_once('@').unwrap_or_default();
        // Steps that are proposed: the reference is that of a pull request.
        if at.starts_with(PROPOSALS) {
            return Reach { steps: Pin::Name, ..proposed_steps() }.remark("reusable-workflow-pin");
        }
        let steps_at = if at.starts_with("refs/tags/") { Context::Tag } else { Context::One };
        let held = Reach { guard: Guard::Steps, steps_at, ..Reach::default() }.remark("reusable-workflow-pin");
        let commit = text.rsplit_once('@').map_or("", |(_, commit)| commit);
        return if is_commit(commit) {
            Reach { steps: Pin::Id, ..held }.remark("sha-pinned")
        } else {
            Reach { steps: Pin::Name, ..held }
        };
    }
    let open = Reach::default().remark("job-workflow-ref");
    if shape.is_open() {
        return open;
    }
    let pieces = shape.split('@');
    let file = pieces.first().map_or_else(Vec::new, |file| file.split('/'));
    let is_of_one = file.len() > 2 && !file.iter().take(2).any(Shape::is_wild);
    let at = pieces.get(1).map(Shape::head).unwrap_or_default();
    let may_be_commit = pieces
        .get(1)
        .is_none_or(|reference| reference.is_wild() && !is_branch_or_tag(&at) && !at.starts_with(PROPOSALS));
    if !is_of_one || may_be_commit {
        return Reach { steps: Pin::Part, ..open };
    }
    if at.starts_with(PROPOSALS) {
        return Reach { steps: Pin::Name, remarks: open.remarks, ..proposed_steps() };
    }
    if at.starts_with("refs/tags/") && pieces.first().is_none_or(|file| !file.is_wild()) {
        return Reach { steps: Pin::Name, guard: Guard::Steps, steps_at: Context::Tag, ..open };
    }
    // A branch may be called `x@refs/heads/main`, so that an open file leaves its name open too.
    Reach { steps: Pin::Name, guard: Guard::Steps, steps_at: Context::Several("unprotected-branch"), ..open }
}

/// Steps that are proposed, whatever the job that calls them runs at.
fn proposed_steps() -> Reach {
    Reach { proposals: Proposals::Beside, steps_at: Context::One, ..Reach::default() }
}
