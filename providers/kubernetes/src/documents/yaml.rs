//! YAML manifests: a stream is cut at its document marks, so that one broken document does not take the others with it.

use evenhand_model::evidence::Place;
use serde_json::Value;

use super::{Found, Problem, Spot, json};

type Sink<'s> = dyn FnMut(Found<'_, '_>) -> Result<(), Problem> + 's;

pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Vec<Problem> {
    let lines = Lines { lines: text.lines().collect() };
    let mut problems = Vec::new();
    for document in cut(text) {
        one(document, &lines, &mut problems, sink);
    }
    problems
}

/// A document of a stream.
struct Part<'a> {
    text: &'a str,
    /// The line before its first one, counted from 1.
    above: u32,
}

/// Cuts at lines that are `---` or begin with `--- `; nothing inside a document can look so at the start of a line.
fn cut(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut offset, mut above) = (0, 0, 0u32);
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let mark =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        let end = line.trim_end() == "...";
        if mark || end {
            parts.push(Part { text: text.get(start..offset).unwrap_or_default(), above });
            start = offset + line.len();
            above = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
            // What follows the mark on its line belongs to the document, unless it is a comment.
            let inline = line.get(3..).unwrap_or_default().trim();
            if mark && !inline.is_empty() && !inline.starts_with('#') {
                start = offset + 3;
                above = above.saturating_sub(1);
            }
        }
        offset += line.len();
    }
    parts.push(Part { text: text.get(start..).unwrap_or_default(), above });
    parts.retain(|part| part.text.lines().any(|line| !is_blank(line) && !line.starts_with('%')));
    parts
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

fn one(part: Part<'_>, lines: &Lines<'_>, problems: &mut Vec<Problem>, sink: &mut Sink<'_>) {
    let begin = part
        .above
        .saturating_add(1)
        .saturating_add(u32::try_from(part.text.lines().take_while(|line| is_blank(line)).count()).unwrap_or(u32::MAX));
    // A large export is no attack: the document in memory bounds what it can hold.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            max_depth: 100,
        },
        with_snippet: false,
    };
    let value: Value = match serde_saphyr::from_str_with_options(part.text, options) {
        Ok(value) => value,
        Err(error) => {
            let place = match error.location() {
                Some(at) if at.line() > 0 => Place::LineColumn(
                    part.above.saturating_add(u32::try_from(at.line()).unwrap_or(u32::MAX)),
                    u32::try_from(at.column()).unwrap_or(u32::MAX),
                ),
                _ => Place::Line(begin),
            };
            let line =
                error.location().and_then(|at| part.text.lines().nth(usize::try_from(at.line()).ok()?.checked_sub(1)?));
            let reason = if part.text.contains("{{") {
                "this is a template: render it first (`helm template`)".to_owned()
            } else if let Some(reason) = twice(&error) {
                reason
            } else if line.is_some_and(|line| line.trim_start_matches(' ').starts_with('\t')) {
                "this is no YAML: the line is indented with a tab, where only spaces may stand".to_owned()
            } else {
                "this is no YAML".to_owned()
            };
            problems.push(Problem { place, reason });
            return;
        }
    };
    match &value {
        Value::Null => return,
        Value::Object(object) if object.get("kind").is_some_and(Value::is_string) => {}
        // `kubectl get -o yaml` writes the kind of a list behind its items: where that is cut off, they are there.
        Value::Object(object) if !object.contains_key("kind") && object.get("items").is_some_and(Value::is_array) => {
            let reason = "a list without `kind`: its end is cut off".to_owned();
            problems.push(Problem { place: Place::Line(begin), reason });
        }
        Value::Object(_) | Value::Array(_) => {
            if !value.is_array() {
                let reason = "an object without `kind`".to_owned();
                problems.push(Problem { place: Place::Line(begin), reason });
                return;
            }
        }
        _ => {
            problems.push(Problem { place: Place::Line(begin), reason: "this is no Kubernetes object".to_owned() });
            return;
        }
    }
    let Ok(text) = serde_json::to_string(&value) else {
        problems.push(Problem { place: Place::Line(begin), reason: "this has no JSON form".to_owned() });
        return;
    };
    drop(value);
    let items = lines.elements(begin, "items");
    let mut found = json::read(&text, &mut |found| {
        let line = match &found.spot {
            Spot::Root | Spot::Line(_) => begin,
            Spot::Item(at) => items.get(*at as usize).copied().unwrap_or(begin),
            Spot::Pointer(pointer) => lines.find(begin, &steps(pointer)),
        };
        sink(Found { object: found.object, spot: Spot::Line(line), lines: Some(lines) })
    });
    for problem in &mut found {
        // Lines of the JSON form mean nothing to the reader.
        if !matches!(problem.place, Place::Line(_)) {
            problem.place = Place::Line(begin);
        }
    }
    problems.append(&mut found);
}

/// What an error says of a key that stands twice. A key that does not look like a member's may hold a secret.
fn twice(error: &serde_saphyr::Error) -> Option<String> {
    let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error else { return None };
    let is_member = |key: &&str| key.chars().all(|letter| letter.is_ascii_alphabetic());
    Some(match key.as_deref().filter(is_member) {
        Some(key) => format!("key `{key}` stands twice"),
        None => "a key stands twice".to_owned(),
    })
}

/// The steps of a JSON pointer.
pub(crate) fn steps(pointer: &str) -> Vec<Step<'_>> {
    pointer.split('/').skip(1).map(|step| step.parse().map_or(Step::Key(step), Step::Index)).collect()
}

/// One step into a document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// Into a member of a mapping.
    Key(&'a str),
    /// Into an element of a sequence.
    Index(usize),
}

/// The lines of a YAML text, for finding where something stands in block style.
pub(crate) struct Lines<'a> {
    lines: Vec<&'a str>,
}

impl Lines<'_> {
    /// The lines of all elements of the sequence below a key of the mapping that begins at a line.
    fn elements(&self, begin: u32, key: &str) -> Vec<u32> {
        let mut found = Vec::new();
        let line = begin.saturating_sub(1) as usize;
        let Some(text) = self.lines.get(line) else { return found };
        let Some((from, _)) = self.key(line, indent(text) + dashes(text), key) else { return found };
        self.each_element(from, &mut |at, _| {
            found.push(u32::try_from(at + 1).unwrap_or(begin));
            true
        });
        found
    }

    /// The line, from 1, of what the path leads to from the node that begins at line `begin`. Where the way is lost (flow
    /// style, anchors), the last line that is certain.
    pub(crate) fn find(&self, begin: u32, path: &[Step<'_>]) -> u32 {
        let mut line = begin.saturating_sub(1) as usize;
        let Some(text) = self.lines.get(line) else { return begin };
        // The column at which the node's own keys stand; a sequence's dash is followed by its element.
        let mut column = indent(text) + dashes(text);
        let mut behind_key = false;
        for step in path {
            let next = match step {
                Step::Key(key) if behind_key => {
                    self.below(line, column).and_then(|(first, inner)| self.key(first, inner, key))
                }
                Step::Key(key) => self.key(line, column, key),
                Step::Index(index) => self.element(line, *index),
            };
            let Some((found, at)) = next else { break };
            (line, column) = (found, at);
            behind_key = matches!(step, Step::Key(_));
        }
        u32::try_from(line + 1).unwrap_or(begin)
    }

    /// The first line, and the column, of the mapping that is the value of the key at a line and column.
    fn below(&self, line: usize, column: usize) -> Option<(usize, usize)> {
        let (at, text) = self.lines.iter().enumerate().skip(line + 1).find(|(_, text)| !is_blank(text))?;
        Some((at, indent(text))).filter(|(_, inner)| *inner > column)
    }

    /// The line of a key of the mapping whose keys stand at `column`, and the column of the key itself.
    fn key(&self, from: usize, column: usize, key: &str) -> Option<(usize, usize)> {
        for (at, text) in self.lines.iter().enumerate().skip(from) {
            if is_blank(text) {
                continue;
            }
            let own = indent(text) + if at == from { dashes(text) } else { 0 };
            if at > from && (own < column || text.starts_with("---")) {
                return None;
            }
            if own == column {
                let rest = text.get(own..).unwrap_or_default();
                let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
                if let Some(rest) = rest.strip_prefix(key)
                    && rest.trim_start_matches(['"', '\'']).starts_with(':')
                {
                    return Some((at, column));
                }
            }
        }
        None
    }

    /// The line of an element of the sequence below the key at `from`, and the column at which its keys stand.
    fn element(&self, from: usize, index: usize) -> Option<(usize, usize)> {
        let (mut seen, mut found) = (0, None);
        self.each_element(from, &mut |at, column| {
            if seen == index {
                found = Some((at, column));
            }
            seen += 1;
            found.is_none()
        });
        found
    }

    /// Calls `each` with line and column of every element of the sequence below the key at `from`, until it says no.
    fn each_element(&self, from: usize, each: &mut dyn FnMut(usize, usize) -> bool) {
        let mut dash: Option<usize> = None;
        for (at, text) in self.lines.iter().enumerate().skip(from + 1) {
            if is_blank(text) {
                continue;
            }
            let own = indent(text);
            let is_dash = dashes(text) > 0;
            let level = match dash {
                Some(level) => level,
                None if is_dash => *dash.insert(own),
                None => return,
            };
            if own < level || (own == level && !is_dash) || text.starts_with("---") {
                return;
            }
            if own == level && !each(at, own + dashes(text)) {
                return;
            }
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The width of a `- ` at the start of a line's content; 0 where there is none.
fn dashes(line: &str) -> usize {
    match line.trim_start_matches(' ').strip_prefix('-') {
        Some("") => 1,
        Some(rest) if rest.starts_with(' ') => 1 + rest.len() - rest.trim_start_matches(' ').len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\n---\nkind: Role\nrules:\n- verbs: [get]\n  resources: [pods]\n# note\n- verbs:\n  - list\n---\nspec:\n  containers:\n    - name: a\n      env:\n        - name: X\n          value: |\n            - name: no\n        - name: Y\n";

    #[test]
    fn lines_of_elements_are_found_in_block_style() {
        let lines = Lines { lines: TEXT.lines().collect() };
        assert_eq!(lines.find(3, &[Step::Key("rules"), Step::Index(0)]), 5);
        assert_eq!(lines.find(3, &[Step::Key("rules"), Step::Index(1)]), 8);
        assert_eq!(lines.find(3, &[Step::Key("rules"), Step::Index(1), Step::Key("verbs"), Step::Index(0)]), 9);
        let env = [Step::Key("spec"), Step::Key("containers"), Step::Index(0), Step::Key("env"), Step::Index(1)];
        assert_eq!(lines.find(11, &env), 18);
        assert_eq!(lines.find(3, &[Step::Key("spec")]), 3, "another document's key is not this one's");
    }

    #[test]
    fn a_key_that_stands_twice_is_named_and_is_no_secret() {
        for (text, reason) in [
            ("kind: Pod\nmetadata: {labels: {app: x, app: z}}\n", "key `app` stands twice"),
            ("kind: A\ndata: {sk-012: x, sk-012: y}\n", "a key stands twice"),
        ] {
            let problems = read(text, &mut |_| Ok(()));
            assert_eq!(problems.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), [reason]);
        }
    }

    #[test]
    fn a_list_whose_end_is_cut_off_is_told_of_and_keeps_its_items() {
        let text = "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n";
        let mut kinds = Vec::new();
        let problems = read(text, &mut |found| {
            kinds.push((found.object.kind.as_str().to_owned(), found.spot.clone()));
            Ok(())
        });
        assert_eq!(kinds, [("Pod".to_owned(), Spot::Line(3)), ("Pod".to_owned(), Spot::Line(6))]);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].reason, "a list without `kind`: its end is cut off");
    }

    #[test]
    fn a_broken_document_leaves_the_others() {
        let text = "kind: A\nmetadata: {name: a}\n---\nkind: {{ .Values.kind }}\n---\nkind: [\n---\nkind: B\n";
        let mut kinds = Vec::new();
        let problems = read(text, &mut |found| {
            kinds.push((found.object.kind.as_str().to_owned(), found.spot.clone()));
            Ok(())
        });
        assert_eq!(kinds, [("A".to_owned(), Spot::Line(1)), ("B".to_owned(), Spot::Line(8))]);
        assert_eq!(problems.len(), 2);
        assert!(problems[0].reason.contains("template"));
    }
}
