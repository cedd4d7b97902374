//! Decisions a second, enumeration and closure beside a typed parse of the same export, in one run:
//! `cargo run --release -p evenhand-benches --bin rates`, with the name of one of them for that one alone. What the criterion
//! bench `decide` measures with more care, without its dependencies.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use evenhand_benches::figures::{median, say, say_error};
use evenhand_benches::kind::Kind;
use evenhand_benches::scan::Bench;
use evenhand_benches::{generate, requests, yardstick};
use evenhand_model::decide::Decides;
use evenhand_rules::jobs::JobConfig;
use evenhand_rules::judgements::Judgements;
use evenhand_rules::paths;
use rayon::prelude::*;

const LINES: u64 = 200_000;
const ROLES: u64 = 10_000;
const TURNS: usize = 5;
const ACCOUNTS: u64 = 10_000;
/// In 500 namespaces a binding for people each, one for each account, and these.
const MORE_BINDINGS: u64 = 1_500;

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    let done = match only.as_deref() {
        None => decisions().and_then(|()| enumeration()).and_then(|()| closure()),
        Some("decisions") => decisions(),
        Some("enumeration") => enumeration(),
        Some("closure") => closure(),
        Some(_) => Err("usage: rates [decisions|enumeration|closure]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say_error(&message);
            ExitCode::from(2)
        }
    }
}

fn decisions() -> Result<(), String> {
    let aws = evenhand_aws::point::Decider::default();
    let azure = evenhand_azure::point::Decider::default();
    let kubernetes = evenhand_kubernetes::point::Decider::default();
    decided("aws simple", &aws, &requests::simple(LINES))?;
    decided("aws conditional", &aws, &requests::conditional(LINES))?;
    decided("azure", &azure, &requests::azure(LINES))?;
    let fresh = evenhand_azure::point::Decider::default();
    decided("azure, new tenants", &fresh, &requests::azure_new(LINES))?;
    decided("kubernetes", &kubernetes, &requests::kubernetes(LINES))?;
    let fresh = evenhand_kubernetes::point::Decider::default();
    decided("kubernetes, new worlds", &fresh, &requests::kubernetes_new(LINES))
}

/// One pass over all lines. Policies are new to the decider when it begins, as they are to the command.
fn decided(name: &str, decider: &dyn Decides, lines: &[String]) -> Result<(), String> {
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
    let file = [(Kind::Aws, text)];
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

/// What every account of a cluster holds, the steps between them, and what each can become: on one core, and on all.
fn closure() -> Result<(), String> {
    let folder = std::env::temp_dir().join(format!("evenhand-bench-cluster-{ACCOUNTS}"));
    if !folder.is_dir() {
        generate::cluster(&folder, ACCOUNTS, MORE_BINDINGS)
            .map_err(|error| format!("the capture could not be written: {error}"))?;
    }
    let text = std::fs::read_to_string(folder.join("kubernetes/bench/objects.json"))
        .map_err(|error| format!("the capture could not be read: {error}"))?;
    let file = [(Kind::Kubernetes, text)];
    let bench = Bench::default();
    let cores = rayon::current_num_threads();
    for cores in if cores > 1 { vec![1, cores] } else { vec![1] } {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build().map_err(|error| error.to_string())?;
        let (mut parses, mut closures) = (Vec::new(), Vec::new());
        let mut found = 0;
        for _ in 0..TURNS {
            let began = Instant::now();
            black_box(yardstick::parse(&file)).ok_or("the yardstick could not parse the capture")?;
            parses.push(began.elapsed());
            let capture = bench.read(&folder);
            let began = Instant::now();
            found = pool.install(|| {
                let inventory = &capture.inventory;
                let judged = Judgements::new(inventory, &JobConfig::default());
                inventory.identities.par_iter().for_each(|identity| {
                    black_box(capture.resolvers.get(identity.provider).and_then(|held| held.access(&identity.id)));
                });
                black_box(paths::find_all(inventory, &judged, &capture.resolvers)).paths.len()
            });
            closures.push(began.elapsed());
        }
        let (parse, closure) = (median(&mut parses), median(&mut closures));
        say(&format!(
            "access and closure of {ACCOUNTS} accounts, {found} paths, on {cores} cores: {:.1} ms, {:.2} x the typed parse",
            closure.as_secs_f64() * 1000.0,
            closure.as_secs_f64() / parse.as_secs_f64()
        ));
    }
    Ok(())
}
