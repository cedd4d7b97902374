//! Command lines of an object without their secrets: which words are flags, which are their values, and what of a value may
//! stay.

use std::iter;

use evenhand_model::secret::{Fingerprinter, withheld};
use serde_json::Value;

use super::script;
use super::secret::{holds_values, instead, is_called_a_secret, is_one_secret, is_secret, mark, refers};
use crate::capture::{found, secrets_of_words};

/// Follows the words of a command line up to where a shell is handed a script: behind its `-c`.
#[derive(Clone, Copy, Default)]
pub(super) struct Shell {
    /// Nothing but flags and their values came since the shell itself.
    pub(super) called: bool,
    /// The next word is a script.
    pub(super) expects: bool,
}

impl Shell {
    /// Where a command has come to.
    pub(super) fn behind(command: &[Value]) -> Self {
        let mut shell = Self::default();
        let mut before = "";
        for word in command {
            let word = word.as_str().unwrap_or_default();
            shell.follow(before, word);
            before = word.strip_prefix('-').unwrap_or_default();
        }
        shell
    }

    /// Takes the next word. `before`: the flag whose value it may be.
    fn follow(&mut self, before: &str, word: &str) {
        const SHELLS: [&str; 6] = ["ash", "bash", "dash", "ksh", "sh", "zsh"];
        let flags = word.strip_prefix('-').filter(|flags| !flags.starts_with('-'));
        let is_shell = SHELLS.contains(&word.rsplit('/').next().unwrap_or_default());
        self.called = is_shell || (self.called && !self.expects && (word.starts_with('-') || !before.is_empty()));
        self.expects = self.called
            && flags.is_some_and(|flags| flags.ends_with('c') && flags.bytes().all(|flag| flag.is_ascii_lowercase()));
    }
}

/// The words of a command line: flags and plain words stay, since they tell what runs. Secrets are told by kind and
/// fingerprint, in scripts too, of which the rest is [cleaned](script::cleaned). `shell`: where it stands before
/// the first word; `other`: what is done with what is no text.
pub(super) fn arguments(
    words: &mut [Value],
    mut shell: Shell,
    fingerprinter: &Fingerprinter,
    other: &dyn Fn(&mut Value),
) {
    let mut flag: Option<String> = None;
    for word in words {
        let before = flag.take().unwrap_or_default();
        let is_script = shell.expects;
        shell.follow(&before, word.as_str().unwrap_or_default());
        let Value::String(text) = word else {
            match word {
                Value::Number(_) if is_called_a_secret(&before) => *word = withheld(None).into(),
                word => other(word),
            }
            continue;
        };
        let dashes = match text.as_bytes() {
            [b'-', b'-', ..] => 2,
            // A secret may begin with a dash.
            [b'-', ..] if !is_called_a_secret(&before) => 1,
            _ => 0,
        };
        let (dashes, rest) = text.split_at_checked(dashes).unwrap_or(("", text));
        match rest.split_once('=') {
            _ if dashes.is_empty() => {
                if let Some(kept) = argument(&before, text, is_script, fingerprinter) {
                    *text = kept;
                }
            }
            Some((name, value)) if is_flag(dashes, name) => {
                if let Some(kept) = argument(name, value, false, fingerprinter) {
                    *text = format!("{dashes}{name}={kept}");
                }
            }
            // A shell may be handed its script behind it, whatever it is.
            None => {
                flag = Some(rest.to_owned());
                if !rest.is_empty() && !is_flag(dashes, rest) {
                    *text = mark(found(&before, text, fingerprinter), text);
                }
            }
            Some(_) => *text = mark(found(&before, text, fingerprinter), text),
        }
    }
}

/// Whether this is a flag and no value behind one, such as `-ppassword`, `-pcorrect-horse` and `-uname:password`.
fn is_flag(dashes: &str, name: &str) -> bool {
    const SHORT: usize = 2;
    // Behind these, clients of databases and directories, fetchers and packers take a user or a password with nothing
    // between.
    const GLUED: [char; 5] = ['P', 'U', 'p', 'u', 'w'];
    let is_joined = name.contains(['-', '.']) && !name.starts_with(GLUED);
    let is_long = dashes.len() > 1 || is_joined || is_called_a_secret(name);
    script::is_plain_name(name) && (is_long || name.len() <= SHORT)
}

/// What is written in place of an argument; `None` where it may stay.
pub(super) fn argument(name: &str, text: &str, is_script: bool, fingerprinter: &Fingerprinter) -> Option<String> {
    let is_assigned = || text.split_once('=').is_some_and(|(name, value)| is_secret(name, value));
    let is_header = || text.split_once(": ").is_some_and(|(name, _)| script::is_header_name(name));
    let has_words = text.contains(char::is_whitespace);
    if is_one_secret(name, text) {
        return Some(instead(name, text, fingerprinter));
    }
    if refers(text) {
        return None;
    }
    if text.trim_start().starts_with(['{', '[']) && !script::is_plain(text) {
        return Some(withheld(None));
    }
    if is_script && has_words {
        return Some(script::cleaned(text, fingerprinter));
    }
    if holds_values(name) || is_assigned() || is_header() {
        return Some(script::value(name, text, fingerprinter));
    }
    if has_words {
        // Anything may stand in it, such as a list of keys. Its first secret is told as it is when the text itself is read.
        let held = secrets_of_words(iter::once(text), fingerprinter).into_iter().next();
        let held = held.map(|held| (held.kind, held.fingerprint));
        return Some(mark(held.or_else(|| found(name, text, fingerprinter)), text));
    }
    if let Some(address) = script::argued_address(text, fingerprinter) {
        return Some(address);
    }
    let may_stay = script::is_plain(text) || script::is_address(text);
    (!may_stay).then(|| script::argument(name, text, fingerprinter))
}
