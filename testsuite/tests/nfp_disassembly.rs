//! Our text of an instruction is GNU objdump's: for the Linux driver's words, one test a case, and
//! for words that differ from them, and from instructions that the driver never writes, in a few bits.

use std::collections::BTreeSet;
use std::mem::discriminant;

use backend_nfp::firmware::Abi;
use backend_nfp::isa::{
    AluOp, Bank, Condition, Destination, Insn, LmemAccess, Mode, MultiplyPhase, MultiplySize,
    Operand, Shift, ShiftOp, WORD_BITS, WORD_MASK, csr, ecc,
};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::nfp::{Case, OBJDUMP, Objdump, cases};

/// Cases that the driver translated, and their words, of those beside a checkout.
const TRANSLATED: (usize, usize) = (205, 8305);
/// Words tried around known ones, and how many of them must be instructions.
const TRIES: usize = 400_000;
const ENOUGH: usize = 50_000;
/// Variants of an instruction, each of which must be among those words.
const FORMS: usize = 14;
/// Bits changed of a word, at most.
const CHANGES: u64 = 4;

fn main() {
    let arguments = Arguments::from_args();
    let Some(objdump) = Objdump::find() else {
        let reason = format!("{OBJDUMP} names no objdump that knows the NFP");
        libtest_mimic::run(&arguments, vec![ignored("objdump", &reason)]).exit();
    };
    let found: Option<Vec<Case>> = cases().map(|cases| {
        cases
            .into_iter()
            .filter(|case| !case.words.is_empty())
            .collect()
    });
    let mut trials = Vec::new();
    let mut known = rare_words();
    match found {
        Some(cases) => {
            known.extend(cases.iter().flat_map(|case| &case.words));
            let size = cases.iter().map(|case| case.words.len()).sum();
            let count = (cases.len(), size);
            trials.push(Trial::test("all translated cases", move || {
                if count == TRANSLATED {
                    Ok(())
                } else {
                    Err(format!("{count:?} cases and words, not {TRANSLATED:?}").into())
                }
            }));
            trials.extend(cases.into_iter().map(|case| {
                let objdump = objdump.clone();
                Trial::test(case.name, move || check(&objdump, &case.words))
            }));
        }
        None => trials.push(ignored("cases", "no driver output beside the checkout")),
    }
    let known = known.into_iter().map(|word| word & WORD_MASK).collect();
    trials.push(Trial::test("words like known ones", move || {
        let words = neighbours(&known);
        if words.len() < ENOUGH {
            return Err(format!("only {} instructions", words.len()).into());
        }
        let mut forms = Vec::new();
        for word in &words {
            let form = discriminant(&Insn::decode(ecc::check(*word)?)?);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
        if forms.len() != FORMS {
            return Err(format!("{} forms, not {FORMS}", forms.len()).into());
        }
        check(&objdump, &words)
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn ignored(name: &str, reason: &str) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind(reason)
        .with_ignored_flag(true)
}

fn check(objdump: &Objdump, words: &[u64]) -> Result<(), Failed> {
    let lines = objdump.lines(words, Abi::default().start)?;
    for (index, (word, line)) in words.iter().zip(&lines).enumerate() {
        let insn = Insn::decode(ecc::check(*word)?)?;
        let text = insn.to_string();
        if text != *line {
            return Err(format!("{index}, {word:#x}: {text}\nobjdump: {line}\n{insn:?}").into());
        }
    }
    Ok(())
}

/// Different instructions that differ from known ones in a few bits, and that objdump shows as they
/// are, with their error code.
fn neighbours(known: &BTreeSet<u64>) -> Vec<u64> {
    let known: Vec<u64> = known.iter().copied().collect();
    // Each step is a full-period congruence of Knuth's; only high bits are used.
    let mut state = 1u64;
    let mut random = |limit: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut words = BTreeSet::new();
    for _ in 0..TRIES {
        let mut word = known[random(known.len() as u64) as usize];
        for _ in 0..=random(CHANGES) {
            word ^= 1 << random(WORD_BITS.into());
        }
        if Insn::decode(word).is_ok_and(|insn| !insn.objdump_differs()) {
            words.insert(ecc::protect(word));
        }
    }
    words.into_iter().collect()
}

/// Words of forms that the driver never writes.
fn rare_words() -> BTreeSet<u64> {
    let mode = Mode::default();
    let (a, b) = (Operand::Gpr(3), Operand::Gpr(30));
    let place = |operand, bank| Destination {
        operand,
        bank,
        both: false,
    };
    let post = |access| Operand::Lmem { index: 3, access };
    let shifted = |op, shift| Insn::AluShift {
        op,
        swapped: false,
        a,
        b,
        shift,
        destination: place(Operand::lmem(2, 5), Bank::A),
        mode,
    };
    let multiply = |phase| Insn::MultiplyStep {
        phase,
        swapped: true,
        a,
        b: Operand::Transfer(40),
    };
    let mut rare = vec![
        Insn::BranchByte {
            operand: b,
            bank: Bank::B,
            byte: 2,
            value: 0x86,
            equal: true,
            target: 9000,
            defer: 1,
        },
        Insn::BranchBit {
            operand: Operand::lmem(3, 1),
            bank: Bank::A,
            bit: 31,
            set: false,
            target: 17,
            defer: 0,
        },
        Insn::Jump {
            operand: Operand::Absolute(70),
            bank: Bank::B,
            offset: 300,
            defer: 3,
        },
        Insn::Alu {
            op: AluOp::Xor,
            swapped: true,
            a: post(LmemAccess::PostIncrement),
            b: Operand::NextNeighbour(9),
            destination: place(post(LmemAccess::PostDecrement), Bank::B),
            mode: Mode {
                keep_conditions: true,
                predicated: true,
            },
        },
        Insn::LoadField {
            swapped: true,
            a,
            b,
            shift: Shift::Double(3),
            mask: 6,
            clear: true,
            load_conditions: true,
            both: true,
            mode,
        },
        Insn::CsrWrite {
            address: 4,
            source: a,
            bank: Bank::B,
        },
        Insn::CsrWrite {
            address: csr::LM_ADDR[2],
            source: Operand::Immediate(9),
            bank: Bank::A,
        },
        Insn::MultiplyResult {
            phase: MultiplyPhase::High(MultiplySize::By8),
            destination: place(b, Bank::B),
        },
        shifted(ShiftOp::ByteAlign, Shift::Left(8)),
        shifted(ShiftOp::Arithmetic, Shift::Right(8)),
        shifted(ShiftOp::NotAnd, Shift::DoubleIndirect),
        multiply(MultiplyPhase::Start),
        multiply(MultiplyPhase::Step(MultiplySize::By32, 3)),
    ];
    // Names of registers are irregular: all of them.
    rare.extend((0..512).map(|index| Insn::CsrRead { address: index * 4 }));
    rare.extend([0, 1, 0b10, 0xa004].map(|signals| Insn::ContextSwap {
        signals,
        any: true,
        defer: 2,
    }));
    rare.extend(
        [
            Condition::Negative,
            Condition::Overflow,
            Condition::LessOrEqual,
            Condition::Always,
        ]
        .map(|condition| Insn::Branch {
            condition,
            target: 16_383,
            defer: 0,
        }),
    );
    rare.iter().filter_map(|insn| insn.encode().ok()).collect()
}
