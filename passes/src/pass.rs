//! What a pass is: a transformation of one function that says whether it changed it.
//!
//! A pass sees one function, the tables of its module, the target and the cached analyses. It
//! never prints, times, counts itself or decides whether it runs: the manager does.

use crate::analyses::Analyses;
use crate::pipeline::OptLevel;
use crate::remarks::{RemarkKey, RemarkKind, Remarks};
use crate::target::Target;
use bpf::insn::Endian;
use bpf::maps::MapDef;
use mir::{Block, Func, Function, Inst, Module, Symbol};
use std::collections::BTreeMap;

/// What a pass did to a function. The order is that of what gets invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Changed {
    /// Nothing.
    #[default]
    No,
    /// Instructions or block parameters, but neither blocks nor edges between them.
    Instructions,
    /// Blocks or edges.
    ControlFlow,
}

impl Changed {
    /// [`Changed::Instructions`] when true.
    #[must_use]
    pub fn instructions_if(changed: bool) -> Changed {
        if changed {
            Changed::Instructions
        } else {
            Changed::No
        }
    }

    /// [`Changed::ControlFlow`] when true.
    #[must_use]
    pub fn control_flow_if(changed: bool) -> Changed {
        if changed {
            Changed::ControlFlow
        } else {
            Changed::No
        }
    }

    /// Whether anything changed.
    #[must_use]
    pub fn any(self) -> bool {
        self != Changed::No
    }

    /// Both changes together.
    #[must_use]
    pub fn and(self, other: Changed) -> Changed {
        self.max(other)
    }
}

/// Whether a pass may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// What follows depends on it: `--disable` and bisection do not apply.
    Required,
    /// An optimisation.
    Optional,
    /// An optimisation that the back end makes as it writes code, and for which there is nothing in
    /// MIR. Its place in the pipeline only says whether; whoever compiles tells the back end, by
    /// [`crate::FunctionStats::asks_back_end`].
    BackEnd,
}

/// A transformation of one function.
pub trait Pass: Sync {
    /// Transforms the function. The answer must be true: in debug builds the manager compares the
    /// printed text when it is [`Changed::No`].
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed;
}

/// A line of the registry.
#[derive(Clone, Copy)]
pub struct PassInfo {
    /// Name on the command line.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Whether it may be left out.
    pub kind: PassKind,
    /// The transformation.
    pub pass: &'static dyn Pass,
}

impl PassInfo {
    /// The levels whose pipeline has this pass.
    pub fn levels(&self) -> impl Iterator<Item = OptLevel> + '_ {
        OptLevel::ALL
            .into_iter()
            .filter(|level| level.pass_names().contains(&self.name))
    }
}

impl std::fmt::Debug for PassInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassInfo")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Maps by the symbol that names them.
pub type Maps = BTreeMap<Symbol, MapDef>;

/// The way that a conditional branch goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// To the destination for when the condition holds.
    Target,
    /// To the other one.
    Next,
}

/// The branches of functions that go one way only, as the verifier found. They are the input's:
/// the manager drops those of a function when the first pass changes it.
pub type Directions = BTreeMap<Func, BTreeMap<Inst, Taken>>;

/// What a pass may look at and report to.
#[derive(Debug)]
pub struct PassContext<'a> {
    /// Tables of the module. The function being transformed is not in `module.functions` while a
    /// pass runs: an empty one stands in its place.
    pub module: &'a Module,
    /// For whom we compile.
    pub target: &'a Target,
    /// Cached analyses of the function.
    pub analyses: &'a mut Analyses,
    pub(crate) remarks: &'a mut Remarks,
    pub(crate) pass: &'static str,
    pub(crate) uses_arena: bool,
    pub(crate) maps: &'a Maps,
    pub(crate) directions: Option<&'a BTreeMap<Inst, Taken>>,
}

impl PassContext<'_> {
    /// Byte order of the target.
    #[must_use]
    pub fn endian(&self) -> Endian {
        self.module.endian
    }

    /// Whether any function of the module handles arena pointers, on which the kernel allows all
    /// arithmetic, so that arithmetic proves nothing about a value being a number.
    #[must_use]
    pub fn uses_arena(&self) -> bool {
        self.uses_arena
    }

    /// The maps that are known, by the symbol that names them.
    #[must_use]
    pub fn maps(&self) -> &Maps {
        self.maps
    }

    /// The map that a symbol names, if it is known.
    #[must_use]
    pub fn map(&self, symbol: Symbol) -> Option<&MapDef> {
        self.maps.get(&symbol)
    }

    /// Counts, and remarks on, something that was done at an instruction.
    pub fn applied(&mut self, func: &Function, inst: Inst, message: &'static str) {
        self.remark(RemarkKind::Applied, func, Some(inst), message, None);
    }

    /// Counts, and remarks on, something that was done to a block: its place is that of its first
    /// instruction that has one.
    pub fn applied_to_block(&mut self, func: &Function, block: Block, message: &'static str) {
        let placed = func
            .layout
            .insts(block)
            .find(|&inst| func.locations[inst].is_some());
        let inst = placed.or_else(|| func.layout.first_inst(block));
        self.remark(RemarkKind::Applied, func, inst, message, None);
    }

    /// Counts, and remarks on, something that could not be done, and why.
    pub fn missed(&mut self, func: &Function, inst: Option<Inst>, message: &'static str) {
        self.remark(RemarkKind::Missed, func, inst, message, None);
    }

    /// The same where one instruction stood in the way.
    pub fn missed_for(
        &mut self,
        func: &Function,
        inst: Inst,
        message: &'static str,
        cause: Option<Inst>,
    ) {
        self.remark(RemarkKind::Missed, func, Some(inst), message, cause);
    }

    /// Whether somebody wants to be told what was missed: what has to be searched for that is
    /// searched only then.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.remarks.are_kept()
    }

    /// Remarks on something found out.
    pub fn found(&mut self, func: &Function, inst: Option<Inst>, message: &'static str) {
        self.remark(RemarkKind::Analysis, func, inst, message, None);
    }

    fn remark(
        &mut self,
        kind: RemarkKind,
        func: &Function,
        inst: Option<Inst>,
        message: &'static str,
        cause: Option<Inst>,
    ) {
        let key = RemarkKey {
            pass: self.pass,
            kind,
            message,
        };
        self.remarks.add(key, self.module, func, inst, cause);
    }
}
