//! Random programs for the card against the interpreter, for as long as one likes:
//! `nfp_fuzz SECONDS SEED`; `nfp_fuzz show SEED NUMBER` prints one.
//!
//! Failing programs are made smaller and printed; on the last line is how many programs were run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bpf::insn::Insn;
use testsuite::nfp::Case;
use testsuite::nfp::fuzz::{Outcome, reduce, run};
use testsuite::nfp::random::random_case;

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

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    if arguments.first().is_some_and(|word| word == "show") {
        let case = random_case(number(1).unwrap_or(1), number(2).unwrap_or(0));
        print(&case);
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
            Outcome::Refused(reason) | Outcome::TooLarge(reason) => {
                let short: String = reason.chars().filter(|one| !one.is_ascii_digit()).take(60).collect();
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
