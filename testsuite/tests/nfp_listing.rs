//! `--emit asm` for the card is GNU objdump's text, for every word of our own programs: the driver's
//! cases, and all programs of this project and of the corpus that can go to a card.
//!
//! A listing says more beside an instruction, and lines of C between; that is taken away first.

mod trials;

use backend_nfp::capabilities::Capabilities;
use backend_nfp::compile::Options;
use backend_nfp::firmware::Abi;
use backend_nfp::isa::{Insn, ecc};
use bpfmill::card::CardObject;
use bpfmill::card::report::listing;
use bpfmill::compile::CompileOptions;
use libtest_mimic::{Arguments, Failed, Trial};
use passes::OptLevel;
use testsuite::nfp::programs::{Outcome, compile_all, generous};
use testsuite::nfp::translate::{all_helpers_abi, compile_module, module_of, words_of};
use testsuite::nfp::{Case, OBJDUMP, Objdump, cases};
use testsuite::objects::TestObject;

/// Cases that the card cannot run whatever compiles them.
const MOST_REFUSED: usize = 10;

fn main() {
    let arguments = Arguments::from_args();
    let Some(objdump) = Objdump::find() else {
        let reason = format!("{OBJDUMP} names no objdump that knows the NFP");
        let trial = Trial::test("objdump", || Ok(()));
        let trial = trial.with_kind(reason).with_ignored_flag(true);
        libtest_mimic::run(&arguments, vec![trial]).exit();
    };
    let (found, mut trials) = trials::objects();
    for object in found {
        let objdump = objdump.clone();
        trials.push(Trial::test(object.name.clone(), move || {
            programs(&objdump, &object)
        }));
    }
    if let Some(cases) = cases() {
        trials.push(Trial::test("cases", move || all_cases(&objdump, &cases)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Compares texts of instructions with objdump's, which count from `start`.
fn compare(objdump: &Objdump, words: &[u64], start: u16, ours: &[String]) -> Result<(), Failed> {
    let lines = objdump.lines(words, start)?;
    if lines.len() != ours.len() {
        return Err(format!("{} lines, not {}", ours.len(), lines.len()).into());
    }
    for (index, (line, text)) in lines.iter().zip(ours).enumerate() {
        if line != text {
            return Err(format!("{index}, {:#x}: {text}\nobjdump: {line}", words[index]).into());
        }
    }
    Ok(())
}

fn all_cases(objdump: &Objdump, cases: &[Case]) -> Result<(), Failed> {
    let abi = all_helpers_abi();
    let mut refused = 0;
    for case in cases {
        for show_result in [true, false] {
            let options = Options {
                show_result,
                ..Options::default()
            };
            let (module, entry) = module_of(case, OptLevel::O2)?;
            let Ok(compiled) = compile_module(case, &module, entry, &options) else {
                refused += usize::from(show_result);
                continue;
            };
            let words = words_of(&compiled, &abi)?;
            let ours: Result<Vec<String>, Failed> = words
                .iter()
                .map(|word| Ok(Insn::decode(ecc::check(*word)?)?.to_string()))
                .collect();
            compare(objdump, &words, abi.start, &ours?)
                .map_err(|error| format!("{}: {}", case.name, message(&error)))?;
        }
    }
    if refused > MOST_REFUSED {
        return Err(format!("{refused} cases are not compiled").into());
    }
    Ok(())
}

fn programs(objdump: &Objdump, test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return Ok(());
    };
    for capabilities in [Capabilities::default(), generous()] {
        let abi = Abi::from(&capabilities);
        let options = CompileOptions::at_level(OptLevel::O2);
        let Ok(programs) = compile_all(&object, &capabilities, &options) else {
            continue;
        };
        let on_card = CardObject::of(&object)?;
        for (name, _, outcome) in programs {
            let Outcome::Compiled(program, words) = outcome else {
                continue;
            };
            let text = listing(&program, &on_card, &abi);
            let ours: Vec<String> = text.lines().filter_map(instruction).collect();
            compare(objdump, &words, abi.start, &ours)
                .map_err(|error| format!("{name}: {}", message(&error)))?;
        }
    }
    Ok(())
}

fn message(error: &Failed) -> String {
    error.message().unwrap_or_default().to_owned()
}

/// The instruction of a line, if it has one: behind the address, before what stands beside.
fn instruction(line: &str) -> Option<String> {
    if line.starts_with(';') {
        return None;
    }
    let (_, text) = line.split_once(":  ")?;
    let text = text.split(" ; ").next().unwrap_or(text);
    Some(text.trim_end().to_owned())
}
