//! What a workflow's jobs are, whether they run agents or not: the token that each gets, the secrets that it holds, where
//! it runs and what starts it.

use evenhand_model::evidence::Truth;
use evenhand_model::secret::Fingerprinter;

use super::condition::Kept;
use super::token::Ceiling;
use super::trigger::{self, Audience};
use super::{WorkflowError, checkout, gate, handed, job, shape, texts};
use crate::tree::{self, Node, Syntax, Value};

/// A workflow, as far as its jobs' identities are concerned.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// Its name; the file's name stands for it where it has none.
    pub name: Option<String>,
    /// Its events in GitHub's words, in the order of the file.
    pub events: Vec<String>,
    /// The same events with the branches and tags that they are limited to.
    pub triggers: Vec<Trigger>,
    /// Its jobs, in the order of the file.
    pub jobs: Vec<OutlinedJob>,
}

/// An event with its limits, as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// Its name.
    pub event: String,
    /// The branches; `None` = no limit by names that are in.
    pub branches: Option<Vec<String>>,
    /// The tags; `None` = no limit by names that are in.
    pub tags: Option<Vec<String>>,
    /// The kinds of activity; none = those that the event has by itself.
    pub types: Vec<String>,
}

/// A job of a workflow.
#[derive(Clone, Debug)]
pub struct OutlinedJob {
    /// Its key.
    pub key: String,
    /// The line of its key, from 1.
    pub line: u32,
    /// What its token may do.
    pub permissions: TokenPermissions,
    /// The labels of the runner that it asks for; none where it calls another workflow.
    pub runs_on: Vec<String>,
    /// The group of runners that it asks for, beside the labels or in place of any; an expression stays as it is written.
    pub runner_group: Option<String>,
    /// The environment that it deploys to; an expression stays as it is written.
    pub environment: Option<String>,
    /// Names of the secrets that it is handed, sorted; `*` = all of them.
    pub secrets: Vec<String>,
    /// The workflow that it calls in place of steps of its own.
    pub calls: Option<String>,
    /// Actions that are not fixed to a commit, sorted.
    pub unpinned: Vec<String>,
    /// Whether code that the event's author wrote is checked out in it.
    pub untrusted_checkout: Truth,
    /// Who may start it, all conditions of the file considered.
    pub audience: Audience,
}

/// What the `permissions` that hold for a job say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenPermissions {
    /// Nothing: the repository's default holds.
    Default,
    /// `read-all`.
    ReadAll,
    /// `write-all`.
    WriteAll,
    /// Each scope with its level; those that are not listed are not held.
    Listed(Vec<(String, String)>),
    /// Something that cannot be told without running it.
    Unclear,
}

/// Outlines a workflow. What it calls is not followed.
///
/// # Errors
/// When the text is no YAML, no map, or a member of it has another type than GitHub gives it.
pub fn outline(text: &str, fingerprinter: &Fingerprinter) -> Result<Outline, WorkflowError> {
    let node = tree::parse(text, Syntax::Yaml).map_err(|error| WorkflowError {
        line: error.line,
        column: error.column,
        reason: error.reason,
    })?;
    if !node.is_map() {
        let reason = format!("the workflow is {}, not a map", node.what());
        return Err(WorkflowError { line: node.line, column: 1, reason });
    }
    shape::check(&node)?;
    let events = trigger::events(&node);
    let jobs = node.get("jobs").map(|entry| &entry.node);
    let kept = vec![Kept::NOTHING; events.len()];
    let whole = job::Whole {
        events: &events,
        kept: &kept,
        permissions: node.get("permissions").map(|entry| &entry.node),
        ceiling: Ceiling::Nothing,
        env: node.get("env").map(|entry| &entry.node),
        gates: jobs.map(|jobs| gate::gates(jobs, &events)).unwrap_or_default(),
        manifest: None,
        fingerprinter,
    };
    let outlined = jobs.map_or(&[][..], Node::entries).iter().map(|entry| {
        let node = &entry.node;
        let own = node.get("permissions").map(|entry| &entry.node);
        let calls = node.get("uses").and_then(|entry| entry.node.text()).map(str::to_owned);
        OutlinedJob {
            key: entry.key.clone(),
            line: entry.line,
            permissions: permissions(own.or(whole.permissions)),
            runs_on: runs_on(node),
            runner_group: runner_group(node),
            environment: environment(node),
            secrets: secrets(&whole, node),
            unpinned: unpinned(node, calls.as_deref()),
            calls,
            untrusted_checkout: checkout::untrusted(&whole, &gate::before(&whole, &entry.key), node, None),
            audience: gate::audience_of(&whole, &entry.key),
        }
    });
    Ok(Outline {
        name: node.get("name").and_then(|entry| entry.node.text()).map(crate::secret::redact),
        events: events.iter().map(|event| event.name.clone()).collect(),
        triggers: events.iter().map(|event| trigger(&node, &event.name)).collect(),
        jobs: outlined.collect(),
    })
}

fn trigger(workflow: &Node, event: &str) -> Trigger {
    let limits = trigger::on(workflow).and_then(|on| on.get(event)).map(|entry| &entry.node);
    let list = |key: &str| limits.and_then(|limits| limits.get(key)).map(|entry| texts(&entry.node));
    let types = list("types").unwrap_or_default();
    Trigger { event: event.to_owned(), branches: list("branches"), tags: list("tags"), types }
}

fn permissions(block: Option<&Node>) -> TokenPermissions {
    let Some(block) = block else { return TokenPermissions::Default };
    match &block.value {
        Value::Text(word) if word == "write-all" => TokenPermissions::WriteAll,
        Value::Text(word) if word == "read-all" => TokenPermissions::ReadAll,
        Value::Map(scopes) => {
            let listed = scopes.iter().map(|entry| {
                let level = entry.node.text().unwrap_or("none");
                // GitHub writes families with underscores, workflows with hyphens.
                (entry.key.replace('-', "_"), level.to_owned())
            });
            TokenPermissions::Listed(listed.collect())
        }
        // `permissions:` with nothing behind it.
        Value::Null => TokenPermissions::Listed(Vec::new()),
        _ => TokenPermissions::Unclear,
    }
}

fn runs_on(job: &Node) -> Vec<String> {
    let Some(entry) = job.get("runs-on") else { return Vec::new() };
    match entry.node.is_map() {
        true => entry.node.get("labels").map(|held| texts(&held.node)).unwrap_or_default(),
        false => texts(&entry.node),
    }
}

fn runner_group(job: &Node) -> Option<String> {
    let named = job.get("runs-on")?.node.get("group")?.node.scalar()?;
    Some(named.into_owned()).filter(|name| !name.is_empty())
}

fn environment(job: &Node) -> Option<String> {
    let entry = job.get("environment")?;
    let named = entry.node.get("name").map_or(&entry.node, |name| &name.node);
    named.scalar().map(|text| text.into_owned()).filter(|text| !text.is_empty())
}

fn secrets(whole: &job::Whole<'_>, node: &Node) -> Vec<String> {
    let inherited = node.get("secrets").is_some_and(|entry| entry.node.text() == Some("inherit"));
    let mut names = handed::secrets(whole, node);
    if inherited {
        names.insert(0, "*".to_owned());
    }
    names
}

fn unpinned(job: &Node, calls: Option<&str>) -> Vec<String> {
    let steps = job.get("steps").map_or(&[][..], |entry| entry.node.elements());
    let used = steps.iter().filter_map(|step| step.get("uses")?.node.text()).chain(calls);
    super::sorted(used.filter(|uses| !super::products::is_fixed(uses)).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlined(text: &str) -> Result<Outline, WorkflowError> {
        outline(text, &Fingerprinter::keyed("k"))
    }

    #[test]
    fn jobs_are_told_with_their_tokens_secrets_and_places() {
        let outline = outlined(
            "name: Deliver\n\
             on: {push: {branches: [main]}, issue_comment: {types: [created]}}\n\
             permissions: {contents: read, id-token: write}\n\
             jobs:\n\
             \x20 build:\n\
             \x20   runs-on: [self-hosted, linux]\n\
             \x20   permissions: write-all\n\
             \x20   steps:\n\
             \x20     - uses: actions/checkout@v4\n\
             \x20     - run: make\n\
             \x20       env: {KEY: '${{ secrets.KEY }}'}\n\
             \x20 deploy:\n\
             \x20   environment: {name: production}\n\
             \x20   uses: acme/flows/.github/workflows/deploy.yml@v1\n\
             \x20   secrets: inherit\n",
        )
        .unwrap();
        assert_eq!(outline.name.as_deref(), Some("Deliver"));
        assert_eq!(outline.events, ["push", "issue_comment"]);
        let branches: Vec<Option<Vec<String>>> = outline.triggers.iter().map(|held| held.branches.clone()).collect();
        assert_eq!(branches, [Some(vec!["main".to_owned()]), None]);
        let types: Vec<String> = outline.triggers.iter().map(|held| held.types.join(" ")).collect();
        assert_eq!(types, ["", "created"]);
        let [build, deploy] = outline.jobs.as_slice() else { panic!("{outline:?}") };
        assert_eq!((build.key.as_str(), build.line), ("build", 5));
        assert_eq!(build.permissions, TokenPermissions::WriteAll);
        assert_eq!((build.runs_on.len(), build.secrets.as_slice()), (2, &["KEY".to_owned()][..]));
        assert_eq!(build.unpinned, ["actions/checkout@v4"]);
        let listed = [("contents".to_owned(), "read".to_owned()), ("id_token".to_owned(), "write".to_owned())];
        assert_eq!(deploy.permissions, TokenPermissions::Listed(listed.to_vec()));
        assert_eq!(deploy.environment.as_deref(), Some("production"));
        assert_eq!(deploy.secrets, ["*"]);
        assert!(deploy.calls.is_some());
        assert_eq!(deploy.audience, Audience::Readers, "whoever may comment");
    }

    #[test]
    fn a_group_of_runners_is_no_label() {
        let rows: [(&str, &[&str], Option<&str>); 6] = [
            ("{group: farm}", &[], Some("farm")),
            ("{group: farm, labels: gpu}", &["gpu"], Some("farm")),
            ("{group: farm, labels: [gpu, big]}", &["gpu", "big"], Some("farm")),
            ("{labels: [gpu]}", &["gpu"], None),
            ("[gpu]", &["gpu"], None),
            ("farm", &["farm"], None),
        ];
        for (written, labels, group) in rows {
            let text = format!("on: push\njobs: {{a: {{runs-on: {written}, steps: [{{run: make}}]}}}}\n");
            let outline = outlined(&text).unwrap();
            assert_eq!(outline.jobs[0].runs_on, labels, "{written}");
            assert_eq!(outline.jobs[0].runner_group.as_deref(), group, "{written}");
        }
    }

    #[test]
    fn what_no_block_limits_is_the_repositorys_default() {
        for (block, expected) in [
            ("", TokenPermissions::Default),
            ("permissions: read-all\n", TokenPermissions::ReadAll),
            ("permissions: {}\n", TokenPermissions::Listed(Vec::new())),
            ("permissions:\n", TokenPermissions::Listed(Vec::new())),
            ("permissions: [contents]\n", TokenPermissions::Unclear),
        ] {
            let text = format!("on: push\n{block}jobs: {{a: {{runs-on: x, steps: [{{run: make}}]}}}}\n");
            assert_eq!(outlined(&text).unwrap().jobs[0].permissions, expected, "{block}");
        }
        assert!(outlined("- a").is_err());
    }
}
