//! `evenhand doctor`: which calls the present credentials may make, and the rights that allow all of them.

use evenhand_collect::{Permission, State};
use evenhand_reports::text::counted;

use super::{Failure, Invocation, fingerprinter, own_options, usable};
use crate::cli::{self, LiveProvider};
use crate::gate::Exit;
use crate::live::{self, Interrupt};
use crate::output::to_stdout;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Doctor) -> Result<Exit, Failure> {
    let Some(provider) = arguments.provider else { return usable::run(invocation, &arguments.live) };
    own_options(&arguments.live, &[provider])?;
    if arguments.print_policy {
        let text = rights(provider, arguments)?;
        to_stdout(|sink| sink.write_all(text.as_bytes()))?;
        return Ok(Exit::Passed);
    }
    let progress = invocation.progress();
    let interrupt = Interrupt::listen();
    let terms = live::terms(&arguments.live, "".as_ref(), false, fingerprinter(None)?);
    let stage = progress.stage("try calls", None);
    let (tried, notes) = match provider {
        LiveProvider::Aws => {
            let options = live::aws_options(&arguments.live, terms);
            (evenhand_aws::collect::doctor(&options, &interrupt.stopper)?, Vec::new())
        }
        LiveProvider::Azure => {
            let options = live::azure_options(&arguments.live, terms, &stage)?;
            (evenhand_azure::collect::doctor(&options, &interrupt.stopper)?, Vec::new())
        }
        LiveProvider::Github => {
            let options = live::github_options(&arguments.live, terms, &stage);
            evenhand_github::collect::doctor(&options, &interrupt.stopper)?
        }
        LiveProvider::Kubernetes => {
            let options = live::kubernetes_options(&arguments.live, terms);
            evenhand_kubernetes::collect::doctor(&options, &interrupt.stopper)?
        }
    };
    drop(stage);
    live::tell_notes(&notes, invocation.console);
    let several = tried.first().is_some_and(|first| tried.iter().any(|one| one.place != first.place));
    to_stdout(|sink| {
        for one in &tried {
            let (word, remark) = said(one);
            let place = if several { format!("{}: ", one.place) } else { String::new() };
            writeln!(sink, "{word:<12} {:<70} {remark}", format!("{place}{}", one.call))?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let missing = tried.iter().filter(|one| one.state.is_missing()).count();
    if missing == 0 {
        invocation.console.note("every call that could be tried may be made");
        return Ok(Exit::Passed);
    }
    let print = match provider {
        _ if !tried.iter().any(|one| matches!(one.state, State::Refused(_))) => "see beside each call why",
        LiveProvider::Aws => "grant what is refused: `evenhand doctor aws --print-policy` prints the whole policy",
        LiveProvider::Azure => {
            "grant what is refused: `evenhand doctor azure --print-permissions` prints all permissions"
        }
        LiveProvider::Github => {
            "grant what is refused: `evenhand doctor github --print-permissions` prints all permissions"
        }
        LiveProvider::Kubernetes => "grant what is refused: `evenhand doctor kubernetes --print-role` prints the roles",
    };
    invocation.console.warning(&format!("{} not answered", counted(missing, "call was", "calls were")), Some(print));
    Ok(Exit::Incomplete)
}

/// The least-privilege rights as a document.
fn rights(provider: LiveProvider, arguments: &cli::Doctor) -> Result<String, Failure> {
    match provider {
        LiveProvider::Aws => pretty(&evenhand_aws::collect::policy(arguments.live.role.as_deref())),
        LiveProvider::Azure => pretty(&evenhand_azure::collect::permissions()),
        LiveProvider::Github => pretty(&evenhand_github::collect::permissions()),
        LiveProvider::Kubernetes => {
            let secrets = arguments.live.secrets.then(evenhand_kubernetes::collect::secrets_role);
            let secrets = secrets.map(|role| format!("---\n{role}")).unwrap_or_default();
            Ok(evenhand_kubernetes::collect::role() + &secrets)
        }
    }
}

fn pretty(document: &serde_json::Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::Message(error.to_string(), None))?;
    Ok(text + "\n")
}

/// What became of a call: in a word, and the rest.
fn said(tried: &Permission) -> (&'static str, String) {
    let unknown = |code: &str| format!("{code}; unknown without it: {}", tried.facts);
    match &tried.state {
        State::Allowed => ("allowed", String::new()),
        State::Absent => ("absent", "the server has none".to_owned()),
        State::NothingToAsk => ("not tried", "nothing to ask about here".to_owned()),
        State::NotTried => ("not tried", format!("the server did not tell; unknown: {}", tried.facts)),
        State::Refused(code) => match &tried.needs {
            Some(needs) => ("refused", unknown(&format!("{code}; needs {needs}"))),
            None => ("refused", unknown(code)),
        },
        State::Failed(code) => ("failed", unknown(code)),
    }
}
