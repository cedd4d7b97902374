//! Text inside markup: whatever a name holds, it stays text.

use std::fmt;
use std::io::{self, Write};

use crate::text::printable;

/// Text as it stands in an element or in a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in printable(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        Ok(())
    }
}

/// A sink for JSON inside a `script` element: what could end the element, or begin a comment in it, is written as an
/// escape that JSON reads back (HTML, 4.12.1.3 "Restrictions for contents of script elements"). Outside of strings JSON has
/// none of these characters.
pub(super) struct InScript<'a>(pub(super) &'a mut dyn Write);

impl Write for InScript<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'<' | b'>' | b'&')) {
            let (before, after) = rest.split_at(at);
            self.0.write_all(before)?;
            let Some((byte, after)) = after.split_first() else { break };
            self.0.write_all(match byte {
                b'<' => b"\\u003c",
                b'>' => b"\\u003e",
                _ => b"\\u0026",
            })?;
            rest = after;
        }
        self.0.write_all(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_in_text_is_text() {
        assert_eq!(
            Text("</script><img src=x onerror='a(\"b\")'>&\u{7}").to_string(),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;\\u{7}"
        );
    }

    proptest! {
        #[test]
        fn json_in_a_script_is_the_same_json_and_cannot_end_it(text in "(</script>|<!--|[&<>]|.)*") {
            let mut bytes = Vec::new();
            serde_json::to_writer(InScript(&mut bytes), &text).unwrap();
            prop_assert!(!bytes.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')));
            prop_assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
        }
    }
}
