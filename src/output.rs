//! Where reports go: formats and destinations as the user writes them, and files that are whole or not there at all.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use evenhand_model::table::TableSpec;
use evenhand_rules::facts::tables::TABLES;

/// A form of report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputFormat {
    /// For people.
    Table,
    /// Everything, for programs.
    Json,
    /// Findings as CSV.
    CsvFindings,
    /// Identities as CSV, for access reviews.
    CsvInventory,
    /// One fact table as CSV.
    CsvTable(&'static str),
}

/// An `-o` option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// The form.
    pub format: OutputFormat,
    /// The file; `None` = stdout.
    pub path: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = match text.split_once('=') {
            Some((format, "-")) => (format, None),
            Some((_, "")) => return Err("the path after `=` is empty; write `-` for stdout".to_owned()),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, path })
    }
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "csv:findings" => Ok(Self::CsvFindings),
            "csv:inventory" => Ok(Self::CsvInventory),
            _ => {
                let table = text.strip_prefix("csv:").and_then(|name| TABLES.iter().find(|table| table.name == name));
                let known = || {
                    let tables = TABLES.iter().map(|table: &&TableSpec| format!("csv:{}", table.name));
                    let plain = ["table", "json", "csv:findings", "csv:inventory"].map(str::to_owned);
                    plain.into_iter().chain(tables).collect::<Vec<_>>().join(", ")
                };
                table.map(|table| Self::CsvTable(table.name)).ok_or_else(|| format!("known formats: {}", known()))
            }
        }
    }
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("table"),
            Self::Json => f.write_str("json"),
            Self::CsvFindings => f.write_str("csv:findings"),
            Self::CsvInventory => f.write_str("csv:inventory"),
            Self::CsvTable(name) => write!(f, "csv:{name}"),
        }
    }
}

/// Checks that at most one output goes to stdout and no two to one file; none at all means a table.
///
/// # Errors
/// A message for the user.
pub fn checked(outputs: &[Output]) -> Result<Vec<Output>, String> {
    if outputs.is_empty() {
        return Ok(vec![Output { format: OutputFormat::Table, path: None }]);
    }
    for (at, output) in outputs.iter().enumerate() {
        let Some(earlier) = outputs.iter().take(at).find(|earlier| earlier.path == output.path) else { continue };
        let place = output.path.as_ref().map_or("stdout".to_owned(), |path| format!("`{}`", path.display()));
        return Err(format!(
            "`-o {}` and `-o {}` both go to {place}; give one of them another file, as in `-o {}=FILE`",
            earlier.format, output.format, output.format
        ));
    }
    // Known now, not after everything was read.
    for path in outputs.iter().filter_map(|output| output.path.as_deref()) {
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(format!(
                "`{}` cannot be written: there is no folder `{}`; make it first",
                path.display(),
                folder.display()
            ));
        }
        if path.is_dir() {
            return Err(format!("`{}` is a folder; name a file in it", path.display()));
        }
    }
    Ok(outputs.to_vec())
}

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} could not be written: {reason}", place(.path))]
pub struct OutputError {
    /// The file; `None` = stdout.
    path: Option<PathBuf>,
    reason: String,
}

fn place(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or("stdout".to_owned(), |path| format!("`{}`", path.display()))
}

impl OutputError {
    /// Whether a file is at fault, and not stdout.
    pub fn is_file(&self) -> bool {
        self.path.is_some()
    }
}

/// Writes to stdout, where a reader that goes away is no error.
///
/// # Errors
/// When stdout refuses for another reason.
pub fn to_stdout<E: fmt::Display>(write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), OutputError> {
    let mut sink = Forgiving { inner: BufWriter::with_capacity(1 << 16, io::stdout().lock()), gone: false };
    let error = |reason: String| OutputError { path: None, reason };
    write(&mut sink).map_err(|problem| error(problem.to_string()))?;
    sink.flush().map_err(|problem| error(reason_of(&problem)))
}

/// A sink that swallows everything once its reader is gone.
struct Forgiving<W> {
    inner: W,
    gone: bool,
}

impl<W: Write> Forgiving<W> {
    fn forgive<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(instead)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Forgiving<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let result = self.inner.write(bytes);
        self.forgive(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let result = self.inner.flush();
        self.forgive(result, ())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes a file: first under another name beside it, then renamed, so that nobody reads half of it.
///
/// # Errors
/// When the folder is missing, or the file system refuses.
pub fn to_file<E: fmt::Display>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), OutputError> {
    let error = |reason: String| OutputError { path: Some(path.to_owned()), reason };
    // A device or pipe cannot be replaced, only written.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let file = std::fs::OpenOptions::new().write(true).open(path).map_err(|problem| error(reason_of(&problem)))?;
        let mut sink = Forgiving { inner: BufWriter::new(file), gone: false };
        write(&mut sink).map_err(|problem| error(problem.to_string()))?;
        return sink.flush().map_err(|problem| error(reason_of(&problem)));
    }
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".evenhand-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder).map_err(|problem| error(reason_of(&problem)))?;
    let mut sink = BufWriter::with_capacity(1 << 16, file);
    write(&mut sink).map_err(|problem| error(problem.to_string()))?;
    let file = sink.into_inner().map_err(|problem| error(reason_of(problem.error())))?;
    file.persist(path).map(drop).map_err(|problem| error(reason_of(&problem.error)))
}

/// Why the system refuses a file, without the name that the file has until it is whole.
fn reason_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "this user may not write there".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::StorageFull => "no room is left".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_paths_are_read_as_written() {
        let parsed = |text: &str| text.parse::<Output>();
        assert_eq!(parsed("json=a=b.json").unwrap().path, Some("a=b.json".into()));
        assert_eq!(parsed("json=-").unwrap().path, None);
        assert_eq!(parsed("csv:excess").unwrap().format, OutputFormat::CsvTable("excess"));
        assert!(parsed("jsn").unwrap_err().contains("csv:inventory"));
        assert!(parsed("json=").is_err());
    }

    #[test]
    fn one_output_at_most_goes_to_each_place() {
        let outputs: Vec<Output> = ["table", "json"].iter().map(|text| text.parse().unwrap()).collect();
        assert!(checked(&outputs).unwrap_err().contains("stdout"));
        assert_eq!(checked(&[]).unwrap().len(), 1);
    }

    #[test]
    fn a_refused_file_is_named_as_the_user_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/such/out.json");
        let error = to_file(&path, |sink| sink.write_all(b"whole")).unwrap_err().to_string();
        assert_eq!(error, format!("`{}` could not be written: entity not found", path.display()));
    }

    #[test]
    fn a_failed_write_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let failed = to_file(&path, |sink| sink.write_all(b"half").and(Err(io::Error::other("no"))));
        assert!(failed.is_err() && !path.exists());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        to_file(&path, |sink| sink.write_all(b"whole")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }
}
