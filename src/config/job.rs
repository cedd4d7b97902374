//! A `[[job]]`: who does a job, people and AI identities alike.

use std::sync::Arc;

use evenhand_model::control::ControlKind;
use evenhand_model::evidence::Evidence;
use evenhand_model::id::Job;
use evenhand_rules::jobs::{JobRule, Selector};
use toml::Spanned;

use super::file::JobTable;
use super::problem::{ConfigProblem, Text};
use super::{date, one_of, selectors};

/// The job that a table describes.
///
/// # Errors
/// When it says something that is not understood, or chooses nobody. One side may be left out, for identities declare a
/// job themselves; a list that is there and empty is a mistake.
pub(super) fn read(job: &Spanned<JobTable>, text: &Text) -> Result<JobRule, ConfigProblem> {
    let table = job.get_ref();
    let line = text.place(job.span().start).0;
    let name = Job::new(table.name.get_ref().as_str());
    if name.as_str().trim().is_empty() {
        return Err(text.at(table.name.span(), "a job needs a name".to_owned(), None));
    }
    let mut rule = JobRule::new(name, Evidence::line(text.path(), u32::try_from(line).unwrap_or(u32::MAX)));
    rule.human = side("human", table.human.as_ref(), table, text)?;
    rule.agents = side("agents", table.agents.as_ref(), table, text)?;
    rule.rationale = table.rationale.as_deref().map(Arc::from);
    rule.reviewed_by = table.reviewed_by.as_deref().map(Arc::from);
    rule.reviewed_on = match &table.reviewed_on {
        None => None,
        Some(day) => Some(date(day.get_ref()).ok_or_else(|| {
            text.at(day.span(), "this is no date".to_owned(), Some("write it as `2026-01-31`".to_owned()))
        })?),
    };
    for control in &table.controls {
        rule.controls.push(ControlKind::parse(control.get_ref()).ok_or_else(|| {
            let known = ControlKind::ALL.map(ControlKind::as_str);
            text.at(
                control.span(),
                format!("there is no control `{}`", control.get_ref()),
                one_of(control.get_ref(), &known),
            )
        })?);
    }
    if rule.human.is_empty() && rule.agents.is_empty() {
        let message = format!("the job `{}` names neither people nor agents", table.name.get_ref());
        let remedy =
            "name the roles of people under `human`, and the AI identities that do the same job under `agents`";
        return Err(text.at(table.name.span(), message, Some(remedy.to_owned())));
    }
    Ok(rule)
}

/// The selectors of one side of a job.
fn side(
    key: &str,
    list: Option<&Spanned<Vec<Spanned<String>>>>,
    table: &JobTable,
    text: &Text,
) -> Result<Vec<Selector>, ConfigProblem> {
    match list {
        None => Ok(Vec::new()),
        Some(list) if list.get_ref().is_empty() => {
            let message = format!("`{key}` of the job `{}` is empty, so that it chooses nobody", table.name.get_ref());
            let remedy = format!("list selectors, or leave `{key}` out where identities declare the job themselves");
            Err(text.at(list.span(), message, Some(remedy)))
        }
        Some(list) => selectors(list.get_ref(), text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigProblem> {
        Config::parse("conf/evenhand.toml", text.to_owned(), &crate::providers())
    }

    #[test]
    fn a_job_that_chooses_nobody_is_an_error_with_its_place() {
        for (rest, place, said) in [
            ("", "2:8", "names neither people nor agents"),
            ("human = []\n", "3:9", "`human` of the job `a` is empty"),
            ("agents = []\n", "3:10", "`agents` of the job `a` is empty"),
            ("human = [\"role/a\"]\nagents = []\n", "4:10", "`agents` of the job `a` is empty"),
            ("human = []\nagents = [\"role/a\"]\n", "3:9", "leave `human` out"),
            ("human = [\"\"]\nagents = [\"role/a\"]\n", "3:10", "an empty selector"),
        ] {
            let problem = parse(&format!("[[job]]\nname = \"a\"\n{rest}")).unwrap_err();
            let told = format!("{problem} {}", problem.remedy().unwrap_or_default());
            assert!(
                told.starts_with(&format!("conf/evenhand.toml:{place}: ")) && told.contains(said),
                "{rest}: {told}"
            );
        }
    }

    #[test]
    fn one_side_may_be_left_to_what_identities_declare() {
        for (rest, sides) in [("human = [\"role/a\"]\n", (1, 0)), ("agents = [\"role/a\"]\n", (0, 1))] {
            let jobs = parse(&format!("[[job]]\nname = \"a\"\n{rest}")).unwrap().jobs.jobs;
            assert_eq!((jobs[0].human.len(), jobs[0].agents.len()), sides, "{rest}");
        }
    }
}
