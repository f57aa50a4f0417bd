//! Words of the kernel driver's cases, ours and the driver's: `nfp_words [NAME…]` prints those, and
//! without a name a table of all.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use backend_nfp::check::{Rules, check};
use backend_nfp::compile::{Options, SHOWN, VERDICT};
use backend_nfp::firmware::Watch;
use backend_nfp::isa::Insn;
use passes::OptLevel;
use testsuite::nfp::translate::{all_helpers_abi, compile_module, module_of, words_of};
use testsuite::nfp::{Case, cases, compare, inputs};

fn print(words: &[u64]) {
    for (index, word) in words.iter().enumerate() {
        match Insn::decode(word & ((1 << 45) - 1)) {
            Ok(insn) => println!("{index:4}  {insn}"),
            Err(error) => println!("{index:4}  {error}"),
        }
    }
}

struct Row {
    words: usize,
    fixed: usize,
    latency: f64,
    issue: f64,
    wrong: Option<String>,
}

fn ours(case: &Case, show: bool, verbose: bool) -> Result<Row, String> {
    let (module, entry) = module_of(case, OptLevel::O2)?;
    if verbose {
        println!("{}", module);
    }
    let options = Options {
        show_result: show,
        check_allocation: true,
        ..Options::default()
    };
    let compiled = compile_module(case, &module, entry, &options)?;
    let abi = all_helpers_abi();
    let words = words_of(&compiled, &abi)?;
    if verbose {
        print(&words);
    }
    if let Err(violations) = check(&words, abi.start, &Rules::from(&abi)) {
        let first = violations.first().map(ToString::to_string);
        return Err(format!("{} violations: {}", violations.len(), first.unwrap_or_default()));
    }
    let watch = if show { Watch::Out(SHOWN) } else { Watch::Nowhere };
    let report = compare(case, &words, &abi, watch, &inputs(&case.name, 60))?;
    let wrong = report
        .differences
        .first()
        .cloned()
        .or_else(|| report.hazards.first().map(|hazard| format!("{hazard:?}")));
    Ok(Row {
        words: words.len(),
        fixed: 8 + compiled.assembled.words.iter().filter(|word| word.origin == VERDICT).count(),
        latency: report.latency as f64 / report.inputs as f64,
        issue: report.issue as f64 / report.inputs as f64,
        wrong,
    })
}

fn theirs(case: &Case) -> Result<Row, String> {
    let abi = all_helpers_abi();
    let report = compare(case, &case.words, &abi, Watch::Nowhere, &inputs(&case.name, 60))?;
    Ok(Row {
        words: case.words.len(),
        fixed: match case.program_type {
            bpf::program_type::ProgramType::Xdp => 23,
            _ => 28,
        },
        latency: report.latency as f64 / report.inputs as f64,
        issue: report.issue as f64 / report.inputs as f64,
        wrong: None,
    })
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut sums = [0.0f64; 5];
    let mut count = 0.0f64;
    for case in cases().unwrap_or_default() {
        let named = wanted.contains(&case.name);
        if !wanted.is_empty() && !named {
            continue;
        }
        if named {
            println!("{}: the driver's", case.name);
            print(&case.words);
        }
        let shown = ours(&case, true, named);
        let plain = ours(&case, false, named);
        let wrong = match (&shown, &plain) {
            (Err(error), _) | (_, Err(error)) => Some(format!("ERROR {error}")),
            (Ok(shown), Ok(plain)) => shown.wrong.clone().or_else(|| plain.wrong.clone()),
        };
        let old = theirs(&case).ok().filter(|_| !case.words.is_empty());
        let (Ok(new), Some(old)) = (plain, old) else {
            println!("{:36} {}", case.name, wrong.unwrap_or_else(|| "new".to_owned()));
            continue;
        };
        let ratios = [
            new.words as f64 / old.words as f64,
            (new.words - new.fixed) as f64 / (old.words - old.fixed) as f64,
            new.latency / old.latency,
            new.issue / old.issue,
        ];
        for (sum, ratio) in sums.iter_mut().zip(ratios) {
            *sum += ratio.ln();
        }
        count += 1.0;
        println!(
            "{:36} words {:4} of {:4} {:.2} body {:.2} latency {:.2} issue {:.2} {}",
            case.name,
            new.words,
            old.words,
            ratios[0],
            ratios[1],
            ratios[2],
            ratios[3],
            wrong.unwrap_or_default()
        );
    }
    let means: Vec<f64> = sums.iter().map(|sum| (sum / count).exp()).collect();
    println!("{count} cases: geometric means {means:.3?}");
}
