//! Machine programs of a few instructions: what comes out, and what is refused.

use super::parts::{gpr, immed, item, keep, machine};
use super::*;
use crate::isa::{AluOp, Bank, Condition, NOP, Operand, TRAILER};
use crate::machine::{BlockId, End, Item, MachineBlock, MachineFunction, MachineInsn, Reference};

fn block(items: Vec<Item>, end: End) -> MachineBlock {
    MachineBlock { items, end }
}

fn program(functions: Vec<Vec<MachineBlock>>) -> MachineProgram {
    let function = |blocks| MachineFunction {
        name: String::new(),
        blocks,
    };
    MachineProgram {
        program_type: bpf::program_type::ProgramType::Xdp,
        functions: functions.into_iter().map(function).collect(),
    }
}

fn number(register: u8, value: u16) -> Item {
    item([immed(gpr(Bank::A, register), value)])
}

fn branch(condition: Condition) -> MachineInsn {
    machine(Insn::Branch {
        condition,
        target: 0,
        defer: 0,
    })
}

fn either(taken: usize, otherwise: usize) -> End {
    End::Branch {
        insn: branch(Condition::Equal),
        taken: BlockId(taken),
        otherwise: BlockId(otherwise),
    }
}

fn call(reference: Reference) -> Item {
    let mut call = item([
        Insn::Branch {
            condition: Condition::Always,
            target: 0,
            defer: 1,
        },
        immed(gpr(Bank::A, 21), 0),
    ]);
    call.insns[0].reference = reference;
    call.insns[1].reference = Reference::After;
    call.barrier = true;
    call
}

fn compare() -> Item {
    item([Insn::Alu {
        op: AluOp::Sub,
        swapped: false,
        a: Operand::Gpr(1),
        b: Operand::Immediate(3),
        destination: super::parts::NOWHERE,
        mode: keep(false),
    }])
}

/// A program's words as listed, without the trailer.
fn listed(program: &MachineProgram) -> Vec<String> {
    let assembled = assemble(program, &Timing::default(), 100).unwrap();
    let (code, trailer) = assembled.words.split_at(assembled.words.len() - TRAILER);
    assert!(trailer.iter().all(|word| word.insn.encode() == Ok(NOP)));
    code.iter().map(|word| word.insn.to_string()).collect()
}

#[test]
fn verdicts_are_given_in_slots() {
    let program = program(vec![vec![
        block(vec![compare()], either(1, 2)),
        block(vec![number(0, 0x22)], End::Done),
        block(vec![number(0, 0x11)], End::Done),
    ]]);
    let expected = [
        "alu[--, gprA_1, -, 0x3]",
        "bne[.0], defer[1]",
        "immed[gprA_0, 0x11]",
        "br[.0], defer[1]",
        "immed[gprA_0, 0x22]",
    ];
    assert_eq!(listed(&program), expected);
}

#[test]
fn delays_cross_blocks_and_shrink_by_what_runs() {
    let write = item([Insn::CsrWrite {
        address: crate::isa::csr::LM_ADDR[0],
        source: Operand::Gpr(1),
        bank: Bank::A,
    }]);
    let store = item([Insn::Alu {
        op: AluOp::Move,
        swapped: false,
        a: Operand::Immediate(0),
        b: Operand::Gpr(1),
        destination: crate::isa::Destination {
            operand: Operand::lmem(0, 0),
            ..super::parts::NOWHERE
        },
        mode: keep(true),
    }]);
    let program = program(vec![vec![
        block(vec![compare(), write], either(1, 2)),
        block(vec![store, number(0, 0x22)], End::Done),
        block(vec![number(0, 0x11)], End::Done),
    ]]);
    let expected = [
        "local_csr_wr[ActLMAddr0, gprA_1]",
        "alu[--, gprA_1, -, 0x3]",
        "bne[.0], defer[1]",
        "immed[gprA_0, 0x11]",
        "br[.0], defer[2]",
        "alu[*l$index0, --, B, gprB_1], no_cc",
        "immed[gprA_0, 0x22]",
    ];
    assert_eq!(listed(&program), expected);
}

#[test]
fn words_keep_what_a_loader_patches() {
    let program = program(vec![
        vec![block(
            vec![call(Reference::Function(1)), call(Reference::Helper(1))],
            End::Done,
        )],
        vec![block(
            vec![],
            End::Return(machine(Insn::Jump {
                operand: Operand::Gpr(21),
                bank: Bank::A,
                offset: 0,
                defer: 0,
            })),
        )],
    ]);
    let assembled = assemble(&program, &Timing::default(), 100).unwrap();
    let kinds: Vec<Kind> = assembled.words.iter().map(|word| word.kind).collect();
    let expected = [
        Kind::Branch,
        Kind::Immediate,
        Kind::Helper,
        Kind::Immediate,
        Kind::NextPacket,
    ];
    assert_eq!(kinds[..5], expected);
    assert_eq!(assembled.words[1].insn, immed(gpr(Bank::A, 21), 102));
    let relative: Vec<Insn> = assembled
        .unrelocated()
        .iter()
        .map(|word| Insn::decode(word & crate::isa::WORD_MASK).unwrap())
        .collect();
    assert_eq!(relative[1], immed(gpr(Bank::A, 21), 2));
    // Wherever it is loaded, it is the program that was assembled for there.
    let elsewhere = Places {
        start: 3000,
        ..PLACES
    };
    let there = assemble(&program, &Timing::default(), 3000).unwrap();
    assert_eq!(assembled.relocated(&elsewhere), there.relocated(&elsewhere));
}

#[test]
fn what_is_wrong_is_said() {
    let refused = |blocks| assemble(&program(vec![blocks]), &Timing::default(), 100).unwrap_err();
    let (function, block_at) = (0, 0);
    assert_eq!(
        assemble(&program(vec![]), &Timing::default(), 0),
        Err(AssembleError::Empty { function })
    );
    assert_eq!(
        refused(vec![block(vec![], End::Jump(BlockId(7)))]),
        AssembleError::Block {
            function,
            block: block_at,
            target: 7
        }
    );
    assert_eq!(
        refused(vec![block(vec![call(Reference::Function(3))], End::Done)]),
        AssembleError::Function {
            function,
            block: block_at,
            callee: 3
        }
    );
    assert_eq!(
        refused(vec![block(vec![call(Reference::Helper(9999))], End::Done)]),
        AssembleError::Helper {
            function,
            block: block_at,
            helper: 9999
        }
    );
    for items in [
        vec![call(Reference::None)],
        vec![item([branch(Condition::Equal).insn])],
        vec![item([Insn::CsrRead { address: 0x148 }])],
        vec![item([Insn::ContextSwap {
            signals: 0,
            any: false,
            defer: 1,
        }])],
    ] {
        let error = refused(vec![block(items, End::Done)]);
        assert!(matches!(error, AssembleError::Shape { .. }), "{error}");
    }
    let error = refused(vec![block(vec![], End::Return(branch(Condition::Equal)))]);
    assert!(matches!(error, AssembleError::Shape { .. }), "{error}");
    let error = refused(vec![block(vec![number(77, 1)], End::Done)]);
    assert!(matches!(error, AssembleError::Encode { .. }), "{error}");
    let many = program(vec![vec![block(vec![number(0, 1); 100], End::Done)]]);
    let error = assemble(&many, &Timing::default(), (1 << 14) - 108);
    assert_eq!(
        error,
        Err(AssembleError::Size {
            words: 109,
            start: (1 << 14) - 108
        })
    );
    let timing = Timing {
        lm_index: 1000,
        ..Timing::default()
    };
    assert_eq!(assemble(&many, &timing, 0), Err(AssembleError::Delay(1000)));
}

/// A block for each number, in chains of jumps, branches and items, all of them different: time must
/// grow no faster than the program.
#[test]
fn long_programs_end() {
    for count in [1, 2, 40_000] {
        let mut blocks = Vec::new();
        for at in 0..count {
            let next = BlockId((at + 1).min(count - 1));
            let items = match at % 3 {
                0 => vec![number((at % 8) as u8, at as u16), compare()],
                _ => vec![],
            };
            let end = match at % 7 {
                3 => either(at / 2, next.0),
                _ => End::Jump(next),
            };
            blocks.push(block(items, end));
        }
        if let Some(last) = blocks.last_mut() {
            last.end = End::Done;
        }
        let result = assemble(&program(vec![blocks]), &Timing::default(), 100);
        match result {
            Ok(_) => assert!(count < 100),
            Err(error) => assert!(matches!(error, AssembleError::Size { .. }), "{error}"),
        }
    }
}

/// Conditions come in pairs that differ in their lowest bit.
#[test]
fn each_condition_has_an_inverse() {
    for condition in super::generate::CONDITIONS {
        let Insn::Branch {
            condition: inverse, ..
        } = emit::inverse(branch(condition).insn)
        else {
            panic!("no branch");
        };
        assert_eq!(inverse as u8, condition as u8 ^ 1);
    }
}

#[test]
fn blocks_that_go_elsewhere_are_not_equal() {
    let exit = |value| block(vec![number(1, value), number(0, value)], End::Done);
    let alike = |otherwise| block(vec![compare()], either(3, otherwise));
    let made = |other| {
        program(vec![vec![
            block(vec![compare(), number(3, 3)], either(1, 2)),
            alike(4),
            alike(other),
            exit(1),
            exit(2),
            exit(3),
        ]])
    };
    let branches = |program: MachineProgram| {
        let words = listed(&program);
        let conditional = |word: &&String| word.starts_with("beq") || word.starts_with("bne");
        words.iter().filter(conditional).count()
    };
    assert_eq!(branches(made(5)), 3);
    // One compares for both, and nothing is left to decide before.
    assert_eq!(branches(made(4)), 1);
}
