//! The forms of report. `-o`, its help, its errors and the reference are made from the one list in here.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use evenhand_model::table::TableSpec;
use evenhand_reports::asff::Product;
use evenhand_reports::evidence_folder::EvidenceFolder;
use evenhand_reports::report::WriteError;
use evenhand_reports::{Report, asff, csv, html, json, junit, markdown, ocsf, oscal, sarif, terminal};
use evenhand_rules::facts::tables::TABLES;

use crate::lookup::nearest;

/// What a form is made from.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The report.
    pub report: &'a Report,
    /// The terminal, or what stands for one in a file.
    pub screen: terminal::Options,
    /// How a reader of the report finds the evidence folder: a relative path.
    pub evidence: &'a str,
    /// The product in Security Hub, where the user named one.
    pub product: Option<&'a Product>,
}

/// A form of report.
#[derive(Debug)]
pub struct Format {
    /// Its name, as after `-o`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Whether it is about findings, so that it says nothing where no rules are evaluated.
    pub needs_rules: bool,
    /// Whether it says what was not read, so that it is worth writing where nobody was found.
    pub tells_gaps: bool,
    /// Whether it needs [`Rendering::product`].
    pub needs_product: bool,
    write: fn(Rendering<'_>, &mut dyn Write) -> Result<(), WriteError>,
}

/// A form of findings that says what was not read.
const FINDINGS: Format =
    Format { name: "", about: "", needs_rules: true, tells_gaps: true, needs_product: false, write: |_, _| Ok(()) };

/// Every form, in the order of the help. A new one is a line in here.
pub const FORMATS: &[Format] = &[
    Format {
        name: "table",
        about: "for people, in as many columns as the terminal has",
        needs_rules: false,
        tells_gaps: false,
        write: |with, sink| match with.report.score {
            Some(_) => terminal::write(with.report, with.screen, sink),
            None => terminal::inventory(with.report, with.screen, sink),
        },
        ..FINDINGS
    },
    Format {
        name: "json",
        about: "everything, for programs; `evenhand schema report` describes it",
        needs_rules: false,
        write: |with, sink| json::write(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "html",
        about: "one page for people, to open, print and send on",
        needs_rules: false,
        write: |with, sink| html::write(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "sarif",
        about: "SARIF 2.1.0, for code scanning; see --evidence-dir",
        write: |with, sink| sarif::write(with.report, &EvidenceFolder::of(with.report, with.evidence), sink),
        ..FINDINGS
    },
    Format {
        name: "junit",
        about: "JUnit XML, for build servers",
        write: |with, sink| junit::write(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "markdown",
        about: "for the summary of a pipeline step",
        write: |with, sink| markdown::write(with.report, markdown::Size::SUMMARY, sink),
        ..FINDINGS
    },
    Format {
        name: "markdown:comment",
        about: "the same, short enough for a comment on a pull request",
        write: |with, sink| markdown::write(with.report, markdown::Size::COMMENT, sink),
        ..FINDINGS
    },
    Format {
        name: "ocsf",
        about: "OCSF 1.8.0 events, one a line, for a SIEM",
        write: |with, sink| ocsf::write(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "asff",
        about: "AWS Security Hub findings, one batch a line; needs --asff-product",
        needs_product: true,
        write: |with, sink| match with.product {
            Some(product) => asff::write(with.report, product, sink),
            None => Err(io::Error::other("no product is named; name one with --asff-product").into()),
        },
        ..FINDINGS
    },
    Format {
        name: "oscal",
        about: "OSCAL 1.2.1 assessment results, for GRC tools",
        write: |with, sink| oscal::write(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "csv:findings",
        about: "findings, one row each",
        needs_rules: false,
        tells_gaps: false,
        write: |with, sink| csv::findings(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "csv:inventory",
        about: "identities, one row each, for access reviews",
        needs_rules: false,
        tells_gaps: false,
        write: |with, sink| csv::inventory(with.report, sink),
        ..FINDINGS
    },
    Format {
        name: "csv:vanta",
        about: "the access file that Vanta imports",
        needs_rules: false,
        tells_gaps: false,
        write: |with, sink| csv::vanta(with.report, sink),
        ..FINDINGS
    },
];

/// A form as the user names it: one of the list, or a fact table as CSV.
#[derive(Clone, Copy, Debug)]
pub enum OutputFormat {
    /// One of [`FORMATS`].
    Listed(&'static Format),
    /// One fact table as CSV.
    CsvTable(&'static str),
}

impl PartialEq for OutputFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && matches!(self, Self::Listed(_)) == matches!(other, Self::Listed(_))
    }
}

impl Eq for OutputFormat {}

impl OutputFormat {
    /// For people.
    pub const TABLE: Self = Self::Listed(first());

    fn name(&self) -> &'static str {
        match self {
            Self::Listed(format) => format.name,
            Self::CsvTable(name) => name,
        }
    }

    /// The entry of the list; `None` for a fact table.
    pub fn listed(&self) -> Option<&'static Format> {
        match self {
            Self::Listed(format) => Some(format),
            Self::CsvTable(_) => None,
        }
    }

    /// Writes the report in this form.
    ///
    /// # Errors
    /// When the sink refuses.
    pub fn write(&self, with: Rendering<'_>, sink: &mut dyn Write) -> Result<(), WriteError> {
        match self {
            Self::Listed(format) => (format.write)(with, sink),
            Self::CsvTable(name) => match with.report.tables.iter().find(|table| table.spec.name == *name) {
                Some(table) => csv::table(table, sink),
                None => Ok(()),
            },
        }
    }
}

/// The form that is taken where the user names none.
const fn first() -> &'static Format {
    match FORMATS {
        [first, ..] => first,
        [] => &FINDINGS,
    }
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(format) = FORMATS.iter().find(|format| format.name == text) {
            return Ok(Self::Listed(format));
        }
        let table = text.strip_prefix("csv:").and_then(|name| TABLES.iter().find(|table| table.name == name));
        table.map(|table| Self::CsvTable(table.name)).ok_or_else(|| {
            let tables = TABLES.iter().map(|table: &&TableSpec| format!("csv:{}", table.name));
            let known: Vec<String> = FORMATS.iter().map(|format| format.name.to_owned()).chain(tables).collect();
            if text == "csv" {
                return format!(
                    "say of what, as in `csv:findings` or `csv:inventory`; known formats: {}",
                    known.join(", ")
                );
            }
            if text == "parquet" {
                let known = known.join(", ");
                return format!(
                    "Parquet files are what `--save STORE` writes, a folder or a bucket; known formats: {known}"
                );
            }
            let near = nearest(text, known.iter().map(String::as_str));
            let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            format!("{meant}known formats: {}", known.join(", "))
        })
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(format) => f.write_str(format.name),
            Self::CsvTable(name) => write!(f, "csv:{name}"),
        }
    }
}

/// The help of `-o`, with every form.
pub fn help() -> String {
    let widest = FORMATS.iter().map(|format| format.name.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        FORMATS.iter().map(|format| format!("  {:<widest$}  {}", format.name, format.about)).collect();
    format!(
        "A report and where it goes; without a path to stdout, and only one of them. Repeatable. Default: table.\n\n{}\n  \
         {:<widest$}  a fact table, one row each: docs/tables.md lists them",
        lines.join("\n"),
        "csv:<table>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_known_by_its_name_alone() {
        for (at, format) in FORMATS.iter().enumerate() {
            assert_eq!(format.name.parse::<OutputFormat>().unwrap().to_string(), format.name);
            assert!(!FORMATS.iter().skip(at + 1).any(|other| other.name == format.name), "{}", format.name);
            let table = format.name.strip_prefix("csv:").unwrap_or_default();
            assert!(!TABLES.iter().any(|spec| spec.name == table), "{} hides a table", format.name);
            assert!(!format.about.is_empty() && help().contains(format.about));
        }
        assert_eq!(OutputFormat::TABLE.to_string(), "table");
        assert!("csv".parse::<OutputFormat>().unwrap_err().starts_with("say of what, as in `csv:findings`"));
        assert!("parquet".parse::<OutputFormat>().unwrap_err().contains("`--save STORE`"));
        assert!("sarf".parse::<OutputFormat>().unwrap_err().starts_with("did you mean `sarif`?"));
    }
}
