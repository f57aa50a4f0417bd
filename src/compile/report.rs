//! What a compilation did, as data.

use backend_host::{EmitError, LinkError};
use bpf::btf::Btf;
use bpf::insn::Cpu;
use bpf::object::Object;
use bpf::program_type::ProgramType;
use frontend::lift::LiftError;
use mir::Module;
use passes::{PassFailure, PassStats, Remarks};
use verifier::ProgramId;

use super::gate;
use crate::validate;

/// Why a function kept the input's bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Kept {
    /// It was not asked for.
    #[error("it was not selected")]
    NotSelected,
    /// No pass changed it, and emission found nothing to save.
    #[error("there was nothing to improve")]
    NothingFound,
    /// It is not understood.
    #[error("it cannot be lifted: {0}")]
    NotLifted(LiftError),
    /// A pass left something ill-formed: a defect of the compiler.
    #[error("{0}")]
    BrokenByPass(PassFailure),
    /// The back end cannot say it.
    #[error("it cannot be emitted: {0}")]
    NotEmitted(EmitError),
    /// The result has more slots.
    #[error("the result would be longer: {after} slots instead of {before}")]
    Longer {
        /// Slots of the input.
        before: usize,
        /// Slots of the result.
        after: usize,
    },
    /// A program that it is part of would be worse for the verifier.
    #[error("{}", worse.of(program))]
    Worse {
        /// Main function of the program.
        program: String,
        /// In what way.
        worse: Worse,
    },
    /// The object cannot be put together with moved code.
    #[error("the object cannot be linked again: {0}")]
    NotLinked(LinkError),
}

impl Kept {
    /// Whether a user should hear of it: not when it was asked for, or when there was nothing to do.
    #[must_use]
    pub fn is_remarkable(&self) -> bool {
        !matches!(self, Kept::NotSelected | Kept::NothingFound)
    }
}

/// What became of one function.
#[derive(Clone, Debug)]
pub struct FunctionReport {
    /// Name of its symbol.
    pub name: String,
    /// Section.
    pub section: String,
    /// The program type that the section says; none for subprograms and unknown sections.
    pub program_type: Option<ProgramType>,
    /// 8-byte slots of the input.
    pub slots_before: usize,
    /// 8-byte slots of the output.
    pub slots_after: usize,
    /// Why the input's bytes were kept, if they were.
    pub kept: Option<Kept>,
    /// The verifier's answer on the input: accepted, rejected or undecided; none for subprograms
    /// and when it was not asked.
    pub verdict_before: Option<&'static str>,
    /// Its answer on the output.
    pub verdict_after: Option<&'static str>,
    /// Each application of a pass, in order.
    pub passes: Vec<PassStats>,
    /// Time for passes and emission.
    pub micros: u64,
}

/// In what way an accepted program became worse for the verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worse {
    /// It is not accepted, and this is what the kernel would say.
    NotAccepted(String),
    /// Its walk takes many more instructions.
    Walk {
        /// Of the input.
        before: u64,
        /// Of the result.
        after: u64,
    },
}

impl Worse {
    /// A sentence about a program.
    pub(super) fn of(&self, program: &str) -> String {
        match self {
            Worse::NotAccepted(reason) => {
                format!("the verifier would no longer accept `{program}`: {reason}")
            }
            Worse::Walk { before, after } => format!(
                "the verifier would walk {after} instructions of `{program}` instead of {before}"
            ),
        }
    }
}

/// A program that the verifier accepted, and that the passes made worse for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The program.
    pub id: ProgramId,
    /// In what way.
    pub worse: Worse,
    /// Names of its functions.
    pub functions: Vec<String>,
}

/// A compiled object.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The result.
    pub object: Object,
    /// All functions after the passes.
    pub module: Module,
    /// The object's BTF, whose strings source positions refer to.
    pub btf: Option<Btf>,
    /// What became of each function, in the order of sections and offsets.
    pub functions: Vec<FunctionReport>,
    /// What the passes reported.
    pub remarks: Remarks,
    /// What is to be said of the object as a whole, one sentence each.
    pub notes: Vec<String>,
    /// What validation compared, if it was asked for.
    pub validated: Option<validate::Counts>,
    /// Where validation found a difference: a defect of the compiler, in words.
    pub differences: Vec<String>,
    /// Accepted programs that would have been worse for the verifier, had their functions not got
    /// their input back.
    pub lost: Vec<Lost>,
    /// What the verifier says of the result.
    pub(super) verdicts: gate::Verdicts,
    /// The newest instruction set that output could use.
    pub cpu: Cpu,
    /// How often code was compiled, its own result for the second time.
    pub rounds: u32,
    /// Time from the object to the object.
    pub micros: u64,
}

impl Compiled {
    /// Slots of all functions before and after.
    #[must_use]
    pub fn total_slots(&self) -> (usize, usize) {
        self.functions
            .iter()
            .fold((0, 0), |(before, after), function| {
                (before + function.slots_before, after + function.slots_after)
            })
    }
}
