//! What a token shows that no condition does: that it was admitted and should not have been, or that it never will be.

use evenhand_model::evidence::Truth;
use evenhand_model::glob::{Glob, Token as Piece};
use evenhand_model::token::{Claim, Token};

use crate::grade::{Asks, Grade, Graded};
use crate::issuer::Issuer;

/// Makes a grade worse for what a token shows.
pub(super) fn worsen(graded: &mut Graded, issuer: Issuer, token: &Token, admitted: Truth, asks: &Asks) {
    match issuer {
        Issuer::CircleCi if admitted != Truth::No && is_debug_session(token) => {
            graded.worsen("ssh-rerun", Grade::Unsafe);
        }
        Issuer::GitHub if admitted == Truth::No && differs_by_numbers(token, asks) => {
            graded.worsen("immutable-break", Grade::Weak);
        }
        _ => {}
    }
}

/// A job that somebody runs again with a shell in it.
fn is_debug_session(token: &Token) -> bool {
    match token.claim("oidc.circleci.com/ssh-rerun") {
        Some(Claim::Value(value)) => value == true || value == "true",
        _ => false,
    }
}

/// Whether the subject would fit if neither side had numbers in it, and one side has.
fn differs_by_numbers(token: &Token, asks: &Asks) -> bool {
    let Some(subject) = token.text("sub") else { return false };
    let plain = without_numbers(subject);
    let demands = asks.alternatives.iter().flat_map(|one| &one.demands).filter(|demand| demand.claim == "sub");
    demands.flat_map(|demand| &demand.values).any(|value| {
        let written = written(value);
        let bare = without_numbers(&written);
        (bare != written) != (plain != subject) && Glob::wildcard(&bare).matches(&plain) == Truth::Yes
    })
}

/// `repo:O@1/R@2:x` → `repo:O/R:x`.
fn without_numbers(subject: &str) -> String {
    let Some((head, rest)) = subject.strip_prefix("repo:").map(|rest| rest.split_once(':').unwrap_or((rest, "")))
    else {
        return subject.to_owned();
    };
    let names: Vec<&str> = head.split('/').map(|part| part.split('@').next().unwrap_or(part)).collect();
    let colon = if subject.len() > "repo:".len() + head.len() { ":" } else { "" };
    format!("repo:{}{colon}{rest}", names.join("/"))
}

fn written(pattern: &Glob) -> String {
    let char = |piece: Piece| match piece {
        Piece::Char(c) => c,
        Piece::One => '?',
        Piece::Many | Piece::Variable(_) => '*',
    };
    pattern.tokens().into_iter().map(char).collect()
}
