//! Which programs can go to the card: those that Linux's translator was given, and every XDP and TC
//! program of this project and of the corpus. What is in the way is counted by reason.

mod trials;

use std::collections::BTreeMap;
use std::sync::Mutex;

use backend_nfp::capabilities::Capabilities;
use backend_nfp::offload::{Examination, examine};
use bpf::insn::{Endian, Slot, read_slots};
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use testsuite::objects::{self, TestObject};
use testsuite::packets::Random;
use verifier::program::{Map, Program};
use verifier::{Linker, Options};

/// What the translator refuses, and so do we.
const REFUSED: &[(&str, &str)] = &[
    ("tc_ret_ok_rejected", "nfp-verdict"),
    ("ctx_xdp_data_meta_rejected", "nfp-metadata"),
    ("ctx_tc_mark_rejected", "nfp-context-field"),
    ("map_val_store_rejected", "nfp-map-store"),
    ("atomic_xor_rejected", "nfp-atomic"),
    (
        "perf_output_not_current_cpu_rejected",
        "nfp-event-processor",
    ),
    ("helper_redirect_rejected", "nfp-helper"),
];

#[derive(Debug, Default)]
struct Totals {
    programs: usize,
    offloadable: usize,
    undecided: usize,
    /// Programs by obstacle; and those that have no other.
    reasons: BTreeMap<&'static str, (usize, usize)>,
}

static TOTALS: Mutex<BTreeMap<&str, Totals>> = Mutex::new(BTreeMap::new());

fn main() {
    let arguments = Arguments::from_args();
    let (found, mut all) = trials::objects();
    for object in found {
        all.push(Trial::test(object.name.clone(), move || check(&object)));
    }
    let cases = objects::shared("nfp").map(|folder| folder.join("kernel-jit-cases.jsonl"));
    all.push(match cases {
        Some(path) => Trial::test("cases", move || {
            check_cases(&std::fs::read_to_string(&path)?)
        }),
        None => Trial::test("cases", || Ok(()))
            .with_kind("no output of Linux's translator beside the checkout")
            .with_ignored_flag(true),
    });
    all.push(Trial::test("damaged", damaged));
    let conclusion = libtest_mimic::run(&arguments, all);
    summarise();
    conclusion.exit();
}

#[expect(clippy::print_stdout, reason = "a test binary's report")]
fn summarise() {
    let Ok(totals) = TOTALS.lock() else { return };
    for (set, totals) in totals.iter() {
        println!(
            "{set}: {} of {} programs can be offloaded, {} more are undecided",
            totals.offloadable, totals.programs, totals.undecided
        );
        let mut reasons: Vec<_> = totals.reasons.iter().collect();
        reasons.sort_by_key(|(code, (count, _))| (std::cmp::Reverse(*count), **code));
        for (code, (count, alone)) in reasons {
            println!("{count:6} {alone:6} alone  {code}");
        }
    }
}

fn count(set: &'static str, found: &Examination) {
    let Ok(mut totals) = TOTALS.lock() else {
        return;
    };
    let totals = totals.entry(set).or_default();
    totals.programs += 1;
    let mut codes: Vec<_> = found
        .obstacles
        .iter()
        .map(|one| one.reason.code())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => totals.offloadable += 1,
        ["nfp-undecided"] => totals.undecided += 1,
        _ => {}
    }
    for code in &codes {
        let reason = totals.reasons.entry(code).or_default();
        reason.0 += 1;
        reason.1 += usize::from(codes.len() == 1);
    }
}

/// Examines every packet program of an object.
fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return Ok(());
    };
    let set = if test.name.starts_with("corpus") {
        "corpus"
    } else {
        "programs"
    };
    let Ok(linker) = Linker::new(&object) else {
        return Ok(());
    };
    let (options, capabilities) = (Options::default(), Capabilities::default());
    for id in linker.programs() {
        let Ok(program) = linker.link(&id, &options) else {
            continue;
        };
        if !matches!(
            program.program_type,
            ProgramType::Xdp | ProgramType::SchedCls
        ) {
            continue;
        }
        let found = examine(&program, &options, object.endian, &capabilities);
        for obstacle in &found.obstacles {
            let known = |slot: &usize| program.insn(*slot).is_some();
            if !obstacle.insns.iter().all(known) {
                return Err(format!("{}: {obstacle:?}", program.name).into());
            }
        }
        count(set, &found);
    }
    Ok(())
}

/// Objects with some bytes changed end in an answer, whatever they are now.
fn damaged() -> Result<(), Failed> {
    let bytes = std::fs::read(objects::root().join("programs/v3/xdp_counter.o"))?;
    let mut random = Random::new(11);
    let (options, capabilities) = (Options::default(), all_helpers());
    let mut answers = 0;
    for _ in 0..2000 {
        let mut changed = bytes.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(changed.len() as u64) as usize;
            changed[at] = random.next_u64() as u8;
        }
        let Ok(object) = bpf::elf::read(&changed) else {
            continue;
        };
        let Ok(linker) = Linker::new(&object) else {
            continue;
        };
        for id in linker.programs() {
            if let Ok(program) = linker.link(&id, &options) {
                let found = examine(&program, &options, object.endian, &capabilities);
                answers += usize::from(!found.obstacles.is_empty());
            }
        }
    }
    if answers < 100 {
        return Err(format!("{answers} answers").into());
    }
    Ok(())
}

/// The firmware for which the translator was asked.
fn all_helpers() -> Capabilities {
    let mut capabilities = Capabilities::default();
    for (id, address) in [(1, 256), (2, 257), (3, 258), (25, 259)] {
        capabilities.helpers.insert(id, address);
    }
    capabilities.maps.value = 64;
    capabilities.maps.element = 128;
    capabilities
}

fn check_cases(text: &str) -> Result<(), Failed> {
    let mut wrong = Vec::new();
    let (mut logarithms, mut translated) = (0.0, 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line)?;
        let name = case["name"].as_str().unwrap_or_default();
        let program = case_program(&case).ok_or_else(|| format!("{name} cannot be read"))?;
        let found = examine(
            &program,
            &Options::default(),
            Endian::Little,
            &all_helpers(),
        );
        count("cases", &found);
        let codes: Vec<_> = found
            .obstacles
            .iter()
            .map(|one| one.reason.code())
            .collect();
        let expected: Vec<_> = REFUSED.iter().filter(|(case, _)| *case == name).collect();
        let expected: Vec<&str> = expected.iter().map(|(_, code)| *code).collect();
        if codes != expected {
            wrong.push(format!("{name}: {codes:?} instead of {expected:?}"));
        }
        if let Some(words) = case["nfp_words"].as_f64() {
            logarithms += (f64::from(found.words) / words).ln();
            translated += 1;
        }
    }
    let mean = (logarithms / f64::from(translated)).exp();
    if !(0.7..1.0).contains(&mean) {
        wrong.push(format!("{mean:.2} of the translator's words are expected"));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn case_program(case: &Value) -> Option<Program> {
    let hex = case["bpf_hex"].as_str()?;
    let digits =
        (0..hex.len() / 2).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok());
    let bytes = digits.collect::<Option<Vec<u8>>>()?;
    let mut slots: Vec<Slot> = read_slots(&bytes, Endian::Little)?;
    let (mut numbers, mut maps) = (Vec::new(), Vec::new());
    for map in case["maps"].as_array()? {
        let parts: Vec<&str> = map.as_str()?.split(':').collect();
        let number = |at: usize| parts.get(at)?.parse::<u32>().ok();
        let kind = match *parts.get(1)? {
            "array" | "2" => MapKind::Array,
            "hash" => MapKind::Hash,
            "perf" => MapKind::PerfEventArray,
            _ => return None,
        };
        numbers.push(number(0)?);
        let def = MapDef::new("map", kind, number(2)?, number(3)?, number(4)?);
        maps.push(Map::new(def, None));
    }
    for slot in &mut slots {
        // From a map's descriptor to its place in the list.
        if slot.opcode == 0x18 && slot.src == 1 {
            let place = numbers
                .iter()
                .position(|number| number.cast_signed() == slot.imm)?;
            (slot.src, slot.imm) = (5, i32::try_from(place).ok()?);
        }
    }
    let kind = match case["prog_type"].as_str()? {
        "xdp" => ProgramType::Xdp,
        _ => ProgramType::SchedCls,
    };
    Program::from_slots(kind, None, &slots, maps)
}
