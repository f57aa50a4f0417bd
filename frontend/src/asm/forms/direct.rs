//! Plain instructions without mistakes as their bytes.
//!
//! The rules are those of `lower`. Where one of them is broken, nothing is made. Where a jump or call
//! leads to and what is loaded are the only names there may be.
//! Bytes and not an [`Insn`] are what leaves this place, because they fit a register: an instruction
//! that is handed on through memory costs as much time as to read it.

use bpf::insn::{AluOp, CallTarget, Cond, Endian, Insn, MemWidth, Operand, Pseudo, Reg, Width};

use super::super::assembler::FixupKind;
use super::super::ast::{Register, UnaryOp};
use super::{Build, Place, Slots, Source, Value, Word};

/// Makes bytes.
pub struct Direct<'a> {
    /// Their order.
    pub endian: Endian,
    /// The name of what a jump or call leads to.
    pub target: Option<(FixupKind, Word<&'a str>)>,
}

impl<'a> Direct<'a> {
    /// A number, or nothing as yet for a name.
    #[inline]
    fn distance(&mut self, target: Word<Value<'a>>) -> Option<i16> {
        if let Value::Name(name) = target.value {
            self.target = Some((FixupKind::Branch, target.of(name)));
            return Some(0);
        }
        target.short()
    }

    // As `Insn::encode`.
    #[inline(always)]
    fn bytes(&self, insn: &Insn) -> Option<Slots> {
        let encoded = insn.encode();
        let (first, second) = match encoded.as_slice() {
            [first] => (first, None),
            [first, second] => (first, Some(second.to_bytes(self.endian))),
            _ => return None,
        };
        Some(Slots {
            first: first.to_bytes(self.endian),
            second,
        })
    }
}

impl<'a> Build<'a> for Direct<'a> {
    type Made = Slots;

    #[inline]
    fn alu(&mut self, dst: Word<Register>, op: AluOp, src: Source<'a>) -> Option<Slots> {
        let Register { mut width, reg } = dst.value;
        // `r1 = w2` clears the upper half.
        if let (AluOp::Mov, Width::W64, Source::Register(src)) = (op, width, src) {
            width = src.value.width;
        }
        self.bytes(&Insn::Alu {
            width,
            op,
            dst: reg,
            src: src.beside(width)?,
        })
    }

    #[inline]
    fn load_wide(&mut self, dst: Word<Register>, value: Word<Value<'a>>) -> Option<Slots> {
        let imm = match value.value {
            Value::Name(name) => {
                self.target = Some((FixupKind::Wide, value.of(name)));
                0
            }
            Value::Number(number) => number,
            Value::Signed(_, number, _) if i64::try_from(number).is_ok() => {
                value.number()?.cast_unsigned()
            }
            Value::Signed(..) => return None,
        };
        self.bytes(&Insn::LoadImm64 {
            dst: dst.whole()?,
            pseudo: Pseudo(0),
            imm,
        })
    }

    #[inline]
    fn load(
        &mut self,
        dst: Word<Register>,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
    ) -> Option<Slots> {
        let fills = signed || width.value == MemWidth::B64;
        if fills && dst.value.width == Width::W32 {
            return None;
        }
        self.bytes(&Insn::Load {
            width: width.value,
            signed,
            dst: dst.value.reg,
            base: address.value.base.whole()?,
            offset: address.value.offset.short()?,
        })
    }

    #[inline]
    fn store(
        &mut self,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
        src: Source<'a>,
    ) -> Option<Slots> {
        if signed {
            return None;
        }
        // Less than 8 bytes may come from a register of either kind.
        let beside = match src {
            Source::Register(src) if width.value != MemWidth::B64 => src.value.width,
            _ => Width::W64,
        };
        self.bytes(&Insn::Store {
            width: width.value,
            base: address.value.base.whole()?,
            offset: address.value.offset.short()?,
            src: src.beside(beside)?,
        })
    }

    #[inline]
    fn branch(
        &mut self,
        dst: Word<Register>,
        cond: Word<Cond>,
        src: Source<'a>,
        target: Word<Value<'a>>,
    ) -> Option<Slots> {
        let Register { width, reg } = dst.value;
        let offset = self.distance(target)?;
        self.bytes(&Insn::Branch {
            width,
            cond: cond.value,
            dst: reg,
            src: src.beside(width)?,
            offset,
        })
    }

    #[inline]
    fn goto(&mut self, target: Word<Value<'a>>) -> Option<Slots> {
        let offset = i32::from(self.distance(target)?);
        self.bytes(&Insn::Goto {
            offset,
            long: false,
        })
    }

    #[inline]
    fn call(&mut self, target: Word<Value<'a>>) -> Option<Slots> {
        let target = match target.value {
            Value::Name(name) => {
                self.target = Some((FixupKind::Call, target.of(name)));
                CallTarget::Subprogram(-1)
            }
            _ => CallTarget::Helper(target.immediate()?),
        };
        self.bytes(&Insn::Call { target })
    }

    #[inline]
    fn exit(&mut self) -> Option<Slots> {
        self.bytes(&Insn::Exit)
    }
}

impl Word<Register> {
    #[inline]
    fn whole(self) -> Option<Reg> {
        let Register { width, reg } = self.value;
        (width == Width::W64).then_some(reg)
    }
}

impl Word<Value<'_>> {
    /// The number that it is, if it is one.
    #[inline]
    pub fn number(self) -> Option<i64> {
        match self.value {
            Value::Number(number) | Value::Signed(UnaryOp::Plus, number, _) => {
                Some(number.cast_signed())
            }
            Value::Signed(UnaryOp::Negate, number, _) => Some(number.cast_signed().wrapping_neg()),
            Value::Name(_) | Value::Signed(..) => None,
        }
    }

    /// The 32 bits of an immediate, written with or without a sign.
    #[inline]
    fn immediate(self) -> Option<i32> {
        let number = self.number()?;
        let fits = (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&number);
        fits.then_some(number as i32)
    }

    #[inline]
    fn short(self) -> Option<i16> {
        i16::try_from(self.number()?).ok()
    }
}

impl Source<'_> {
    /// The operand beside a register of this width.
    #[inline]
    fn beside(self, width: Width) -> Option<Operand> {
        match self {
            Source::Register(src) if src.value.width != width => None,
            Source::Register(src) => Some(Operand::Reg(src.value.reg)),
            Source::Value(value) => value.immediate().map(Operand::Imm),
        }
    }
}
