//! How fast programs are compiled for the card: passes and back end, and the back end alone.
//!
//! `nfp_speed [SECONDS]`: programs of this project at `-O2`, for a firmware without the open one's
//! limits, over and over. Medians of rounds.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::time::{Duration, Instant};

use bpfmill::compile::CompileOptions;
use passes::OptLevel;
use testsuite::nfp::programs::{Outcome, compile_all, generous};
use testsuite::objects;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let limit = Duration::from_secs(seconds.unwrap_or(5));
    let capabilities = generous();
    let options = CompileOptions::at_level(OptLevel::O2);
    let found: Vec<_> = objects::programs()
        .into_iter()
        .filter_map(|test| bpf::elf::read(&std::fs::read(test.path).ok()?).ok())
        .collect();
    let start = Instant::now();
    let mut rates = Vec::new();
    let mut largest = (0, String::new());
    while rates.is_empty() || start.elapsed() < limit {
        let (mut words, mut micros) = (0, 0u128);
        for object in &found {
            for (name, _, outcome) in
                compile_all(object, &capabilities, &options).unwrap_or_default()
            {
                if let Outcome::Compiled(program, made) = outcome {
                    words += made.len();
                    micros += program.time.as_micros();
                    if made.len() > largest.0 {
                        largest = (made.len(), name);
                    }
                }
            }
        }
        rates.push(words as f64 / micros.max(1) as f64 * 1e6);
    }
    rates.sort_by(f64::total_cmp);
    let median = rates.get(rates.len() / 2).copied().unwrap_or_default();
    println!(
        "{median:.0} words a second (median of {} rounds), the largest program `{}` of {} words",
        rates.len(),
        largest.1,
        largest.0
    );
}
