//! Commands that run at the same time: issued one after the other, waited for together.
//!
//! **What.** A command that waits takes fifty cycles and more, in which the context does nothing.
//! Commands of a block that do not depend on each other raise different signals, and one instruction
//! waits for all of them, before the first thing that needs one of them done.
//!
//! **Why.** Latency bounds throughput when the contexts of a core are few: a program that writes an
//! Ethernet header, an IP header and a check sum waits once in place of three times, for one word.
//!
//! **Why sound.** A batch ends before whatever depends on one of its commands: an instruction that reads
//! a group that is being filled, a command that may touch the same bytes (nothing says in which order a
//! memory unit does what it is asked), a call, the end of the block. Commands of a batch have outgoing
//! registers of their own. Condition codes need not live through a wait, so none is put between an
//! instruction that sets them and one that reads them.
//!
//! **Cost.** One walk over each block; a command is compared with those of its batch, at most
//! [`SIGNALS`].

use crate::lir::{Access, Addend, BlockData, Branch, End, Inst, Lir, Op, Source, Target};

/// Outgoing transfer registers of a batch; two more show results to tests.
const OUTGOING: u8 = 30;
/// Signals of a batch: 1 to this.
const SIGNALS: usize = 14;

/// A command of a batch.
struct Issued {
    at: usize,
    access: Access,
    writes: bool,
}

/// Commands that were issued and not waited for.
#[derive(Default)]
struct Batch {
    commands: Vec<Issued>,
    /// Outgoing registers that they read: below this.
    outgoing: u8,
}

/// Where something waits, and for which commands.
struct Wait {
    at: usize,
    commands: Vec<usize>,
}

/// Lets commands overlap.
pub fn overlap(lir: &mut Lir) {
    for block in &mut lir.blocks {
        let waits = Walk::of(block);
        apply(block, waits);
    }
}

/// A command that can be part of a batch: its access, whether it writes, and how many outgoing
/// registers it reads.
fn command(op: &Op) -> Option<(&Access, bool, u8)> {
    match op {
        Op::Read(access, _) => Some((access, false, 0)),
        Op::Write(access) => Some((access, true, access.words())),
        Op::Add {
            access,
            addend: Addend::Out,
        } => Some((access, true, access.count)),
        _ => None,
    }
}

/// Whether a result goes to a command's registers, and not to those that show results.
fn is_for_command(target: Target) -> bool {
    matches!(target, Target::Out(register) if register < OUTGOING)
}

struct Walk<'a> {
    block: &'a mut BlockData,
    batch: Batch,
    waits: Vec<Wait>,
}

impl Walk<'_> {
    fn of(block: &mut BlockData) -> Vec<Wait> {
        let mut walk = Walk {
            block,
            batch: Batch::default(),
            waits: Vec::new(),
        };
        walk.run();
        walk.waits
    }

    fn run(&mut self) {
        // Outgoing registers since the last command are the next one's.
        let mut first_out = None;
        for at in 0..self.block.insts.len() {
            let inst = &self.block.insts[at];
            if self.needs(inst) {
                self.close(at);
            }
            let inst = &self.block.insts[at];
            if first_out.is_none() && is_for_command(inst.target) {
                if self.batch.outgoing + self.words_from(at) > OUTGOING {
                    self.close(at);
                }
                first_out = Some((at, self.batch.outgoing));
            }
            let inst = &self.block.insts[at];
            if let Some((access, writes, words)) = command(&inst.op) {
                let access = *access;
                let conflict = self
                    .batch
                    .commands
                    .iter()
                    .any(|one| (one.writes || writes) && may_meet(&one.access, &access));
                // What was written for a command may stand before a read.
                let own = first_out.take_if(|_| words > 0);
                let (from, shift) = own.unwrap_or((at, self.batch.outgoing));
                if conflict || self.batch.commands.len() == SIGNALS {
                    self.close(at);
                }
                self.shift(from, at, shift);
                self.batch.outgoing = self.batch.outgoing.max(shift + words);
                self.batch.commands.push(Issued { at, access, writes });
            }
        }
        self.close(self.block.insts.len());
    }

    /// Outgoing registers of the command that one which begins here is for.
    fn words_from(&self, at: usize) -> u8 {
        let rest = self.block.insts.iter().skip(at);
        let mut words = rest.filter_map(|inst| Some(command(&inst.op)?.2));
        words.find(|words| *words > 0).unwrap_or(0)
    }

    /// Gives a command, and what writes its outgoing registers, other ones.
    fn shift(&mut self, from: usize, at: usize, by: u8) {
        for inst in self.block.insts.iter_mut().take(at).skip(from) {
            if is_for_command(inst.target)
                && let Target::Out(register) = &mut inst.target
            {
                *register += by;
            }
        }
        match &mut self.block.insts[at].op {
            Op::Write(access) | Op::Add { access, .. } => access.outgoing = by,
            _ => {}
        }
    }

    /// Whether something needs a command of the batch done.
    fn needs(&self, inst: &Inst) -> bool {
        if self.batch.commands.is_empty() {
            return false;
        }
        let filling = |group| {
            self.batch.commands.iter().any(
                |one| matches!(self.block.insts[one.at].op, Op::Read(_, filled) if filled == group),
            )
        };
        let reads = inst.op.sources().into_iter().any(|source| match source {
            Source::Transfer(group, _) => filling(group),
            _ => false,
        });
        let orders = match &inst.op {
            Op::Helper(_) | Op::Call(_) => true,
            Op::Add {
                access,
                addend: Addend::Immediate(_),
            } => self
                .batch
                .commands
                .iter()
                .any(|one| may_meet(&one.access, access)),
            _ => false,
        };
        reads || orders
    }

    /// Ends the batch before an instruction.
    fn close(&mut self, at: usize) {
        let done = std::mem::take(&mut self.batch);
        if done.commands.len() < 2 {
            return;
        }
        let at = match self.conditions_live(at) {
            true => self.chain(at),
            false => at,
        };
        let commands: Vec<usize> = done.commands.iter().map(|one| one.at).collect();
        // Where condition codes are set before the last command, each waits for itself.
        if commands.last().is_some_and(|last| *last < at) {
            self.waits.push(Wait { at, commands });
        }
    }

    /// The first of the instructions that pass condition codes on to what stands at a place.
    fn chain(&self, at: usize) -> usize {
        let mut at = at;
        loop {
            let mut before = self.block.insts.iter().take(at);
            let Some(setter) = before.rposition(|inst| inst.op.sets_conditions()) else {
                return at;
            };
            at = setter;
            if !self.block.insts[at].op.reads_conditions() {
                return at;
            }
        }
    }

    /// Whether condition codes that were set before a place are read behind it.
    fn conditions_live(&self, at: usize) -> bool {
        for inst in self.block.insts.iter().skip(at) {
            if inst.op.reads_conditions() {
                return true;
            }
            if inst.op.sets_conditions() {
                return false;
            }
        }
        matches!(self.block.end, Some(End::Branch(Branch::Conditions(_), ..)))
    }
}

/// Whether two commands may touch the same bytes.
fn may_meet(a: &Access, b: &Access) -> bool {
    if a.is_wide() != b.is_wide() {
        return false;
    }
    match (a.b, b.b) {
        (Source::Immediate(first), Source::Immediate(second)) if a.a == b.a && !a.is_wide() => {
            let (first, second) = (u32::from(first), u32::from(second));
            first < second + b.bytes() && second < first + a.bytes()
        }
        _ => true,
    }
}

fn apply(block: &mut BlockData, waits: Vec<Wait>) {
    // From the last one on, so that places stay what they are.
    for wait in waits.into_iter().rev() {
        let mut signals = 0u16;
        for (signal, at) in (1u8..).zip(&wait.commands) {
            signals |= 1 << signal;
            match &mut block.insts[*at].op {
                Op::Read(access, _) | Op::Write(access) | Op::Add { access, .. } => {
                    access.signal = Some(signal);
                }
                _ => {}
            }
        }
        let like = &block.insts[wait.commands[0]];
        let inst = Inst {
            op: Op::Wait(signals),
            target: Target::Nothing,
            location: like.location,
            origin: like.origin,
        };
        block.insts.insert(wait.at, inst);
    }
}
