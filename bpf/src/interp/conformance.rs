//! The protocol of the bpf_conformance vectors: bytes in, `r0` out.
//!
//! `r1` holds the address of the memory (0 when there is none) and `r2` its length. A call of
//! helper 5 returns its argument, and ends the program when that is zero.

use crate::insn::{Endian, read_slots};
use crate::program_type::ProgramType;

use super::bytecode::Interpreter;
use super::fault::{Fault, FaultKind};
use super::image::{Image, Program};
use super::machine::{Machine, Options};

/// Runs a program given as little-endian bytes.
///
/// # Errors
/// [`Fault`] when the program does something that has no meaning, or the bytes are not whole
/// slots.
pub fn run(program_bytes: &[u8], memory: &[u8]) -> Result<u64, Fault> {
    let slots = read_slots(program_bytes, Endian::Little)
        .ok_or(FaultKind::BadTarget((program_bytes.len() / 8) as i64))?;
    let program = Program {
        name: "program".to_owned(),
        program_type: None,
        slots,
        functions: Vec::new(),
        kernel_functions: Vec::new(),
    };
    let image = Image {
        endian: Endian::Little,
        maps: Vec::new(),
        programs: vec![program],
        links: Vec::new(),
    };
    let mut interpreter = Interpreter::new(&image);
    interpreter.conformance = true;
    let mut machine = Machine::new(
        Endian::Little,
        ProgramType::SocketFilter,
        Options::default(),
    );
    let address = if memory.is_empty() {
        0
    } else {
        machine.add_memory(memory)?
    };
    let args = [address, memory.len() as u64, 0, 0, 0];
    Ok(interpreter.run_with(&mut machine, 0, args)?.r0)
}
