//! Reading the command line as it was typed, with the environment beside it. Where it is at fault, the error names what is:
//! the variable that brought a value, and the usage as the help shows it.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, FromArgMatches, Parser};

use super::{Cli, command};

/// The command line of this process. Ends it where there is nothing to run: with help, or with what is wrong.
pub fn parse() -> Cli {
    let words: Vec<OsString> = std::env::args_os().collect();
    match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => mended(command(), &words).unwrap_or_else(|error| error.exit()),
        Err(help) => help.exit(),
    }
}

/// Reads a command line that is at fault. What was typed for one run overrules what the environment says of all of them;
/// for any other fault of a variable the error names that.
fn mended(command: Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    let error = match read(command.clone(), words) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let said = error.to_string();
    let is_other = |variable: &&OsStr| match read(without(command.clone(), variable), words) {
        Ok(_) => true,
        Err(other) => other.to_string() != said,
    };
    match variables(&command).into_iter().find(is_other) {
        None => Err(error),
        Some(variable) if error.kind() == ErrorKind::ArgumentConflict || is_typed(&command, variable, words) => {
            mended(without(command.clone(), variable), words)
        }
        // Which version it is hangs on no variable.
        Some(variable) => match mended(without(command.clone(), variable), words) {
            Ok(cli) if cli.version => Ok(cli),
            _ => Err(blamed(error, variable)),
        },
    }
}

/// Whether the option that a variable stands for was typed too.
fn is_typed(command: &Command, variable: &OsStr, words: &[OsString]) -> bool {
    let Some(option) = option(command, variable) else { return false };
    let mut typed = words.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str()?.strip_prefix("--"));
    typed.any(|word| word.split('=').next() == Some(option))
}

/// The option that a variable stands for, in a command or those below it.
fn option<'a>(command: &'a Command, variable: &OsStr) -> Option<&'a str> {
    let own = command.get_arguments().find(|argument| argument.get_env() == Some(variable)).and_then(Arg::get_long);
    own.or_else(|| command.get_subcommands().find_map(|verb| option(verb, variable)))
}

fn read(mut command: Command, words: &[OsString]) -> Result<Cli, clap::Error> {
    command.build();
    Cli::from_arg_matches_mut(&mut with_plain_usage(command).try_get_matches_from(words)?)
}

/// A built command whose errors show the usage of the help. By itself an error shows every option that was given, also by a
/// variable, as if it had to be, and what may be left out as if it could not.
fn with_plain_usage(mut command: Command) -> Command {
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    command.override_usage(usage).mut_subcommands(with_plain_usage)
}

/// The variables of a command and those below it.
fn variables(command: &Command) -> BTreeSet<&OsStr> {
    let below = command.get_subcommands().flat_map(variables);
    command.get_arguments().filter_map(Arg::get_env).chain(below).collect()
}

/// The command, deaf to a variable.
fn without(command: Command, variable: &OsStr) -> Command {
    command
        .mut_args(|argument| match argument.get_env() == Some(variable) {
            true => argument.env(None::<&'static str>),
            false => argument,
        })
        .mut_subcommands(|verb| without(verb, variable))
}

/// An error about the value of a variable, with its name in place of the option's.
fn blamed(mut error: clap::Error, variable: &OsStr) -> clap::Error {
    let name = variable.to_string_lossy().into_owned();
    let tip = format!("set {name} to something else, or unset it");
    error.insert(ContextKind::InvalidArg, ContextValue::String(name));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn refused(line: &str) -> clap::Error {
        mended(command(), &words(line)).unwrap_err()
    }

    #[test]
    fn an_error_shows_the_usage_of_the_help() {
        fn check(command: &mut Command, line: &str) {
            let usage = command.render_usage().to_string();
            let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
            for name in verbs.iter().filter(|name| *name != "help") {
                check(command.find_subcommand_mut(name).unwrap(), &format!("{line} {name}"));
            }
            let error = refused(&format!("{line} --no-such-option")).to_string();
            assert!(error.contains(&format!("\n{usage}\n")), "{line}: {error}");
        }
        let mut whole = command();
        whole.build();
        check(&mut whole, "evenhand");
        for line in ["evenhand scan . --nope", "evenhand scan --severity low . --zzz", "evenhand scan -q -v ."] {
            let error = refused(line).to_string();
            assert!(error.contains("Usage: evenhand scan [OPTIONS] [SOURCE]...\n"), "{error}");
        }
    }

    #[test]
    fn every_variable_is_known_and_can_be_left_aside() {
        let command = command();
        let found = variables(&command);
        for name in ["CONFIG", "FINGERPRINT_KEY", "HOME", "JOBS", "NOW"] {
            let name = OsString::from(format!("EVENHAND_{name}"));
            assert!(found.contains(name.as_os_str()), "{name:?}");
            assert!(!variables(&without(command.clone(), &name)).contains(name.as_os_str()), "{name:?}");
        }
    }

    #[test]
    fn an_option_is_typed_where_it_stands_among_the_words_itself() {
        let command = command();
        let is_typed = |line: &str| is_typed(&command, OsStr::new("EVENHAND_JOBS"), &words(line));
        for line in ["evenhand scan . --jobs 2", "evenhand --jobs=2 scan ."] {
            assert!(is_typed(line), "{line}");
        }
        for line in ["evenhand scan .", "evenhand scan --now 2026-12-01", "evenhand scan -- --jobs"] {
            assert!(!is_typed(line), "{line}");
        }
    }

    #[test]
    fn a_variable_that_is_at_fault_is_named_and_not_its_option() {
        let error = blamed(refused("evenhand scan --jobs many"), OsStr::new("EVENHAND_JOBS")).to_string();
        assert!(error.contains("invalid value 'many' for 'EVENHAND_JOBS': write a whole number from 0 to"), "{error}");
        assert!(error.contains("tip: set EVENHAND_JOBS to something else") && !error.contains("--jobs"), "{error}");
    }

    #[test]
    fn a_number_outside_its_bounds_is_refused_with_them() {
        for jobs in ["-1", "257", "100000", "99999999999999999999999", "x", "1.5"] {
            let error = refused(&format!("evenhand scan --jobs {jobs}")).to_string();
            let said = format!("invalid value '{jobs}' for '--jobs <N>': write a whole number from 0 to 256");
            assert!(error.contains(&said), "{error}");
        }
        for jobs in ["0", "1", "256"] {
            let cli = Cli::try_parse_from(words(&format!("evenhand scan --jobs {jobs}"))).unwrap();
            assert_eq!(cli.global.jobs.to_string(), jobs);
        }
        #[cfg(feature = "live")]
        for number in ["x", "-1"] {
            let line = format!("evenhand collect github --out o --app-id 1 --app-key k --installation {number}");
            let error = refused(&line).to_string();
            assert!(error.contains("'--installation <NUMBER>': write a whole number, 0 or more"), "{error}");
        }
    }
}
