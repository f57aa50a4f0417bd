//! The state of a context, and the loop that runs it.

use super::fault::{Fault, FaultKind, Hazard, HazardKind};
use super::latencies::Latencies;
use super::local_memory::LocalMemory;
use super::memory::Memory;
use super::multiply::Multiplication;
use super::profile::{Count, Profile};
use super::program::Program;
use super::value::{Conditions, Value};
use crate::isa::{Bank, Insn};

/// What ends a run that does not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Instructions.
    pub steps: u64,
    /// Hazards that are kept, the first of each place and kind; more are dropped.
    pub hazards: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            steps: 1_000_000,
            hazards: 64,
        }
    }
}

/// How long a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cycles {
    /// Until one packet was done: instructions, cycles lost after branches, waits for memory.
    pub latency: u64,
    /// Of those, cycles in which the micro-engine could do nothing for another context: the bound on
    /// throughput.
    pub issue: u64,
}

/// A command that the context did not wait for yet.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) signal: u8,
    pub(super) ready: u64,
    /// Transfer registers that the command still reads.
    pub(super) reads: Option<(u8, u8)>,
    /// Transfer registers whose contents arrive with the signal.
    pub(super) arrives: Vec<Value>,
    /// The first of them.
    pub(super) first: u8,
}

/// What happens after the defer slots of an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    /// Control goes on there; so many cycles are lost.
    Branch(u32, u64),
    /// The command runs and the context waits for it.
    Command(super::command::Prepared),
    /// The context waits for signals.
    Wait { signals: u16, any: bool },
}

/// A context.
#[derive(Clone, Debug)]
pub struct Core {
    pub(super) gprs: [[Value; 32]; 2],
    pub(super) transfer_in: [Value; 64],
    pub(super) transfer_out: [Value; 64],
    /// Local memory.
    pub local: LocalMemory,
    /// Where [`Core::run`] returns to its caller, as it does where the program ends.
    pub stop_at: Option<u32>,
    pub(super) conditions: Conditions,
    /// Result of the last instruction that has one.
    pub(super) previous: Value,
    /// Left operand of the instruction right before, if that was an ALU one.
    pub(super) amount: Option<Value>,
    pub(super) multiplication: Multiplication,
    /// What a register read will give to the next instruction.
    pub(super) csr_result: Option<Value>,
    pub(super) random: u64,
    pub(super) latencies: Latencies,
    pub(super) pending: Vec<Pending>,
    pub(super) after: Option<(u8, After)>,
    pub(super) at: u32,
    cycles: Cycles,
    steps: u64,
    limits: Limits,
    hazards: Vec<Hazard>,
    profile: Option<Profile>,
    /// The instruction that time is counted for.
    charged: u32,
    /// The instruction that `after` is of.
    after_from: u32,
}

impl Core {
    /// A context of which nothing is known; `pattern` is in its registers.
    #[must_use]
    pub fn new(latencies: Latencies, limits: Limits, pattern: u32) -> Core {
        let unknown = Value::unknown(pattern);
        Core {
            gprs: [[unknown; 32]; 2],
            transfer_in: [unknown; 64],
            transfer_out: [unknown; 64],
            local: LocalMemory::new(pattern),
            stop_at: None,
            conditions: Conditions::default(),
            previous: unknown,
            amount: None,
            multiplication: Multiplication::default(),
            csr_result: None,
            random: 0,
            latencies,
            pending: Vec::new(),
            after: None,
            at: 0,
            cycles: Cycles::default(),
            steps: 0,
            limits,
            hazards: Vec::new(),
            profile: None,
            charged: 0,
            after_from: 0,
        }
    }

    /// A general register.
    #[must_use]
    pub fn gpr(&self, bank: Bank, number: u8) -> Value {
        self.gprs[bank as usize][usize::from(number & 31)]
    }

    /// An outgoing transfer register.
    #[must_use]
    pub fn transfer_out(&self, number: u8) -> Value {
        self.transfer_out[usize::from(number & 63)]
    }

    /// Changes a general register.
    pub fn set_gpr(&mut self, bank: Bank, number: u8, value: Value) {
        self.gprs[bank as usize][usize::from(number & 31)] = value;
    }

    /// Makes what the machine carries between instructions unknown, and all transfer registers that
    /// commands fill: what a call of unknown code does.
    pub fn forget(&mut self, pattern: u32) {
        self.transfer_in = [Value::unknown(pattern); 64];
        self.transfer_out = [Value::unknown(pattern); 64];
        self.conditions = Conditions::default();
        self.previous = Value::unknown(pattern);
        self.amount = None;
        self.multiplication = Multiplication::default();
    }

    /// Start of the pseudo-random numbers.
    pub fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Counts from now on what each word costs, if there is something to count in.
    pub fn set_profile(&mut self, profile: Option<Profile>) {
        self.profile = profile;
    }

    /// What was counted; counting ends.
    pub fn take_profile(&mut self) -> Option<Profile> {
        self.profile.take()
    }

    /// Changes the count of the instruction that causes what happens now.
    pub(super) fn charge(&mut self, change: impl FnOnce(&mut Count)) {
        let charged = self.charged;
        if let Some(count) = self.profile.as_mut().and_then(|all| all.at(charged)) {
            change(count);
        }
    }

    /// How long it took so far.
    #[must_use]
    pub fn cycles(&self) -> Cycles {
        self.cycles
    }

    /// Instructions executed so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Hazards so far.
    #[must_use]
    pub fn hazards(&self) -> &[Hazard] {
        &self.hazards
    }

    /// Where control is.
    #[must_use]
    pub fn at(&self) -> u32 {
        self.at
    }

    /// Now, for what takes time.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.cycles.latency
    }

    /// Lets other contexts run for so many cycles.
    pub fn wait(&mut self, cycles: u64) {
        self.cycles.latency = self.cycles.latency.saturating_add(cycles);
        self.charge(|count| count.latency = count.latency.saturating_add(cycles));
    }

    /// Spends so many cycles that no other context can use.
    pub fn stall(&mut self, cycles: u64) {
        self.wait(cycles);
        self.cycles.issue = self.cycles.issue.saturating_add(cycles);
        self.charge(|count| count.issue = count.issue.saturating_add(cycles));
    }

    /// Reports a hazard at the current instruction.
    pub fn hazard(&mut self, kind: HazardKind) {
        let hazard = Hazard { at: self.at, kind };
        if self.hazards.len() < self.limits.hazards && !self.hazards.contains(&hazard) {
            self.hazards.push(hazard);
        }
    }

    /// A fault at the current instruction.
    #[must_use]
    pub fn fault(&self, kind: FaultKind) -> Fault {
        Fault { at: self.at, kind }
    }

    /// Reports a hazard unless all bits that matter are known; gives the bits.
    pub(super) fn certain(&mut self, value: Value, kind: HazardKind) -> u32 {
        if !value.is_known() {
            self.hazard(kind);
        }
        value.bits
    }

    /// Runs from an address until control leaves the program or comes to [`Core::stop_at`]; gives the
    /// address where it went.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn run(&mut self, program: &Program, memory: &mut Memory, at: u32) -> Result<u32, Fault> {
        self.at = at;
        self.after = None;
        loop {
            if self.stop_at == Some(self.at) && self.after.is_none() {
                return Ok(self.at);
            }
            let Some(insn) = program.at(self.at) else {
                return Ok(self.at);
            };
            if self.steps >= self.limits.steps {
                return Err(self.fault(FaultKind::StepLimit(self.limits.steps)));
            }
            self.steps += 1;
            self.step(insn, memory)?;
        }
    }

    fn step(&mut self, insn: Insn, memory: &mut Memory) -> Result<(), Fault> {
        self.charged = self.at;
        self.charge(|count| count.runs = count.runs.saturating_add(1));
        let waiting = self.after.take();
        let csr_result = self.csr_result.take();
        if csr_result.is_some() && !takes_csr_result(insn) {
            self.hazard(HazardKind::CsrResultLost);
        }
        self.execute(insn, csr_result, memory)
            .map_err(|kind| self.fault(kind))?;
        self.stall(1);
        let after = match (waiting, self.after.take()) {
            (Some(_), Some(_)) => return Err(self.fault(FaultKind::BranchInSlot)),
            (Some((slots, after)), None) => Some((slots.saturating_sub(1), after)),
            (None, after) => {
                self.after_from = self.at;
                after
            }
        };
        if matches!(after, Some((0, _))) {
            self.charged = self.after_from;
        }
        match after {
            Some((0, After::Branch(target, lost))) => {
                self.stall(lost);
                self.at = target;
            }
            Some((0, After::Command(command))) => {
                self.command_now(command, memory)
                    .map_err(|kind| self.fault(kind))?;
                self.at += 1;
            }
            Some((0, After::Wait { signals, any })) => {
                self.wait_for(signals, any)
                    .map_err(|kind| self.fault(kind))?;
                self.at += 1;
            }
            after => {
                self.after = after;
                self.at += 1;
            }
        }
        Ok(())
    }

    fn execute(
        &mut self,
        insn: Insn,
        csr_result: Option<Value>,
        memory: &mut Memory,
    ) -> Result<(), FaultKind> {
        let amount = self.amount.take();
        match insn {
            Insn::Alu { .. } | Insn::AluShift { .. } | Insn::LoadField { .. } => {
                self.compute(insn, amount)
            }
            Insn::Immed { .. } => self.immediate(insn, csr_result),
            Insn::MultiplyStep { .. } | Insn::MultiplyResult { .. } => self.multiply(insn),
            Insn::Command(command) => self.command(command, memory),
            _ => self.control(insn),
        }
    }
}

/// The result of a register read goes to an `immed` of zero.
fn takes_csr_result(insn: Insn) -> bool {
    matches!(insn, Insn::Immed { value: 0, .. })
}
