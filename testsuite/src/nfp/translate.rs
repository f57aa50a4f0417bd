//! Cases through our own compiler: bytecode to an object, MIR, passes, words.

use std::collections::BTreeMap;

use backend_nfp::capabilities::{AdjustHead, Capabilities};
use backend_nfp::compile::{Compiled, Options, Program, compile};
use backend_nfp::firmware::Abi;
use backend_nfp::legalize;
use bpf::insn::{Endian, write_slots};
use bpf::object::{
    Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, STT_FUNC, Section, Symbol, SymbolPlace,
};
use bpf::program_type::ProgramType;
use bpfmill::compile::{CompileOptions, optimise};
use frontend::lift::lift_object;
use mir::{Func, Module};

use super::Case;

/// Opcode of a call, and its source nibble for functions of the program.
const CALL: u8 = 0x85;
const PSEUDO_CALL: u8 = 1;

/// A firmware that offers everything that one has offered.
#[must_use]
pub fn all_helpers() -> Capabilities {
    let mut capabilities = Capabilities {
        adjust_head: Some(AdjustHead {
            min: 44,
            max: 248,
            guaranteed_sub: 84,
            guaranteed_add: 112,
        }),
        ..Capabilities::default()
    };
    capabilities.helpers = BTreeMap::from([(1, 200), (2, 300), (3, 400), (25, 500)]);
    capabilities
}

/// The same firmware, for the simulator.
#[must_use]
pub fn all_helpers_abi() -> Abi {
    Abi {
        helpers: vec![(1, 200), (2, 300), (3, 400), (25, 500)],
        ..Abi::default()
    }
}

/// A case as an object without records.
#[must_use]
pub fn object_of(case: &Case) -> Object {
    let mut object = Object::new(Endian::Little);
    let contents = write_slots(&case.slots, Endian::Little);
    let name = match case.program_type {
        ProgramType::Xdp => "xdp",
        _ => "classifier",
    };
    let size = contents.len() as u64;
    let mut section = Section {
        flags: SHF_ALLOC | SHF_EXECINSTR,
        align: 8,
        ..Section::new(name, SHT_PROGBITS)
    };
    if let Some(data) = section.data_mut() {
        *data = contents;
    }
    let section = object.add_section(section);
    let mut starts = vec![0u64];
    for (at, slot) in (0i64..).zip(&case.slots) {
        if (slot.opcode, slot.src) == (CALL, PSEUDO_CALL)
            && let Ok(target) = u64::try_from(at + 1 + i64::from(slot.imm))
        {
            starts.push(8 * target);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(size);
        object.add_symbol(Symbol {
            name: format!("f{index}"),
            place: SymbolPlace::Section(section),
            value: *start,
            size: end - start,
            binding: u8::from(index == 0),
            kind: STT_FUNC,
            other: 0,
        });
    }
    object
}

/// A case as MIR, optimised for the card.
///
/// # Errors
/// In words: what cannot be lifted, or which pass failed.
pub fn module_of(case: &Case, level: passes::OptLevel) -> Result<(Module, Func), String> {
    module_with(case, &CompileOptions::at_level(level))
}

/// A case as MIR, optimised for the card as these options say.
///
/// # Errors
/// In words: what cannot be lifted, or which pass failed.
pub fn module_with(case: &Case, options: &CompileOptions) -> Result<(Module, Func), String> {
    let object = object_of(case);
    let lifted = lift_object(&object);
    if let Some(kept) = lifted.functions.iter().find_map(|one| one.kept.as_ref()) {
        return Err(kept.to_string());
    }
    let mut module = lifted.module;
    for function in module.functions.values_mut() {
        legalize::random_numbers(function);
    }
    optimise(&mut module, options, |_| {}).map_err(|error| error.to_string())?;
    let entry = module.functions.keys().next().ok_or("no function")?;
    for function in module.functions.values_mut() {
        legalize::divisions(function);
    }
    optimise(&mut module, options, |_| {}).map_err(|error| error.to_string())?;
    Ok((module, entry))
}

/// Compiles a case's MIR.
///
/// # Errors
/// In words: what the card cannot run.
pub fn compile_module(
    case: &Case,
    module: &Module,
    entry: Func,
    options: &Options,
) -> Result<Compiled, String> {
    compile_for(
        case,
        module,
        entry,
        BTreeMap::new(),
        &all_helpers(),
        options,
    )
}

/// Compiles a case's MIR for a firmware; `depths` says how much stack functions use, by name.
///
/// # Errors
/// In words: what the card cannot run.
pub fn compile_for(
    case: &Case,
    module: &Module,
    entry: Func,
    depths: BTreeMap<String, u32>,
    capabilities: &Capabilities,
    options: &Options,
) -> Result<Compiled, String> {
    let maps = module.symbols.iter().filter_map(|(symbol, data)| {
        let map = case.maps.get(usize::try_from(data.imm).ok()?)?;
        Some((symbol, map.id))
    });
    let program = Program {
        module,
        entry,
        program_type: case.program_type,
        maps: maps.collect(),
        arrays: BTreeMap::new(),
        depths,
    };
    let abi = Abi::from(capabilities);
    compile(&program, capabilities, &abi, options).map_err(|error| error.to_string())
}

/// The words of a compiled program as they are loaded.
///
/// # Errors
/// In words: what does not fit.
pub fn words_of(compiled: &Compiled, abi: &Abi) -> Result<Vec<u64>, String> {
    compiled
        .assembled
        .relocated(&abi.places())
        .map_err(|error| error.to_string())
}
