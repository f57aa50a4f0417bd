//! The simulated card runs the Linux driver's own words for each case that the driver translated, and
//! does what the bytecode does in the interpreter: one test a case.
//!
//! Cases that the driver translates wrongly are listed with the reason, and must differ.

use backend_nfp::firmware::{Abi, Watch};
use backend_nfp::isa::relocation::Kind;
use backend_nfp::sim::{Hazard, HazardKind};
use bpf::program_type::ProgramType;
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::nfp::{Case, cases, compare, inputs};

/// Cases that the driver translated, of those beside a checkout.
const TRANSLATED: usize = 205;
/// Inputs that a case must have run on.
const INPUTS: usize = 24;

/// What the driver does wrong (NFP.md, sections 12 and 14).
const WRONG: [(&str, &str); 5] = [
    (
        "alu64_lsh_reg_lt32",
        "a double shift by 32 less an amount of 0 is one by 0: the low half goes into the high one",
    ),
    (
        "shift_dw_pkt_by_unknown",
        "a double shift by 32 less an amount of 0 is one by 0: the low half goes into the high one",
    ),
    (
        "alu32_arsh_reg_unknown",
        "the sign that fills is that of amount and value together",
    ),
    (
        "add64_imm_intmin",
        "the smallest number is negated, to itself, and subtracted with a wrong high half",
    ),
    (
        "jmp64_jsge_intmin",
        "the smallest number is negated, to itself, and compared with a wrong high half",
    ),
];

/// Cases in which the driver writes a right shift by 0, which is an indirect one, with no ALU
/// instruction before it to take the amount from. The simulator takes 0, so that results agree.
const INDIRECT: [&str; 2] = ["alu32_div_imm_28", "alu32_div_imm_641_x"];

/// The driver's short form of a constant head adjustment leaves out the check of the length, since no
/// frame on the wire is shorter than this.
const SHORTEST: (&str, usize) = ("adjust_head_const", 60);

fn main() {
    let arguments = Arguments::from_args();
    let trials = match cases() {
        Some(cases) => {
            let cases: Vec<Case> = cases
                .into_iter()
                .filter(|case| !case.words.is_empty())
                .collect();
            let count = cases.len();
            let mut trials: Vec<Trial> = cases.into_iter().map(trial).collect();
            trials.push(Trial::test("all translated cases", move || {
                if count == TRANSLATED {
                    Ok(())
                } else {
                    Err(format!("{count} cases, not {TRANSLATED}").into())
                }
            }));
            trials
        }
        None => vec![
            Trial::test("cases", || Ok(()))
                .with_kind("no driver output beside the checkout")
                .with_ignored_flag(true),
        ],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(case: Case) -> Trial {
    Trial::test(case.name.clone(), move || check(&case))
}

fn check(case: &Case) -> Result<(), Failed> {
    let abi = Abi {
        helpers: vec![(1, 200), (25, 500)],
        ..Abi::default()
    };
    let shortest = if case.name == SHORTEST.0 {
        SHORTEST.1
    } else {
        14
    };
    let report = compare(
        case,
        &case.words,
        &abi,
        Watch::Address(u32::from(abi.start) + regular_end(case)),
        &inputs(&case.name, shortest),
    )?;
    if report.inputs < INPUTS {
        return Err(format!("only {} inputs", report.inputs).into());
    }
    let (indirect, hazards): (Vec<Hazard>, Vec<Hazard>) = report
        .hazards
        .iter()
        .copied()
        .partition(|hazard| hazard.kind == HazardKind::ShiftAmount);
    if INDIRECT.contains(&case.name.as_str()) == indirect.is_empty() {
        return Err(format!("indirect shifts {indirect:?}").into());
    }
    let wrong = WRONG.iter().find(|(name, _)| *name == case.name);
    match (report.differences.as_slice(), wrong) {
        ([], None) if hazards.is_empty() => Ok(()),
        ([], None) => Err(format!("hazards {hazards:?}").into()),
        ([], Some((_, reason))) => Err(format!("does not differ, though {reason}").into()),
        ([first, ..], None) => Err(format!(
            "{} of {} inputs differ; the first: {first}",
            report.differences.len(),
            report.inputs
        )
        .into()),
        (_, Some(_)) => Ok(()),
    }
}

/// Index of the driver's regular end, where the result register is whole: before the trailer of 8
/// words and the shared routines that save and restore registers (NFP.md, section 5).
fn regular_end(case: &Case) -> u32 {
    let end = if case.program_type == ProgramType::Xdp {
        18
    } else {
        23
    };
    let saves = case
        .unrelocated
        .iter()
        .any(|word| Kind::of(*word) == Some(Kind::Push));
    let shared = if saves { 18 } else { 0 };
    (case.words.len() as u32).saturating_sub(end + shared)
}
