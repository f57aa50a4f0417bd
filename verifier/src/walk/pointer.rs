//! Pointer arithmetic.

use bpf::insn::{AluOp, Reg, Width};

use super::Walker;
use super::alu::operator;
use crate::domain::Value;
use crate::state::{Kind, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

/// No offset may reach this (`BPF_MAX_VAR_OFF`).
pub(super) const MAX_OFFSET: i64 = 1 << 29;

impl Walker<'_> {
    /// `dst = pointer op number`; `left` says whether the pointer was in `dst`.
    pub(super) fn move_pointer(
        &mut self,
        width: Width,
        op: AluOp,
        dst: Reg,
        pointer: &Register,
        number: &Register,
        left: bool,
    ) -> Check {
        let by = number.value;
        let known = by.as_const().is_some();
        if (known && (by.smin != by.smax || by.umin != by.umax))
            || by.smin > by.smax
            || by.umin > by.umax
        {
            // A contradiction: the path cannot be taken.
            self.set(dst.0, Register::UNKNOWN);
            return Ok(());
        }
        if width == Width::W32 {
            if op == AluOp::Sub {
                self.set(dst.0, Register::UNKNOWN);
                return Ok(());
            }
            return refuse_register(
                Rule::PointerArithmetic,
                dst.0,
                format!("R{} 32-bit pointer arithmetic prohibited", dst.0),
            );
        }
        self.check_movable(op, dst, pointer, number)?;
        check_offset(number, pointer.kind)?;
        check_offset(pointer, pointer.kind)?;
        let mut moved = *pointer;
        moved.value.forget_narrow();
        match op {
            AluOp::Add => self.add_to_pointer(&mut moved, pointer, &by),
            AluOp::Sub if !left => {
                return refuse_register(
                    Rule::PointerArithmetic,
                    dst.0,
                    format!("R{} tried to subtract pointer from scalar", dst.0),
                );
            }
            AluOp::Sub if matches!(pointer.kind, Kind::Stack(_)) => {
                return refuse_register(
                    Rule::PointerArithmetic,
                    dst.0,
                    format!("R{} subtraction from stack pointer prohibited", dst.0),
                );
            }
            AluOp::Sub => self.subtract_from_pointer(&mut moved, pointer, &by),
            AluOp::And | AluOp::Or | AluOp::Xor => {
                return refuse_register(
                    Rule::PointerArithmetic,
                    dst.0,
                    format!(
                        "R{} bitwise operator {} on pointer prohibited",
                        dst.0,
                        operator(op)
                    ),
                );
            }
            _ => {
                return refuse_register(
                    Rule::PointerArithmetic,
                    dst.0,
                    format!(
                        "R{} pointer arithmetic with {} operator prohibited",
                        dst.0,
                        operator(op)
                    ),
                );
            }
        }
        check_offset(&moved, pointer.kind)?;
        moved.value.sync();
        self.set(dst.0, moved);
        Ok(())
    }

    fn check_movable(&self, op: AluOp, dst: Reg, pointer: &Register, number: &Register) -> Check {
        if pointer.kind.is_nullable() {
            return refuse_register(
                Rule::NullPointerArithmetic,
                dst.0,
                format!(
                    "R{} pointer arithmetic on {} prohibited, null-check it first",
                    dst.0,
                    pointer.kind.name()
                ),
            );
        }
        let by = number.value.as_const();
        let allowed = match pointer.kind {
            Kind::Context
            | Kind::MapValue { .. }
            | Kind::MapKey(_)
            | Kind::Stack(_)
            | Kind::PacketMeta(_)
            | Kind::Packet(_)
            | Kind::TracepointBuffer
            | Kind::Object { .. }
            | Kind::Memory { .. }
            | Kind::Function(_) => true,
            Kind::FlowKeys => by.is_some(),
            Kind::MapPtr(_) => by == Some(0) && op == AluOp::Add,
            Kind::Unset
            | Kind::Scalar
            | Kind::PacketEnd
            | Kind::Socket { .. }
            | Kind::Iterator { .. }
            | Kind::Dynptr { .. } => false,
        };
        if allowed {
            return Ok(());
        }
        refuse_register(
            Rule::PointerArithmetic,
            dst.0,
            format!(
                "R{} pointer arithmetic on {} prohibited",
                dst.0,
                pointer.kind.name()
            ),
        )
    }

    fn add_to_pointer(&mut self, moved: &mut Register, pointer: &Register, by: &Value) {
        if by.as_const().is_some()
            && let Some(offset) = i64::from(pointer.offset).checked_add(by.smin)
            && let Ok(offset) = i32::try_from(offset)
        {
            moved.offset = offset;
            return;
        }
        let from = pointer.value;
        let value = &mut moved.value;
        (value.smin, value.smax) = match (
            from.smin.checked_add(by.smin),
            from.smax.checked_add(by.smax),
        ) {
            (Some(min), Some(max)) => (min, max),
            _ => (i64::MIN, i64::MAX),
        };
        (value.umin, value.umax) = match (
            from.umin.checked_add(by.umin),
            from.umax.checked_add(by.umax),
        ) {
            (Some(min), Some(max)) => (min, max),
            _ => (0, u64::MAX),
        };
        value.bits = from.bits + by.bits;
        if pointer.kind.is_packet() {
            // Another unknown place: bounds found on the old one don't hold.
            moved.id = self.new_id();
            moved.kind = moved.kind.with_range(0);
        }
    }

    fn subtract_from_pointer(&mut self, moved: &mut Register, pointer: &Register, by: &Value) {
        if by.as_const().is_some()
            && let Some(offset) = i64::from(pointer.offset).checked_sub(by.smin)
            && let Ok(offset) = i32::try_from(offset)
        {
            moved.offset = offset;
            return;
        }
        let from = pointer.value;
        let value = &mut moved.value;
        (value.smin, value.smax) = match (
            from.smin.checked_sub(by.smax),
            from.smax.checked_sub(by.smin),
        ) {
            (Some(min), Some(max)) => (min, max),
            _ => (i64::MIN, i64::MAX),
        };
        (value.umin, value.umax) = if from.umin < by.umax {
            (0, u64::MAX)
        } else {
            (from.umin - by.umax, from.umax.wrapping_sub(by.umin))
        };
        value.bits = from.bits - by.bits;
        if pointer.kind.is_packet() {
            moved.id = self.new_id();
            if by.smin < 0 {
                moved.kind = moved.kind.with_range(0);
            }
        }
    }
}

/// Offsets must stay far from where sums of them could wrap.
fn check_offset(register: &Register, kind: Kind) -> Check {
    let name = kind.name();
    let range = -MAX_OFFSET + 1..MAX_OFFSET;
    if let Some(number) = register.value.as_const()
        && !range.contains(&number.cast_signed())
    {
        return refuse(
            Rule::PointerOffset,
            format!(
                "math between {name} pointer and {} is not allowed",
                number.cast_signed()
            ),
        );
    }
    // Of a number, the distance to those that it is tied to, which the kernel takes for an offset too.
    let offset = register.offset;
    if !range.contains(&offset.into()) {
        return refuse(
            Rule::PointerOffset,
            format!("{name} pointer offset {offset} is not allowed"),
        );
    }
    let least = register.value.smin;
    if least == i64::MIN {
        return refuse(
            Rule::UnboundedOffset,
            format!(
                "math between {name} pointer and register with unbounded min value is not allowed"
            ),
        );
    }
    if !range.contains(&least) {
        return refuse(
            Rule::PointerOffset,
            format!("value {least} makes {name} pointer be out of bounds"),
        );
    }
    Ok(())
}
