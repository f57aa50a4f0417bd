//! Branches: which sides can be taken, and what each side teaches.

use bpf::insn::{Cond, Operand, Reg, Width};

use super::pointer::MAX_OFFSET;
use super::ties::{Ties, collect_ties, sync_ties};
use super::{Flow, Walker};
use crate::domain::{Comparison, Decision, refine, refine_with_itself};
use crate::forget;
use crate::state::{Kind, Register, State};
use crate::stop::Check;
use crate::verdict::{Rule, Sides};

/// A packet pointer that is at the end of the packet.
const AT_END: i32 = -1;
/// A packet pointer that is beyond the end of the packet.
const BEYOND_END: i32 = -2;
/// Largest offset for which a packet is checked.
const MAX_PACKET: u64 = 0xffff;

impl Walker<'_> {
    pub(super) fn branch(
        &mut self,
        width: Width,
        cond: Cond,
        dst: Reg,
        src: Operand,
        offset: i16,
    ) -> Check<Flow> {
        self.check_readable(dst)?;
        if let Operand::Reg(src) = src {
            self.check_readable(src)?;
        }
        let left = *self.reg(dst.0);
        let right = match src {
            Operand::Reg(src) => *self.reg(src.0),
            Operand::Imm(imm) => Register::constant(i64::from(imm).cast_unsigned()),
        };
        self.note_stack_operands(&left, &right);
        let target = self.target(offset.into());
        let decision = decide(&left, &right, cond, width);
        if decision != Decision::Unknown {
            if left.is_scalar() {
                self.mark_precise(dst.0)?;
            }
            if let Operand::Reg(src) = src
                && right.is_scalar()
            {
                self.mark_precise(src.0)?;
            }
            let sides = &mut self.sides[self.insn];
            return Ok(if decision == Decision::Taken {
                sides.taken = true;
                Flow::To(target)
            } else {
                sides.next = true;
                Flow::Next
            });
        }
        self.sides[self.insn] = Sides {
            taken: true,
            next: true,
        };
        self.take_both(width, cond, dst, src, target)?;
        Ok(Flow::Next)
    }

    fn note_stack_operands(&mut self, left: &Register, right: &Register) {
        let is_stack = |one: &Register| matches!(one.kind, Kind::Stack(_));
        let (left, right) = (is_stack(left), is_stack(right));
        if (left || right)
            && let Some(entry) = self.entry()
        {
            entry.destination_is_stack = left;
            entry.source_is_stack = right;
        }
    }

    /// The present path goes to the next instruction; a copy waits at the target.
    fn take_both(
        &mut self,
        width: Width,
        cond: Cond,
        dst: Reg,
        src: Operand,
        target: usize,
    ) -> Check {
        let mut ties = Ties::new();
        if let Operand::Reg(src) = src {
            collect_ties(&mut self.state, src.0, &mut ties);
        }
        collect_ties(&mut self.state, dst.0, &mut ties);
        if ties.len() > 1
            && let Some(entry) = self.entry()
        {
            entry.linked = ties.clone();
        }
        let left = *self.reg(dst.0);
        let right = match src {
            Operand::Reg(src) => *self.reg(src.0),
            Operand::Imm(imm) => Register::constant(i64::from(imm).cast_unsigned()),
        };
        self.push_branch(target)?;
        let Some(mut pending) = self.pending.pop() else {
            return Ok(());
        };
        let result = self.teach(
            &mut pending.state,
            width,
            cond,
            (dst, left),
            (src, right),
            &ties,
        );
        self.pending.push(pending);
        result
    }

    /// What each side teaches: `taken` is the state of the side that is taken.
    fn teach(
        &mut self,
        taken: &mut State,
        width: Width,
        cond: Cond,
        (dst, left): (Reg, Register),
        (src, right): (Operand, Register),
        ties: &Ties,
    ) -> Check {
        if left.is_scalar() && right.is_scalar() {
            let sides = [
                (Comparison::Holds(cond), true),
                (Comparison::failure_of(cond), false),
            ];
            for (comparison, is_taken) in sides {
                let (mut a, mut b) = (left, right);
                if src == Operand::Reg(dst) {
                    refine_with_itself(&mut a.value, comparison, width);
                    b = a;
                } else {
                    refine(&mut a.value, &mut b.value, comparison, width);
                }
                let contexts = if is_taken {
                    ["true_reg1", "true_reg2"]
                } else {
                    ["false_reg1", "false_reg2"]
                };
                self.settle(&mut a, contexts[0])?;
                self.settle(&mut b, contexts[1])?;
                let state = if is_taken {
                    &mut *taken
                } else {
                    &mut self.state
                };
                let registers = &mut state.frame_mut().registers;
                if let Operand::Reg(src) = src {
                    registers[usize::from(src.0)] = b;
                }
                registers[usize::from(dst.0)] = a;
                if let Operand::Reg(src) = src
                    && b.id != 0
                {
                    sync_ties(state, &b, ties, src.0);
                }
                // Which the other may have told already, being tied to it.
                let known = state.frame().registers[usize::from(dst.0)];
                if known.id != 0 {
                    sync_ties(state, &known, ties, dst.0);
                }
            }
            return Ok(());
        }
        let wide = width == Width::W64;
        if let (true, Operand::Reg(src), false, false) =
            (wide, src, left.is_scalar(), right.is_scalar())
        {
            let equal = match cond {
                Cond::Eq => Some(&mut *taken),
                Cond::Ne => Some(&mut self.state),
                _ => None,
            };
            if let Some(state) = equal {
                let registers = &mut state.frame_mut().registers;
                if is_not_null(&left) && right.kind.is_nullable() {
                    let one = &mut registers[usize::from(src.0)];
                    one.kind = one.kind.not_null();
                }
                if is_not_null(&right) && left.kind.is_nullable() {
                    let one = &mut registers[usize::from(dst.0)];
                    one.kind = one.kind.not_null();
                }
            }
        }
        let null_check = wide
            && src == Operand::Imm(0)
            && matches!(cond, Cond::Eq | Cond::Ne)
            && left.kind.is_nullable();
        if null_check {
            self.check_null(taken, dst.0, &left, cond);
        } else if wide && matches!(src, Operand::Reg(_)) {
            learn_packet(&mut self.state, taken, cond, (dst, &left), (src, &right));
        }
        Ok(())
    }

    /// A null check: on one side all pointers with the identity are null, on the other none.
    fn check_null(&mut self, taken: &mut State, dst: u8, pointer: &Register, cond: Cond) {
        debug_assert!(dst < 11);
        let program = self.program;
        for (state, is_null) in [
            (&mut self.state, cond == Cond::Ne),
            (taken, cond == Cond::Eq),
        ] {
            if is_null && pointer.reference != 0 && pointer.reference == pointer.id {
                state
                    .references
                    .retain(|reference| reference.id != pointer.reference);
            }
            state.for_each_register(|register| {
                if !register.kind.is_nullable() || register.id != pointer.id {
                    return;
                }
                if is_null {
                    *register = Register {
                        precise: register.precise,
                        ..Register::constant(0)
                    };
                    return;
                }
                register.kind = super::result::found(program, register.kind, register.id);
                if !super::lock::may_hold_lock(program, register.kind) {
                    register.id = 0;
                }
            });
        }
    }

    /// `may_goto`: the loop goes on, or ends by the kernel's own count.
    pub(super) fn may_goto(&mut self) -> Check<Flow> {
        let Some(bpf::insn::Insn::MayGoto { offset }) = self.program.insn(self.insn) else {
            return Ok(Flow::Next);
        };
        if offset == 0 && !self.options.kernel.knows_may_goto_nowhere() {
            return crate::stop::refuse(Rule::ReservedField, "invalid may_goto off 0 imm 0");
        }
        let earlier = self.earlier_at(self.insn, self.state.depth.saturating_sub(1));
        let next = self.insn + 1;
        self.push_branch(next)?;
        if let Some(mut pending) = self.pending.pop() {
            pending.state.may_goto_depth += 1;
            if let Some(old) = earlier.and_then(|id| self.kept[id].as_ref()) {
                forget::widen(old, &mut pending.state, self.last_id);
            }
            self.pending.push(pending);
        }
        Ok(Flow::To(self.target(offset.into())))
    }
}

fn is_not_null(register: &Register) -> bool {
    !register.kind.is_nullable()
        && register.value.smin > -MAX_OFFSET
        && register.value.smax < MAX_OFFSET
        && matches!(
            register.kind,
            Kind::Socket { .. }
                | Kind::MapValue { .. }
                | Kind::MapKey(_)
                | Kind::Memory { .. }
                | Kind::MapPtr(_)
        )
}

fn decide(left: &Register, right: &Register, cond: Cond, width: Width) -> Decision {
    if left.kind.is_packet_or_end() && right.kind.is_packet_or_end() && width == Width::W64 {
        return decide_packet(left, right, cond);
    }
    if left.is_scalar() && right.is_scalar() {
        return Decision::of(&left.value, &right.value, cond, width);
    }
    // A comparison on 32 bits, too: to the kernel a pointer that is not null has no low half of zero.
    let constant = |one: &Register| match width {
        _ if !one.is_scalar() => None,
        Width::W32 => one.value.as_const32().map(u64::from),
        Width::W64 => one.value.as_const(),
    };
    let (pointer, number) = if constant(right).is_some() {
        (left, right)
    } else {
        (right, left)
    };
    if constant(number) != Some(0) || !is_not_null(pointer) {
        return Decision::Unknown;
    }
    match cond {
        Cond::Eq => Decision::NotTaken,
        Cond::Ne => Decision::Taken,
        _ => Decision::Unknown,
    }
}

fn decide_packet(left: &Register, right: &Register, cond: Cond) -> Decision {
    let (packet, cond) = if right.kind == Kind::PacketEnd {
        (left, cond)
    } else if left.kind == Kind::PacketEnd {
        (right, cond.exchanged())
    } else {
        return Decision::Unknown;
    };
    let place = packet.kind.range().unwrap_or(0);
    let taken = match cond {
        Cond::Gt | Cond::Le if place == BEYOND_END => cond == Cond::Gt,
        Cond::Ge | Cond::Lt if place == BEYOND_END || place == AT_END => cond == Cond::Ge,
        _ => return Decision::Unknown,
    };
    if taken {
        Decision::Taken
    } else {
        Decision::NotTaken
    }
}

/// What comparing a packet pointer with the packet's end (or metadata with the packet's start)
/// teaches: on one side the packet reaches to the pointer.
fn learn_packet(
    next: &mut State,
    taken: &mut State,
    cond: Cond,
    (dst, left): (Reg, &Register),
    (src, right): (Operand, &Register),
) {
    let Operand::Reg(src) = src else {
        return;
    };
    let bounded = |pointer: &Register, limit: &Register| match (pointer.kind, limit.kind) {
        (Kind::Packet(_), Kind::PacketEnd) => true,
        (Kind::PacketMeta(_), Kind::Packet(_)) => limit.offset == 0 && limit.value.is_zero(),
        _ => false,
    };
    let (register, pointer, cond) = if bounded(left, right) {
        (dst, left, cond)
    } else if bounded(right, left) {
        (src, right, cond.exchanged())
    } else {
        return;
    };
    // Which side knows that the pointer is at most at the limit, and whether strictly below.
    let (inside, outside, strictly) = match cond {
        Cond::Gt => (next, taken, false),
        Cond::Ge => (next, taken, true),
        Cond::Lt => (taken, next, true),
        Cond::Le => (taken, next, false),
        _ => return,
    };
    extend_range(inside, pointer, strictly);
    let place = if strictly { AT_END } else { BEYOND_END };
    let one = &mut outside.frame_mut().registers[usize::from(register.0)];
    if matches!(one.kind, Kind::Packet(_)) {
        one.kind = one.kind.with_range(place);
    }
}

fn extend_range(state: &mut State, pointer: &Register, strictly: bool) {
    let offset = pointer.offset;
    if offset < 0 || (offset == 0 && strictly) {
        return;
    }
    let reach = pointer.value.umax.checked_add(offset as u64);
    if pointer.value.umax > MAX_PACKET || reach.is_none_or(|reach| reach > MAX_PACKET) {
        return;
    }
    let range = offset + i32::from(strictly);
    state.for_each_register(|register| {
        if register.kind.same_type(pointer.kind)
            && register.id == pointer.id
            && let Some(old) = register.kind.range()
        {
            register.kind = register.kind.with_range(old.max(range));
        }
    });
}
