//! CSV: comma, UTF-8, a stable snake_case header, cells that no spreadsheet takes for formulas and no terminal for commands.

use std::io::Write;
use std::sync::Arc;

use evenhand_model::identity::Nature;
use evenhand_model::table::{Table, Value};

use crate::report::{Report, WriteError};
use crate::text::cell;

/// The columns of the findings profile, in order. Columns are only ever added at the end.
pub const FINDING_COLUMNS: [&str; 20] = [
    "finding_id",
    "rule",
    "severity",
    "dimension",
    "status",
    "provider",
    "scope",
    "identity",
    "identity_name",
    "title",
    "evidence",
    "remedy",
    "facts",
    "frameworks",
    "scan_id",
    "scan_time",
    "tool_version",
    "missing",
    "waived_until",
    "waiver",
];

/// A record of cells in which nothing acts, see [`cell`].
pub fn safe_record<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    cells.map(|text| cell(text).into_owned()).collect()
}

/// Writes one row per finding.
///
/// # Errors
/// When the sink refuses.
pub fn findings(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let mut out = ::csv::Writer::from_writer(sink);
    out.write_record(FINDING_COLUMNS)?;
    let time = report.scan.time.to_string();
    for finding in &report.findings {
        let evidence = finding.evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let facts = finding.facts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let frameworks =
            finding.frameworks.iter().map(|(framework, id)| format!("{framework}:{id}")).collect::<Vec<_>>().join("; ");
        let missing = finding.missing.iter().map(|missing| match &missing.because {
            Some(because) => format!("{}: {} ({because})", missing.column, missing.what),
            None => format!("{}: {}", missing.column, missing.what),
        });
        let missing = missing.collect::<Vec<_>>().join("; ");
        let waived_until = finding.waiver.as_ref().map(|waiver| waiver.expires.to_string()).unwrap_or_default();
        let waiver = finding.waiver.as_ref().map_or_else(String::new, |waiver| {
            format!("{}: {} (owner {}, approved by {})", waiver.ticket, waiver.reason, waiver.owner, waiver.approver)
        });
        let cells: [&str; 20] = [
            finding.id.as_str(),
            finding.rule.as_str(),
            finding.severity.as_str(),
            finding.dimension.as_str(),
            finding.status.as_str(),
            finding.provider.0,
            finding.scope.as_str(),
            finding.identity.as_str(),
            &finding.name,
            &finding.title,
            &evidence,
            &finding.remedy,
            &facts,
            &frameworks,
            &report.scan.id,
            &time,
            &report.tool.version,
            &missing,
            &waived_until,
            &waiver,
        ];
        out.write_record(safe_record(cells.into_iter()))?;
    }
    out.flush()?;
    Ok(())
}

/// Writes the identities table, one row per identity.
///
/// # Errors
/// When the sink refuses.
pub fn inventory(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    match report.tables.iter().find(|table| table.spec.name == "identities") {
        Some(identities) => table(identities, sink),
        None => Ok(()),
    }
}

/// Writes a table with its own column names. NULL is an empty cell.
///
/// # Errors
/// When the sink refuses.
pub fn table(table: &Table, sink: &mut dyn Write) -> Result<(), WriteError> {
    let mut out = ::csv::Writer::from_writer(sink);
    out.write_record(table.spec.columns.iter().map(|column| column.name))?;
    for row in 0..table.rows() {
        out.write_record(table.columns.iter().map(|column| match column.value(row) {
            Value::Null => String::new(),
            Value::Text(text) => cell(&text).into_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(truth) => truth.to_string(),
            Value::Timestamp(moment) => moment.to_string(),
        }))?;
    }
    out.flush()?;
    Ok(())
}

/// Writes the identities as the access file that Vanta imports: who has an account, who answers for it, in what role, and
/// whether it is active (`Account name` is the key). Human roles are no accounts and are left out.
///
/// `Account owner` is an e-mail address, `No owner` or `Not a person`, and `Status` is `Active` or `Deactivated`: the import
/// takes nothing else, and no empty cell. A person without an address that is known has no owner there, so that somebody looks;
/// an account of which nothing tells that it is switched off counts as active, so that nobody overlooks it.
///
/// # Errors
/// When the sink refuses.
pub fn vanta(report: &Report, sink: &mut dyn Write) -> Result<(), WriteError> {
    let mut out = ::csv::Writer::from_writer(sink);
    out.write_record(["Account name", "Account owner", "Role", "Status"])?;
    let Some(identities) = report.tables.iter().find(|table| table.spec.name == "identities") else {
        out.flush()?;
        return Ok(());
    };
    for row in 0..identities.rows() {
        let text = |column: &str| match identities.value(row, column) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let nature = text("nature").unwrap_or_default();
        if &*nature == Nature::HumanRole.as_str() {
            continue;
        }
        let address = |text: &Arc<str>| text.contains('@') && !text.contains(char::is_whitespace);
        let owner = if &*nature == Nature::Human.as_str() {
            // A person is the owner of an account of their own, where its name is an address.
            text("name").filter(address).or_else(|| text("owner").filter(address)).unwrap_or_else(|| "No owner".into())
        } else if let Some(owner) = text("owner").filter(address) {
            owner
        } else if identities.value(row, "has_owner") == Value::Boolean(false) {
            "No owner".into()
        } else {
            "Not a person".into()
        };
        let administrator = identities.value(row, "admin") == Value::Boolean(true);
        let role = [text("kind"), administrator.then(|| "administrator".into()), text("job")];
        let role: Vec<Arc<str>> = role.into_iter().flatten().collect();
        let status = match identities.value(row, "enabled") {
            Value::Boolean(false) => "Deactivated",
            _ => "Active",
        };
        let name = text("id").unwrap_or_default();
        out.write_record([&*cell(&name), &*cell(&owner), &*cell(&role.join(", ")), status])?;
    }
    out.flush()?;
    Ok(())
}
