//! How fast an object is read, compiled at `-O 2` and written: the example balancer, and the
//! largest object of the corpus where there is one. Throughput is in slots of 8 bytes.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bpfmill::compile::{CompileOptions, compile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use passes::OptLevel;
use testsuite::objects::{root, shared};

/// Iterations that Criterion times at least; the largest object takes a third of a second.
const SAMPLES: usize = 10;

fn objects() -> Vec<PathBuf> {
    let mut paths = vec![root().join("programs/v3/xdp_balancer.o")];
    let largest = shared("corpus/ebpf-samples/cilium");
    paths.extend(largest.map(|folder| folder.join("bpf_xdp_dsr_linux_v1_1.o")));
    paths
}

fn build(bytes: &[u8], verify: bool) -> Option<(usize, Vec<u8>)> {
    let options = CompileOptions {
        check_allocation: false,
        jobs: NonZeroUsize::new(1),
        verify,
        ..CompileOptions::at_level(OptLevel::O2)
    };
    let object = bpf::elf::read(bytes).ok()?;
    let compiled = compile(&object, &options, |_| ()).ok()?;
    let slots = compiled.total_slots().0;
    Some((slots, bpf::elf::write(&compiled.object).ok()?))
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build -O 2");
    group.sample_size(SAMPLES);
    for path in objects() {
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let Some((slots, _)) = build(&bytes, false) else {
            continue;
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        group.throughput(Throughput::Elements(slots as u64));
        group.bench_function(format!("{name}, not verified"), |bencher| {
            bencher.iter(|| build(&bytes, false));
        });
        group.bench_function(format!("{name}, verified"), |bencher| {
            bencher.iter(|| build(&bytes, true));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
