//! Calls and the documents that their answers become: asked, taken from an earlier collection, or known to be missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::Ordering;

use evenhand_collect::{Lines, NoAnswer, lock};
use evenhand_model::refusal::{Refusal, Why};

use super::Failed;
use super::client::{Got, Refused, Reply};
use super::document::{self, HeldLine};
use super::page::{NoPage, Whole};
use super::run::Run;
use super::table::{Leads, Of, Pages, Reach, Step, is_answer};
use crate::documents::manifest::Tag;
use crate::documents::route::{Asked, Route};

/// How the work on something ended.
pub(super) enum Ended {
    /// Everything was asked, whatever came of it.
    Whole,
    /// The collection ends.
    Early,
}

/// Why a line was not written.
enum NoLine {
    /// The collection ends.
    Early,
    Disk(io::Error),
}

impl From<io::Error> for NoLine {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Run {
    /// The answers of some calls as one document; `call`: which one, where it is one only.
    pub(super) async fn document(
        &self,
        of: &Of,
        call: Option<&'static Step>,
        steps: &[&'static Step],
        leads: &mut Leads,
    ) -> Ended {
        let host = &self.client.host.name;
        let name = document::name(host, of, call);
        let mut held = match self.plan.resume {
            true => document::read(&self.plan.folder, &name, host),
            false => BTreeMap::new(),
        };
        let done = match Lines::begin(&self.plan.folder, &name) {
            Ok(mut lines) => {
                let done = self.lines(of, steps, leads, &mut held, &mut lines).await;
                done.and_then(|ended| Ok((self.close(lines, &name, &ended, held)?, ended).1))
            }
            Err(error) => Err(error),
        };
        match done {
            Ok(ended) => ended,
            Err(error) => {
                self.ledger.written(Err(error));
                Ended::Early
            }
        }
    }

    /// Ends a document. One that ended early holds what it held before, too.
    fn close(&self, mut lines: Lines, name: &str, ended: &Ended, held: BTreeMap<String, HeldLine>) -> io::Result<()> {
        if let Ended::Early = ended {
            held.values().try_for_each(|line| line.copy_to(&mut lines))?;
        }
        let answered = lines.answered();
        if lines.finish()? {
            let mut progress = lock(&self.progress);
            progress.answered += answered;
            progress.documents += 1;
        } else {
            // What an earlier collection was refused does not count any more.
            self.plan.folder.remove(name)?;
        }
        Ok(())
    }

    async fn lines(
        &self,
        of: &Of,
        steps: &[&'static Step],
        leads: &mut Leads,
        held: &mut BTreeMap<String, HeldLine>,
        lines: &mut Lines,
    ) -> io::Result<Ended> {
        for step in steps {
            let values = match step.each {
                None => BTreeSet::from([String::new()]),
                Some(_) => leads.remove(&step.route).unwrap_or_default(),
            };
            let paths: Vec<String> = values.iter().map(|value| step.path(of, value)).collect();
            for path in &paths {
                lock(&self.progress).pend(path.clone());
            }
            for path in paths {
                let line = match held.remove(&path) {
                    Some(line) => {
                        let done = self.go_on(of, step, &path, &line, lines, leads).await;
                        if let Err(NoLine::Early) = done {
                            // What was there before stays, whatever it would have become.
                            held.insert(path.clone(), line);
                        }
                        done
                    }
                    None => self.ask(of, step, &path, lines, leads).await,
                };
                match line {
                    Ok(()) => lock(&self.progress).made(&path),
                    Err(NoLine::Early) => return Ok(Ended::Early),
                    Err(NoLine::Disk(error)) => return Err(error),
                }
            }
            if step.route == Route::Repository && self.is_hidden(&of.place()) {
                // Whoever is not told of a repository is told nothing else about it.
                lock(&self.progress).leave_out(of);
                return Ok(Ended::Whole);
            }
            // What a list led to before is not lost because the list is not answered now.
            if !held.is_empty() && self.is_unanswered(of, step) {
                let is_led = |path: &&String| Asked::parse(path).is_some_and(|asked| asked.route == step.route);
                let rest: Vec<String> = held.keys().filter(is_led).cloned().collect();
                rest.iter().filter_map(|path| held.remove(path)).try_for_each(|line| line.copy_to(lines))?;
            }
        }
        Ok(Ended::Whole)
    }

    /// Whether the call that leads to this one brought no answer in this run.
    fn is_unanswered(&self, of: &Of, step: &Step) -> bool {
        let leading = step.each.and_then(|each| Step::of(step.reach).find(|leading| leading.route == each.of));
        leading.is_some_and(|leading| lock(&self.progress).unanswered.contains(&leading.path(of, "")))
    }

    /// Uses an answer that is there again, or asks anew. Where that brings no answer, both stay: what is known from before,
    /// with what it leads to, and that it may not be so any more.
    async fn go_on(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        line: &HeldLine,
        lines: &mut Lines,
        leads: &mut Leads,
    ) -> Result<(), NoLine> {
        match self.is_as_it_was(of, step, path, line, leads).await {
            Some(true) => {
                line.copy_to(lines)?;
                self.notice(step);
                Ok(())
            }
            Some(false) => {
                self.ask(of, step, path, lines, leads).await?;
                let unanswered = lock(&self.progress).unanswered.contains(path);
                if unanswered && self.follow(step, line, leads) {
                    line.copy_to(lines)?;
                    self.notice(step);
                }
                Ok(())
            }
            None => Err(NoLine::Early),
        }
    }

    /// Notes what an answer that is there leads to; false where it cannot be understood.
    fn follow(&self, step: &'static Step, line: &HeldLine, leads: &mut Leads) -> bool {
        let mut whole = Whole::new(step, &self.plan.fingerprinter);
        let response = line.response().unwrap_or_default();
        whole.page(response.as_bytes(), &mut io::sink(), leads).is_ok()
    }

    /// Whether an answer that is there may be used again; then with what it leads to. `None` = the collection ends.
    ///
    /// What an organisation's lists lead to decides what is asked, so these are asked for again, unless GitHub says that
    /// they are as they were, which costs nothing; so is what the organisation says of itself, its number of repositories.
    async fn is_as_it_was(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        line: &HeldLine,
        leads: &mut Leads,
    ) -> Option<bool> {
        if step.is_asked_again() && line.answered {
            let tags = lock(&self.progress).tags(path);
            if step.reach == Reach::Organisation {
                if tags.is_empty() {
                    return Some(false);
                }
                for Tag { page, tag } in tags {
                    match self.client.get(self.asked_by(of), &page, Some(&tag)).await {
                        Ok(Reply::Unchanged) => {}
                        Ok(_) => return Some(false),
                        Err(no) => return if self.is_end(no) { None } else { Some(false) },
                    }
                }
            }
            return Some(self.follow(step, line, leads));
        }
        Some(true)
    }

    /// Notes what the capture holds.
    fn notice(&self, step: &Step) {
        if matches!(step.route, Route::Members | Route::Installations) {
            self.identities.store(true, Ordering::Relaxed);
        }
    }

    /// Makes a call until its answer is whole: all pages, each on disk before the next is asked for.
    async fn ask(
        &self,
        of: &Of,
        step: &'static Step,
        path: &str,
        lines: &mut Lines,
        leads: &mut Leads,
    ) -> Result<(), NoLine> {
        if !self.goes_on() {
            return Err(NoLine::Early);
        }
        let asked = document::asked(&self.client.host.name, path);
        let mark = lines.open(&asked)?;
        let mut whole = Whole::new(step, &self.plan.fingerprinter);
        let mut address = step.page(path, self.client.pace.page);
        let mut tags = Vec::new();
        let mut refused = None;
        for _ in 0..self.client.pace.pages {
            match self.client.get(self.asked_by(of), &address, None).await {
                Ok(Reply::Answer(Got { page, next, tag, .. })) => {
                    match whole.page(&page.bytes, lines.sink(), leads) {
                        Ok(()) => {}
                        Err(NoPage::Malformed) => {
                            refused = Some(not_understood());
                            break;
                        }
                        Err(NoPage::Disk(error)) => return Err(error.into()),
                    }
                    drop(page);
                    tags.extend(tag.map(|tag| Tag { page: address.clone(), tag }));
                    match next.filter(|_| step.pages != Pages::First) {
                        Some(next) if next == address => break,
                        Some(next) => address = next,
                        None => {
                            whole.finish(lines.sink())?;
                            lines.close()?;
                            self.notice(step);
                            if step.is_asked_again() && step.reach == Reach::Organisation {
                                lock(&self.progress).set_tags(path, tags);
                            }
                            return Ok(());
                        }
                    }
                }
                Ok(Reply::Empty) => {
                    lines.take_back(mark)?;
                    lines.open(&asked)?;
                    lines.sink().write_all(b"null")?;
                    lines.close()?;
                    return Ok(());
                }
                Ok(Reply::Unchanged) => {
                    refused = Some(not_understood());
                    break;
                }
                Ok(Reply::Refused(no)) => {
                    refused = Some(no);
                    break;
                }
                Err(no) => {
                    lines.take_back(mark)?;
                    let trouble = match no {
                        NoAnswer::Refused(ref trouble) if !self.is_end(no.clone()) => trouble.clone(),
                        _ => return Err(NoLine::Early),
                    };
                    if trouble.refusal.why == Why::Refused {
                        // It is no call that is refused, but the token to make it with.
                        self.uninstalled(of, &trouble);
                        if step.route != Route::Organisation {
                            return Err(NoLine::Early);
                        }
                    } else {
                        self.unanswered(step, path);
                        self.failed(of, step, &trouble.refusal, trouble.detail);
                    }
                    lines.refused(&document::refused(&self.client.host.name, path, trouble.refusal, None))?;
                    return Ok(());
                }
            }
        }
        lines.take_back(mark)?;
        // Half a list must not look like a whole one.
        let Refused { refusal, accepted } = refused
            .unwrap_or_else(|| Refused { refusal: Refusal::new("EndlessPages", Why::Malformed), accepted: None });
        if let Some(kind) = step.whole().filter(|_| refusal.code.starts_with("404")) {
            lock(&self.progress).hidden.insert(of.place());
            self.ledger.failed(Failed {
                place: of.place(),
                call: None,
                code: refusal.code.clone(),
                detail: Some(format!("there is no such {kind}, or the credentials may not see it")),
                facts: "everything".to_owned(),
            });
        } else if !is_answer(step.route, &refusal) {
            self.unanswered(step, path);
            self.failed(of, step, &refusal, step.needs(&refusal, accepted.as_deref()));
        }
        lines.refused(&document::refused(&self.client.host.name, path, refusal, accepted))?;
        Ok(())
    }

    /// Notes that a call that is asked again brought no answer.
    fn unanswered(&self, step: &Step, path: &str) {
        if step.is_asked_again() {
            lock(&self.progress).unanswered.insert(path.to_owned());
        }
    }
}

/// An answer that is none to the question.
fn not_understood() -> Refused {
    Refused { refusal: Refusal::new("NotUnderstood", Why::Malformed), accepted: None }
}
