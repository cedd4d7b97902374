//! Point decisions a second, and enumeration beside a typed parse of the same file; both on one core.
//!
//! `cargo bench -p evenhand-benches --bench decide`; `EVENHAND_BENCH_MAX=1000` makes the account smaller.

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evenhand_benches::kind::Kind;
use evenhand_benches::scan::Bench;
use evenhand_benches::{generate, requests, yardstick};
use evenhand_model::decide::Decides;

/// From the line of a request to the line of its answer.
fn decisions(criterion: &mut Criterion) {
    const LINES: u64 = 10_000;
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(LINES));
    let aws = || Box::new(evenhand_aws::point::Decider::default()) as Box<dyn Decides>;
    let kubernetes = || Box::new(evenhand_kubernetes::point::Decider::default()) as Box<dyn Decides>;
    for (name, decider, lines) in [
        ("simple", aws(), requests::simple(LINES)),
        ("conditional", aws(), requests::conditional(LINES)),
        ("kubernetes", kubernetes(), requests::kubernetes(LINES)),
    ] {
        assert!(lines.iter().all(|line| decider.reply(line).is_ok()), "every request is understood");
        group.bench_with_input(BenchmarkId::new(name, LINES), &lines, |b, lines| {
            b.iter(|| lines.iter().for_each(|line| drop(black_box(decider.reply(line)))));
        });
    }
    // Worlds that nobody has seen before: what is kept of earlier lines is of no use.
    let lines = requests::kubernetes_new(LINES);
    group.bench_with_input(BenchmarkId::new("kubernetes-new", LINES), &lines, |b, lines| {
        b.iter_batched(
            kubernetes,
            |decider| lines.iter().for_each(|line| drop(black_box(decider.reply(line)))),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The whole access of every role, beside a typed parse of the export that it was read from.
fn enumeration(criterion: &mut Criterion) {
    let most: u64 = std::env::var("EVENHAND_BENCH_MAX").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let count = most.min(10_000);
    let folder = std::env::temp_dir().join(format!("evenhand-bench-limited-{count}"));
    if !folder.is_dir() {
        assert!(generate::limited_roles(&folder, count).is_ok(), "the capture could not be written");
    }
    let export = folder.join("aws/100000000001/account-authorization-details.json");
    let file = [(Kind::Aws, read(&export))];
    assert_eq!(yardstick::parse(&file), usize::try_from(count).ok());
    let bench = Bench::default();
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let Ok(one_core) = one_core else { return };
    let mut group = criterion.benchmark_group("enumerate");
    group.sample_size(10);
    group.throughput(Throughput::Elements(count));
    group.bench_with_input(BenchmarkId::new("parse", count), &file, |b, file| {
        b.iter(|| black_box(yardstick::parse(file)));
    });
    group.bench_with_input(BenchmarkId::new("access", count), &folder, |b, folder| {
        b.iter_batched(
            // What was resolved is kept, so every turn starts from a fresh reading.
            || bench.read(folder),
            |capture| {
                one_core.install(|| {
                    capture
                        .inventory
                        .identities
                        .iter()
                        .filter_map(|identity| capture.resolvers.get(identity.provider)?.access(&identity.id))
                        .map(|access| access.slices().len())
                        .sum::<usize>()
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

criterion_group!(benches, decisions, enumeration);
criterion_main!(benches);
