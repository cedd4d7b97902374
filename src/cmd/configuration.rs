//! Which configuration and which waivers are in force.

use std::path::PathBuf;

use evenhand_model::proposal::quoted;

use super::{Failure, Invocation, without_word};
use crate::config::{self, Config};

impl Invocation {
    /// The configuration in force for these sources.
    pub(super) fn config(&self, sources: &[PathBuf]) -> Result<Config, Failure> {
        if self.global.no_config {
            return Ok(Config::default());
        }
        let sources = without_word(sources).unwrap_or(sources);
        let path = match &self.global.config {
            Some(path) => Some(path.clone()),
            None => found(config::NAME, "a configuration", sources)?,
        };
        let mut config = match &path {
            Some(path) => Config::read(path, &self.providers)?,
            None => Config::default(),
        };
        if let Some(path) = &path {
            self.console.detail(&format!("configuration: {}", path.display()));
        }
        // A configuration that is named brings its own waivers or none: those of a source may be somebody else's.
        if config.waiver_file.is_none()
            && self.global.config.is_none()
            && let Some(file) = found(config::WAIVERS, "waivers", sources)?
        {
            config.read_waivers(&file)?;
        }
        if let Some(file) = &config.waiver_file {
            self.console.detail(&format!("waivers: {file}"));
        }
        Ok(config)
    }

    /// As [`Invocation::config`], for verbs that judge by it: where none is in force and one lies above a source, that is
    /// told.
    pub(super) fn config_to_judge_by(&self, sources: &[PathBuf]) -> Result<Config, Failure> {
        let config = self.config(sources)?;
        let named = without_word(sources).unwrap_or(sources);
        if config.file.is_none()
            && !self.global.no_config
            && let Some((file, source)) = config::above_source(config::NAME, named)
        {
            self.console.warning(
                &format!("no configuration is used, though `{}` lies above `{}`", file.display(), source.display()),
                Some(&format!("use it with `--config {}`, or say `--no-config`", quoted(&file.to_string_lossy()))),
            );
        }
        Ok(config)
    }
}

/// The file of this name in force for these sources; `what` it holds, for people.
fn found(name: &str, what: &str, sources: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
    config::find(name, sources).map_err(|several| {
        let several: Vec<String> = several.iter().map(|file| format!("`{}`", file.display())).collect();
        Failure::new(
            format!("several sources hold {what}: {}", several.join(", ")),
            match name == config::NAME {
                true => "name the one that speaks for all of them with --config, or leave them out with --no-config",
                false => "put them into one file beside the configuration, or leave them out with --no-config",
            },
        )
    })
}
