//! The types of a workflow's members. GitHub runs no workflow in which one has another, and nothing is concluded from it.

use super::WorkflowError;
use super::trigger::on;
use crate::tree::{Node, Value};
use crate::unlike::Unlike;

/// Checks a workflow or an action.
///
/// # Errors
/// With the line of the first member of another type.
pub(super) fn check(file: &Node) -> Result<(), WorkflowError> {
    let Some(unlike) = misfit(file) else { return Ok(()) };
    Err(WorkflowError { line: unlike.line, column: 1, reason: unlike.reason() })
}

fn misfit(file: &Node) -> Option<Unlike> {
    let events = on(file).and_then(|events| match &events.value {
        Value::List(names) => {
            names.iter().find(|name| name.text().is_none()).map(|name| Unlike::of("on", name, "the name of an event"))
        }
        Value::Map(_) | Value::Text(_) | Value::Null => None,
        _ => Some(Unlike::of("on", events, "events")),
    });
    let jobs = || match file.get("jobs").map(|entry| &entry.node) {
        Some(jobs) if !is_map_or_null(jobs) => Some(Unlike::of("jobs", jobs, "a map")),
        Some(jobs) => jobs.entries().iter().find_map(|entry| job(&entry.node)),
        None => None,
    };
    let runs = || steps(&file.get("runs")?.node);
    events.or_else(|| member(file, &["permissions", "env"])).or_else(jobs).or_else(runs)
}

fn job(job: &Node) -> Option<Unlike> {
    if !is_map_or_null(job) {
        return Some(Unlike::of("jobs", job, "a map"));
    }
    let members = ["permissions", "env", "if", "uses", "with", "secrets", "environment", "runs-on", "needs"];
    member(job, &members).or_else(|| steps(job))
}

fn steps(of: &Node) -> Option<Unlike> {
    let steps = &of.get("steps")?.node;
    match &steps.value {
        Value::List(all) => all.iter().find_map(|step| match is_map_or_null(step) {
            true => member(step, &["uses", "run", "if", "with", "env"]),
            false => Some(Unlike::of("steps", step, "a map")),
        }),
        Value::Null => None,
        _ => Some(Unlike::of("steps", steps, "a list")),
    }
}

fn is_map_or_null(node: &Node) -> bool {
    matches!(node.value, Value::Map(_) | Value::Null)
}

/// The first of some members that has another type. An expression may stand for a map or a list.
fn member(node: &Node, keys: &[&str]) -> Option<Unlike> {
    keys.iter().find_map(|key| {
        let held = &node.get(key)?.node;
        let wrong = |node: &Node, wanted: &'static str| Some(Unlike::of(key, node, wanted));
        let is_scalar = |node: &Node| node.scalar().is_some() || matches!(node.value, Value::Null);
        match (*key, &held.value) {
            (_, Value::Null) => None,
            // A name may look like a number: `environment: 2024`.
            ("uses" | "environment" | "runs-on" | "needs", _) if is_scalar(held) => None,
            ("uses", _) => wrong(held, "text"),
            ("if" | "run", _) if is_scalar(held) => None,
            ("if" | "run", _) => wrong(held, "text"),
            ("permissions", Value::Map(levels)) => {
                let is_level = |node: &Node| matches!(node.value, Value::Text(_) | Value::Null);
                levels.iter().find(|level| !is_level(&level.node)).and_then(|level| wrong(&level.node, "a level"))
            }
            // What they are instead leaves the token unknown, which is told where it matters.
            ("permissions", _) => None,
            ("env" | "with" | "secrets", Value::Map(entries)) => {
                let other = entries.iter().find(|entry| !is_scalar(&entry.node));
                other.and_then(|entry| wrong(&entry.node, "text"))
            }
            ("runs-on" | "environment", Value::Map(_))
            | ("runs-on" | "needs", Value::List(_))
            | (_, Value::Text(_)) => None,
            ("runs-on" | "needs", _) => wrong(held, "a name or a list"),
            _ => wrong(held, "a map"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{self, Syntax};

    fn line(text: &str) -> Option<u32> {
        let Ok(node) = tree::parse(text, Syntax::Yaml) else { panic!("{text}") };
        check(&node).err().map(|error| error.line)
    }

    #[test]
    fn every_documented_form_passes() {
        for text in [
            "on: push\njobs:\n  a: {runs-on: x, if: true, permissions: {}, steps: [{run: 7, env: {A: 1, B: null}}]}\n",
            "on: [push, issues]\npermissions: read-all\njobs:\n  a: {uses: o/r/w.yml@v1, secrets: inherit, needs: [b]}\n",
            "on: {push: null}\nenv: ${{ fromJSON('{}') }}\njobs:\n  a: {runs-on: [x, y], environment: {name: e}, steps: null}\n",
            "on: push\njobs:\n  a: {runs-on: 22, environment: 2024, needs: 1, steps: [{uses: 7}]}\n",
            "name: x\nruns: {using: composite, steps: [{uses: o/r@v1, with: {a: b}}]}\n",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn a_member_of_another_type_is_told_with_its_line() {
        for text in [
            "jobs: {}\non:\n  7\n",
            "on: push\njobs:\n  - a\n",
            "on: push\njobs:\n  a: 7\n",
            "on: push\njobs:\n  a: {permissions: {contents: [write]}}\n",
            "on: push\njobs:\n  a: {permissions: {contents: 7}}\n",
            "on: push\njobs:\n  a: {steps: {run: x}}\n",
            "on: push\njobs:\n  a: {steps: [{uses: [o/r@v1]}]}\n",
            "on: push\njobs:\n  a: {steps: [{env: [KEY=x]}]}\n",
            "on: push\nruns:\n  steps: [7]\n",
        ] {
            assert_eq!(line(text), Some(3), "{text}");
        }
    }
}
