//! `evenhand doctor`: which calls the present credentials may make, and the rights that allow all of them.

use evenhand_reports::text::counted;

use super::{Failure, Invocation, fingerprinter, own_options};
use crate::cli::{self, LiveProvider};
use crate::gate::Exit;
use crate::live::{self, Interrupt, Target};
use crate::output::to_stdout;

/// A line of the answer.
struct Line {
    word: &'static str,
    call: String,
    remark: String,
    /// Whether a call is missing that should be there.
    missing: bool,
}

pub(super) fn run(invocation: &Invocation, arguments: &cli::Doctor) -> Result<Exit, Failure> {
    own_options(&arguments.live, &[arguments.provider])?;
    if arguments.print_policy {
        let text = rights(arguments)?;
        to_stdout(|sink| sink.write_all(text.as_bytes()))?;
        return Ok(Exit::Passed);
    }
    let progress = invocation.progress();
    let interrupt = Interrupt::listen();
    let target = Target { folder: "".as_ref(), resume: false, fingerprinter: fingerprinter(None)? };
    let stage = progress.stage("try calls", None);
    let (lines, notes) = match arguments.provider {
        LiveProvider::Aws => {
            aws(&evenhand_aws::collect::doctor(&live::aws_options(&arguments.live, target), &interrupt.stopper)?)
        }
        LiveProvider::Kubernetes => {
            let options = live::kubernetes_options(&arguments.live, target);
            kubernetes(evenhand_kubernetes::collect::doctor(&options, &interrupt.stopper)?)
        }
    };
    drop(stage);
    live::tell_notes(&notes, invocation.console);
    to_stdout(|sink| {
        for line in &lines {
            writeln!(sink, "{:<12} {:<70} {}", line.word, line.call, line.remark)?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let missing = lines.iter().filter(|line| line.missing).count();
    if missing == 0 {
        invocation.console.note("every call that could be tried may be made");
        return Ok(Exit::Passed);
    }
    let print = match arguments.provider {
        _ if !lines.iter().any(|line| line.word == "refused") => "see beside each call why",
        LiveProvider::Aws => "grant what is refused: `evenhand doctor aws --print-policy` prints the whole policy",
        LiveProvider::Kubernetes => "grant what is refused: `evenhand doctor kubernetes --print-role` prints the roles",
    };
    invocation.console.warning(&format!("{} not answered", counted(missing, "call was", "calls were")), Some(print));
    Ok(Exit::Incomplete)
}

/// The least-privilege rights as a document.
fn rights(arguments: &cli::Doctor) -> Result<String, Failure> {
    match arguments.provider {
        LiveProvider::Aws => {
            let policy = evenhand_aws::collect::policy(arguments.live.role.as_deref());
            let text =
                serde_json::to_string_pretty(&policy).map_err(|error| Failure::Message(error.to_string(), None))?;
            Ok(text + "\n")
        }
        LiveProvider::Kubernetes => {
            let secrets = arguments.live.secrets.then(evenhand_kubernetes::collect::secrets_role);
            let secrets = secrets.map(|role| format!("---\n{role}")).unwrap_or_default();
            Ok(evenhand_kubernetes::collect::role() + &secrets)
        }
    }
}

fn aws(tried: &[evenhand_aws::collect::Permission]) -> (Vec<Line>, Vec<String>) {
    use evenhand_aws::collect::State;
    let lines = tried.iter().map(|one| {
        let (word, remark) = match &one.state {
            State::Allowed => ("allowed", String::new()),
            State::NotTried => ("not tried", "nothing to ask about here".to_owned()),
            State::Refused(code) => {
                ("refused", format!("{code}; needs {}; unknown without it: {}", one.action, one.facts))
            }
            State::Failed(code) => ("failed", format!("{code}; unknown without it: {}", one.facts)),
        };
        let missing = !matches!(one.state, State::Allowed | State::NotTried);
        Line { word, call: one.call.to_owned(), remark, missing }
    });
    (lines.collect(), Vec::new())
}

fn kubernetes(
    (tried, notes): (Vec<evenhand_kubernetes::collect::Permission>, Vec<String>),
) -> (Vec<Line>, Vec<String>) {
    use evenhand_kubernetes::collect::State;
    let several = tried.first().is_some_and(|first| tried.iter().any(|one| one.cluster != first.cluster));
    let lines = tried.into_iter().map(|one| {
        let (word, remark) = match &one.state {
            State::Allowed => ("allowed", String::new()),
            State::Absent => ("absent", "the server has none".to_owned()),
            State::NotTried => ("not tried", format!("the server did not tell; unknown: {}", one.facts)),
            State::Refused(code) => ("refused", format!("{code}; unknown without it: {}", one.facts)),
            State::Failed(code) => ("failed", format!("{code}; unknown without it: {}", one.facts)),
        };
        let missing = !matches!(one.state, State::Allowed | State::Absent);
        let call = if several { format!("{}: {}", one.cluster, one.call) } else { one.call };
        Line { word, call, remark, missing }
    });
    (lines.collect(), notes)
}
