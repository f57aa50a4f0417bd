//! Arithmetic on numbers, and moves.

use bpf::insn::{AluOp, EndianOp, Insn, Operand, Reg, Width};

use super::Walker;
use crate::state::{ADDED, ADDED32, ADDED64, Kind, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

/// The operator as the kernel names it, by the opcode: signed or not.
pub(super) fn operator(op: AluOp) -> &'static str {
    match op {
        AluOp::Add => "+=",
        AluOp::Sub => "-=",
        AluOp::Mul => "*=",
        AluOp::Div | AluOp::Sdiv => "/=",
        AluOp::Or => "|=",
        AluOp::And => "&=",
        AluOp::Lsh => "<<=",
        AluOp::Rsh => ">>=",
        AluOp::Mod | AluOp::Smod => "%=",
        AluOp::Xor => "^=",
        AluOp::Mov => "=",
        AluOp::Arsh => "s>>=",
    }
}

impl Walker<'_> {
    pub(super) fn alu(&mut self, insn: Insn) -> Check {
        let dst = match insn {
            Insn::Alu {
                width,
                op: AluOp::Mov,
                dst,
                src,
            } => {
                self.mov(width, dst, src)?;
                dst
            }
            Insn::Movsx {
                width,
                bits,
                dst,
                src,
            } => {
                self.move_extended(width, u32::from(bits) / 8, dst, src)?;
                dst
            }
            Insn::Neg { width, dst } => {
                self.check_readable(dst)?;
                self.check_writable(dst)?;
                let mut register = *self.reg(dst.0);
                if register.is_scalar() {
                    register.value.neg();
                    if width == Width::W32 {
                        register.value.zero_extend32();
                    }
                    register.value.sync();
                    register.clear_scalar_id();
                } else {
                    register = Register::UNKNOWN;
                }
                self.set(dst.0, register);
                dst
            }
            Insn::Endian { op, bits, dst } => {
                self.check_readable(dst)?;
                self.check_writable(dst)?;
                self.change_byte_order(op, u32::from(bits) / 8, dst);
                dst
            }
            Insn::Alu {
                width,
                op,
                dst,
                src,
            } => {
                self.check_operands(width, op, dst, src)?;
                self.operate(width, op, dst, src)?;
                dst
            }
            _ => return Ok(()),
        };
        self.settle_register(dst.0, "alu")
    }

    fn change_byte_order(&mut self, op: EndianOp, bytes: u32, dst: Reg) {
        let mut register = *self.reg(dst.0);
        if !register.is_scalar() || !self.options.kernel.knows_byte_order() {
            self.set(dst.0, Register::UNKNOWN);
            return;
        }
        let swaps = match op {
            EndianOp::Bswap => true,
            EndianOp::Be => !self.big_endian,
            EndianOp::Le => self.big_endian,
        };
        if swaps {
            register.value.swap_bytes(bytes);
        } else if bytes < 8 {
            register.value.truncate(bytes);
        } else {
            // Nothing changes, not even what it is tied to.
            return;
        }
        register.clear_scalar_id();
        self.set(dst.0, register);
    }

    fn check_operands(&mut self, width: Width, op: AluOp, dst: Reg, src: Operand) -> Check {
        if matches!(op, AluOp::Sdiv | AluOp::Smod) && !self.options.kernel.knows_v4() {
            return refuse(Rule::ReservedField, "BPF_ALU uses reserved fields");
        }
        if let Operand::Reg(src) = src {
            self.check_readable(src)?;
        }
        self.check_readable(dst)?;
        if let Operand::Imm(imm) = src {
            let divides = matches!(op, AluOp::Div | AluOp::Sdiv | AluOp::Mod | AluOp::Smod);
            if divides && imm == 0 {
                return refuse(Rule::BadConstant, "div by zero");
            }
            let shifts = matches!(op, AluOp::Lsh | AluOp::Rsh | AluOp::Arsh);
            let bits = if width == Width::W64 { 64 } else { 32 };
            if shifts && !(0..bits).contains(&imm) {
                return refuse(Rule::BadConstant, format!("invalid shift {imm}"));
            }
        }
        self.check_writable(dst)
    }

    fn mov(&mut self, width: Width, dst: Reg, src: Operand) -> Check {
        let src = match src {
            Operand::Imm(imm) => {
                self.check_writable(dst)?;
                let number = match width {
                    Width::W64 => i64::from(imm).cast_unsigned(),
                    Width::W32 => imm.cast_unsigned().into(),
                };
                self.set(dst.0, Register::constant(number));
                return Ok(());
            }
            Operand::Reg(src) => src,
        };
        self.check_readable(src)?;
        self.check_writable(dst)?;
        match width {
            Width::W64 => {
                self.tie(src.0);
                let copy = *self.reg(src.0);
                self.set(dst.0, copy);
            }
            Width::W32 => {
                let mut copy = *self.reg(src.0);
                if copy.is_scalar() {
                    if copy.value.width() <= 32 {
                        self.tie(src.0);
                        copy = *self.reg(src.0);
                    } else {
                        copy.clear_scalar_id();
                    }
                    copy.value.zero_extend32();
                } else {
                    // Half of a pointer: some number.
                    copy = Register::UNKNOWN;
                    copy.value.zero_extend32();
                }
                copy.value.sync();
                self.set(dst.0, copy);
            }
        }
        Ok(())
    }

    /// Gives a number an identity, so that what is learnt of a copy is known of it too.
    pub(super) fn tie(&mut self, register: u8) {
        let one = *self.reg(register);
        if !one.is_scalar() {
            return;
        }
        if one.id & ADDED != 0 {
            self.reg_mut(register).clear_scalar_id();
        }
        if self.reg(register).id == 0 && one.value.as_const().is_none() {
            let id = self.new_id();
            self.reg_mut(register).id = id;
        }
    }

    fn move_extended(&mut self, width: Width, bytes: u32, dst: Reg, src: Reg) -> Check {
        self.check_readable(src)?;
        self.check_writable(dst)?;
        let from = *self.reg(src.0);
        if !from.is_scalar() {
            let mut unknown = Register::UNKNOWN;
            if width == Width::W32 {
                unknown.value.zero_extend32();
                unknown.value.sync();
            }
            self.set(dst.0, unknown);
            return Ok(());
        }
        // A number below the sign bit is not changed.
        let unchanged = from.value.umax < 1 << (bytes * 8 - 1);
        if unchanged {
            self.tie(src.0);
        }
        let mut copy = *self.reg(src.0);
        if !unchanged {
            copy.clear_scalar_id();
        }
        match width {
            Width::W64 => copy.value.sign_extend(bytes),
            Width::W32 => {
                copy.value.sign_extend32(bytes);
                copy.value.zero_extend32();
                copy.value.sync();
            }
        }
        self.set(dst.0, copy);
        Ok(())
    }

    fn operate(&mut self, width: Width, op: AluOp, dst: Reg, src: Operand) -> Check {
        let left = *self.reg(dst.0);
        let right = match src {
            Operand::Reg(src) => *self.reg(src.0),
            Operand::Imm(imm) => Register::constant(i64::from(imm).cast_unsigned()),
        };
        match (left.is_scalar(), right.is_scalar()) {
            (false, false) => {
                if op == AluOp::Sub {
                    self.set(dst.0, Register::UNKNOWN);
                    return Ok(());
                }
                return refuse_register(
                    Rule::PointerArithmetic,
                    dst.0,
                    format!("R{} pointer {} pointer prohibited", dst.0, operator(op)),
                );
            }
            (true, false) => {
                self.mark_precise(dst.0)?;
                return self.move_pointer(width, op, dst, &right, &left, false);
            }
            (false, true) => {
                if let Operand::Reg(src) = src {
                    self.mark_precise(src.0)?;
                }
                return self.move_pointer(width, op, dst, &left, &right, true);
            }
            (true, true) => {}
        }
        if let Operand::Reg(src) = src
            && left.precise
        {
            self.mark_precise(src.0)?;
        }
        let fits32 = self.reg(dst.0).value.umax <= u32::MAX.into();
        self.operate_on_numbers(width, op, dst, &right)?;
        self.remember_distance(width, op, dst, src, &right, fits32);
        Ok(())
    }

    fn operate_on_numbers(&mut self, width: Width, op: AluOp, dst: Reg, right: &Register) -> Check {
        let narrow = width == Width::W32;
        let other = right.value;
        let count = match (narrow, other.as_const(), other.as_const32()) {
            (false, Some(count), _) if count < 64 => Some(count as u32),
            (true, _, Some(count)) if other.umax < 32 => Some(count),
            _ => None,
        };
        if matches!(op, AluOp::And | AluOp::Or) && other.as_const().is_some() {
            self.fork_on_mask(dst)?;
        }
        let left = *self.reg(dst.0);
        let mut value = left.value;
        match (op, count) {
            (AluOp::Add, _) => value.add(&other),
            (AluOp::Sub, _) => value.sub(&other),
            (AluOp::Mul, _) => value.mul(&other),
            (AluOp::And, _) => value.and(&other),
            (AluOp::Or, _) => value.or(&other),
            (AluOp::Xor, _) => value.xor(&other),
            (AluOp::Lsh, Some(count)) if narrow => value.shift_left32(count),
            (AluOp::Lsh, Some(count)) => value.shift_left(count),
            (AluOp::Rsh, Some(count)) if narrow => value.shift_right32(count),
            (AluOp::Rsh, Some(count)) => value.shift_right(count),
            (AluOp::Arsh, Some(count)) if narrow => value.shift_right_signed32(count),
            (AluOp::Arsh, Some(count)) => value.shift_right_signed(count),
            _ => {
                // As in the kernel, not even the upper half of a 32-bit result is known.
                self.set(dst.0, Register::UNKNOWN);
                return Ok(());
            }
        }
        if narrow {
            value.zero_extend32();
        }
        value.sync();
        self.set(dst.0, Register { value, ..left });
        Ok(())
    }

    /// A number that is 0 or all ones, masked: compilers make it of a comparison. The two are walked
    /// apart, since no range says "one of two".
    fn fork_on_mask(&mut self, dst: Reg) -> Check {
        let value = self.reg(dst.0).value;
        let wide = (value.smin, value.smax) == (-1, 0);
        let narrow = (value.smin32, value.smax32) == (-1, 0);
        if !wide && !narrow {
            return Ok(());
        }
        let insn = self.insn;
        let set = |register: &mut Register, number: u64| {
            if wide {
                register.value = crate::domain::Value::constant(number);
            } else {
                register.value.set_narrow(number as u32);
            }
        };
        let at = usize::from(dst.0);
        let branch = self.push_branch(insn)?;
        set(&mut branch.frame_mut().registers[at], 0);
        set(self.reg_mut(dst.0), u64::MAX);
        Ok(())
    }

    /// A number plus a constant keeps its tie, with the distance; on 32 bits if it had no more.
    fn remember_distance(
        &mut self,
        width: Width,
        op: AluOp,
        dst: Reg,
        src: Operand,
        right: &Register,
        fits32: bool,
    ) {
        let narrow = width == Width::W32;
        let constant = if narrow {
            right
                .value
                .as_const32()
                .map(|number| i64::from(number.cast_signed()))
        } else {
            right.value.as_const().map(u64::cast_signed)
        };
        let distance = match op {
            AluOp::Add => constant,
            AluOp::Sub => constant
                .filter(|number| *number != i32::MIN.into())
                .map(i64::wrapping_neg),
            _ => None,
        };
        let distance = distance
            .and_then(|number| i32::try_from(number).ok())
            .filter(|_| src != Operand::Reg(dst))
            .filter(|_| !narrow || fits32);
        let mark = if narrow { ADDED32 } else { ADDED64 };
        let register = self.reg_mut(dst.0);
        match distance {
            Some(distance) if register.id != 0 && register.id & ADDED == 0 => {
                register.id |= mark;
                register.offset = distance;
            }
            _ if register.kind == Kind::Scalar => register.clear_scalar_id(),
            _ => {}
        }
    }
}
