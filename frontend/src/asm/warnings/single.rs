//! What is suspicious about an instruction whatever stands around it.
//!
//! Each needs only the instruction and its relocation, and only those that are notable can give rise to
//! a warning. Time is linear.

use bpf::diagnostic::Diagnostic;
use bpf::helpers;
use bpf::insn::{CallTarget, Insn, MemWidth, Operand, Reg};
use bpf::object::{Object, STT_OBJECT};

use super::Warning;
use super::code::{Code, Part, Step};

/// All such warnings.
pub fn check(object: &Object, code: &Code<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for part in &code.parts {
        for step in &part.notable {
            found.extend(written_frame(step));
            found.extend(wide_store(step));
            found.extend(call(object, part, step));
        }
    }
    found
}

fn written_frame(step: &Step) -> Option<Diagnostic> {
    if !step.insn.writes().contains(Reg::FRAME) {
        return None;
    }
    let warning = Warning::WriteR10.diagnostic("the frame pointer is read-only");
    let warning = warning.with_primary(step.span, "this writes r10");
    Some(warning.with_help("copy it and change the copy: `r2 = r10`"))
}

fn wide_store(step: &Step) -> Option<Diagnostic> {
    let Insn::Store {
        width,
        src: Operand::Imm(value),
        ..
    } = step.insn
    else {
        return None;
    };
    let (low, high, mask) = match width {
        MemWidth::B8 => (i32::from(i8::MIN), i32::from(u8::MAX), 0xff),
        MemWidth::B16 => (i32::from(i16::MIN), i32::from(u16::MAX), 0xffff),
        MemWidth::B32 | MemWidth::B64 => return None,
    };
    if (low..=high).contains(&value) {
        return None;
    }
    let bits = width.bits();
    let message = format!("`{value}` does not fit the {bits} bits that are stored");
    let warning = Warning::WideStore.diagnostic(message);
    let stored = format!("this stores `{:#x}`", value & mask);
    Some(warning.with_primary(step.span, stored))
}

fn call(object: &Object, part: &Part<'_>, step: &Step) -> Option<Diagnostic> {
    match step.insn {
        Insn::Call {
            target: CallTarget::Helper(number),
        } => {
            let known = u32::try_from(number).ok().and_then(helpers::by_id);
            if known.is_some() {
                return None;
            }
            let message = format!("there is no helper {number}");
            let warning = Warning::UnknownHelper.diagnostic(message);
            let highest = helpers::all().last().map_or(0, |helper| helper.id);
            let range = format!("helpers have the numbers 1 to {highest}");
            Some(warning.with_primary(step.span, range))
        }
        Insn::Call {
            target: CallTarget::Subprogram(_),
        } => {
            let target = part.targets.get(&step.offset)?;
            let symbol = object.symbol(target.symbol)?;
            let section = target.place.map(|(section, _)| section);
            let in_data = section.is_some_and(|section| !object.is_executable(section));
            if symbol.kind != STT_OBJECT && !in_data {
                return None;
            }
            let named = target.place.and_then(|(section, offset)| {
                let mut symbols = object.symbols_in(section);
                let found =
                    symbols.find(|(_, symbol)| symbol.value == offset && !symbol.name.is_empty());
                found.map(|(id, _)| id)
            });
            let name = object.symbol_label(named.unwrap_or(target.symbol));
            let message = format!("`{name}` is data and is called");
            let warning = Warning::CallData.diagnostic(message);
            Some(warning.with_primary(step.span, "there is no code at this address"))
        }
        _ => None,
    }
}
