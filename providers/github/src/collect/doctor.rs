//! Which calls the present credentials may make: each is tried once, for one thing at most, and nothing is kept.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use evenhand_collect::{NoAnswer, NoCapture, Permission, State, Stopper, Trouble};
use evenhand_model::refusal::Why;

use super::client::{Pace, Refused, Reply, unaccepted};
use super::page::Whole;
use super::plan::Plan;
use super::run::Run;
use super::table::{Leads, Of, Reach, Step, is_answer, is_name};
use super::{CollectError, Options, run};
use crate::documents::route::Route;

/// Tries every call with the credentials at hand, about each organisation and one repository of it; returns them with what
/// is worth knowing of the credentials.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
    // One page is enough to know whether a call may be made.
    let pace = Pace { first_page: true, ..Pace::default() };
    run(options, Plan::new(options)?, stopper, pace, Run::try_all)
}

/// What is tried of something, and what came of it.
#[derive(Default)]
struct Tried {
    permissions: Vec<Permission>,
    notes: BTreeSet<String>,
}

impl Run {
    /// Tries every call once, in its cheapest form.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<(Vec<Permission>, Vec<String>), CollectError> {
        let mut tried = Tried::default();
        for name in self.organisations() {
            let mut leads = Leads::new();
            let organisation = Of::Organisation(name.clone());
            self.try_reach(&organisation, Reach::Organisation, &mut leads, &mut tried).await?;
            let found = leads.remove(&Route::Repository).unwrap_or_default().into_iter().next();
            let found =
                found.and_then(|found| Some(found.split(' ').next()?.to_owned())).filter(|found| is_name(found));
            if let Some(repository) = self.named(name).or(found) {
                let repository = Of::Repository(name.clone(), repository);
                self.try_reach(&repository, Reach::Repository, &mut Leads::new(), &mut tried).await?;
            }
        }
        if let Some(name) = self.enterprise() {
            let enterprise = Of::Enterprise(name.to_owned());
            self.try_reach(&enterprise, Reach::Enterprise, &mut Leads::new(), &mut tried).await?;
        }
        Ok((tried.permissions, tried.notes.into_iter().collect()))
    }

    async fn try_reach(&self, of: &Of, reach: Reach, leads: &mut Leads, tried: &mut Tried) -> Result<(), CollectError> {
        let mut unanswered: BTreeSet<Route> = BTreeSet::new();
        let mut hidden = false;
        for step in Step::of(reach) {
            let value = match step.each {
                None => Some(String::new()),
                Some(_) => leads.remove(&step.route).unwrap_or_default().into_iter().next(),
            };
            let leading = step.each.map(|each| each.of);
            let (state, needs) = match value {
                _ if hidden => (State::NotTried, None),
                None if leading.is_some_and(|leading| unanswered.contains(&leading)) => (State::NotTried, None),
                None => (State::NothingToAsk, None),
                Some(value) => self.try_one(of, step, &value, leads, tried).await?,
            };
            if state.is_missing() {
                unanswered.insert(step.route);
            }
            if let (Some(kind), State::Refused(code)) = (step.whole(), &state)
                && code.starts_with("404")
            {
                hidden = true;
                let note = format!("there is no {kind} `{}`, or the credentials may not see it", of.place());
                tried.notes.insert(note);
            }
            let needs = needs.or_else(|| Some(step.call().permission.to_owned()).filter(|needs| !needs.is_empty()));
            tried.permissions.push(Permission {
                place: of.place(),
                call: format!("GET {}", step.call().path),
                needs,
                facts: step.call().lost.words.to_string(),
                state,
            });
        }
        Ok(())
    }

    /// Whether there is nothing else to try after a failure. One organisation without the app is no reason while there are
    /// others.
    fn ends(&self, trouble: &Trouble) -> bool {
        match trouble.refusal.why {
            Why::Expired => true,
            Why::Refused => self.organisations().count() == 1,
            _ => self.client.is_gone(trouble),
        }
    }

    async fn try_one(
        &self,
        of: &Of,
        step: &'static Step,
        value: &str,
        leads: &mut Leads,
        tried: &mut Tried,
    ) -> Result<(State, Option<String>), CollectError> {
        let (path, owner) = (step.path(of, value), self.asked_by(of));
        let address = step.page(&path, self.client.pace.page);
        let not_understood = || State::Failed("NotUnderstood".to_owned());
        let reply = match self.client.get(owner, &address, None).await {
            Ok(reply) => reply,
            // What was not tried must not look like what may be done.
            Err(NoAnswer::Stopped) => return Err(NoCapture::Stopped.into()),
            Err(NoAnswer::Refused(trouble)) if self.ends(&trouble) => {
                return Err(unaccepted(&self.client, &trouble, owner));
            }
            Err(NoAnswer::Refused(trouble)) => return Ok((State::of(trouble), None)),
        };
        Ok(match reply {
            Reply::Empty => (State::Allowed, None),
            Reply::Unchanged => (not_understood(), None),
            Reply::Refused(Refused { refusal, .. }) if is_answer(step.route, &refusal) => (State::Allowed, None),
            Reply::Refused(Refused { refusal, accepted }) => {
                let plan = step.plan_lacking(&refusal).map(|plan| format!("{plan} only"));
                (State::of(Trouble { detail: plan, ..Trouble::from(refusal) }), accepted)
            }
            Reply::Answer(got) => {
                if let Some(scopes) = &got.scopes {
                    tried.notes.insert(format!("a classic token asks, with the scopes: {scopes}"));
                }
                let mut whole = Whole::new(step, self.fingerprinter());
                match whole.page(&got.page.bytes, &mut io::sink(), leads) {
                    Ok(()) => (State::Allowed, None),
                    Err(_) => (not_understood(), None),
                }
            }
        })
    }
}
