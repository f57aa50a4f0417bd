//! What the kernel says of every program of the corpus before and after optimisation: run time,
//! machine code, and instructions that its verifier walks.
//!
//! usage: `durations [LEVEL] [--filter TEXT] [--disable PASS]… [--mcpu v3] [--rounds N] [--untimed]`;
//! LEVEL is 0, 1, 2 or s. As root. Every program that loads both ways counts for machine code and verification;
//! those of at least [`MIN_SLOTS`] slots that test runs take packets for are timed, on the packets
//! that they take longest for. A ratio above [`GOAL_EACH`] is measured anew, on programs that are
//! loaded anew: where code and tables come to lie differs with each load, and the input beside
//! itself says by how much.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use bpf::insn::Cpu;
use bpfmill::compile::{self, CompileOptions};
use passes::OptLevel;
use testsuite::fixture::Fixture;
use testsuite::kernel::{
    Figures, Loaded, ProgramName, Timing, define_by_btf, figures, load, longest, mark_programs,
    missing_capability, program_names, quantile, takes_packets, time,
};
use testsuite::objects::{self, TestObject};
use testsuite::packets::Packet;

/// Slots of the programs that are timed, at least.
const MIN_SLOTS: usize = 100;
/// Rounds of a comparison, unless said.
const ROUNDS: usize = 21;
/// Loads of a comparison that is made anew.
const LOADS: usize = 7;
/// Below so many nanoseconds a run, the test run itself is most of what is measured.
const SHORT: f64 = 50.0;
/// What the ratio of a program should not exceed, and what the median should not.
const GOAL_EACH: f64 = 1.03;
const GOAL_MEDIAN: f64 = 0.95;
/// What the ratio of walked instructions should not exceed.
const GOAL_PROCESSED: f64 = 1.25;
/// A program that does nothing: what a test run costs by itself.
const EMPTY: &str = "\t.section xdp,\"ax\",@progbits\n\t.globl empty\n\t.type empty,@function\n\
    empty:\n r0 = 2\n exit\n\t.size empty, .-empty\n";

struct Arguments {
    options: CompileOptions,
    filter: String,
    rounds: usize,
    timed: bool,
}

/// An object before and after, as a loader takes it.
struct Pair {
    name: String,
    before: Vec<u8>,
    after: Vec<u8>,
    fixture: Fixture,
}

struct Row<'packets> {
    object: usize,
    program: ProgramName,
    before: Figures,
    after: Figures,
    packets: Vec<&'packets Packet>,
    timing: Option<Timing>,
}

fn main() -> Result<(), String> {
    let arguments = arguments()?;
    if let Some(capability) = missing_capability() {
        return Err(format!("needs {capability}"));
    }
    let packets = objects::packets();
    let found = objects::corpus().ok_or("no corpus beside the checkout")?;
    let (mut pairs, mut rows) = (Vec::new(), Vec::new());
    let mut unopened = 0;
    println!(
        "{:58} slots        jited         processed     ns/run          ratio  quartiles",
        "program"
    );
    for object in found
        .iter()
        .filter(|one| one.name.contains(&arguments.filter))
    {
        match pair(object, &arguments.options) {
            Ok(pair) => {
                rows.extend(measure(pairs.len(), &pair, &packets, &arguments)?);
                pairs.push(pair);
            }
            Err(message) => {
                unopened += 1;
                println!("{}: left out: {message}", object.name);
            }
        }
    }
    println!("\nobjects left out: {unopened}");
    lengths(&pairs, &rows);
    if arguments.timed {
        durations(&pairs, &rows, &packets, arguments.rounds)?;
    }
    Ok(())
}

fn arguments() -> Result<Arguments, String> {
    let mut result = Arguments {
        options: CompileOptions::at_level(OptLevel::O2),
        filter: String::new(),
        rounds: ROUNDS,
        timed: true,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match (word.as_str(), OptLevel::from_name(&word)) {
            ("--filter", _) => result.filter = value()?,
            ("--disable", _) => result.options.pipeline.disable.push(value()?),
            ("--rounds", _) => result.rounds = value()?.parse().map_err(|_| "not a number")?,
            ("--mcpu", _) => {
                let cpu = Cpu::from_name(&value()?).ok_or("no such instruction set")?;
                result.options.cpu = Some(cpu);
            }
            ("--untimed", _) => result.timed = false,
            (_, Some(level)) => result.options.pipeline.level = level,
            _ => return Err(format!("{word}: see the head of the example")),
        }
    }
    Ok(result)
}

fn pair(object: &TestObject, options: &CompileOptions) -> Result<Pair, String> {
    let bytes = std::fs::read(&object.path).map_err(|error| error.to_string())?;
    let mut before = bpf::elf::read(&bytes).map_err(|error| error.to_string())?;
    let compiled = compile::compile(&before, options, |_| ()).map_err(|error| error.to_string())?;
    let mut after = compiled.object;
    let fixture = Fixture::of_program(
        &object
            .path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy(),
    )?;
    let write =
        |object: &bpf::object::Object| bpf::elf::write(object).map_err(|error| error.to_string());
    let (mut old, mut new) = (bytes, write(&after)?);
    if program_names(&old).is_err() {
        // Told in the words of today's loader, both alike.
        for object in [&mut before, &mut after] {
            define_by_btf(object)?;
            mark_programs(object);
        }
        (old, new) = (write(&before)?, write(&after)?);
        program_names(&old).map_err(|refusal| refusal.message.replace('\n', "; "))?;
    }
    Ok(Pair {
        name: object.name.clone(),
        before: old,
        after: new,
        fixture,
    })
}

impl Pair {
    fn load(&self, bytes: &[u8], program: &ProgramName) -> Result<Loaded, String> {
        load(bytes, program, &self.name, &self.fixture).map_err(|refusal| refusal.message)
    }

    fn label(&self, program: &ProgramName) -> String {
        let stem = self
            .name
            .trim_start_matches("corpus/")
            .trim_end_matches(".o");
        let whole = format!("{stem} {}", program.function);
        let skipped = whole.chars().count().saturating_sub(58);
        whole.chars().skip(skipped).collect()
    }
}

fn measure<'packets>(
    object: usize,
    pair: &Pair,
    packets: &'packets [Packet],
    arguments: &Arguments,
) -> Result<Vec<Row<'packets>>, String> {
    let mut rows = Vec::new();
    for program in program_names(&pair.before).map_err(|refusal| refusal.message)? {
        let label = pair.label(&program);
        let Ok(before) = pair.load(&pair.before, &program) else {
            continue;
        };
        let after = match pair.load(&pair.after, &program) {
            Ok(after) => after,
            Err(message) => {
                println!("{label:58} LOST: {message}");
                continue;
            }
        };
        let mut row = Row {
            object,
            program,
            before: figures(&before)?,
            after: figures(&after)?,
            packets: Vec::new(),
            timing: None,
        };
        if arguments.timed && row.before.slots >= MIN_SLOTS && takes_packets(&before) {
            row.packets = longest(&before, packets, &pair.fixture)?;
            if !row.packets.is_empty() {
                let timing = time(
                    (&before, &after),
                    &row.packets,
                    &pair.fixture,
                    arguments.rounds,
                )?;
                row.timing = Some(timing);
            }
        }
        print_row(&label, &row);
        rows.push(row);
    }
    Ok(rows)
}

fn print_row(label: &str, row: &Row<'_>) {
    let (before, after) = (row.before, row.after);
    let timed = row.timing.as_ref().map(|timing| {
        let (old, new) = timing.medians();
        let each = |sum: f64| sum / timing.packets as f64;
        let (low, high) = timing.spread();
        format!(
            "{:7.1} {:7.1}  {:6.3} {low:5.3}..{high:5.3}",
            each(old),
            each(new),
            timing.ratio()
        )
    });
    println!(
        "{label:58} {:5} {:5}  {:6} {:6}  {:6} {:6}  {}",
        before.slots,
        after.slots,
        before.jited,
        after.jited,
        before.processed,
        after.processed,
        timed.unwrap_or_default()
    );
}

/// Machine code and walked instructions of all programs.
fn lengths(pairs: &[Pair], rows: &[Row<'_>]) {
    let sums = |of: fn(&Figures) -> f64| {
        let before: f64 = rows.iter().map(|row| of(&row.before)).sum();
        let after: f64 = rows.iter().map(|row| of(&row.after)).sum();
        format!("{before} to {after}, ratio {:.4}", after / before)
    };
    println!("programs that load both ways: {}", rows.len());
    println!("slots: {}", sums(|figures| figures.slots as f64));
    println!(
        "bytes of machine code: {}",
        sums(|figures| f64::from(figures.jited))
    );
    println!(
        "instructions walked: {}",
        sums(|figures| f64::from(figures.processed))
    );
    let growth =
        |row: &Row<'_>| f64::from(row.after.processed) / f64::from(row.before.processed.max(1));
    println!(
        "instructions walked, median: {:.4}",
        quantile(&rows.iter().map(growth).collect::<Vec<_>>(), 0.5)
    );
    let mut grown: Vec<&Row<'_>> = rows.iter().filter(|row| growth(row) > 1.0).collect();
    grown.sort_by(|first, second| growth(second).total_cmp(&growth(first)));
    let far = grown
        .iter()
        .filter(|row| growth(row) > GOAL_PROCESSED)
        .count();
    println!(
        "walks that grew: {}, by more than a quarter: {far}",
        grown.len()
    );
    for row in grown {
        let label = pairs[row.object].label(&row.program);
        let (before, after) = (row.before.processed, row.after.processed);
        println!("  {label:58} {before} to {after}, {:.3}", growth(row));
    }
}

/// Ratios of run times, and the worst of them anew.
fn durations(
    pairs: &[Pair],
    rows: &[Row<'_>],
    packets: &[Packet],
    rounds: usize,
) -> Result<(), String> {
    let timed: Vec<(&Row<'_>, &Timing)> = rows
        .iter()
        .filter_map(|row| Some((row, row.timing.as_ref()?)))
        .collect();
    let empty = empty(packets)?;
    let median_from = |least: f64| {
        let long = timed
            .iter()
            .filter(|(_, timing)| timing.each_run() >= least);
        let (ratios, own): (Vec<f64>, Vec<f64>) = long
            .map(|(_, timing)| (timing.ratio(), timing.ratio_beside(empty)))
            .unzip();
        println!(
            "of {} that take {least} ns or more: {:.3} (quartiles {:.3}, {:.3}); less the empty program {:.3}",
            ratios.len(),
            quantile(&ratios, 0.5),
            quantile(&ratios, 0.25),
            quantile(&ratios, 0.75),
            quantile(&own, 0.5)
        );
    };
    let short = timed.iter().filter(|(_, timing)| timing.each_run() < SHORT);
    println!("\nan empty program: {empty:.1} ns");
    println!(
        "programs timed: {}, of less than {SHORT} ns: {}",
        timed.len(),
        short.count()
    );
    println!("median ratio of run time (goal {GOAL_MEDIAN}):");
    for least in [0.0, SHORT, 2.0 * SHORT, 4.0 * SHORT] {
        median_from(least);
    }
    let worse = timed
        .iter()
        .filter(|(_, timing)| timing.ratio() > GOAL_EACH);
    let worse: Vec<&Row<'_>> = worse.map(|(row, _)| *row).collect();
    println!(
        "above {GOAL_EACH}: {}; each anew, {LOADS} loads:",
        worse.len()
    );
    let mut beyond = 0;
    for row in worse {
        let pair = &pairs[row.object];
        let again = ratios(pair, row, &pair.after, rounds)?;
        let same = ratios(pair, row, &pair.before, rounds)?;
        // By chance alone, 6 of 7 loads lie above a median in one case of sixteen.
        let above = again.iter().filter(|ratio| **ratio > GOAL_EACH).count();
        let noise = quantile(&same, 1.0) - 1.0;
        let certain = above + 1 >= LOADS && quantile(&again, 0.5) - noise > 1.0;
        beyond += usize::from(certain);
        println!(
            "  {:58} {:.3} ({:.3}..{:.3}), {above} of {LOADS} above; beside itself {:.3} ({:.3}..{:.3}){}",
            pair.label(&row.program),
            quantile(&again, 0.5),
            quantile(&again, 0.0),
            quantile(&again, 1.0),
            quantile(&same, 0.5),
            quantile(&same, 0.0),
            quantile(&same, 1.0),
            if certain { "  BEYOND NOISE" } else { "" }
        );
    }
    println!("above {GOAL_EACH} beyond noise: {beyond}");
    Ok(())
}

/// Ratios of run times of a program before and in another object, each from its own loads.
fn ratios(pair: &Pair, row: &Row<'_>, other: &[u8], rounds: usize) -> Result<Vec<f64>, String> {
    let mut ratios = Vec::new();
    for _ in 0..LOADS {
        let before = pair.load(&pair.before, &row.program)?;
        let after = pair.load(other, &row.program)?;
        ratios.push(time((&before, &after), &row.packets, &pair.fixture, rounds)?.ratio());
    }
    Ok(ratios)
}

/// Nanoseconds of a program that does nothing.
fn empty(packets: &[Packet]) -> Result<f64, String> {
    let options = frontend::asm::AsmOptions::new(bpf::insn::Endian::Little);
    let assembled = frontend::asm::assemble(EMPTY, bpf::diagnostic::FileId(0), &options);
    let object = assembled
        .map_err(|_| "the empty program has mistakes")?
        .object;
    let bytes = bpf::elf::write(&object).map_err(|error| error.to_string())?;
    let program = ProgramName {
        section: "xdp".to_owned(),
        function: "empty".to_owned(),
    };
    let fixture = Fixture::default();
    let one = || load(&bytes, &program, "empty", &fixture).map_err(|refusal| refusal.message);
    let (first, second) = (one()?, one()?);
    let taken = longest(&first, packets, &fixture)?;
    Ok(time((&first, &second), &taken, &fixture, ROUNDS)?.each_run())
}
