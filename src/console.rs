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

    /// Something failed, with a list of what it is about.
    pub fn error_about(&self, message: &str, items: &[String], remedy: Option<&str>) {
        self.listed(&"error".red().bold().to_string(), message, items, remedy);
    }

    /// Something is not as it should be, the run goes on, and whoever asked for quiet has to know it too.
    pub fn alarm(&self, message: &str, items: &[String], remedy: Option<&str>) {
        self.listed(&"warning".yellow().bold().to_string(), message, items, remedy);
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
        self.listed(label, message, &[], remedy);
    }

    fn listed(&self, label: &str, message: &str, items: &[String], remedy: Option<&str>) {
        write_line(&format!("{label}: {}", printable(message)));
        for item in items {
            write_line(&format!("  {}", printable(item)));
        }
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
        self.error(&problem.to_string(), None);
        let mut text = String::new();
        let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false);
        // The message is told above, as all errors are; below its line stand the place and the remedy.
        if handler.render_report(&mut text, &Untold(problem)).is_ok() {
            text.trim_end().lines().skip(1).for_each(write_line);
        }
    }
}

/// A problem whose message was told.
#[derive(Debug)]
struct Untold<'a>(&'a dyn miette::Diagnostic);

impl std::fmt::Display for Untold<'_> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Untold<'_> {}

impl miette::Diagnostic for Untold<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// One line on stderr. When stderr is closed there is nobody to tell.
fn write_line(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
