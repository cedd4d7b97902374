//! Decisions a second, and enumeration beside a typed parse of the same export, each on one core, in one run:
//! `cargo run --release -p evenhand-benches --bin rates`. What the criterion bench `decide` measures with more care, without
//! its dependencies.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use evenhand_benches::figures::{median, say, say_error};
use evenhand_benches::scan::Bench;
use evenhand_benches::{generate, requests, yardstick};
use evenhand_model::decide::Decides;

const LINES: u64 = 200_000;
const ROLES: u64 = 10_000;
const TURNS: usize = 5;

fn main() -> ExitCode {
    match rates() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

fn rates() -> Result<(), String> {
    let aws = evenhand_aws::point::Decider::default();
    let azure = evenhand_azure::point::Decider::default();
    let kubernetes = evenhand_kubernetes::point::Decider::default();
    decisions("aws simple", &aws, &requests::simple(LINES))?;
    decisions("aws conditional", &aws, &requests::conditional(LINES))?;
    decisions("azure", &azure, &requests::azure(LINES))?;
    let fresh = evenhand_azure::point::Decider::default();
    decisions("azure, new tenants", &fresh, &requests::azure_new(LINES))?;
    decisions("kubernetes", &kubernetes, &requests::kubernetes(LINES))?;
    let fresh = evenhand_kubernetes::point::Decider::default();
    decisions("kubernetes, new worlds", &fresh, &requests::kubernetes_new(LINES))?;
    enumeration()
}

/// One pass over all lines. Policies are new to the decider when it begins, as they are to the command.
fn decisions(name: &str, decider: &dyn Decides, lines: &[String]) -> Result<(), String> {
    let began = Instant::now();
    let understood = lines.iter().filter(|line| black_box(decider.reply(line)).is_ok()).count();
    let took = began.elapsed();
    if understood != lines.len() {
        return Err(format!("{name}: only {understood} of {} requests were understood", lines.len()));
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = lines.len() as f64 / took.as_secs_f64();
    say(&format!("{name}: {rate:.0} decisions a second"));
    Ok(())
}

fn enumeration() -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("evenhand-bench-limited-{ROLES}"));
    if !folder.is_dir() {
        generate::limited_roles(&folder, ROLES)
            .map_err(|error| format!("the capture could not be written: {error}"))?;
    }
    let export = folder.join("aws/100000000001/account-authorization-details.json");
    let text = std::fs::read_to_string(&export).map_err(|error| format!("the capture could not be read: {error}"))?;
    let file = [(false, text)];
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| error.to_string())?;
    let bench = Bench::default();
    let (mut parses, mut accesses) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let began = Instant::now();
        let seen = black_box(yardstick::parse(&file));
        parses.push(began.elapsed());
        if seen.and_then(|seen| u64::try_from(seen).ok()) != Some(ROLES) {
            return Err("the yardstick saw another number of roles".to_owned());
        }
        // What was resolved is kept, so every turn starts from a fresh reading.
        let capture = bench.read(&folder);
        let began = Instant::now();
        let slices: usize = one_core.install(|| {
            let resolved = capture.inventory.identities.iter().filter_map(|identity| {
                let access = capture.resolvers.get(identity.provider)?.access(&identity.id)?;
                Some(access.slices().len())
            });
            resolved.sum()
        });
        accesses.push(began.elapsed());
        if slices == 0 {
            return Err("nothing was enumerated".to_owned());
        }
    }
    let (parse, access) = (median(&mut parses), median(&mut accesses));
    say(&format!(
        "enumeration of {ROLES} roles: {:.1} ms, {:.2} x the typed parse",
        access.as_secs_f64() * 1000.0,
        access.as_secs_f64() / parse.as_secs_f64()
    ));
    Ok(())
}
