//! `evenhand report`: the report of an earlier scan in other forms.

use std::io::Read;
use std::path::Path;

use evenhand_model::id::ProviderName;
use evenhand_model::table::TableSpec;
use evenhand_reports::Report;
use evenhand_reports::saved::{self, Known, SavedError};
use evenhand_rules::facts::tables::TABLES;
use evenhand_rules::waivers::CONFIGURATION;

use super::scan::{Written, write};
use super::{Failure, Invocation};
use crate::cli;
use crate::gate::Exit;
use crate::output;
use crate::store;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Report) -> Result<Exit, Failure> {
    let message = |message| Failure::Message(message, None);
    let wanted = &arguments.output;
    let outputs = output::checked(&wanted.output).map_err(message)?;
    let product = wanted.asff_product.as_ref();
    let folder = wanted.evidence_dir.as_deref();
    let evidence = output::evidence_prefix(folder).map_err(message)?;
    let mut report = read(invocation, &arguments.report)?;
    output::sensible(&outputs, report.score.is_some(), product).map_err(message)?;
    if let Some(place) = &wanted.save {
        if report.filtered > 0 || report.score.is_none() {
            return Err(Failure::new(
                format!("`{}` is not a whole scan, and a store keeps whole ones", arguments.report.display()),
                "write it with `evenhand scan … -o json=FILE` and without --severity",
            ));
        }
        store::save(&report, place)?;
    }
    if let Some(least) = wanted.severity {
        report.leave_out_below(least);
    }
    write(&report, &outputs, Written { screen: invocation.screen(wanted.all), evidence: &evidence, product })?;
    folder.map(|folder| output::to_folder(folder, &report)).transpose()?;
    Ok(Exit::Passed)
}

fn read(invocation: &Invocation, file: &Path) -> Result<Report, Failure> {
    const MAKE: &str = "write one with `evenhand scan … -o json=FILE`";
    let text = match file == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", file.display()), MAKE))?;
    let tables: Vec<&'static TableSpec> = TABLES.to_vec();
    // What waivers say of nobody who was read is the configuration's.
    let providers: Vec<ProviderName> =
        invocation.providers.iter().map(|provider| provider.name()).chain([ProviderName(CONFIGURATION)]).collect();
    saved::read(&text, Known { tables: &tables, providers: &providers }).map_err(|error| {
        let remedy = match error {
            SavedError::Shape(_) | SavedError::Earlier(_) | SavedError::ScanId(_) => MAKE,
            SavedError::Form(_) | SavedError::Unknown(..) => "scan again with this version",
        };
        Failure::new(format!("`{}` {error}", file.display()), remedy)
    })
}
