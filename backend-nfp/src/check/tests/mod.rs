//! Programs that keep to the rules, each beside one that breaks a rule.

mod any;
mod code;
mod machine;
mod paths;

use super::{Report, Rule, Rules, Violation, check};
use crate::isa::{
    AluOp, Bank, Command, CommandAction, CommandMode, Condition, Destination, Insn, Mode, NOP,
    Operand, Shift, ShiftOp, TRAILER, Width, csr, ecc,
};

/// Address of the programs here.
const START: u16 = 3072;
/// Address of the firmware's only helper, a look-up.
const LOOKUP: u16 = 256;
/// Address where programs end.
const DONE: u16 = 1;

fn encoded(insns: &[Insn]) -> Vec<u64> {
    let words = insns
        .iter()
        .map(|insn| ecc::protect(insn.encode().unwrap_or_else(|error| panic!("{error}"))));
    let trailer = std::iter::repeat_n(ecc::protect(NOP), TRAILER);
    words.chain(trailer).collect()
}

fn checked(insns: &[Insn]) -> Result<Report, Vec<Violation>> {
    check(&encoded(insns), START, &Rules::default())
}

/// The first is accepted, the second refused by a rule and by no other.
fn pair(name: &str, good: &[Insn], bad: &[Insn], expected: fn(&Rule) -> bool) {
    if let Err(violations) = checked(good) {
        panic!("{name}: refused: {violations:?}");
    }
    match checked(bad) {
        Ok(report) => panic!("{name}: accepted: {report:?}"),
        Err(violations) => {
            let other = violations.iter().find(|found| !expected(&found.rule));
            assert_eq!(other, None, "{name}");
        }
    }
}

/// Code, and an end with a verdict behind it.
fn ended(insns: &[Insn]) -> Vec<Insn> {
    let mut all = insns.to_vec();
    all.extend([immed(a(0), 0x11), to(Condition::Always, DONE, 0)]);
    all
}

fn a(register: u8) -> Destination {
    Destination {
        operand: Operand::Gpr(register),
        bank: Bank::A,
        both: false,
    }
}

fn b(register: u8) -> Destination {
    Destination {
        bank: Bank::B,
        ..a(register)
    }
}

fn both(register: u8) -> Destination {
    Destination {
        both: true,
        ..a(register)
    }
}

fn place(operand: Operand) -> Destination {
    Destination { operand, ..a(0) }
}

const NOWHERE: Destination = Destination {
    operand: Operand::Nothing,
    bank: Bank::A,
    both: false,
};

fn gpr(register: u8) -> Operand {
    Operand::Gpr(register)
}

fn number(value: u8) -> Operand {
    Operand::Immediate(value)
}

fn immed(destination: Destination, value: u16) -> Insn {
    Insn::Immed {
        destination,
        value,
        width: Width::Whole,
        byte_shift: 0,
        invert: false,
        mode: Mode::default(),
    }
}

fn high(destination: Destination, value: u16) -> Insn {
    Insn::Immed {
        destination,
        value,
        width: Width::Half,
        byte_shift: 2,
        invert: false,
        mode: Mode::default(),
    }
}

fn nop() -> Insn {
    immed(NOWHERE, 0)
}

fn alu(op: AluOp, a: Operand, b: Operand, destination: Destination) -> Insn {
    Insn::Alu {
        op,
        swapped: false,
        a,
        b,
        destination,
        mode: Mode::default(),
    }
}

fn shifted(op: ShiftOp, a: Operand, b: Operand, shift: Shift, destination: Destination) -> Insn {
    Insn::AluShift {
        op,
        swapped: false,
        a,
        b,
        shift,
        destination,
        mode: Mode::default(),
    }
}

/// Branch to an address.
fn to(condition: Condition, target: u16, defer: u8) -> Insn {
    Insn::Branch {
        condition,
        target,
        defer,
    }
}

/// Address of an instruction of the program, by its index.
fn here(index: u16) -> u16 {
    START + index
}

fn jump(register: u8, bank: Bank, defer: u8) -> Insn {
    Insn::Jump {
        operand: gpr(register),
        bank,
        offset: 0,
        defer,
    }
}

fn index(index: usize, source: Operand, bank: Bank) -> Insn {
    Insn::CsrWrite {
        address: csr::LM_ADDR[index],
        source,
        bank,
    }
}

/// A command at the address in A1, with a swap; so many units of transfer registers from 0 on.
fn command(action: CommandAction, units: u8) -> Command {
    Command {
        action,
        mode: CommandMode::Short,
        a: gpr(1),
        b: number(0),
        transfer: 0,
        length: units - 1,
        signal: 1,
        swap: Some(0),
        indirect: false,
    }
}
