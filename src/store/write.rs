//! Writing a scan into a store.

use std::io::Write;

use evenhand_model::finding::{Finding, Severity, Status};
use evenhand_model::table::Value;
use evenhand_reports::Report;
use evenhand_rules::engine::whole_frame;
use jiff::tz::TimeZone;
use polars::prelude::{
    BooleanChunked, Column, DataFrame, Int64Chunked, IntoColumn as _, NewChunkedArray as _, PlSmallStr, PolarsResult,
    StringChunked, TimeUnit,
};
use polars_io::parquet::write::{KeyValueMetadata, ParquetWriter};
use rayon::prelude::*;

use super::place::Shelf;
use super::{FINDINGS, FORM, Place, SCANS, StoreError, one_line};

/// Saves a scan. Its report must hold all findings.
///
/// # Errors
/// When the store cannot be written. What was there before stays as it was.
pub fn save(report: &Report, store: &Place) -> Result<(), StoreError> {
    let day = report.scan.time.to_zoned(TimeZone::UTC).date().to_string();
    let shelf = store.open()?;
    let write =
        |frame, table: &str| write(frame, &shelf, &format!("{table}/scan_date={day}/{}.parquet", report.scan.id));
    report.tables.par_iter().try_for_each(|table| {
        let rows = table.rows();
        write(with_scan(whole_frame(table)?, rows, report)?, table.spec.name)
    })?;
    shelf.write(&format!("{FINDINGS}/scan_date={day}/{}.parquet", report.scan.id), |sink| {
        write_findings(report, sink).map_err(|error| one_line(&error))
    })?;
    write(with_scan(scan(report)?, 1, report)?, SCANS)
}

/// Findings that are columns at one time: a million of them are not held twice.
const TOGETHER: usize = 50_000;

/// Writes the findings, a part at a time.
fn write_findings(report: &Report, sink: &mut dyn Write) -> PolarsResult<()> {
    let frame = |part: &[Finding]| with_scan(findings(part)?, part.len(), report);
    let mut parts = report.findings.chunks(TOGETHER);
    // One without rows has columns all the same.
    let first = frame(parts.next().unwrap_or_default())?;
    let mut writer = parquet(sink).batched(first.schema())?;
    writer.write_batch(&first)?;
    drop(first);
    for part in parts {
        writer.write_batch(&frame(part)?)?;
    }
    writer.finish().map(drop)
}

fn text<'a>(name: &'static str, values: impl Iterator<Item = &'a str>) -> Column {
    StringChunked::from_iter_values(PlSmallStr::from_static(name), values).into_column()
}

fn number(name: &'static str, value: Option<i64>) -> Column {
    Int64Chunked::from_iter_options(PlSmallStr::from_static(name), std::iter::once(value)).into_column()
}

/// A frame whose rows say which scan they are of.
fn with_scan(frame: DataFrame, rows: usize, report: &Report) -> PolarsResult<DataFrame> {
    let time = std::iter::repeat_n(Some(report.scan.time.as_millisecond()), rows);
    let time = Int64Chunked::from_iter_options(PlSmallStr::from_static("scan_time"), time);
    let mut columns = vec![
        text("scan_id", std::iter::repeat_n(report.scan.id.as_str(), rows)),
        time.into_datetime(TimeUnit::Milliseconds, None).into_column(),
    ];
    columns.extend(frame.into_columns());
    DataFrame::new(rows, columns)
}

fn findings(all: &[Finding]) -> PolarsResult<DataFrame> {
    let columns = vec![
        text("finding_id", all.iter().map(|finding| finding.id.as_str())),
        text("rule", all.iter().map(|finding| finding.rule.as_str())),
        text("severity", all.iter().map(|finding| finding.severity.as_str())),
        text("dimension", all.iter().map(|finding| finding.dimension.as_str())),
        text("status", all.iter().map(|finding| finding.status.as_str())),
        text("provider", all.iter().map(|finding| finding.provider.0)),
        text("scope", all.iter().map(|finding| finding.scope.as_str())),
        text("identity", all.iter().map(|finding| finding.identity.as_str())),
        text("name", all.iter().map(|finding| &*finding.name)),
        text("title", all.iter().map(|finding| finding.title.as_str())),
        BooleanChunked::from_iter_values(
            PlSmallStr::from_static("waived"),
            all.iter().map(|finding| finding.waiver.is_some()),
        )
        .into_column(),
    ];
    DataFrame::new(all.len(), columns)
}

fn scan(report: &Report) -> PolarsResult<DataFrame> {
    let score = report.known_score();
    // What nobody accepted, as everywhere.
    let of = |status: Status, severity: Option<Severity>| {
        let is = |finding: &&Finding| {
            finding.status == status
                && finding.waiver.is_none()
                && severity.is_none_or(|severity| finding.severity == severity)
        };
        count(report.findings.iter().filter(is).count())
    };
    let failed = |severity: Severity| of(Status::Fail, Some(severity));
    let agents: usize = report.coverage.verdicts.iter().map(|(_, count)| count).sum();
    let identities = report.tables.iter().find(|table| table.spec.name == "identities");
    let excess = identities.map(|table| {
        let of = |row| match table.value(row, "excess_operations") {
            Value::Integer(operations) => operations,
            _ => 0,
        };
        (0..table.rows()).map(of).sum::<i64>()
    });
    let columns = vec![
        text("tool_version", std::iter::once(&*report.tool.version)),
        number("score", score.map(|score| i64::from(score.raw.thousandths()))),
        number("governed_score", score.map(|score| i64::from(score.governed.thousandths()))),
        number("critical", failed(Severity::Critical)),
        number("high", failed(Severity::High)),
        number("medium", failed(Severity::Medium)),
        number("low", failed(Severity::Low)),
        number("undecided", of(Status::Unknown, None)),
        number("identities", count(report.coverage.identities)),
        number("ai_identities", count(agents)),
        number("excess_operations", excess),
        number("coverage_percent", report.coverage.percent().and_then(|percent| i64::try_from(percent).ok())),
        number("gaps", count(report.gaps.len())),
    ];
    DataFrame::new(1, columns)
}

fn count(number: usize) -> Option<i64> {
    i64::try_from(number).ok()
}

/// Writes a file whole or not at all.
fn write(mut frame: DataFrame, shelf: &Shelf, file: &str) -> Result<(), StoreError> {
    shelf.write(file, |sink| parquet(sink).finish(&mut frame).map(drop).map_err(|error| one_line(&error)))
}

/// A writer of a file that says which form it is of.
fn parquet(sink: &mut dyn Write) -> ParquetWriter<&mut dyn Write> {
    let (key, version) = FORM;
    ParquetWriter::new(sink)
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(vec![(key.to_owned(), version.to_owned())])))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use evenhand_model::finding::Dimension;
    use evenhand_model::id::ProviderName;
    use evenhand_reports::report::{Coverage, Scan, Tool};
    use polars::io::SerReader as _;
    use polars::io::parquet::read::ParquetReader;

    use super::*;

    fn report(findings: usize) -> Report {
        let finding = |at: usize| Finding {
            id: format!("{at:016x}").into(),
            rule: "rule".into(),
            severity: Severity::Low,
            dimension: Dimension::Access,
            status: Status::Fail,
            provider: ProviderName("toy"),
            scope: "prod".into(),
            identity: "agent".into(),
            name: "agent".into(),
            title: format!("finding {at}"),
            facts: Vec::new(),
            evidence: Vec::new(),
            remedy: "mend it".into(),
            missing: Arc::default(),
            frameworks: Arc::from([]),
            waiver: None,
        };
        let tool = Tool {
            name: "evenhand",
            version: "0.0.0".into(),
            rules: 1,
            rule_pack: String::new(),
            catalogs: Vec::new(),
        };
        Report {
            tool,
            scan: Scan { id: "0".repeat(32), time: jiff::Timestamp::UNIX_EPOCH, sources: Vec::new() },
            score: None,
            tables: Vec::new(),
            comparisons: Vec::new(),
            findings: (0..findings).map(finding).collect(),
            filtered: 0,
            gaps: Vec::new(),
            hints: Vec::new(),
            possible_agents: Vec::new(),
            coverage: Coverage::default(),
            rules: Vec::new(),
        }
    }

    #[test]
    fn findings_that_are_written_in_parts_are_one_table() {
        for findings in [0, 1, TOGETHER, TOGETHER + 2] {
            let mut file = Vec::new();
            write_findings(&report(findings), &mut file).unwrap();
            let table = ParquetReader::new(Cursor::new(file)).finish().unwrap();
            assert_eq!((table.height(), table.width()), (findings, 13), "{findings}");
            let last =
                findings.checked_sub(1).map(|last| table.column("title").unwrap().get(last).unwrap().to_string());
            assert_eq!(last, findings.checked_sub(1).map(|last| format!("\"finding {last}\"")), "{findings}");
        }
    }
}
