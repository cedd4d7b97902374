//! Which calls the present credentials may make: each is tried once, about one thing at most, and nothing is kept.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use evenhand_collect::{NoAnswer, NoCapture, Permission, State, Stopper};
use evenhand_model::refusal::Why;

use super::client::{Pace, Reply};
use super::credentials::Credentials;
use super::page::{Leads, Whole};
use super::run::{Plan, Run, unaccepted};
use super::step::{About, Pages, Step};
use super::{CollectError, Options, run};

/// Tries every call with the credentials at hand, about the tenant and one of each thing in it.
///
/// # Errors
/// When nothing can be asked at all.
pub fn doctor(options: &Options, stopper: &Stopper) -> Result<Vec<Permission>, CollectError> {
    let credentials = Credentials::load(&options.who, options.tenant.as_deref(), options.cloud)?;
    run(options, Plan::new(options)?, credentials, stopper, Pace::default(), Run::try_all)
}

impl Run {
    /// Tries every call once.
    pub(crate) async fn try_all(self: Arc<Self>) -> Result<Vec<Permission>, CollectError> {
        let mut leads = Leads::new();
        leads.entry(About::Tenant).or_default().insert(self.tenant.clone());
        let mut tried = Vec::new();
        // What leads to it was not answered.
        let mut untold: BTreeSet<About> = BTreeSet::new();
        for about in About::ALL {
            if about == About::ManagementGroup {
                self.plan_scopes(&mut leads);
            }
            let value = leads.get(&about).and_then(|values| values.first()).cloned();
            for step in Step::of(about).filter(|step| self.is_asked(step)) {
                let state = match &value {
                    None if untold.contains(&about) => State::NotTried,
                    None => State::NothingToAsk,
                    Some(value) => self.try_one(step, value, &mut leads).await?,
                };
                if state.is_missing() {
                    untold.extend(step.leads.iter().map(|lead| lead.to));
                }
                tried.push(Permission {
                    place: self.tenant.clone(),
                    call: step.said(),
                    needs: Some(step.permission().to_owned()),
                    facts: step.route.call().lost.words.to_string(),
                    state,
                });
            }
        }
        Ok(tried)
    }

    async fn try_one(&self, step: &'static Step, value: &str, leads: &mut Leads) -> Result<State, CollectError> {
        let body = (step.pages == Pages::Query).then(|| self.query(None));
        let address = step.address(&step.path(value));
        match self.client.ask(step.interface, &address, body.as_ref()).await {
            Ok(Reply::Empty) => Ok(State::Allowed),
            Ok(Reply::Refused(refusal)) => Ok(State::of(refusal.into())),
            Ok(Reply::Answer(page)) => Ok(match Whole::new(step).page(&page.bytes, &mut io::sink(), leads) {
                Ok(_) => State::Allowed,
                Err(_) => State::Failed("NotUnderstood".to_owned()),
            }),
            // What was not tried must not look like what may be done.
            Err(NoAnswer::Stopped) => Err(NoCapture::Stopped.into()),
            Err(NoAnswer::Refused(trouble))
                if trouble.refusal.why == Why::Expired && trouble.refusal.code != "NoToken" =>
            {
                Err(unaccepted(&trouble))
            }
            Err(NoAnswer::Refused(trouble)) => Ok(State::of(trouble)),
        }
    }
}
