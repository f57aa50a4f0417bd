//! Rules about the module's tables and what functions name in them.

use super::{Place, VerifierErrors};
use crate::entity::Inst;
use crate::function::Function;
use crate::inst::InstData;
use crate::module::{Module, SymbolKind};
use crate::opcode::Format;

const MAX_PARAMETERS: u8 = 5;

pub(super) fn check_tables(module: &Module, errors: &mut VerifierErrors) {
    for (id, symbol) in &module.symbols {
        if let SymbolKind::Function(func) = symbol.kind
            && !module.functions.is_valid(func)
        {
            errors.report(Place::Symbol(id), format!("{func} does not exist"));
        }
    }
    for (id, external) in &module.externals {
        if external.parameter_count > MAX_PARAMETERS {
            errors.report(Place::Whole, format!("{id} has more than 5 parameters"));
        }
    }
}

pub(super) fn check_signature(func: &Function, errors: &mut VerifierErrors) {
    if func.parameter_count > MAX_PARAMETERS {
        errors.report(Place::Whole, "a function has at most 5 parameters");
    }
}

pub(super) fn check_references(module: &Module, func: &Function, errors: &mut VerifierErrors) {
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            check_named(module, func, inst, errors);
            check_attributes(module, func, inst, errors);
        }
    }
}

fn check_named(module: &Module, func: &Function, inst: Inst, errors: &mut VerifierErrors) {
    let missing = |name: String| format!("{name} does not exist");
    let (name, wanted, args) = match *func.dfg.inst(inst) {
        InstData::SymbolAddr { symbol } => {
            if !module.symbols.is_valid(symbol) {
                errors.report(Place::Inst(inst), missing(symbol.to_string()));
            }
            return;
        }
        InstData::CallFunc { func: callee, args } => {
            let wanted = module.functions.get(callee).map(|f| f.parameter_count);
            (callee.to_string(), wanted, args)
        }
        InstData::CallExternal { external, args } => {
            let wanted = module.externals.get(external).map(|e| e.parameter_count);
            (external.to_string(), wanted, args)
        }
        _ => return,
    };
    let given = args.len(&func.dfg.pool);
    match wanted {
        None => errors.report(Place::Inst(inst), missing(name)),
        Some(wanted) if usize::from(wanted) != given => errors.report(
            Place::Inst(inst),
            format!("{name} takes {wanted} arguments but gets {given}"),
        ),
        Some(_) => {}
    }
}

fn check_attributes(module: &Module, func: &Function, inst: Inst, errors: &mut VerifierErrors) {
    let place = Place::Inst(inst);
    if let Some(location) = func.locations[inst].expand()
        && !module.locations.is_valid(location)
    {
        errors.report(place, format!("{location} does not exist"));
    }
    let Some(relo) = func.core_relos[inst].expand() else {
        return;
    };
    if !module.core_relos.is_valid(relo) {
        errors.report(place, format!("{relo} does not exist"));
    }
    let opcode = func.dfg.inst(inst).opcode();
    let can_carry = matches!(
        opcode.format(),
        Format::Const
            | Format::SymbolAddr
            | Format::Unary
            | Format::Binary
            | Format::Load
            | Format::Store
            | Format::AtomicRmw
            | Format::CompareExchange
    );
    if !can_carry {
        errors.report(place, format!("{opcode} cannot carry a CO-RE record"));
    }
}
