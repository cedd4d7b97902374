//! Conditions of jobs and steps: whether one keeps strangers out, and their code.
//!
//! Only the shapes are understood that GitHub documents for this purpose: comparisons with the author's association, the
//! actor, the head repository, the event's name. A field counts only for events in which it is about the one who is asked
//! for: whoever comments on an issue need not have opened it, and a member who comments on a pull request did not write its
//! code. Anything else keeps nobody out. Sources: GitHub's reference of expressions, and of webhook events and payloads.

mod expression;
mod head;

use evenhand_model::evidence::Truth;

use super::trigger::{self, Audience};
use expression::{Operand, call, elements, halves, split, unwrapped};

/// What does not get past a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    /// Events that people cause who may not change the repository.
    pub(super) people: Truth,
    /// Events about code that such people wrote, whoever caused them.
    pub(super) code: Truth,
}

impl Kept {
    /// Everything gets past.
    pub(super) const NOTHING: Self = Self { people: Truth::No, code: Truth::No };

    /// Nothing gets past.
    pub(super) const EVERYTHING: Self = Self { people: Truth::Yes, code: Truth::Yes };

    /// What one of two conditions stops.
    pub(super) fn or(self, other: Self) -> Self {
        Self { people: self.people.or(other.people), code: self.code.or(other.code) }
    }
}

/// What a condition keeps out of an event.
///
/// `Unknown` where it asks what the file does not tell: the result of another job or step, a variable, the events of a
/// caller.
pub(super) fn keeps_out(condition: &str, event: &str) -> Kept {
    /// GitHub's own limit for an expression is 21,000 characters; nobody writes a tenth of it by hand.
    const LONGEST: usize = 8 << 10;
    if condition.len() > LONGEST {
        return Kept { people: Truth::Unknown, code: Truth::Unknown };
    }
    let text = match condition.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(inner) => inner,
        None => condition,
    };
    // An expression with text around it, be it a line end, becomes a text, and every text but the empty one is true.
    if text.contains("${{") {
        return Kept::NOTHING;
    }
    let kept = |about| decide(text.trim(), Asked { event, about });
    Kept { people: kept(About::People), code: kept(About::Code) }
}

/// Whom a condition is to keep out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    /// Whoever causes the event.
    People,
    /// Whoever wrote the code that the event is about.
    Code,
}

/// What is asked of a condition.
#[derive(Clone, Copy, Debug)]
struct Asked<'e> {
    event: &'e str,
    about: About,
}

fn decide(text: &str, asked: Asked<'_>) -> Truth {
    let text = unwrapped(text);
    let parts = split(text, "||");
    if parts.len() > 1 {
        return parts.iter().map(|part| decide(part, asked)).fold(Truth::Yes, Truth::and);
    }
    let parts = split(text, "&&");
    if parts.len() > 1 {
        return parts.iter().map(|part| decide(part, asked)).fold(Truth::No, Truth::or);
    }
    leaf(text, asked)
}

fn leaf(text: &str, asked: Asked<'_>) -> Truth {
    let kept = if let Some((one, other)) = halves(text, "!=") {
        unlike(&Operand::of(one), &Operand::of(other), asked)
    } else if let Some((one, other)) = halves(text, "==") {
        match (Operand::of(one), Operand::of(other)) {
            (Operand::Bool(true), _) => decide(other, asked),
            (_, Operand::Bool(true)) => decide(one, asked),
            (one, other) => alike(&one, &other, asked),
        }
    } else if let Some(inner) = text.strip_prefix('!') {
        unlike(&Operand::of(inner.trim()), &Operand::Bool(true), asked)
    } else if let Some(arguments) = call(text, "contains") {
        match arguments[..] {
            [within, sought] => contains(within, sought, asked),
            _ => Truth::No,
        }
    } else {
        Truth::No
    };
    let asks = ["needs.", "steps."].iter().any(|word| text.contains(word)) && text.contains(".outputs.");
    if asks || head::may_list_none(text, asked) { kept.or(Truth::Unknown) } else { kept }
}

/// What a field tells of the one who is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Says {
    /// It is about that one.
    Them,
    /// It is about somebody else.
    Another,
    /// The event's payload has no such field.
    Nothing,
    /// The file does not tell whom it is about, or which payload it is.
    Untold,
}

/// What an object of an event's payload tells.
fn says(object: &str, asked: Asked<'_>) -> Says {
    let (them, others): (&str, &[&str]) = match (asked.about, asked.event) {
        (_, "issues") => ("issue", &[]),
        (About::People, "issue_comment") => ("comment", &["issue"]),
        // The pull request that is commented on is an issue there.
        (About::Code, "issue_comment") => ("issue", &["comment"]),
        (_, "pull_request" | "pull_request_target") => ("pull_request", &[]),
        (About::People, "pull_request_review") => ("review", &["pull_request"]),
        (About::People, "pull_request_review_comment") => ("comment", &["pull_request"]),
        (About::Code, "pull_request_review" | "pull_request_review_comment") => {
            ("pull_request", &["review", "comment"])
        }
        (_, "discussion") => ("discussion", &[]),
        (_, "discussion_comment") => ("comment", &["discussion"]),
        (_, "commit_comment") => ("comment", &[]),
        (_, "workflow_run") => ("workflow_run", &[]),
        (_, "push" | "schedule" | "workflow_dispatch" | "fork" | "watch" | "gollum") => ("", &[]),
        _ => return Says::Untold,
    };
    match () {
        () if object == them => Says::Them,
        () if others.contains(&object) => Says::Another,
        () => Says::Nothing,
    }
}

/// What a path to a person's login tells.
fn person(path: &str, asked: Asked<'_>) -> Option<Says> {
    // Whoever opened, reopened or pushed; and of a comment never the one whose code it is about.
    let whose_code = || match asked.event {
        "pull_request" | "pull_request_target" | "workflow_run" => Says::Untold,
        _ => Says::Another,
    };
    match path {
        "github.actor" | "github.triggering_actor" | "github.event.sender.login" => match asked.about {
            About::People => Some(Says::Them),
            About::Code => Some(whose_code()),
        },
        "github.event.workflow_run.actor.login" | "github.event.workflow_run.triggering_actor.login" => {
            match (says("workflow_run", asked), asked.about) {
                (Says::Them, About::Code) => Some(Says::Untold),
                (says, _) => Some(says),
            }
        }
        _ => object(path, ".user.login").map(|object| says(object, asked)),
    }
}

fn association(path: &str, asked: Asked<'_>) -> Option<Says> {
    object(path, ".author_association").map(|object| says(object, asked))
}

/// The object of the payload whose field a path names.
fn object<'t>(path: &'t str, field: &str) -> Option<&'t str> {
    path.strip_prefix("github.event.")?.strip_suffix(field).filter(|object| !object.contains('.'))
}

/// Associations of people who may change the repository.
const TRUSTED: &[&str] = &["owner", "member", "collaborator"];
/// The other ones that an author can have.
const STRANGERS: &[&str] = &["contributor", "first_timer", "first_time_contributor", "mannequin", "none"];

/// Whether a comparison with a field keeps strangers out, given whether it does where the field is about the one who is
/// asked for. What the payload lacks is null, which is like no text.
fn where_them(says: Says, kept: Truth) -> Truth {
    match says {
        Says::Them => kept,
        Says::Another => Truth::No,
        Says::Nothing => Truth::Yes,
        Says::Untold => Truth::Unknown.min(kept),
    }
}

fn alike(one: &Operand, other: &Operand, asked: Asked<'_>) -> Truth {
    for (field, value) in [(one, other), (other, one)] {
        let Some(path) = field.path() else { continue };
        if path == "github.event_name" {
            return match value {
                Operand::Text(name) => named_event(asked, name != asked.event),
                _ => Truth::No,
            };
        }
        if path == RUN_EVENT {
            return match value {
                Operand::Text(name) => where_them(says("workflow_run", asked), of_run(name, asked.about)),
                _ => Truth::No,
            };
        }
        if let Some(says) = association(path, asked) {
            return match value {
                Operand::Text(word) => where_them(says, Truth::from(TRUSTED.contains(&word.as_str()))),
                _ => Truth::No,
            };
        }
        if let Some(kept) = head::alike(path, value, asked) {
            return kept;
        }
        if let Some(says) = person(path, asked) {
            let kept = match value {
                Operand::Text(name) => is_one_of_us(name),
                Operand::Path(path) if OWNER.contains(&path.as_str()) => Truth::Yes,
                Operand::Path(path) if is_untold(path) => Truth::Unknown,
                // The other side may be a person too, and the same one.
                Operand::Path(_) | Operand::Bool(_) | Operand::Other => continue,
            };
            return where_them(says, kept);
        }
    }
    Truth::No
}

fn unlike(one: &Operand, other: &Operand, asked: Asked<'_>) -> Truth {
    for (field, value) in [(one, other), (other, one)] {
        match (field.path(), value) {
            (Some("github.event_name"), Operand::Text(name)) => return named_event(asked, name == asked.event),
            (Some(path), Operand::Bool(true)) if head::is_fork(path) => {
                return head::alike(path, &Operand::Bool(false), asked).unwrap_or(Truth::No);
            }
            _ => {}
        }
    }
    Truth::No
}

/// The event of the run that a workflow follows.
const RUN_EVENT: &str = "github.event.workflow_run.event";

/// Whether only people who may change the repository start a run at an event, or the code of such a run is theirs: at any
/// event but those of pull requests a workflow runs on the repository's own commits.
fn of_run(event: &str, about: About) -> Truth {
    match about {
        About::People => Truth::from(trigger::audience(event, None) == Audience::Writers),
        About::Code => match event {
            // It follows another run, or is of a kind that nothing here knows.
            "workflow_call" | "check_run" | "check_suite" | "status" | "dynamic" => Truth::Unknown,
            _ => Truth::from(!event.starts_with("pull_request")),
        },
    }
}

/// Who owns the repository.
const OWNER: &[&str] = &["github.repository_owner", "github.event.repository.owner.login"];

/// What a comparison with the name of an event does to that event. A called workflow sees the event of its caller.
fn named_event(asked: Asked<'_>, kept: bool) -> Truth {
    if asked.event == "workflow_call" { Truth::Unknown } else { Truth::from(kept) }
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
fn contains(within: &str, sought: &str, asked: Asked<'_>) -> Truth {
    let list = call(within, "fromjson");
    match (Operand::of(within), Operand::of(sought)) {
        (Operand::Text(text), Operand::Path(path)) => {
            if path == "github.event_name" {
                return named_event(asked, !text.contains(asked.event));
            }
            if let Some(says) = association(&path, asked) {
                // Every text contains what the payload lacks.
                let kept = Truth::from(!STRANGERS.iter().any(|word| text.contains(word)));
                return if says == Says::Nothing { Truth::No } else { where_them(says, kept) };
            }
            // Whose login is a part of the text, the file does not tell.
            match person(&path, asked) {
                Some(Says::Them | Says::Untold) => Truth::Unknown,
                Some(Says::Another | Says::Nothing) | None => Truth::No,
            }
        }
        (Operand::Path(path), Operand::Text(word)) => match association(&path, asked) {
            Some(says) => where_them(says, Truth::from(!STRANGERS.iter().any(|one| one.contains(&word)))),
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
                let kept = all(&|word| Truth::from(word != asked.event));
                return if asked.event == "workflow_call" { Truth::Unknown } else { kept };
            }
            if path == RUN_EVENT {
                return where_them(says("workflow_run", asked), all(&|word| of_run(word, asked.about)));
            }
            if let Some(says) = association(&path, asked) {
                return where_them(says, all(&|word| Truth::from(TRUSTED.contains(&word))));
            }
            person(&path, asked).map_or(Truth::No, |says| where_them(says, all(&is_one_of_us)))
        }
        _ => Truth::No,
    }
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
            assert_eq!(keeps_out(condition, event).people, expected, "{condition}");
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
            assert_eq!(keeps_out(condition, event).people, expected, "{event}: {condition}");
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
            assert_eq!(keeps_out(condition, "issues").people, expected, "{condition}");
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
            assert_eq!(keeps_out(condition, "issue_comment").people, expected, "{condition}");
        }
    }

    #[test]
    fn code_of_strangers_is_kept_out_by_what_tells_whose_it_is() {
        let head = "github.event.workflow_run.head_repository";
        let cases = [
            (format!("{head}.full_name == github.repository"), "workflow_run", Truth::Yes),
            (format!("github.repository == {head}.full_name"), "workflow_run", Truth::Yes),
            (format!("{head}.full_name == 'acme/shop'"), "workflow_run", Truth::Yes),
            (format!("{head}.full_name == github.event.repository.full_name"), "workflow_run", Truth::Yes),
            (format!("{head}.id == github.event.repository.id"), "workflow_run", Truth::Yes),
            (format!("{head}.id == github.repository_id"), "workflow_run", Truth::Yes),
            (format!("{head}.owner.login == github.repository_owner"), "workflow_run", Truth::Yes),
            (format!("{head}.owner.id == github.repository_owner_id"), "workflow_run", Truth::Yes),
            (format!("{head}.fork == false"), "workflow_run", Truth::Yes),
            (format!("!{head}.fork"), "workflow_run", Truth::Yes),
            (format!("{head}.fork"), "workflow_run", Truth::No),
            (format!("{head}.full_name != github.repository"), "workflow_run", Truth::No),
            (format!("{head}.full_name == vars.TRUSTED"), "workflow_run", Truth::Unknown),
            (format!("{head}.full_name == {head}.full_name"), "workflow_run", Truth::No),
            (format!("{head}.full_name == github.repository || always()"), "workflow_run", Truth::No),
            ("github.event.workflow_run.event == 'push'".to_owned(), "workflow_run", Truth::Yes),
            ("github.event.workflow_run.event == 'pull_request'".to_owned(), "workflow_run", Truth::No),
            (
                "contains(fromJSON('[\"push\", \"schedule\"]'), github.event.workflow_run.event)".to_owned(),
                "workflow_run",
                Truth::Yes,
            ),
            ("github.event.workflow_run.head_branch == 'main'".to_owned(), "workflow_run", Truth::No),
            ("github.event.workflow_run.conclusion == 'success'".to_owned(), "workflow_run", Truth::No),
            // GitHub lists pull requests of the repository with that head, be they the run's own or not.
            ("github.event.workflow_run.pull_requests[0]".to_owned(), "workflow_run", Truth::Unknown),
            ("github.event.workflow_run.actor.login == 'ana'".to_owned(), "workflow_run", Truth::Unknown),
            (
                "github.event.pull_request.head.repo.owner.login == github.repository_owner".to_owned(),
                "pull_request_target",
                Truth::Yes,
            ),
            (
                "github.event.pull_request.head.repo.full_name == github.event.pull_request.base.repo.full_name"
                    .to_owned(),
                "pull_request_target",
                Truth::Yes,
            ),
            ("github.event.pull_request.author_association == 'MEMBER'".to_owned(), "pull_request_target", Truth::Yes),
            // A member may label or reopen what a stranger wrote.
            ("github.actor == 'ana'".to_owned(), "pull_request_target", Truth::Unknown),
            ("github.actor == 'ana'".to_owned(), "issue_comment", Truth::No),
            ("github.event.comment.author_association == 'MEMBER'".to_owned(), "issue_comment", Truth::No),
            ("github.event.issue.author_association == 'MEMBER'".to_owned(), "issue_comment", Truth::Yes),
            ("github.event_name == 'push'".to_owned(), "workflow_run", Truth::Yes),
            ("needs.check.outputs.own == 'true'".to_owned(), "workflow_run", Truth::Unknown),
        ];
        for (condition, event, expected) in cases {
            assert_eq!(keeps_out(&condition, event).code, expected, "{event}: {condition}");
        }
        let push = keeps_out("github.event.workflow_run.event == 'push'", "workflow_run");
        assert_eq!(push.people, Truth::Yes, "only people who may change the repository push to it");
        let comment = keeps_out("github.event.workflow_run.event == 'issue_comment'", "workflow_run");
        assert_eq!((comment.people, comment.code), (Truth::No, Truth::Yes));
    }
}
