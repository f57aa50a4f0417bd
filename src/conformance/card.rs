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

use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile::{self as nfp, CompileError, SHOWN};
use backend_nfp::firmware::{Abi, Card, Watch};
use backend_nfp::sim::Program;
use bpf::insn::{Endian, Slot, write_slots};
use bpf::program_type::ProgramType;
use passes::OptLevel;

use super::{MAIN, STANDS_FOR_UNWIND, UNWIND, with_helper, wrap};
use crate::card::{CardError, CardObject};
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

/// What a program given as little-endian bytes leaves in `r0`.
///
/// # Errors
/// [`NoResult`]
pub fn on_card(
    program: &[u8],
    memory: &[u8],
    level: OptLevel,
    capabilities: &Capabilities,
) -> Result<u64, NoResult> {
    let failed = |error: &dyn std::fmt::Display| NoResult::Failed(error.to_string());
    if memory.len() > LONGEST {
        let message = format!("no packet has {} bytes", memory.len());
        return Err(NoResult::Unsupported(message));
    }
    let mut whole = write_slots(&prologue(memory.is_empty()), Endian::Little);
    whole.extend(with_helper(program, UNWIND, STANDS_FOR_UNWIND));
    let object =
        wrap(&whole).ok_or_else(|| failed(&"the program is not a whole number of slots"))?;
    let object = CardObject::of(&object).map_err(|error| failed(&error))?;
    let back_end = nfp::Options {
        show_result: true,
        ..nfp::Options::default()
    };
    let options = CompileOptions::at_level(level);
    let compiled = object.compile(
        MAIN,
        ProgramType::Xdp,
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
        _ => failed(&error),
    })?;
    let abi = Abi::from(capabilities);
    let words = compiled.words(&abi).map_err(|error| failed(&error))?;
    let program = Program::load(&words, abi.start).map_err(|error| failed(&error))?;
    let mut card = Card::new(abi);
    card.watch = Watch::Out(SHOWN);
    let outcome = card.run(&program, memory).map_err(|fault| failed(&fault))?;
    if let Some(hazard) = outcome.hazards.first() {
        return Err(failed(&format!("at {}: {:?}", hazard.at, hazard.kind)));
    }
    match outcome.result {
        Some((low, high)) if low.is_known() && high.is_known() => {
            Ok(u64::from(high.bits) << 32 | u64::from(low.bits))
        }
        _ => Err(failed(&"the result has undefined bits")),
    }
}

/// From XDP's context to the vector's registers.
fn prologue(empty: bool) -> Vec<Slot> {
    let slot = |opcode, dst, src, offset| Slot {
        opcode,
        dst,
        src,
        offset,
        imm: 0,
    };
    match empty {
        true => vec![slot(MOVE, 1, 0, 0), slot(MOVE, 2, 0, 0)],
        false => vec![
            slot(LOAD, 2, 1, DATA_END),
            slot(LOAD, 1, 1, 0),
            slot(SUB, 2, 1, 0),
        ],
    }
}
