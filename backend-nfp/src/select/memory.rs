//! Loads, stores and additions: context, packets, values of maps.
//!
//! A read fills a group of transfer registers for all loads that [`crate::window`] put together; a
//! load then is a description of bytes of those registers. A write takes words that are composed in
//! outgoing transfer registers. Packet addresses have 32 bits; a map's pointer is a base, of which
//! the command adds 256 times, and an offset.

use bpf::insn::{Cond, MemWidth};
use mir::{Inst, InstData, Opcode, Value};

use super::half::{Byte, Half, Pair, Word};
use super::{Select, SelectError};
use crate::isa::{AluOp, CommandAction, CommandMode};
use crate::lir::{Access, Addend, Group, Op, Source, Target};
use crate::space::{ContextField, Space, context_field};
use crate::window::{Range, Root};

/// The packet vector: index register and words of length and address (NFP.md, section 5).
pub(super) const VECTOR: u8 = 1;
pub(super) const VECTOR_LENGTH: u8 = 0;
pub(super) const VECTOR_ADDRESS: u8 = 2;
/// Flags, one of which says that the program chose a queue, and the queue.
const VECTOR_FLAGS: u8 = 4;
const VECTOR_QUEUE: u8 = 6;
const QUEUE_CHOSEN: u8 = 1 << 4;
/// Queues that can be chosen.
const QUEUES: u32 = 64;
/// Bits of the length in its word.
const LENGTH_MASK: u32 = 0x3fff;
/// Offset of `rx_queue_index` in XDP's context.
const RX_QUEUE: i32 = 16;
/// Most bytes of a write by bytes without an override of its length.
const SHORT_WRITE: i64 = 8;

impl Select<'_> {
    /// Where the packet begins.
    pub(super) fn data(&self) -> Half {
        Word::Local(VECTOR, VECTOR_ADDRESS).into()
    }

    /// The packet's length.
    pub(super) fn length(&mut self) -> Half {
        let length = Half::from(Word::Local(VECTOR, VECTOR_LENGTH)).and(LENGTH_MASK);
        if self.settings.moves_packet {
            let mask = self.constant(LENGTH_MASK);
            let length = Source::Local(VECTOR, VECTOR_LENGTH);
            return self
                .emit(Op::Alu(AluOp::And, Source::Reg(mask), length))
                .into();
        }
        self.register(length).into()
    }

    pub(super) fn load(
        &mut self,
        inst: Inst,
        opcode: Opcode,
        width: MemWidth,
        base: Value,
        offset: i32,
    ) -> Result<Pair, SelectError> {
        let pair = match self.space(base) {
            Space::Context => return self.load_context(offset),
            Space::Stack => self.load_stack(base, offset, width)?,
            Space::Packet | Space::Map => self.load_window(inst, width, false)?,
            _ => return Err(self.unsupported("a load from this memory")),
        };
        if opcode != Opcode::Sload {
            return Ok(pair);
        }
        let low = match width {
            MemWidth::B8 | MemWidth::B16 => {
                let bits = if width == MemWidth::B8 { 8 } else { 16 };
                self.sign_extended_from(pair.low, bits)
            }
            _ => pair.low,
        };
        Ok(self.sign_extended(low))
    }

    fn load_context(&mut self, offset: i32) -> Result<Pair, SelectError> {
        let moves = self.settings.moves_packet;
        Ok(Pair::of(
            match context_field(self.settings.program_type, offset) {
                Some(ContextField::Data) if moves => {
                    let address = Source::Local(VECTOR, VECTOR_ADDRESS);
                    self.emit(Op::Alu(AluOp::Move, Source::Nothing, address))
                        .into()
                }
                Some(ContextField::Data) => self.data(),
                Some(ContextField::DataEnd) => {
                    let (length, data) = (self.length(), self.data());
                    self.alu(AluOp::Add, length, data)
                }
                Some(ContextField::Length) => self.length(),
                None => return Err(self.unsupported("this field of the context")),
            },
        ))
    }

    fn store_context(&mut self, offset: i32, value: Pair) -> Result<(), SelectError> {
        if offset != RX_QUEUE || self.settings.program_type != bpf::program_type::ProgramType::Xdp {
            return Err(self.unsupported("a store to this field of the context"));
        }
        // Queues beyond those of the card are left to it.
        let (chosen, after) = (self.way(), self.way());
        let queue = Half::from(self.register(value.low));
        self.compare(
            Cond::Lt,
            false,
            Pair::of(queue),
            Pair::constant(QUEUES.into()),
            chosen.1,
            after.1.clone(),
        )?;
        self.arms += 1;
        self.start(chosen.0);
        let flags = Source::Local(VECTOR, VECTOR_FLAGS);
        self.push(
            Op::Alu(AluOp::Or, flags, Source::Immediate(QUEUE_CHOSEN)),
            Target::Local(VECTOR, VECTOR_FLAGS),
        );
        let source = self.source(queue);
        self.push(
            Op::Alu(AluOp::Move, Source::Nothing, source),
            Target::Local(VECTOR, VECTOR_QUEUE),
        );
        self.end(crate::lir::End::Jump(after.1));
        self.arms -= 1;
        self.start(after.0);
        Ok(())
    }

    /// Mode and operands of a command at an address.
    fn address(
        &mut self,
        space: Space,
        root: Root,
        offset: i64,
    ) -> Result<(CommandMode, Source, Source), SelectError> {
        let by = Half::Const(offset as u32);
        match (space, root) {
            (Space::Packet, Root::Data | Root::Legacy) => {
                let base = self.data();
                let (a, b) = (self.source(base), self.command_offset(offset));
                Ok((CommandMode::Short, a, b))
            }
            (Space::Packet, Root::Value(value)) => {
                let base = self.pair(value)?.low;
                let base = match base {
                    Half::Bits(_) => base,
                    Half::Const(_) => self.register(base).into(),
                };
                let (a, b) = (self.source(base), self.command_offset(offset));
                let a = self.bank_a(a);
                Ok((CommandMode::Short, a, b))
            }
            (Space::Map, Root::Value(value)) => {
                let base = self.pair(value)?;
                let low = self.sum32(AluOp::Add, base.low, by);
                let (a, b) = (self.register(low), self.register(base.high));
                Ok((CommandMode::WideB, Source::Reg(a), Source::Reg(b)))
            }
            _ => Err(self.unsupported("an access to this memory")),
        }
    }

    /// What a command reads as its first operand.
    fn bank_a(&mut self, source: Source) -> Source {
        match source {
            Source::Local(0 | 1, 0..8) | Source::Reg(_) | Source::Transfer(..) => source,
            other => Source::Reg(self.emit(Op::Alu(AluOp::Move, Source::Nothing, other))),
        }
    }

    fn command_offset(&mut self, offset: i64) -> Source {
        match u8::try_from(offset) {
            Ok(offset @ 0..128) => Source::Immediate(offset),
            _ => Source::Reg(self.constant(offset as u32)),
        }
    }

    /// Reads a range into a group.
    fn read(&mut self, range: &Range, action: CommandAction) -> Result<Group, SelectError> {
        let (mode, a, b) = self.address(range.space, range.root, range.start)?;
        let (count, words) = match action {
            CommandAction::Read8 => (range.size, (range.size + 3) / 4),
            _ => ((range.size + 3) / 4, (range.size + 3) / 4),
        };
        let access = Access {
            action,
            mode,
            a,
            b,
            count: count as u8,
            outgoing: 0,
            signal: None,
        };
        let group = self.lir.new_group(words as u8);
        self.push(Op::Read(access, group), Target::Nothing);
        Ok(group)
    }

    /// A load that is part of a group of loads.
    fn load_window(
        &mut self,
        inst: Inst,
        width: MemWidth,
        network: bool,
    ) -> Result<Pair, SelectError> {
        let range = self.planner().load(inst);
        let (Some(range), Some(&index)) = (range, self.plan.read_of.get(&inst)) else {
            return Err(self.unsupported("this load"));
        };
        let read = &self.plan.reads[index];
        let whole = read.range;
        let group = match self.groups.get(&index) {
            Some(group) => *group,
            None => {
                let action = match network {
                    true => CommandAction::Read32,
                    false => CommandAction::Read32Swap,
                };
                let group = self.read(&whole, action)?;
                self.groups.insert(index, group);
                group
            }
        };
        let first = range.start - whole.start;
        let size = i64::from(width.bytes());
        let byte = |at: i64| {
            let (word, byte) = ((at / 4) as u8, (at % 4) as u8);
            // In network order the first byte is the highest.
            let byte = if network { 3 - byte } else { byte };
            Byte::Of(Word::Transfer(group, word), byte)
        };
        let bytes: [Byte; 8] = std::array::from_fn(|index| {
            let index = index as i64;
            let at = if network {
                first + size - 1 - index
            } else {
                first + index
            };
            if index < size {
                byte(at)
            } else {
                Byte::Const(0)
            }
        });
        let [a, b, c, d, e, f, g, h] = bytes;
        Ok(Pair {
            low: self.compose([a, b, c, d]),
            high: self.compose([e, f, g, h]),
        })
    }

    /// Legacy loads leave the program with 0 beyond the packet's end.
    fn check_length(&mut self, end: Pair) -> Result<(), SelectError> {
        let length = Pair::of(self.length());
        let (next, within) = self.way();
        let outside = self.edge_to_zero();
        self.compare(Cond::Le, false, end, length, within, outside)?;
        self.start(next);
        Ok(())
    }

    pub(super) fn load_absolute(
        &mut self,
        inst: Inst,
        width: MemWidth,
        offset: i32,
    ) -> Result<Pair, SelectError> {
        if offset < 0 {
            return Err(self.unsupported("a legacy load of what is not in the packet"));
        }
        let end = i64::from(offset) + i64::from(width.bytes());
        self.check_length(Pair::constant(end.cast_unsigned()))?;
        self.load_window(inst, width, true)
    }

    pub(super) fn load_indirect(
        &mut self,
        width: MemWidth,
        offset: i32,
        index: Value,
    ) -> Result<Pair, SelectError> {
        let size = i64::from(width.bytes());
        let index = self.pair(index)?.low;
        let place = self.sum32(AluOp::Add, index, Half::Const(offset.cast_unsigned()));
        let place = Half::from(self.register(place));
        // A place so far behind that its end would wrap is beyond any packet.
        let length = self.length();
        let last = self.alu(AluOp::Sub, length, Half::Const(size as u32));
        let last = self.register(last);
        let (next, within) = self.way();
        let (long, enough) = self.way();
        let outside = self.edge_to_zero();
        self.compare(
            Cond::Sge,
            false,
            Pair::of(last.into()),
            Pair::constant(0),
            enough,
            outside.clone(),
        )?;
        self.start(long);
        self.compare(
            Cond::Le,
            false,
            Pair::of(place),
            Pair::of(last.into()),
            within,
            outside,
        )?;
        self.start(next);
        let a = self.data();
        let (a, b) = (self.source(a), Source::Reg(self.register(place)));
        let access = Access {
            action: CommandAction::Read8,
            mode: CommandMode::Short,
            a,
            b,
            count: size as u8,
            outgoing: 0,
            signal: None,
        };
        let group = self.lir.new_group(((size + 3) / 4) as u8);
        self.push(Op::Read(access, group), Target::Nothing);
        let word = Half::from(Word::Transfer(group, 0));
        Ok(Pair::of(word.right((32 - 8 * size) as u32)))
    }

    pub(super) fn store(
        &mut self,
        inst: Inst,
        width: MemWidth,
        base: Value,
        value: Value,
        offset: i32,
    ) -> Result<(), SelectError> {
        let space = self.space(base);
        let pair = self.pair(value)?;
        match space {
            Space::Stack => return self.store_stack(base, offset, width, pair),
            Space::Context => return self.store_context(offset, pair),
            Space::Packet => {}
            Space::Map if self.settings.capabilities.maps.stores => {}
            _ => return Err(self.unsupported("a store to this memory")),
        }
        if self.plan.delayed.contains_key(&inst) {
            return Ok(());
        }
        let Some(group) = self.plan.writes.get(&inst).cloned() else {
            return Err(self.unsupported("this store"));
        };
        let mut bytes = vec![Byte::Const(0); (group.range.size as usize).next_multiple_of(4)];
        for store in group.stores {
            let InstData::Store { value, width, .. } = *self.function.dfg.inst(store) else {
                continue;
            };
            let Some(range) = self.planner().store(store) else {
                continue;
            };
            let pair = self.pair(value)?;
            let made = self.bytes_of(pair);
            let first = (range.start - group.range.start) as usize;
            let places = bytes.iter_mut().skip(first).take(width.bytes() as usize);
            for (place, byte) in places.zip(made) {
                *place = byte;
            }
        }
        let (mode, a, b) = self.address(group.range.space, group.range.root, group.range.start)?;
        for (word, bytes) in (0u8..).zip(bytes.chunks(4)) {
            if let [p, q, r, s] = *bytes {
                self.compose_out(word, [p, q, r, s]);
            }
        }
        let size = group.range.size;
        let (action, count) = if size % 4 == 0 && size > SHORT_WRITE {
            (CommandAction::Write32Swap, size / 4)
        } else {
            (CommandAction::Write8Swap, size)
        };
        let access = Access {
            action,
            mode,
            a,
            b,
            count: count as u8,
            outgoing: 0,
            signal: None,
        };
        self.push(Op::Write(access), Target::Nothing);
        Ok(())
    }

    /// Composes a word in an outgoing transfer register.
    fn compose_out(&mut self, place: u8, bytes: [Byte; 4]) {
        let word = self.compose(bytes);
        let source = match word {
            // A number in two pieces is merged, and nothing merges with an outgoing register.
            Half::Const(value) if super::immediate::cost(value) == 1 => {
                self.push(Op::Immediate(value), Target::Out(place));
                return;
            }
            Half::Const(value) => Source::Reg(self.constant(value)),
            Half::Bits(bits) if bits.rotate != 0 || bits.mask != u32::MAX => {
                let op = self.bits_op(bits);
                // A field's target is a source too, and two transfer registers are one too many.
                let two = matches!(
                    op,
                    Op::Field {
                        source: Source::Transfer(..),
                        ..
                    }
                );
                if !two {
                    self.push(op, Target::Out(place));
                    return;
                }
                Source::Reg(self.emit(op))
            }
            half => self.source(half),
        };
        let op = Op::Alu(AluOp::Move, Source::Nothing, source);
        self.push(op, Target::Out(place));
    }

    pub(super) fn atomic_add(
        &mut self,
        width: MemWidth,
        base: Value,
        offset: i32,
        value: Value,
    ) -> Result<(), SelectError> {
        if self.space(base) != Space::Map {
            return Err(self.unsupported("an atomic operation on this memory"));
        }
        let words: u8 = match width {
            MemWidth::B32 => 1,
            MemWidth::B64 => 2,
            _ => return Err(self.unsupported("an atomic operation of this width")),
        };
        let pair = self.pair(value)?;
        let (root, at) = self.planner().address(base);
        let (mode, a, b) = self.address(Space::Map, root, at.wrapping_add(offset.into()))?;
        let mut access = Access {
            action: CommandAction::AddImmediate,
            mode,
            a,
            b,
            count: words,
            outgoing: 0,
            signal: None,
        };
        let constant = match words {
            1 => pair.low.as_const().map(u64::from),
            _ => pair.as_constant(),
        };
        if let Some(constant) = constant.and_then(|value| u16::try_from(value).ok()) {
            let target = Target::Reg(self.lir.new_reg());
            let addend = Addend::Immediate(constant);
            self.push(Op::Add { access, addend }, target);
            return Ok(());
        }
        for (half, place) in [pair.low, pair.high].into_iter().zip(0..words) {
            let source = self.source(half);
            let op = Op::Alu(AluOp::Move, Source::Nothing, source);
            self.push(op, Target::Out(place));
        }
        access.action = CommandAction::Add;
        let addend = Addend::Out;
        self.push(Op::Add { access, addend }, Target::Nothing);
        Ok(())
    }
}
