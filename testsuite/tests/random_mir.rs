//! Random programs in MIR do the same before and after each pass, and as code.
//!
//! `BPFMILL_FUZZ_SECONDS` says for how long (20 if it does not), `BPFMILL_FUZZ_SEED` which programs;
//! `BPFMILL_FUZZ_PROGRAM` runs the program with this number only, and shows it.
//!
//! Each program runs on inputs searched to reach its blocks, in either byte order. Then it goes
//! through the pipeline of a level, or through passes in a random order, for a random target, and
//! is compared after each pass; the result is emitted, linked, lifted again and compared. A
//! difference is reported with the smallest function found. What passes found is counted, and in a
//! run of [`ENOUGH`] programs and more a pass that never changed anything fails the test.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use bpf::insn::{Cpu, Endian};
use bpfmill::compile::{self, CompileOptions};
use bpfmill::filetest::panics;
use bpfmill::validate::{Counts, Validator};
use libtest_mimic::{Arguments, Failed, Trial};
use mir::Module;
use passes::{
    KernelVersion, OptLevel, Pipeline, PipelineOptions, RemarkKey, Session, Target, pass_names,
};
use testsuite::packets::Random;
use testsuite::random_mir::World;

/// Programs in which each pass finds something.
const ENOUGH: u64 = 100;
/// Differences that are reported before the test gives up.
const SHOWN: usize = 8;
const PROGRESS: Duration = Duration::from_secs(60);

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, vec![Trial::test("random MIR", run)]).exit();
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}")
}

fn run() -> Result<(), Failed> {
    let budget = Duration::from_secs(setting("BPFMILL_FUZZ_SECONDS").unwrap_or(20));
    let seed = setting("BPFMILL_FUZZ_SEED").unwrap_or(1);
    let worlds = [World::new(Endian::Little)?, World::new(Endian::Big)?];
    let mut tally = Tally::default();
    if let Some(number) = setting("BPFMILL_FUZZ_PROGRAM") {
        let world = &worlds[(number % 2) as usize];
        say(&world.program(seed, number).to_string())?;
        return Ok(tally.check(world, seed, number)?);
    }
    // A panic is reported with its program, not on its own.
    panics::quiet();
    let (start, mut shown) = (Instant::now(), Instant::now());
    let mut differences = Vec::new();
    let mut number = 0;
    while start.elapsed() < budget && differences.len() < SHOWN {
        let world = &worlds[(number % 2) as usize];
        let checked = panics::caught(|| tally.check(world, seed, number));
        if let Err(difference) = checked.and_then(|checked| checked) {
            differences.push(format!("program {number} of seed {seed}: {difference}"));
            say(&differences[differences.len() - 1])?;
        }
        number += 1;
        if shown.elapsed() > PROGRESS {
            shown = Instant::now();
            say(&tally.summary(start.elapsed()))?;
        }
    }
    drop(std::panic::take_hook());
    say(&tally.details())?;
    say(&tally.summary(start.elapsed()))?;
    if !differences.is_empty() {
        return Err(differences.join("\n").into());
    }
    let idle = tally.idle();
    if tally.programs >= ENOUGH && !idle.is_empty() {
        return Err(format!("nothing for {} to do", idle.join(", ")).into());
    }
    Ok(())
}

/// What was run, and what passes did.
#[derive(Default)]
struct Tally {
    programs: u64,
    pipelines: u64,
    emitted: u64,
    /// Results that the back end refuses, by reason.
    refused: BTreeMap<String, u64>,
    counts: Counts,
    /// How often a pass ran, and how often it changed something.
    passes: BTreeMap<&'static str, (u64, u64)>,
    remarks: BTreeMap<RemarkKey, u64>,
}

impl Tally {
    fn check(&mut self, world: &World, seed: u64, number: u64) -> Result<(), String> {
        let module = world.program(seed, number);
        let linked = world.linked(module.clone());
        let mut validator = Validator::of(linked, |_| true);
        self.programs += 1;
        let mut random = Random::new(seed ^ number);
        let mut checked = Ok(());
        for level in OptLevel::ALL {
            checked = checked
                .and_then(|()| self.pipeline(world, &module, &mut validator, level, &mut random));
        }
        let counts = validator.counts();
        self.counts.programs += counts.programs;
        self.counts.without += counts.without;
        self.counts.inputs += counts.inputs;
        self.counts.runs += counts.runs;
        self.counts.blocks_reached += counts.blocks_reached;
        self.counts.blocks += counts.blocks;
        checked
    }

    /// The passes of a level, or of none in a random order, then code.
    fn pipeline(
        &mut self,
        world: &World,
        module: &Module,
        validator: &mut Validator,
        level: OptLevel,
        random: &mut Random,
    ) -> Result<(), String> {
        let options = options(level, random);
        let pipeline = Pipeline::build(&options.pipeline).map_err(|error| error.to_string())?;
        let how = |message: String| format!("-O{} {:?}: {message}", level.name(), options.pipeline);
        let mut after = module.clone();
        // Half of all runs tell what they missed, which must not change what they do.
        let mut session = match random.below(2) {
            0 => Session::new(),
            _ => Session::new().keeping_remarks(),
        };
        session = session
            .with_maps(world.maps.clone())
            .with_checker(|change| validator.check(change));
        let mut failure = None;
        for func in module.functions.keys() {
            let stats = pipeline.run_function(&mut after, func, &mut session);
            for pass in &stats.passes {
                let count = self.passes.entry(pass.name).or_default();
                *count = (count.0 + 1, count.1 + u64::from(pass.changed.any()));
            }
            failure = failure.or(stats.failure);
        }
        for (key, count) in session.remarks.counts() {
            *self.remarks.entry(key).or_default() += count;
        }
        drop(session);
        self.pipelines += 1;
        if let Some(failure) = failure {
            return Err(how(failure.to_string()));
        }
        // What needs a newer instruction set than the passes were told is emitted for that.
        let newest = CompileOptions {
            cpu: Some(Cpu::V4),
            ..options.clone()
        };
        let emit = |options| compile::object_with(&world.object, &world.lifted, &after, options);
        match emit(&options).or_else(|_| emit(&newest)) {
            Ok(object) => {
                self.emitted += 1;
                let checked = validator.check_object(&object);
                checked.map_err(|found| {
                    let code = bpfmill::listing::assembly(&object);
                    how(format!("as code, {found}\nof\n{after}\nwhich is\n{code}"))
                })
            }
            Err(reason) => {
                *self.refused.entry(reason).or_default() += 1;
                Ok(())
            }
        }
    }

    /// Passes that changed nothing, but for the one that asks what verification of an object told and
    /// the one that the back end makes.
    fn idle(&self) -> Vec<&'static str> {
        let names = pass_names()
            .into_iter()
            .filter(|name| !["decided-branch", "layout", "packet-cache"].contains(name));
        names
            .filter(|name| {
                self.passes
                    .get(name)
                    .is_none_or(|&(_, changed)| changed == 0)
            })
            .collect()
    }

    fn details(&self) -> String {
        let mut text = String::new();
        for (name, (runs, changed)) in &self.passes {
            text.push_str(&format!(
                "{name:14} changed {changed} of {runs} functions\n"
            ));
            let of_pass = self.remarks.iter().filter(|(key, _)| key.pass == *name);
            for (key, count) in of_pass {
                let (kind, message) = (key.kind.name(), key.message);
                text.push_str(&format!("{count:12} {kind}: {message}\n"));
            }
        }
        for (reason, count) in &self.refused {
            text.push_str(&format!("{count:12} results not emitted: {reason}\n"));
        }
        text
    }

    fn summary(&self, time: Duration) -> String {
        let Counts {
            inputs,
            runs,
            blocks_reached,
            blocks,
            without,
            ..
        } = self.counts;
        format!(
            "{} programs in {:.0} s, {without} of them without input; {inputs} inputs, \
             {blocks_reached} of {blocks} blocks reached; {} pipelines, {} results emitted, {runs} \
             runs compared",
            self.programs,
            time.as_secs_f64(),
            self.pipelines,
            self.emitted,
        )
    }
}

/// A target, and the passes of a level; in place of those of level 0, some in a random order.
fn options(level: OptLevel, random: &mut Random) -> CompileOptions {
    let one_of = |random: &mut Random, count: usize| random.below(count as u64) as usize;
    let names = pass_names();
    let passes = (level == OptLevel::O0).then(|| {
        let count = 4 + random.below(12);
        let pick = |_| names[one_of(random, names.len())].to_owned();
        (0..count).map(pick).collect()
    });
    let kernels = ["5.10", "6.1", "6.18"];
    let kernel = KernelVersion::from_text(kernels[one_of(random, kernels.len())]);
    let cpu = [Cpu::V1, Cpu::V2, Cpu::V3, Cpu::V4][one_of(random, 4)];
    let target = Target {
        cpu,
        kernel: kernel.unwrap_or(KernelVersion::NEWEST),
        strict_align: random.below(4) == 0,
    };
    CompileOptions {
        pipeline: PipelineOptions {
            level,
            target,
            passes,
            verify_each: true,
            ..PipelineOptions::default()
        },
        cpu: Some(cpu),
        check_allocation: true,
        ..CompileOptions::default()
    }
}
