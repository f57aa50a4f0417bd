//! From an object to an answer.

use bpf::insn::Endian;
use bpf::maps::MapKind;
use bpf::object::Object;
use bpf::program_type::ProgramType;

use crate::facts::Facts;
use crate::options::Options;
use crate::program::{FieldKind, LinkError, Linker, Meaning, Program, ProgramId, cfg, depth};
use crate::stop::{Check, Stop, gap, refuse};
use crate::verdict::{Finding, Gap, Report, Rule, Stats, Step, Verdict};
use crate::walk::Walker;

/// What a loader would see as programs of an object.
///
/// # Errors
/// The object's types or maps cannot be read.
pub fn programs(object: &Object) -> Result<Vec<ProgramId>, LinkError> {
    Ok(Linker::new(object)?.programs())
}

/// Verifies one program of an object.
///
/// # Errors
/// There is no such program, or it cannot be linked.
pub fn check_program(
    object: &Object,
    id: &ProgramId,
    options: &Options,
) -> Result<Report, LinkError> {
    let linker = Linker::new(object)?;
    let program = linker.link(id, options)?;
    let mut report = check(&program, options, object.endian);
    let insn = match &report.verdict {
        Verdict::Accepted => None,
        Verdict::Rejected(finding) => finding.insn,
        Verdict::Undecided(gap) => gap.insn,
    };
    report.line = insn
        .and_then(|insn| program.origins.get(insn))
        .and_then(|origin| linker.source_line(*origin));
    Ok(report)
}

/// Verifies a linked program.
#[must_use]
pub fn check(program: &Program, options: &Options, endian: Endian) -> Report {
    let mut run = Run::default();
    let mut result = run.all(program, options, endian);
    if options.causes && matches!(result, Err(Stop::Refused { .. })) {
        run = Run {
            record: true,
            ..Run::default()
        };
        result = run.all(program, options, endian);
    }
    run.report(result)
}

/// What to tell of the walk besides its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What is known before each instruction, and all accesses to the stack.
    Everything,
    /// Besides, what led to the registers' values at this instruction.
    At(usize),
}

/// What is known at each instruction of a linked program, and its verdict.
#[must_use]
pub fn facts(program: &Program, options: &Options, endian: Endian, ask: Ask) -> (Report, Facts) {
    let mut run = Run {
        record: true,
        ask: Some(ask),
        ..Run::default()
    };
    let result = run.all(program, options, endian);
    let facts = std::mem::take(&mut run.facts);
    (run.report(result), facts)
}

/// What was found on the way.
#[derive(Default)]
struct Run {
    ask: Option<Ask>,
    facts: Facts,
    depths: Vec<u32>,
    stats: Stats,
    visits: Vec<u32>,
    /// Whether to record what led to a refusal.
    record: bool,
    insn: Option<usize>,
    values: Vec<String>,
    path: Vec<Step>,
    assumption: Option<&'static str>,
}

impl Run {
    fn report(mut self, result: Check) -> Report {
        let verdict = match result {
            Ok(()) => Verdict::Accepted,
            Err(stop) => self.verdict(stop),
        };
        Report {
            verdict,
            assumption: self.assumption,
            stats: self.stats,
            visits: self.visits,
            depths: self.depths,
            line: None,
        }
    }

    fn all(&mut self, program: &Program, options: &Options, endian: Endian) -> Check {
        if let Some(what) = unmodelled_type(program.program_type) {
            return gap(what);
        }
        check_exception_callback(program)?;
        cfg::check_functions(program)?;
        check_maps(program)?;
        check_constants(program)?;
        cfg::check_ending(program)?;
        let mut walker = Walker::new(program, options, endian == Endian::Big)?;
        if self.record {
            walker.record(self.ask);
        }
        let walked = walker.walk_all();
        self.visits = walker.take_visits();
        self.facts = walker.take_facts();
        self.depths = walker.uses().iter().map(|one| one.depth).collect();
        self.stats = walker.stats();
        self.assumption = walker.assumption();
        if let Err(stop) = &walked {
            self.insn = Some(walker.place());
            (self.values, self.path) = walker.causes(stop);
        }
        walked?;
        depth::check(program, walker.uses())
    }

    fn verdict(&mut self, stop: Stop) -> Verdict {
        match stop {
            Stop::Gap(construct) => Verdict::Undecided(Gap {
                construct,
                insn: self.insn,
            }),
            Stop::Refused {
                rule,
                text,
                registers,
                insn,
            } => match self.assumption {
                Some(what) => Verdict::Undecided(Gap {
                    construct: format!("{what}; without it: {text}"),
                    insn: self.insn,
                }),
                None => Verdict::Rejected(Box::new(Finding {
                    rule,
                    kernel_text: text,
                    insn: insn.or(self.insn),
                    registers,
                    values: std::mem::take(&mut self.values),
                    path: std::mem::take(&mut self.path),
                })),
            },
        }
    }
}

/// Types that attach by the kernel's own types.
fn unmodelled_type(program_type: ProgramType) -> Option<&'static str> {
    match program_type {
        ProgramType::Tracing => Some("tracing programs (kernel types)"),
        ProgramType::Lsm => Some("LSM programs (kernel types)"),
        ProgramType::StructOps => Some("struct_ops programs (kernel types)"),
        ProgramType::Ext => Some("programs that replace others"),
        _ => None,
    }
}

/// At most one function may run when the program throws, and it must be global.
fn check_exception_callback(program: &Program) -> Check {
    match program.exception_callbacks.as_slice() {
        [] => Ok(()),
        [Some(function)] if program.subprograms[*function].global => Ok(()),
        [_] => gap("an exception callback that is not a global function"),
        _ => refuse(
            Rule::FunctionType,
            "multiple exception callback tags for main subprog",
        ),
    }
}

/// Maps that the program type cannot use.
fn check_maps(program: &Program) -> Check {
    use ProgramType::*;
    let traces = matches!(
        program.program_type,
        Kprobe | Tracepoint | PerfEvent | RawTracepoint | RawTracepointWritable
    );
    for map in &program.maps {
        let has = |kind| map.record.has(kind);
        let refused = if traces && (has(FieldKind::ListHead) || has(FieldKind::TreeRoot)) {
            Some("tracing progs cannot use bpf_{list_head,rb_root} yet")
        } else if has(FieldKind::SpinLock) && program.program_type == SocketFilter {
            Some("socket filter progs cannot use bpf_spin_lock yet")
        } else if has(FieldKind::SpinLock) && traces {
            Some("tracing progs cannot use bpf_spin_lock yet")
        } else if has(FieldKind::Timer) && traces {
            Some("tracing progs cannot use bpf_timer yet")
        } else if has(FieldKind::Workqueue) && traces {
            Some("tracing progs cannot use bpf_wq yet")
        } else if map.def.kind == MapKind::StructOps {
            Some("bpf_struct_ops map cannot be used in prog")
        } else if program.sleepable && !may_sleep_with(map.def.kind) {
            Some("Sleepable programs can only use array, hash, ringbuf and local storage maps")
        } else {
            None
        };
        if let Some(text) = refused {
            return refuse(Rule::MapNotAllowed, text);
        }
        if map.def.kind == MapKind::Arena {
            return gap("arenas");
        }
    }
    Ok(())
}

fn may_sleep_with(kind: MapKind) -> bool {
    matches!(
        kind,
        MapKind::Hash
            | MapKind::LruHash
            | MapKind::Array
            | MapKind::PercpuHash
            | MapKind::PercpuArray
            | MapKind::LruPercpuHash
            | MapKind::ArrayOfMaps
            | MapKind::HashOfMaps
            | MapKind::Ringbuf
            | MapKind::UserRingbuf
            | MapKind::InodeStorage
            | MapKind::SkStorage
            | MapKind::TaskStorage
            | MapKind::CgrpStorage
            | MapKind::Queue
            | MapKind::Stack
            | MapKind::Arena
    )
}

/// Wide constants that no kernel takes, wherever they are.
fn check_constants(program: &Program) -> Check {
    for (slot, op) in program.ops.iter().enumerate() {
        if op.meaning == Meaning::Unresolved && matches!(op.slot.src, 1 | 2) {
            return crate::stop::refuse_at(
                Rule::BadConstant,
                slot,
                format!("fd {} is not pointing to valid bpf_map", op.slot.imm),
            );
        }
        if op.insn.is_err() && op.slot.opcode == 0x18 && op.slot.src == 0 {
            return crate::stop::refuse_at(Rule::ReservedField, slot, "invalid bpf_ld_imm64 insn");
        }
    }
    Ok(())
}
