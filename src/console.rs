//! stderr: messages for people. Data never goes here, and nothing of it may act on a terminal.

use std::io::Write;

use evenhand_reports::text::printable;
use owo_colors::OwoColorize;

/// How much is said.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Errors, warnings and a summary.
    Normal,
    /// Times of the stages as well.
    Verbose,
}

/// Writes to stderr.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// How much is said.
    pub verbosity: Verbosity,
}

impl Console {
    /// Something failed.
    pub fn error(&self, message: &str, remedy: Option<&str>) {
        self.labelled(&"error".red().bold().to_string(), message, remedy);
    }

    /// Something is not as it should be, and the run goes on.
    pub fn warning(&self, message: &str, remedy: Option<&str>) {
        if self.verbosity > Verbosity::Quiet {
            self.labelled(&"warning".yellow().bold().to_string(), message, remedy);
        }
    }

    /// Worth knowing.
    pub fn note(&self, message: &str) {
        if self.verbosity > Verbosity::Quiet {
            write_line(&printable(message));
        }
    }

    /// Worth knowing for those who asked for more.
    pub fn detail(&self, message: &str) {
        if self.verbosity > Verbosity::Normal {
            write_line(&printable(message));
        }
    }

    fn labelled(&self, label: &str, message: &str, remedy: Option<&str>) {
        write_line(&format!("{label}: {}", printable(message)));
        if let Some(remedy) = remedy {
            write_line(&format!("  {} {}", "help:".cyan(), printable(remedy)));
        }
    }

    /// An error with its place in a file that the user wrote.
    pub fn diagnostic(&self, problem: &dyn miette::Diagnostic) {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        let theme = match (colour, std::io::IsTerminal::is_terminal(&std::io::stderr())) {
            (true, _) => miette::GraphicalTheme::unicode(),
            (false, true) => miette::GraphicalTheme::unicode_nocolor(),
            (false, false) => miette::GraphicalTheme::none(),
        };
        let mut text = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false);
        if handler.render_report(&mut text, problem).is_err() {
            text = problem.to_string();
        }
        write_line(text.trim_end());
    }
}

/// One line on stderr. When stderr is closed there is nobody to tell.
fn write_line(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
