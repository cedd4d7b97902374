//! Progress on stderr: a bar for each stage and provider while it lasts, and its time afterwards.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The progress of a run.
#[derive(Debug)]
pub struct Progress {
    bars: Option<MultiProgress>,
    times: Mutex<Vec<(String, Duration)>>,
}

impl Progress {
    /// Progress with bars, or silent.
    pub fn new(bars: bool) -> Self {
        Self { bars: bars.then(MultiProgress::new), times: Mutex::new(Vec::new()) }
    }

    /// Begins a stage; it ends when the value is dropped. A total makes a bar in bytes, none a spinner.
    pub fn stage(&self, name: impl Into<String>, bytes: Option<u64>) -> Stage<'_> {
        let name = name.into();
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(bytes.map_or_else(ProgressBar::new_spinner, ProgressBar::new));
            let template = if bytes.is_some() {
                "{prefix:>24} {bar:24} {bytes}/{total_bytes}"
            } else {
                "{prefix:>24} {spinner} {elapsed} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_prefix(name.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Stage { progress: self, name, bar, began: Instant::now() }
    }

    /// The stages that ended, in that order, with their times; one that ran several times with the sum.
    pub fn times(&self) -> Vec<(String, Duration)> {
        self.times.lock().map(|times| times.clone()).unwrap_or_default()
    }
}

/// A stage under way.
#[derive(Debug)]
pub struct Stage<'a> {
    progress: &'a Progress,
    name: String,
    bar: Option<ProgressBar>,
    began: Instant,
}

impl Stage<'_> {
    /// Says beside the spinner how far it is.
    pub fn sayer(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let bar = self.bar.clone();
        move |text| {
            if let Some(bar) = &bar {
                bar.set_message(text.to_owned());
            }
        }
    }

    /// Moves the bar.
    pub fn add(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Ok(mut times) = self.progress.times.lock() {
            let (name, elapsed) = (std::mem::take(&mut self.name), self.began.elapsed());
            match times.iter_mut().find(|(held, _)| *held == name) {
                Some((_, time)) => *time += elapsed,
                None => times.push((name, elapsed)),
            }
        }
    }
}
