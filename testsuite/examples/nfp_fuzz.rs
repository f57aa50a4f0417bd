//! Random programs for the card against the interpreter, for as long as one likes:
//! `nfp_fuzz SECONDS SEED`; `nfp_fuzz show SEED NUMBER` prints one, made smaller if it fails.
//!
//! Failing programs are made smaller and printed; on the last line is how many programs were run.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use backend_nfp::compile::Options;
use backend_nfp::firmware::Abi;
use backend_nfp::isa::{Insn as Word, WORD_MASK};
use bpf::insn::Insn;
use passes::OptLevel;
use testsuite::nfp::Case;
use testsuite::nfp::fuzz::{Outcome, reduce, run};
use testsuite::nfp::programs::generous;
use testsuite::nfp::random::random_case;
use testsuite::nfp::translate::{compile_for, module_of, words_of};

/// Failures after which there is enough to do.
const ENOUGH: usize = 8;

fn print(case: &Case) {
    println!("{} ({:?})", case.name, case.program_type);
    let mut wide = false;
    for (index, slot) in case.slots.iter().enumerate() {
        if std::mem::take(&mut wide) {
            continue;
        }
        wide = slot.opcode == 0x18;
        match Insn::decode(&case.slots[index..]) {
            Ok(_) if (slot.opcode, slot.src) == (0x85, 1) => {
                println!("{index:4}: call function {:+}", slot.imm);
            }
            Ok((insn, _)) => println!("{index:4}: {insn}"),
            Err(error) => println!("{index:4}: {slot:?} ({error})"),
        }
    }
}

fn words(case: &Case, level: OptLevel) -> Result<Vec<u64>, String> {
    let (module, entry) = module_of(case, level)?;
    println!("{module}");
    let capabilities = generous();
    let (depths, options) = (BTreeMap::new(), Options::default());
    let compiled = compile_for(case, &module, entry, depths, &capabilities, &options)?;
    words_of(&compiled, &Abi::from(&capabilities))
}

fn print_words(words: &[u64]) {
    for (index, word) in words.iter().enumerate() {
        match Word::decode(word & WORD_MASK) {
            Ok(insn) => println!("{index:4}  {insn}"),
            Err(error) => println!("{index:4}  {error}"),
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    if arguments.first().is_some_and(|word| word == "show") {
        let mut case = random_case(number(1).unwrap_or(1), number(2).unwrap_or(0));
        if let Outcome::Wrong(reason) = run(&case) {
            println!("{reason}");
            case = reduce(&case, &reason);
        }
        print(&case);
        for level in [OptLevel::O0, OptLevel::O2] {
            match words(&case, level) {
                Ok(words) => print_words(&words),
                Err(error) => println!("{error}"),
            }
        }
        println!("{:?}", run(&case));
        return;
    }
    let (seconds, seed) = (number(0).unwrap_or(60), number(1).unwrap_or(1));
    let (start, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut tried, mut same, mut failures) = (0u64, 0u64, 0);
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, 0);
    while start.elapsed() < limit && failures < ENOUGH {
        let case = random_case(seed, tried);
        let began = Instant::now();
        match run(&case) {
            Outcome::Same(_) => same += 1,
            Outcome::Refused(reason) | Outcome::Unable(reason) => {
                let short: String = reason
                    .chars()
                    .filter(|one| !one.is_ascii_digit())
                    .take(60)
                    .collect();
                *refused.entry(short).or_default() += 1;
            }
            Outcome::Wrong(reason) => {
                failures += 1;
                println!("number {tried}: {reason}");
                let small = reduce(&case, &reason);
                print(&small);
                println!("{:?}", run(&small));
            }
        }
        slowest = slowest.max((began.elapsed(), tried));
        tried += 1;
    }
    let mut reasons: Vec<_> = refused.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in reasons.iter().take(25) {
        println!("{count:6} {reason}");
    }
    let minutes = start.elapsed().as_secs_f64() / 60.0;
    println!(
        "{tried} programs, {same} ran the same in all ways, {failures} did not; {:.0} a minute; slowest {slowest:?}",
        same as f64 / minutes
    );
}
