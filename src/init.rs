//! A configuration to begin with, proposed from what was found.
//!
//! Pure text from an assessment: it reads no file and writes none. A `[[job]]` counts as reviewed by people, and nobody
//! has reviewed these: they are written as comments. The register takes in all that was found, so that newcomers are told.

use std::collections::{BTreeMap, BTreeSet};

use evenhand_model::agent::AgentKind;
use evenhand_model::id::IdentityId;
use evenhand_model::identity::{Identity, Nature};
use evenhand_model::parity::{BaselineSource, Comparison};
use evenhand_reports::report::PossibleAgent;
use evenhand_rules::evaluate::Assessed;

/// A configuration in its own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The text of the file.
    pub text: String,
    /// How many jobs it proposes.
    pub jobs: usize,
    /// How many agents and tool servers it registers.
    pub registered: usize,
}

/// Proposes a configuration. `folders`: the sources, as the file will name them; none = the defaults of a scan.
/// `possible`: who may be an agent by weak signs.
pub fn propose(assessed: &Assessed, possible: &[PossibleAgent], folders: &[String]) -> Proposal {
    let jobs = jobs(assessed);
    let (agents, tool_servers) = known(assessed);
    let mut text = Text::default();
    text.say("The configuration of evenhand, proposed by `evenhand init` from what it found.");
    text.say("Lines with `#` and no space behind it are settings: take the sign away to use them.");
    text.say("`evenhand schema config` prints all settings there are.");
    scope(&mut text, assessed, folders);
    write_jobs(&mut text, &jobs, assessed);
    register(&mut text, &agents, &tool_servers, possible);
    gate(&mut text);
    Proposal { text: text.0, jobs: jobs.len(), registered: agents.len() + tool_servers.len() }
}

fn scope(text: &mut Text, assessed: &Assessed, folders: &[String]) {
    text.table("scope");
    text.say("What a scan reads where no source is named, relative to this file.");
    match folders.is_empty() {
        true => text.array("#", "folders", ["capture"]),
        false => text.array("", "folders", folders),
    }
    text.say("What it is expected to find: one of these that is missing from the sources is reported.");
    for (setting, provider, example) in
        [("accounts", "aws", "111122223333"), ("organisations", "github", "acme"), ("clusters", "kubernetes", "prod")]
    {
        let names = scopes(&assessed.inventory.identities, provider);
        match names.is_empty() {
            true => text.array("#", setting, [example]),
            false => text.array("", setting, &names),
        }
    }
}

/// The accounts, organisations or clusters of a provider that were read; those of outside parties are none of them.
fn scopes<'a>(identities: &'a [Identity], provider: &str) -> BTreeSet<&'a str> {
    let own = identities.iter().filter(|identity| {
        identity.provider.0 == provider
            && !identity.signals.iter().any(|signal| signal.nature == Nature::ThirdParty)
            && !identity.scope.as_str().is_empty()
    });
    own.map(|identity| {
        let whole = identity.scope.as_str();
        let name = whole.strip_prefix(provider).and_then(|rest| rest.strip_prefix(':'));
        // A name with separators of its own is found by the whole scope only.
        name.filter(|name| !name.is_empty() && !name.contains([':', '/'])).unwrap_or(whole)
    })
    .collect()
}

/// A job function that is proposed.
#[derive(Debug, Default)]
struct Job<'a> {
    human: BTreeSet<&'a str>,
    agents: BTreeSet<&'a str>,
    reasons: BTreeSet<&'a str>,
}

/// What a comparison says of people who do the same job, where it names a role of theirs.
fn names_a_role(assessed: &Assessed, comparison: &Comparison) -> bool {
    let sources = [BaselineSource::Declared, BaselineSource::SameFunction, BaselineSource::Named];
    let of_people = |role: &IdentityId| assessed.judgements.nature(role) == Nature::HumanRole;
    sources.contains(&comparison.baseline.source)
        && !comparison.baseline.roles.is_empty()
        && comparison.baseline.roles.iter().all(of_people)
}

/// The jobs, by name: the one that an identity declares, else one made of the name of the human role. Who declares one of
/// them does it too, whatever its own comparison found.
fn jobs(assessed: &Assessed) -> BTreeMap<String, Job<'_>> {
    let mut jobs: BTreeMap<String, Job<'_>> = BTreeMap::new();
    let declared = |comparison: &Comparison| {
        let job = assessed.judgements.position(&comparison.identity).and_then(|at| assessed.judgements.job_at(at));
        job.map(|job| job.as_str().to_owned())
    };
    let (with, without): (Vec<&Comparison>, Vec<&Comparison>) =
        assessed.comparisons.iter().partition(|comparison| names_a_role(assessed, comparison));
    for comparison in with {
        let name = declared(comparison).unwrap_or_else(|| job_name(&comparison.baseline.name));
        let job = jobs.entry(name).or_default();
        job.human.extend(comparison.baseline.roles.iter().map(IdentityId::as_str));
        job.agents.insert(comparison.identity.as_str());
        job.reasons.insert(&comparison.baseline.reason);
    }
    for comparison in without {
        if let Some(job) = declared(comparison).and_then(|name| jobs.get_mut(&name)) {
            job.agents.insert(comparison.identity.as_str());
            job.reasons.insert("a tag or annotation names this job");
        }
    }
    jobs
}

/// `IncidentResponder` and `Incident responders (prod)` in the form of a job: `incident-responder`,
/// `incident-responders-prod`.
fn job_name(role: &str) -> String {
    let mut name = String::new();
    let mut after_lower = false;
    for letter in role.chars() {
        let breaks = letter.is_uppercase() && after_lower;
        if (breaks || !letter.is_alphanumeric()) && !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if letter.is_alphanumeric() {
            name.extend(letter.to_lowercase());
        }
        after_lower = letter.is_lowercase() || letter.is_numeric();
    }
    match name.trim_end_matches('-') {
        "" => "job".to_owned(),
        name => name.to_owned(),
    }
}

fn write_jobs(text: &mut Text, jobs: &BTreeMap<String, Job<'_>>, assessed: &Assessed) {
    text.gap();
    text.say("Jobs: who does the same work, people and AI identities alike. What stands here counts as reviewed, and");
    text.say("its excess can trip the gate: read each proposal, correct it, and add who reviewed it and when, as in");
    text.say("`reviewed_by = \"alice@acme.example\"` and `reviewed_on = 2026-01-31`.");
    for (name, job) in jobs {
        text.gap();
        for reason in &job.reasons {
            text.say(&format!("Because: {reason}."));
        }
        text.line("#[[job]]");
        text.setting("#", "name", name);
        text.array("#", "human", &job.human);
        text.array("#", "agents", &job.agents);
    }
    let is_in_a_job = |identity: &&str| jobs.values().any(|job| job.agents.contains(identity));
    let without: Vec<&str> = assessed
        .comparisons
        .iter()
        .map(|comparison| comparison.identity.as_str())
        .filter(|identity| !is_in_a_job(identity))
        .collect();
    if !without.is_empty() {
        text.gap();
        text.say(
            "No role of people was found that does the job of these. Name it, or say why an AI does what nobody does:",
        );
        text.list(&without);
    }
}

/// The agents and the tool servers that were found, by their ids.
fn known(assessed: &Assessed) -> (BTreeSet<&str>, BTreeSet<&str>) {
    let (mut agents, mut tool_servers) = (BTreeSet::new(), BTreeSet::new());
    for agent in &assessed.inventory.agents {
        match agent.kind {
            AgentKind::Agent => agents.insert(&*agent.id),
            AgentKind::ToolServer => tool_servers.insert(&*agent.id),
        };
    }
    for (judged, identity) in assessed.judgements.iter().zip(&assessed.inventory.identities) {
        let id = identity.id.as_str();
        if judged.nature == Nature::AiAgent && !identity.vendor_managed && !tool_servers.contains(id) {
            agents.insert(id);
        }
    }
    (agents, tool_servers)
}

fn register(text: &mut Text, agents: &BTreeSet<&str>, tool_servers: &BTreeSet<&str>, possible: &[PossibleAgent]) {
    text.table("register");
    text.say("Every agent and tool server that was found. From now on another one is reported as unregistered.");
    text.say("Take out whom nobody vouches for. A register that is kept elsewhere: `file = \"register.csv\"`.");
    text.array("", "agents", agents);
    text.array("", "tool_servers", tool_servers);
    if !possible.is_empty() {
        text.say("These may be agents by weak signs. Those that are belong above, and into the `agents` of a job:");
        let lines: Vec<String> =
            possible.iter().map(|possible| format!("{}: {}", possible.identity, possible.hint)).collect();
        text.list(&lines);
    }
}

fn gate(text: &mut Text) {
    text.table("gate");
    text.say("What a pipeline may not pass: any finding of this level or worse.");
    text.array("", "fail_on", ["critical"]);
    text.say("Let only new findings trip it: first `evenhand baseline create`, then");
    text.line("#new_only = true");
    text.setting("#", "baseline", "evenhand-baseline.json");
    text.say("Later, once the jobs are reviewed and the first findings are resolved:");
    text.line("#min_score = 700");
    text.line("#max_excess = 0");
    text.line("#min_coverage = 80");
    text.gap();
    text.say(
        "Exceptions stand in `waivers.toml` beside this file: one rule for one identity, with an owner, an approver",
    );
    text.say("and an end.");
}

/// A file in the making.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn gap(&mut self) {
        self.line("");
    }

    /// A comment. What was found may hold anything, and a comment is one line.
    fn say(&mut self, words: &str) {
        let words: String = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        self.line(&format!("# {words}"));
    }

    /// A list within comments: the first ones, and how many more there are.
    fn list(&mut self, items: &[impl AsRef<str>]) {
        const SHOWN: usize = 20;
        for item in items.iter().take(SHOWN) {
            self.say(&format!("- {}", item.as_ref()));
        }
        if let Some(more @ 1..) = items.len().checked_sub(SHOWN) {
            self.say(&format!("- and {more} more; `evenhand scan` lists them"));
        }
    }

    fn table(&mut self, name: &str) {
        self.gap();
        self.line(&format!("[{name}]"));
    }

    /// A setting with a text. `sign`: `#` for one that is not in use.
    fn setting(&mut self, sign: &str, name: &str, value: &str) {
        self.line(&format!("{sign}{name} = {}", quoted(value)));
    }

    fn array<T: AsRef<str>>(&mut self, sign: &str, name: &str, values: impl IntoIterator<Item = T>) {
        let values: Vec<String> = values.into_iter().map(|value| quoted(value.as_ref())).collect();
        let whole = format!("{sign}{name} = [{}]", values.join(", "));
        if values.len() < 2 || whole.len() <= WIDTH {
            return self.line(&whole);
        }
        self.line(&format!("{sign}{name} = ["));
        let indent = if sign.is_empty() { "  " } else { "" };
        for value in values {
            self.line(&format!("{sign}{indent}{value},"));
        }
        self.line(&format!("{sign}]"));
    }
}

/// The widest list that stands in one line, in bytes.
const WIDTH: usize = 100;

/// A basic string of TOML. JSON's escapes are its own; only the delete character has none there.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_named_after_the_role() {
        for (role, name) in [
            ("IncidentResponder", "incident-responder"),
            ("Release engineers", "release-engineers"),
            ("ops/on_call + SRE", "ops-on-call-sre"),
            ("S3Readers", "s3-readers"),
            ("--", "job"),
        ] {
            assert_eq!(job_name(role), name, "{role}");
        }
    }

    #[test]
    fn whatever_a_name_holds_stays_one_text_or_one_comment() {
        let mut text = Text::default();
        let names = ["a\"\\b", "line\nbreak\u{7f}\u{1}", "]\n[gate]\nfail_on = \"low\""];
        text.array("", "agents", names);
        for name in names {
            text.say(name);
        }
        let read: toml::Table = text.0.parse().unwrap();
        let agents: Vec<&str> = read["agents"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(agents, names);
        assert_eq!(read.len(), 1);
    }
}
