//! `evenhand can`: point decisions, one from the arguments or many from stdin.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use evenhand_model::access::{ContextValue, Decision, Outcome, Request};
use evenhand_model::identity::Identity;
use evenhand_reports::text::printable;
use serde::Serialize;

use super::{Failure, Invocation};
use crate::cli::{self, PlainFormat};
use crate::gate::Exit;
use crate::lookup;
use crate::output::to_stdout;
use crate::pipeline::Capture;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Can) -> Result<Exit, Failure> {
    let progress = invocation.progress();
    let config = invocation.config(&arguments.from.sources)?;
    let (capture, _) = invocation.read(&arguments.from.sources, &config, &arguments.from.input, &progress)?;
    if capture.inventory.identities.is_empty() {
        return Err(invocation.nobody(&capture));
    }
    match (&arguments.identity, &arguments.operation) {
        (Some(identity), Some(operation)) => {
            let mut context: BTreeMap<String, ContextValue> = BTreeMap::new();
            for (key, value) in &arguments.context {
                let mut values = context.get(key).map(|held| held.values().to_vec()).unwrap_or_default();
                values.push(value.clone());
                context.insert(key.clone(), ContextValue::Many(values));
            }
            let request = Request {
                identity: identity.clone(),
                operation: operation.clone(),
                resource: arguments.on.clone(),
                context,
            };
            one(&capture, &request, arguments.output)
        }
        _ => many(invocation, &capture),
    }
}

fn one(capture: &Capture, request: &Request, format: PlainFormat) -> Result<Exit, Failure> {
    let answer = answer(capture, request).map_err(|message| Failure::Message(message, None))?;
    to_stdout(|sink| match format {
        PlainFormat::Table => person(&answer, sink),
        PlainFormat::Json => {
            serde_json::to_writer(&mut *sink, &answer)?;
            sink.write_all(b"\n")
        }
    })?;
    Ok(if answer.decision.outcome == Outcome::Allowed { Exit::Passed } else { Exit::GateFailed })
}

/// An answer, with the question as it was understood.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    identity: &'a str,
    operation: &'a str,
    resource: Option<&'a str>,
    #[serde(flatten)]
    decision: Decision,
}

#[derive(Debug, Serialize)]
struct Refusal<'a> {
    line: usize,
    error: &'a str,
}

fn answer<'a>(capture: &'a Capture, request: &'a Request) -> Result<Answer<'a>, String> {
    let identity: &Identity =
        lookup::identity(&capture.inventory.identities, &request.identity).map_err(|error| error.to_string())?;
    let resolver = capture.resolvers.get(identity.provider).ok_or_else(|| {
        format!(
            "`{}` is an identity of {}, which grants no access by itself; ask about the identity it borrows",
            identity.id, identity.provider
        )
    })?;
    let decision = resolver.decide(&identity.id, request).map_err(|error| error.to_string())?;
    Ok(Answer {
        identity: identity.id.as_str(),
        operation: &request.operation,
        resource: request.resource.as_deref(),
        decision,
    })
}

fn person(answer: &Answer<'_>, sink: &mut dyn Write) -> io::Result<()> {
    let outcome = match answer.decision.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Conditional => "allowed under conditions",
        Outcome::ImplicitlyDenied => "denied: nothing allows it",
        Outcome::ExplicitlyDenied => "denied: something forbids it",
        Outcome::Unknown => "unknown: what was read does not tell",
    };
    writeln!(sink, "{outcome}")?;
    for layer in &answer.decision.blocked_by {
        writeln!(sink, "  stopped by {}", printable(layer))?;
    }
    for condition in &answer.decision.conditions {
        writeln!(sink, "  if {}", printable(condition))?;
    }
    for grant in &answer.decision.because {
        writeln!(sink, "  because of {}", printable(&grant.to_string()))?;
        writeln!(sink, "    at {}", printable(&grant.evidence.to_string()))?;
    }
    Ok(())
}

/// Answers questions from stdin, a line each; a bad one is answered with an error and the rest go on.
fn many(invocation: &Invocation, capture: &Capture) -> Result<Exit, Failure> {
    let mut refused = 0_usize;
    to_stdout(|sink| {
        for (at, line) in io::stdin().lock().lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let request = serde_json::from_str::<Request>(&line)
                .map_err(|error| format!("this is no question: {error}; write {{\"identity\": …, \"operation\": …}}"));
            let result = match &request {
                Ok(request) => answer(capture, request),
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
    if refused > 0 {
        invocation
            .console
            .error(&format!("{refused} questions could not be answered"), Some("see the `error` members"));
        return Ok(Exit::Error);
    }
    Ok(Exit::Passed)
}
