//! The well-formedness checker. This page is the definition of well-formed MIR.
//!
//! # Rules
//! **Blocks**
//! - The last instruction of each block of the layout is a terminator, and no other is.
//! - Parameters of a block are values defined as just that parameter of that block, once each.
//!
//! **Control flow** (in `cfg`)
//! - Block calls go to blocks of the layout, with one argument of the right type per parameter.
//! - The entry block has no predecessors.
//! - The entry block has `parameter_count` parameters, at most five, all `i64`.
//!
//! **SSA** (in `ssa`)
//! - An operand exists, is no alias, and is defined by an instruction or block of the layout.
//! - The definition of an operand dominates its use; in unreachable blocks only the order within
//!   the block is checked.
//! - An instruction has a result exactly when its data says so, of the type that its data says, and
//!   the value names that instruction as its definition.
//!
//! **Types** (in `types`)
//! - Operands and result of `ineg`, `sext8`, `sext16` and of binary operations have the operation's
//!   type, both operands of `br` its type. `sext` and `zext` take `i32` and make `i64`, `trunc` the
//!   reverse; byte orders, `addr_space_cast` and `frame` are `i64` all through.
//! - Bases and contexts of memory accesses are `i64`. What is stored, exchanged or compared in
//!   memory, and the index of `load_ind`, is `i64`, or `i32` for at most four bytes.
//! - Arguments of calls, callees and returned values are `i64`.
//!
//! **Instructions** (in `types`)
//! - The operation belongs to the format of its data.
//! - An `i32` constant is sign-extended.
//! - `sload`, `load_abs` and `load_ind` access at most four bytes, atomics four or eight.
//! - `atomic_rmw` is not `cmpxchg`, which is an instruction of its own; `xchg` fetches.
//! - Calls have at most five arguments.
//!
//! **Module** (in `module`)
//! - Functions, externals, symbols, source positions and CO-RE records that are named exist; a
//!   symbol of kind function names an existing one.
//! - `call` and `call_external` have as many arguments as the callee has parameters, and no callee
//!   has more than five.
//! - A CO-RE record stands on a constant, a unary or binary operation, or a memory access.
//!
//! # Not checked
//! - That offsets fit 16 bits: back ends split what does not fit.
//! - That `undef` is never read, and anything else about what a program does: the verifier's part.
//! - That names are unique and that symbol indices of the input exist in it.
//! - That helper numbers exist and that their argument counts are those of the helper table.
//! - That the two tables of one function belong together (an [`crate::Inst`] of another function).
//!
//! Errors are collected, never stop the check, and no function makes it panic. Cost: linear.

mod cfg;
mod errors;
mod module;
mod ssa;
mod types;

#[cfg(test)]
mod tests;

pub use errors::{Place, VerifierError, VerifierErrors};

use crate::analysis::{ControlFlowGraph, DominatorTree};
use crate::entity::{Func, Value};
use crate::function::Function;
use crate::module::Module;

/// Checks one function against the rules, with the module for what it names.
///
/// # Errors
/// All violations.
pub fn verify_function(module: &Module, func: &Function) -> Result<(), VerifierErrors> {
    let mut errors = VerifierErrors::default();
    check_function(module, func, &mut errors);
    errors.into_result()
}

/// Checks a module: its tables, and each function.
///
/// # Errors
/// All violations, with the function of each group; `None` for those of the module's own tables.
pub fn verify_module(module: &Module) -> Result<(), Vec<(Option<Func>, VerifierErrors)>> {
    let mut all = Vec::new();
    let mut errors = VerifierErrors::default();
    module::check_tables(module, &mut errors);
    if let Err(errors) = errors.into_result() {
        all.push((None, errors));
    }
    for (id, func) in &module.functions {
        if let Err(errors) = verify_function(module, func) {
            all.push((Some(id), errors));
        }
    }
    if all.is_empty() { Ok(()) } else { Err(all) }
}

fn check_function(module: &Module, func: &Function, errors: &mut VerifierErrors) {
    module::check_signature(func, errors);
    if func.is_declaration() {
        return;
    }
    let graph = ControlFlowGraph::compute(func);
    let dominators = DominatorTree::compute(&graph);
    cfg::check(func, &graph, errors);
    ssa::check(func, &graph, &dominators, errors);
    types::check(func, errors);
    module::check_references(module, func, errors);
}

/// Whether a value is one that the function made: all that its type can be asked for.
fn exists(func: &Function, value: Value) -> bool {
    (value.as_u32() as usize) < func.dfg.value_count()
}
