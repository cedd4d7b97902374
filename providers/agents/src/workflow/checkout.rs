//! Whether a job works on code that somebody wrote who may not change the repository.
//!
//! Who writes which reference: the commit at the head of a stranger's pull request can be fetched from the repository itself
//! (`refs/pull/N/head`), so whatever names that commit leads to the stranger's code. The name of the head's branch leads
//! there only in the head's own repository; in this one it is a branch that people who may change it have pushed. Sources:
//! GitHub's reference of webhook events and payloads and of checking out pull requests locally; README of actions/checkout.

use evenhand_model::evidence::Truth;

use super::condition::Kept;
use super::gate::condition_of;
use super::job::{Whole, is_blank};
use super::trigger::Event;
use crate::tree::Node;

/// What a reference leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    /// A commit that the author of the head wrote.
    Commit,
    /// The head's own repository.
    Repository,
    /// A branch, by a name that the author of the head chose.
    Branch,
    /// A commit of which the file does not tell whose it is.
    Untold,
}

/// References, the object of the payload that they belong to, and what they lead to. All in lower case.
const REFERENCES: &[(&str, &str, Leads)] = &[
    ("github.event.pull_request.head.sha", "pull_request", Leads::Commit),
    ("github.event.pull_request.merge_commit_sha", "pull_request", Leads::Commit),
    ("github.event.pull_request.head.repo", "pull_request", Leads::Repository),
    ("github.event.pull_request.head.ref", "pull_request", Leads::Branch),
    ("github.head_ref", "pull_request", Leads::Branch),
    ("github.event.workflow_run.head_sha", "workflow_run", Leads::Commit),
    ("github.event.workflow_run.head_commit", "workflow_run", Leads::Commit),
    ("github.event.workflow_run.head_repository", "workflow_run", Leads::Repository),
    ("github.event.workflow_run.head_branch", "workflow_run", Leads::Branch),
    // Pull requests of this repository with such a branch, be they the run's own or not.
    ("github.event.workflow_run.pull_requests", "workflow_run", Leads::Untold),
];

/// Commands of a script that bring code onto the runner.
const FETCHES: &[&str] =
    &["git fetch", "git checkout", "git switch", "git clone", "git pull", "git merge ", "git reset", "git worktree"];

/// Whether code is checked out in a job that a stranger wrote, in an event that runs with the repository's secrets.
/// `before`: by event, what is kept out before the job; `agent`: the step that works on the code.
pub(super) fn untrusted(whole: &Whole<'_>, before: &[Kept], job: &Node, agent: Option<&Node>) -> Truth {
    let steps = job.get("steps").map_or(&[][..], |entry| entry.node.elements());
    let events = whole.events.iter().zip(before).filter(|(event, _)| event.is_privileged());
    let found = events.map(|(event, before)| {
        let around = agent.map_or(Kept::NOTHING, |step| condition_of(step, event)).or(*before).code;
        // Whose code a called workflow works on, its callers tell.
        let most = if event.name == "workflow_call" { Truth::Unknown } else { Truth::Yes };
        let found = steps.iter().map(|step| {
            let kept = condition_of(step, event).code.or(around);
            brought(whole, job, step, event).and(kept.not())
        });
        found.fold(Truth::No, Truth::or).and(most)
    });
    found.fold(Truth::No, Truth::or)
}

/// Whether a step brings a stranger's code onto the runner.
fn brought(whole: &Whole<'_>, job: &Node, step: &Node, event: &Event) -> Truth {
    let text = |key: &str| step.get(key).and_then(|entry| entry.node.text()).unwrap_or("");
    let uses = text("uses").to_ascii_lowercase();
    if uses.starts_with("actions/checkout@") {
        let input = |key: &str| {
            let node = step.get("with").and_then(|with| with.node.get(key)).map(|entry| &entry.node)?;
            let text = node.scalar().filter(|_| !is_blank(node))?;
            Some(spelled_out(whole, job, step, &text))
        };
        let (reference, repository) = (input("ref"), input("repository"));
        return checked_out(reference.as_deref().unwrap_or(""), repository.as_deref(), event);
    }
    let run = text("run");
    if run.is_empty() {
        return Truth::No;
    }
    let script = spelled_out(whole, job, step, run);
    if script.contains("gh pr checkout") {
        return Truth::Yes;
    }
    if !FETCHES.iter().any(|command| script.contains(command)) {
        return Truth::No;
    }
    let of_pull_request = script.contains("pull/") && (script.contains("/head") || script.contains("/merge"));
    match leads(&script, event) {
        found if found.contains(&Leads::Commit) || found.contains(&Leads::Repository) => Truth::Yes,
        found if found.contains(&Leads::Untold) => Truth::Unknown,
        _ => Truth::from(of_pull_request),
    }
}

/// Whether actions/checkout with these inputs checks out a stranger's code.
fn checked_out(reference: &str, repository: Option<&str>, event: &Event) -> Truth {
    let repository = repository.unwrap_or("");
    if leads(repository, event).contains(&Leads::Repository) {
        return Truth::Yes;
    }
    let found = leads(reference, event);
    if found.contains(&Leads::Commit) {
        return Truth::Yes;
    }
    if found.contains(&Leads::Untold) || is_computed(reference, event) || is_computed(repository, event) {
        return Truth::Unknown;
    }
    if reference.contains("refs/pull/") {
        return Truth::Yes;
    }
    let is_own = ["github.repository", ".base.repo.", ".workflow_run.repository."];
    let elsewhere = repository.contains("${{") && !is_own.iter().any(|own| repository.contains(own));
    if elsewhere && found.contains(&Leads::Branch) { Truth::Unknown } else { Truth::No }
}

/// What the references in a text lead to, in the payload of an event. What the payload lacks is empty.
fn leads(text: &str, event: &Event) -> Vec<Leads> {
    let is_held = |object: &str| match event.name.as_str() {
        "pull_request_target" => object == "pull_request",
        "workflow_run" => object == "workflow_run",
        // Its caller's event, or one that the compiler of agentic workflows chooses.
        "workflow_call" | "slash_command" | "command" => true,
        _ => false,
    };
    let references = REFERENCES.iter().filter(|(reference, object, _)| is_held(object) && text.contains(reference));
    references.map(|(.., leads)| *leads).collect()
}

/// Whether a text takes its value from a step or job that worked it out, or from whoever calls the workflow.
fn is_computed(text: &str, event: &Event) -> bool {
    let by_step = ["steps.", "needs."].iter().any(|word| text.contains(word)) && text.contains(".outputs.");
    by_step || (event.name == "workflow_call" && text.contains("inputs."))
}

/// A text in lower case, members of objects behind dots, with the values behind it of those variables of the step, the job
/// and the workflow that it names.
fn spelled_out(whole: &Whole<'_>, job: &Node, step: &Node, text: &str) -> String {
    let mut spelled = plain(text);
    let nearest = [step, job].map(|node| node.get("env").map(|entry| &entry.node)).into_iter().chain([whole.env]);
    let mut seen: Vec<String> = Vec::new();
    for entry in nearest.flatten().flat_map(Node::entries) {
        let name = entry.key.to_ascii_lowercase();
        let named = [format!("${name}"), format!("${{{name}"), format!("env.{name}"), format!("env:{name}")];
        if !seen.contains(&name) && named.iter().any(|named| spelled.contains(named.as_str())) {
            if let Some(value) = entry.node.scalar() {
                spelled.push(' ');
                spelled.push_str(&plain(&value));
            }
            seen.push(name);
        }
    }
    spelled
}

/// `github.event['pull_request']` and `github.event.pull_request` are the same, in whatever case.
fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace("['", ".").replace("']", "")
}

#[cfg(test)]
mod tests {
    use evenhand_model::secret::Fingerprinter;

    use super::*;
    use crate::workflow;

    fn found(on: &str, job: &str, steps: &str) -> Truth {
        let agent = "      - uses: openai/codex-action@v1\n";
        let text = format!("on: {on}\njobs:\n  work:\n{job}    steps:\n{steps}{agent}");
        let workflow = workflow::read(&text, &Fingerprinter::keyed("t")).unwrap().unwrap();
        let outlined = workflow::outline(&text, &Fingerprinter::keyed("t")).unwrap();
        assert_eq!(outlined.jobs[0].untrusted_checkout, workflow.agents[0].untrusted_checkout, "{text}");
        workflow.agents[0].untrusted_checkout
    }

    fn checkout(with: &str) -> String {
        format!("      - uses: actions/checkout@v5\n        with: {{{with}}}\n")
    }

    #[test]
    fn a_commit_of_the_head_is_its_authors_and_a_branch_is_so_only_in_the_heads_repository() {
        let run = "github.event.workflow_run";
        let cases = [
            ("workflow_run", format!("ref: '${{{{ {run}.head_sha }}}}'"), Truth::Yes),
            ("workflow_run", format!("ref: '${{{{ {run}.head_commit.id }}}}'"), Truth::Yes),
            ("workflow_run", format!("ref: '${{{{ {run}[''head_sha''] }}}}'"), Truth::Yes),
            ("workflow_run", format!("ref: '${{{{ {run}.head_branch }}}}'"), Truth::No),
            (
                "workflow_run",
                format!(
                    "ref: '${{{{ {run}.head_branch }}}}', repository: '${{{{ {run}.head_repository.full_name }}}}'"
                ),
                Truth::Yes,
            ),
            ("workflow_run", format!("repository: '${{{{ {run}.head_repository.full_name }}}}'"), Truth::Yes),
            (
                "workflow_run",
                format!("ref: '${{{{ {run}.head_branch }}}}', repository: '${{{{ github.repository }}}}'"),
                Truth::No,
            ),
            (
                "workflow_run",
                format!("ref: '${{{{ {run}.head_branch }}}}', repository: '${{{{ vars.WHERE }}}}'"),
                Truth::Unknown,
            ),
            ("workflow_run", format!("ref: '${{{{ {run}.pull_requests[0].head.sha }}}}'"), Truth::Unknown),
            ("pull_request_target", "ref: '${{ github.event.pull_request.head.sha }}'".to_owned(), Truth::Yes),
            ("pull_request_target", "ref: '${{ github.event.pull_request.merge_commit_sha }}'".to_owned(), Truth::Yes),
            ("pull_request_target", "ref: '${{ github.head_ref }}'".to_owned(), Truth::No),
            ("pull_request_target", "ref: 'refs/pull/${{ github.event.number }}/merge'".to_owned(), Truth::Yes),
            ("issue_comment", "ref: 'refs/pull/${{ github.event.issue.number }}/head'".to_owned(), Truth::Yes),
            ("issue_comment", "ref: 'issue-${{ github.event.issue.number }}'".to_owned(), Truth::No),
            // A comment's payload holds no head: the default branch is checked out.
            ("issue_comment", "ref: '${{ github.event.pull_request.head.sha }}'".to_owned(), Truth::No),
            ("issue_comment", "ref: '${{ steps.head.outputs.sha }}'".to_owned(), Truth::Unknown),
            ("push", "ref: '${{ github.event.pull_request.head.sha }}'".to_owned(), Truth::No),
            (
                "[pull_request, workflow_run]",
                "ref: '${{ github.event.pull_request.head.sha || github.sha }}'".to_owned(),
                Truth::No,
            ),
            ("workflow_call", "ref: '${{ inputs.commit }}'".to_owned(), Truth::Unknown),
        ];
        for (on, with, expected) in cases {
            assert_eq!(found(on, "", &checkout(&with)), expected, "{on}: {with}");
        }
    }

    #[test]
    fn scripts_and_variables_lead_where_inputs_do() {
        let script = |run: &str, env: &str| format!("      - run: {run}\n        env: {{{env}}}\n");
        let sha = "SHA: '${{ github.event.workflow_run.head_sha }}'";
        let cases = [
            ("workflow_run", script("git fetch origin \"$SHA\" && git checkout \"$SHA\"", sha), Truth::Yes),
            ("workflow_run", script("echo \"$SHA\"", sha), Truth::No),
            ("workflow_run", script("git checkout main", sha), Truth::No),
            (
                "workflow_run",
                script("git checkout \"$BRANCH\"", "BRANCH: '${{ github.event.workflow_run.head_branch }}'"),
                Truth::No,
            ),
            (
                "pull_request_target",
                script("git clone \"$FROM\"", "FROM: '${{ github.event.pull_request.head.repo.clone_url }}'"),
                Truth::Yes,
            ),
            (
                "issue_comment",
                script("git fetch origin pull/$N/head", "N: '${{ github.event.issue.number }}'"),
                Truth::Yes,
            ),
            ("issue_comment", script("gh pr checkout $N", "N: '${{ github.event.issue.number }}'"), Truth::Yes),
        ];
        for (on, steps, expected) in cases {
            assert_eq!(found(on, "", &steps), expected, "{on}: {steps}");
        }
        let job = format!("    env: {{{sha}}}\n");
        assert_eq!(found("workflow_run", &job, &checkout("ref: '${{ env.SHA }}'")), Truth::Yes);
    }

    #[test]
    fn a_condition_that_asks_whose_code_it_is_keeps_it_out_wherever_it_stands() {
        let guard = "github.event.workflow_run.head_repository.full_name == github.repository";
        let head = checkout("ref: '${{ github.event.workflow_run.head_sha }}'");
        let on_job = format!("    if: github.event.workflow_run.conclusion == 'failure' && {guard}\n");
        assert_eq!(found("workflow_run", &on_job, &head), Truth::No);
        let on_step = head.replace("        with:", &format!("        if: {guard}\n        with:"));
        assert_eq!(found("workflow_run", "", &on_step), Truth::No);
        assert_eq!(found("workflow_run", "    if: ${{ always() }}\n", &head), Truth::Yes);
        assert_eq!(found("workflow_run", "    if: github.event.workflow_run.event == 'push'\n", &head), Truth::No);
        assert_eq!(found("workflow_run", "    if: needs.check.outputs.own == 'true'\n", &head), Truth::Unknown);
        let by_member = "    if: github.event.comment.author_association == 'MEMBER'\n";
        let pull = checkout("ref: 'refs/pull/${{ github.event.issue.number }}/head'");
        assert_eq!(found("issue_comment", by_member, &pull), Truth::Yes, "the member did not write the code");
        let one_event = "    if: github.event_name == 'pull_request_target'\n";
        assert_eq!(found("[workflow_run, pull_request_target]", one_event, &head), Truth::No);
    }
}
