//! Inputs that reach as many blocks of a program as can be found.
//!
//! Start inputs are packets of every common kind. Then, for a fixed number of tries, an input that
//! was kept is changed a little, mostly by writing a number that the program compares with, and is
//! kept in turn if it reaches a block that none reached before. Where a branch compared two numbers
//! and the input has one of them, that is replaced by the other. The seed, which decides map contents
//! and helper results, is changed the same way. Everything follows from the program, so that a
//! search gives the same inputs everywhere.

use std::collections::BTreeSet;

use bpf::program_type::ProgramType;
use mir::interp::Coverage;
use mir::{Block, Func, InstData, Module};

use super::Program;
use super::run::{Case, Input, mir, takes_packet};
use crate::linked::Linked;
use crate::packets::{self, Random};

/// Inputs kept for a program.
pub(super) const MAX_INPUTS: usize = 96;
/// Changed inputs that are tried.
const TRIES: usize = 400;
/// Tries in a row without a new block that end the search.
const PATIENCE: usize = 160;
/// Bytes of a context of programs without packet: more than any type has.
const CONTEXT: usize = 512;
/// Constants of the program that inputs get.
const MAX_CONSTANTS: usize = 256;

/// A program with its inputs.
pub(super) fn program(linked: &Linked, func: Func, program_type: ProgramType) -> Program {
    let mut search = Search {
        linked,
        program: Program {
            func,
            program_type,
            cases: Vec::new(),
            blocks: (0, 0),
        },
        seen: BTreeSet::new(),
        comparisons: Vec::new(),
        constants: constants(&linked.module),
        random: Random::new(u64::from(func.as_u32()) + 1),
    };
    search.start();
    search.vary();
    let Search {
        mut program, seen, ..
    } = search;
    let functions: BTreeSet<Func> = seen.iter().map(|(func, _)| *func).collect();
    let blocks = functions
        .iter()
        .map(|func| linked.module.functions[*func].layout.blocks().count());
    program.blocks = (seen.len(), blocks.sum());
    program
}

struct Search<'l> {
    linked: &'l Linked,
    program: Program,
    seen: BTreeSet<(Func, Block)>,
    /// What the kept inputs' runs compared.
    comparisons: Vec<Vec<(u64, u64)>>,
    constants: Vec<u64>,
    random: Random,
}

impl Search<'_> {
    fn start(&mut self) {
        if takes_packet(self.program.program_type) {
            for (index, packet) in packets::all().into_iter().enumerate() {
                let seed = index as u64 + 1;
                let bytes = packet.bytes;
                self.offer(Input { bytes, seed }, true);
            }
        } else {
            for seed in 1..=8 {
                let bytes = match seed {
                    1 => vec![0; CONTEXT],
                    _ => self.random.bytes(CONTEXT),
                };
                self.offer(Input { bytes, seed }, true);
            }
        }
    }

    /// Runs an input and keeps it if it shows something new, or in any case.
    fn offer(&mut self, input: Input, always: bool) -> bool {
        if self.program.cases.len() >= MAX_INPUTS {
            return false;
        }
        let place = (self.program.func, self.program.program_type);
        let Ok(run) = mir(self.linked, &self.linked.module, place, &input) else {
            return false;
        };
        let Coverage {
            blocks,
            comparisons,
        } = run.coverage;
        let new = !blocks.is_subset(&self.seen);
        if new || always {
            let reaches = blocks.iter().map(|(func, _)| *func).collect();
            self.seen.extend(blocks);
            self.comparisons.push(comparisons.into_iter().collect());
            self.program.cases.push(Case {
                input,
                done: run.done,
                reaches,
            });
        }
        new
    }

    fn vary(&mut self) {
        let mut idle = 0;
        for _ in 0..TRIES {
            if self.program.cases.is_empty() || idle >= PATIENCE {
                return;
            }
            // The newest inputs lead further more often.
            let count = self.program.cases.len() as u64;
            let back = self.random.below(count).min(self.random.below(count));
            let chosen = (count - 1 - back) as usize;
            let mut input = self.program.cases[chosen].input.clone();
            for _ in 0..=self.random.below(3) {
                if self.random.below(2) == 0 || !self.satisfy(&mut input, chosen) {
                    self.change(&mut input);
                }
            }
            idle = if self.offer(input, false) {
                0
            } else {
                idle + 1
            };
        }
    }

    /// Makes a comparison of the chosen input's run come out differently: where the input has one
    /// of the numbers, it gets the other.
    fn satisfy(&mut self, input: &mut Input, chosen: usize) -> bool {
        let compared = &self.comparisons[chosen];
        let Some(&(a, b)) = compared.get(self.random.below(compared.len() as u64) as usize) else {
            return false;
        };
        let (have, want) = if self.random.below(2) == 0 {
            (a, b)
        } else {
            (b, a)
        };
        let want = match self.random.below(4) {
            0 => want.wrapping_add(1),
            1 => want.wrapping_sub(1),
            _ => want,
        };
        for width in [8, 4, 2, 1] {
            if width < 8 && have >> (width * 8) != 0 {
                continue;
            }
            let (mut old, mut new) = (have.to_le_bytes(), want.to_le_bytes());
            for _ in 0..2 {
                let (old_bytes, new_bytes) = (&old[..width], &new[..width]);
                let places = input.bytes.windows(width).enumerate();
                let places = places.filter(|(_, window)| *window == old_bytes);
                let places: Vec<usize> = places.map(|(at, _)| at).collect();
                if let Some(&at) = places.get(self.random.below(places.len() as u64) as usize) {
                    input.bytes[at..at + width].copy_from_slice(new_bytes);
                    return true;
                }
                old[..width].reverse();
                new[..width].reverse();
            }
        }
        false
    }

    fn change(&mut self, input: &mut Input) {
        let size = input.bytes.len() as u64;
        match self.random.below(8) {
            0 | 1 => input.seed = self.random.next_u64(),
            2 if size > 14 && takes_packet(self.program.program_type) => {
                let length = 14 + self.random.below(size - 13);
                input
                    .bytes
                    .truncate(usize::try_from(length).unwrap_or(usize::MAX));
            }
            3 if size < 1500 && takes_packet(self.program.program_type) => {
                let more = self.random.below(64) as usize;
                let more = self.random.bytes(more);
                input.bytes.extend(more);
            }
            4 | 5 if size > 0 => {
                let at = self.random.below(size) as usize;
                input.bytes[at] = self.random.next_u64() as u8;
            }
            _ => self.write_constant(input),
        }
    }

    /// Writes a number that the program knows, in one of the byte orders and sizes.
    fn write_constant(&mut self, input: &mut Input) {
        let Some(last) = (self.constants.len() as u64).checked_sub(1) else {
            return;
        };
        let constant = self.constants[self.random.below(last + 1) as usize];
        let width = 1usize << self.random.below(4);
        let mut bytes = constant.to_le_bytes()[..width].to_vec();
        if self.random.below(2) == 0 {
            bytes.reverse();
        }
        if input.bytes.len() < width {
            return;
        }
        let at = self.random.below((input.bytes.len() - width + 1) as u64) as usize;
        input.bytes[at..at + width].copy_from_slice(&bytes);
    }
}

/// Numbers in a module's code, each once.
fn constants(module: &Module) -> Vec<u64> {
    let mut found = BTreeSet::new();
    for function in module.functions.values() {
        for block in function.layout.blocks() {
            for inst in function.layout.insts(block) {
                if let InstData::Const { imm, .. } = function.dfg.inst(inst) {
                    let number = imm.cast_unsigned();
                    found.extend([number, number.wrapping_add(1)]);
                }
            }
        }
    }
    found.into_iter().take(MAX_CONSTANTS).collect()
}
