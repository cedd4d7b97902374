//! Point decisions on tokens: a token and a condition in, whether it is admitted and how tightly the condition holds out.
//!
//! The match is the cloud's business ([`Platform`](crate::Platform)), the grade is the issuer's ([`grade`](crate::grade()));
//! this module reads lines, puts the two together, and adds what the one token shows that the condition cannot.

mod answer;
mod input;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use evenhand_model::decide::{Decides, Refusal, read};
use evenhand_model::evidence::Truth;
use evenhand_model::token::{Claim, Token, bare_issuer};

pub use answer::{Answer, Note};

use crate::entra::Entra;
use crate::gcp::Gcp;
use crate::grade::grade;
use crate::issuer::Issuer;
use crate::issuers;
use crate::platform::{Admitted, Platform};
use crate::reasons;
use input::{Cloud, Input, REMEDY};

/// Decides lines, each by itself. Shared by threads.
pub struct Decider {
    aws: Box<dyn Platform>,
}

impl Decider {
    /// A decider that has AWS's conditions evaluated by the provider of AWS.
    pub fn new(aws: Box<dyn Platform>) -> Self {
        Self { aws }
    }

    /// Decides the question in one JSON object.
    ///
    /// # Errors
    /// When the object is no question, or something in it cannot be understood: with its place.
    pub fn answer(&self, text: &str) -> Result<Answer, Refusal> {
        let input: Input<'_> = read(text, REMEDY)?;
        let (issuer, token) = token(&input)?;
        let platform: &dyn Platform = match input.platform {
            Cloud::Aws => &*self.aws,
            Cloud::Entra => &Entra,
            Cloud::Gcp => &Gcp,
        };
        let condition =
            platform.understand(input.condition.get(), issuer).map_err(|refusal| refusal.below("/condition"))?;
        // Where the line does not tell who signs the token, the condition tells whose tokens it is for.
        let issuer = match issuer {
            Issuer::Other if token.issuer.is_none() => condition.issuer().unwrap_or(issuer),
            told => told,
        };
        let admitted = condition.admits(&token);
        let asks = condition.asks(issuer, token.issuer.as_deref());
        let mut graded = grade(issuer, &asks);
        // A token that no issuer gives may fit a condition that none of its tokens does.
        let admitted = if graded.admits { admitted } else { Admitted::new(Truth::No, BTreeSet::new()) };
        shown::worsen(&mut graded, issuer, &token, admitted.truth, &asks);
        let notes = condition.notes().into_iter().map(|(at, message)| Note { at: format!("/condition{at}"), message });
        let demanded = asks.alternatives.iter().flat_map(|one| &one.demands).map(|demand| &demand.claim);
        let claims: BTreeSet<&String> = demanded.chain(&asks.tested).collect();
        let passed_over = claims.into_iter().filter_map(|claim| Some((claim, issuers::passed_over(issuer, claim)?)));
        let opaque = asks.opaque.iter().map(|part| (part, issuers::TIGHTER)).chain(passed_over);
        let opaque = opaque.map(|(part, why)| Note {
            at: "/condition".to_owned(),
            message: format!("`{part}` counts for nothing in the grade: {why}"),
        });
        let (grade, pattern) =
            if graded.vague { (None, Some("not-understood")) } else { (Some(graded.grade), graded.pattern) };
        Ok(Answer {
            id: input.id.as_deref().map(str::to_owned),
            matched: admitted.truth.known(),
            grade,
            pattern,
            reason: pattern.map_or("", reasons::of),
            patterns: graded.patterns.iter().copied().collect(),
            open: admitted.open.into_iter().collect(),
            notes: notes.chain(opaque).collect(),
        })
    }
}

impl Decides for Decider {
    fn reply(&self, request: &str) -> Result<Vec<u8>, Refusal> {
        let answer = self.answer(request)?;
        serde_json::to_vec(&answer)
            .map_err(|error| Refusal::new("", format!("the answer cannot be written: {error}"), "report it"))
    }
}

impl std::fmt::Debug for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decider").finish_non_exhaustive()
    }
}

/// The token of a line, and who signs it.
fn token(input: &Input<'_>) -> Result<(Issuer, Token), Refusal> {
    let mut claims: BTreeMap<Arc<str>, Claim> = BTreeMap::new();
    for (name, value) in input.claims.iter().flatten() {
        claims.insert(name.as_str().into(), Claim::Value(value.clone()));
    }
    if let Some(subject) = input.subject.as_deref() {
        if let Some(Claim::Value(said)) = claims.get("sub")
            && said.as_str() != Some(subject)
        {
            return Err(Refusal::new("/claims/sub", "`sub` is another one than `subject`", "leave one of them out"));
        }
        claims.insert("sub".into(), Claim::Value(subject.into()));
    }
    let mut token = Token { issuer: None, claims, whole: input.claims.is_some() };
    let Some(subject) = token.text("sub").map(str::to_owned) else {
        return Err(Refusal::new("", "the token has no subject", "give `subject`, or `sub` among the `claims`"));
    };
    let named = input.issuer.as_deref();
    let issuer = match named.or_else(|| token.text("iss")) {
        None => Issuer::of_subject(&subject),
        Some(name) => match Issuer::named(name) {
            Some(issuer) => issuer,
            None if name.contains('.') || name.contains("://") => {
                let address = bare_issuer(name);
                let issuer = Issuer::at(&address);
                let spelled = if name.contains("://") { name.to_owned() } else { format!("https://{name}") };
                token.issuer = Some(address);
                token.claims.entry("iss".into()).or_insert_with(|| Claim::Value(spelled.into()));
                if issuer == Issuer::Other { Issuer::of_subject(&subject) } else { issuer }
            }
            None => {
                let known: Vec<&str> = Issuer::NAMES.iter().map(|(name, _)| *name).collect();
                return Err(Refusal::new(
                    "/issuer",
                    format!("`{name}` is no issuer"),
                    format!("give its address, or one of: {}", known.join(", ")),
                ));
            }
        },
    };
    Ok((issuer, token))
}

/// The JSON Schema of a line and, below `$defs`, of its answer and of its refusal.
pub fn schema() -> serde_json::Value {
    evenhand_model::decide::schema::<Input<'static>, Answer>(
        "evenhand decide federation",
        "One line of input. The answer to it is `$defs/Answer`; a line that cannot be understood is answered by \
         `$defs/Refused`.",
    )
}

#[cfg(test)]
mod tests;
