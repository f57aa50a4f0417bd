//! Which bytes an access touches, and whether two instructions may touch the same.
//!
//! **What.** An address is a root value plus a constant, and a [`Region`] that says what kind of
//! memory the root points into. Sums of a pointer and a variable are roots of their own.
//!
//! **Why sound.** Two ranges from one root are compared byte by byte. Ranges from different roots
//! are apart only when their regions are: the stack, packets, and plain memory (values of maps,
//! data sections, ring buffer records) are different objects to the kernel, which lets no pointer
//! move from one to another. Values of two maps that the program names are different objects too, and
//! two pointers to the first byte of such an object ([`Starts`]) are equal or point to different ones.
//! A pointer of unknown kind may be any of them. It is apart from the
//! stack as long as no address of the stack was ever stored, merged or handed to a function
//! ([`Memory::frame_escapes`]): then no unknown pointer can have come from it.
//!
//! **Cost.** One walk over the instructions; an address is found by following at most [`MAX_SUMS`]
//! sums.

pub(crate) use super::users::Users;
use super::{Kinds, kinds::Kind, starts::Starts};
use crate::pass::PassContext;
use bpf::helpers;
use bpf::insn::MemWidth;
use cranelift_entity::EntitySet;
use mir::opcode::Effect;
use mir::{CoreRelo, Function, Inst, InstData, Module, Opcode, Symbol, SymbolKind, Value};
use rustc_hash::FxHashMap;

/// Sums of constants to look through. After `simplify` there is at most one.
const MAX_SUMS: usize = 8;

/// `BPF_CORE_FIELD_BYTE_OFFSET`, by `include/uapi/linux/bpf.h`.
const FIELD_OFFSET: u32 = 0;

/// The kind of memory that a pointer points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Region {
    /// This function's stack frame.
    Frame,
    /// The packet.
    Packet,
    /// The program's context.
    Context,
    /// Bytes shared with user space, other CPUs or the kernel, without fields that the kernel sees.
    Shared,
    /// Anything.
    Unknown,
}

/// A range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    /// What the root points into.
    pub(crate) region: Region,
    /// The value that the offset counts from.
    pub(crate) root: Root,
    /// The map or section that it lies in, if the root says so.
    pub(crate) object: Option<Symbol>,
    /// Distance of the first byte from the root.
    pub(crate) start: i64,
    /// Bytes.
    pub(crate) size: i64,
}

/// What an offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Root {
    /// The frame pointer, of which there may be several values.
    Frame,
    /// A symbol, of which there may be several values.
    Symbol(Symbol),
    /// A value.
    Value(Value),
}

/// The access of this many bytes.
pub(crate) fn width_of_bytes(bytes: i64) -> Option<MemWidth> {
    match bytes {
        1 => Some(MemWidth::B8),
        2 => Some(MemWidth::B16),
        4 => Some(MemWidth::B32),
        8 => Some(MemWidth::B64),
        _ => None,
    }
}

impl Range {
    /// One past the last byte.
    pub(crate) fn end(&self) -> i64 {
        self.start.saturating_add(self.size)
    }
}

/// What an instruction does to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Nothing.
    Nothing,
    /// Plain load of these bytes.
    Reads(Range),
    /// Plain store to these bytes.
    Writes(Range),
    /// Anything, in order with everything: calls, atomics, instructions that a loader patches.
    Barrier,
}

/// Where the accesses of a function go.
#[derive(Debug)]
pub(crate) struct Memory {
    kinds: Kinds,
    context: Option<Value>,
    frame_escapes: bool,
    starts: Starts,
    /// CO-RE records of offsets of fields.
    field_offsets: EntitySet<CoreRelo>,
    /// The entry in the object's symbol table for each symbol of a map.
    objects: FxHashMap<Symbol, u32>,
}

impl Memory {
    /// That of a function that a pass runs on.
    pub(crate) fn of(func: &Function, cx: &mut PassContext<'_>) -> Memory {
        let cfg = cx.analyses.cfg(func);
        let kinds = Kinds::compute(cx.module, func, &cfg, cx.uses_arena());
        Memory::new(cx.module, func, kinds, Starts::find(func, &cfg))
    }

    /// Looks at all instructions of a function.
    fn new(module: &Module, func: &Function, kinds: Kinds, starts: Starts) -> Memory {
        let mut memory = Memory {
            kinds,
            context: context(module, func),
            frame_escapes: false,
            starts,
            field_offsets: EntitySet::new(),
            objects: module
                .symbols
                .iter()
                .filter(|(_, data)| data.kind == SymbolKind::Map)
                .filter_map(|(symbol, data)| Some((symbol, data.object_symbol?)))
                .collect(),
        };
        for (relo, data) in &module.core_relos {
            if data.kind == FIELD_OFFSET {
                memory.field_offsets.insert(relo);
            }
        }
        memory.frame_escapes = func.layout.blocks().any(|block| {
            func.layout
                .insts(block)
                .any(|inst| memory.lets_frame_escape(func, inst))
        });
        memory
    }

    /// What is known of values.
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Whether an unknown pointer may point into the frame.
    pub(crate) fn frame_escapes(&self) -> bool {
        self.frame_escapes
    }

    /// The bytes from `base + offset` on.
    pub(crate) fn range(&self, func: &Function, base: Value, offset: i64, size: i64) -> Range {
        let (value, sum) = follow(func, base);
        let (region, root) = self.root(func, value);
        Range {
            region,
            root,
            object: object(func, root),
            start: sum.saturating_add(offset),
            size,
        }
    }

    /// The lowest that an address in the frame can be, as distance from the frame pointer. A loader may
    /// add offsets of fields to it, which are not negative.
    pub(crate) fn lowest_in_frame(&self, func: &Function, mut address: Value) -> Option<i64> {
        let mut lowest = 0i64;
        for _ in 0..MAX_SUMS {
            let range = self.range(func, address, lowest, 0);
            lowest = range.start;
            let Root::Value(sum) = range.root else {
                return (range.root == Root::Frame).then_some(lowest);
            };
            let (
                add,
                &InstData::Binary {
                    opcode: Opcode::Iadd,
                    args: [inner, offset],
                    ..
                },
            ) = func.dfg.def_inst(sum)?
            else {
                return None;
            };
            let (constant, InstData::Const { .. }) = func.dfg.def_inst(offset)? else {
                return None;
            };
            // It belongs to the constant, or to the operation that alone uses it.
            let records = [add, constant].map(|inst| func.core_relos[inst].expand());
            let record = records[0].or(records[1])?;
            if !self.field_offsets.contains(record) {
                return None;
            }
            address = inner;
        }
        None
    }

    fn root(&self, func: &Function, value: Value) -> (Region, Root) {
        match func.dfg.def_inst(value) {
            Some((
                _,
                InstData::Nullary {
                    opcode: Opcode::Frame,
                    ..
                },
            )) => return (Region::Frame, Root::Frame),
            Some((inst, &InstData::SymbolAddr { symbol })) if !func.is_patched(inst) => {
                let region = match self.kinds.get(func, value) {
                    Kind::Plain => Region::Shared,
                    _ => Region::Unknown,
                };
                return (region, Root::Symbol(symbol));
            }
            _ => {}
        }
        let region = match self.kinds.get(func, value) {
            _ if self.context == Some(value) => Region::Context,
            Kind::Stack => Region::Frame,
            Kind::PacketOrNumber => Region::Packet,
            Kind::Plain => Region::Shared,
            _ => Region::Unknown,
        };
        (region, Root::Value(value))
    }

    /// What an instruction does to memory.
    pub(crate) fn touch(&self, func: &Function, inst: Inst) -> Touch {
        let data = func.dfg.inst(inst);
        match *data {
            _ if matches!(data.opcode().effect(), Effect::Pure | Effect::Terminates) => {
                Touch::Nothing
            }
            _ if func.is_patched(inst) => Touch::Barrier,
            InstData::Load {
                opcode: Opcode::Load | Opcode::Sload,
                width,
                base,
                offset,
            } => Touch::Reads(self.range(func, base, i64::from(offset), i64::from(width.bytes()))),
            InstData::Store {
                opcode: Opcode::Store,
                width,
                base,
                offset,
                ..
            } => Touch::Writes(self.range(func, base, i64::from(offset), i64::from(width.bytes()))),
            _ => Touch::Barrier,
        }
    }

    /// Whether two ranges may have a byte in common.
    pub(crate) fn may_overlap(&self, func: &Function, a: &Range, b: &Range) -> bool {
        let meet = a.start < b.end() && b.start < a.end();
        if a.root == b.root {
            return meet;
        }
        match (a.region, b.region) {
            (Region::Unknown, Region::Frame) | (Region::Frame, Region::Unknown) => {
                self.frame_escapes
            }
            (Region::Unknown, _) | (_, Region::Unknown) => true,
            (Region::Shared, Region::Shared) => match (a.object, b.object) {
                (Some(a), Some(b)) if self.are_apart(a, b) => false,
                _ => meet || !(self.is_start(func, a.root) && self.is_start(func, b.root)),
            },
            (a, b) => a == b,
        }
    }

    fn is_start(&self, func: &Function, root: Root) -> bool {
        matches!(root, Root::Value(value) if self.starts.contains(func, value))
    }

    /// Whether two symbols certainly name different maps or sections.
    fn are_apart(&self, a: Symbol, b: Symbol) -> bool {
        match (self.objects.get(&a), self.objects.get(&b)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        }
    }

    /// Whether an instruction lets an address of the frame go where it is not followed.
    pub(crate) fn lets_frame_escape(&self, func: &Function, inst: Inst) -> bool {
        let points_to_frame = |value: Value| {
            let value = func.dfg.resolve(value);
            !self.kinds.is_number(func, value) && self.kinds.get(func, value) == Kind::Stack
        };
        let any = |values: &[Value]| values.iter().any(|&value| points_to_frame(value));
        match *func.dfg.inst(inst) {
            InstData::Unary { .. } | InstData::Load { .. } | InstData::Const { .. } => false,
            InstData::Binary {
                opcode: Opcode::Iadd | Opcode::Isub,
                ..
            } => {
                // The kernel knows the result for an address of the stack, and so do we.
                any(&func.dfg.args(inst)) && !func.dfg.result(inst).is_some_and(points_to_frame)
            }
            // A parameter that is only ever such an address is known for one.
            InstData::Branch { .. } | InstData::Jump { .. } | InstData::MayGoto { .. } => {
                let calls = func.dfg.successors(inst).into_iter();
                calls.into_iter().any(|call| {
                    let params = func.dfg.block_params(call.block).iter();
                    let mut passed = params.zip(func.dfg.call_args(&call));
                    passed.any(|(&param, &arg)| points_to_frame(arg) && !points_to_frame(param))
                })
            }
            InstData::Store { value, .. } | InstData::AtomicRmw { value, .. } => {
                points_to_frame(value)
            }
            // A helper forgets what it was given, unless it keeps a callback's argument.
            InstData::CallHelper { id, args } => {
                let keeps = helpers::by_id(id).is_none_or(|helper| {
                    helper.flags.intersects(
                        helpers::HelperFlags::CALLS_BACK | helpers::HelperFlags::CALLS_BACK_LATER,
                    )
                });
                keeps && any(args.as_slice(&func.dfg.pool))
            }
            _ => {
                let mut escapes = false;
                func.dfg
                    .for_each_operand(inst, |value| escapes |= points_to_frame(value));
                escapes
            }
        }
    }
}

/// The map that a root is the address of a value of.
fn object(func: &Function, root: Root) -> Option<Symbol> {
    let Root::Value(value) = root else {
        return None;
    };
    let (_, &InstData::CallHelper { id, args }) = func.dfg.def_inst(value)? else {
        return None;
    };
    if helpers::by_id(id)?.returns != helpers::ReturnKind::MapValue {
        return None;
    }
    let map = args.as_slice(&func.dfg.pool).first()?;
    match *func.dfg.def_inst(*map)?.1 {
        InstData::SymbolAddr { symbol } => Some(symbol),
        _ => None,
    }
}

/// The value that a base is a constant sum of, and the constant.
pub(crate) fn follow(func: &Function, base: Value) -> (Value, i64) {
    let mut value = func.dfg.resolve(base);
    let mut sum = 0i64;
    for _ in 0..MAX_SUMS {
        let Some((inst, &InstData::Binary { opcode, args, .. })) = func.dfg.def_inst(value) else {
            break;
        };
        if func.is_patched(inst) {
            break;
        }
        let next = match opcode {
            Opcode::Iadd => match (func.constant(args[1]), func.constant(args[0])) {
                (Some(constant), _) => Some((args[0], constant)),
                (None, Some(constant)) => Some((args[1], constant)),
                _ => None,
            },
            Opcode::Isub => func
                .constant(args[1])
                .and_then(i64::checked_neg)
                .map(|constant| (args[0], constant)),
            _ => None,
        };
        let Some((inner, constant)) = next else { break };
        let Some(total) = sum.checked_add(constant) else {
            break;
        };
        value = func.dfg.resolve(inner);
        sum = total;
    }
    (value, sum)
}

/// The context of a program: the first parameter, unless the function is one that others call.
fn context(module: &Module, func: &Function) -> Option<Value> {
    let is_program = func.global && !func.section.is_empty() && func.section != ".text";
    let is_callback = |name: &str| {
        module.symbols.values().any(|symbol| match symbol.kind {
            SymbolKind::Function(callee) => module.functions[callee].name == name,
            _ => false,
        })
    };
    if !is_program || is_callback(&func.name) {
        return None;
    }
    let entry = func.layout.entry()?;
    func.dfg.block_params(entry).first().copied()
}
