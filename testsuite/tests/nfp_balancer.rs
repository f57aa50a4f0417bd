//! The load balancer on the card: on IPv4 and IPv6, TCP, UDP and ICMP it does to each packet and to
//! its maps what it does on the host; and what each optimisation is worth.

use backend_nfp::capabilities::{Arrays, Capabilities};
use bpfmill::compile::CompileOptions;
use passes::OptLevel;
use testsuite::fixture::Fixture;
use testsuite::nfp::programs::{Outcome, compile_all, generous};
use testsuite::nfp::traffic::{Traffic, run};
use testsuite::{objects, packets};

/// What is switched on, by name: nothing, some passes, all.
fn variants() -> Vec<(&'static str, CompileOptions)> {
    let list = |names: &[&str]| {
        let mut options = CompileOptions::at_level(OptLevel::O0);
        options.pipeline.passes = Some(names.iter().map(|name| (*name).to_owned()).collect());
        options
    };
    vec![
        ("all off", list(&[])),
        ("narrow32", list(&["narrow32"])),
        ("packet-cache", list(&["packet-cache"])),
        ("memcpy", list(&["memcpy"])),
        ("inline-lookup", list(&["inline-lookup"])),
        ("-O1", CompileOptions::at_level(OptLevel::O1)),
        ("-O2", CompileOptions::at_level(OptLevel::O2)),
        ("-Os", CompileOptions::at_level(OptLevel::Os)),
    ]
}

/// A firmware that says where arrays lie.
fn arrays(mut capabilities: Capabilities) -> Capabilities {
    capabilities.maps.arrays = Some(Arrays {
        base: 0x20_0000_0040,
        stride: 128,
    });
    capabilities
}

/// A firmware that gives maps room in nearer memories.
fn near(mut capabilities: Capabilities) -> Capabilities {
    capabilities.memories.cls.capacity = 32 << 10;
    capabilities.memories.imem.capacity = 1 << 20;
    capabilities
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of docs/nfp.md")]
fn the_load_balancer_does_on_the_card_what_it_does_on_the_host() {
    for version in ["v1", "v3"] {
        let path = objects::root().join(format!("programs/{version}/xdp_balancer.o"));
        let object = bpf::elf::read(&std::fs::read(path).unwrap()).unwrap();
        let fixture = Fixture::of_program("xdp_balancer").unwrap();
        let plain = variants().into_iter().map(|one| (one, generous()));
        let with_arrays = [
            ("arrays known", CompileOptions::at_level(OptLevel::O2)),
            ("and near", CompileOptions::at_level(OptLevel::O2)),
        ];
        let known = with_arrays
            .into_iter()
            .zip([arrays(generous()), near(generous())]);
        for ((name, options), capabilities) in plain.chain(known) {
            let made = compile_all(&object, &capabilities, &options).unwrap();
            let [(_, _, Outcome::Compiled(program, words))] = &made[..] else {
                panic!("{version}, {name}: {made:?}");
            };
            let all = packets::all();
            let found = run(&object, program, words, &capabilities, &fixture, &all);
            let traffic: Traffic =
                found.unwrap_or_else(|error| panic!("{version}, {name}: {error}"));
            let (latency, issue) = traffic.cycles();
            println!(
                "{version} {name:14} {:5} words, {} packets ({:?}), {latency:7.1} cycles, {issue:6.1} of issue, {:5.1} Mpps",
                words.len(),
                traffic.packets,
                traffic.actions,
                traffic.rate(&capabilities),
            );
            assert!(traffic.packets > 40);
            assert!(
                traffic.actions.iter().all(|count| *count > 0),
                "{traffic:?}"
            );
        }
    }
}
