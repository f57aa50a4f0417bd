//! The walk: every path of a program, with what is known on it, as the kernel's verifier takes
//! them.
//!
//! Depth first; at a branch whose outcome is not known the other side waits. Where paths can meet,
//! a state that covers the present one ends the path ([`prune`]). Which numbers must match for that
//! is found backwards from each check that depends on one ([`precision`]); in a loop that is not
//! walked to its end it is not known yet ([`component`]). The kernel's limit for
//! instructions walked bounds time, and the states kept are dropped when they are of no use.

mod access;
mod alignment;
mod alu;
mod argument_memory;
mod argument_type;
mod arguments;
mod atomic;
mod back;
mod branch;
mod call;
mod callback;
mod component;
mod constant;
mod dynptr;
mod exit;
mod explore;
mod graph;
mod helper;
mod history;
mod iterator;
mod kfunc;
mod lock;
mod memory;
mod object;
mod packet;
mod pointer;
mod precision;
mod prune;
mod record;
mod region;
mod result;
mod stack;
mod stack_helper;
mod ties;
mod wanted;

pub(crate) use kfunc::throws;
pub(crate) use object::adds_to_tree;

use std::collections::BTreeSet;
use std::rc::Rc;

use bpf::btf::TypeId;
use bpf::insn::{Reg, RegSet};
use rustc_hash::FxHashMap;

use crate::options::Options;
use crate::program::cfg::Shape;
use crate::program::depth::Use;
use crate::program::{ObjectType, Program, liveness};
use crate::state::{Frame, Kind, NO_INSN, Register, State};
use crate::stop::{Check, refuse_register};
use crate::trace::Before;
use crate::verdict::Sides;
use crate::verdict::{Rule, Stats};

/// The kernel's limit for instructions walked.
const MAX_PROCESSED: u32 = 1_000_000;
/// The kernel's limit for paths waiting.
const MAX_PENDING: usize = 8192;

/// A path that waits.
struct Pending {
    state: State,
    insn: usize,
    previous: u32,
    /// The state before the branch, where events are recorded.
    before: Option<Box<Before>>,
}

/// Where control goes after an instruction.
enum Flow {
    /// To the next one.
    Next,
    /// To this one.
    To(usize),
    /// Nowhere: the path ends.
    End,
}

/// A kept state, with how often comparing with it was of use.
struct Seen {
    state: usize,
    hits: u32,
    misses: u32,
}

/// The walk of one program.
pub(crate) struct Walker<'p> {
    program: &'p Program,
    options: &'p Options,
    big_endian: bool,
    shape: Shape,
    live: Vec<RegSet>,
    state: State,
    pending: Vec<Pending>,
    kept: Vec<Option<State>>,
    /// For each kept state the way to it from the one before.
    ways: Vec<Box<[history::Entry]>>,
    /// Loops that were entered.
    loops: FxHashMap<component::Chain, component::Visit>,
    /// By instruction and by the place of the call that is being walked.
    seen: FxHashMap<(usize, u32), Vec<Seen>>,
    history: Vec<history::Entry>,
    /// Whether the last entry of the history is of the present instruction.
    entry_open: bool,
    insn: usize,
    previous: u32,
    jumps: u32,
    jumps_at_keep: u32,
    processed_at_keep: u32,
    last_id: u32,
    alive: u32,
    /// Kind of pointer that each memory access was made with.
    pointer_kinds: Vec<Option<Kind>>,
    uses: Vec<Use>,
    object_types: FxHashMap<TypeId, Rc<ObjectType>>,
    called: BTreeSet<usize>,
    /// What was taken for granted, if something was: a refusal then is no certain one.
    assumption: Option<&'static str>,
    stats: Stats,
    /// Whether the contents of read-only data were used.
    reads_constants: bool,
    visits: Vec<u32>,
    sides: Vec<Sides>,
    recording: Option<Box<record::Recording>>,
}

impl<'p> Walker<'p> {
    /// Makes a walk ready, the program's shape checked.
    pub(crate) fn new(program: &'p Program, options: &'p Options, big_endian: bool) -> Check<Self> {
        let shape = Shape::of(program)?;
        let mut uses = vec![Use::default(); program.subprograms.len()];
        let mut called = BTreeSet::new();
        for function in program.exception_callbacks.iter().flatten() {
            uses[*function].callback = true;
            uses[*function].asynchronous = true;
            called.insert(*function);
        }
        Ok(Walker {
            program,
            options,
            big_endian,
            shape,
            live: liveness::live_before(program),
            state: State::entry(Frame::new(0, 0, None), 0, program.sleepable),
            pending: Vec::new(),
            kept: Vec::new(),
            ways: Vec::new(),
            loops: FxHashMap::default(),
            seen: FxHashMap::default(),
            history: Vec::new(),
            entry_open: false,
            insn: 0,
            previous: NO_INSN,
            jumps: 0,
            jumps_at_keep: 0,
            processed_at_keep: 0,
            last_id: 0,
            alive: 0,
            pointer_kinds: vec![None; program.ops.len()],
            uses,
            object_types: FxHashMap::default(),
            called,
            assumption: None,
            stats: Stats::default(),
            reads_constants: false,
            visits: vec![0; program.ops.len()],
            sides: vec![Sides::default(); program.ops.len()],
            recording: None,
        })
    }

    /// Use of the stack by each function.
    pub(crate) fn uses(&self) -> &[Use] {
        &self.uses
    }

    /// Work done so far.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            stack_depth: self.uses.first().map_or(0, |one| one.depth),
            ..self.stats
        }
    }

    /// Where the walk is.
    pub(crate) fn place(&self) -> usize {
        self.insn
    }

    /// What was taken for granted.
    pub(crate) fn assumption(&self) -> Option<&'static str> {
        self.assumption
    }

    /// Whether the contents of read-only data were used.
    pub(crate) fn reads_constants(&self) -> bool {
        self.reads_constants
    }

    /// Which ways each conditional jump went.
    pub(crate) fn take_sides(&mut self) -> Vec<Sides> {
        std::mem::take(&mut self.sides)
    }

    /// How often each instruction was walked.
    pub(crate) fn take_visits(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.visits)
    }

    fn new_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }

    fn reg(&self, register: u8) -> &Register {
        &self.state.frame().registers[usize::from(register).min(10)]
    }

    fn reg_mut(&mut self, register: u8) -> &mut Register {
        &mut self.state.frame_mut().registers[usize::from(register).min(10)]
    }

    fn set(&mut self, register: u8, value: Register) {
        *self.reg_mut(register) = value;
    }

    /// The register must hold something.
    fn check_readable(&self, register: Reg) -> Check {
        if register.0 > 10 {
            return refuse_register(
                Rule::UninitialisedRegister,
                register.0,
                format!("R{} is invalid", register.0),
            );
        }
        if self.reg(register.0).kind == Kind::Unset {
            return refuse_register(
                Rule::UninitialisedRegister,
                register.0,
                format!("R{} !read_ok", register.0),
            );
        }
        Ok(())
    }

    /// The register must be one that programs write.
    fn check_writable(&self, register: Reg) -> Check {
        if register.0 > 10 {
            return refuse_register(
                Rule::UninitialisedRegister,
                register.0,
                format!("R{} is invalid", register.0),
            );
        }
        if register == Reg::FRAME {
            return refuse_register(
                Rule::FramePointerWrite,
                register.0,
                "frame pointer is read only",
            );
        }
        Ok(())
    }

    /// Deals with ranges that contradict each other: the kernel forgets them, or, when asked to,
    /// refuses.
    fn settle(&self, register: &mut Register, context: &str) -> Check {
        if register.is_scalar() || register.kind != Kind::Unset {
            if !register.value.is_inconsistent() {
                return Ok(());
            }
            if self.options.strict_ranges {
                return crate::stop::refuse(
                    Rule::RangeInvariant,
                    format!("REG INVARIANTS VIOLATION ({context})"),
                );
            }
            register.value.forget_ranges();
        }
        Ok(())
    }

    fn settle_register(&mut self, register: u8, context: &str) -> Check {
        let mut value = *self.reg(register);
        self.settle(&mut value, context)?;
        self.set(register, value);
        Ok(())
    }

    fn clear_caller_saved(&mut self) {
        for register in 0..6 {
            self.set(register, Register::UNSET);
        }
    }

    /// Remembers that a value depends on what is not known here.
    fn assume(&mut self, what: &'static str) {
        self.assumption.get_or_insert(what);
    }
}
