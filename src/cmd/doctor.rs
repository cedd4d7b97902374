//! `evenhand doctor`: which calls the present credentials may make, and the policy that allows all of them.

use evenhand_aws::collect::{self, Permission, State};
use evenhand_reports::text::counted;

use super::{Failure, Invocation, fingerprinter};
use crate::cli::{self, LiveProvider};
use crate::gate::Exit;
use crate::live::{self, Interrupt};
use crate::output::to_stdout;

pub(super) fn run(invocation: &Invocation, arguments: &cli::Doctor) -> Result<Exit, Failure> {
    let LiveProvider::Aws = arguments.provider;
    if arguments.print_policy {
        let policy = collect::policy(arguments.live.role.as_deref());
        to_stdout(|sink| {
            serde_json::to_writer_pretty(&mut *sink, &policy)?;
            writeln!(sink)
        })?;
        return Ok(Exit::Passed);
    }
    let options = live::options(&arguments.live, "".as_ref(), false, fingerprinter(None)?);
    let progress = invocation.progress();
    let interrupt = Interrupt::listen();
    let tried = {
        let _stage = progress.stage("try calls", None);
        collect::doctor(&options, &interrupt.stopper)?
    };
    to_stdout(|sink| {
        for one in &tried {
            writeln!(sink, "{:<12} {:<70} {}", word(&one.state), one.call, remark(one))?;
        }
        Ok::<(), std::io::Error>(())
    })?;
    let missing: Vec<&Permission> =
        tried.iter().filter(|one| !matches!(one.state, State::Allowed | State::NotTried)).collect();
    if missing.is_empty() {
        invocation.console.note("every call that could be tried may be made");
        return Ok(Exit::Passed);
    }
    let calls = counted(missing.len(), "call was", "calls were");
    invocation.console.warning(
        &format!("{calls} not answered"),
        Some("grant what is refused: `evenhand doctor aws --print-policy` prints the whole policy"),
    );
    Ok(Exit::Incomplete)
}

fn word(state: &State) -> &'static str {
    match state {
        State::Allowed => "allowed",
        State::NotTried => "not tried",
        State::Refused(_) => "refused",
        State::Failed(_) => "failed",
    }
}

fn remark(one: &Permission) -> String {
    match &one.state {
        State::Allowed => String::new(),
        State::NotTried => "nothing to ask about here".to_owned(),
        State::Refused(code) => format!("{code}; needs {}; unknown without it: {}", one.action, one.facts),
        State::Failed(code) => format!("{code}; unknown without it: {}", one.facts),
    }
}
