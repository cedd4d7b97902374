//! Large JSON documents, read on all cores.
//!
//! Where an element of a list begins can only be known from everything before it. But exports are printed with line
//! breaks, and no line break stands inside a JSON text (RFC 8259, section 7), so that a line which is indented as the
//! first element and opens an object very probably begins another element. Such lines are taken for the beginnings of
//! parts. Whether they were is proven by the reading: the first part begins where the list does, and every part must end
//! between two elements, exactly where the next one begins. Where one does not, the document is read from one end to the
//! other.
//!
//! Nothing here knows what an element means.

use std::borrow::Cow;

use memchr::memmem;
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::de::StrRead;
use serde_json::value::RawValue;

/// A part is no smaller than this, in bytes: below, starting it costs more than it gains.
const LEAST: usize = 2 << 20;
/// Parts for each core, so that none waits long for another.
const PER_CORE: usize = 3;

/// The reader of one JSON text.
pub type Source<'a> = serde_json::Deserializer<StrRead<'a>>;

/// Receives what a part holds, in the order of the document.
pub trait Receive<'a>: Send {
    /// Reads one element, wholly. `index` counts from the beginning of the list, in the whole document.
    ///
    /// # Errors
    /// An element that cannot be read so: the document is then to be read in another way.
    fn element(&mut self, list: &'static str, index: u32, source: &mut Source<'a>) -> Result<(), serde_json::Error>;

    /// A member of the object at the top that is none of the wanted lists.
    ///
    /// # Errors
    /// As for elements.
    fn member(&mut self, name: &str, value: &'a RawValue) -> Result<(), serde_json::Error>;
}

/// Reads a JSON object and the wanted lists at its top, in parts, each with a receiver of its own. The parts are handed over
/// in order, some while the next ones are read, so that few are held at a time. Where a part turns out not to begin where it
/// seemed to, the whole document is handed over as one part: after the parts before, so that what these hold comes twice.
/// `None` where the object cannot be read to the end of the text; parts may have been handed over before.
pub fn read<'a, R: Receive<'a>>(
    text: &'a str,
    lists: &[&'static str],
    receiver: impl Fn() -> R + Sync,
    mut each: impl FnMut(R) + Send,
) -> Option<()> {
    let cores = rayon::current_num_threads();
    let small_parts = if cores < 2 { 0 } else { text.len() / LEAST };
    read_in_turns_or_whole(small_parts, cores * PER_CORE, text, lists, &receiver, &mut each)
}

fn read_in_turns_or_whole<'a, R: Receive<'a>>(
    parts: usize,
    at_a_time: usize,
    text: &'a str,
    lists: &[&'static str],
    receiver: &(impl Fn() -> R + Sync),
    each: &mut (impl FnMut(R) + Send),
) -> Option<()> {
    read_in_turns(parts, at_a_time, text, lists, receiver, each).or_else(|| {
        let mut received = receiver();
        let whole = Walk::from(Start { offset: 0, element: None }, text, lists).run(None, &mut received);
        whole.then(|| each(received))
    })
}

fn read_in_turns<'a, R: Receive<'a>>(
    parts: usize,
    at_a_time: usize,
    text: &'a str,
    lists: &[&'static str],
    receiver: &(impl Fn() -> R + Sync),
    each: &mut (impl FnMut(R) + Send),
) -> Option<()> {
    if parts < 2 {
        return None;
    }
    let stretches = stretches(parts, text, lists)?;
    let mut held = Vec::new();
    for turn in stretches.chunks(at_a_time) {
        let ((), read) = rayon::join(|| held.drain(..).for_each(&mut *each), || read_all(turn, text, lists, receiver));
        held = read?;
    }
    held.into_iter().for_each(each);
    Some(())
}

/// The same with few large parts, all at once. `None` also where it would be one part only: the document is small, it is
/// printed in another way, or there is one core.
pub fn read_in_parts<'a, R: Receive<'a>>(
    text: &'a str,
    lists: &[&'static str],
    receiver: impl Fn() -> R + Sync,
) -> Option<Vec<R>> {
    let parts = most_parts(text);
    if rayon::current_num_threads() < 2 || parts < 2 { None } else { read_in(parts, text, lists, receiver) }
}

/// The most parts that [`read_in_parts`] makes of a text.
pub fn most_parts(text: &str) -> usize {
    (text.len() / LEAST).min(rayon::current_num_threads() * PER_CORE)
}

fn read_in<'a, R: Receive<'a>>(
    parts: usize,
    text: &'a str,
    lists: &[&'static str],
    receiver: impl Fn() -> R + Sync,
) -> Option<Vec<R>> {
    read_all(&stretches(parts, text, lists)?, text, lists, &receiver)
}

/// Where parts begin and end; the last one ends with the document.
fn stretches(parts: usize, text: &str, lists: &[&'static str]) -> Option<Vec<(Start, Option<Start>)>> {
    let starts = Layout::of(text, lists)?.starts(parts, text, lists)?;
    let ends = starts.iter().skip(1).copied().map(Some).chain([None]);
    Some(starts.iter().copied().zip(ends).collect())
}

fn read_all<'a, R: Receive<'a>>(
    stretches: &[(Start, Option<Start>)],
    text: &'a str,
    lists: &[&'static str],
    receiver: &(impl Fn() -> R + Sync),
) -> Option<Vec<R>> {
    let read: Vec<Option<R>> = stretches
        .par_iter()
        .map(|(start, end)| {
            let mut received = receiver();
            Walk::from(*start, text, lists).run(*end, &mut received).then_some(received)
        })
        .collect();
    read.into_iter().collect()
}

/// A place between two tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Start {
    /// In bytes.
    offset: usize,
    /// The list whose element begins here, and its index; `None` = the document begins.
    element: Option<(&'static str, u32)>,
}

/// How a document is printed.
struct Layout {
    /// A line break and the indentation of an element, with the brace that opens it.
    element: String,
    /// A line break and the indentation of a member at the top, with the quotation mark of its name.
    member: String,
}

impl Layout {
    /// As the first element shows it.
    fn of(text: &str, lists: &[&'static str]) -> Option<Self> {
        /// Stops at the first element.
        struct Probe;
        impl<'a> Receive<'a> for Probe {
            fn element(&mut self, _: &'static str, _: u32, _: &mut Source<'a>) -> Result<(), serde_json::Error> {
                Err(serde::de::Error::custom("found"))
            }
            fn member(&mut self, _: &str, _: &'a RawValue) -> Result<(), serde_json::Error> {
                Ok(())
            }
        }
        let mut walk = Walk::from(Start { offset: 0, element: None }, text, lists);
        walk.run(None, &mut Probe);
        let before = text.get(..walk.offset)?;
        let indentation = indentation(before)?;
        let list = before.trim_end().strip_suffix('[')?;
        let line = list.get(list.rfind('\n')?..)?;
        let outer = line.get(1..line.find('"')?)?;
        let deeper =
            text.get(walk.offset..)?.starts_with('{') && outer.trim().is_empty() && outer.len() < indentation.len();
        deeper.then(|| Self { element: format!("\n{indentation}{{"), member: format!("\n{outer}\"") })
    }

    /// Where parts may begin: about as many as asked for.
    fn starts(&self, parts: usize, text: &str, lists: &[&'static str]) -> Option<Vec<Start>> {
        let mut offsets = vec![0];
        for part in 1..parts {
            let from = text.len() / parts * part;
            // The element before reaches beyond here.
            if offsets.last().is_some_and(|last| from < *last) {
                continue;
            }
            let rest = text.as_bytes().get(from..)?;
            let found = memmem::find_iter(rest, &self.element).find_map(|at| {
                let before = text.as_bytes().get(..from + at)?;
                let line = before.strip_suffix(b"\r").unwrap_or(before);
                line.ends_with(b",").then_some(from + at + self.element.len() - 1)
            });
            // Further on there is none either.
            let Some(offset) = found else { break };
            if offsets.last().is_some_and(|last| *last < offset) {
                offsets.push(offset);
            }
        }
        let ends: Vec<usize> = offsets.iter().skip(1).copied().chain([text.len()]).collect();
        let seen: Vec<(Option<&'static str>, u32)> = offsets
            .par_iter()
            .zip(&ends)
            .map(|(begin, end)| self.lines(text.get(*begin..*end).unwrap_or_default(), lists))
            .collect();
        let mut starts = vec![Start { offset: 0, element: None }];
        let (mut list, mut index) = (None, 0);
        for ((opened, elements), offset) in seen.into_iter().zip(offsets.into_iter().skip(1)) {
            if opened.is_some() {
                (list, index) = (opened, 0);
            }
            // The element that begins the next part is opened by the brace behind this one.
            index += elements;
            starts.push(Start { offset, element: Some((list?, index)) });
            index += 1;
        }
        Some(starts)
    }

    /// The wanted list that is opened last in this stretch, and how many elements seem to begin after that.
    fn lines(&self, stretch: &str, lists: &[&'static str]) -> (Option<&'static str>, u32) {
        let opened = memmem::find_iter(stretch.as_bytes(), &self.member).filter_map(|at| {
            let name = stretch.get(at + self.member.len()..)?;
            let list = lists.iter().find(|list| name.strip_prefix(**list).is_some_and(|rest| rest.starts_with('"')))?;
            Some((*list, at))
        });
        // Searching forwards is the faster way.
        let opened = opened.last();
        let after = stretch.get(opened.map_or(0, |(_, at)| at)..).unwrap_or_default();
        let elements = memmem::find_iter(after.as_bytes(), &self.element).count();
        (opened.map(|(list, _)| list), u32::try_from(elements).unwrap_or(u32::MAX))
    }
}

/// The white space of the last line, where there is nothing else on it.
fn indentation(text: &str) -> Option<&str> {
    text.get(text.rfind('\n')? + 1..).filter(|line| line.bytes().all(|byte| matches!(byte, b' ' | b'\t')))
}

/// Goes through the object at the top, token by token, and leaves every value to serde.
struct Walk<'a, 'l> {
    text: &'a str,
    lists: &'l [&'static str],
    offset: usize,
    start: Start,
}

impl<'a, 'l> Walk<'a, 'l> {
    fn from(start: Start, text: &'a str, lists: &'l [&'static str]) -> Self {
        Self { text, lists, offset: start.offset, start }
    }

    /// Reads up to `end`, or to the end of the document. Whether it came to exactly there.
    fn run<R: Receive<'a>>(&mut self, end: Option<Start>, received: &mut R) -> bool {
        self.walk(end, received).is_some()
    }

    fn walk<R: Receive<'a>>(&mut self, end: Option<Start>, received: &mut R) -> Option<()> {
        let mut element = self.start.element;
        if element.is_none() {
            self.token(b'{')?;
        }
        loop {
            match element {
                Some((list, index)) => {
                    self.value(|source| received.element(list, index, source))?;
                    match self.next()? {
                        b',' => {
                            let next = index.checked_add(1)?;
                            element = Some((list, next));
                            self.space();
                            match end {
                                Some(end) if self.offset == end.offset => {
                                    return (element == end.element).then_some(());
                                }
                                Some(end) if self.offset > end.offset => return None,
                                _ => continue,
                            }
                        }
                        b']' => element = None,
                        _ => return None,
                    }
                }
                None => {
                    let name = self.value(|source| Cow::<'a, str>::deserialize(source))?;
                    self.token(b':')?;
                    self.space();
                    match self.lists.iter().find(|list| **list == name) {
                        Some(list) if self.peek() == Some(b'[') => {
                            self.offset += 1;
                            self.space();
                            if self.peek() == Some(b']') {
                                self.offset += 1;
                            } else {
                                element = Some((list, 0));
                                continue;
                            }
                        }
                        _ => {
                            let value = self.value(|source| <&'a RawValue>::deserialize(source))?;
                            received.member(&name, value).ok()?;
                        }
                    }
                }
            }
            match self.next()? {
                b',' => self.space(),
                b'}' => {
                    self.space();
                    return (end.is_none() && self.offset == self.text.len()).then_some(());
                }
                _ => return None,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn space(&mut self) {
        let rest = self.text.as_bytes().get(self.offset..).unwrap_or_default();
        self.offset += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// The next token's first byte.
    fn next(&mut self) -> Option<u8> {
        self.space();
        let byte = self.peek()?;
        self.offset += 1;
        Some(byte)
    }

    fn token(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn value<T>(&mut self, read: impl FnOnce(&mut Source<'a>) -> Result<T, serde_json::Error>) -> Option<T> {
        self.space();
        let mut source = serde_json::Deserializer::from_str(self.text.get(self.offset..)?);
        let value = read(&mut source).ok()?;
        self.offset += source.into_iter::<IgnoredAny>().byte_offset();
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const LISTS: [&str; 2] = ["Users", "Roles"];

    /// Keeps everything.
    #[derive(Default)]
    struct All(Vec<(String, u32, Value)>);

    impl<'a> Receive<'a> for All {
        fn element(
            &mut self,
            list: &'static str,
            index: u32,
            source: &mut Source<'a>,
        ) -> Result<(), serde_json::Error> {
            self.0.push((list.to_owned(), index, Value::deserialize(source)?));
            Ok(())
        }
        fn member(&mut self, name: &str, value: &'a RawValue) -> Result<(), serde_json::Error> {
            self.0.push((name.to_owned(), 0, serde_json::from_str(value.get())?));
            Ok(())
        }
    }

    fn in_parts(parts: usize, text: &str) -> Option<Vec<(String, u32, Value)>> {
        Some(read_in(parts, text, &LISTS, All::default)?.into_iter().flat_map(|all| all.0).collect())
    }

    fn at_once(document: &Value) -> Vec<(String, u32, Value)> {
        let mut all = Vec::new();
        for (name, value) in document.as_object().unwrap() {
            match value.as_array().filter(|_| LISTS.contains(&name.as_str())) {
                Some(list) => all.extend(list.iter().zip(0..).map(|(value, at)| (name.clone(), at, value.clone()))),
                None => all.push((name.clone(), 0, value.clone())),
            }
        }
        all
    }

    fn user(at: usize) -> Value {
        json!({"Name": format!("user-{at}"), "Text": "},\\n    {\"", "Tags": [{"Key": "a"}, {"Key": "b"}]})
    }

    #[test]
    fn parts_hold_what_the_whole_holds_in_its_order() {
        let document = json!({
            "Before": {"Users": [1, 2]},
            "Users": (0..50).map(user).collect::<Vec<_>>(),
            "Between": null,
            "Roles": (0..7).map(user).collect::<Vec<_>>(),
            "After": true,
        });
        let text = serde_json::to_string_pretty(&document).unwrap();
        for parts in 1..40 {
            assert_eq!(in_parts(parts, &text).as_ref(), Some(&at_once(&document)), "{parts} parts");
        }
    }

    #[test]
    fn lines_may_end_as_windows_ends_them() {
        let document = json!({"Users": (0..50).map(user).collect::<Vec<_>>(), "After": true});
        let text = serde_json::to_string_pretty(&document).unwrap().replace('\n', "\r\n");
        let starts = Layout::of(&text, &LISTS).and_then(|layout| layout.starts(10, &text, &LISTS)).unwrap();
        assert_eq!(starts.len(), 10);
        for parts in 1..40 {
            assert_eq!(in_parts(parts, &text).as_ref(), Some(&at_once(&document)), "{parts} parts");
        }
    }

    #[test]
    fn where_no_element_begins_no_part_does() {
        let wide = |at: usize| json!({"Name": at.to_string(), "Text": "a".repeat(5000)});
        let document = json!({"Users": [user(0), user(1), wide(2), wide(3)], "After": "a".repeat(5000)});
        for line_break in ["\n", "\r\n"] {
            let text = serde_json::to_string_pretty(&document).unwrap().replace('\n', line_break);
            let starts = Layout::of(&text, &LISTS).and_then(|layout| layout.starts(100, &text, &LISTS)).unwrap();
            assert!(starts.is_sorted_by(|a, b| a.offset < b.offset), "{starts:?}");
            assert_eq!(starts.last().unwrap().element, Some(("Users", 3)));
            assert_eq!(in_parts(100, &text), Some(at_once(&document)));
        }
    }

    fn in_turns(parts: usize, at_a_time: usize, text: &str) -> (Option<()>, Vec<(String, u32, Value)>) {
        let mut all = Vec::new();
        let mut each = |part: All| all.extend(part.0);
        let read = read_in_turns_or_whole(parts, at_a_time, text, &LISTS, &All::default, &mut each);
        (read, all)
    }

    #[test]
    fn parts_are_handed_over_in_order_whatever_number_is_read_at_a_time() {
        let document = json!({"Users": (0..50).map(user).collect::<Vec<_>>(), "After": true});
        let text = serde_json::to_string_pretty(&document).unwrap();
        for (parts, at_a_time) in [(1, 1), (12, 1), (12, 2), (13, 3), (12, 50)] {
            assert_eq!(in_turns(parts, at_a_time, &text), (Some(()), at_once(&document)), "{parts} by {at_a_time}");
        }
    }

    #[test]
    fn where_a_later_part_fails_the_whole_follows_what_was_handed_over() {
        let plain: Vec<String> = (0..60).map(|at| format!("    {{\"Name\": \"user-{at}\"}}")).collect();
        // The inner objects are indented as the elements are.
        let likeness =
            "    {\"Name\": \"a\", \"Tags\": [\n    {\"Key\": 1},\n    {\"Key\": 2},\n    {\"Key\": 3}\n  ]}";
        let elements = format!("{},\n{}", plain.join(",\n"), [likeness; 30].join(",\n"));
        let text = format!("{{\n  \"Users\": [\n{elements}\n  ]\n}}");
        let whole = at_once(&serde_json::from_str(&text).unwrap());
        let (read, all) = in_turns(20, 2, &text);
        assert_eq!(read, Some(()));
        let (before, last) = all.split_at(all.len() - whole.len());
        assert_eq!(last, whole);
        assert!(!before.is_empty() && whole.starts_with(before), "{} before", before.len());
        let cut = text.strip_suffix('}').unwrap();
        let (read, all) = in_turns(20, 2, cut);
        assert!(read.is_none() && !all.is_empty());
    }

    #[test]
    fn a_document_that_is_printed_otherwise_is_left_to_be_read_at_once() {
        let document = json!({"Users": (0..50).map(user).collect::<Vec<_>>()});
        assert!(in_parts(4, &document.to_string()).is_none(), "on one line");
        let text = serde_json::to_string_pretty(&document).unwrap();
        assert!(in_parts(4, text.strip_suffix('}').unwrap()).is_none(), "cut");
        assert!(in_parts(4, &format!("{text}{{}}")).is_none(), "two documents");
        assert!(in_parts(4, "[\n  {}\n]").is_none(), "a list at the top");
        assert!(in_parts(4, &text.replace("user-20\"", "user-20")).is_none(), "no JSON");
    }

    #[test]
    fn lines_that_look_like_elements_but_are_none_are_found_out() {
        // The inner objects are indented as the elements are.
        let element = "    {\"Name\": \"a\", \"Tags\": [\n    {\"Key\": 1},\n    {\"Key\": 2},\n    {\"Key\": 3}\n  ]}";
        let text = format!("{{\n  \"Users\": [\n{}\n  ]\n}}", [element; 30].join(",\n"));
        let document: Value = serde_json::from_str(&text).unwrap();
        for parts in 2..20 {
            if let Some(read) = in_parts(parts, &text) {
                assert_eq!(read, at_once(&document), "{parts} parts");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_in_parts_is_what_stands_there(
            users in prop::collection::vec("[a-c{}\\[\\]\",: \\n]{0,12}", 0..20),
            roles in prop::collection::vec(prop::collection::vec("[{}, \\n]{0,6}", 0..3), 0..20),
            roles_first: bool,
            parts in 1_usize..12,
            indent in 0_usize..4,
        ) {
            let users = ("Users".to_owned(), users.iter().map(|name| json!({"Name": name})).collect());
            let roles = ("Roles".to_owned(), roles.iter().map(|tags| json!({"Tags": tags, "Last": {}})).collect());
            let members = if roles_first { [roles, users] } else { [users, roles] };
            let document: Value = Value::Object(members.into_iter().collect());
            let indent = " ".repeat(indent);
            let mut text = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
            serde::Serialize::serialize(&document, &mut serde_json::Serializer::with_formatter(&mut text, formatter))
                .unwrap();
            if let Some(read) = in_parts(parts, std::str::from_utf8(&text).unwrap()) {
                prop_assert_eq!(read, at_once(&document));
            }
        }
    }
}
