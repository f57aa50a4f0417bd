//! Random programs for asking two verifiers the same question.
//!
//! Programs are made of statements (a lookup with its null check, a bounded offset with its access,
//! a loop) rather than of single instructions, so that many are accepted and the others come far
//! before they are refused. Mistakes are made on purpose, at a rate that differs from program to
//! program; [`mutate`] then changes single fields of what came out.

mod calls;
mod control;
mod environment;
mod generator;
mod memory;
mod mutate;
mod numbers;
mod objects;
pub(crate) mod op;
mod packet;
mod reduce;
mod text;
mod verdict;

pub use environment::{SORTS, Sort, maps};
pub use reduce::reduce;
pub(crate) use reduce::reduce_slots;
pub use text::{from_hex, listing};
pub use verdict::{Answer, Answered, Verifier};

use bpf::insn::Slot;

use crate::packets::Random;
use generator::Generator;

/// A program: a type, and the slots as the kernel is given them. Maps are named by their place in
/// [`maps`] (`BPF_PSEUDO_MAP_IDX`).
#[derive(Clone, Debug)]
pub struct RandomProgram {
    /// Type.
    pub sort: &'static Sort,
    /// Slots.
    pub slots: Vec<Slot>,
}

impl RandomProgram {
    /// The program with this number; the same everywhere.
    #[must_use]
    pub fn new(seed: u64, index: u64) -> RandomProgram {
        let mixed = Random::new(seed).next_u64() ^ index.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mut random = Random::new(mixed);
        let sort = &SORTS[random.below(SORTS.len() as u64 + 4) as usize % SORTS.len()];
        let mutations = match random.below(8) {
            0 | 1 => 1,
            2 => 2 + random.below(3),
            _ => 0,
        };
        let mut slots = Generator::new(random.clone(), sort).program();
        for _ in 0..mutations {
            mutate::mutate(&mut slots, &mut random);
        }
        RandomProgram { sort, slots }
    }
}
