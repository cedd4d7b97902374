//! Conditions of jobs and steps: whether one keeps strangers out.
//!
//! Only the shapes are understood that GitHub documents for this purpose: comparisons with the author's association, the
//! actor, the head repository, the event's name. A field counts only for events whose actor it names: whoever comments on
//! an issue need not have opened it. Anything else keeps nobody out. Sources: GitHub's reference of expressions, and of
//! webhook events and payloads.

use evenhand_model::evidence::Truth;

use crate::tree::{self, Syntax};

/// Whether a condition lets an event pass only for people who may change the repository.
///
/// `Unknown` where it asks what the file does not tell: the result of another job or step, a variable, the events of a
/// caller.
pub(super) fn keeps_out(condition: &str, event: &str) -> Truth {
    /// GitHub's own limit for an expression is 21,000 characters; nobody writes a tenth of it by hand.
    const LONGEST: usize = 8 << 10;
    if condition.len() > LONGEST {
        return Truth::Unknown;
    }
    let text = match condition.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(inner) => inner,
        None => condition,
    };
    // An expression with text around it, be it a line end, becomes a text, and every text but the empty one is true.
    if text.contains("${{") {
        return Truth::No;
    }
    decide(text.trim(), event)
}

fn decide(text: &str, event: &str) -> Truth {
    let text = unwrapped(text);
    let parts = split(text, "||");
    if parts.len() > 1 {
        return parts.iter().map(|part| decide(part, event)).fold(Truth::Yes, Truth::and);
    }
    let parts = split(text, "&&");
    if parts.len() > 1 {
        return parts.iter().map(|part| decide(part, event)).fold(Truth::No, Truth::or);
    }
    leaf(text, event)
}

fn leaf(text: &str, event: &str) -> Truth {
    let kept = if let Some((one, other)) = halves(text, "!=") {
        unlike(&Operand::of(one), &Operand::of(other), event)
    } else if let Some((one, other)) = halves(text, "==") {
        match (Operand::of(one), Operand::of(other)) {
            (Operand::Bool(true), _) => decide(other, event),
            (_, Operand::Bool(true)) => decide(one, event),
            (one, other) => alike(&one, &other, event),
        }
    } else if let Some(inner) = text.strip_prefix('!') {
        unlike(&Operand::of(inner.trim()), &Operand::Bool(true), event)
    } else if let Some(arguments) = call(text, "contains") {
        match arguments[..] {
            [within, sought] => contains(within, sought, event),
            _ => Truth::No,
        }
    } else {
        Truth::No
    };
    let asks = ["needs.", "steps."].iter().any(|word| text.contains(word)) && text.contains(".outputs.");
    if asks { kept.or(Truth::Unknown) } else { kept }
}

/// One side of a comparison. GitHub compares texts without regard to case, so all are in lower case.
#[derive(Debug, PartialEq)]
enum Operand {
    Text(String),
    Bool(bool),
    /// `github.event.issue.number` and its like.
    Path(String),
    Other,
}

impl Operand {
    fn of(text: &str) -> Self {
        let text = unwrapped(text.trim()).to_ascii_lowercase();
        let is_path = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && text.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-'))
        };
        match text.as_str() {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match literal(&text) {
                Some(value) => Self::Text(value),
                None if is_path(&text) => Self::Path(text),
                None => Self::Other,
            },
        }
    }

    fn path(&self) -> Option<&str> {
        match self {
            Self::Path(path) => Some(path),
            Self::Text(_) | Self::Bool(_) | Self::Other => None,
        }
    }
}

/// What a text in quotes says.
fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.replace("''", "").contains('\'')).then(|| inner.replace("''", "'"))
}

/// What a field tells of whoever caused an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    /// It is about the one who caused it.
    Actor,
    /// It is about somebody else.
    Another,
    /// The event's payload has no such field.
    Nothing,
    /// The file does not tell which payload it is.
    Untold,
}

/// What an object of an event's payload tells.
fn says(object: &str, event: &str) -> Says {
    let (actor, others): (&str, &[&str]) = match event {
        "issues" => ("issue", &[]),
        "issue_comment" => ("comment", &["issue"]),
        "pull_request" | "pull_request_target" => ("pull_request", &[]),
        "pull_request_review" => ("review", &["pull_request"]),
        "pull_request_review_comment" => ("comment", &["pull_request"]),
        "discussion" => ("discussion", &[]),
        "discussion_comment" => ("comment", &["discussion"]),
        "commit_comment" => ("comment", &[]),
        "workflow_run" => ("workflow_run", &[]),
        "push" | "schedule" | "workflow_dispatch" | "fork" | "watch" | "gollum" => ("", &[]),
        _ => return Says::Untold,
    };
    match () {
        () if object == actor => Says::Actor,
        () if others.contains(&object) => Says::Another,
        () => Says::Nothing,
    }
}

/// What a path to a person's login tells.
fn person(path: &str, event: &str) -> Option<Says> {
    match path {
        "github.actor" | "github.triggering_actor" | "github.event.sender.login" => Some(Says::Actor),
        "github.event.workflow_run.actor.login" | "github.event.workflow_run.triggering_actor.login" => {
            Some(says("workflow_run", event))
        }
        _ => object(path, ".user.login").map(|object| says(object, event)),
    }
}

fn association(path: &str, event: &str) -> Option<Says> {
    object(path, ".author_association").map(|object| says(object, event))
}

/// The object of the payload whose field a path names.
fn object<'t>(path: &'t str, field: &str) -> Option<&'t str> {
    path.strip_prefix("github.event.")?.strip_suffix(field).filter(|object| !object.contains('.'))
}

/// Associations of people who may change the repository.
const TRUSTED: &[&str] = &["owner", "member", "collaborator"];
/// The other ones that an author can have.
const STRANGERS: &[&str] = &["contributor", "first_timer", "first_time_contributor", "mannequin", "none"];

/// Whether a comparison with a field keeps strangers out, given whether it does where the field is about the actor. What
/// the payload lacks is null, which is like no text.
fn where_actor(says: Says, kept: Truth) -> Truth {
    match says {
        Says::Actor => kept,
        Says::Another => Truth::No,
        Says::Nothing => Truth::Yes,
        Says::Untold => Truth::Unknown.min(kept),
    }
}

fn alike(one: &Operand, other: &Operand, event: &str) -> Truth {
    for (field, value) in [(one, other), (other, one)] {
        let Some(path) = field.path() else { continue };
        if path == "github.event_name" {
            return match value {
                Operand::Text(name) => named_event(event, name != event),
                _ => Truth::No,
            };
        }
        if let Some(says) = association(path, event) {
            return match value {
                Operand::Text(word) => where_actor(says, Truth::from(TRUSTED.contains(&word.as_str()))),
                _ => Truth::No,
            };
        }
        if let Some(says) = person(path, event) {
            let kept = match value {
                Operand::Text(name) => is_one_of_us(name),
                Operand::Path(path) if OWNER.contains(&path.as_str()) => Truth::Yes,
                Operand::Path(path) if is_untold(path) => Truth::Unknown,
                // The other side may be a person too, and the same one.
                Operand::Path(_) | Operand::Bool(_) | Operand::Other => continue,
            };
            return where_actor(says, kept);
        }
        match (path, value) {
            ("github.event.pull_request.head.repo.full_name", Operand::Path(other)) if other == "github.repository" => {
                return where_actor(says("pull_request", event), Truth::Yes);
            }
            ("github.event.pull_request.head.repo.id", Operand::Path(other))
                if other == "github.event.pull_request.base.repo.id" =>
            {
                return unless_null(says("pull_request", event));
            }
            (FORK, Operand::Bool(false)) => return unless_null(says("pull_request", event)),
            // A run in the repository itself may have been started by a stranger's comment.
            ("github.event.workflow_run.head_repository.full_name", Operand::Path(other))
                if other == "github.repository" =>
            {
                return where_actor(says("workflow_run", event), Truth::Unknown);
            }
            _ => {}
        }
    }
    Truth::No
}

fn unlike(one: &Operand, other: &Operand, event: &str) -> Truth {
    for (field, value) in [(one, other), (other, one)] {
        match (field.path(), value) {
            (Some("github.event_name"), Operand::Text(name)) => return named_event(event, name == event),
            (Some(FORK), Operand::Bool(true)) => return unless_null(says("pull_request", event)),
            _ => {}
        }
    }
    Truth::No
}

/// Whether the head of a pull request lies in a fork.
const FORK: &str = "github.event.pull_request.head.repo.fork";
/// Who owns the repository.
const OWNER: &[&str] = &["github.repository_owner", "github.event.repository.owner.login"];

/// What a comparison with the name of an event does to that event. A called workflow sees the event of its caller.
fn named_event(event: &str, kept: bool) -> Truth {
    if event == "workflow_call" { Truth::Unknown } else { Truth::from(kept) }
}

/// Comparisons that hold where the payload lacks what they ask for.
fn unless_null(says: Says) -> Truth {
    if says == Says::Nothing { Truth::No } else { where_actor(says, Truth::Yes) }
}

/// Whether a path leads to a value that stands outside the file.
fn is_untold(path: &str) -> bool {
    ["vars.", "secrets.", "env.", "inputs.", "needs.", "steps."].iter().any(|start| path.starts_with(start))
}

/// Whether a login that a file names is a person it trusts. A bot acts on what others write, and null is like the number
/// zero.
fn is_one_of_us(name: &str) -> Truth {
    if name.ends_with("[bot]") {
        return Truth::Unknown;
    }
    Truth::from(name.starts_with(|first: char| first.is_ascii_alphanumeric() && first != '0'))
}

/// `contains(within, sought)`: of a list, whether an element is the same; of a text, whether a part of it is.
fn contains(within: &str, sought: &str, event: &str) -> Truth {
    let list = call(within, "fromjson");
    match (Operand::of(within), Operand::of(sought)) {
        (Operand::Text(text), Operand::Path(path)) => {
            if path == "github.event_name" {
                return named_event(event, !text.contains(event));
            }
            if let Some(says) = association(&path, event) {
                // Every text contains what the payload lacks.
                let kept = Truth::from(!STRANGERS.iter().any(|word| text.contains(word)));
                return if says == Says::Nothing { Truth::No } else { where_actor(says, kept) };
            }
            // Whose login is a part of the text, the file does not tell.
            match person(&path, event) {
                Some(Says::Actor | Says::Untold) => Truth::Unknown,
                Some(Says::Another | Says::Nothing) | None => Truth::No,
            }
        }
        (Operand::Path(path), Operand::Text(word)) => match association(&path, event) {
            Some(says) => where_actor(says, Truth::from(!STRANGERS.iter().any(|one| one.contains(&word)))),
            None => Truth::No,
        },
        (Operand::Other, Operand::Path(path)) => {
            let Some([list]) = list.as_deref() else { return Truth::No };
            let told = match Operand::of(list) {
                Operand::Text(json) => elements(&json),
                _ => None,
            };
            let all = |kept: &dyn Fn(&str) -> Truth| match &told {
                Some(words) => words.iter().map(|word| kept(word)).fold(Truth::Yes, Truth::and),
                None => Truth::Unknown,
            };
            if path == "github.event_name" {
                let kept = all(&|word| Truth::from(word != event));
                return if event == "workflow_call" { Truth::Unknown } else { kept };
            }
            if let Some(says) = association(&path, event) {
                return where_actor(says, all(&|word| Truth::from(TRUSTED.contains(&word))));
            }
            person(&path, event).map_or(Truth::No, |says| where_actor(says, all(&is_one_of_us)))
        }
        _ => Truth::No,
    }
}

/// The words of a list in JSON.
fn elements(json: &str) -> Option<Vec<String>> {
    let node = tree::parse(json, Syntax::Json).ok()?;
    match &node.value {
        tree::Value::List(elements) => elements.iter().map(|element| element.text().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The arguments of a call that is all of a text.
fn call<'t>(text: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let (start, rest) = text.trim().split_at_checked(name.len())?;
    let inner = rest.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    (start.eq_ignore_ascii_case(name) && is_whole(inner)).then(|| split(inner, ","))
}

/// The two sides of an operator that stands once in a text.
fn halves<'t>(text: &'t str, operator: &str) -> Option<(&'t str, &'t str)> {
    match split(text, operator)[..] {
        [one, other] => Some((one, other)),
        _ => None,
    }
}

/// A text without parentheses that hold all of it.
fn unwrapped(mut text: &str) -> &str {
    /// Nobody writes more of them around one another.
    const MOST: usize = 16;
    for _ in 0..MOST {
        let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { break };
        if !is_whole(inner) {
            break;
        }
        text = inner.trim();
    }
    text
}

/// Whether every parenthesis and quote in a text has its partner in it.
fn is_whole(text: &str) -> bool {
    let (mut depth, mut quoted) = (0_i32, false);
    let never_below = text.chars().all(|character| {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        depth >= 0
    });
    never_below && depth == 0 && !quoted
}

/// Cuts at an operator outside parentheses and quotes.
fn split<'t>(text: &'t str, operator: &str) -> Vec<&'t str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if !quoted && depth == 0 && at >= from && text.get(at..).is_some_and(|rest| rest.starts_with(operator)) {
            parts.push(text.get(from..at).unwrap_or("").trim());
            from = at + operator.len();
        }
    }
    parts.push(text.get(from..).unwrap_or("").trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_keeps_strangers_out_only_where_every_way_through_it_does() {
        let member =
            "contains(fromJSON('[\"OWNER\", \"MEMBER\", \"COLLABORATOR\"]'), github.event.comment.author_association)";
        let cases = [
            ("contains(github.event.comment.body, '@bot')", "issue_comment", Truth::No),
            (member, "issue_comment", Truth::Yes),
            (&format!("contains(github.event.comment.body, '@bot') && {member}"), "issue_comment", Truth::Yes),
            (&format!("contains(github.event.comment.body, '@bot') || {member}"), "issue_comment", Truth::No),
            ("github.event_name == 'push'", "issues", Truth::Yes),
            ("github.event_name == inputs.event", "issues", Truth::No),
            ("github.event_name == 'push'", "workflow_call", Truth::Unknown),
            ("contains(fromJSON('[\"push\"]'), github.event_name)", "issues", Truth::Yes),
            ("contains(fromJSON('[\"push\", \"issues\"]'), github.event_name)", "issues", Truth::No),
            ("github.event_name == 'issues' && github.actor == 'ana'", "issues", Truth::Yes),
            ("(github.event_name == 'issues') || (github.event_name == 'push')", "issues", Truth::No),
            (
                "(github.event_name == 'issues' && github.actor == 'ana') || github.event_name == 'push'",
                "issues",
                Truth::Yes,
            ),
            ("github.event_name != 'issue_comment' || github.event.issue.pull_request", "issue_comment", Truth::No),
            ("${{ github.actor == 'ana' }}", "issues", Truth::Yes),
            ("${{ github.actor == 'ana' }}\n", "issues", Truth::No),
            ("${{ github.actor == 'ana' }} && ${{ true }}", "issues", Truth::No),
            ("${{ !github.event.pull_request.head.repo.fork }}", "pull_request_target", Truth::Yes),
            ("needs.check.outputs.allowed == 'true'", "issues", Truth::Unknown),
            ("!needs.check.outputs.stranger", "issues", Truth::Unknown),
            (
                "needs.check.outputs.allowed == 'true' && contains(github.event.issue.body, 'x || y')",
                "issues",
                Truth::Unknown,
            ),
            ("", "issues", Truth::No),
        ];
        for (condition, event, expected) in cases {
            assert_eq!(keeps_out(condition, event), expected, "{condition}");
        }
    }

    #[test]
    fn a_field_counts_only_for_events_whose_actor_it_names() {
        let cases = [
            ("github.event.comment.author_association == 'MEMBER'", "issue_comment", Truth::Yes),
            ("github.event.issue.author_association == 'MEMBER'", "issue_comment", Truth::No),
            ("github.event.issue.author_association == 'MEMBER'", "issues", Truth::Yes),
            ("github.event.issue.user.login == 'ana'", "issue_comment", Truth::No),
            ("'ana' == github.event.issue.user.login", "issues", Truth::Yes),
            ("github.event.comment.user.login == 'ana'", "pull_request_review_comment", Truth::Yes),
            ("github.event.pull_request.user.login == 'ana'", "pull_request_review_comment", Truth::No),
            ("github.event.pull_request.user.login == 'ana'", "pull_request_review", Truth::No),
            ("github.event.review.user.login == 'ana'", "pull_request_review", Truth::Yes),
            ("github.event.pull_request.user.login == 'ana'", "pull_request_target", Truth::Yes),
            ("github.event.discussion.user.login == 'ana'", "discussion_comment", Truth::No),
            ("github.event.pull_request.head.repo.full_name == github.repository", "pull_request", Truth::Yes),
            (
                "github.event.pull_request.head.repo.full_name == github.repository",
                "pull_request_review_comment",
                Truth::No,
            ),
            ("github.event.pull_request.head.repo.fork == false", "pull_request_review", Truth::No),
            ("github.event.pull_request.head.repo.fork != true", "pull_request", Truth::Yes),
            // What the payload lacks is null: like no name, but as good as false.
            ("github.event.comment.author_association == 'MEMBER'", "issues", Truth::Yes),
            ("!github.event.pull_request.head.repo.fork", "issue_comment", Truth::No),
            ("contains('OWNER,MEMBER', github.event.comment.author_association)", "issues", Truth::No),
            // A called workflow sees the event of its caller.
            ("github.event.issue.user.login == 'ana'", "workflow_call", Truth::Unknown),
            ("github.event.workflow_run.actor.login == 'ana'", "workflow_run", Truth::Yes),
            (
                "github.event.workflow_run.head_repository.full_name == github.repository",
                "workflow_run",
                Truth::Unknown,
            ),
        ];
        for (condition, event, expected) in cases {
            assert_eq!(keeps_out(condition, event), expected, "{event}: {condition}");
        }
    }

    #[test]
    fn a_person_counts_only_where_the_file_names_who_it_is() {
        let cases = [
            ("github.actor == 'ana'", Truth::Yes),
            ("github.actor != 'ana'", Truth::No),
            ("github.actor == ''", Truth::No),
            ("github.actor == github.repository_owner", Truth::Yes),
            ("github.actor == vars.MAINTAINER", Truth::Unknown),
            ("github.actor == github.event.issue.user.login", Truth::No),
            ("github.actor == format('{0}', github.actor)", Truth::No),
            ("github.actor == 'renovate[bot]'", Truth::Unknown),
            ("startsWith(github.actor, 'ana')", Truth::No),
            ("contains(github.actor, 'ana')", Truth::No),
            ("contains('ana,ben', github.actor)", Truth::Unknown),
        ];
        for (condition, expected) in cases {
            assert_eq!(keeps_out(condition, "issues"), expected, "{condition}");
        }
    }

    #[test]
    fn a_list_counts_by_its_elements_and_only_where_it_is_all_of_the_condition() {
        let cases = [
            ("contains(fromJSON('[\"ana\", \"ben\"]'), github.actor)", Truth::Yes),
            ("contains( fromJson('[\"ana\"]') , github.actor ) == true", Truth::Yes),
            ("contains(fromJSON('[\"ana\"]'), github.actor) == false", Truth::No),
            ("contains(fromJSON('[\"ana\"]'), github.actor) != true", Truth::No),
            ("!contains(fromJSON('[\"ana\"]'), github.actor)", Truth::No),
            ("!(contains(fromJSON('[\"ana\"]'), github.actor))", Truth::No),
            ("contains(fromJSON('[\"ana\", \"\"]'), github.actor)", Truth::No),
            ("contains(fromJSON(vars.MAINTAINERS), github.actor)", Truth::Unknown),
            ("contains(fromJSON('[1]'), github.actor)", Truth::Unknown),
            ("contains(fromJSON('[\"ana\"]'), github.event.issue.user.login)", Truth::No),
            ("contains(fromJSON('[\"OWNER\",\"CONTRIBUTOR\"]'), github.event.comment.author_association)", Truth::No),
            ("contains(fromJSON('[\"OWNER\"]'), github.event.issue.author_association)", Truth::No),
            ("contains('OWNER,CONTRIBUTOR', github.event.comment.author_association)", Truth::No),
            ("contains('OWNER,COLLABORATOR', github.event.comment.author_association)", Truth::Yes),
            ("contains(github.event.comment.author_association, 'MEMBER')", Truth::Yes),
            ("contains(github.event.comment.author_association, 'CO')", Truth::No),
            ("github.event.comment.author_association != 'NONE'", Truth::No),
            ("github.event.comment.author_association == 'CONTRIBUTOR'", Truth::No),
            ("(contains(github.event.comment.body, ')')) && (github.actor == 'ana')", Truth::Yes),
        ];
        for (condition, expected) in cases {
            assert_eq!(keeps_out(condition, "issue_comment"), expected, "{condition}");
        }
    }
}
