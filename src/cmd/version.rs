//! `evenhand --version`, and with `--verbose` what is inside: catalogues and rules.

use evenhand_model::provider::{ReadOptions, Settings};
use evenhand_model::secret::Fingerprinter;
use evenhand_rules::pack::RuleSet;

use super::{Failure, Invocation};
use crate::console::Verbosity;
use crate::gate::Exit;
use crate::output::to_stdout;

pub(super) fn run(invocation: &Invocation) -> Result<Exit, Failure> {
    to_stdout(|sink| {
        writeln!(sink, "evenhand {}", env!("CARGO_PKG_VERSION"))?;
        if invocation.console.verbosity < Verbosity::Verbose {
            return Ok(());
        }
        writeln!(sink, "rules: {}", RuleSet::embedded().rules.len())?;
        for provider in &invocation.providers {
            // Only a reading knows its catalogue; an empty one costs nothing.
            let reading = provider
                .reader(ReadOptions {
                    now: jiff::Timestamp::UNIX_EPOCH,
                    fingerprinter: Fingerprinter::ephemeral([0; 32]),
                    settings: Settings::new(),
                })
                .finish();
            match reading.resolver {
                Some(resolver) => {
                    let catalog = resolver.catalog();
                    writeln!(sink, "{}: {} operations", provider.name(), catalog.len())?;
                    for source in catalog.sources() {
                        writeln!(sink, "  {} {} of {}", source.package, source.version, source.date)?;
                    }
                }
                None => writeln!(sink, "{}: no operations of its own", provider.name())?,
            }
        }
        Ok::<(), std::io::Error>(())
    })?;
    Ok(Exit::Passed)
}
