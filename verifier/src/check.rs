//! From an object to an answer.

use bpf::insn::{DecodeError, Endian, Slot};
use bpf::maps::MapKind;
use bpf::object::Object;
use bpf::program_type::ProgramType;

use crate::facts::Facts;
use crate::options::Options;
use crate::program::{FieldKind, LinkError, Linker, Meaning, Op, Program, ProgramId, cfg, depth};
use crate::stop::{Check, Stop, gap, refuse, refuse_at};
use crate::verdict::{Finding, Gap, Report, Rule, Sides, Stats, Step, Verdict};
use crate::walk::Walker;

const CALL: u8 = 0x85;
/// `BPF_PSEUDO_KFUNC_CALL`
const KERNEL_FUNCTION: u8 = 2;
/// Opcodes that compilers have a use for and the kernels that are known here do not: calls and jumps
/// by register.
const BY_REGISTER: [u8; 2] = [0x8d, 0x0d];
/// The kernel's limit for offsets (`BPF_MAX_VAR_OFF`).
const MAX_VALUE_OFFSET: u32 = 1 << 29;

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
    report.line = insn.and_then(|insn| linker.line_of(&program, insn));
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
    reads_constants: bool,
    sides: Vec<Sides>,
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
            reads_constants: self.reads_constants,
            visits: self.visits,
            sides: self.sides,
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
        self.sides = walker.take_sides();
        self.reads_constants = walker.reads_constants();
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

/// Instructions that no kernel takes, wherever they are: also where control cannot come.
fn check_constants(program: &Program) -> Check {
    for (slot, op) in program.ops.iter().enumerate() {
        let opcode = op.slot.opcode;
        let no_mode = !matches!(opcode & 0xe0, 0x60 | 0x80);
        if matches!(op.insn, Ok(None)) {
            continue;
        }
        if opcode & 7 == 1 && (no_mode || op.slot.imm != 0) {
            return refuse_at(Rule::ReservedField, slot, "BPF_LDX uses reserved fields");
        }
        if opcode == CALL && op.slot.src == KERNEL_FUNCTION && !is_named(&op.meaning) {
            // The kernel looks for all of them before the walk.
            return gap("a call whose target is not known");
        }
        if opcode == 0x18 {
            check_constant(program, slot)?;
        } else if BY_REGISTER.contains(&opcode)
            || matches!(op.insn, Err(DecodeError::UnknownOpcode { .. }))
        {
            let text = format!("unknown opcode {opcode:02x}");
            return refuse_at(Rule::UnknownInstruction, slot, text);
        }
    }
    Ok(())
}

/// Whether a call of a kernel function says which by more than a number.
fn is_named(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Kfunc(name) if !name.starts_with("btf_id_"))
}

/// A wide constant, and what it stands for.
fn check_constant(program: &Program, slot: usize) -> Check {
    use bpf::insn::Field;
    let op = &program.ops[slot];
    let next = program.ops.get(slot + 1).map(|next| next.slot);
    let second = [
        Field::NextOpcode,
        Field::NextDst,
        Field::NextSrc,
        Field::NextOffset,
    ];
    match op.insn {
        Err(DecodeError::Truncated { .. }) => {}
        Err(DecodeError::Reserved { field, .. }) if second.contains(&field) => {}
        _ => return check_symbol(op, next, program, slot),
    }
    refuse_at(Rule::ReservedField, slot, "invalid bpf_ld_imm64 insn")
}

fn check_symbol(op: &Op, next: Option<Slot>, program: &Program, slot: usize) -> Check {
    let refused = match op.meaning {
        Meaning::Unresolved if matches!(op.slot.src, 1 | 2) => {
            format!("fd {} is not pointing to valid bpf_map", op.slot.imm)
        }
        Meaning::Unresolved if op.slot.src <= 6 => {
            // The kernel looks for all of them before the walk.
            return gap("a constant whose symbol is not known");
        }
        Meaning::Unresolved => "unrecognized bpf_ld_imm64 insn".to_owned(),
        Meaning::Map(_) if next.is_some_and(|next| next.imm != 0) => {
            "unrecognized bpf_ld_imm64 insn".to_owned()
        }
        Meaning::MapValue(_, offset) if offset >= MAX_VALUE_OFFSET => {
            format!("direct value offset of {offset} is not allowed")
        }
        Meaning::MapValue(id, offset) => {
            let def = &program.map(id).def;
            if !matches!(def.kind, MapKind::Array | MapKind::Arena) {
                "no direct value access support for this map type".to_owned()
            } else if def.kind == MapKind::Array
                && (def.max_entries != 1 || offset >= def.value_size)
            {
                format!(
                    "invalid access to map value pointer, value_size={} off={offset}",
                    def.value_size
                )
            } else {
                return Ok(());
            }
        }
        _ => return Ok(()),
    };
    refuse_at(Rule::BadConstant, slot, refused)
}
