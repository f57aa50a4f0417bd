//! The program's shape: jumps that stay in their function, code that is all reachable, and the
//! places where the walk looks for states that it has seen.
//!
//! One pass over the slots and one depth-first walk.

use bpf::helpers::{HelperFlags, by_id};
use bpf::insn::{CallTarget, Insn, Slot};

use super::{Meaning, Op, Program, Subprogram, loops};
use crate::stop::{Check, refuse, refuse_at};
use crate::verdict::Rule;
use crate::walk::adds_to_tree;

const TAIL_CALL: i32 = 12;

/// What the walk must know of each slot.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Whether states are compared and kept here.
    pub prune: Vec<bool>,
    /// Whether the way to here is written down: control can come from elsewhere.
    pub jump: Vec<bool>,
    /// Whether a state is always kept here: heads of loops that the walk unrolls symbolically.
    pub checkpoint: Vec<bool>,
    /// The number of the loop that each slot lies in, or 0.
    pub component: Vec<u32>,
}

/// Fills in what functions do, from their instructions and those of the functions they call.
pub(crate) fn summarise(program: &mut Program) {
    let mut calls = Vec::new();
    for index in 0..program.subprograms.len() {
        let (start, end) = (
            program.subprograms[index].start,
            program.subprogram_end(index),
        );
        for slot in start..end {
            if let Meaning::Function(callee) = program.ops[slot].meaning {
                calls.push((index, callee));
            }
            let subprogram = &mut program.subprograms[index];
            let opcode = program.ops[slot].slot.opcode;
            subprogram.reads_packet |= opcode & 7 == 0 && matches!(opcode & 0xe0, 0x20 | 0x40);
            if let Some(Insn::Call {
                target: CallTarget::Helper(id),
            }) = program.ops[slot].decoded()
            {
                subprogram.tail_call |= id == TAIL_CALL;
                let helper = u32::try_from(id).ok().and_then(by_id);
                subprogram.changes_packet |=
                    helper.is_some_and(|helper| helper.flags.contains(HelperFlags::CHANGES_PACKET));
            }
        }
    }
    // What a callee changes its callers change; each round settles at least one function.
    loop {
        let mut changed = false;
        for &(caller, callee) in &calls {
            if program.subprograms[callee].changes_packet
                && !program.subprograms[caller].changes_packet
            {
                program.subprograms[caller].changes_packet = true;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// The slot that a jump at `slot` leads to.
#[must_use]
pub(crate) fn jump_target(slot: usize, insn: &Insn) -> Option<i64> {
    let offset = match *insn {
        Insn::Goto { offset, .. } => i64::from(offset),
        Insn::Branch { offset, .. } | Insn::MayGoto { offset } => i64::from(offset),
        _ => return None,
    };
    Some(slot as i64 + 1 + offset)
}

/// What control does at a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Jump {
    /// It goes on.
    No,
    Exit,
    Call,
    /// It goes there, or, if it need not, on.
    To {
        target: i64,
        always: bool,
        may_goto: bool,
    },
}

/// What control does at a slot, by the opcode alone: here the kernel does not look at fields that
/// should be zero, and what the walk does not reach it never does.
fn jump(slot: usize, op: &Op) -> Jump {
    const CALL: u8 = 0x80;
    const EXIT: u8 = 0x90;
    const MAY_GOTO: u8 = 0xe0;
    let Slot {
        opcode,
        offset,
        imm,
        ..
    } = op.slot;
    if matches!(op.insn, Ok(None)) || !matches!(opcode & 7, 5 | 6) {
        return Jump::No;
    }
    match opcode & 0xf0 {
        CALL => Jump::Call,
        EXIT => Jump::Exit,
        operation => Jump::To {
            target: slot as i64 + 1 + i64::from(if opcode == 0x06 { imm } else { offset.into() }),
            always: operation == 0,
            may_goto: operation == MAY_GOTO,
        },
    }
}

/// Whether a slot calls something.
pub(super) fn is_call(program: &Program, slot: usize) -> bool {
    jump(slot, &program.ops[slot]) == Jump::Call
}

/// Where control goes from a slot within its function.
pub(super) fn successors(program: &Program, slot: usize) -> [Option<usize>; 2] {
    let op = &program.ops[slot];
    let next = Some(slot + op.slots());
    match jump(slot, op) {
        Jump::Exit => [None, None],
        Jump::To { target, always, .. } => {
            let target = usize::try_from(target).ok();
            [target, next.filter(|_| !always)]
        }
        Jump::No | Jump::Call => [next, None],
    }
}

/// Checks that jumps stay in their function and that functions end.
pub(crate) fn check_functions(program: &Program) -> Check {
    for index in 0..program.subprograms.len() {
        let (start, end) = (
            program.subprograms[index].start,
            program.subprogram_end(index),
        );
        let mut slot = start;
        while slot < end {
            let op = &program.ops[slot];
            if let Jump::To { target, .. } = jump(slot, op)
                && !(start as i64..end as i64).contains(&target)
            {
                return refuse_at(
                    Rule::JumpOutOfRange,
                    slot,
                    format!("jump out of range from insn {slot} to {target}"),
                );
            }
            let next = slot + op.slots();
            let leaves = matches!(op.slot.opcode, 0x95 | 0x05 | 0x06);
            if next >= end && !leaves {
                return refuse_at(Rule::FallsOff, slot, "last insn is not an exit or jmp");
            }
            slot = next;
        }
    }
    Ok(())
}

/// The function's first instruction that a rule is about: a tail call, or a load from the packet.
pub(super) fn culprit(program: &Program, subprogram: &Subprogram, rule: Rule) -> usize {
    let ends = |slot: &usize| match program.insn(*slot) {
        Some(Insn::LoadAbs { .. } | Insn::LoadInd { .. }) => rule == Rule::PacketReadContext,
        Some(Insn::Call { target }) => {
            rule == Rule::TailCallInSubprogram && target == CallTarget::Helper(TAIL_CALL)
        }
        _ => false,
    };
    let found = (subprogram.start..program.ops.len()).find(ends);
    found.unwrap_or(subprogram.start)
}

/// Some instructions end a function, which then must return a number; without types of functions
/// they are only allowed in the main one.
pub(crate) fn check_ending(program: &Program) -> Check {
    if program.has_func_info {
        for subprogram in program.subprograms.iter().skip(1) {
            let (rule, what) = match subprogram {
                one if one.returns_number => continue,
                one if one.reads_packet => (Rule::PacketReadContext, "LD_ABS"),
                one if one.tail_call => (Rule::TailCallInSubprogram, "tail_call"),
                _ => continue,
            };
            let text = format!("{what} is only allowed in functions that return 'int'.");
            return refuse_at(rule, culprit(program, subprogram, rule), text);
        }
        return Ok(());
    }
    for subprogram in program.subprograms.iter().skip(1) {
        if subprogram.reads_packet {
            return refuse_at(
                Rule::PacketReadContext,
                culprit(program, subprogram, Rule::PacketReadContext),
                "LD_ABS is not allowed in subprogs without BTF",
            );
        }
        if subprogram.tail_call {
            return refuse_at(
                Rule::TailCallInSubprogram,
                culprit(program, subprogram, Rule::TailCallInSubprogram),
                "tail_call is not allowed in subprogs without BTF",
            );
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    Unseen,
    Open,
    Done,
}

impl Shape {
    /// Walks all code that control can reach.
    ///
    /// # Errors
    /// A slot that it cannot reach, or a jump into the middle of an instruction.
    pub(crate) fn of(program: &Program) -> Check<Shape> {
        let length = program.ops.len();
        let mut shape = Shape {
            prune: vec![false; length],
            jump: vec![false; length],
            checkpoint: vec![false; length],
            component: Vec::new(),
        };
        let mut visits = vec![Visit::Unseen; length];
        let callbacks = program.exception_callbacks.iter().flatten();
        let entries = callbacks.map(|function| program.subprograms[*function].start);
        // With each slot where control goes from it, once that is known.
        let mut stack: Vec<(usize, Option<[Option<usize>; 2]>)> =
            entries.chain([0]).map(|entry| (entry, None)).collect();
        for (entry, _) in &stack {
            visits[*entry] = Visit::Open;
        }
        while let Some((slot, known)) = stack.last_mut() {
            let slot = *slot;
            let successors = match known {
                Some(successors) => *successors,
                None => *known.insert(shape.successors(program, slot)?),
            };
            let next = successors.into_iter().flatten().find(|next| {
                visits
                    .get(*next)
                    .is_some_and(|visit| *visit == Visit::Unseen)
            });
            match next {
                Some(next) => {
                    visits[next] = Visit::Open;
                    stack.push((next, None));
                }
                None => {
                    visits[slot] = Visit::Done;
                    stack.pop();
                }
            }
        }
        check_reached(program, &visits)?;
        shape.component = loops::components(program, &shape);
        Ok(shape)
    }

    /// Where control goes from a slot: to the next one, and elsewhere. Marks the places.
    fn successors(&mut self, program: &Program, slot: usize) -> Check<[Option<usize>; 2]> {
        let op = &program.ops[slot];
        let next = slot + op.slots();
        let mut mark = |place: usize| {
            if let (Some(prune), Some(jump)) = (self.prune.get_mut(place), self.jump.get_mut(place))
            {
                *prune = true;
                *jump = true;
            }
        };
        let into = |target: i64| {
            let place = usize::try_from(target).ok();
            match place.filter(|place| *place < program.ops.len()) {
                Some(place) => Ok(place),
                None => refuse_at(
                    Rule::JumpOutOfRange,
                    slot,
                    format!("jump out of range from insn {slot} to {target}"),
                ),
            }
        };
        let successors = match (&op.meaning, jump(slot, op)) {
            (_, Jump::Exit) => [None, None],
            (
                _,
                Jump::To {
                    target,
                    always,
                    may_goto,
                },
            ) => {
                let target = into(target)?;
                mark(target);
                self.prune[slot] |= !always;
                self.checkpoint[slot] |= may_goto;
                if always {
                    [Some(target), None]
                } else {
                    [Some(next), Some(target)]
                }
            }
            (Meaning::Function(callee), _) => {
                let start = program.subprograms[*callee].start;
                mark(next);
                mark(start);
                self.prune[slot] = true;
                [Some(next), Some(start)]
            }
            (_, Jump::Call) => {
                mark(next);
                if let Some(Insn::Call { target }) = op.decoded() {
                    self.mark_call(slot, target);
                }
                if adds_to_tree(program, slot) {
                    self.checkpoint[slot] = true;
                    self.jump[slot] = true;
                    self.prune[slot] = true;
                }
                if matches!(&op.meaning, Meaning::Kfunc(name) if name == "bpf_iter_num_next") {
                    self.checkpoint[slot] = true;
                    self.prune[slot] = true;
                }
                [Some(next), None]
            }
            _ => [Some(next), None],
        };
        if let [Some(next), _] = successors
            && next >= program.ops.len()
        {
            return refuse_at(
                Rule::JumpOutOfRange,
                slot,
                format!("jump out of range from insn {slot} to {next}"),
            );
        }
        Ok(successors)
    }

    /// Helpers that call back are walked like loops.
    fn mark_call(&mut self, slot: usize, target: CallTarget) {
        let CallTarget::Helper(id) = target else {
            return;
        };
        let Some(helper) = u32::try_from(id).ok().and_then(by_id) else {
            return;
        };
        if helper.flags.contains(HelperFlags::CALLS_BACK) {
            self.checkpoint[slot] = true;
            self.jump[slot] = true;
            self.prune[slot] = true;
        }
        if helper.flags.contains(HelperFlags::CALLS_BACK_LATER) {
            self.prune[slot] = true;
        }
    }
}

fn check_reached(program: &Program, visits: &[Visit]) -> Check {
    let mut slot = 0;
    while slot < program.ops.len() {
        if visits[slot] != Visit::Done {
            return refuse_at(Rule::Unreachable, slot, format!("unreachable insn {slot}"));
        }
        let next = slot + program.ops[slot].slots();
        if next == slot + 2
            && visits
                .get(slot + 1)
                .is_some_and(|visit| *visit != Visit::Unseen)
        {
            return refuse(
                Rule::JumpOutOfRange,
                format!("jump into the middle of ldimm64 insn {slot}"),
            );
        }
        slot = next;
    }
    Ok(())
}
