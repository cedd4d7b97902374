//! `evenhand can`: point decisions, one from the arguments or many from stdin.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use evenhand_model::access::{AccessResolver, ContextValue, DecideError, Decision, Outcome, Request};
use evenhand_model::decide::{part, plain};
use evenhand_model::identity::Identity;
use evenhand_model::opset::OpSet;
use evenhand_reports::text::{counted, printable};
use evenhand_rules::link::link;
use serde::Serialize;
use serde_json::error::Category;

use super::{Failure, Invocation, say};
use crate::cli::{self, PlainFormat};
use crate::gate::Exit;
use crate::lent::{self, Lender, Lent};
use crate::lookup;
use crate::output::to_stdout;
use crate::pipeline::Capture;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Can) -> Result<Exit, Failure> {
    let operation = super::operation(&arguments.operation)?;
    if arguments.identity.is_none() {
        all_in_the_lines(arguments)?;
    }
    let progress = invocation.progress();
    let config = invocation.config(&arguments.from.sources)?;
    let (mut capture, _) = invocation.read_for(&arguments.from, &config, &progress)?;
    link(&mut capture.inventory, &config.jobs);
    let asked = Asked { capture: &capture, lent: Lent::new(&capture.inventory) };
    match &arguments.identity {
        Some(identity) if !arguments.operation.is_empty() => {
            let mut context: BTreeMap<String, ContextValue> = BTreeMap::new();
            for (key, value) in &arguments.context {
                let mut values = context.get(key).map(|held| held.values().to_vec()).unwrap_or_default();
                values.push(value.clone());
                context.insert(key.clone(), ContextValue::Many(values));
            }
            let request = Request {
                identity: identity.clone(),
                operation,
                resource: arguments.on.clone().or_else(|| place(arguments)),
                context,
            };
            one(invocation, &asked, &request, arguments)
        }
        _ => many(invocation, &asked),
    }
}

/// Refuses options that stand beside questions on stdin, which say all of it themselves.
fn all_in_the_lines(arguments: &cli::Can) -> Result<(), Failure> {
    let given = [
        ("--on", arguments.on.is_some(), "`\"resource\": …` into its line"),
        ("--namespace", arguments.namespace.is_some(), "`\"resource\": \"NAMESPACE/NAME\"` into its line"),
        ("--name", arguments.name.is_some(), "`\"resource\": \"NAMESPACE/NAME\"` into its line"),
        ("--context", !arguments.context.is_empty(), "`\"context\": {…}` into its line"),
    ];
    if let Some((flag, _, instead)) = given.into_iter().find(|(_, is_given, _)| *is_given) {
        return Err(Failure::new(
            format!("`{flag}` is about one question, and no identity is named, so that questions come on stdin"),
            format!("name an identity and an operation, or write {instead}"),
        ));
    }
    match arguments.output {
        Some(PlainFormat::Table) => Err(Failure::new(
            "questions on stdin are answered in JSON, and in no table",
            "leave `-o table` out, or name an identity and an operation",
        )),
        _ => Ok(()),
    }
}

/// The resource that a namespace and a name stand for, in the spelling of those who have them.
fn place(arguments: &cli::Can) -> Option<String> {
    match (arguments.namespace.as_deref(), arguments.name.as_deref()) {
        (None, None) => None,
        (namespace, name) => Some(format!("{}/{}", namespace.unwrap_or_default(), name.unwrap_or_default())),
    }
}

fn one(invocation: &Invocation, asked: &Asked<'_>, request: &Request, arguments: &cli::Can) -> Result<Exit, Failure> {
    // Before the question is answered, so that the error lists whom a name fits.
    let identity = lookup::identity(&asked.capture.inventory.identities, &request.identity)?;
    let resolver = asked.capture.resolvers.get(identity.provider);
    if let Some(resolver) = resolver {
        let is_placed = arguments.namespace.is_some() || arguments.name.is_some();
        if is_placed && !resolver.narrower().contains("--name") {
            return Err(Failure::new(
                format!(
                    "`--namespace` and `--name` are for Kubernetes, and `{}` is an identity of {}",
                    identity.id, identity.provider
                ),
                format!("name the resource with `{}`", resolver.narrower()),
            ));
        }
        if !arguments.context.is_empty() && !resolver.weighs_context() {
            let said = format!("`--context` changes nothing: no answer about {} weighs it", identity.provider);
            invocation.console.note(&said);
        }
    }
    let answer = answer(asked, request).map_err(|refused| {
        let alike = refused.resolver.and_then(|resolver| spelled_alike(resolver, &request.operation));
        Failure::Message(refused.reason, alike.map(|name| format!("did you mean `{name}`?")))
    })?;
    if answer.decision.outcome != Outcome::Allowed
        && let Some(resolver) = resolver.filter(|held| held.catalog().expand(&request.operation).is_empty())
        && let Some(name) = spelled_alike(resolver, &request.operation)
    {
        // Verbs of one's own are allowed, so that it may be one.
        let said = format!("no operation `{}` is known; did you mean `{name}`?", request.operation);
        invocation.console.note(&said);
    }
    match arguments.output.unwrap_or(PlainFormat::Table) {
        PlainFormat::Table => say(|sink| person(&answer, sink))?,
        PlainFormat::Json => to_stdout(|sink| {
            serde_json::to_writer(&mut *sink, &answer)?;
            sink.write_all(b"\n")
        })?,
    }
    Ok(if answer.decision.outcome == Outcome::Allowed { Exit::Passed } else { Exit::GateFailed })
}

/// What questions are asked of.
struct Asked<'a> {
    capture: &'a Capture,
    lent: Lent<'a>,
}

/// An answer, with the question as it was understood.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    identity: &'a str,
    operation: &'a str,
    resource: Option<&'a str>,
    /// Whether no resource was named although the answer differs between them.
    #[serde(skip)]
    some_resource: bool,
    /// The flags that name one.
    #[serde(skip)]
    narrower: &'static str,
    #[serde(flatten)]
    decision: Decision,
    /// Where the answer is unknown: what was not read of the identity's access.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<Arc<str>>,
    /// Where the identity may not itself: those it acts through that may, or that nothing is known of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    through: Vec<Through<'a>>,
}

/// The answer to the same question about somebody whose access the identity uses.
#[derive(Debug, Serialize)]
struct Through<'a> {
    identity: &'a str,
    #[serde(skip)]
    shown: &'a str,
    /// What the identity uses of it, in the words of its configuration; empty = anything.
    #[serde(skip_serializing_if = "str::is_empty")]
    limited_to: &'a str,
    #[serde(flatten)]
    decision: Decision,
}

#[derive(Debug, Serialize)]
struct Refusal<'a> {
    line: usize,
    error: &'a str,
}

/// Why a question has no answer, and whose operations it was asked of where they are what is not understood.
struct Refused<'a> {
    reason: String,
    resolver: Option<&'a dyn AccessResolver>,
}

impl From<String> for Refused<'_> {
    fn from(reason: String) -> Self {
        Self { reason, resolver: None }
    }
}

/// The operation whose name is spelled most like a text.
pub(super) fn spelled_alike(resolver: &dyn AccessResolver, asked: &str) -> Option<String> {
    let catalog = resolver.catalog();
    let names: Vec<_> = OpSet::all(catalog.len()).iter().map(|operation| catalog.name(operation)).collect();
    lookup::nearest(asked, names.iter().map(|name| &**name)).map(str::to_owned)
}

fn answer<'a>(asked: &Asked<'a>, request: &'a Request) -> Result<Answer<'a>, Refused<'a>> {
    let capture = asked.capture;
    let identity: &Identity =
        lookup::identity(&capture.inventory.identities, &request.identity).map_err(|error| error.to_string())?;
    let has_access = |identity: &Identity| capture.resolvers.get(identity.provider).is_some();
    let lenders = asked.lent.to(identity, has_access);
    let resolver = capture.resolvers.get(identity.provider).ok_or_else(|| {
        let instead = lent::instead(&lenders);
        format!(
            "`{}` is an identity of {}, which grants no access by itself; {instead}",
            identity.id, identity.provider
        )
    })?;
    let decision = resolver.decide(&identity.id, request).map_err(|error| {
        let is_unknown = matches!(error, DecideError::UnknownOperation { .. });
        // It may be one of another provider, in which its workloads are somebody.
        let knows = |lender: &&Lender<'_>| {
            let elsewhere = capture.resolvers.get(lender.identity.provider);
            lender.identity.provider != identity.provider
                && elsewhere.is_some_and(|held| !held.catalog().expand(&request.operation).is_empty())
        };
        match lenders.iter().find(knows).filter(|_| is_unknown) {
            Some(lender) => Refused::from(format!(
                "`{}` is an operation of {}, where `{}` acts as another one; ask about `{}`",
                request.operation,
                lender.identity.provider,
                identity.shown(),
                lender.identity.id
            )),
            None => Refused { reason: error.to_string(), resolver: is_unknown.then_some(resolver) },
        }
    })?;
    let through = match decision.outcome {
        Outcome::Allowed => Vec::new(),
        // The question is one of this provider's operations.
        _ => lenders
            .into_iter()
            .filter(|lender| lender.identity.provider == identity.provider)
            .filter_map(|lender| {
                let decision = resolver.decide(&lender.identity.id, request).ok()?;
                let tells = matches!(decision.outcome, Outcome::Allowed | Outcome::Conditional | Outcome::Unknown);
                tells.then_some(Through {
                    identity: lender.identity.id.as_str(),
                    shown: lender.identity.shown(),
                    limited_to: lender.constraint,
                    decision,
                })
            })
            .collect(),
    };
    let unread = match (decision.outcome, resolver.access(&identity.id)) {
        (Outcome::Unknown, Some(access)) => access.doubts.iter().map(|doubt| Arc::clone(&doubt.text)).collect(),
        (Outcome::Unknown, None) => vec![Arc::from("nothing was read of what it may do")],
        _ => Vec::new(),
    };
    Ok(Answer {
        unread,
        identity: identity.id.as_str(),
        operation: &request.operation,
        resource: request.resource.as_deref(),
        some_resource: request.resource.is_none() && {
            let catalog = resolver.catalog();
            catalog.expand(&request.operation).intersects(&OpSet::all(catalog.len()).difference(&catalog.unscopable()))
        },
        narrower: resolver.narrower(),
        decision,
        through,
    })
}

fn person(answer: &Answer<'_>, sink: &mut dyn Write) -> io::Result<()> {
    writeln!(sink, "{}", outcome(answer.decision.outcome))?;
    writeln!(sink, "  identity {}", printable(answer.identity))?;
    if answer.some_resource && matches!(answer.decision.outcome, Outcome::Allowed | Outcome::Conditional) {
        writeln!(sink, "  on some resource; ask about one with {}", answer.narrower)?;
    }
    reasons(&answer.decision, "  ", sink)?;
    for unread in &answer.unread {
        writeln!(sink, "  {}", printable(unread))?;
    }
    for through in &answer.through {
        let limit = match through.limited_to {
            "" => String::new(),
            limit => format!(" ({limit})"),
        };
        let said = outcome(through.decision.outcome);
        writeln!(sink, "  but by way of {}{}: {said}", printable(through.shown), printable(&limit))?;
        reasons(&through.decision, "    ", sink)?;
    }
    Ok(())
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "allowed",
        Outcome::Conditional => "allowed under conditions",
        Outcome::ImplicitlyDenied => "denied: nothing allows it",
        Outcome::ExplicitlyDenied => "denied: something forbids it",
        Outcome::Unknown => "unknown: what was read does not tell",
    }
}

fn reasons(decision: &Decision, indent: &str, sink: &mut dyn Write) -> io::Result<()> {
    for layer in &decision.blocked_by {
        writeln!(sink, "{indent}{}", printable(&stopped_by(decision.outcome, layer)))?;
    }
    for condition in &decision.conditions {
        writeln!(sink, "{indent}if {}", printable(condition))?;
    }
    for grant in &decision.because {
        writeln!(sink, "{indent}because of {}", printable(&grant.to_string()))?;
        writeln!(sink, "{indent}  at {}", printable(&grant.evidence.to_string()))?;
    }
    Ok(())
}

/// Which layer of policies stops a request, as a person says it.
pub(super) fn stopped_by(outcome: Outcome, layer: &str) -> String {
    let layer = match layer {
        "identity" => "the identity's own policies",
        "boundary" => "the permissions boundary",
        "session" => "the session policy",
        "scp" => "the service control policies",
        "rcp" => "the resource control policies",
        "resource" => "the resource's policy",
        other => other,
    };
    match outcome {
        // Some of these layers forbid it, others merely do not allow it.
        Outcome::ExplicitlyDenied => format!("stopped by {layer}"),
        _ => format!("not allowed by {layer}"),
    }
}

/// Answers questions from stdin, a line each; a bad one is answered with an error and the rest go on.
fn many(invocation: &Invocation, asked: &Asked<'_>) -> Result<Exit, Failure> {
    let (mut given, mut refused) = (0_usize, 0_usize);
    let mut unread = None;
    to_stdout(|sink| {
        for (at, line) in io::stdin().lock().split(b'\n').enumerate() {
            let line = match line {
                Ok(line) => line,
                // It is the input that is at fault, and not what is written.
                Err(error) => {
                    unread = Some(error);
                    break;
                }
            };
            let line: &[u8] = match at {
                0 => line.strip_prefix(super::BOM).unwrap_or(&line),
                _ => &line,
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            given += 1;
            let request = question(line);
            let result = match &request {
                Ok(request) => answer(asked, request).map_err(|refused| refused.reason),
                Err(error) => Err(error.clone()),
            };
            match result {
                Ok(answer) => serde_json::to_writer(&mut *sink, &answer)?,
                Err(error) => {
                    refused += 1;
                    serde_json::to_writer(&mut *sink, &Refusal { line: at + 1, error: &error })?;
                }
            }
            sink.write_all(b"\n")?;
        }
        Ok::<(), io::Error>(())
    })?;
    if let Some(error) = unread {
        return Err(Failure::new(format!("stdin cannot be read: {error}"), "give it a file with questions, or a pipe"));
    }
    if given == 0 {
        let remedy = "write a JSON object a line to stdin, or name an identity and an operation";
        invocation.console.warning("no question was given", Some(remedy));
    }
    if refused > 0 {
        let questions = counted(refused, "question", "questions");
        invocation.console.error(&format!("{questions} could not be answered"), Some("see the `error` members"));
        return Ok(Exit::Error);
    }
    Ok(Exit::Passed)
}

/// The question on a line, or at which column it is wrong, why, and what to write.
fn question(line: &[u8]) -> Result<Request, String> {
    const FORM: &str = "write {\"identity\": …, \"operation\": …} on one line, with \"resource\": … and \"context\": {…} \
                        where they are known";
    // People count characters, parsers bytes.
    let refused = |bytes: usize, why: &str| {
        let up_to_it = String::from_utf8_lossy(line.get(..bytes).unwrap_or(line));
        Err(format!("column {}: {why}; {FORM}", up_to_it.chars().count()))
    };
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => return refused(error.valid_up_to() + 1, "this is not UTF-8"),
    };
    let bare = text.trim_start();
    // A list would be read as the members in their order: that is a guess at what is meant.
    if let Some(first) = bare.chars().next().filter(|first| *first != '{') {
        let first = printable(&first.to_string());
        let why = format!("a question is a JSON object, which begins with `{{` and not with `{first}`");
        return refused(text.len() - bare.len() + 1, &why);
    }
    serde_json::from_str(text).or_else(|error| refused(error.column(), &wrong(text, &error)))
}

/// Why a text that begins like an object is no question.
fn wrong(text: &str, error: &serde_json::Error) -> String {
    let said = plain(error);
    match error.classify() {
        Category::Eof => "the line ends before the object does".to_owned(),
        Category::Syntax | Category::Io => match &*said {
            "expected ident" | "expected value" => "this is not JSON: a value is expected".to_owned(),
            "trailing characters" => "something stands behind the object".to_owned(),
            said => format!("this is not JSON: {said}"),
        },
        Category::Data => match said.split_once(" field ") {
            Some(("unknown", key)) if key.starts_with("`namespace`") || key.starts_with("`name`") => {
                format!("unknown key {key}; a namespace and a name stand in `resource` as `NAMESPACE/NAME`")
            }
            Some((what @ ("unknown" | "missing" | "duplicate"), key)) => format!("{what} key {key}"),
            _ => {
                let at = part::<Request>(text, "").map_or_else(|refusal| refusal.at, |_| String::new());
                match at.split('/').nth(1) {
                    Some("context") => {
                        "`context` must be an object with a string or a list of strings for each key".to_owned()
                    }
                    Some(key) => format!("`{key}` must be a string"),
                    None => said,
                }
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_question_is_told_with_its_column_and_what_to_write() {
        for (line, said) in [
            ("nonsense", "column 1: a question is a JSON object, which begins with `{` and not with `n`"),
            (" [\"a\",\"b\"]", "column 2: a question is a JSON object, which begins with `{` and not with `[`"),
            ("\u{feff}{}", "column 1: a question is a JSON object, which begins with `{` and not with `\\u{feff}`"),
            ("{}", "column 2: missing key `identity`"),
            (r#"{"identity":"é"}"#, "column 16: missing key `operation`"),
            (r#"{"identity":"x","nope":1}"#, "column 22: unknown key `nope`, expected one of `identity`, `operation`"),
            (
                r#"{"identity":"x","namespace":"ops"}"#,
                "a namespace and a name stand in `resource` as `NAMESPACE/NAME`; write",
            ),
            (r#"{"identity":"x","identity":"y"}"#, "column 26: duplicate key `identity`"),
            (r#"{"identity":1,"operation":"y"}"#, "column 13: `identity` must be a string"),
            (r#"{"identity":"x","operation":["y"]}"#, "`operation` must be a string"),
            (r#"{"identity":"x","operation":"y","resource":5}"#, "column 44: `resource` must be a string"),
            (r#"{"identity":"x","operation":"y","context":7}"#, "column 43: `context` must be an object with a string"),
            (r#"{"identity":"x","operation":"y","context":{"a":[1]}}"#, "`context` must be an object with a string"),
            (r#"{"identity":"é""#, "column 15: the line ends before the object does"),
            (r#"{"identity":nul1}"#, "this is not JSON: a value is expected"),
            (r#"{"identity":"x",}"#, "column 17: this is not JSON: trailing comma"),
            (r#"{"identity":"x","operation":"y"} {}"#, "column 34: something stands behind the object"),
        ] {
            let error = question(line.as_bytes()).unwrap_err();
            assert!(error.starts_with("column ") && error.contains(said), "{line}: {error}");
            assert!(error.contains("; write {\"identity\": …, \"operation\": …} on one line"), "{line}: {error}");
        }
        let error = question(b"{\"identity\":\"\xc3\xa9\xff\"}").unwrap_err();
        assert!(error.starts_with("column 15: this is not UTF-8; write "), "{error}");
    }

    #[test]
    fn a_question_may_stand_indented_and_with_what_is_known() {
        let line = br#"  {"identity":"x","operation":"y","resource":null,"context":{"a":"1","b":["2","3"]}}"#;
        let request = question(line).unwrap();
        assert_eq!((&*request.identity, &*request.operation, request.context.len()), ("x", "y", 2));
    }
}
