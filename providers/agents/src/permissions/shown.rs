//! What is kept of an entry of an allow-list: the names in it, and of a command line only words that cannot be a value.
//!
//! A command line may hold a secret in any place (`curl -u bot:…`, `mysql -p…`, `echo … | docker login`), and no list of
//! flags names them all. So words are kept for what they are, and everything else is left out.

use super::effect::{has_subcommands, is_verb};
use super::{Grammar, SHELLS, plain};
use crate::{command, secret};

/// What stands for everything that may be a value.
const WITHHELD: &str = "…";

/// Flags of several letters that hold no value.
const SHORT: &[&str] = &["-rf", "-fr", "-Rf", "-la", "-al", "-lah", "-it"];

/// An entry as people see it.
pub(crate) fn shown(entry: &str, grammar: Grammar) -> String {
    let entry = entry.trim();
    secret::redact(&match grammar {
        Grammar::Command => command_pattern(entry),
        Grammar::Call | Grammar::ServerTool | Grammar::At | Grammar::Tool => call(entry),
    })
}

/// The name of a tool, with what stands in parentheses behind it: a command line, or a path, a domain or another tool.
fn call(entry: &str) -> String {
    let is_name = |text: &str| {
        !text.contains(char::is_whitespace)
            && !text.contains(['=', '"', '\'', '?', '#'])
            && !text.contains("//")
            && !text.starts_with('-')
            && !text.split(|character: char| !character.is_ascii_alphanumeric()).any(is_mixed)
    };
    let Some((name, inner)) = entry.split_once('(') else {
        return match is_name(entry) {
            true => entry.to_owned(),
            false if entry.contains("://") && !entry.contains(char::is_whitespace) => argument(entry),
            false => line(entry),
        };
    };
    if !is_name(name) {
        return line(entry);
    }
    let (inner, end) = match inner.strip_suffix(')') {
        Some(inner) => (inner, ")"),
        None => (inner, ""),
    };
    let is_shell = SHELLS.contains(&name.to_ascii_lowercase().as_str());
    let is_pattern = |part: &str| !part.contains(char::is_whitespace) && !part.starts_with('-');
    if is_shell || !inner.split(", ").all(is_pattern) {
        return format!("{name}({}{end}", line(inner));
    }
    // `Mcp(server:tool)` names both.
    let names_a_tool = |part: &str| name.eq_ignore_ascii_case("mcp") && is_name(part) && !part.contains('@');
    let part = |part| if names_a_tool(part) { part.to_owned() } else { argument(part) };
    let parts: Vec<String> = inner.split(", ").map(part).collect();
    format!("{name}({}{end}", parts.join(", "))
}

/// What a tool may be used on: a path or a name up to the first sign that neither has, since anything may stand behind it,
/// and of an address no more than where it leads.
fn argument(text: &str) -> String {
    let (before, address) = match text.strip_prefix("domain:") {
        Some(domain) => ("domain:", Some(domain)),
        None => ("", text.contains("://").then_some(text)),
    };
    if let Some(address) = address {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        let is_scheme = scheme.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '*');
        return match (is_scheme, scheme) {
            (false, _) => format!("{before}{WITHHELD}"),
            (true, "") => format!("{before}{}", host(rest)),
            (true, _) => format!("{before}{scheme}://{}", host(rest)),
        };
    }
    let is_of_path = |letter: char| letter.is_alphanumeric() || "._-/\\*~+@{}[]()|^$!,".contains(letter);
    let stem = text.split(|letter| !is_of_path(letter)).next().unwrap_or_default();
    match text.strip_prefix(stem) {
        Some("" | ":*") => text.to_owned(),
        _ => format!("{stem}{WITHHELD}"),
    }
}

/// The host of an address, whose path, query, fragment and user may each hold a token.
fn host(address: &str) -> String {
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    let path = address.strip_prefix(authority).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_host = !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-*".contains(letter))
        && port.chars().all(|letter| letter.is_ascii_digit() || letter == '*')
        // Of a password with a slash only the beginning stands before it.
        && !path.contains('@');
    match (is_host, path) {
        (false, _) => WITHHELD.to_owned(),
        (true, "" | "/" | "/*" | "/**") => format!("{host}{path}"),
        (true, _) => format!("{host}/{WITHHELD}"),
    }
}

/// The beginning of a command line, or `/regular expression/`.
fn command_pattern(text: &str) -> String {
    let expression = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')).map(|(expression, _)| expression);
    // A path has none of these signs.
    let expression = expression.filter(|text| text.contains(['^', '$', '\\', '[', '(', '|', '*', '+', '?']));
    let Some(expression) = expression else { return line(text) };
    if expression.chars().all(|character| ".*+^$".contains(character)) {
        return format!("/{expression}/");
    }
    let fixed = plain(expression);
    let kept = line(&fixed);
    let is_whole = expression.trim_start_matches('^').trim_end_matches('$') == fixed;
    match kept.as_str() {
        "" => format!("/{WITHHELD}/"),
        kept if is_whole || kept.ends_with(WITHHELD) => format!("/{kept}/"),
        kept => format!("/{kept} {WITHHELD}/"),
    }
}

/// Of a command line the program, its subcommand, flags without their values, and wildcards.
fn line(text: &str) -> String {
    let words = command::split(text);
    let mut kept: Vec<String> = Vec::new();
    // The program and its subcommands, for as long as nothing else stands among them.
    let mut named: Vec<&str> = Vec::new();
    let mut is_behind = false;
    for word in &words {
        let (stem, wildcard) = parted(word);
        if named.is_empty()
            && let Some((name, value)) = assignment(word)
        {
            kept.push(format!("{name}={WITHHELD}"));
            // The words of what a shell runs for a value are no program's.
            if value.contains(['$', '`', '(']) {
                break;
            }
            continue;
        }
        let shown = if stem.is_empty() && !wildcard.is_empty() {
            is_behind = true;
            Some(String::new())
        } else if named.is_empty() && !is_behind {
            is_program(stem).then(|| {
                named.push(stem);
                stem.to_owned()
            })
        } else if let Some(flag) = flag(stem) {
            is_behind = true;
            Some(flag)
        } else if !is_behind && is_subcommand(&named, stem) {
            named.push(stem);
            Some(stem.to_owned())
        } else {
            None
        };
        let Some(shown) = shown else {
            let (before, wildcard) = words.last().map_or(("", ""), |last| parted(last));
            let blank = if before.is_empty() && !wildcard.is_empty() { " " } else { "" };
            kept.push(format!("{WITHHELD}{blank}{wildcard}"));
            break;
        };
        kept.push(format!("{shown}{wildcard}"));
    }
    kept.join(" ")
}

/// Whether a word mixes capitals, small letters and digits as made-up values do and names do not.
fn is_mixed(word: &str) -> bool {
    word.chars().filter(char::is_ascii_digit).count() > 2
        && word.contains(|character: char| character.is_ascii_uppercase())
        && word.contains(|character: char| character.is_ascii_lowercase())
}

/// A word without the wildcard at its end, and that.
fn parted(word: &str) -> (&str, &str) {
    let stem = word.trim_end_matches(['*', ':', '?']);
    (stem, word.strip_prefix(stem).unwrap_or_default())
}

/// A variable that a command is given, with its value.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_variable = name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && name
            .chars()
            .all(|character| character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_');
    is_variable.then_some((name, value))
}

/// Whether a word looks like a program or the path of one; capitals and digits together look like a value.
fn is_program(word: &str) -> bool {
    let is_name = |part: &str| {
        part.chars().all(|character| character.is_ascii_alphanumeric() || "._-+~".contains(character))
            && !(part.contains(|character: char| character.is_ascii_uppercase())
                && part.contains(|character: char| character.is_ascii_digit()))
    };
    !word.is_empty() && !word.starts_with('-') && word.split('/').all(is_name)
}

/// A flag without its value.
fn flag(word: &str) -> Option<String> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, _)) => (name, format!("={WITHHELD}")),
            None => (long, String::new()),
        };
        let is_name = name.chars().all(|character| character.is_ascii_lowercase() || character == '-');
        return is_name.then(|| format!("--{name}{value}"));
    }
    let letter = word.strip_prefix('-')?;
    let is_letter = letter.len() == 1 && letter.chars().all(|character| character.is_ascii_alphabetic());
    (is_letter || SHORT.contains(&word)).then(|| word.to_owned())
}

/// Whether a word goes on with the name of what a program does: `push` behind `git`, `merge` behind `gh pr`, and a script
/// behind `npm run`. `named`: the program and its subcommands so far.
fn is_subcommand(named: &[&str], word: &str) -> bool {
    let is_script = matches!(named, [_, "run" | "run-script"]);
    // `aws ec2 describe-instances`
    let is_of_aws = named.first() == Some(&"aws");
    let is_word = word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.chars().all(|character| {
            character.is_ascii_lowercase()
                || character == '-'
                || (is_script && character == ':')
                || (is_of_aws && character.is_ascii_digit())
        });
    is_word
        && match named {
            [program] => has_subcommands(program),
            // Every command of AWS has two words, and takes no value before them.
            ["aws", _] => true,
            [program, _] => has_subcommands(program) && (is_script || is_verb(word)),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_command_line_only_what_cannot_be_a_value_is_kept() {
        let cases = [
            ("Bash(curl -u admin:Zt7Qk2Lm9Xw4 https://h/api)", "Bash(curl -u …)"),
            ("Bash(curl -uadmin:Zt7Qk2Lm9Xw4 https://h/api)", "Bash(curl …)"),
            ("Bash(curl --user admin:Zt7Qk2Lm9Xw4 *)", "Bash(curl --user … *)"),
            ("Bash(curl --user=admin:Zt7Qk2Lm9Xw4:*)", "Bash(curl --user=…:*)"),
            ("Bash(curl -H 'X-Key: Zt7Qk2Lm9Xw4':*)", "Bash(curl -H …:*)"),
            ("Bash(aws configure set aws_secret_access_key wJalrFake)", "Bash(aws configure set …)"),
            ("Bash(sshpass -p Hq8Rz3Wm5Tn7 ssh host)", "Bash(sshpass -p …)"),
            ("Bash(mysql -pHq8Rz3Wm5Tn7 -e x)", "Bash(mysql …)"),
            ("Bash(mysql -pswordfish)", "Bash(mysql …)"),
            ("Bash(docker login -u bot -p swordfish)", "Bash(docker login -u …)"),
            ("Bash(vault login swordfish)", "Bash(vault login …)"),
            ("Bash(gh secret set --body swordfish)", "Bash(gh secret set --body …)"),
            ("Bash(echo swordfish | docker login)", "Bash(echo …)"),
            ("Bash(PGPASSWORD=swordfish psql:*)", "Bash(PGPASSWORD=… psql:*)"),
            ("Bash(PGPASSWORD=\"sword fish\" psql -h x)", "Bash(PGPASSWORD=… psql -h …)"),
            ("Bash(PGPASSWORD=$(echo swordfish | tr a b) psql)", "Bash(PGPASSWORD=…)"),
            ("Bash(c3dvcmRmaXNo== x)", "Bash(…)"),
            ("Bash(* swordfish)", "Bash(* …)"),
            ("Exec(mysql -pswordfish -x)", "Exec(mysql …)"),
            ("curl -u admin:swordfish", "curl -u …"),
            ("-pswordfish", "…"),
            ("bot:Zt7Qk2Lm9Xw4", "…"),
            ("Bash(git push; mysql -pswordfish)", "Bash(git …)"),
        ];
        for (entry, expected) in cases {
            assert_eq!(shown(entry, Grammar::Call), expected, "{entry}");
        }
    }

    #[test]
    fn of_an_address_no_more_is_kept_than_where_it_leads_however_plain_its_tokens_are() {
        let cases = [
            ("WebFetch(https://x.example/c?key=plum)", "WebFetch(https://x.example/…)"),
            ("WebFetch(https://x.example/plum)", "WebFetch(https://x.example/…)"),
            ("WebFetch(https://x.example?token=plum)", "WebFetch(https://x.example/…)"),
            ("WebFetch(https://x.example#plum)", "WebFetch(https://x.example/…)"),
            ("WebFetch(https://ann:plum@x.example:8443/*)", "WebFetch(https://x.example:8443/*)"),
            ("WebFetch(https://ann:plum/apple@x.example)", "WebFetch(https://…)"),
            ("WebFetch(plum:apple://x.example)", "WebFetch(…)"),
            ("WebFetch(domain:u:plum@x.example)", "WebFetch(domain:x.example)"),
            ("WebFetch(domain:https://u:plum@x.example)", "WebFetch(domain:https://x.example)"),
            ("WebFetch(domain:x.example?token=plum)", "WebFetch(domain:x.example/…)"),
            ("WebFetch(domain:x.example:plum)", "WebFetch(domain:…)"),
            ("Read(/x?token=plum)", "Read(/x…)"),
            ("Read(token=plum)", "Read(token…)"),
            ("Task(ann:plum)", "Task(ann…)"),
            ("Mcp(github:ann?plum)", "Mcp(github…)"),
            ("https://u:plum@x.example/apple", "https://x.example/…"),
            ("/x?plum", "…"),
        ];
        for (entry, expected) in cases {
            assert_eq!(shown(entry, Grammar::Call), expected, "{entry}");
        }
    }

    #[test]
    fn what_holds_no_value_stays_readable() {
        let entries = [
            "*",
            "Bash",
            "Bash(*)",
            "Bash(git:*)",
            "Bash(git push:*)",
            "Bash(git push --force*)",
            "Bash(npm run test:*)",
            "Bash(npm run test:unit)",
            "Bash(gh pr merge:*)",
            "Bash(kubectl get *)",
            "Bash(aws ec2 describe-instances:*)",
            "Bash(terraform apply:*)",
            "Bash(rm -rf *)",
            "Bash(git commit -m:*)",
            "Bash(python3.11:*)",
            "Bash(./scripts/Build.sh:*)",
            "Bash(ls",
            "run_shell_command(git status)",
            "mcp__github__merge_pull_request",
            "mcp__github__*",
            "Mcp(github, *)",
            "Mcp(github:get_me)",
            "SlashCommand(/review:*)",
            "WebFetch(https://x.example/*)",
            "WebFetch(domain:*.example.test)",
            "Read(~/.config/@org/**)",
            "context7(query-docs)",
            "@git/status",
            "github:*",
            "Read(./src/**)",
            "Edit(/home/ana/src/**)",
            "WebFetch(domain:example.test)",
        ];
        for entry in entries {
            assert_eq!(shown(entry, Grammar::Call), entry);
        }
    }

    #[test]
    fn a_regular_expression_shows_the_command_that_it_begins_with() {
        let cases = [
            ("git status", "git status"),
            ("/usr/bin/git", "/usr/bin/git"),
            ("/.*/", "/.*/"),
            ("/^git status$/", "/git status/"),
            ("/^git\\s+(status|diff)\\b/", "/git …/"),
            ("/^curl -u admin:swordfish.*/", "/curl -u …/"),
            ("/(swordfish)/", "/…/"),
        ];
        for (entry, expected) in cases {
            assert_eq!(shown(entry, Grammar::Command), expected, "{entry}");
        }
    }
}
