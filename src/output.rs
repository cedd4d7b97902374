//! Where reports go: destinations as the user writes them, and files that are whole or not there at all.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use evenhand_reports::Report;
use evenhand_reports::asff::Product;
use evenhand_reports::evidence_folder::{DEFAULT_PREFIX, EvidenceFolder, INDEX, is_file_of_folder, listed};

use crate::formats::OutputFormat;

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

/// Checks that at most one output goes to stdout and no two to one file; none at all means a table.
///
/// # Errors
/// A message for the user.
pub fn checked(outputs: &[Output]) -> Result<Vec<Output>, String> {
    if outputs.is_empty() {
        return Ok(vec![Output { format: OutputFormat::TABLE, path: None }]);
    }
    for (at, output) in outputs.iter().enumerate() {
        // Two spellings of one path are one file.
        let place =
            |output: &Output| output.path.as_ref().map(|path| std::path::absolute(path).unwrap_or(path.clone()));
        let same = |earlier: &&Output| place(earlier) == place(output);
        let Some(earlier) = outputs.iter().take(at).find(same) else { continue };
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

/// Checks that outputs can say something: those of findings need rules, those for Security Hub a product.
///
/// # Errors
/// A message for the user.
pub fn sensible(outputs: &[Output], rules: bool, product: Option<&Product>) -> Result<(), String> {
    for format in outputs.iter().filter_map(|output| output.format.listed()) {
        if format.needs_rules && !rules {
            return Err(format!(
                "`-o {}` is about findings, and this verb judges nothing; take `evenhand scan`",
                format.name
            ));
        }
        if format.needs_product && product.is_none() {
            return Err(format!(
                "`-o {}` needs --asff-product: the findings are filed under a product of the account that takes them, as in \
                 `--asff-product arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default`",
                format.name
            ));
        }
    }
    Ok(())
}

/// How a reader of a report finds the evidence folder: below the folder that evenhand runs in by its path from there, elsewhere
/// by its name, where the reader has to put it.
///
/// # Errors
/// A message for the user, where a file is in the way.
pub fn evidence_prefix(folder: Option<&Path>) -> Result<String, String> {
    let Some(folder) = folder else { return Ok(DEFAULT_PREFIX.to_owned()) };
    if folder.exists() && !folder.is_dir() {
        return Err(format!("`{}` is no folder; name another one for --evidence-dir", folder.display()));
    }
    let here = std::env::current_dir().unwrap_or_default();
    let below = folder.strip_prefix(&here).unwrap_or(folder);
    let parts: Vec<_> = below.components().filter(|part| *part != Component::CurDir).collect();
    let named = parts.iter().all(|part| matches!(part, Component::Normal(_))) && !parts.is_empty();
    let parts = if named { parts.as_slice() } else { parts.get(parts.len().saturating_sub(1)..).unwrap_or_default() };
    let names: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect();
    Ok(if names.is_empty() { DEFAULT_PREFIX.to_owned() } else { names.join("/") })
}

/// Writes the evidence folder. Files that an earlier scan wrote there, as its index lists them, and that this one does not
/// write are taken away; whatever else lies there stays.
///
/// # Errors
/// When a folder or file cannot be made, or one of an earlier scan not be taken away.
pub fn to_folder(folder: &Path, report: &Report) -> Result<(), OutputError> {
    let index = std::fs::read_to_string(folder.join(INDEX)).unwrap_or_default();
    let mut stale: BTreeSet<String> = listed(&index).into_iter().collect();
    let evidence = EvidenceFolder::of(report, "");
    evidence.write(|path, _| {
        stale.remove(path);
        Ok::<(), OutputError>(())
    })?;
    // Before anything is written: where a file system tells no `A` from `a`, a stale name may be that of a new file.
    stale.iter().try_for_each(|path| take_away(folder, path))?;
    evidence.write(|path, write| {
        let path = folder.join(path);
        let holder = folder_of(&path);
        std::fs::create_dir_all(holder)
            .map_err(|problem| OutputError { path: Some(holder.to_owned()), reason: reason_of(&problem) })?;
        to_file(&path, |sink| write(sink))
    })
}

/// Takes a file of the evidence folder away, if it is one, with the folders that it leaves empty.
fn take_away(folder: &Path, path: &str) -> Result<(), OutputError> {
    let file = folder.join(path);
    let is_file = std::fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
    // A folder on the way may be a link that leads out.
    let is_inside = || {
        let (holder, folder) = (folder_of(&file).canonicalize(), folder.canonicalize());
        holder.is_ok_and(|holder| folder.is_ok_and(|folder| holder.starts_with(folder)))
    };
    if !is_file || !is_inside() || !std::fs::read(&file).is_ok_and(|text| is_file_of_folder(&text)) {
        return Ok(());
    }
    std::fs::remove_file(&file)
        .map_err(|problem| OutputError { path: Some(file.clone()), reason: reason_of(&problem) })?;
    let below = file.ancestors().skip(1).take_while(|holder| *holder != folder);
    // One that is not empty refuses, and is to stay.
    below.take_while(|holder| std::fs::remove_dir(holder).is_ok()).for_each(drop);
    Ok(())
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
    fn a_form_that_can_say_nothing_is_refused() {
        let outputs = |text: &str| vec![text.parse::<Output>().unwrap()];
        let product = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default".parse().unwrap();
        assert!(sensible(&outputs("sarif"), false, None).unwrap_err().contains("evenhand scan"));
        assert!(sensible(&outputs("asff"), true, None).unwrap_err().contains("--asff-product arn:"));
        assert!(sensible(&outputs("asff"), true, Some(&product)).is_ok());
        assert!(sensible(&outputs("csv:vanta"), false, None).is_ok());
    }

    #[test]
    fn an_evidence_folder_is_found_by_a_relative_path() {
        let here = std::env::current_dir().unwrap();
        for (folder, prefix) in [
            (None, "evenhand-evidence"),
            (Some("evidence".into()), "evidence"),
            (Some("./a/b/".into()), "a/b"),
            (Some(here.join("out/evidence")), "out/evidence"),
            (Some("/no/such/place".into()), "place"),
            (Some("../beside".into()), "beside"),
            (Some("..".into()), "evenhand-evidence"),
            (Some(".".into()), "evenhand-evidence"),
        ] {
            let folder: Option<PathBuf> = folder;
            assert_eq!(evidence_prefix(folder.as_deref()).unwrap(), prefix, "{folder:?}");
        }
        assert!(evidence_prefix(Some(&here.join("Cargo.toml"))).is_err());
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
