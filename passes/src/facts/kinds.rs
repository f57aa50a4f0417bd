//! May a value be a pointer in the kernel's eyes?
//!
//! **What.** A forward walk gives each value a [`Kind`]. Only [`Kind::Number`] promises anything
//! about arithmetic; the other kinds exist to classify what is loaded through them.
//!
//! **Why sound.** For accepted programs: 32-bit operations and 64-bit bitwise, shift, multiply and
//! divide operations on pointers are refused (or give a number), so their results are numbers. A
//! pointer that a 32-bit load yields is a packet pointer of the context (`data`, `data_end`,
//! `data_meta`); through stack, packet, map and object memory a 32-bit load yields a number.
//! 64-bit loads may yield pointers except through packet memory. Arena pointers allow all
//! arithmetic, so modules that use them prove nothing by it.
//!
//! **Cost.** Parameters of blocks start optimistic and only get worse; after [`MAX_ROUNDS`] rounds
//! those not settled become [`Kind::Any`]. Linear in instructions for each round.

use bpf::helpers::{self, ReturnKind};
use bpf::insn::MemWidth;
use cranelift_entity::SecondaryMap;
use mir::analysis::ControlFlowGraph;
use mir::{Function, Inst, InstData, Module, Opcode, SymbolKind, Type, Value};

/// Rounds before giving up on loop-carried values. A round settles all but values carried around
/// loops; two nested loops take three.
const MAX_ROUNDS: usize = 5;

/// What a value is in the kernel's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// Nothing has been found yet: an undefined value, or a parameter not visited.
    Unknown,
    /// Certainly a number.
    Number,
    /// A packet pointer or a number.
    PacketOrNumber,
    /// A pointer into the stack.
    Stack,
    /// A pointer to bytes that any access may touch (a map's value, a data section, a record of a
    /// ring buffer), or null.
    Plain,
    /// A pointer into memory that is neither context, packet nor stack, or null.
    Memory,
    /// Any of these or something else.
    #[default]
    Any,
}

impl Kind {
    fn join(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (a, b) if a == b => a,
            (Kind::Number, Kind::PacketOrNumber) | (Kind::PacketOrNumber, Kind::Number) => {
                Kind::PacketOrNumber
            }
            (Kind::Memory, Kind::Plain) | (Kind::Plain, Kind::Memory) => Kind::Memory,
            _ => Kind::Any,
        }
    }

    fn add(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (Kind::Number, kind) | (kind, Kind::Number) => kind,
            // A pointer is only ever added to a number.
            (Kind::Stack | Kind::Plain | Kind::Memory, Kind::Any | Kind::PacketOrNumber) => self,
            (Kind::Any | Kind::PacketOrNumber, Kind::Stack | Kind::Plain | Kind::Memory) => other,
            (Kind::PacketOrNumber, Kind::PacketOrNumber) => Kind::PacketOrNumber,
            _ => Kind::Any,
        }
    }

    fn subtract(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (kind, Kind::Number) => kind,
            (Kind::PacketOrNumber, Kind::PacketOrNumber) => Kind::PacketOrNumber,
            (
                Kind::Stack | Kind::Plain | Kind::Memory,
                Kind::Stack | Kind::Plain | Kind::Memory,
            ) => Kind::Number,
            _ => Kind::Any,
        }
    }

    fn loaded(self, width: MemWidth, signed: bool) -> Kind {
        match (width, self) {
            (MemWidth::B8 | MemWidth::B16, _) => Kind::Number,
            (MemWidth::B32, Kind::Stack | Kind::Plain | Kind::Memory | Kind::PacketOrNumber) => {
                Kind::Number
            }
            (MemWidth::B32, _) if !signed => Kind::PacketOrNumber,
            (MemWidth::B64, Kind::PacketOrNumber) => Kind::Number,
            _ => Kind::Any,
        }
    }
}

/// The kind of each value. Values made after the walk are [`Kind::Any`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    kinds: SecondaryMap<Value, Kind>,
}

impl Kinds {
    /// The kinds of a function's values.
    pub(crate) fn compute(
        module: &Module,
        func: &Function,
        cfg: &ControlFlowGraph,
        uses_arena: bool,
    ) -> Kinds {
        let mut kinds = SecondaryMap::with_capacity(func.dfg.value_count());
        for &block in cfg.reverse_postorder() {
            if Some(block) != cfg.entry() {
                for &param in func.dfg.block_params(block) {
                    kinds[param] = Kind::Unknown;
                }
            }
        }
        let mut walk = Kinds { kinds };
        for _ in 0..MAX_ROUNDS {
            if !walk.round(module, func, cfg, uses_arena) {
                return walk;
            }
        }
        for &block in cfg.reverse_postorder() {
            for &param in func.dfg.block_params(block) {
                walk.kinds[param] = Kind::Any;
            }
        }
        walk.round(module, func, cfg, uses_arena);
        walk
    }

    /// The kind of a value.
    pub(crate) fn get(&self, func: &Function, value: Value) -> Kind {
        if func.dfg.value_type(value) == Type::I32 {
            return Kind::Number;
        }
        self.kinds[func.dfg.resolve(value)]
    }

    /// Whether a value is certainly a number.
    pub(crate) fn is_number(&self, func: &Function, value: Value) -> bool {
        self.get(func, value) == Kind::Number || func.dfg.raw_constant(value).is_some()
    }

    /// Visits all blocks and says whether a block parameter got worse.
    fn round(
        &mut self,
        module: &Module,
        func: &Function,
        cfg: &ControlFlowGraph,
        uses_arena: bool,
    ) -> bool {
        let mut changed = false;
        for &block in cfg.reverse_postorder() {
            for inst in func.layout.insts(block) {
                if let Some(result) = func.dfg.result(inst) {
                    self.kinds[result] = self.result_kind(module, func, inst, uses_arena);
                }
            }
            let Some(last) = func.layout.last_inst(block) else {
                continue;
            };
            for call in func.dfg.successors(last) {
                if Some(call.block) == cfg.entry() {
                    continue;
                }
                let params = func.dfg.block_params(call.block);
                for (&param, &arg) in params.iter().zip(func.dfg.call_args(&call)) {
                    let old = self.kinds[param];
                    let new = old.join(self.get(func, arg));
                    self.kinds[param] = new;
                    changed |= old != new;
                }
            }
        }
        changed
    }

    fn result_kind(&self, module: &Module, func: &Function, inst: Inst, uses_arena: bool) -> Kind {
        let by_arithmetic = if uses_arena { Kind::Any } else { Kind::Number };
        match *func.dfg.inst(inst) {
            InstData::Const { .. } => Kind::Number,
            InstData::Nullary {
                opcode: Opcode::Frame,
                ..
            } => Kind::Stack,
            InstData::Nullary { .. } => Kind::Unknown,
            InstData::SymbolAddr { symbol } => match module.symbols[symbol].kind {
                SymbolKind::Data if !uses_arena => Kind::Plain,
                _ => Kind::Memory,
            },
            InstData::Unary { opcode, .. } => match opcode {
                Opcode::Zext | Opcode::Sext => Kind::Number,
                _ => by_arithmetic,
            },
            InstData::Binary {
                opcode,
                ty: Type::I64,
                args: [a, b],
            } => match opcode {
                Opcode::Iadd => self.get(func, a).add(self.get(func, b)),
                Opcode::Isub => self.get(func, a).subtract(self.get(func, b)),
                _ => by_arithmetic,
            },
            InstData::Binary { .. } => Kind::Number,
            InstData::Load {
                opcode,
                width,
                base,
                ..
            } => self.get(func, base).loaded(width, opcode == Opcode::Sload),
            InstData::LoadAbs { .. } | InstData::LoadInd { .. } => Kind::Number,
            InstData::AtomicRmw { width, .. } | InstData::CompareExchange { width, .. } => {
                match width {
                    MemWidth::B64 => Kind::Any,
                    _ => Kind::Number,
                }
            }
            InstData::CallHelper { id, .. } => match helpers::by_id(id).map(|h| h.returns) {
                Some(ReturnKind::Integer | ReturnKind::Void) => Kind::Number,
                Some(ReturnKind::MapValue | ReturnKind::RingbufMem | ReturnKind::DynptrMem) => {
                    Kind::Plain
                }
                Some(_) => Kind::Memory,
                None => Kind::Any,
            },
            _ => Kind::Any,
        }
    }
}
