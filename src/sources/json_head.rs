//! The head of a JSON document, read tolerantly: comments, trailing commas and a cut end are no obstacle.
//!
//! Only the first bytes are looked at, so the cost does not depend on the size of the document, and a document that is
//! broken further down is still recognised, so that its provider can say where it is broken.

use evenhand_model::document::Head;

/// Longer texts are not kept: what tells a document's kind is short, and what is long may be a secret.
const SHORT: usize = 128;
/// Deeper nesting is not followed.
const DEEPEST: usize = 64;

/// What the head of a JSON text shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct JsonHead {
    /// The keys.
    pub(super) head: Head,
    /// Whether a second value follows the first one.
    pub(super) stream: bool,
    /// Whether the text begins like JSON at all.
    pub(super) json: bool,
}

/// Reads the head of a text, of which `prefix` is the beginning.
pub(super) fn read(prefix: &str) -> JsonHead {
    let mut scan = Scan { bytes: prefix.as_bytes(), at: 0 };
    let mut found = JsonHead::default();
    scan.blank();
    let complete = match scan.peek() {
        Some(b'{') => {
            found.json = true;
            scan.top(&mut found.head)
        }
        Some(b'[') => {
            found.json = true;
            let first = scan.list();
            if let Some(keys) = &first.keys {
                found.head.elements.push((String::new(), keys.clone()));
            }
            first.complete
        }
        _ => false,
    };
    if complete {
        scan.blank();
        found.stream = matches!(scan.peek(), Some(b'{' | b'['));
    }
    found
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

struct List {
    /// The keys of the first element, where that is an object.
    keys: Option<Vec<String>>,
    empty: bool,
    complete: bool,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space and comments.
    fn blank(&mut self) {
        while let Some(byte) = self.peek() {
            match (byte, self.bytes.get(self.at + 1)) {
                (b' ' | b'\t' | b'\r' | b'\n', _) => self.at += 1,
                (b'/', Some(b'/')) => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                (b'/', Some(b'*')) => {
                    self.at += 2;
                    while self.at < self.bytes.len() && !self.rest().starts_with(b"*/") {
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => break,
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The members of the top object. Whether it ended.
    fn top(&mut self, head: &mut Head) -> bool {
        self.at += 1;
        loop {
            let Some(key) = self.key() else { return self.closed(b'}') };
            head.keys.push(key.clone());
            match self.peek() {
                Some(b'"') => match self.string() {
                    Some(value) if value.len() <= SHORT => head.values.push((key, value)),
                    Some(_) => {}
                    None => return false,
                },
                Some(b'[') => {
                    let list = self.list();
                    if let Some(keys) = list.keys {
                        head.elements.push((key, keys));
                    } else if list.empty {
                        head.empty_lists.push(key);
                    }
                    if !list.complete {
                        return false;
                    }
                }
                _ => {
                    if !self.value(1) {
                        return false;
                    }
                }
            }
            self.comma();
        }
    }

    /// A list: the keys of its first element, and whether it ended.
    fn list(&mut self) -> List {
        self.at += 1;
        self.blank();
        let mut keys = None;
        let empty = self.peek() == Some(b']');
        if self.peek() == Some(b'{') {
            let mut first = Vec::new();
            let complete = self.object(1, Some(&mut first));
            keys = Some(first);
            if !complete {
                return List { keys, empty, complete };
            }
            self.comma();
        }
        let complete = self.elements(1);
        List { keys, empty, complete }
    }

    /// Any value. Whether it ended.
    fn value(&mut self, depth: usize) -> bool {
        if depth > DEEPEST {
            return false;
        }
        match self.peek() {
            Some(b'{') => self.object(depth, None),
            Some(b'[') => {
                self.at += 1;
                self.elements(depth)
            }
            Some(b'"') => self.string().is_some(),
            Some(_) => {
                let start = self.at;
                while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
                    self.at += 1;
                }
                self.at > start && self.at < self.bytes.len()
            }
            None => false,
        }
    }

    fn object(&mut self, depth: usize, mut keys: Option<&mut Vec<String>>) -> bool {
        self.at += 1;
        loop {
            let Some(key) = self.key() else { return self.closed(b'}') };
            if let Some(keys) = &mut keys {
                keys.push(key);
            }
            if !self.value(depth + 1) {
                return false;
            }
            self.comma();
        }
    }

    fn elements(&mut self, depth: usize) -> bool {
        loop {
            self.blank();
            if self.closed(b']') {
                return true;
            }
            if !self.value(depth + 1) {
                return false;
            }
            self.comma();
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Option<String> {
        self.blank();
        if self.peek() != Some(b'"') {
            return None;
        }
        let key = self.string()?;
        self.blank();
        if self.peek() != Some(b':') {
            return None;
        }
        self.at += 1;
        self.blank();
        Some(key)
    }

    fn comma(&mut self) {
        self.blank();
        if self.peek() == Some(b',') {
            self.at += 1;
        }
    }

    fn closed(&mut self, bracket: u8) -> bool {
        let closed = self.peek() == Some(bracket);
        if closed {
            self.at += 1;
        }
        closed
    }

    /// A string, unescaped; `None` when it does not end.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let raw = self.bytes.get(start..self.at)?;
        if raw.len() > 16 * SHORT {
            return Some(String::from_utf8_lossy(raw).into_owned());
        }
        Some(serde_json::from_slice(raw).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_elements_and_short_values_are_seen() {
        let head = read(r#"{"kind":"List","n":1,"items":[{"apiVersion":"v1","spec":{"a":[1]}},{"b":2}],"e":[]}"#).head;
        assert_eq!(head.keys, ["kind", "n", "items", "e"]);
        assert_eq!(head.element("items").unwrap(), ["apiVersion", "spec"]);
        assert_eq!(head.value("kind"), Some("List"));
        assert_eq!(head.empty_lists, ["e"]);
        assert!(read(r#"{"cut":["#).head.empty_lists.is_empty());
    }

    #[test]
    fn a_cut_end_hides_only_what_it_cuts() {
        let head = read(r#"{"UserDetailList":[{"Path":"/","UserName":"a"},{"Pa"#).head;
        assert_eq!(head.keys, ["UserDetailList"]);
        assert_eq!(head.element("UserDetailList").unwrap(), ["Path", "UserName"]);
        assert_eq!(read(r#"{"Users":[{"Path":"/","UserNa"#).head.element("Users").unwrap(), ["Path"]);
    }

    #[test]
    fn comments_and_trailing_commas_are_no_obstacle() {
        let head = read("// servers\n{ /* x */ \"mcpServers\": {\"a\": {},}, // y\n \"b\": true, }").head;
        assert_eq!(head.keys, ["mcpServers", "b"]);
    }

    #[test]
    fn a_second_value_makes_a_stream() {
        assert!(read("{\"a\":1}\n{\"a\":2}\n").stream);
        assert!(!read("{\"a\":1}\n").stream);
        assert_eq!(read("[{\"a\":1}]").head.element("").unwrap(), ["a"]);
    }

    #[test]
    fn deep_nesting_ends_the_look_and_nothing_else() {
        let deep = format!("{{\"kind\":\"x\",\"a\":{}", "[".repeat(100_000));
        assert_eq!(read(&deep).head.keys, ["kind", "a"]);
        let inner = format!("{{\"a\":{{\"b\":{}", "{\"c\":".repeat(100_000));
        assert_eq!(read(&inner).head.keys, ["a"]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "[\\[\\]{}\",:\\\\/* a1\n]{0,200}|\\PC{0,100}") {
            let _ = read(&text);
        }
    }
}
