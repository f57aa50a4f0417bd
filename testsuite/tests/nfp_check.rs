//! The checker of NFP words on the Linux driver's own: one test a case.
//!
//! Each case keeps to every rule, but for what is really wrong in it. Then a few bits of its words are
//! changed, again and again: the checker has an answer for whatever comes out, and what it accepts
//! runs in the simulator without a hazard and without a fault that values do not explain.

use backend_nfp::check::{Rule, Rules, check};
use backend_nfp::firmware::{Abi, Card, DeviceMap};
use backend_nfp::isa::{Insn, WORD_MASK, ecc};
use backend_nfp::sim::{FaultKind, HazardKind, Limits, Program};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::nfp::{Case, Input, cases, inputs};
use testsuite::packets::Random;

/// What the driver does wrong, by the rule that finds it.
const WRONG: [(&str, Rule, &str); 2] = [
    (
        "alu32_div_imm_28",
        Rule::ShiftAmount,
        "a right shift by 0 is an indirect one, and nothing gives its amount",
    ),
    (
        "alu32_div_imm_641_x",
        Rule::ShiftAmount,
        "a right shift by 0 is an indirect one, and nothing gives its amount",
    ),
];
/// Changed programs of each case, and inputs that those which are accepted run on.
const CHANGES: usize = 1000;
const RUNS: usize = 6;

fn main() {
    let arguments = Arguments::from_args();
    let trials = match cases() {
        Some(cases) => cases
            .into_iter()
            .filter(|case| !case.words.is_empty())
            .flat_map(trials)
            .collect(),
        None => vec![
            Trial::test("cases", || Ok(()))
                .with_kind("no driver output beside the checkout")
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials(case: Case) -> [Trial; 2] {
    let changed = case.clone();
    [
        Trial::test(case.name.clone(), move || as_it_is(&case)),
        Trial::test(format!("{} changed", changed.name), move || {
            with_changes(&changed)
        }),
    ]
}

fn abi() -> Abi {
    Abi {
        helpers: vec![(1, 200), (25, 500)],
        ..Abi::default()
    }
}

fn as_it_is(case: &Case) -> Result<(), Failed> {
    let abi = abi();
    let wrong = WRONG.iter().find(|(name, ..)| *name == case.name);
    match (check(&case.words, abi.start, &Rules::from(&abi)), wrong) {
        (Ok(_), None) => Ok(()),
        (Ok(_), Some((.., reason))) => Err(format!("accepted, though {reason}").into()),
        (Err(found), Some((_, rule, _))) if found.iter().all(|found| found.rule == *rule) => Ok(()),
        (Err(found), _) => {
            let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
            Err(lines.join("\n").into())
        }
    }
}

fn with_changes(case: &Case) -> Result<(), Failed> {
    let abi = abi();
    let rules = Rules::from(&abi);
    let seed = case.name.bytes().fold(7, |seed: u64, byte| {
        seed.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut random = Random::new(seed);
    let inputs = inputs(&case.name, 60);
    for round in 0..CHANGES {
        let words = changed(&case.words, &mut random);
        let Ok(report) = check(&words, abi.start, &rules) else {
            continue;
        };
        let program = Program::load(&words, abi.start).map_err(|error| error.to_string())?;
        for input in inputs.iter().skip(round % 8).step_by(16).take(RUNS) {
            run(case, &abi, &program, input, report.unproved > 0)
                .map_err(|what| format!("{what}, with{}", differences(case, &words)))?;
        }
    }
    Ok(())
}

/// Words of which one or two are changed: in a bit, for another one, or to another place.
fn changed(words: &[u64], random: &mut Random) -> Vec<u64> {
    let mut words = words.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(words.len() as u64) as usize;
        let other = random.below(words.len() as u64) as usize;
        match random.below(4) {
            0 => words.swap(at, other),
            1 => words[at] = words[other],
            _ => {
                let word = words[at] ^ 1 << random.below(45);
                if Insn::decode(word & WORD_MASK).is_ok() {
                    words[at] = ecc::protect(word);
                }
            }
        }
    }
    words
}

/// The words that were changed, as text.
fn differences(case: &Case, words: &[u64]) -> String {
    let pairs = case.words.iter().zip(words).enumerate();
    let text = |word: &u64| match Insn::decode(word & WORD_MASK) {
        Ok(insn) => insn.to_string(),
        Err(error) => error.to_string(),
    };
    pairs
        .filter(|(_, (before, after))| before != after)
        .map(|(index, (_, after))| format!("\n{:6} {}", 3072 + index, text(after)))
        .collect()
}

/// Runs what the checker accepted; says what should not have happened. `unproved`: some places in
/// local memory depend on values.
fn run(
    case: &Case,
    abi: &Abi,
    program: &Program,
    input: &Input,
    unproved: bool,
) -> Result<(), String> {
    let mut card = Card::new(abi.clone());
    card.limits = Limits {
        steps: 20_000,
        ..Limits::default()
    };
    card.seed = input.seed;
    card.pattern = (input.maps >> 32) as u32;
    for map in &case.maps {
        let def = &map.def;
        card.add_map(DeviceMap::new(
            map.id,
            map.kind,
            def.key_size as usize,
            def.value_size as usize,
            def.max_entries,
        ));
    }
    match card.run(program, &input.packet) {
        Ok(outcome) => {
            if let Some(hazard) = outcome
                .hazards
                .iter()
                .find(|hazard| !depends_on_values(hazard.kind, unproved))
            {
                return Err(format!("hazard {hazard:?}"));
            }
            if !outcome.clobbered.is_empty() {
                return Err(format!("clobbered {:?}", outcome.clobbered));
            }
            Ok(())
        }
        Err(fault) => match fault.kind {
            // Addresses, loops, and arguments of helpers.
            FaultKind::Memory { .. }
            | FaultKind::ReadOnly { .. }
            | FaultKind::StepLimit(_)
            | FaultKind::Helper { .. } => Ok(()),
            _ => Err(format!("fault {fault}")),
        },
    }
}

/// Whether a run may show this of words that keep to the rules.
fn depends_on_values(kind: HazardKind, unproved: bool) -> bool {
    match kind {
        // Bytes of a key whose size the words do not give.
        HazardKind::UnknownArgument => true,
        // What was read from a word of the stack that nobody wrote.
        HazardKind::UnknownBranch
        | HazardKind::UnknownAddress
        | HazardKind::UnknownData
        | HazardKind::UnknownControl
        | HazardKind::UnknownVerdict => unproved,
        HazardKind::LmIndexNotReady(_)
        | HazardKind::LmIndexMoved(_)
        | HazardKind::SameKind
        | HazardKind::ShiftAmount
        | HazardKind::CsrResultLost
        | HazardKind::Multiply
        | HazardKind::TransferInFlight(_) => false,
    }
}
