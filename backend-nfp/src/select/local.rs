//! The stack: words of local memory behind index registers.
//!
//! The first index register points to the stack and reaches its first sixteen words; the third and
//! the fourth reach others, sixteen at a time, and are set when needed. Setting one takes effect three
//! instructions later, so what they point to is remembered within a block.
//!
//! The first one also hands keys to helpers. It is set back when something needs the stack again, and
//! not at all where nothing does ([`Select::settle_index`]).

use bpf::insn::MemWidth;
use mir::{InstData, Value};

use super::half::{Byte, Half, Pair, Word, ZERO};
use super::{Select, SelectError};
use crate::isa::{AluOp, Shift};
use crate::lir::{Op, Source, Target};
use crate::space::{Space, frame_offset};

/// Words that an index register reaches by offsets.
const WINDOW: u32 = 16;

/// What index registers point to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Indices {
    /// The first one: not the stack's beginning, but this many bytes behind it; none: unknown.
    key: Option<Option<u32>>,
    /// The third and fourth one: which sixteen words.
    windows: [Option<u32>; 2],
    /// The one to set next.
    next: usize,
}

/// What the third and fourth index point to where control comes from several places.
pub(super) type Windows = [Option<u32>; 2];

impl Indices {
    pub(super) fn forget_windows(&mut self) {
        self.windows = [None; 2];
    }

    /// Where a block begins that all ways come to with these windows; none: nothing is known.
    pub(super) fn begin(&mut self, windows: Option<Windows>) {
        self.windows = windows.unwrap_or_default();
    }

    /// What holds on one more way to a block.
    pub(super) fn meet(&self, before: Option<Windows>) -> Windows {
        let Some(before) = before else {
            return self.windows;
        };
        std::array::from_fn(|index| self.windows[index].filter(|one| before[index] == Some(*one)))
    }
}

impl Select<'_> {
    /// Byte offset in the program's stack of an offset from the frame pointer.
    pub(super) fn stack_byte(&self, offset: i64) -> Option<u32> {
        let at = offset.checked_add(self.unit.depth)?;
        let at = u32::try_from(at).ok()?;
        Some(at + self.unit.frame)
    }

    /// The address of a place in the frame.
    pub(super) fn frame_address(&mut self, offset: i64) -> Pair {
        // Offsets may lie outside of the frame as long as nothing is accessed there.
        let by = offset
            .wrapping_add(self.unit.depth)
            .wrapping_add(self.unit.frame.into());
        let by = Half::Const(by as u32);
        let base = Source::StackBase;
        let reg = match by {
            ZERO => self.emit(Op::Alu(AluOp::Move, Source::Nothing, base)),
            _ => {
                let by = self.source(by);
                self.emit(Op::Alu(AluOp::Add, base, by))
            }
        };
        Pair::of(reg.into())
    }

    /// Index register and offset of a word of the stack.
    fn place(&mut self, word: u32) -> (u8, u8) {
        let (window, offset) = (word / WINDOW, (word % WINDOW) as u8);
        if window == 0 {
            self.restore_index();
            return (0, offset);
        }
        if let Some(found) = self
            .local
            .windows
            .iter()
            .position(|one| *one == Some(window))
        {
            return (2 + found as u8, offset);
        }
        let index = self.local.next;
        self.local.next = 1 - index;
        let by = self.source(Half::Const(window * WINDOW * 4));
        let address = self.emit(Op::Alu(AluOp::Add, Source::StackBase, by));
        self.push(
            Op::SetIndex(2 + index as u8, Source::Reg(address)),
            Target::Nothing,
        );
        self.local.windows[index] = Some(window);
        (2 + index as u8, offset)
    }

    /// Makes the first index point to the stack again.
    pub(super) fn restore_index(&mut self) {
        if self.local.key.take().is_some() {
            self.push(Op::SetIndex(0, Source::StackBase), Target::Nothing);
        }
    }

    /// Makes the first index point to a key at a byte of the stack, or where a value says.
    pub(super) fn set_key(&mut self, at: Option<u32>, address: Half) {
        match at {
            Some(0) => self.restore_index(),
            Some(at) if self.local.key == Some(Some(at)) => {}
            _ => {
                let source = self.source(address);
                self.push(Op::SetIndex(0, source), Target::Nothing);
                self.local.key = Some(at);
            }
        }
    }

    /// Another value is where the third index points.
    pub(super) fn set_value(&mut self, address: Half) {
        let source = self.source(address);
        self.push(Op::SetIndex(2, source), Target::Nothing);
        self.local.windows[0] = None;
    }

    /// After a call of a helper.
    pub(super) fn after_helper(&mut self) {
        // It keeps only the first two indices.
        self.local.forget_windows();
        if self.settings.keep_index {
            self.restore_index();
        }
    }

    /// Before control goes on: blocks begin with the first index at the stack, where that matters.
    pub(super) fn settle_index(&mut self, to: mir::Block) {
        if self.local.key.is_some() && (!self.unit.is_main || self.needs_index(to)) {
            self.restore_index();
        }
        self.local.key = None;
    }

    /// Whether anything from a block on wants the first index at the stack.
    fn needs_index(&self, from: mir::Block) -> bool {
        let mut seen = vec![from];
        let mut at = 0;
        while let Some(&block) = seen.get(at) {
            at += 1;
            for inst in self.function.layout.insts(block) {
                let needs = match *self.function.dfg.inst(inst) {
                    InstData::Load { base, .. } | InstData::Store { base, .. } => {
                        self.space(base) == Space::Stack
                    }
                    InstData::CallHelper { id, .. } => matches!(id, 1..=3 | 25),
                    InstData::CallFunc { .. } => true,
                    _ => false,
                };
                if needs {
                    return true;
                }
            }
            for successor in self.cfg.successors(block) {
                if !seen.contains(successor) {
                    seen.push(*successor);
                }
            }
        }
        false
    }

    pub(super) fn load_stack(
        &mut self,
        base: Value,
        offset: i32,
        width: MemWidth,
    ) -> Result<Pair, SelectError> {
        let Some(at) = frame_offset(self.function, base) else {
            return self.load_stack_at(base, offset, width);
        };
        let at = self.stack_byte(at.wrapping_add(offset.into()));
        let at = at.ok_or_else(|| self.unsupported("an access outside of the stack"))?;
        let word = |select: &mut Self, word: u32| {
            let (index, offset) = select.place(word);
            let source = Source::Local(index, offset);
            Half::from(select.emit(Op::Alu(AluOp::Move, Source::Nothing, source)))
        };
        let (first, shift) = (at / 4, 8 * (at % 4));
        let mask = match width {
            MemWidth::B8 => 0xff,
            MemWidth::B16 => 0xffff,
            MemWidth::B32 | MemWidth::B64 => u32::MAX,
        };
        if shift != 0 && mask == u32::MAX || shift == 24 && mask == 0xffff {
            return Err(self.unsupported("an access to the stack across words"));
        }
        let low = if mask == u32::MAX {
            word(self, first)
        } else {
            let (index, offset) = self.place(first);
            let bytes = if mask == 0xff { 1 } else { 3 };
            if offset < 8 {
                let op = Op::Field {
                    old: None,
                    source: Source::Local(index, offset),
                    shift: match shift {
                        0 => Shift::None,
                        _ => Shift::RotateRight(shift as u8),
                    },
                    mask: bytes,
                };
                self.emit(op).into()
            } else {
                word(self, first).right(shift).and(mask)
            }
        };
        let high = match width {
            MemWidth::B64 => word(self, first + 1),
            _ => ZERO,
        };
        Ok(Pair { low, high })
    }

    pub(super) fn store_stack(
        &mut self,
        base: Value,
        offset: i32,
        width: MemWidth,
        value: Pair,
    ) -> Result<(), SelectError> {
        let Some(at) = frame_offset(self.function, base) else {
            return self.store_stack_at(base, offset, width, value);
        };
        let at = self.stack_byte(at.wrapping_add(offset.into()));
        let at = at.ok_or_else(|| self.unsupported("an access outside of the stack"))?;
        let (first, shift) = (at / 4, at % 4);
        match width {
            MemWidth::B32 | MemWidth::B64 if shift != 0 => {
                Err(self.unsupported("an access to the stack across words"))
            }
            MemWidth::B32 => {
                self.store_word(first, value.low);
                Ok(())
            }
            MemWidth::B64 => {
                self.store_word(first, value.low);
                self.store_word(first + 1, value.high);
                Ok(())
            }
            MemWidth::B16 if shift == 3 => {
                Err(self.unsupported("an access to the stack across words"))
            }
            _ => {
                let bytes = if width == MemWidth::B8 { 1 } else { 3 };
                self.store_bytes(first, shift, bytes, value.low);
                Ok(())
            }
        }
    }

    fn store_word(&mut self, word: u32, value: Half) {
        let source = match self.source(value) {
            source @ (Source::Reg(_) | Source::Immediate(_) | Source::Transfer(..)) => source,
            _ => Source::Reg(self.register(value)),
        };
        let (index, offset) = self.place(word);
        let op = Op::Alu(AluOp::Move, Source::Nothing, source);
        self.push(op, Target::Local(index, offset));
    }

    /// Bytes of a word, by the machine's mask for the lowest place.
    fn store_bytes(&mut self, word: u32, byte: u32, bytes: u8, value: Half) {
        let (source, rotate) = self.field_source(value, byte, bytes);
        let (index, offset) = self.place(word);
        let shift = match rotate {
            0 => Shift::None,
            _ => Shift::RotateRight(rotate),
        };
        let field = |old| Op::Field {
            old: Some(old),
            source,
            shift,
            mask: bytes << byte,
        };
        let here = (Source::Local(index, offset), Target::Local(index, offset));
        if offset < 8 {
            self.push(field(here.0), here.1);
            return;
        }
        let old = self.emit(Op::Alu(AluOp::Move, Source::Nothing, here.0));
        let new = self.emit(field(Source::Reg(old)));
        self.push(
            Op::Alu(AluOp::Move, Source::Nothing, Source::Reg(new)),
            here.1,
        );
    }

    /// A source for the bytes of a field, and how far it is rotated right to lie at its place.
    fn field_source(&mut self, value: Half, byte: u32, bytes: u8) -> (Source, u8) {
        let up = (32 - 8 * byte) % 32;
        if let (Byte::Of(Word::Reg(reg), from), Half::Bits(bits)) = (value.byte(0), value)
            && (bytes == 1 || value.byte(1) == Byte::Of(Word::Reg(reg), (from + 1) % 4))
        {
            let rotate = (u32::from(bits.rotate) + up) % 32;
            return (Source::Reg(reg), rotate as u8);
        }
        let wanted = value.and(if bytes == 1 { 0xff } else { 0xffff });
        let source = match self.short_source(wanted) {
            source @ (Source::Reg(_) | Source::Immediate(_)) => source,
            _ => Source::Reg(self.register(wanted)),
        };
        (source, up as u8)
    }

    /// Points the fourth index to the word of an address.
    fn point(&mut self, address: Half) {
        let source = self.source(address);
        self.push(Op::SetIndex(3, source), Target::Nothing);
        self.local.windows[1] = None;
    }

    /// Eight bytes at an address are two words, each of which is pointed to by itself.
    fn load_stack_at(
        &mut self,
        base: Value,
        offset: i32,
        width: MemWidth,
    ) -> Result<Pair, SelectError> {
        let base = self.pair(base)?.low;
        let address = self.sum32(AluOp::Add, base, Half::Const(offset.cast_unsigned()));
        let word = |select: &mut Self, address| {
            select.point(address);
            let source = Source::Local(3, 0);
            Half::from(select.emit(Op::Alu(AluOp::Move, Source::Nothing, source)))
        };
        let low = word(self, address);
        Ok(match width {
            MemWidth::B32 => Pair::of(low),
            MemWidth::B64 => {
                let next = self.sum32(AluOp::Add, address, Half::Const(4));
                let high = word(self, next);
                Pair { low, high }
            }
            _ => {
                let shifted = self.shifted_by_byte(low, address, false);
                let mask = if width == MemWidth::B8 { 0xff } else { 0xffff };
                Pair::of(shifted.and(mask))
            }
        })
    }

    /// A word moved by eight bits for each byte that an address lies behind a word.
    fn shifted_by_byte(&mut self, word: Half, address: Half, to_left: bool) -> Half {
        let bits = self.register(address.left(3));
        // The amount's low five bits are eight times the byte's number.
        let right = self.short_source(word);
        let op = Op::IndirectShift {
            amount: Source::Reg(bits),
            op: crate::isa::ShiftOp::Move,
            left: Source::Nothing,
            right,
            to_left,
        };
        self.emit(op).into()
    }

    fn store_stack_at(
        &mut self,
        base: Value,
        offset: i32,
        width: MemWidth,
        value: Pair,
    ) -> Result<(), SelectError> {
        let base = self.pair(base)?.low;
        let address = self.sum32(AluOp::Add, base, Half::Const(offset.cast_unsigned()));
        let put = |select: &mut Self, address, value| {
            let source = Source::Reg(select.register(value));
            select.point(address);
            let op = Op::Alu(AluOp::Move, Source::Nothing, source);
            select.push(op, Target::Local(3, 0));
        };
        match width {
            MemWidth::B32 => put(self, address, value.low),
            MemWidth::B64 => {
                put(self, address, value.low);
                let next = self.sum32(AluOp::Add, address, Half::Const(4));
                put(self, next, value.high);
            }
            _ => {
                let mask = if width == MemWidth::B8 { 0xff } else { 0xffff };
                let mask_reg = Half::from(self.constant(mask));
                let hole = self.shifted_by_byte(mask_reg, address, true);
                let hole = Source::Reg(self.register(hole));
                let low = self.register(value.low.and(mask)).into();
                let bits = self.shifted_by_byte(low, address, true);
                self.point(address);
                // The word itself is the operand: nothing may have been stored to it yet.
                let old = Source::Local(3, 0);
                let kept = self.emit(Op::Alu(AluOp::AndNot, old, hole));
                let new = self.alu(AluOp::Or, kept.into(), bits);
                let source = self.source(new);
                let op = Op::Alu(AluOp::Move, Source::Nothing, source);
                self.push(op, Target::Local(3, 0));
            }
        }
        Ok(())
    }
}
