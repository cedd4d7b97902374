//! CSV, read back in another language.

use std::process::Command;

use crate::{file, reports, said};

/// Reads a file and checks that no cell is a formula and that a column is a key.
const SCRIPT: &str = "\
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))
key, columns = sys.argv[2], sys.argv[3:]
assert rows and all(None not in row and None not in row.values() for row in rows), 'a row of another length'
assert not columns or list(rows[0]) == columns, list(rows[0])
keys = [row[key] for row in rows]
assert len(keys) == len(set(keys)), 'the key repeats'
assert not any(value.lstrip(' ')[:1] in ('=', '+', '@') for row in rows for value in row.values()), 'a formula'
";

#[test]
fn the_csv_reads_back_in_another_language() {
    for (format, key, columns) in [
        ("csv:findings", "finding_id", &[] as &[&str]),
        ("csv:inventory", "id", &[]),
        ("csv:vanta", "Account name", &["Account name", "Account owner", "Role", "Status"]),
    ] {
        for report in reports(format, &[]) {
            let name = format!("{}.csv", format.replace(':', "-"));
            let read = |text: &str| {
                Command::new("python3")
                    .args(["-c", SCRIPT])
                    .arg(file("csv", &name, text))
                    .arg(key)
                    .args(columns)
                    .output()
                    .unwrap_or_else(|error| panic!("missing: python3, to read the CSV back: {error}"))
            };
            let done = read(&report);
            assert!(done.status.success(), "{format}: {}", said(&done));
            let header = report.lines().next().expect("a header");
            let formula = format!("{report}{}=1\n", ",".repeat(header.matches(',').count()));
            assert!(!read(&formula).status.success(), "a formula must be refused");
        }
    }
}
