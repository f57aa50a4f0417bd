//! What compiling costs: instructions a second beside LLVM's code generator, and how time and memory
//! grow with a function's length.
//!
//! usage (feature `kernel`): `curve [LEVEL] [--rounds N] [--passes]`; LEVEL is 0, 1, 2 or s. Each
//! compilation is a process of its own on one thread, from file to bytes, verified before and after
//! as by `build`; so is llc-19, from bitcode to an object. They run by turns and medians of processor
//! time count, so that what else runs on the machine does not. LLVM compiles C of as many
//! instructions and functions as the object beside it has; the curve compiles what came out.
//! With `--passes`, what each pass took of the longest function. Peaks are those of the process, less
//! what it had before it read the file.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use std::path::{Path, PathBuf};
use std::process::Command;

use bpfmill::compile::{self, CompileOptions, Compiled};
use nix::sys::resource::{UsageWho, getrusage};
use passes::OptLevel;
use testsuite::objects;
use testsuite::packets::Random;

/// Objects of the corpus that are compiled: so many of the largest.
const LARGEST: usize = 3;
/// Lengths of the curve's functions, in slots, about.
const LENGTHS: [usize; 7] = [1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 80_000];
/// Slots that a generated statement becomes, in the mean.
const SLOTS_OF_STATEMENT: f64 = 3.9;
/// Statements after which LLVM forgets addresses: it would keep them all in stack slots, of which
/// there are not so many.
const FORGOTTEN: usize = 50;
/// Compilations of each, unless said.
const ROUNDS: usize = 5;
/// What runs in a process of its own.
const ONE: &str = "--one";

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let level = words.iter().find_map(|word| OptLevel::from_name(word));
    let level = level.unwrap_or(OptLevel::O2);
    let after = |name: &str| {
        let place = words.iter().position(|word| word == name)?;
        words.get(place + 1)
    };
    if let Some(path) = after(ONE) {
        return one(Path::new(path), level);
    }
    let rounds = match after("--rounds") {
        Some(number) => number.parse().map_err(|_| "not a number")?,
        None => ROUNDS,
    };
    let folder = std::env::temp_dir().join(format!("bpfmill-curve-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let bench = Bench {
        folder: folder.clone(),
        level,
        rounds,
        missing: missing_tool(),
    };
    let result = bench.run(words.iter().any(|word| word == "--passes"));
    let removed = std::fs::remove_dir_all(&folder).map_err(|error| error.to_string());
    result.and(removed)
}

/// The compilation of one file, and what it took.
fn one(path: &Path, level: OptLevel) -> Result<(), String> {
    let at_start = peak();
    let start = processor_seconds(UsageWho::RUSAGE_SELF)?;
    let (compiled, _) = compiled(path, level)?;
    let seconds = processor_seconds(UsageWho::RUSAGE_SELF)? - start;
    let slots = compiled.total_slots().0;
    println!("{slots} {seconds} {}", peak().saturating_sub(at_start));
    Ok(())
}

fn compiled(path: &Path, level: OptLevel) -> Result<(Compiled, Vec<u8>), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let object = bpf::elf::read(&bytes).map_err(|error| error.to_string())?;
    let options = CompileOptions {
        check_allocation: false,
        jobs: NonZeroUsize::new(1),
        ..CompileOptions::at_level(level)
    };
    let compiled =
        compile::compile(&object, &options, |_| ()).map_err(|error| error.to_string())?;
    let written = bpf::elf::write(&compiled.object).map_err(|error| error.to_string())?;
    Ok((compiled, written))
}

/// The most kibibytes that this process has had.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

fn missing_tool() -> Option<&'static str> {
    let there = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
    ["clang-19", "llc-19"].into_iter().find(|tool| !there(tool))
}

struct Bench {
    folder: PathBuf,
    level: OptLevel,
    rounds: usize,
    missing: Option<&'static str>,
}

/// What a compilation took, by its own account.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    slots: f64,
    seconds: f64,
    /// Of the whole process, its start included.
    whole: f64,
    kibibytes: f64,
}

/// What LLVM makes of generated C.
struct Generated {
    bitcode: PathBuf,
    object: PathBuf,
    slots: f64,
}

impl Bench {
    fn run(&self, passes: bool) -> Result<(), String> {
        println!(
            "{:44}   slots   bpfmill/s  seconds  KiB/slot  llc-19 slots     llc/s  ratio",
            "object"
        );
        match objects::corpus() {
            Some(_) => {
                for (path, slots, functions) in largest() {
                    let name = path.file_name().unwrap_or_default().display().to_string();
                    let beside = self.generated(slots, functions)?;
                    self.row(&name, &path, beside.as_ref())?;
                }
            }
            None => println!("corpus: left out: not beside the checkout"),
        }
        if let Some(tool) = self.missing {
            println!("curve and llc-19: left out: no {tool}");
            return Ok(());
        }
        let mut costs = Vec::new();
        for length in LENGTHS {
            let name = format!("generated, about {length}");
            let generated = match self.generated(length, 1) {
                Ok(Some(generated)) => generated,
                Ok(None) => continue,
                Err(message) => {
                    println!("{name}: left out: {message}");
                    continue;
                }
            };
            let cost = self.row(&name, &generated.object, Some(&generated))?;
            if passes && Some(&length) == LENGTHS.last() {
                self.passes(&generated.object)?;
            }
            costs.push(cost);
        }
        if let (Some(first), Some(last)) = (costs.first(), costs.last()) {
            let each = |cost: &Cost| cost.seconds / cost.slots;
            println!(
                "time for a slot, longest beside shortest: {:.2}; it grows as length to the {:.2}",
                each(last) / each(first),
                (last.seconds / first.seconds).ln() / (last.slots / first.slots).ln()
            );
        }
        Ok(())
    }

    /// Compiles and lets LLVM compile by turns.
    fn row(&self, name: &str, path: &Path, beside: Option<&Generated>) -> Result<Cost, String> {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            own.push(self.compile(path)?);
            if let Some(generated) = beside {
                other.push(self.llc(&generated.bitcode)?);
            }
        }
        let of = |part: fn(&Cost) -> f64| median(own.iter().map(part).collect());
        let cost = Cost {
            slots: of(|cost| cost.slots),
            seconds: of(|cost| cost.seconds),
            whole: of(|cost| cost.whole),
            kibibytes: of(|cost| cost.kibibytes),
        };
        let speed = cost.slots / cost.whole;
        let compared = beside.map(|generated| {
            let llc = generated.slots / median(other);
            format!("{:12.0}  {llc:8.0}  {:5.2}", generated.slots, speed / llc)
        });
        println!(
            "{name:44} {:7.0}  {speed:10.0}  {:7.3}  {:8.3}  {}",
            cost.slots,
            cost.seconds,
            cost.kibibytes / cost.slots,
            compared.unwrap_or_default()
        );
        Ok(cost)
    }

    fn compile(&self, path: &Path) -> Result<Cost, String> {
        let exe = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(exe);
        command.arg(self.level.name()).arg(ONE).arg(path);
        let (whole, said) = timed(&mut command)?;
        let numbers: Vec<f64> = said
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [slots, seconds, kibibytes] = numbers[..] else {
            return Err(format!("{}: no figures", path.display()));
        };
        Ok(Cost {
            slots,
            seconds,
            whole,
            kibibytes,
        })
    }

    fn llc(&self, bitcode: &Path) -> Result<f64, String> {
        let mut command = Command::new("llc-19");
        command.args(["-march=bpf", "-mcpu=v4", "-O2", "-filetype=obj"]);
        command
            .arg(bitcode)
            .arg("-o")
            .arg(self.folder.join("llc.o"));
        Ok(timed(&mut command)?.0)
    }

    /// C of so many slots, as bitcode and as an object; nothing where LLVM is not there.
    fn generated(&self, slots: usize, functions: usize) -> Result<Option<Generated>, String> {
        if self.missing.is_some() {
            return Ok(None);
        }
        let path = |end: &str| self.folder.join(format!("{slots}-{functions}.{end}"));
        let (source, bitcode, object) = (path("c"), path("bc"), path("o"));
        let statements = slots as f64 / SLOTS_OF_STATEMENT / functions as f64;
        let text = program(functions, statements as usize);
        std::fs::write(&source, text).map_err(|error| error.to_string())?;
        let mut clang = Command::new("clang-19");
        clang.args(["-target", "bpf", "-mcpu=v4", "-O2", "-emit-llvm", "-c"]);
        clang.arg(&source).arg("-o").arg(&bitcode);
        timed(&mut clang)?;
        self.llc(&bitcode)?;
        std::fs::copy(self.folder.join("llc.o"), &object).map_err(|error| error.to_string())?;
        let slots = self.compile(&object)?.slots;
        Ok(Some(Generated {
            bitcode,
            object,
            slots,
        }))
    }

    fn passes(&self, path: &Path) -> Result<(), String> {
        let (compiled, _) = compiled(path, self.level)?;
        let mut taken = std::collections::BTreeMap::<&str, u64>::new();
        for pass in compiled.functions.iter().flat_map(|one| &one.passes) {
            *taken.entry(pass.name).or_default() += pass.micros;
        }
        let mut taken: Vec<_> = taken.into_iter().collect();
        taken.sort_by_key(|(_, micros)| std::cmp::Reverse(*micros));
        let functions: u64 = compiled.functions.iter().map(|one| one.micros).sum();
        let passes: u64 = taken.iter().map(|(_, micros)| micros).sum();
        for (name, micros) in taken {
            println!("    {name:20} {micros:9} us");
        }
        println!(
            "    {:20} {:9} us",
            "emission",
            functions.saturating_sub(passes)
        );
        let rest = compiled.micros.saturating_sub(functions);
        println!("    {:20} {rest:9} us", "the rest: verifier, linking");
        Ok(())
    }
}

/// The corpus's largest objects: path, slots and functions.
fn largest() -> Vec<(PathBuf, usize, usize)> {
    let mut found: Vec<(PathBuf, usize, usize)> = objects::corpus()
        .unwrap_or_default()
        .into_iter()
        .filter_map(|object| {
            let parsed = bpf::elf::read(&std::fs::read(&object.path).ok()?).ok()?;
            let functions = parsed.functions();
            let bytes: u64 = functions.iter().map(|range| range.size).sum();
            Some((
                object.path,
                usize::try_from(bytes / 8).ok()?,
                functions.len(),
            ))
        })
        .collect();
    found.sort_by_key(|(_, slots, _)| std::cmp::Reverse(*slots));
    found.truncate(LARGEST);
    found
}

/// Programs that read a packet and a map's value, compute, branch and write: straight on, so that
/// the verifier walks each instruction about once.
fn program(functions: usize, statements: usize) -> String {
    let mut text = String::from(
        "typedef unsigned u32; typedef unsigned long long u64;\n\
         struct skb { u32 fields[19]; u32 data, end; };\n\
         struct { int (*type)[2]; u32 *key; u64 (*value)[64]; int (*max_entries)[1]; } numbers\n\
         __attribute__((section(\".maps\"), used));\n\
         static void *(*lookup)(void *, const void *) = (void *)1;\n",
    );
    let mut random = Random::new(0x6375_7276);
    for function in 0..functions {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "__attribute__((section(\"tc/f{function}\"))) int f{function}(struct skb *skb) {{\n\
             volatile unsigned char *p = (void *)(long)skb->data; u32 key = 0, a = 1;\n\
             volatile u64 *v = lookup(&numbers, &key); u64 b = 2, c = 3;\n\
             if (!v || p + 512 > (volatile unsigned char *)(long)skb->end) return 0;\n"
        );
        for number in 0..statements {
            if number % FORGOTTEN == 0 {
                text.push_str("__asm__ volatile(\"\" : \"+r\"(p), \"+r\"(v));\n");
            }
            text.push_str(&statement(&mut random));
        }
        text.push_str("return a ^ (u32)b ^ (u32)c;\n}\n");
    }
    text.push_str("char terms[] __attribute__((section(\"license\"), used)) = \"GPL\";\n");
    text
}

fn statement(random: &mut Random) -> String {
    let (constant, offset) = (random.below(1 << 30), random.below(504));
    let (word, shift) = (random.below(64), 1 + random.below(30));
    let aligned = offset & !3;
    match random.below(8) {
        0 => format!("a ^= *(volatile u32 *)(p + {aligned});\n"),
        1 => format!("b += (u64)a * {constant};\n"),
        2 => format!(
            "if (a & {}) {{ b ^= {constant}; v[{word}] = b; }}\n",
            1u64 << shift
        ),
        3 => format!("a = a << {shift} | a >> {};\n", 32 - shift),
        4 => format!("p[{offset}] = b >> {shift};\n"),
        5 => format!("if (b > {constant}) v[{word}] += a; else c += b;\n"),
        6 => format!("c = (c ^ v[{word}]) + p[{offset}];\n"),
        _ => format!(
            "if ((c & 0xff) == {}) a -= c; b ^= c >> {shift};\n",
            offset & 255
        ),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds of processor time that a process takes, and what it prints.
fn timed(command: &mut Command) -> Result<(f64, String), String> {
    let start = processor_seconds(UsageWho::RUSAGE_CHILDREN)?;
    let output = command.output().map_err(|error| error.to_string())?;
    let seconds = processor_seconds(UsageWho::RUSAGE_CHILDREN)? - start;
    if output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        return Ok((seconds, said));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let first = said.lines().next().unwrap_or_default();
    Err(format!("{}: {first}", command.get_program().display()))
}

fn processor_seconds(who: UsageWho) -> Result<f64, String> {
    let usage = getrusage(who).map_err(|error| error.to_string())?;
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}
