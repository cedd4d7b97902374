//! The subjects and claims of each issuer, a file each: how far a pattern over them reaches.

mod bitbucket;
mod circleci;
mod github;
mod gitlab;
mod kubernetes;
mod terraform;

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token};

use crate::issuer::Issuer;
use crate::reach::{Context, Pin, Reach};
use crate::shape::Shape;

/// How far a pattern over a claim reaches.
pub(crate) fn reach(issuer: Issuer, claim: &str, pattern: &Glob) -> Reach {
    let shape = Shape::of(pattern);
    // Whoever asks for the token names the audience.
    if matches!(claim, "aud" | "oaud") {
        return if shape.is_wild() { Reach::default() } else { Reach::default().remark("aud-pinned") };
    }
    if let Glob::Literal(text) = pattern
        && is_of_nobody(issuer, claim, text)
    {
        return Reach::nobody();
    }
    if !may_fit(issuer, claim, pattern, &shape) {
        return Reach::nobody();
    }
    match (issuer, claim) {
        (_, "iss" | "azp") => Reach::default(),
        (Issuer::GitHub, "sub") => github::subject(&shape),
        (Issuer::GitHub, _) => github::claim(claim, &shape),
        (Issuer::GitLab, "sub") => gitlab::subject(&shape),
        (Issuer::GitLab, _) => gitlab::claim(claim, &shape),
        (Issuer::Bitbucket, "sub") => bitbucket::subject(&shape),
        (Issuer::Bitbucket, _) => bitbucket::claim(claim, &shape),
        (Issuer::CircleCi, "sub") => circleci::subject(&shape),
        (Issuer::CircleCi, _) => circleci::claim(claim, &shape),
        (Issuer::Terraform, "sub") => terraform::subject(&shape),
        (Issuer::Terraform, _) => terraform::claim(claim, &shape),
        (Issuer::Kubernetes, "sub") => kubernetes::subject(&shape),
        (Issuer::Kubernetes, _) => kubernetes::claim(claim, &shape),
        (Issuer::Other, "sub" | "email") => other(&shape),
        (Issuer::Other, _) => Reach::default(),
    }
}

/// Whether it is known what a claim of an issuer says.
pub(crate) fn knows(issuer: Issuer, claim: &str) -> bool {
    issuer != Issuer::Other || matches!(claim, "sub" | "email" | "aud" | "oaud" | "azp" | "iss")
}

/// What is said of a part of which nothing tells whether it keeps anybody out.
pub(crate) const TIGHTER: &str = "the condition may be tighter than it says";

/// Why a claim counts for nothing in the grade; `None`: it counts, or a part of it does.
pub(crate) fn passed_over(issuer: Issuer, claim: &str) -> Option<&'static str> {
    match issuer {
        _ if !knows(issuer, claim) => Some(TIGHTER),
        Issuer::GitHub => github::passed_over(claim),
        _ => None,
    }
}

/// Whether a claim has one value in every token of an issuer that carries it.
pub(crate) fn has_one_value(issuer: Issuer, claim: &str) -> bool {
    let lists = ["aud", "oaud", "amr", "groups", "groups_direct", "user_identities", "oidc.circleci.com/context-ids"];
    claim == "sub" || (!matches!(issuer, Issuer::Other | Issuer::Kubernetes) && !lists.contains(&claim))
}

/// What a claim is limited to in every token of an issuer in which another one has a value that fits a pattern: one of these
/// fits it. `None`: nothing tells.
pub(crate) fn limits(issuer: Issuer, claim: &str, other: &str, value: &Glob) -> Option<Vec<Glob>> {
    match (issuer, claim, other) {
        // The workflow that an event starts stands in the repository itself.
        (Issuer::GitHub, "workflow_ref", "repository") | (Issuer::GitHub, "repository", "repository_owner") => {
            Some(vec![Glob::from_tokens(value.tokens().into_iter().chain([Token::Char('/'), Token::Many]))])
        }
        (Issuer::GitHub, "ref", "event_name") => github::references(value),
        (Issuer::GitHub, "workflow_ref", "ref") => github::started_at(value),
        _ => None,
    }
}

/// What a subject that fits a pattern says of other claims, as far as it is certain: patterns that are no narrower.
pub(crate) fn told(issuer: Issuer, subject: &Glob) -> Vec<(&'static str, Glob)> {
    match issuer {
        Issuer::GitHub => github::told(&Shape::of(subject)),
        _ => Vec::new(),
    }
}

/// The contexts that a pattern over a claim leaves open, a pattern each, as far as they are known; none where it leaves open
/// no whole kind of them.
pub(crate) fn contexts(issuer: Issuer, claim: &str, pattern: &Glob) -> Vec<Glob> {
    match (issuer, claim) {
        (Issuer::GitHub, "sub") => github::contexts(pattern),
        _ => Vec::new(),
    }
}

/// What a claim says in every token that is given for a change which is proposed and not merged; `None`: nothing tells.
pub(crate) fn proposed(issuer: Issuer, claim: &str) -> Option<Glob> {
    match (issuer, claim) {
        (Issuer::GitHub, "ref") => Some(Glob::wildcard("refs/pull/*/merge")),
        _ => None,
    }
}

/// Whether texts that differ in the case of letters alone mean different things: names of branches and tags do, those of
/// owners, repositories and environments do not.
pub(crate) fn case_counts(issuer: Issuer, claim: &str, values: &[Glob]) -> bool {
    match issuer {
        Issuer::GitHub | Issuer::GitLab => match claim {
            "ref" | "job_workflow_ref" | "workflow_ref" => true,
            "sub" => values.iter().any(|value| value.to_string().contains("ref:")),
            _ => false,
        },
        Issuer::Bitbucket | Issuer::CircleCi | Issuer::Kubernetes => false,
        Issuer::Terraform | Issuer::Other => true,
    }
}

/// Whether any token of the issuer can have such a value: subjects are of the issuer's form, and so are some other claims.
fn may_fit(issuer: Issuer, claim: &str, pattern: &Glob, shape: &Shape) -> bool {
    let forms: &[&str] = match (issuer, claim) {
        (Issuer::GitHub, "sub") => return github::is_subject(shape),
        (Issuer::GitHub, claim) => return github::is_value(claim, shape),
        (Issuer::GitLab, "sub") => gitlab::SUBJECTS,
        (Issuer::Bitbucket, "sub") => bitbucket::SUBJECTS,
        (Issuer::CircleCi, "sub") => circleci::SUBJECTS,
        (Issuer::Terraform, "sub") => terraform::SUBJECTS,
        (Issuer::Kubernetes, "sub") => kubernetes::SUBJECTS,
        _ => return true,
    };
    forms.iter().any(|form| Glob::wildcard(form).overlaps(pattern) != Truth::No)
}

/// Whether a text holds `*` or `?` where no token of the issuer does: no subject, name or number of these issuers has such a
/// character, so that compared to the letter it admits nobody. What people call their workflows and environments may hold
/// any, and these names stand in subjects of GitHub too.
fn is_of_nobody(issuer: Issuer, claim: &str, text: &str) -> bool {
    let is_free = |name: &str| matches!(name, "workflow" | "environment");
    let is_wild = |text: &str| text.contains(['*', '?']);
    match (issuer, claim) {
        (Issuer::Other, _) => false,
        (Issuer::GitHub, "sub") => text.split(':').take_while(|piece| !is_free(piece)).any(is_wild),
        _ => !is_free(claim) && is_wild(text),
    }
}

/// Of a subject of no known form one can only say whether it is one.
fn other(shape: &Shape) -> Reach {
    if shape.is_open() {
        Reach::default()
    } else if shape.is_wild() {
        Reach::workload(Pin::Part)
    } else {
        Reach { context: Context::One, ..Reach::workload(Pin::Name) }
    }
}

/// How firmly a name is held.
fn name(shape: &Shape) -> Pin {
    by(shape, Pin::Name)
}

/// How firmly a number is held.
fn id(shape: &Shape) -> Pin {
    by(shape, Pin::Id)
}

fn by(shape: &Shape, whole: Pin) -> Pin {
    if shape.is_open() {
        Pin::Open
    } else if shape.is_wild() {
        Pin::Part
    } else {
        whole
    }
}

/// Keys and values that take turns, as `repo:o/r:ref:refs/heads/main`; a piece that is none of the keys is left out, and
/// some keys stand alone.
fn pairs<'a>(
    pieces: &'a [Shape],
    keys: &[&'static str],
    alone: &[&'static str],
) -> Vec<(&'static str, Option<&'a Shape>)> {
    let mut found = Vec::new();
    let mut rest = pieces.iter();
    while let Some(piece) = rest.next() {
        let Some(text) = piece.literal() else { continue };
        if let Some(key) = alone.iter().find(|key| **key == text) {
            found.push((*key, None));
        } else if let Some(key) = keys.iter().find(|key| **key == text) {
            found.push((*key, rest.next()));
        }
    }
    found
}
