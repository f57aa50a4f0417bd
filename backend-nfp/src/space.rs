//! Which memory a value points into.
//!
//! Each memory of the card has instructions of its own: the stack lies in local memory, packets in
//! the cluster's memory, values of maps in external memory, and the context is no memory at all. MIR
//! does not say what a value is, so a data flow finds it.
//!
//! Soundness: the verifier accepted the program, so what an access reaches is the same kind of
//! memory on each way ([`crate::offload`] refuses others). A value is a pointer if it is made of
//! one: loaded from the context, computed from the frame, given by a look-up, or loaded from a slot
//! of the stack where one was stored. Where two kinds meet, the value is [`Space::Unknown`], and
//! whatever needs to know refuses the program.
//!
//! Cost: rounds over all instructions until nothing changes; a value changes at most three times, so the
//! rounds are bounded by the longest chain of parameters, in practice three. What slots hold is kept
//! for each block.

use std::collections::BTreeMap;

use bpf::insn::MemWidth;
use bpf::program_type::ProgramType;
use cranelift_entity::SecondaryMap;
use mir::{Block, Func, Function, InstData, Module, Opcode, Symbol, Type, Value};

/// Source nibbles of an `ld_imm64` that names a map (`BPF_PSEUDO_MAP_FD`, `BPF_PSEUDO_MAP_IDX`).
const BY_DESCRIPTOR: u8 = 1;
const BY_INDEX: u8 = 5;

/// What a value points into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Space {
    /// Not found yet.
    #[default]
    Unset,
    /// Zero: a number, or no pointer.
    Zero,
    /// Nothing: a number.
    Number,
    /// The packet, or its end.
    Packet,
    /// The stack.
    Stack,
    /// The value of a map.
    Map,
    /// The context.
    Context,
    /// A map, to give to a helper.
    Handle(Symbol),
    /// One of several maps.
    SomeHandle,
    /// One of several.
    Unknown,
}

impl Space {
    fn join(self, other: Space) -> Space {
        match (self, other) {
            (Space::Unset, one) | (one, Space::Unset) => one,
            (Space::Zero, one) | (one, Space::Zero) => one,
            (a, b) if a == b => a,
            (Space::Handle(_) | Space::SomeHandle, Space::Handle(_) | Space::SomeHandle) => {
                Space::SomeHandle
            }
            _ => Space::Unknown,
        }
    }

    fn is_pointer(self) -> bool {
        matches!(
            self,
            Space::Packet | Space::Stack | Space::Map | Space::Context
        )
    }

    fn plus(self, other: Space) -> Space {
        match (self, other) {
            (Space::Unset, _) | (_, Space::Unset) => Space::Unset,
            (one, Space::Number | Space::Zero) | (Space::Number | Space::Zero, one) => {
                if one == Space::Zero {
                    Space::Number
                } else {
                    one
                }
            }
            _ => Space::Unknown,
        }
    }

    fn minus(self, other: Space) -> Space {
        match (self, other) {
            (Space::Unset, _) | (_, Space::Unset) => Space::Unset,
            (one, Space::Number | Space::Zero) if one != Space::Zero => one,
            (Space::Zero, Space::Number | Space::Zero) => Space::Number,
            (a, b) if a == b && a.is_pointer() => Space::Number,
            _ => Space::Unknown,
        }
    }
}

/// Fields of the context that programs on the card read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextField {
    /// Where the packet begins; metadata too, since there is none when it arrives, and nothing that
    /// makes any.
    Data,
    /// Where it ends.
    DataEnd,
    /// Its length.
    Length,
}

/// The field at an offset; `None` where the card has none.
#[must_use]
pub fn context_field(program_type: ProgramType, offset: i32) -> Option<ContextField> {
    match (program_type, offset) {
        (ProgramType::Xdp, 0 | 8) | (ProgramType::SchedCls, 76 | 140) => Some(ContextField::Data),
        (ProgramType::Xdp, 4) | (ProgramType::SchedCls, 80) => Some(ContextField::DataEnd),
        (ProgramType::SchedCls, 0) => Some(ContextField::Length),
        _ => None,
    }
}

/// A value that is another one and a number: both. What a loader patches is no number.
pub(crate) fn constant_sum(function: &Function, value: Value) -> Option<(Value, i64)> {
    let InstData::Binary {
        opcode: opcode @ (Opcode::Iadd | Opcode::Isub),
        ty: Type::I64,
        args: [a, b],
    } = *function.dfg.def_inst(value)?.1
    else {
        return None;
    };
    let (base, by) = match (function.constant(a), function.constant(b)) {
        (_, Some(by)) if opcode == Opcode::Iadd => (a, by),
        (_, Some(by)) => (a, by.wrapping_neg()),
        (Some(by), None) if opcode == Opcode::Iadd => (b, by),
        _ => return None,
    };
    Some((function.dfg.resolve(base), by))
}

/// Offset from the frame pointer, where a value is a constant one.
#[must_use]
pub fn frame_offset(func: &Function, value: Value) -> Option<i64> {
    let mut offset = 0i64;
    let mut value = func.dfg.resolve(value);
    while let Some((base, by)) = constant_sum(func, value) {
        offset = offset.wrapping_add(by);
        value = base;
    }
    let is_frame = matches!(
        func.dfg.def_inst(value)?.1,
        InstData::Nullary {
            opcode: Opcode::Frame,
            ..
        }
    );
    is_frame.then_some(offset)
}

/// Spaces of what lies in the stack, by offset from the frame pointer: compilers use a slot for a
/// number here and a pointer there.
type Slots = BTreeMap<i64, Space>;

/// Spaces of all values of a module's functions.
#[derive(Clone, Debug, Default)]
pub struct Spaces {
    values: SecondaryMap<Func, SecondaryMap<Value, Space>>,
    /// What slots of the stack hold where a block begins.
    slots: SecondaryMap<Func, SecondaryMap<Block, Slots>>,
    results: SecondaryMap<Func, Space>,
}

impl Spaces {
    /// Finds the spaces of what a program reaches from its entry.
    #[must_use]
    pub fn compute(module: &Module, entry: Func, program_type: ProgramType) -> Spaces {
        let mut spaces = Spaces::default();
        let main = &module.functions[entry];
        if let Some(first) = main.layout.entry()
            && let Some(&context) = main.dfg.block_params(first).first()
        {
            spaces.values[entry][context] = Space::Context;
        }
        let reached = reached(module, entry);
        loop {
            let mut changed = false;
            for &func in &reached {
                changed |= spaces.round(module, func, program_type);
            }
            if !changed {
                return spaces;
            }
        }
    }

    /// The space of a value.
    #[must_use]
    pub fn get(&self, func: Func, function: &Function, value: Value) -> Space {
        self.values[func][function.dfg.resolve(value)]
    }

    fn raise(&mut self, func: Func, value: Value, space: Space) -> bool {
        let place = &mut self.values[func][value];
        let joined = place.join(space);
        let changed = joined != *place;
        *place = joined;
        changed
    }

    fn round(&mut self, module: &Module, func: Func, program_type: ProgramType) -> bool {
        let function = &module.functions[func];
        let mut changed = false;
        for block in function.layout.blocks() {
            let mut slots = self.slots[func][block].clone();
            for inst in function.layout.insts(block) {
                if let InstData::Store {
                    width,
                    base,
                    value,
                    offset,
                    ..
                } = *function.dfg.inst(inst)
                    && let Some(at) = frame_offset(function, base)
                {
                    let space = match width {
                        MemWidth::B64 => self.get(func, function, value),
                        _ => Space::Number,
                    };
                    slots.insert(at.wrapping_add(offset.into()), space);
                }
                if let InstData::CallFunc {
                    func: callee, args, ..
                } = *function.dfg.inst(inst)
                {
                    let target = &module.functions[callee];
                    let params = target
                        .layout
                        .entry()
                        .map_or(&[][..], |entry| target.dfg.block_params(entry));
                    let args = args.as_slice(&function.dfg.pool).to_vec();
                    for (param, arg) in params.iter().zip(args) {
                        let space = self.get(func, function, arg);
                        changed |= self.raise(callee, *param, space);
                    }
                }
                if let InstData::Return { arg } = *function.dfg.inst(inst) {
                    let joined = self.results[func].join(self.get(func, function, arg));
                    changed |= joined != self.results[func];
                    self.results[func] = joined;
                }
                if let Some(result) = function.dfg.result(inst) {
                    let space = self.result(module, func, &slots, inst, program_type);
                    changed |= self.raise(func, result, space);
                }
                for call in function.dfg.successors(inst) {
                    let known = &mut self.slots[func][call.block];
                    for (at, space) in &slots {
                        let slot = known.entry(*at).or_default();
                        let joined = slot.join(*space);
                        changed |= joined != *slot;
                        *slot = joined;
                    }
                    let params = function.dfg.block_params(call.block).to_vec();
                    let args = function.dfg.call_args(&call).to_vec();
                    for (param, arg) in params.into_iter().zip(args) {
                        let space = self.get(func, function, arg);
                        changed |= self.raise(func, param, space);
                    }
                }
            }
        }
        changed
    }

    fn result(
        &self,
        module: &Module,
        func: Func,
        slots: &Slots,
        inst: mir::Inst,
        program_type: ProgramType,
    ) -> Space {
        let function = &module.functions[func];
        let get = |value| self.get(func, function, value);
        match *function.dfg.inst(inst) {
            InstData::Const { imm: 0, .. } => Space::Zero,
            InstData::Nullary {
                opcode: Opcode::Frame,
                ..
            } => Space::Stack,
            InstData::Nullary { .. } => Space::Unset,
            InstData::SymbolAddr { symbol } => {
                let data = &module.symbols[symbol];
                // Without a relocation, the instruction itself says that it is a map.
                let by_number = data.object_symbol.is_none()
                    && [BY_DESCRIPTOR, BY_INDEX].contains(&data.pseudo);
                if data.kind == mir::SymbolKind::Map || by_number {
                    Space::Handle(symbol)
                } else {
                    Space::Unknown
                }
            }
            InstData::Binary {
                opcode: Opcode::Iadd,
                ty: Type::I64,
                args: [a, b],
            } => get(a).plus(get(b)),
            InstData::Binary {
                opcode: Opcode::Isub,
                ty: Type::I64,
                args: [a, b],
            } => get(a).minus(get(b)),
            // A pointer of a packet has 32 bits here; as a word it is loaded from the context.
            InstData::Unary {
                opcode: Opcode::Trunc | Opcode::Zext,
                arg,
                ..
            } if get(arg) == Space::Packet => Space::Packet,
            InstData::Load { base, offset, .. } => match get(base) {
                Space::Context => match context_field(program_type, offset) {
                    Some(ContextField::Data | ContextField::DataEnd) => Space::Packet,
                    _ => Space::Number,
                },
                Space::Stack => {
                    let at = frame_offset(function, base);
                    let at = at.map(|at| at.wrapping_add(offset.into()));
                    let slot = at.and_then(|at| slots.get(&at));
                    slot.copied().unwrap_or(Space::Unset)
                }
                _ => Space::Number,
            },
            InstData::CallHelper { id: 1, .. } => Space::Map,
            InstData::CallFunc { func: callee, .. } => self.results[callee],
            _ => Space::Number,
        }
    }
}

/// Functions that a function calls, each as often as it does.
pub(crate) fn callees(function: &Function) -> impl Iterator<Item = Func> {
    let blocks = function.layout.blocks();
    let insts = blocks.flat_map(|block| function.layout.insts(block));
    insts.filter_map(|inst| match *function.dfg.inst(inst) {
        InstData::CallFunc { func, .. } => Some(func),
        _ => None,
    })
}

/// Functions that an entry reaches by calls, each before those that it calls.
#[must_use]
pub fn reached(module: &Module, entry: Func) -> Vec<Func> {
    let mut found = vec![entry];
    let mut at = 0;
    while let Some(&func) = found.get(at) {
        at += 1;
        for callee in callees(&module.functions[func]) {
            if !found.contains(&callee) {
                found.push(callee);
            }
        }
    }
    found
}
