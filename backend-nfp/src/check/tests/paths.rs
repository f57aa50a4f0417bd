//! Rules about paths: what is defined, calls, helpers, the firmware's registers and words.

use super::super::Use;
use super::*;

fn undefined(rule: &Rule) -> bool {
    matches!(rule, Rule::Undefined(_))
}

/// A branch on what the packet vector holds, so that both ways are possible.
fn maybe(target: u16) -> [Insn; 2] {
    [
        alu(AluOp::Move, gpr(0), Operand::lmem(1, 0), NOWHERE),
        to(Condition::Equal, target, 0),
    ]
}

#[test]
fn registers_are_defined_on_every_path() {
    let code = |target| {
        let mut code = maybe(target).to_vec();
        code.extend([immed(a(1), 7), alu(AluOp::Add, gpr(1), number(1), a(2))]);
        ended(&code)
    };
    pair("register", &code(here(2)), &code(here(3)), |rule| {
        *rule == Rule::Undefined(Use::Source(Bank::A, 1))
    });
}

#[test]
fn conditions_are_defined() {
    let branch = |op, condition| {
        ended(&[
            immed(both(1), 1),
            alu(op, gpr(1), gpr(1), NOWHERE),
            to(condition, here(3), 0),
        ])
    };
    let good = branch(AluOp::Sub, Condition::CarrySet);
    pair(
        "carry",
        &good,
        &branch(AluOp::And, Condition::CarrySet),
        undefined,
    );
    pair(
        "order",
        &good,
        &branch(AluOp::Or, Condition::Less),
        undefined,
    );
    pair(
        "none",
        &good,
        &ended(&[to(Condition::Equal, here(1), 0)]),
        undefined,
    );
    let wide = |op| {
        ended(&[
            immed(both(1), 1),
            alu(op, gpr(1), gpr(1), a(2)),
            alu(AluOp::AddCarry, gpr(1), gpr(1), a(3)),
        ])
    };
    pair("sum", &wide(AluOp::Add), &wide(AluOp::Xor), |rule| {
        *rule == Rule::Undefined(Use::Carry)
    });
}

#[test]
fn transfer_registers_are_defined() {
    let out = |register| immed(place(Operand::Transfer(register)), 0);
    let write = |filled: u8| {
        let mut code = vec![immed(a(1), 64)];
        code.extend((0..filled).map(out));
        code.push(Insn::Command(command(CommandAction::Write32Swap, 3)));
        ended(&code)
    };
    pair("written", &write(3), &write(2), |rule| {
        *rule == Rule::Undefined(Use::Data(2))
    });
    let read = |register| {
        ended(&[
            immed(a(1), 64),
            Insn::Command(command(CommandAction::Read32, 2)),
            alu(AluOp::Add, Operand::Transfer(register), number(1), a(2)),
        ])
    };
    pair("read", &read(1), &read(2), |rule| {
        *rule == Rule::Undefined(Use::Transfer(2))
    });
    // Three bytes are the upper ones of a word.
    let bytes = |bit| {
        ended(&[
            immed(a(1), 64),
            Insn::Command(command(CommandAction::Read8, 3)),
            Insn::BranchBit {
                operand: Operand::Transfer(0),
                bank: Bank::A,
                bit,
                set: true,
                target: here(3),
                defer: 0,
            },
        ])
    };
    pair("bytes", &bytes(8), &bytes(7), undefined);
    let far = |transfer| {
        ended(&[
            immed(a(1), 64),
            Insn::Command(Command {
                transfer,
                ..command(CommandAction::Read32, 2)
            }),
        ])
    };
    pair("range", &far(30), &far(31), |rule| {
        matches!(rule, Rule::Transfers { .. })
    });
    let constant = |register| ended(&[immed(place(Operand::Transfer(register)), 0)]);
    pair("constants", &constant(47), &constant(48), |rule| {
        matches!(rule, Rule::Transfers { .. })
    });
}

#[test]
fn signals_are_waited_for() {
    let asks = Insn::Command(Command {
        swap: None,
        ..command(CommandAction::Write32Swap, 1)
    });
    let fill = immed(place(Operand::Transfer(0)), 0);
    let wait = |signals| Insn::ContextSwap {
        signals,
        any: false,
        defer: 0,
    };
    let code = |tail: &[Insn]| {
        let mut code = vec![immed(a(1), 64), fill, asks];
        code.extend(tail);
        ended(&code)
    };
    let good = code(&[wait(2), fill]);
    let signal: fn(&Rule) -> bool = |rule| matches!(rule, Rule::Signal(_));
    pair("never", &good, &code(&[]), signal);
    pair("another", &good, &code(&[wait(2), wait(4)]), signal);
    pair("twice", &good, &code(&[asks, wait(2)]), signal);
    pair("busy", &good, &code(&[fill, wait(2)]), |rule| {
        *rule == Rule::InFlight(0)
    });
}

/// A look-up whose return address is in B0.
fn lookup(back: u16) -> Vec<Insn> {
    vec![
        immed(a(3), 5),
        immed(a(12), 5),
        to(Condition::Always, LOOKUP, 2),
        immed(a(0), 1),
        immed(b(0), back),
    ]
}

#[test]
fn helpers_spoil_what_they_do_not_keep() {
    let code = |register| {
        let mut code = lookup(here(5));
        code.push(alu(AluOp::Add, gpr(register), number(1), a(1)));
        ended(&code)
    };
    pair("kept", &code(12), &code(3), undefined);
    let mut late = lookup(here(5));
    late[1] = late[3];
    late[3] = index(0, gpr(22), Bank::A);
    pair("key", &code(12), &ended(&late), |rule| {
        *rule == Rule::IndexNotReady(0)
    });
    let mut nowhere = lookup(here(5));
    nowhere[4] = nop();
    pair("no address", &code(12), &ended(&nowhere), |rule| {
        *rule == Rule::ReturnAddress
    });
    let mut outside = lookup(7);
    outside.push(nop());
    pair("wrong address", &code(12), &ended(&outside), |rule| {
        *rule == Rule::Target(7)
    });
    let mut no_map = lookup(here(5));
    no_map[3] = nop();
    pair("argument", &code(12), &ended(&no_map), |rule| {
        *rule == Rule::Undefined(Use::Argument(Bank::A, 0))
    });
}

/// Calls a function, which leaves a register undefined or not, twice; `late` is read after the second.
fn called_twice(late: u8, keeps: bool) -> Vec<Insn> {
    let call = |back| [to(Condition::Always, here(9), 1), immed(a(21), back)];
    let mut code = call(here(2)).to_vec();
    code.push(immed(a(12), 1));
    code.extend(call(here(5)));
    code.push(alu(AluOp::Add, gpr(late), number(1), a(1)));
    code.extend([immed(a(0), 0x11), to(Condition::Always, DONE, 0), nop()]);
    // The function keeps the return address on the stack.
    let saved = Operand::lmem(0, 2);
    code.push(alu(AluOp::Move, saved, gpr(21), place(saved)));
    code[9] = Insn::Alu {
        op: AluOp::Move,
        swapped: true,
        a: gpr(21),
        b: gpr(1),
        destination: place(saved),
        mode: Mode::default(),
    };
    code.push(immed(a(21), 0));
    let restored = if keeps { saved } else { Operand::lmem(0, 3) };
    code.push(alu(AluOp::Move, gpr(0), restored, a(21)));
    code.push(jump(21, Bank::A, 0));
    code
}

#[test]
fn calls_return_to_where_they_were_made() {
    let report = checked(&called_twice(12, true)).unwrap_or_else(|found| panic!("{found:?}"));
    assert_eq!((report.calls, report.depth), (2, 1));
    let good = called_twice(12, true);
    pair("other register", &good, &called_twice(13, true), undefined);
    pair("lost address", &good, &called_twice(12, false), |rule| {
        *rule == Rule::UnknownJump
    });
}

#[test]
fn recursion_ends() {
    let code = [
        to(Condition::Always, here(0), 1),
        immed(a(21), here(2)),
        jump(21, Bank::A, 0),
    ];
    let violations = checked(&code).unwrap_err();
    assert!(
        violations
            .iter()
            .any(|found| matches!(found.rule, Rule::Depth(_))),
        "{violations:?}"
    );
}

#[test]
fn the_firmware_keeps_its_own() {
    let one = |insn| ended(&[insn]);
    pair(
        "live",
        &one(immed(a(26), 0)),
        &one(immed(a(27), 0)),
        |rule| *rule == Rule::LiveRegister(Bank::A, 27),
    );
    pair(
        "both",
        &one(immed(b(27), 0)),
        &one(immed(both(27), 0)),
        |rule| *rule == Rule::LiveRegister(Bank::A, 27),
    );
    let word = |word| one(immed(place(Operand::lmem(1, word)), 0));
    for other in [1, 3, 5, 7] {
        pair("vector", &word(2), &word(other), |rule| {
            matches!(rule, Rule::VectorWord(_))
        });
    }
    pair("behind", &word(4), &word(8), |rule| {
        matches!(rule, Rule::LocalMemory(32))
    });
    let write = |number| one(index(number, gpr(22), Bank::A));
    pair("index", &write(0), &write(1), |rule| {
        *rule == Rule::FirmwareIndex(1)
    });
    let metadata = one(immed(place(Operand::lmem(2, 0)), 0));
    let read = one(alu(AluOp::Move, gpr(0), Operand::lmem(2, 0), a(1)));
    for bad in [metadata, read] {
        pair("metadata", &word(2), &bad, |rule| {
            matches!(rule, Rule::LocalMemory(_))
        });
    }
    let stack = |value| {
        ended(&[
            immed(b(1), value),
            alu(AluOp::Add, gpr(22), gpr(1), a(1)),
            index(3, gpr(1), Bank::A),
            nop(),
            nop(),
            nop(),
            immed(place(Operand::lmem(3, 0)), 0),
        ])
    };
    pair("stack", &stack(508), &stack(512), |rule| {
        *rule == Rule::LocalMemory(512)
    });
    pair(
        "verdict",
        &ended(&[]),
        &[to(Condition::Always, DONE, 0)],
        |rule| *rule == Rule::Undefined(Use::Verdict),
    );
    let half = [high(a(0), 0x22), to(Condition::Always, DONE, 0)];
    pair("half a verdict", &ended(&[]), &half, undefined);
}
