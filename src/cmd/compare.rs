//! `evenhand compare`: the parity card of one AI identity.

use evenhand_model::identity::Nature;
use evenhand_model::parity::{Comparison, GateComparison};
use evenhand_reports::parity_card;
use evenhand_rules::judgements::Judgements;
use evenhand_rules::link::link;
use evenhand_rules::parity::{ParityConfig, compare_one};
use serde::Serialize;

use super::{Failure, Invocation};
use crate::cli::{self, PlainFormat};
use crate::gate::Exit;
use crate::lookup;
use crate::output::to_stdout;

/// The card as JSON.
#[derive(Serialize)]
struct Card {
    #[serde(flatten)]
    comparison: Comparison,
    /// What stands before people where the human role does not get.
    gates: Vec<GateComparison>,
}

pub(super) fn run(invocation: &Invocation, arguments: &cli::Compare) -> Result<Exit, Failure> {
    let progress = invocation.progress();
    let config = invocation.config_to_judge_by(&arguments.from.sources)?;
    let (mut capture, _) = invocation.read_for(&arguments.from, &config, &progress)?;
    let parity = ParityConfig::new(config.jobs.clone());
    link(&mut capture.inventory, &parity.jobs);
    let judgements = Judgements::new(&capture.inventory, &parity.jobs);
    let identities = &capture.inventory.identities;
    let subject = lookup::identity(identities, &arguments.identity)?;
    if matches!(judgements.nature(&subject.id), Nature::Human | Nature::HumanRole) {
        return Err(Failure::new(
            format!("`{}` is how people do the job; only what acts by itself is held beside that", subject.id),
            "name an AI identity; `evenhand explain` tells what this one holds",
        ));
    }
    let nature = judgements.nature(&subject.id);
    if nature != Nature::AiAgent {
        let said = format!("`{}` is not known to be an AI identity; it is compared as if it were one", subject.id);
        invocation.console.note(&said);
    }
    let human = match &arguments.human {
        Some(role) => Some(invocation.role_of_people(role, &subject.id, identities, &judgements)?),
        None => None,
    };
    let (comparison, gates) =
        compare_one(&capture.inventory, &judgements, &capture.resolvers, &parity, &subject.id, human)
            .ok_or_else(|| Failure::Message(format!("`{}` cannot be compared", subject.id), None))?;
    let card = Card { comparison, gates };
    let screen = invocation.screen(arguments.all);
    to_stdout(|sink| match arguments.output {
        PlainFormat::Table => parity_card::write(&card.comparison, &card.gates, nature, screen, sink),
        PlainFormat::Json => {
            serde_json::to_writer_pretty(&mut *sink, &card)?;
            sink.write_all(b"\n")?;
            Ok(())
        }
    })?;
    Ok(Exit::Passed)
}
