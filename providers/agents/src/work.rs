//! Counts steps of the work that could grow faster than what is read, so that a test sees it without a clock.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// One more step.
pub(crate) fn step() {
    STEPS.set(STEPS.get() + 1);
}

/// The steps of some work.
fn of(work: impl FnOnce()) -> usize {
    STEPS.set(0);
    work();
    STEPS.get()
}

#[test]
fn twice_as_many_servers_are_twice_the_work() {
    use evenhand_model::document::{Document, FileFacts, Format, Head};
    use evenhand_model::provider::{Provider, ReadOptions};
    use evenhand_model::secret::Fingerprinter;

    // The rules of a project come on top of those of its client, so that each is read without the other.
    let read = |servers: usize, allows: bool| {
        let numbers = || 0..servers;
        let list = |one: &dyn Fn(usize) -> String| numbers().map(one).collect::<Vec<_>>().join(",");
        let server = |at: usize| {
            format!(
                r#""s{at}": {{"command": "x", "envFile": "{at}.env", "env": {{"AWS_PROFILE": "p{at}", "API_KEY": "fake-3f9a1c-{at}"}}}}"#
            )
        };
        let of_project = |at: usize| {
            format!(r#""/p{at}": {{"allowedTools": ["Bash(x)"], "mcpServers": {{"s": {{"command": "x"}}}}}}"#)
        };
        let allowed = if allows { list(&|at| format!(r#""mcp__s{at}__x""#)) } else { String::new() };
        let projects = if allows { String::new() } else { list(&of_project) };
        let profile = |at: usize| format!("[profile p{at}]\nrole_arn = arn:aws:iam::111122223333:role/r{at}\n");
        let files = [
            (
                "home/ana/.claude.json",
                format!(r#"{{"mcpServers": {{{}}}, "projects": {{{}}}}}"#, list(&server), projects),
            ),
            ("home/ana/.claude/settings.json", format!(r#"{{"permissions": {{"allow": [{allowed}]}}}}"#)),
            ("home/ana/.aws/config", numbers().map(profile).collect()),
        ];
        let options = ReadOptions {
            now: "2026-11-23T00:00:00Z".parse().unwrap(),
            fingerprinter: Fingerprinter::keyed("test"),
            settings: Default::default(),
        };
        let mut reader = crate::Agents.reader(options);
        for (path, text) in files {
            let format = if path.ends_with("config") { Format::Text } else { Format::Json };
            let document = Document {
                path: path.into(),
                relative: path.into(),
                source_name: "lab".into(),
                format,
                text,
                head: Head::default(),
                file: FileFacts::default(),
            };
            reader.read(document).unwrap();
        }
        assert_eq!(reader.wanted_files().len(), servers);
        let found = reader.finish().inventory;
        assert_eq!(found.agents.len(), if allows { servers } else { 2 * servers } + 1);
        assert_eq!(found.trusts.iter().filter(|trust| trust.target.as_str().starts_with("arn:")).count(), 2 * servers);
    };
    for allows in [true, false] {
        let (one, two) = (of(|| read(100, allows)), of(|| read(200, allows)));
        assert!(one > 300 && two <= 2 * one, "{one} steps became {two}");
    }
}
