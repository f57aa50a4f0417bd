//! MIR text compiled: passes over a module that came from no object, and an object made for it.
//!
//! Text cannot define maps, data or BTF. So only a module that names nothing outside of itself can
//! become an object; every other one can still be optimised and printed.

use backend_host::{Allocator, FunctionInput, emit_function, frame, link};
use bpf::insn::Cpu;
use bpf::object::{
    FunctionRange, Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, STT_FUNC, Section, Symbol,
    SymbolPlace,
};
use frontend::lift::LiftedObject;
use mir::{Func, Module};
use passes::layout::Layout;
use passes::{Event, OptLevel, Pipeline, Remarks, UnknownPass};

use super::CompileOptions;

/// Bytes that stand for a function until its code is linked: one `exit`.
const PLACEHOLDER: u64 = 8;

/// Runs the passes on every selected function of a module.
///
/// # Errors
/// When the options name a pass that does not exist, or a pass left something ill-formed.
pub fn optimise(
    module: &mut Module,
    options: &CompileOptions,
    sink: impl FnMut(Event<'_>),
) -> Result<Remarks, OptimiseError> {
    let mut pipeline = options.pipeline.clone();
    pipeline.target.cpu = options.cpu.unwrap_or(Cpu::V4);
    let pipeline = Pipeline::build(&pipeline)?;
    let mut session = options.session().with_sink(sink);
    let functions: Vec<Func> = module.functions.keys().collect();
    for func in functions {
        if options.selects(&module.functions[func].name) {
            let stats = pipeline.run_function(module, func, &mut session);
            if let Some(failure) = stats.failure {
                return Err(failure.into());
            }
        }
    }
    Ok(session.remarks)
}

/// Why a module was not optimised.
#[derive(Debug, thiserror::Error)]
pub enum OptimiseError {
    /// There is no such pass.
    #[error(transparent)]
    Unknown(#[from] UnknownPass),
    /// A defect of the compiler.
    #[error(transparent)]
    Broken(#[from] passes::PassFailure),
}

/// Makes an object of a module.
///
/// # Errors
/// In one sentence: what the module names that text cannot define, or why a function cannot be
/// emitted.
pub fn object_of(module: &Module, options: &CompileOptions) -> Result<Object, String> {
    if let Some(symbol) = module.symbols.values().next() {
        let name = &symbol.name;
        return Err(format!(
            "`{name}` is named but not defined: MIR text has no maps and no data"
        ));
    }
    if let Some(external) = module.externals.values().next() {
        let name = &external.name;
        return Err(format!(
            "`{name}` is outside of the module: MIR text has no BTF to say what it is"
        ));
    }
    if !module.core_relos.is_empty() {
        return Err("CO-RE records need the BTF that MIR text has not".to_owned());
    }
    let mut object = Object::new(module.endian);
    let inputs = emit_all(module, options, |_, function| place(&mut object, function))?;
    let linked = link(&object, None, None, module, &inputs).map_err(|error| error.to_string())?;
    Ok(linked.object)
}

/// Puts the functions of a module in the place of those that an object's lift gave.
///
/// # Errors
/// In one sentence: why a function cannot be emitted, or the object not be linked.
pub fn object_with(
    object: &Object,
    lifted: &LiftedObject,
    module: &Module,
    options: &CompileOptions,
) -> Result<Object, String> {
    let ranges = &lifted.functions;
    let inputs = emit_all(module, options, |func, _| {
        ranges[func.as_u32() as usize].range.clone()
    })?;
    let (btf, btf_ext) = (lifted.btf.as_ref(), lifted.btf_ext.as_ref());
    let linked = link(object, btf, btf_ext, module, &inputs).map_err(|error| error.to_string())?;
    Ok(linked.object)
}

/// The code of every function, in the order of places.
fn emit_all(
    module: &Module,
    options: &CompileOptions,
    mut range: impl FnMut(Func, &mir::Function) -> FunctionRange,
) -> Result<Vec<FunctionInput>, String> {
    let limits = frame::stack_limits(module);
    let pipeline = Pipeline::build(&options.pipeline).map_err(|error| error.to_string())?;
    let mut inputs = Vec::new();
    let mut allocator = Allocator::default();
    for (func, function) in &module.functions {
        let name = &function.name;
        let emitted = emit_function(
            module,
            func,
            &backend_host::Options {
                cpu: options.cpu.unwrap_or(Cpu::V3),
                stack_limit: limits[func],
                check_allocation: options.check_allocation,
                thorough: options.pipeline.level == OptLevel::Os,
                choice: None,
                order_blocks: pipeline.runs(Layout::NAME, name),
            },
            &mut allocator,
        );
        let emitted = emitted.map_err(|error| format!("`{name}` cannot be emitted: {error}"))?;
        inputs.push(FunctionInput {
            func,
            range: range(func, function),
            emitted: Some(emitted),
        });
    }
    inputs.sort_by_key(|input| (input.range.section, input.range.offset));
    Ok(inputs)
}

/// A place for a function in the section that it names.
fn place(object: &mut Object, function: &mir::Function) -> FunctionRange {
    let name = match function.section.as_str() {
        "" => ".text",
        name => name,
    };
    let section = object.section_by_name(name).unwrap_or_else(|| {
        object.add_section(Section {
            flags: SHF_ALLOC | SHF_EXECINSTR,
            align: PLACEHOLDER,
            ..Section::new(name, SHT_PROGBITS)
        })
    });
    let mut offset = 0;
    if let Some(section) = object.section_mut(section) {
        section.flags = SHF_ALLOC | SHF_EXECINSTR;
        section.align = PLACEHOLDER;
        if let Some(data) = section.data_mut() {
            offset = data.len() as u64;
            data.extend_from_slice(&[0x95, 0, 0, 0, 0, 0, 0, 0]);
        }
    }
    let symbol = object.add_symbol(Symbol {
        name: function.name.clone(),
        value: offset,
        size: PLACEHOLDER,
        binding: u8::from(function.global),
        kind: STT_FUNC,
        other: 0,
        place: SymbolPlace::Section(section),
    });
    FunctionRange {
        section,
        offset,
        size: PLACEHOLDER,
        symbol: Some(symbol),
        name: function.name.clone(),
        global: function.global,
    }
}

#[cfg(test)]
mod tests {
    use bpf::diagnostic::FileId;
    use bpf::insn::Endian;
    use frontend::asm::{AsmOptions, assemble};
    use frontend::lift::lift_object;
    use mir::{Cursor, InstData};

    use super::{CompileOptions, object_with};

    /// A section that refers to nothing, and one behind it that refers to a map.
    const TEXT: &str = "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
        r0 = 1\n exit\n\t.size f, .-f\n\t.section xdp/g,\"ax\",@progbits\n\t.globl g\n\
        \t.type g,@function\ng:\n r0 = m ll\n r0 = 2\n exit\n\t.size g, .-g\n\
        \t.section maps,\"aw\",@progbits\n\t.globl m\n\t.type m,@object\nm:\n\
        \t.long 2, 4, 8, 1, 0\n\t.size m, 20\n";

    #[test]
    fn code_that_begins_to_refer_to_something_moves_no_other() {
        let options = AsmOptions::new(Endian::Little);
        let object = assemble(TEXT, FileId(0), &options).unwrap().object;
        let lifted = lift_object(&object);
        let mut module = lifted.module.clone();
        let symbol = module.symbols.keys().next().unwrap();
        let func = module.functions.keys().next().unwrap();
        let function = &mut module.functions[func];
        let entry = function.layout.entry().unwrap();
        let returned = function.layout.last_inst(entry).unwrap();
        let arg = Cursor::before(function, returned).ins().symbol(symbol);
        function
            .dfg
            .replace_inst(returned, InstData::Return { arg });
        let linked = object_with(&object, &lifted, &module, &CompileOptions::default()).unwrap();
        let written = bpf::elf::write(&linked).unwrap();
        let again = lift_object(&bpf::elf::read(&written).unwrap()).module;
        let texts: Vec<String> = again.functions.values().map(ToString::to_string).collect();
        assert!(texts[0].contains("symbol sym0"), "{}", texts[0]);
        assert!(texts[1].contains("iconst.i64 2"), "{}", texts[1]);
        assert_eq!(again.symbols[symbol].name, "m");
    }
}
