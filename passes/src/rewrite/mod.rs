//! Rewriting of instructions, shared by the passes that work rule by rule.
//!
//! A rule looks at a function through a [`View`] and answers with an [`Expr`]: what the result of
//! the instruction is instead. [`replace`] puts it there, keeps [`Uses`] true, and removes what is
//! unused from then on, so that "has one use" stays a good question during a sweep.

mod expr;

pub(crate) use expr::{Expr, materialise, replace};

use crate::facts::{Kinds, Widths};
use crate::target::Target;
use bpf::insn::Endian;
use cranelift_entity::SecondaryMap;
use mir::opcode::Effect;
use mir::{Function, Inst, InstData, Opcode, Type, Value, ValueDef};

/// What a rule may look at.
pub(crate) struct View<'a> {
    pub(crate) func: &'a Function,
    pub(crate) uses: &'a Uses,
    pub(crate) kinds: &'a Kinds,
    pub(crate) widths: &'a Widths,
    pub(crate) target: &'a Target,
    pub(crate) endian: Endian,
}

/// How often values are used, kept while the pass edits.
#[derive(Debug)]
pub(crate) struct Uses {
    pub(crate) all: SecondaryMap<Value, u32>,
    /// Uses as the base of a memory access whose offset may change.
    pub(crate) bases: SecondaryMap<Value, u32>,
}

/// An expression for the result, and what to call the rewrite.
pub(crate) type Rewrite = (Expr, &'static str);

impl View<'_> {
    /// How many low bits of a value may be other than zero, as the kernel knows it.
    pub(crate) fn width(&self, value: Value) -> u32 {
        self.widths.of(self.func, value)
    }

    /// The constant that a value is.
    pub(crate) fn constant(&self, value: Value) -> Option<i64> {
        self.func.constant(value)
    }

    /// Whether a value is a constant that a loader patches, perhaps in the instruction that uses it.
    pub(crate) fn is_patched_constant(&self, value: Value) -> bool {
        self.func.dfg.raw_constant(value).is_some() && self.constant(value).is_none()
    }

    /// The definition of a value, unless a loader patches it.
    pub(crate) fn def(&self, value: Value) -> Option<InstData> {
        let (inst, data) = self.func.dfg.def_inst(value)?;
        (!self.func.is_patched(inst)).then_some(*data)
    }

    /// The operand of a value's definition, if it is this unary operation.
    pub(crate) fn unary(&self, value: Value, wanted: Opcode) -> Option<Value> {
        match self.def(value)? {
            InstData::Unary { opcode, arg, .. } if opcode == wanted => {
                Some(self.func.dfg.resolve(arg))
            }
            _ => None,
        }
    }

    /// The 32-bit value that a 64-bit one extends, if a 32-bit operation may take it directly.
    ///
    /// An extended truncation is a 32-bit move to the kernel, and two things hang on that. It makes
    /// a number of a pointer, on which most other operations are refused. And it is a copy that is
    /// not linked with its source, so that what a comparison teaches of one is not known of the
    /// other: unless all uses leave the copy at once, none may.
    pub(crate) fn extended(&self, value: Value) -> Option<Value> {
        let inner = self
            .unary(value, Opcode::Zext)
            .or_else(|| self.unary(value, Opcode::Sext))?;
        let is_move = matches!(
            self.func.dfg.def_inst(inner),
            Some((
                _,
                InstData::Unary {
                    opcode: Opcode::Trunc,
                    ..
                }
            ))
        );
        (!is_move || self.has_one_use(value) && self.is_surely_narrow(inner)).then_some(inner)
    }

    /// Whether a 32-bit value is not just the lower half of what may be a pointer.
    pub(crate) fn is_surely_narrow(&self, value: Value) -> bool {
        match self.func.dfg.def_inst(value) {
            Some((
                _,
                &InstData::Unary {
                    opcode: Opcode::Trunc,
                    arg,
                    ..
                },
            )) => self.is_number(arg),
            _ => true,
        }
    }

    /// The operands of a value's definition, if it is this binary operation.
    pub(crate) fn binary(&self, value: Value, wanted: Opcode) -> Option<[Value; 2]> {
        match self.def(value)? {
            InstData::Binary { opcode, args, .. } if opcode == wanted => {
                Some(args.map(|arg| self.func.dfg.resolve(arg)))
            }
            _ => None,
        }
    }

    /// The variable and constant operand of a value's definition, if it is this operation.
    pub(crate) fn binary_with_constant(
        &self,
        value: Value,
        wanted: Opcode,
    ) -> Option<(Value, i64)> {
        let [a, b] = self.binary(value, wanted)?;
        Some((a, self.constant(b)?))
    }

    pub(crate) fn has_one_use(&self, value: Value) -> bool {
        self.uses.all[value] == 1
    }

    /// Whether computing a value again costs no register: the back end makes it at each use.
    pub(crate) fn is_rematerialised(&self, value: Value) -> bool {
        matches!(
            self.func.dfg.def_inst(value),
            Some((
                _,
                InstData::Const { .. }
                    | InstData::SymbolAddr { .. }
                    | InstData::Nullary {
                        opcode: Opcode::Frame,
                        ..
                    }
            ))
        )
    }

    pub(crate) fn ty(&self, value: Value) -> Type {
        self.func.dfg.value_type(value)
    }

    pub(crate) fn is_number(&self, value: Value) -> bool {
        self.kinds.is_number(self.func, value)
    }
}

impl Uses {
    pub(crate) fn count(func: &Function) -> Uses {
        let mut uses = Uses {
            all: SecondaryMap::with_capacity(func.dfg.value_count()),
            bases: SecondaryMap::new(),
        };
        for block in func.layout.blocks() {
            for inst in func.layout.insts(block) {
                uses.count_inst(func, inst);
            }
        }
        uses
    }

    pub(crate) fn count_inst(&mut self, func: &Function, inst: Inst) {
        func.dfg
            .for_each_operand(inst, |value| self.all[func.dfg.resolve(value)] += 1);
        if let Some(base) = movable_base(func, inst) {
            self.bases[func.dfg.resolve(base)] += 1;
        }
    }

    /// Takes an instruction's uses back, before it changes or goes.
    pub(crate) fn forget(&mut self, func: &Function, inst: Inst) {
        func.dfg.for_each_operand(inst, |value| {
            let count = &mut self.all[func.dfg.resolve(value)];
            *count = count.saturating_sub(1);
        });
        if let Some(base) = movable_base(func, inst) {
            let count = &mut self.bases[func.dfg.resolve(base)];
            *count = count.saturating_sub(1);
        }
    }

    /// Another value takes over all uses of one.
    pub(crate) fn transfer(&mut self, from: Value, to: Value) {
        self.all[to] += std::mem::take(&mut self.all[from]);
        self.bases[to] += std::mem::take(&mut self.bases[from]);
    }

    /// Removes the pure definitions of those values that are unused now, and what they alone used.
    pub(crate) fn remove_unused(&mut self, func: &mut Function, values: &[Value]) {
        let mut work: Vec<Value> = values.to_vec();
        while let Some(value) = work.pop() {
            let value = func.dfg.resolve(value);
            let ValueDef::Result(inst) = func.dfg.value_def(value) else {
                continue;
            };
            if self.all[value] == 0
                && func.layout.inst_block(inst).is_some()
                && func.dfg.inst(inst).opcode().effect() == Effect::Pure
            {
                work.extend(func.dfg.args(inst));
                self.forget(func, inst);
                func.remove_inst(inst);
            }
        }
    }
}

/// The base of a memory access whose offset may change.
pub(crate) fn movable_base(func: &Function, inst: Inst) -> Option<Value> {
    if func.is_patched(inst) {
        return None;
    }
    base_and_offset(func.dfg.inst(inst)).map(|(base, _)| base)
}

/// Base and offset of a memory access.
pub(crate) fn base_and_offset(data: &InstData) -> Option<(Value, i64)> {
    match *data {
        InstData::Load { base, offset, .. }
        | InstData::Store { base, offset, .. }
        | InstData::AtomicRmw { base, offset, .. } => Some((base, i64::from(offset))),
        InstData::CompareExchange { base, offset, .. } => Some((base, i64::from(offset))),
        _ => None,
    }
}
