//! `evenhand decide`: requests that bring their policies along, a decision a line on stdout.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use evenhand_aws::Federation;
use evenhand_federation::decide::Decider;
use evenhand_model::decide::{Decides, LineError, Refusal, Refused};
use evenhand_model::id::ProviderName;
use evenhand_reports::text::counted;
use rayon::prelude::*;

use super::{Failure, Invocation};
use crate::cli::{self, Judge};
use crate::gate::Exit;
use crate::output::to_stdout;
use crate::pipeline::Capture;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Decide) -> Result<Exit, Failure> {
    let input = open(arguments.requests().file.as_deref())?;
    let (asked, refused) = match (arguments.judge(), arguments.capture()) {
        (Judge::Federation, _) => lines(input, &Decider::new(Box::new(Federation::default())))?,
        (Judge::Provider(name), None) => lines(input, &*alone(invocation, name)?)?,
        (Judge::Provider(name), Some(from)) => {
            let config = invocation.config(&from.sources)?;
            let (capture, _) = invocation.read(&from.sources, &config, &from.input, &invocation.progress())?;
            lines(input, &*beside(&capture, name)?)?
        }
    };
    if asked == 0 {
        let remedy = "write a JSON object a line to stdin, or name a file of them";
        invocation.console.warning("no request was given", Some(remedy));
    }
    if refused > 0 {
        let requests = counted(refused, "request", "requests");
        invocation.console.error(&format!("{requests} could not be decided"), Some("see the `error` members"));
        return Ok(Exit::Error);
    }
    Ok(Exit::Passed)
}

/// What decides requests that bring everything along.
fn alone(invocation: &Invocation, name: ProviderName) -> Result<Box<dyn Decides>, Failure> {
    let provider = invocation.providers.iter().find(|provider| provider.name() == name);
    provider
        .and_then(|provider| provider.decider())
        .ok_or_else(|| Failure::new(format!("requests to `{name}` cannot be decided"), "see `evenhand decide --help`"))
}

/// What decides requests beside a capture.
fn beside(capture: &Capture, name: ProviderName) -> Result<Box<dyn Decides + '_>, Failure> {
    capture.resolvers.get(name).and_then(|resolver| resolver.decider()).ok_or_else(|| {
        Failure::new(
            format!("nothing of `{name}` was found in {}", capture.sources.join(", ")),
            "give `--from` an export of it, or leave it out and bring the policies with the requests",
        )
    })
}

/// The requests: a file, or stdin.
fn open(file: Option<&Path>) -> Result<Box<dyn Read>, Failure> {
    match file {
        None => Ok(Box::new(io::stdin().lock())),
        Some(path) => match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(Failure::new(
                format!("`{}` cannot be read: {error}", path.display()),
                "name a file with requests, or give them on stdin",
            )),
        },
    }
}

/// The bytes that are decided together at most.
const BATCH: usize = 1 << 20;

/// Answers requests object by object, in their order, whatever the number of threads. Returns how many there
/// were, and how many of them were refused.
///
/// What has arrived is answered at once, so that a program may wait for each answer before it asks again.
fn lines(input: Box<dyn Read>, decider: &dyn Decides) -> Result<(usize, usize), Failure> {
    let mut texts = Texts::new(input);
    let (mut asked, mut refused) = (0, 0);
    let mut unread = None;
    to_stdout(|sink| {
        loop {
            let batch = match texts.batch() {
                Ok(batch) => batch,
                // It is the input that is at fault, and not what is written.
                Err(error) => {
                    unread = Some(error);
                    return Ok(());
                }
            };
            if batch.is_empty() {
                return Ok::<(), io::Error>(());
            }
            let answers: Vec<(bool, Vec<u8>)> = batch.par_iter().map(|text| one(text, decider)).collect();
            for (understood, mut bytes) in answers {
                asked += 1;
                refused += usize::from(!understood);
                bytes.push(b'\n');
                sink.write_all(&bytes)?;
            }
            sink.flush()?;
        }
    })?;
    match unread {
        None => Ok((asked, refused)),
        Some(error) => Err(Failure::new(error.to_string(), "name a file with requests, or give them on stdin")),
    }
}

/// The answer to one text, and whether it was understood.
fn one(text: &Text, decider: &dyn Decides) -> (bool, Vec<u8>) {
    let result = match std::str::from_utf8(&text.bytes) {
        Ok(text) => decider.reply(text),
        Err(error) => {
            Err(Refusal::new("", format!("it is not UTF-8 at byte {}", error.valid_up_to()), "write it in UTF-8"))
        }
    };
    match result {
        Ok(bytes) => (true, bytes),
        Err(refusal) => {
            let refused = Refused { error: LineError { line: text.line, refusal } };
            // Text always serialises.
            (false, serde_json::to_vec(&refused).unwrap_or_default())
        }
    }
}

/// A request as text.
#[derive(Debug, PartialEq, Eq)]
struct Text {
    /// Its first line, counted from 1.
    line: usize,
    bytes: Vec<u8>,
}

/// The requests in a stream: an object a line, or one over several lines.
struct Texts<R> {
    input: BufReader<R>,
    line: usize,
    /// A line that was read too far.
    ahead: Option<Text>,
}

impl<R: Read> Texts<R> {
    fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(BATCH, input), line: 0, ahead: None }
    }

    /// The next texts: at least one where there is one, and as many more as have arrived already.
    fn batch(&mut self) -> io::Result<Vec<Text>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.is_empty() || self.ahead.is_some() || (bytes < BATCH && self.input.buffer().contains(&b'\n')) {
            let Some(text) = self.text()? else { break };
            bytes += text.bytes.len();
            batch.push(text);
        }
        Ok(batch)
    }

    /// The next text.
    fn text(&mut self) -> io::Result<Option<Text>> {
        let Some(mut text) = self.next_line()? else { return Ok(None) };
        let mut nesting = Nesting::default();
        nesting.read(&text.bytes);
        while nesting.is_open() {
            let Some(more) = self.next_line()? else { break };
            // What was broken off must not swallow the requests that follow: only they begin a line with a brace.
            if more.bytes.starts_with(b"{") {
                self.ahead = Some(more);
                break;
            }
            nesting.read(&more.bytes);
            text.bytes.extend(more.bytes);
        }
        Ok(Some(text))
    }

    /// The next line that is not empty.
    fn next_line(&mut self) -> io::Result<Option<Text>> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        loop {
            let mut bytes = Vec::new();
            let read = self.input.read_until(b'\n', &mut bytes);
            if read.map_err(|error| io::Error::new(error.kind(), format!("the requests cannot be read: {error}")))? == 0
            {
                return Ok(None);
            }
            self.line += 1;
            if self.line == 1 && bytes.starts_with(super::BOM) {
                bytes.drain(..super::BOM.len());
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(Text { line: self.line, bytes }));
            }
        }
    }
}

/// How deep one is in a JSON text.
#[derive(Debug, Default)]
struct Nesting {
    depth: isize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
        }
    }

    /// Whether something begun has not ended.
    fn is_open(&self) -> bool {
        self.depth > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<(usize, String)> {
        let mut texts = Texts::new(input.as_bytes());
        let mut all = Vec::new();
        while let Some(text) = texts.text().unwrap() {
            all.push((text.line, String::from_utf8(text.bytes).unwrap().trim().to_owned()));
        }
        all
    }

    #[test]
    fn a_request_is_a_line_or_an_object_over_several() {
        for (input, expected) in [
            ("{\"a\":1}\n\n{\"b\":[\"}\"]}", vec![(1, "{\"a\":1}"), (3, "{\"b\":[\"}\"]}")]),
            ("{\n \"a\": {\n \"b\": \"\\\"}\"\n}}\n{}", vec![(1, "{\n \"a\": {\n \"b\": \"\\\"}\"\n}}"), (5, "{}")]),
            ("\u{feff}{}\n{}", vec![(1, "{}"), (2, "{}")]),
            ("nonsense\n]]\n{}", vec![(1, "nonsense"), (2, "]]"), (3, "{}")]),
        ] {
            let expected: Vec<(usize, String)> =
                expected.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
            assert_eq!(texts(input), expected, "{input}");
        }
    }

    #[test]
    fn what_is_broken_off_swallows_no_request() {
        let whole = r#"{"request":{"principal":"x"}}"#;
        let input = format!("{{\"request\":{{\"pri\n{whole}\n{{\"request\":\n\n{whole}\n");
        let lines: Vec<(usize, String)> = texts(&input);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!((lines[1].0, &*lines[1].1, lines[3].0), (2, whole, 5));
        let pretty = "{\n  \"request\": {\n    \"principal\": \"x\"\n  }\n}";
        let lines = texts(&format!("{{\"request\":{{\"pri\n{pretty}\n{pretty}\n"));
        let begun: Vec<usize> = lines.iter().map(|(line, _)| *line).collect();
        assert_eq!((begun, &*lines[1].1, &*lines[2].1), (vec![1, 2, 7], pretty, pretty));
    }

    #[test]
    fn what_has_arrived_is_one_batch() {
        let mut texts = Texts::new("{}\n{}\n{\n}\n".as_bytes());
        assert_eq!(texts.batch().unwrap().len(), 3);
        assert_eq!(texts.batch().unwrap().len(), 0);
    }
}
