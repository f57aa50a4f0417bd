//! Rules of the machine: operands, delays, what stands right before what.

use super::*;
use crate::isa::{MultiplyPhase, MultiplySize};

fn out(register: u8) -> Insn {
    immed(place(Operand::Transfer(register)), 0)
}

fn step(phase: MultiplyPhase, a: u8, b: u8) -> Insn {
    Insn::MultiplyStep {
        phase,
        swapped: false,
        a: gpr(a),
        b: gpr(b),
    }
}

/// A product of 16 bits, of A1 and B1.
fn product() -> Vec<Insn> {
    let size = MultiplySize::By16;
    let result = Insn::MultiplyResult {
        phase: MultiplyPhase::Low(size),
        destination: a(2),
    };
    vec![
        immed(both(1), 3),
        immed(both(2), 3),
        step(MultiplyPhase::Start, 1, 1),
        step(MultiplyPhase::Step(size, 0), 1, 1),
        step(MultiplyPhase::Step(size, 1), 1, 1),
        result,
    ]
}

#[test]
fn sources_and_fields() {
    let sum = |a: Operand, b: Operand| ended(&[immed(both(1), 1), alu(AluOp::Add, a, b, b_(2))]);
    let good = sum(gpr(1), gpr(1));
    let lmem = Operand::lmem(0, 0);
    let fill = |other: Operand| {
        ended(&[
            immed(a(1), 64),
            Insn::Command(command(CommandAction::Read32, 2)),
            immed(place(lmem), 0),
            immed(both(2), 1),
            alu(AluOp::Add, other, other, b_(2)),
        ])
    };
    for other in [Operand::Transfer(0), lmem, number(2)] {
        pair("one kind", &fill(gpr(2)), &fill(other), |rule| {
            *rule == Rule::SameKind
        });
    }
    for other in [Operand::Absolute(3), Operand::NextNeighbour(3)] {
        pair("foreign register", &good, &sum(other, gpr(1)), |rule| {
            matches!(rule, Rule::Unsupported(_))
        });
    }
    let byte = |value| {
        ended(&[Insn::Immed {
            destination: place(lmem),
            value,
            width: Width::Byte,
            byte_shift: 0,
            invert: false,
            mode: Mode::default(),
        }])
    };
    pair("byte", &byte(0xff), &byte(0x100), |rule| {
        matches!(rule, Rule::Range(_))
    });
    let field = |shift| {
        ended(&[
            immed(both(1), 1),
            Insn::LoadField {
                swapped: false,
                a: gpr(1),
                b: gpr(1),
                shift,
                mask: 1,
                clear: false,
                load_conditions: false,
                both: false,
                mode: Mode::default(),
            },
        ])
    };
    let good = field(Shift::Left(3));
    pair("double field", &good, &field(Shift::Double(3)), |rule| {
        matches!(rule, Rule::Unsupported(_))
    });
}

fn b_(register: u8) -> Destination {
    b(register)
}

#[test]
fn defer_slots() {
    let branch = |defer: u8| {
        let mut code = vec![to(Condition::Always, here(5), defer)];
        code.extend([nop(), nop(), nop(), nop()]);
        ended(&code)
    };
    pair("slots of a branch", &branch(2), &branch(3), |rule| {
        matches!(rule, Rule::Slots { slots: 3, most: 2 })
    });
    let twice = |slot| ended(&[to(Condition::Always, here(3), 1), slot, nop()]);
    let inner = to(Condition::Always, here(3), 0);
    pair("branch in a slot", &twice(nop()), &twice(inner), |rule| {
        *rule == Rule::TransferInSlot
    });
    let read = Insn::Command(command(CommandAction::Read8, 1));
    let wait = |slot| {
        ended(&[
            immed(a(1), 64),
            to(Condition::Always, here(4), 1),
            slot,
            nop(),
        ])
    };
    pair("wait in a slot", &wait(nop()), &wait(read), |rule| {
        *rule == Rule::TransferInSlot
    });
}

#[test]
fn register_reads() {
    let read = Insn::CsrRead {
        address: csr::RANDOM,
    };
    let take = immed(a(1), 0);
    let good = ended(&[read, take]);
    for bad in [
        vec![read, nop_with(1), take],
        vec![read, immed(a(1), 7)],
        vec![to(Condition::Always, here(2), 1), read, take],
        vec![
            alu(AluOp::Move, gpr(0), Operand::lmem(1, 0), NOWHERE),
            to(Condition::Equal, here(3), 0),
            read,
            nop_with(1),
        ],
        vec![read, to(Condition::Always, here(2), 0), take],
    ] {
        pair("read apart", &good, &ended(&bad), |rule| {
            *rule == Rule::SplitRead
        });
    }
    let other = Insn::CsrRead { address: 0x14 };
    pair("other register", &good, &ended(&[other, take]), |rule| {
        matches!(rule, Rule::Unsupported(_))
    });
}

fn nop_with(register: u8) -> Insn {
    alu(AluOp::Move, gpr(0), number(0), a(register))
}

#[test]
fn index_registers() {
    let early = |between: usize| {
        let mut code = vec![index(3, gpr(22), Bank::A)];
        code.extend(std::iter::repeat_n(nop(), between));
        code.push(immed(place(Operand::lmem(3, 1)), 0));
        ended(&code)
    };
    for between in 0..3 {
        pair("too soon", &early(3), &early(between), |rule| {
            *rule == Rule::IndexNotReady(3)
        });
    }
    let mut again = early(3);
    again[1] = again[0];
    pair("written again", &early(3), &again, |rule| {
        *rule == Rule::IndexNotReady(3)
    });
    // A branch, its slot and a nop are three instructions; without the nop, two.
    let across = |between: usize| {
        let mut code = vec![index(3, gpr(22), Bank::A)];
        code.extend([to(Condition::Always, here(4), 1), nop(), nop()]);
        code.extend(std::iter::repeat_n(nop(), between));
        code.push(immed(place(Operand::lmem(3, 1)), 0));
        ended(&code)
    };
    pair("too soon behind a branch", &across(1), &across(0), |rule| {
        *rule == Rule::IndexNotReady(3)
    });
    let offset = |base: u8, words: u8| {
        ended(&[
            alu(AluOp::Add, gpr(22), number(base), a(1)),
            index(3, gpr(1), Bank::A),
            nop(),
            nop(),
            nop(),
            immed(place(Operand::lmem(3, words)), 0),
        ])
    };
    pair("offset", &offset(64, 15), &offset(68, 1), |rule| {
        matches!(rule, Rule::IndexAlignment { .. })
    });
    pair("undefined", &early(3), &early_undefined(), |rule| {
        matches!(rule, Rule::Undefined(super::super::Use::Index(3)))
    });
    let moved = |right: Operand| {
        let up = Operand::Lmem {
            index: 0,
            access: crate::isa::LmemAccess::PostIncrement,
        };
        ended(&[
            immed(b(1), 0),
            immed(place(Operand::lmem(0, 0)), 0),
            alu(AluOp::Move, gpr(0), right, place(up)),
        ])
    };
    let up = Operand::Lmem {
        index: 0,
        access: crate::isa::LmemAccess::PostIncrement,
    };
    pair("moved twice", &moved(gpr(1)), &moved(up), |rule| {
        *rule == Rule::MovedTwice(0)
    });
}

fn early_undefined() -> Vec<Insn> {
    ended(&[immed(place(Operand::lmem(3, 0)), 0)])
}

#[test]
fn shifts() {
    let gives = alu(AluOp::Or, gpr(1), number(0), NOWHERE);
    let takes = |op, shift| shifted(op, gpr(1), gpr(1), shift, a(2));
    let indirect = takes(ShiftOp::Move, Shift::RightIndirect);
    let good = ended(&[immed(both(1), 3), gives, indirect]);
    for between in [vec![nop()], vec![to(Condition::Always, here(3), 0)]] {
        let mut code = vec![immed(both(1), 3), gives];
        code.extend(between);
        code.push(indirect);
        pair("amount", &good, &ended(&code), |rule| {
            *rule == Rule::ShiftAmount
        });
    }
    let arithmetic = takes(ShiftOp::Arithmetic, Shift::Right(3));
    let good = ended(&[immed(both(1), 3), gives, arithmetic]);
    let read = Insn::CsrWrite {
        address: csr::LM_ADDR[3],
        source: gpr(22),
        bank: Bank::A,
    };
    let bad = ended(&[immed(both(1), 3), gives, read, arithmetic]);
    pair("sign", &good, &bad, |rule| *rule == Rule::NoPrevious);
}

#[test]
fn overrides() {
    let write = Insn::Command(Command {
        indirect: true,
        ..command(CommandAction::Write32Swap, 8)
    });
    // Nine words.
    let length = |words: u16| immed(b(9), 1 << 7 | (words - 1) << 8);
    let filled = |count: u8| {
        let mut code = vec![immed(a(1), 64)];
        code.extend((0..count).map(out));
        code
    };
    let with = |count: u8, tail: &[Insn]| {
        let mut code = filled(count);
        code.extend(tail);
        ended(&code)
    };
    let good = with(9, &[length(9), write]);
    let bad = with(9, &[length(9), index(3, gpr(22), Bank::A), write]);
    pair("override apart", &good, &bad, |rule| {
        *rule == Rule::NoPrevious
    });
    pair(
        "overridden length",
        &good,
        &with(8, &[length(9), write]),
        |rule| matches!(rule, Rule::Undefined(super::super::Use::Data(8))),
    );
    let unknown = alu(AluOp::Move, gpr(0), Operand::lmem(1, 0), a(9));
    pair(
        "unknown length",
        &good,
        &with(9, &[unknown, write]),
        |rule| matches!(rule, Rule::Override(_)),
    );
    pair(
        "other field",
        &good,
        &with(9, &[immed(a(9), 1 << 6), write]),
        |rule| matches!(rule, Rule::Override(_)),
    );
}

#[test]
fn products() {
    let good = ended(&product());
    let broken: [fn(&mut Vec<Insn>); 4] = [
        |code| code[4] = nop(),
        |code| code.insert(4, nop()),
        |code| code.swap(3, 4),
        |code| code[4] = step(MultiplyPhase::Step(MultiplySize::By16, 1), 1, 2),
    ];
    for change in broken {
        let mut bad = product();
        change(&mut bad);
        pair("steps", &good, &ended(&bad), |rule| {
            *rule == Rule::Multiplication
        });
    }
}
