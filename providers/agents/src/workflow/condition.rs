//! Conditions of jobs and steps: whether one keeps strangers out.
//!
//! Only the shapes are understood that GitHub documents for this purpose: comparisons with the author's association, the
//! actor, the head repository, the event's name. Anything else keeps nobody out.

use evenhand_model::evidence::Truth;

/// Whether a condition lets an event pass only for people who may change the repository.
///
/// `Unknown` where it asks the result of another job, whose program decides.
pub(super) fn keeps_out(condition: &str, event: &str) -> Truth {
    /// GitHub's own limit for an expression is 21,000 characters; nobody writes a tenth of it by hand.
    const LONGEST: usize = 8 << 10;
    let text = condition.trim();
    if text.len() > LONGEST {
        return Truth::No;
    }
    let text = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(text).trim();
    let text = unwrapped(text);
    let parts = split(text, "||");
    if parts.len() > 1 {
        return parts.iter().map(|part| keeps_out(part, event)).fold(Truth::Yes, Truth::and);
    }
    let parts = split(text, "&&");
    if parts.len() > 1 {
        return parts.iter().map(|part| keeps_out(part, event)).fold(Truth::No, Truth::or);
    }
    leaf(text, event)
}

fn leaf(text: &str, event: &str) -> Truth {
    let plain: String = text.split_whitespace().collect::<String>().to_ascii_lowercase().replace('"', "'");
    if plain.starts_with('!') {
        // `!github.event.pull_request.head.repo.fork`
        return Truth::from(plain == "!github.event.pull_request.head.repo.fork");
    }
    if let Some(named) = compared(&plain, "github.event_name") {
        return Truth::from(match named {
            (true, name) => name != event,
            (false, name) => name == event,
        });
    }
    let association = plain.contains("author_association");
    let trusted = ["'owner'", "'member'", "'collaborator'", "\\'owner\\'", "owner", "member", "collaborator"];
    let strangers = ["'none'", "'contributor'", "'first_time_contributor'", "\"none\"", "first_timer"];
    if association {
        let names = trusted.iter().any(|word| plain.contains(word));
        return Truth::from(names && !strangers.iter().any(|word| plain.contains(word)) && !plain.contains("!="));
    }
    let of_us = [
        "github.event.pull_request.head.repo.full_name==github.repository",
        "github.repository==github.event.pull_request.head.repo.full_name",
        "github.event.pull_request.head.repo.fork==false",
        "github.event.pull_request.head.repo.id==github.event.pull_request.base.repo.id",
        "github.event.workflow_run.head_repository.full_name==github.repository",
    ];
    if of_us.contains(&plain.as_str()) {
        return Truth::Yes;
    }
    let people = [
        "github.actor==",
        "github.triggering_actor==",
        "github.event.sender.login==",
        "github.event.comment.user.login==",
        "github.event.issue.user.login==",
        "github.event.pull_request.user.login==",
    ];
    if people.iter().any(|person| plain.starts_with(person)) && plain.contains('\'') {
        return Truth::Yes;
    }
    if plain.starts_with("contains(fromjson(")
        && ["github.actor", "user.login", "sender.login"].iter().any(|who| plain.contains(who))
    {
        return Truth::Yes;
    }
    if plain.contains("needs.") && plain.contains(".outputs.")
        || plain.contains("steps.") && plain.contains(".outputs.")
    {
        return Truth::Unknown;
    }
    Truth::No
}

/// `left == 'name'` and its negation, in either order.
fn compared<'t>(plain: &'t str, left: &str) -> Option<(bool, &'t str)> {
    let (equal, (one, other)) = match plain.split_once("==") {
        Some(sides) => (true, sides),
        None => (false, plain.split_once("!=")?),
    };
    let value = if one == left {
        other
    } else if other == left {
        one
    } else {
        return None;
    };
    Some((equal, value.trim_matches('\'')))
}

/// A text without parentheses that hold all of it.
fn unwrapped(mut text: &str) -> &str {
    /// Nobody writes more of them around one another.
    const MOST: usize = 16;
    for _ in 0..MOST {
        let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { break };
        let mut depth = 0_i32;
        let whole = inner.chars().all(|character| {
            depth += i32::from(character == '(') - i32::from(character == ')');
            depth >= 0
        });
        if !whole || depth != 0 {
            break;
        }
        text = inner.trim();
    }
    text
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
            ("github.event.comment.author_association == 'MEMBER'", "issue_comment", Truth::Yes),
            ("github.event.comment.author_association != 'NONE'", "issue_comment", Truth::No),
            (
                "contains(fromJSON('[\"OWNER\",\"CONTRIBUTOR\"]'), github.event.comment.author_association)",
                "issue_comment",
                Truth::No,
            ),
            ("github.event_name == 'push'", "issues", Truth::Yes),
            ("github.event_name == 'issues' && github.actor == 'ana'", "issues", Truth::Yes),
            ("(github.event_name == 'issues') || (github.event_name == 'push')", "issues", Truth::No),
            (
                "(github.event_name == 'issues' && github.actor == 'ana') || github.event_name == 'push'",
                "issues",
                Truth::Yes,
            ),
            ("github.event_name != 'issue_comment' || github.event.issue.pull_request", "issue_comment", Truth::No),
            ("github.event.pull_request.head.repo.full_name == github.repository", "pull_request", Truth::Yes),
            ("${{ !github.event.pull_request.head.repo.fork }}", "pull_request_target", Truth::Yes),
            ("needs.check.outputs.allowed == 'true'", "issues", Truth::Unknown),
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
}
