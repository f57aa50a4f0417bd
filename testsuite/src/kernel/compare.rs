//! One object before and after compilation.

use std::collections::BTreeSet;

use super::load::{ProgramName, Refusal, load, program_names};
use super::run::{Observations, observe};
use crate::fixture::Fixture;
use crate::packets::Packet;

/// Runs of the original from which its own instability is learnt.
const REFERENCE_RUNS: usize = 2;
/// More of them, before a difference is believed. A program may ask for random numbers and use one
/// bit of them.
const EXTRA_RUNS: usize = 8;
/// More runs of the compiled program: the difference must show in each.
const CONFIRMING_RUNS: usize = 3;
/// Differences that a report shows.
const SHOWN: usize = 3;

/// What the kernel makes of an object as it was given.
#[derive(Debug)]
pub struct Reference {
    bytes: Vec<u8>,
    object_name: String,
    fixture: Fixture,
    programs: Vec<ReferenceProgram>,
}

#[derive(Debug)]
struct ReferenceProgram {
    name: ProgramName,
    runs: Result<Vec<Observations>, Refusal>,
}

impl std::ops::AddAssign<&Comparison> for Comparison {
    fn add_assign(&mut self, other: &Comparison) {
        self.programs += other.programs;
        self.accepted_before += other.accepted_before;
        self.accepted_after += other.accepted_after;
        self.compared += other.compared;
        self.equal += other.equal;
        self.observations += other.observations;
        self.failures.extend_from_slice(&other.failures);
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} programs, accepted {} before, {} after; {} of {} do the same on all packets ({} observations)",
            self.programs,
            self.accepted_before,
            self.accepted_after,
            self.equal,
            self.compared,
            self.observations
        )
    }
}

/// What came out of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Programs in the object.
    pub programs: usize,
    /// Accepted by the kernel as given.
    pub accepted_before: usize,
    /// Accepted after compilation.
    pub accepted_after: usize,
    /// Programs which were run before and after.
    pub compared: usize,
    /// Those of them with equal observations.
    pub equal: usize,
    /// Things observed and compared.
    pub observations: usize,
    /// What went wrong.
    pub failures: Vec<String>,
}

/// Loads and runs every program of an object as given.
///
/// # Errors
/// libbpf does not open the object, or the fixture does not fit it.
pub fn reference(
    bytes: &[u8],
    object_name: &str,
    packets: &[Packet],
    fixture: Fixture,
) -> Result<Reference, String> {
    let names = program_names(bytes).map_err(|refusal| refusal.message)?;
    let mut reference = Reference {
        bytes: bytes.to_vec(),
        object_name: object_name.to_owned(),
        fixture,
        programs: Vec::new(),
    };
    for name in names {
        let mut runs = Ok(Vec::new());
        for _ in 0..REFERENCE_RUNS {
            match reference.run(bytes, &name, packets)? {
                Ok(seen) => runs
                    .iter_mut()
                    .for_each(|runs: &mut Vec<_>| runs.push(seen.clone())),
                Err(refusal) => {
                    runs = Err(refusal);
                    break;
                }
            }
        }
        reference.programs.push(ReferenceProgram { name, runs });
    }
    Ok(reference)
}

/// Loads and runs every program of the compiled object and compares.
///
/// # Errors
/// The fixture does not fit the object.
pub fn compare(
    reference: &mut Reference,
    after: &[u8],
    packets: &[Packet],
) -> Result<Comparison, String> {
    let mut result = Comparison {
        programs: reference.programs.len(),
        ..Comparison::default()
    };
    for index in 0..reference.programs.len() {
        let name = reference.programs[index].name.clone();
        let accepted_before = reference.programs[index].runs.is_ok();
        result.accepted_before += usize::from(accepted_before);
        match reference.run(after, &name, packets)? {
            Ok(seen) => {
                result.accepted_after += 1;
                if accepted_before {
                    reference.judge(index, after, &seen, packets, &mut result)?;
                }
            }
            Err(refusal) if accepted_before => {
                result
                    .failures
                    .push(format!("{name} is lost:\n{}", refusal.message));
            }
            Err(_) => {}
        }
    }
    Ok(result)
}

impl Reference {
    fn run(
        &self,
        bytes: &[u8],
        name: &ProgramName,
        packets: &[Packet],
    ) -> Result<Result<Observations, Refusal>, String> {
        match load(bytes, name, &self.object_name, &self.fixture) {
            Ok(loaded) => observe(&loaded, packets, &self.fixture, true).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn judge(
        &mut self,
        index: usize,
        after: &[u8],
        seen: &Observations,
        packets: &[Packet],
        result: &mut Comparison,
    ) -> Result<(), String> {
        let mut differing = self.differences(index, seen);
        if !differing.is_empty() {
            let name = self.programs[index].name.clone();
            for _ in 0..EXTRA_RUNS {
                let again = self.run(&self.bytes, &name, packets)?;
                if let (Ok(again), Ok(runs)) = (again, &mut self.programs[index].runs) {
                    runs.push(again);
                }
            }
            differing = self.differences(index, seen);
            for _ in 0..CONFIRMING_RUNS {
                if let Ok(again) = self.run(after, &name, packets)? {
                    let still: BTreeSet<_> = self.differences(index, &again).into_iter().collect();
                    differing.retain(|difference| still.contains(difference));
                }
            }
        }
        if seen.is_empty() {
            return Ok(());
        }
        result.compared += 1;
        result.observations += seen.len();
        if differing.is_empty() {
            result.equal += 1;
        } else {
            result.failures.push(self.describe(index, seen, &differing));
        }
        Ok(())
    }

    /// What differs from the original though the original itself reproduces it.
    fn differences(&self, index: usize, seen: &Observations) -> Vec<String> {
        let Ok(runs) = &self.programs[index].runs else {
            return Vec::new();
        };
        let Some(first) = runs.first() else {
            return Vec::new();
        };
        let mut names: BTreeSet<&String> = seen.keys().collect();
        names.extend(runs.iter().flat_map(Observations::keys));
        names
            .into_iter()
            .filter(|name| first.get(*name) != seen.get(*name))
            .filter(|name| runs.iter().all(|run| run.get(*name) == first.get(*name)))
            .cloned()
            .collect()
    }

    fn describe(&self, index: usize, seen: &Observations, differing: &[String]) -> String {
        let program = &self.programs[index];
        let before = program.runs.as_ref().ok().and_then(|runs| runs.first());
        let mut text = format!(
            "{} does {} things differently:",
            program.name,
            differing.len()
        );
        for name in differing.iter().take(SHOWN) {
            let nothing = || "nothing".to_owned();
            let before = before.and_then(|run| run.get(name)).cloned();
            let after = seen.get(name).cloned();
            text.push_str(&format!(
                "\n  {name}\n    before {}\n    after  {}",
                before.unwrap_or_else(nothing),
                after.unwrap_or_else(nothing)
            ));
        }
        text
    }
}
