//! Comparisons of the repository that code comes from, the head, with the repository itself.

use evenhand_model::evidence::Truth;

use super::expression::Operand;
use super::{About, Asked, Says, is_one_of_us, is_untold, says, where_them};

/// What a field tells of the head repository.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    FullName,
    Id,
    Owner,
    OwnerId,
    Fork,
}

/// The object of the payload that a path belongs to, and what it tells of the head repository there.
fn field(path: &str) -> Option<(&'static str, Field)> {
    let of_repository = |field: &str| match field {
        "full_name" => Some(Field::FullName),
        "id" => Some(Field::Id),
        "owner.login" => Some(Field::Owner),
        "owner.id" => Some(Field::OwnerId),
        "fork" => Some(Field::Fork),
        _ => None,
    };
    if let Some(rest) = path.strip_prefix("github.event.workflow_run.head_repository.") {
        return Some(("workflow_run", of_repository(rest)?));
    }
    let rest = path.strip_prefix("github.event.pull_request.head.")?;
    let field = match rest {
        "user.login" => Field::Owner,
        "user.id" => Field::OwnerId,
        _ => of_repository(rest.strip_prefix("repo.")?)?,
    };
    Some(("pull_request", field))
}

/// What the repository itself is in, by the object of the payload.
const OWN: &[&str] =
    &["github.event.repository.", "github.event.pull_request.base.repo.", "github.event.workflow_run.repository."];

/// Whether a path tells the same of the repository itself, and whether every event has it.
fn own(field: Field, path: &str) -> Option<bool> {
    let (context, below) = match field {
        Field::FullName => ("github.repository", "full_name"),
        Field::Id => ("github.repository_id", "id"),
        Field::Owner => ("github.repository_owner", "owner.login"),
        Field::OwnerId => ("github.repository_owner_id", "owner.id"),
        Field::Fork => return None,
    };
    if path == context {
        return Some(true);
    }
    OWN.iter().any(|object| path.strip_prefix(object) == Some(below)).then_some(false)
}

/// Whether a comparison of a field with a value keeps strangers, or their code, out; `None` = the field tells nothing of
/// the head repository.
pub(super) fn alike(path: &str, value: &Operand, asked: Asked<'_>) -> Option<Truth> {
    let (object, field) = field(path)?;
    let (kept, nothing_is_like_null) = match (field, value) {
        (Field::Fork, Operand::Bool(false)) => (Truth::Yes, true),
        (Field::FullName, Operand::Text(name)) => (Truth::from(name.contains('/')), false),
        (Field::Owner, Operand::Text(name)) => (is_one_of_us(name), false),
        (_, Operand::Path(other)) if is_untold(other) => (Truth::Unknown, true),
        (_, Operand::Path(other)) => match own(field, other) {
            Some(always) => (Truth::Yes, !always),
            None => (Truth::No, true),
        },
        _ => (Truth::No, true),
    };
    let said = says(object, asked);
    if said == Says::Nothing && nothing_is_like_null {
        return Some(Truth::No);
    }
    // A run in the repository itself may have been started by a stranger's comment.
    let by_anybody = object == "workflow_run" && asked.about == About::People;
    Some(where_them(said, if by_anybody { kept.min(Truth::Unknown) } else { kept }))
}

/// Whether a path tells that the head repository is a fork.
pub(super) fn is_fork(path: &str) -> bool {
    matches!(field(path), Some((_, Field::Fork)))
}

/// Whether a condition asks for the pull requests of a run, which GitHub lists by the name of their branch: none where only
/// a fork has such a branch, and those of the repository where it has one too (GitHub's REST reference of workflow runs).
pub(super) fn may_list_none(text: &str, asked: Asked<'_>) -> bool {
    asked.about == About::Code
        && asked.event == "workflow_run"
        && text.contains("github.event.workflow_run.pull_requests[")
}
