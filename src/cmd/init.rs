//! `evenhand init`: a configuration to begin with, from what is found. It never replaces a file.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use evenhand_reports::text::counted;
use evenhand_rules::evaluate::Keep;
use evenhand_rules::pack::RuleSet;

use super::{Failure, Invocation, without_word};
use crate::assess::{self, Options};
use crate::cli;
use crate::config::Config;
use crate::gate::Exit;
use crate::init;
use crate::output::to_stdout;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Init) -> Result<Exit, Failure> {
    let file = (arguments.out != Path::new("-")).then_some(&*arguments.out);
    // Before everything is read.
    if let Some(file) = file.filter(|file| std::fs::symlink_metadata(file).is_ok()) {
        return Err(is_there(file));
    }
    if invocation.global.config.is_some() {
        invocation
            .console
            .note("the configuration in use is left aside: what is proposed comes from the sources alone");
    }
    let folders = folders(&arguments.sources, file.unwrap_or(Path::new("")))?;
    let progress = invocation.progress();
    let config = Config::default();
    let (capture, now) = invocation.read(&arguments.sources, &config, &arguments.input, &progress)?;
    if capture.inventory.identities.is_empty() {
        return Err(invocation.nobody(&capture));
    }
    let partial = capture.is_partial();
    let rules = RuleSet::default();
    let options =
        Options { config: &config, rules: &rules, strict: false, stable_fingerprints: false, now, progress: &progress };
    let assessed = assess::assess(capture, options, Keep::Report).assessed;
    let possible = assess::possible_agents(&assessed, &config);
    let proposal = init::propose(&assessed, &possible, &folders);
    let said = format!(
        "{} to review, {} in the register",
        counted(proposal.jobs, "job", "jobs"),
        counted(proposal.registered, "agent or tool server", "agents and tool servers")
    );
    match file {
        None => to_stdout(|sink| sink.write_all(proposal.text.as_bytes()))?,
        Some(file) => write_new(file, &proposal.text)?,
    }
    match file {
        None => invocation.console.note(&said),
        Some(file) => invocation.console.note(&format!("`{}` is written: {said}", file.display())),
    }
    Ok(if partial { Exit::Incomplete } else { Exit::Passed })
}

fn is_there(file: &Path) -> Failure {
    Failure::new(
        format!("`{}` is there already, and is not replaced", file.display()),
        "name another file with --out, or print the proposal with `--out -`",
    )
}

/// Writes a file that is not there yet; one that has come meanwhile is left alone too.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let written = std::fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(path),
        _ => Failure::new(
            format!("`{}` could not be written: {error}", path.display()),
            "name a file where this user may write, or print the proposal with `--out -`",
        ),
    })
}

/// The sources as a configuration at this place names them: relative to it where they lie below.
fn folders(sources: &[PathBuf], file: &Path) -> Result<Vec<String>, Failure> {
    // The word `agents` narrows a scan, and no setting does.
    if without_word(sources).is_some() {
        return Ok(Vec::new());
    }
    let beside = file.parent().unwrap_or(Path::new(""));
    let named = sources.iter().map(|source| {
        let path = from_beside(source, beside)
            .unwrap_or_else(|| std::path::absolute(source).unwrap_or_else(|_| source.clone()));
        path.to_str().map(str::to_owned).ok_or_else(|| {
            Failure::new(
                format!("`{}` is no Unicode text, and a configuration cannot name it", source.display()),
                "rename it, or run `evenhand init` without it",
            )
        })
    });
    named.collect()
}

/// A source as seen from the folder of a configuration: relative where it lies below, or where both are named relative to
/// the folder that evenhand runs in. `None` where only its whole path is certain.
fn from_beside(source: &Path, beside: &Path) -> Option<PathBuf> {
    let parts = |path: &Path| -> Vec<PathBuf> {
        let parts = path.components().filter(|part| *part != Component::CurDir);
        parts.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    let (of, from) = (parts(source), parts(beside));
    let shared = of.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let (below, up) = (of.get(shared..)?, from.get(shared..)?);
    let may_climb = |path: &Path| path.is_absolute() || path.components().any(|part| part == Component::ParentDir);
    if !up.is_empty() && (may_climb(source) || may_climb(beside)) {
        return None;
    }
    // An absolute source shares nothing with a configuration that is named relative to here.
    if source.is_absolute() != beside.is_absolute() {
        return None;
    }
    let path: PathBuf = up.iter().map(|_| Path::new("..")).chain(below.iter().map(PathBuf::as_path)).collect();
    Some(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_as_seen_from_the_file() {
        let of = |source: &str, file: &str| folders(&[source.into()], Path::new(file)).unwrap();
        assert_eq!(of("capture", "evenhand.toml"), ["capture"]);
        assert_eq!(of("/srv/capture", "evenhand.toml"), ["/srv/capture"]);
        assert_eq!(of("conf/capture", "conf/evenhand.toml"), ["capture"]);
        assert_eq!(of("conf", "conf/evenhand.toml"), ["."]);
        assert_eq!(of("capture", "conf/evenhand.toml"), ["../capture"]);
        assert_eq!(of("a/b", "a/c/evenhand.toml"), ["../b"]);
        for file in ["./evenhand.toml", "./x", "evenhand.toml"] {
            assert_eq!(of("capture", file), ["capture"], "{file}");
            assert_eq!(of("./capture", file), ["capture"], "{file}");
            assert_eq!(of(".", file), ["."], "{file}");
        }
        assert_eq!(of("/srv/capture", "/srv/evenhand.toml"), ["capture"]);
        // Where a link may lie on the way, nothing is certain but the whole path.
        assert!(Path::new(&of("capture", "../conf/evenhand.toml")[0]).is_absolute());
        assert_eq!(of("agents", "evenhand.toml"), Vec::<String>::new());
    }
}
