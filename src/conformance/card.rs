//! A conformance vector on the simulated network card.
//!
//! A card runs no bare function, so a prologue makes an XDP program of the vector: its memory is the
//! packet, `r1` is where that begins and `r2` how long it is; without memory both are 0, as the
//! protocol says. The compiler leaves the whole of `r0` in two transfer registers
//! ([`SHOWN`]), since a verdict shows next to nothing of it.
//!
//! Why nothing is examined first: vectors are no programs that a verifier accepts. The compiler takes
//! on trust what the examination would show, and there is no vector where that fails, which a test
//! of all of them shows; a stray access is a fault of the simulator.
//!
//! Cost: one compilation, and a run within the simulator's limits.

use std::collections::BTreeMap;

use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile::{self as nfp, CompileError, SHOWN};
use backend_nfp::firmware::{Abi, Card, Watch};
use backend_nfp::sim::Program;
use bpf::insn::{Endian, Slot, write_slots};
use bpf::program_type::ProgramType;
use passes::OptLevel;

use super::hidden::hide;
use super::{MAIN, STANDS_FOR_UNWIND, UNWIND, with_helper, wrap};
use crate::card::{CardError, CardObject, CardProgram};
use crate::compile::CompileOptions;

/// Opcodes of `ldxw`, `mov64` with a number, and `sub64` of registers.
const LOAD: u8 = 0x61;
const MOVE: u8 = 0xb7;
const SUB: u8 = 0x1f;
/// Where XDP's context says that the packet ends.
const DATA_END: i16 = 4;
/// Longest memory: the packet vector has 14 bits for a length.
const LONGEST: usize = 0x3fff;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoResult {
    /// The card cannot run the program.
    #[error("{0}")]
    Unsupported(String),
    /// Something is wrong with the program, or with the compiler.
    #[error("{0}")]
    Failed(String),
}

/// What is known of a program's numbers when it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// All, as they are written.
    Known,
    /// None: they come out of memory.
    Hidden,
}

/// What a program given as little-endian bytes leaves in `r0`.
///
/// # Errors
/// [`NoResult`]
pub fn on_card(
    program: &[u8],
    memory: &[u8],
    level: OptLevel,
    numbers: Numbers,
    capabilities: &Capabilities,
) -> Result<u64, NoResult> {
    let (compiled, packet) = compile(program, memory, level, numbers, capabilities)?;
    let abi = Abi::from(capabilities);
    let words = compiled.words(&abi).map_err(failed)?;
    let program = Program::load(&words, abi.start).map_err(failed)?;
    let mut card = Card::new(abi);
    card.watch = Watch::Out(SHOWN);
    let outcome = card.run(&program, &packet).map_err(failed)?;
    if let Some(hazard) = outcome.hazards.first() {
        return Err(failed(format!("at {}: {:?}", hazard.at, hazard.kind)));
    }
    match outcome.result {
        Some((low, high)) if low.is_known() && high.is_known() => {
            Ok(u64::from(high.bits) << 32 | u64::from(low.bits))
        }
        _ => Err(failed("the result has undefined bits")),
    }
}

fn failed(error: impl std::fmt::Display) -> NoResult {
    NoResult::Failed(error.to_string())
}

/// The program for the card, and the packet that it runs on.
fn compile(
    program: &[u8],
    memory: &[u8],
    level: OptLevel,
    numbers: Numbers,
    capabilities: &Capabilities,
) -> Result<(CardProgram, Vec<u8>), NoResult> {
    let mut whole = write_slots(&prologue(memory.len(), numbers), Endian::Little);
    whole.extend(with_helper(program, UNWIND, STANDS_FOR_UNWIND));
    let object =
        wrap(&whole).ok_or_else(|| failed("the program is not a whole number of slots"))?;
    let mut object = CardObject::of(&object).map_err(failed)?;
    let mut packet = memory.to_vec();
    if numbers == Numbers::Hidden {
        packet.resize(memory.len().next_multiple_of(8), 0);
        let start = i32::try_from(packet.len()).unwrap_or(i32::MAX);
        object.change(MAIN, |module, main| {
            packet.extend(hide(module, main, start));
        });
    }
    if packet.len() > LONGEST {
        let message = format!("no packet has {} bytes", packet.len());
        return Err(NoResult::Unsupported(message));
    }
    let back_end = nfp::Options {
        show_result: true,
        ..nfp::Options::default()
    };
    let options = CompileOptions::at_level(level);
    let kind = ProgramType::Xdp;
    let compiled = object.compile(
        MAIN,
        kind,
        &BTreeMap::new(),
        &options,
        capabilities,
        &back_end,
        |_| (),
    );
    let compiled = compiled.map_err(|error| match &error {
        CardError::Lift { .. }
        | CardError::Compile {
            error: CompileError::Select(_) | CompileError::Recursion(_) | CompileError::Stack { .. },
            ..
        } => NoResult::Unsupported(error.to_string()),
        _ => failed(error),
    })?;
    Ok((compiled, packet))
}

/// From XDP's context to the vector's registers. With numbers hidden behind the memory, its length is
/// one of them.
fn prologue(length: usize, numbers: Numbers) -> Vec<Slot> {
    let slot = |opcode, dst, src, offset, imm| Slot {
        opcode,
        dst,
        src,
        offset,
        imm,
    };
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    match (length, numbers) {
        (0, Numbers::Known) => vec![slot(MOVE, 1, 0, 0, 0), slot(MOVE, 2, 0, 0, 0)],
        // A function has no parameter that it does not read, and the table is behind this one.
        (0, Numbers::Hidden) => vec![
            slot(LOAD, 2, 1, 0, 0),
            slot(MOVE, 1, 0, 0, 0),
            slot(MOVE, 2, 0, 0, 0),
        ],
        (_, Numbers::Known) => vec![
            slot(LOAD, 2, 1, DATA_END, 0),
            slot(LOAD, 1, 1, 0, 0),
            slot(SUB, 2, 1, 0, 0),
        ],
        (_, Numbers::Hidden) => vec![slot(MOVE, 2, 0, 0, length), slot(LOAD, 1, 1, 0, 0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_numbers_are_computed_with() {
        let slot = |opcode, imm| Slot {
            opcode,
            dst: 0,
            src: 0,
            offset: 0,
            imm,
        };
        // r0 = 7; r0 *= 6; exit
        let program = [slot(MOVE, 7), slot(0x27, 6), slot(0x95, 0)];
        let program = write_slots(&program, Endian::Little);
        let capabilities = Capabilities::default();
        let made = |numbers| {
            let level = OptLevel::O2;
            let (made, _) = compile(&program, &[], level, numbers, &capabilities).unwrap();
            assert_eq!(
                on_card(&program, &[], level, numbers, &capabilities),
                Ok(42)
            );
            (
                made.compiled.memory.loads,
                made.compiled.assembled.words.len(),
            )
        };
        let (known, hidden) = (made(Numbers::Known), made(Numbers::Hidden));
        assert_eq!((known.0, hidden.0), (0, 2));
        assert!(hidden.1 >= known.1 + 7, "{known:?} {hidden:?}");
    }
}
