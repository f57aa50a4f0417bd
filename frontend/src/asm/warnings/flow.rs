//! What is suspicious about the ways that control takes: code that is never reached, registers that
//! are read before they are written, functions whose end is passed.
//!
//! A section is followed from its functions, from what calls and addresses in it refer to, and from
//! all symbols that another file can name. For each instruction the registers are known that some
//! path has written; a register is reported only if no path has. That set only grows, at most by one
//! register a time, so the work is bounded by twelve visits of each instruction.
//!
//! Not followed are sections in which that would be guessing: with jumps through registers, with
//! bytes between the instructions of a function that are no instructions, with functions that
//! overlap. Code between functions is entered at its start. An entry that is not a function's start
//! counts as having all registers.

use std::collections::BTreeSet;

use bpf::diagnostic::{Diagnostic, Span};
use bpf::helpers;
use bpf::insn::{CallTarget, Insn, Reg, RegSet};
use bpf::object::{
    FunctionRange, Irregularity, IrregularityKind, Object, R_BPF_64_ABS32, R_BPF_64_ABS64,
    SHF_ALLOC, SectionId,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Warning;
use super::code::{Code, Part, Step, resolved};

/// The helper that takes three to five arguments, of which two are there in any case.
const TRACE_PRINTK: u32 = 6;

/// Further places of one register that are shown.
const SHOWN: usize = 3;

/// Entries of an object by section: byte offset and whether it is called as a function.
#[derive(Default)]
struct Entries {
    called: BTreeSet<(SectionId, u64)>,
    other: FxHashMap<SectionId, Vec<u64>>,
}

/// All such warnings.
pub fn check(object: &Object, code: &Code) -> Vec<Diagnostic> {
    let table = object.function_table();
    let entries = entries(object, code);
    let programs: FxHashSet<usize> = table.programs(object).collect();
    let mut found = Vec::new();
    for part in &code.parts {
        if !part.is_known || !object.is_executable(part.section) {
            continue;
        }
        let irregular = table.irregularities.iter();
        let mut irregular = irregular.filter(|found| found.section == part.section);
        let gap = |found: &Irregularity| matches!(found.kind, IrregularityKind::Uncovered { .. });
        let mut others = entries
            .other
            .get(&part.section)
            .cloned()
            .unwrap_or_default();
        // Code that belongs to no function may be entered by ways that are not seen here.
        others.extend(irregular.clone().map(|found| found.offset));
        if !irregular.all(gap) {
            continue;
        }
        let functions = table.functions.iter().enumerate();
        let functions = functions.filter(|(_, range)| range.section == part.section);
        let name = object
            .section(part.section)
            .map_or("", |section| &section.name);
        let functions: Vec<Function<'_>> = functions
            .map(|(index, range)| {
                let is_called = entries.called.contains(&(range.section, range.offset));
                // Such a function takes the place of one with any arguments.
                let replaces = name.starts_with("freplace");
                let is_program = programs.contains(&index);
                Function {
                    range,
                    has_arguments: !is_program || is_called || replaces,
                    has_result: is_program && !name.starts_with("struct_ops"),
                }
            })
            .collect();
        if !functions
            .iter()
            .all(|function| is_code(part, function.range))
        {
            continue;
        }
        let jumps_anywhere = |step: &Step| matches!(step.insn, Insn::Gotox { .. });
        if part.steps.iter().any(jumps_anywhere) {
            continue;
        }
        let walk = Walk::of(part, &functions, &others);
        walk.report(&mut found);
    }
    found
}

/// A function and what may be taken for granted.
struct Function<'a> {
    range: &'a FunctionRange,
    /// Whether r1 to r5 have values at its start, not only r1.
    has_arguments: bool,
    /// Whether r0 matters at its end.
    has_result: bool,
}

/// Whether nothing but instructions lies in a function.
fn is_code(part: &Part, range: &FunctionRange) -> bool {
    let first = part
        .steps
        .partition_point(|step| step.offset < range.offset);
    let mut at = range.offset;
    for step in part.steps.get(first..).unwrap_or(&[]) {
        if at >= range.end() || step.offset != at {
            break;
        }
        at += step.size;
    }
    at == range.end()
}

/// What calls, addresses and other files refer to.
fn entries(object: &Object, code: &Code) -> Entries {
    let mut entries = Entries::default();
    for part in &code.parts {
        for step in &part.steps {
            let target = part
                .targets
                .get(&step.offset)
                .and_then(|target| target.place);
            match (step.insn, target) {
                (Insn::Call { .. }, Some(place)) => {
                    entries.called.insert(place);
                }
                (
                    Insn::Call {
                        target: CallTarget::Subprogram(slots),
                    },
                    None,
                ) if !part.targets.contains_key(&step.offset) => {
                    let next = step.offset.wrapping_add(step.size);
                    let to = next.wrapping_add_signed(i64::from(slots) * 8);
                    entries.called.insert((part.section, to));
                }
                (_, Some((section, offset))) => {
                    entries.other.entry(section).or_default().push(offset);
                }
                _ => {}
            }
        }
    }
    for id in object.symbol_ids() {
        if let Some(symbol) = object.symbol(id).filter(|symbol| !symbol.is_local())
            && let Some(section) = symbol.section()
        {
            entries.other.entry(section).or_default().push(symbol.value);
        }
    }
    for id in object.section_ids() {
        let Some(section) = object.section(id) else {
            continue;
        };
        // What debuggers read refers to all lines of the code.
        if section.flags & SHF_ALLOC == 0 && section.name != ".jumptables" {
            continue;
        }
        for relocation in &section.relocations {
            if !matches!(relocation.kind, R_BPF_64_ABS32 | R_BPF_64_ABS64) {
                continue;
            }
            let start = usize::try_from(relocation.offset).unwrap_or(usize::MAX);
            let end = start.saturating_add(if relocation.kind == R_BPF_64_ABS64 {
                8
            } else {
                4
            });
            let addend = section.data().get(start..end).map_or(0, |bytes| {
                let in_order = bytes.iter().rev();
                let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
                match object.endian {
                    bpf::insn::Endian::Little => in_order.fold(0, fold),
                    bpf::insn::Endian::Big => bytes.iter().fold(0, fold),
                }
            });
            let target = resolved(object, relocation.symbol, addend as i64);
            if let Some((section, offset)) = target.and_then(|target| target.place) {
                entries.other.entry(section).or_default().push(offset);
            }
        }
    }
    for &(section, offset) in &entries.called {
        entries.other.entry(section).or_default().push(offset);
    }
    entries
}

/// One section, followed.
struct Walk<'a> {
    part: &'a Part,
    functions: &'a [Function<'a>],
    /// Registers written before each instruction by some path; `None` where none leads.
    before: Vec<Option<RegSet>>,
    waiting: Vec<usize>,
    /// Instructions after which control leaves its function at the end.
    passed: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn of(part: &'a Part, functions: &'a [Function<'a>], others: &[u64]) -> Walk<'a> {
        let mut walk = Walk {
            part,
            functions,
            before: vec![None; part.steps.len()],
            waiting: Vec::new(),
            passed: Vec::new(),
        };
        let starts: FxHashSet<u64> = functions.iter().map(|one| one.range.offset).collect();
        for function in functions {
            let first = match function.has_arguments {
                true => RegSet::ARGUMENTS,
                false => RegSet::EMPTY.with(Reg(1)),
            };
            // The highest one is where newer compilers pass more arguments.
            let first = first.with(Reg::FRAME).with(Reg(Reg::MAX));
            walk.enter(part.at(function.range.offset), first);
        }
        for offset in others.iter().filter(|offset| !starts.contains(offset)) {
            walk.enter(part.at(*offset), (0..=Reg::MAX).map(Reg).collect());
        }
        while let Some(index) = walk.waiting.pop() {
            walk.follow(index);
        }
        walk
    }

    fn enter(&mut self, index: Option<usize>, written: RegSet) {
        let Some((index, before)) =
            index.and_then(|index| Some((index, self.before.get_mut(index)?)))
        else {
            return;
        };
        let grown = before.map_or(written, |before| before.union(written));
        if *before != Some(grown) {
            *before = Some(grown);
            self.waiting.push(index);
        }
    }

    fn follow(&mut self, index: usize) {
        let (Some(&step), Some(Some(before))) =
            (self.part.steps.get(index), self.before.get(index).copied())
        else {
            return;
        };
        let after = match step.insn {
            Insn::Call { .. } | Insn::Callx { .. } => before.minus(RegSet::ARGUMENTS).with(Reg(0)),
            Insn::LoadAbs { .. } | Insn::LoadInd { .. } => {
                before.minus(RegSet::ARGUMENTS).with(Reg(0))
            }
            insn => before.union(insn.writes()),
        };
        let next = step.offset.wrapping_add(step.size);
        if let Some(slots) = step.insn.branch_offset() {
            let to = next.wrapping_add_signed(i64::from(slots) * 8);
            self.enter(self.part.at(to), after);
        }
        if step.insn.is_terminator() {
            return;
        }
        match self.function_of(step.offset) {
            Some(function) if next >= function.range.end() => self.passed.push(index),
            _ => {
                // What comes next stands next, or is no instruction.
                let following = self.part.steps.get(index + 1);
                let is_next = following.is_some_and(|following| following.offset == next);
                self.enter(is_next.then_some(index + 1), after);
            }
        }
    }

    fn function_of(&self, offset: u64) -> Option<&'a Function<'a>> {
        let after = self
            .functions
            .partition_point(|one| one.range.offset <= offset);
        let found = self.functions.get(after.checked_sub(1)?)?;
        found.range.contains(offset).then_some(found)
    }

    fn report(mut self, found: &mut Vec<Diagnostic>) {
        self.unreachable(found);
        self.missing_exit(found);
        self.uninitialized(found);
    }

    /// One warning for each run of instructions that nothing reaches.
    fn unreachable(&self, found: &mut Vec<Diagnostic>) {
        let mut index = 0;
        while let Some(step) = self.part.steps.get(index) {
            let rest = self.before.get(index..).unwrap_or(&[]);
            let steps = self.part.steps.get(index..).unwrap_or(&[]);
            // What belongs to no function may be several whose names are gone.
            let lost = rest.iter().zip(steps).take_while(|(before, step)| {
                before.is_none() && self.function_of(step.offset).is_some()
            });
            let count = lost.count();
            if count > 0 {
                let label = match count {
                    1 => "no path leads here".to_owned(),
                    2 => "no path leads here, nor to the next instruction".to_owned(),
                    _ => format!(
                        "no path leads here, nor to the next {} instructions",
                        count - 1
                    ),
                };
                let warning = Warning::Unreachable.diagnostic("an instruction is never reached");
                found.push(warning.with_primary(step.span, label));
            }
            index += count.max(1);
        }
    }

    fn missing_exit(&mut self, found: &mut Vec<Diagnostic>) {
        self.passed.sort_unstable();
        self.passed.dedup();
        for &index in &self.passed {
            let Some(step) = self.part.steps.get(index) else {
                continue;
            };
            // Who is called need not come back.
            if matches!(step.insn, Insn::Call { .. } | Insn::Callx { .. }) {
                continue;
            }
            let name = self
                .function_of(step.offset)
                .map_or("", |one| &one.range.name);
            let message = format!("control passes the end of `{name}`");
            let warning = Warning::MissingExit.diagnostic(message);
            let warning = warning.with_primary(step.span, "this is the last instruction");
            found.push(warning.with_help("a function ends with `exit` or a jump"));
        }
    }

    /// One warning for each register of a function, with the places.
    fn uninitialized(&self, found: &mut Vec<Diagnostic>) {
        let mut known: FxHashMap<(u64, Reg), usize> = FxHashMap::default();
        let mut reads: Vec<(Reg, Vec<Span>, Option<&Function<'_>>)> = Vec::new();
        for (step, before) in self.part.steps.iter().zip(&self.before) {
            let Some(before) = before else {
                continue;
            };
            let function = self.function_of(step.offset);
            let has_result = function.is_some_and(|function| function.has_result);
            for register in read(&step.insn, has_result).minus(*before).iter() {
                let start = function.map_or(0, |function| function.range.offset);
                let index = *known.entry((start, register)).or_insert_with(|| {
                    reads.push((register, Vec::new(), function));
                    reads.len() - 1
                });
                if let Some((_, spans, _)) = reads.get_mut(index) {
                    spans.push(step.span);
                }
            }
        }
        for (register, spans, function) in reads {
            let Some((first, more)) = spans.split_first() else {
                continue;
            };
            let Reg(number) = register;
            let message = format!("r{number} is read and has no value");
            let what = match function {
                Some(function) if number == 0 && function.has_result => {
                    "no path to here has written it since the function began"
                }
                _ if (1..=5).contains(&number) => {
                    "no path to here has written it since the function began or called another"
                }
                _ => "no path to here has written it",
            };
            let mut warning = Warning::Uninitialized.diagnostic(message);
            warning = warning.with_primary(*first, what);
            for span in more.iter().take(SHOWN) {
                warning = warning.with_secondary(*span, "and here");
            }
            if let Some(rest @ 1..) = more.len().checked_sub(SHOWN) {
                warning = warning.with_note(format!("and in {rest} more places"));
            }
            found.push(warning);
        }
    }
}

/// The registers whose values certainly matter.
fn read(insn: &Insn, has_result: bool) -> RegSet {
    match *insn {
        Insn::Call {
            target: CallTarget::Helper(number),
        } => {
            let helper = u32::try_from(number).ok().and_then(helpers::by_id);
            let count = match helper {
                // As many as its format has use for.
                Some(helper) if helper.id == TRACE_PRINTK => 2,
                Some(helper) => helper.arg_count().min(5) as u8,
                None => 0,
            };
            (1..=count).map(Reg).collect()
        }
        // How many arguments are read only the callee knows.
        Insn::Call { .. } => RegSet::EMPTY,
        Insn::Callx { dst } => RegSet::EMPTY.with(dst),
        Insn::Exit if !has_result => RegSet::EMPTY,
        _ => insn.reads(),
    }
}
