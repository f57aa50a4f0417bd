//! How fast text is assembled, beside llvm-mc-19 in the same run.
//!
//! `asm_speed [BPFMILL [INSTRUCTIONS [ROUNDS]]]`: the program to measure (by default the one beside
//! this example), how many instructions the file has (a million), how often each assembler runs
//! (seven times). They run by turns, each in a process of its own; processor time counts, so that
//! what else runs on the machine does not, and medians are shown. The objects have to be equal byte
//! for byte. Start-up is measured on an empty file, by the clock.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use bpf::helpers;
use nix::sys::resource::{UsageWho, getrusage};
use testsuite::packets::Random;

/// What runs one command in a process of its own and prints what it cost.
const ONE: &str = "--one";
/// Starts on an empty file.
const STARTS: usize = 41;

/// What one run cost.
#[derive(Clone, Copy)]
struct Cost {
    /// Processor time in seconds.
    seconds: f64,
    /// Peak of memory in KiB.
    peak: f64,
    /// By the clock, in seconds.
    clock: f64,
}

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == ONE) {
        return one(words.get(1..).unwrap_or_default());
    }
    let own = match words.first() {
        Some(path) => PathBuf::from(path),
        None => beside()?,
    };
    let number = |index: usize, default: usize| match words.get(index) {
        Some(word) => word.parse().map_err(|_| format!("{word}: no number")),
        None => Ok(default),
    };
    let (count, rounds) = (number(1, 1_000_000)?, number(2, 7)?);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let source = folder.path().join("long.s");
    let text = program(count);
    std::fs::write(&source, &text).map_err(|error| error.to_string())?;
    let objects = [folder.path().join("own.o"), folder.path().join("llvm.o")];
    let commands = |source: &Path| {
        let (own_out, llvm_out) = (text_of(&objects[0]), text_of(&objects[1]));
        let source = text_of(source);
        [
            vec![
                text_of(&own),
                "asm".to_owned(),
                source.clone(),
                "-o".to_owned(),
                own_out,
            ],
            [
                "llvm-mc-19",
                "-triple=bpfel",
                "-filetype=obj",
                &source,
                "-o",
                &llvm_out,
            ]
            .map(str::to_owned)
            .to_vec(),
        ]
    };
    let mut costs: [Vec<Cost>; 2] = Default::default();
    for round in 0..rounds {
        // A B, B A: a slow spell of the machine hits both.
        for turn in 0..2 {
            let which = (turn + round) % 2;
            let run = measure(&commands(&source)[which])?;
            if let Some(costs) = costs.get_mut(which) {
                costs.push(run);
            }
        }
    }
    let [first, second] = objects.each_ref().map(std::fs::read);
    let equal = first.is_ok() && first.ok() == second.ok();
    println!(
        "{count} instructions, {} bytes of text, {rounds} runs of each; objects {}",
        text.len(),
        if equal { "equal" } else { "DIFFER" }
    );
    let [own_costs, llvm_costs] = &costs;
    for (name, costs) in [("bpfmill asm", own_costs), ("llvm-mc-19", llvm_costs)] {
        let seconds = median(costs.iter().map(|cost| cost.seconds));
        let peak = median(costs.iter().map(|cost| cost.peak));
        println!(
            "{name:12} {seconds:.3} s of processor time ({:.3} s by the clock), {:.2} M \
             instructions/s, peak {:.0} MiB, {:.0} bytes an instruction",
            median(costs.iter().map(|cost| cost.clock)),
            count as f64 / seconds / 1e6,
            peak / 1024.0,
            peak * 1024.0 / count as f64,
        );
    }
    let ratios = own_costs.iter().zip(llvm_costs);
    let ratio = median(ratios.map(|(own, llvm)| llvm.seconds / own.seconds));
    println!("ratio        {ratio:.1} (median of the rounds' ratios)");
    start_up(folder.path(), &commands)
}

fn start_up(folder: &Path, commands: &dyn Fn(&Path) -> [Vec<String>; 2]) -> Result<(), String> {
    let empty = folder.join("empty.s");
    std::fs::write(&empty, "").map_err(|error| error.to_string())?;
    let mut clocks: [Vec<f64>; 2] = Default::default();
    for _ in 0..STARTS {
        for (command, clocks) in commands(&empty).iter().zip(&mut clocks) {
            clocks.push(clock(command)?);
        }
    }
    let [own, llvm] = clocks.map(|clocks| 1000.0 * median(clocks.into_iter()));
    println!("empty file   {own:.1} ms, llvm-mc-19 {llvm:.1} ms by the clock");
    Ok(())
}

/// The program that lies beside this example's folder.
fn beside() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().and_then(Path::parent);
    Ok(folder.ok_or("no folder")?.join("bpfmill"))
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn clock(command: &[String]) -> Result<f64, String> {
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    let elapsed = start.elapsed().as_secs_f64();
    match status {
        Ok(status) if status.success() => Ok(elapsed),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn measure(command: &[String]) -> Result<Cost, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(own).arg(ONE).args(command).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match *numbers.as_slice() {
        [seconds, peak, clock] => Ok(Cost {
            seconds,
            peak,
            clock,
        }),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Runs a command and prints what it cost.
fn one(command: &[String]) -> Result<(), String> {
    let clock = clock(command)?;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    let seconds = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    println!("{} {} {clock}", seconds[0] + seconds[1], usage.max_rss());
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A program with the mix of instructions that compilers' output has, and a label every 50; nothing in
/// it deserves a warning.
fn program(count: usize) -> String {
    let mut random = Random::new(1);
    let mut text = String::from("\t.text\n");
    for index in 0..count {
        let label = index / 50;
        if index % 50 == 0 {
            let _ = writeln!(text, "L{label}:");
        }
        // Writing to a string cannot fail, here and below.
        let _ = match index {
            0..10 => writeln!(text, "\tr{index} = {index}"),
            _ if index + 1 == count => writeln!(text, "\texit"),
            _ if index % 50 == 49 && count > index + 2 => {
                writeln!(text, "\tgoto L{}", label + 1)
            }
            _ => {
                line(&mut random, label, &mut text);
                Ok(())
            }
        };
    }
    text
}

/// Registers that a call leaves alone, and its result.
const KEPT: [u8; 5] = [0, 6, 7, 8, 9];

fn line(random: &mut Random, label: usize, text: &mut String) {
    let kind = random.below(100);
    let [a, b] = [random.below(5), random.below(5)].map(|index| KEPT[index as usize]);
    let offset = random.below(512);
    let _ = match kind {
        0..28 => writeln!(text, "\tr{a} = r{b}"),
        28..38 => writeln!(text, "\tr{a} += {}", offset as i64 - 100),
        38..58 => {
            let bits = 8 << random.below(4);
            writeln!(text, "\tr{a} = *(u{bits} *)(r{b} + {offset})")
        }
        58..73 => writeln!(text, "\t*(u64 *)(r{a} - {offset}) = r{b}"),
        73..85 => {
            let sign = ["==", "!=", "s>", "<", ">="][random.below(5) as usize];
            writeln!(text, "\tif r{a} {sign} {offset} goto L{label}")
        }
        85..90 => {
            // Arguments would have to be written before.
            let mut plain = helpers::all()
                .iter()
                .filter(|helper| helper.arg_count() == 0);
            let helper = plain.nth(random.below(4) as usize);
            writeln!(text, "\tcall {}", helper.map_or(7, |helper| helper.id))
        }
        90..95 => writeln!(text, "\tw{a} &= {offset:#x}"),
        _ => writeln!(text, "\tr{a} = {:#x} ll", offset << 32 | 1),
    };
}
