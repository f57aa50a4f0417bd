//! Bare bytes of a conformance vector, compiled: an object is put around them and taken off again.
//!
//! A vector may hold several functions, which only calls tell apart, so every target of a call
//! becomes a symbol and the functions between symbols are compiled each on its own.

mod card;
mod hidden;

use std::collections::BTreeSet;

use bpf::insn::{CallTarget, Endian, Insn, read_slots, write_slots};
use bpf::object::{
    Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, STT_FUNC, Section, Symbol, SymbolPlace,
};
use passes::OptLevel;

use crate::compile::{self, CompileOptions};

pub use card::{NoResult, Numbers, on_card};

/// The function that runs first.
const MAIN: &str = "function0";
const SECTION: &str = "conformance";
const CALL: u8 = 0x85;
/// The vectors' helper 5 takes an argument and may end the program.
const UNWIND: i32 = 5;
/// A number without a helper stands for it meanwhile: of such a call nothing is known, while the
/// kernel's helper 5 reads the clock.
const STANDS_FOR_UNWIND: i32 = 0x4000_0005;

/// Compiles a program given as little-endian bytes.
///
/// # Errors
/// In one sentence, why it cannot be: then there is no compiled program to speak of.
pub fn compile(program: &[u8], level: OptLevel) -> Result<Vec<u8>, String> {
    let program = with_helper(program, UNWIND, STANDS_FOR_UNWIND);
    let object = wrap(&program).ok_or("the program is not a whole number of slots")?;
    let options = CompileOptions::at_level(level);
    let compiled =
        compile::compile(&object, &options, |_| ()).map_err(|error| error.to_string())?;
    let kept = compiled
        .functions
        .iter()
        .find_map(|function| match &function.kept {
            Some(kept @ (compile::Kept::NotLifted(_) | compile::Kept::NotEmitted(_))) => Some(kept),
            _ => None,
        });
    if let Some(kept) = kept {
        return Err(kept.to_string());
    }
    let section = compiled
        .object
        .section_by_name(SECTION)
        .ok_or("the code section is gone")?;
    let code = compiled.object.data(section);
    Ok(with_helper(code, STANDS_FOR_UNWIND, UNWIND))
}

/// The program with all calls of one helper turned into calls of another.
fn with_helper(program: &[u8], from: i32, to: i32) -> Vec<u8> {
    let Some(mut slots) = read_slots(program, Endian::Little) else {
        return program.to_vec();
    };
    for slot in &mut slots {
        if slot.opcode == CALL && slot.src == 0 && slot.imm == from {
            slot.imm = to;
        }
    }
    write_slots(&slots, Endian::Little)
}

fn wrap(program: &[u8]) -> Option<Object> {
    let starts = starts(program)?;
    let mut object = Object::new(Endian::Little);
    let mut section = Section {
        flags: SHF_ALLOC | SHF_EXECINSTR,
        align: 8,
        ..Section::new(SECTION, SHT_PROGBITS)
    };
    *section.data_mut()? = program.to_vec();
    let section = object.add_section(section);
    let starts: Vec<u64> = starts.into_iter().collect();
    for (index, start) in starts.iter().enumerate() {
        let end = starts
            .get(index + 1)
            .map_or(program.len() as u64, |next| next * 8);
        object.add_symbol(Symbol {
            name: format!("function{index}"),
            value: start * 8,
            size: end - start * 8,
            binding: 0,
            kind: STT_FUNC,
            other: 0,
            place: SymbolPlace::Section(section),
        });
    }
    Some(object)
}

/// Slots at which functions begin.
fn starts(program: &[u8]) -> Option<BTreeSet<u64>> {
    let slots = read_slots(program, Endian::Little)?;
    let mut starts = BTreeSet::from([0]);
    let mut at = 0;
    while let Some(rest) = slots.get(at..).filter(|rest| !rest.is_empty()) {
        let used = match Insn::decode(rest) {
            Ok((insn, used)) => {
                if let Insn::Call {
                    target: CallTarget::Subprogram(distance),
                } = insn
                {
                    let target = at as i64 + 1 + i64::from(distance);
                    let inside = u64::try_from(target).ok();
                    starts.extend(inside.filter(|&target| target < slots.len() as u64));
                }
                used.max(1)
            }
            Err(_) => 1,
        };
        at += used;
    }
    Some(starts)
}
