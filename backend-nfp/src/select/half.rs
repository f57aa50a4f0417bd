//! Halves of values: what is known of a half, and how it becomes a register.
//!
//! A half is made of a *word* (a register, a transfer register) as late as possible: shifts, masks,
//! and loads of parts of a word only change how it is described ([`Bits`]). So a header field that
//! is compared with a number never leaves the transfer register that it came in, and `(x >> 8) &
//! 255` costs what one instruction costs.
//!
//! Soundness: [`Bits`] is closed under shifts and masks by constants: a rotation of a word, and a
//! mask of the result. Words never change: registers are in SSA, and a group of transfer registers
//! is filled once.

use smallvec::SmallVec;

use super::Select;
use crate::isa::{AluOp, Shift, ShiftOp};
use crate::lir::{Group, Inst, Op, Reg, Source, Target};

/// Thirty-two bits that lie somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Word {
    Reg(Reg),
    Transfer(Group, u8),
    /// By index register and offset; only what a program never writes: the packet vector.
    Local(u8, u8),
}

/// A word rotated right, of which the masked bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bits {
    pub(super) word: Word,
    pub(super) rotate: u8,
    pub(super) mask: u32,
}

/// Half of a value, or a value of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Half {
    Const(u32),
    Bits(Bits),
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) low: Half,
    pub(super) high: Half,
}

pub(super) const ZERO: Half = Half::Const(0);

impl From<Word> for Half {
    fn from(word: Word) -> Half {
        Half::Bits(Bits {
            word,
            rotate: 0,
            mask: u32::MAX,
        })
    }
}

impl From<Reg> for Half {
    fn from(reg: Reg) -> Half {
        Word::Reg(reg).into()
    }
}

impl Pair {
    pub(super) fn constant(value: u64) -> Pair {
        Pair {
            low: Half::Const(value as u32),
            high: Half::Const((value >> 32) as u32),
        }
    }

    pub(super) fn of(low: Half) -> Pair {
        Pair { low, high: ZERO }
    }

    pub(super) fn as_constant(self) -> Option<u64> {
        match (self.low, self.high) {
            (Half::Const(low), Half::Const(high)) => Some(u64::from(low) | u64::from(high) << 32),
            _ => None,
        }
    }
}

impl Half {
    pub(super) fn as_const(self) -> Option<u32> {
        match self {
            Half::Const(value) => Some(value),
            Half::Bits(_) => None,
        }
    }

    /// Bits that can be set.
    pub(super) fn possible(self) -> u32 {
        match self {
            Half::Const(value) => value,
            Half::Bits(bits) => bits.mask,
        }
    }

    pub(super) fn and(self, mask: u32) -> Half {
        match self {
            Half::Const(value) => Half::Const(value & mask),
            Half::Bits(bits) if bits.mask & mask == 0 => ZERO,
            Half::Bits(bits) => Half::Bits(Bits {
                mask: bits.mask & mask,
                ..bits
            }),
        }
    }

    pub(super) fn rotate_right(self, by: u32) -> Half {
        match self {
            Half::Const(value) => Half::Const(value.rotate_right(by)),
            Half::Bits(bits) => Half::Bits(Bits {
                word: bits.word,
                rotate: ((u32::from(bits.rotate) + by) % 32) as u8,
                mask: bits.mask.rotate_right(by),
            }),
        }
    }

    /// By less than 32.
    pub(super) fn left(self, by: u32) -> Half {
        self.rotate_right(32 - by)
            .and(u32::MAX.checked_shl(by).unwrap_or(0))
    }

    /// By less than 32.
    pub(super) fn right(self, by: u32) -> Half {
        self.rotate_right(by)
            .and(u32::MAX.checked_shr(by).unwrap_or(0))
    }

    /// A byte, counted from the lowest.
    pub(super) fn byte(self, index: u32) -> Byte {
        match self {
            Half::Const(value) => Byte::Const((value >> (8 * index)) as u8),
            Half::Bits(bits) => match (bits.rotate % 8, bits.mask >> (8 * index) & 0xff) {
                (_, 0) => Byte::Const(0),
                (0, 0xff) => {
                    let from = (index + u32::from(bits.rotate) / 8) % 4;
                    Byte::Of(bits.word, from as u8)
                }
                _ => Byte::Bits,
            },
        }
    }
}

impl Bits {
    /// Whether the mask takes whole bytes: which, as the machine's byte masks have it.
    pub(super) fn byte_mask(mask: u32) -> Option<u8> {
        (0..4).try_fold(0, |all, byte| match mask >> (8 * byte) & 0xff {
            0 => Some(all),
            0xff => Some(all | 1 << byte),
            _ => None,
        })
    }
}

/// A byte of a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Byte {
    Const(u8),
    /// A byte of a word.
    Of(Word, u8),
    /// Bits that are no byte.
    Bits,
}

impl Select<'_> {
    pub(super) fn push(&mut self, op: Op, target: Target) {
        let inst = Inst {
            op,
            target,
            location: self.location,
            origin: self.origin,
        };
        self.lir.blocks[self.block.index()].insts.push(inst);
    }

    /// Emits an operation with a register as its result.
    pub(super) fn emit(&mut self, op: Op) -> Reg {
        let reg = self.lir.new_reg();
        self.push(op, Target::Reg(reg));
        reg
    }

    pub(super) fn constant(&mut self, value: u32) -> Reg {
        if let Some(reg) = self.constants.get(&value) {
            return *reg;
        }
        let reg = self.emit(Op::Immediate(value));
        self.constants.insert(value, reg);
        reg
    }

    fn word_source(word: Word) -> Source {
        match word {
            Word::Reg(reg) => Source::Reg(reg),
            Word::Transfer(group, word) => Source::Transfer(group, word),
            Word::Local(index, word) => Source::Local(index, word),
        }
    }

    /// A word as an operand of the short form, which reaches less of local memory.
    pub(super) fn short_word(&mut self, word: Word) -> Source {
        match word {
            Word::Local(_, 8..) => {
                let source = Self::word_source(word);
                Source::Reg(self.emit(Op::Alu(AluOp::Move, Source::Nothing, source)))
            }
            _ => Self::word_source(word),
        }
    }

    /// The instruction that gives these bits, other than a whole word.
    pub(super) fn bits_op(&mut self, bits: Bits) -> Op {
        let Bits { word, rotate, mask } = bits;
        let by = u32::from(rotate);
        let word = self.short_word(word);
        let shift = |shift| Op::Shift(ShiftOp::Move, Source::Nothing, word, shift);
        let rotation = match rotate {
            0 => Shift::None,
            _ => Shift::RotateRight(rotate),
        };
        if mask == u32::MAX {
            return shift(rotation);
        }
        if rotate != 0 && mask == u32::MAX >> by {
            return shift(Shift::Right(rotate));
        }
        if rotate != 0 && mask == u32::MAX << (32 - by) {
            return shift(Shift::Left(32 - rotate));
        }
        if let Some(mask) = Bits::byte_mask(mask) {
            return Op::Field {
                old: None,
                source: word,
                shift: rotation,
                mask,
            };
        }
        let masked = |mask| match rotate {
            0 => Op::Alu(AluOp::And, mask, word),
            _ => Op::Shift(ShiftOp::And, mask, word, rotation),
        };
        if let Ok(mask) = u8::try_from(mask) {
            return masked(Source::Immediate(mask));
        }
        // A run of ones: moved to the top, then down to its place.
        let (low, ones) = (mask.trailing_zeros(), mask.count_ones());
        let is_run = mask >> low == u32::MAX >> (32 - ones);
        if is_run && super::immediate::cost(mask) > 1 {
            let up = (64 - low - ones - by) % 32;
            if low == 0 && up != 0 {
                // Left so that the highest bit of the run is the highest of the word.
                let top = self.emit(Op::Shift(
                    ShiftOp::Move,
                    Source::Nothing,
                    word,
                    Shift::RotateRight((32 - up as u8) % 32),
                ));
                let by = (32 - ones) as u8;
                return Op::Shift(
                    ShiftOp::Move,
                    Source::Nothing,
                    Source::Reg(top),
                    Shift::Right(by),
                );
            }
        }
        let mask = Source::Reg(self.constant(mask));
        match rotate {
            0 => Op::Alu(AluOp::And, mask, word),
            _ => Op::Shift(ShiftOp::And, mask, word, rotation),
        }
    }

    /// A half as an operand of the long form.
    pub(super) fn source(&mut self, half: Half) -> Source {
        match half {
            Half::Const(value) => match u8::try_from(value) {
                Ok(value) => Source::Immediate(value),
                Err(_) => Source::Reg(self.constant(value)),
            },
            Half::Bits(Bits {
                word,
                rotate: 0,
                mask: u32::MAX,
            }) => Self::word_source(word),
            Half::Bits(bits) => Source::Reg(self.bits_register(bits)),
        }
    }

    /// A half as an operand of the short form.
    pub(super) fn short_source(&mut self, half: Half) -> Source {
        match self.source(half) {
            Source::Local(index, word) => self.short_word(Word::Local(index, word)),
            source => source,
        }
    }

    /// A half in a register.
    pub(super) fn register(&mut self, half: Half) -> Reg {
        match half {
            Half::Const(value) => self.constant(value),
            Half::Bits(bits) => self.bits_register(bits),
        }
    }

    fn bits_register(&mut self, bits: Bits) -> Reg {
        if let Bits {
            word: Word::Reg(reg),
            rotate: 0,
            mask: u32::MAX,
        } = bits
        {
            return reg;
        }
        if let Some((reg, block)) = self.made.get(&bits)
            && self.dominators.dominates(*block, self.mir_block)
        {
            return *reg;
        }
        let op = match bits {
            Bits {
                word,
                rotate: 0,
                mask: u32::MAX,
            } => Op::Alu(AluOp::Move, Source::Nothing, Self::word_source(word)),
            _ => self.bits_op(bits),
        };
        let reg = self.emit(op);
        if self.arms == 0 {
            self.made.insert(bits, (reg, self.mir_block));
        }
        reg
    }

    /// Two operands that one instruction can read: no two of one kind other than registers.
    pub(super) fn sources(&mut self, left: Half, right: Half, short: bool) -> (Source, Source) {
        let get = |select: &mut Self, half| {
            if short {
                select.short_source(half)
            } else {
                select.source(half)
            }
        };
        let (a, b) = (get(self, left), get(self, right));
        let same = matches!(
            (a, b),
            (Source::Transfer(..), Source::Transfer(..))
                | (Source::Local(..), Source::Local(..))
                | (Source::Immediate(_), Source::Immediate(_))
        );
        if same {
            (a, Source::Reg(self.register(right)))
        } else {
            (a, b)
        }
    }

    pub(super) fn alu(&mut self, op: AluOp, left: Half, right: Half) -> Half {
        let (a, b) = self.sources(left, right, false);
        self.emit(Op::Alu(op, a, b)).into()
    }

    /// A word of four bytes; where they go if they need an instruction.
    pub(super) fn compose(&mut self, bytes: [Byte; 4]) -> Half {
        let mut constant = 0u32;
        // Bytes of one word that move by the same way go together.
        let mut pieces: SmallVec<[(Word, u8, u8); 4]> = SmallVec::new();
        for (index, byte) in (0u8..).zip(bytes) {
            match byte {
                Byte::Const(value) => constant |= u32::from(value) << (8 * index),
                Byte::Of(word, from) => {
                    let rotate = 8 * ((4 + from - index) % 4);
                    match pieces
                        .iter_mut()
                        .find(|piece| (piece.0, piece.1) == (word, rotate))
                    {
                        Some(piece) => piece.2 |= 1 << index,
                        None => pieces.push((word, rotate, 1 << index)),
                    }
                }
                Byte::Bits => {}
            }
        }
        let mask_of = |bytes: u8| {
            (0..4).fold(0u32, |all, byte| {
                all | (u32::from(bytes >> byte & 1) * 0xff) << (8 * byte)
            })
        };
        if pieces.is_empty() {
            return Half::Const(constant);
        }
        if let [(word, rotate, mask)] = pieces[..]
            && constant == 0
        {
            return Half::Bits(Bits {
                word,
                rotate,
                mask: mask_of(mask),
            });
        }
        // Neighbours of two words in a row are one double shift, if one is a register.
        if let [(low, r, low_mask), (high, q, high_mask)] = pieces[..]
            && constant == 0
            && r == q
            && r != 0
            && u32::from(low_mask) == 0xf >> (r / 8)
            && low_mask | high_mask == 0xf
            && (matches!(low, Word::Reg(_)) || matches!(high, Word::Reg(_)))
        {
            let (high, low) = (self.short_word(high), self.short_word(low));
            let op = Op::Shift(ShiftOp::Move, high, low, Shift::Double(r));
            return self.emit(op).into();
        }
        let mut old = None;
        if constant != 0 {
            old = Some(Source::Reg(self.emit(Op::Immediate(constant))));
        } else {
            // What is whole already needs no instruction of its own.
            pieces.sort_by_key(|(_, rotate, _)| *rotate != 0);
        }
        for (word, rotate, mask) in pieces {
            let source = self.short_word(word);
            let shift = match rotate {
                0 => Shift::None,
                _ => Shift::RotateRight(rotate),
            };
            let op = Op::Field {
                old,
                source,
                shift,
                mask,
            };
            old = Some(Source::Reg(self.emit(op)));
        }
        match old {
            Some(Source::Reg(reg)) => reg.into(),
            _ => Half::Const(constant),
        }
    }

    /// Bytes of a value, made of registers where they lie across bytes.
    pub(super) fn bytes_of(&mut self, pair: Pair) -> [Byte; 8] {
        let mut whole = |half: Half| {
            if (0..4).any(|byte| half.byte(byte) == Byte::Bits) {
                self.register(half).into()
            } else {
                half
            }
        };
        let (low, high) = (whole(pair.low), whole(pair.high));
        std::array::from_fn(|index| {
            let half = if index < 4 { low } else { high };
            half.byte(index as u32 % 4)
        })
    }
}
