//! Lifting: an [`Object`]'s functions from bytecode to MIR.
//!
//! The lift is faithful: one bytecode instruction becomes one MIR instruction (or a small tree of
//! them: operand halves, operation, extension), in order, with its origin and source position
//! kept, and nothing is simplified. What a loader patches stays symbolic: [`symbols`] turns
//! relocations into MIR symbols and externals, [`records`] attaches CO-RE records.
//!
//! ```text
//!   slots ─[decode]► instructions ─[blocks]► CFG ─[liveness]► live registers
//!                                                     │
//!            relocations ─[symbols]──────────────►[translate]► MIR with block parameters
//! ```
//!
//! A function that cannot be lifted becomes a declaration and the reason is reported: the caller
//! keeps its bytes. Nothing about one function stops another.
//!
//! Cost: liveness is a fixpoint over 11-bit sets, SSA construction is linear in blocks times
//! registers, removal of redundant parameters is a worklist.

mod blocks;
mod error;
mod liveness;
mod records;
mod signatures;
mod symbols;
mod translate;
mod trivial;

pub use error::LiftError;

use blocks::Bytecode;
use bpf::btf::ext::BtfExt;
use bpf::btf::{self, Btf};
use bpf::object::{FunctionRange, Object};
use cranelift_entity::EntityRef;
use mir::{Func, Function, Module};

/// A module with what is needed to put its functions back into the object.
#[derive(Clone, Debug)]
pub struct LiftedObject {
    /// The functions in MIR; `Func` number *n* is `functions[n]`.
    pub module: Module,
    /// Where each function came from.
    pub functions: Vec<LiftedFunction>,
    /// `.BTF`, when present and readable.
    pub btf: Option<Btf>,
    /// `.BTF.ext`, when present and readable.
    pub btf_ext: Option<BtfExt>,
    /// Why `.BTF` or `.BTF.ext` was not understood, in words.
    pub btf_problem: Option<String>,
}

/// Where a function came from.
#[derive(Clone, Debug)]
pub struct LiftedFunction {
    /// The function.
    pub func: Func,
    /// Its bytes.
    pub range: FunctionRange,
    /// Why it is only a declaration.
    pub kept: Option<LiftError>,
}

/// Lifts every function of an object.
#[must_use]
pub fn lift_object(object: &Object) -> LiftedObject {
    let (btf, btf_ext, btf_problem) = records::read(object);
    let table = match (&btf, &btf_ext) {
        (Some(btf), Some(ext)) => btf::function_table(object, btf, ext),
        _ => object.function_table(),
    };
    let mut module = Module::new(object.endian);
    let mut functions = Vec::with_capacity(table.functions.len());
    let mut codes: Vec<Option<Bytecode>> = Vec::with_capacity(table.functions.len());

    for range in &table.functions {
        let section = object
            .section(range.section)
            .map_or("", |section| &section.name);
        let func = module.functions.push(Function {
            name: range.name.clone(),
            section: section.to_owned(),
            global: range.global,
            ..Function::default()
        });
        let code = if !table.is_regular(range.section) {
            Err(LiftError::IrregularSection {
                section: section.to_owned(),
            })
        } else if btf_problem.is_some() {
            Err(LiftError::UnreadableBtf)
        } else {
            Bytecode::decode(object, range)
        };
        let (code, kept) = match code {
            Ok(code) => (Some(code), None),
            Err(error) => (None, Some(error)),
        };
        codes.push(code);
        functions.push(LiftedFunction {
            func,
            range: range.clone(),
            kept,
        });
    }

    let mut names = symbols::Resolver::new(object, &table.functions, btf.as_ref());
    for (index, code) in codes.iter_mut().enumerate() {
        let Some(bytecode) = code else { continue };
        if let Err(error) = names.resolve(&mut module, &functions[index].range, bytecode) {
            functions[index].kept = Some(error);
            *code = None;
        }
    }

    let masks = signatures::parameter_masks(&module, &codes, |index| {
        records::declared_parameters(
            object,
            btf.as_ref(),
            btf_ext.as_ref(),
            &table.functions[index],
        )
    });
    for (index, mask) in masks.iter().enumerate() {
        module.functions[Func::new(index)].parameter_count = mask.count();
    }

    let records = records::ByFunction::new(
        object,
        btf.as_ref(),
        btf_ext.as_ref(),
        &mut module,
        &table.functions,
    );
    for (index, code) in codes.into_iter().enumerate() {
        let Some(bytecode) = code else { continue };
        let func = Func::new(index);
        match translate::translate(&mut module, func, &bytecode, &masks, records.of(index)) {
            Ok(body) => module.functions[func] = body,
            Err(error) => functions[index].kept = Some(error),
        }
    }
    LiftedObject {
        module,
        functions,
        btf,
        btf_ext,
        btf_problem,
    }
}
