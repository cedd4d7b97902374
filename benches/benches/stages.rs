//! Criterion benches of the stages, at 1,000, 10,000 and 100,000 identities.
//!
//! `cargo bench -p evenhand-benches`; `EVENHAND_BENCH_MAX=10000` leaves the largest out.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use evenhand_benches::kind::Kind;
use evenhand_benches::scan::Bench;
use evenhand_rules::engine;
use evenhand_rules::evaluate::Keep;
use evenhand_rules::parity;
use rayon::prelude::*;

fn stages(criterion: &mut Criterion) {
    let most = std::env::var("EVENHAND_BENCH_MAX").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let bench = Bench::default();
    for kind in Kind::ALL {
        let mut group = criterion.benchmark_group(kind.word());
        group.sample_size(10);
        for count in [1_000_u64, 10_000, 100_000].into_iter().filter(|count| *count <= most) {
            let captured = kind.capture(count);
            assert!(captured.is_ok(), "the capture of {count} identities could not be written");
            let Ok(folder) = captured else { continue };
            group.throughput(Throughput::Elements(count));
            group.bench_with_input(BenchmarkId::new("read", count), &folder, |b, folder| {
                b.iter(|| black_box(bench.read(folder)));
            });
            let assessing = bench.assess(bench.read(&folder), Keep::Everything);
            let inventory = &assessing.assessed.inventory;
            group.bench_with_input(BenchmarkId::new("resolve", count), &assessing, |b, assessing| {
                b.iter(|| {
                    inventory
                        .identities
                        .par_iter()
                        .filter_map(|identity| assessing.resolver(identity)?.access(&identity.id))
                        .map(|access| access.slices().len())
                        .sum::<usize>()
                });
            });
            group.bench_with_input(BenchmarkId::new("compare", count), &assessing, |b, assessing| {
                b.iter(|| {
                    black_box(parity::compare_all(
                        inventory,
                        &assessing.assessed.judgements,
                        &assessing.assessed.resolvers,
                        &assessing.parity,
                    ))
                });
            });
            group.bench_with_input(BenchmarkId::new("evaluate", count), &assessing, |b, assessing| {
                b.iter(|| {
                    black_box(engine::evaluate(
                        &bench.rules,
                        &assessing.assessed.facts,
                        inventory,
                        &assessing.assessed.judgements,
                        &assessing.assessed.comparisons,
                        |_| true,
                    ))
                });
            });
            let report = bench.report(assessing);
            group.bench_with_input(BenchmarkId::new("render", count), &report, |b, report| {
                b.iter(|| black_box((Bench::render_terminal(report).len(), Bench::render_json(report).len())));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
