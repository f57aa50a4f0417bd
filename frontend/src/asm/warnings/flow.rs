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

use bpf::diagnostic::{Diagnostic, Span};
use bpf::helpers;
use bpf::insn::{CallTarget, Insn, Reg, RegSet};
use bpf::object::{FunctionRange, Irregularity, IrregularityKind, Object};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Warning;
use super::code::{Code, Part, over};
use super::entries::Entries;

/// The helper that takes three to five arguments, of which two are there in any case.
const TRACE_PRINTK: u32 = 6;

/// Further places of one register that are shown.
const SHOWN: usize = 3;

/// All such warnings.
pub fn check(object: &Object, code: &Code<'_>) -> Vec<Diagnostic> {
    let table = object.function_table();
    let entries = Entries::of(object, code);
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
        let is_code = |function: &Function<'_>| {
            let range = function.range;
            part.is_code(&(range.offset..range.end()))
        };
        if part.jumps_anywhere || !functions.iter().all(is_code) {
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

/// One section, followed.
struct Walk<'a> {
    part: &'a Part<'a>,
    functions: &'a [Function<'a>],
    /// Registers written before each instruction by some path; none at all where no path leads, since
    /// the frame pointer always has a value.
    before: Vec<RegSet>,
    waiting: Vec<usize>,
    /// Instructions after which control leaves its function at the end.
    passed: Vec<usize>,
    /// Instructions that have read what no path seen until then had written.
    doubtful: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn of(part: &'a Part<'a>, functions: &'a [Function<'a>], others: &[u64]) -> Walk<'a> {
        let mut walk = Walk {
            part,
            functions,
            before: vec![RegSet::EMPTY; part.len()],
            waiting: Vec::new(),
            passed: Vec::new(),
            doubtful: Vec::new(),
        };
        let starts: FxHashSet<u64> = functions.iter().map(|one| one.range.offset).collect();
        for function in functions {
            let first = match function.has_arguments {
                true => RegSet::ARGUMENTS,
                false => RegSet::EMPTY.with(Reg(1)),
            };
            // The highest one is where newer compilers pass more arguments.
            let first = first.with(Reg::FRAME).with(Reg(Reg::MAX));
            walk.jump_to(part.at(function.range.offset), first);
        }
        for offset in others.iter().filter(|offset| !starts.contains(offset)) {
            walk.jump_to(part.at(*offset), (0..=Reg::MAX).map(Reg).collect());
        }
        while let Some(index) = walk.waiting.pop() {
            walk.follow(index);
        }
        walk.passed.sort_unstable();
        walk.passed.dedup();
        walk.doubtful.sort_unstable();
        walk.doubtful.dedup();
        walk
    }

    /// Notes what is written before an instruction; all that is, if that is news.
    fn enter(&mut self, index: usize, written: RegSet) -> Option<RegSet> {
        let before = self.before.get_mut(index)?;
        let grown = before.union(written);
        let is_news = *before != grown;
        *before = grown;
        is_news.then_some(grown)
    }

    fn jump_to(&mut self, index: Option<usize>, written: RegSet) {
        if let Some(index) = index
            && self.enter(index, written).is_some()
        {
            self.waiting.push(index);
        }
    }

    /// Goes on from an instruction until nothing is new, and leaves what jumps lead to for later.
    fn follow(&mut self, first: usize) {
        let (Some(mut offset), Some(&(mut before))) =
            (self.part.offset(first), self.before.get(first))
        else {
            return;
        };
        // A function goes on to its end, so it is looked for again behind that.
        let (mut until, mut has_result) = (0, false);
        let mut is_function = false;
        for index in first.. {
            if offset >= until {
                let function = self.function_of(offset);
                is_function = function.is_some();
                has_result = function.is_some_and(|function| function.has_result);
                until = function.map_or(0, |function| function.range.end());
            }
            let Some((end, after)) = self.pass(index, before, has_result) else {
                return;
            };
            if is_function && end >= until {
                self.passed.push(index);
                return;
            }
            // What comes next stands next, or is no instruction.
            if self.part.offset(index + 1) != Some(end) {
                return;
            }
            let Some(grown) = self.enter(index + 1, after) else {
                return;
            };
            (offset, before) = (end, grown);
        }
    }

    /// The byte after an instruction and what is written there, if control goes on.
    fn pass(&mut self, index: usize, before: RegSet, has_result: bool) -> Option<(u64, RegSet)> {
        if let Some((slot, end, effect)) = self.part.plain(index) {
            self.note_reads(index, effect.reads(slot), before);
            let after = before.union(effect.writes(slot));
            if effect.branches() {
                self.branch(index, i32::from(slot.offset), end, after);
            }
            return effect.goes_on().then_some((end, after));
        }
        let step = self.part.step(index)?;
        self.note_reads(index, read(&step.insn, has_result), before);
        let after = match step.insn {
            Insn::Call { .. }
            | Insn::Callx { .. }
            | Insn::LoadAbs { .. }
            | Insn::LoadInd { .. } => before.minus(RegSet::ARGUMENTS).with(Reg(0)),
            insn => before.union(insn.writes()),
        };
        if let Some(slots) = step.insn.branch_offset() {
            self.branch(index, slots, step.end(), after);
        }
        (!step.insn.is_terminator()).then_some((step.end(), after))
    }

    /// Goes over so many slots from the end of an instruction.
    fn branch(&mut self, index: usize, slots: i32, end: u64, after: RegSet) {
        let to = self.part.jump(index, slots, over(end, slots));
        self.jump_to(to, after);
    }

    fn note_reads(&mut self, index: usize, read: RegSet, written: RegSet) {
        if !read.minus(written).is_empty() {
            self.doubtful.push(index);
        }
    }

    fn function_of(&self, offset: u64) -> Option<&'a Function<'a>> {
        let after = self
            .functions
            .partition_point(|one| one.range.offset <= offset);
        let found = self.functions.get(after.checked_sub(1)?)?;
        found.range.contains(offset).then_some(found)
    }

    fn report(&self, found: &mut Vec<Diagnostic>) {
        self.unreachable(found);
        self.missing_exit(found);
        self.uninitialized(found);
    }

    /// One warning for each run of instructions that nothing reaches.
    fn unreachable(&self, found: &mut Vec<Diagnostic>) {
        // What belongs to no function may be several whose names are gone.
        let is_lost = |index: usize| {
            let offset = self.part.offset(index);
            offset.is_some_and(|offset| self.function_of(offset).is_some())
        };
        let mut index = 0;
        let next = |from: usize| {
            let rest = self.before.get(from..)?;
            let distance = rest.iter().position(|before| before.is_empty())?;
            Some(from + distance)
        };
        while let Some(first) = next(index) {
            let rest = self.before.get(first..).unwrap_or(&[]);
            let lost = rest.iter().zip(first..);
            let lost = lost.take_while(|(before, index)| before.is_empty() && is_lost(*index));
            let count = lost.count();
            if let Some(step) = self.part.step(first).filter(|_| count > 0) {
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
            index = first + count.max(1);
        }
    }

    fn missing_exit(&self, found: &mut Vec<Diagnostic>) {
        for step in self
            .passed
            .iter()
            .filter_map(|index| self.part.step(*index))
        {
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
        for &index in &self.doubtful {
            let (Some(step), Some(before)) = (self.part.step(index), self.before.get(index)) else {
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
