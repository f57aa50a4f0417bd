//! One test a rule of the machine, each a few instructions; and any words at all.

use super::*;
use crate::isa::{
    AluOp, Bank, Command, CommandAction, CommandMode, Condition, Destination, Insn, Mode, NOP,
    Operand, Shift, ShiftOp, TRAILER, WORD_BITS, Width, csr, ecc,
};

const START: u16 = 100;

fn program(insns: &[Insn]) -> Program {
    let words = insns
        .iter()
        .map(|insn| ecc::protect(insn.encode().unwrap_or_else(|error| panic!("{error}"))));
    let words: Vec<u64> = words
        .chain(std::iter::repeat_n(ecc::protect(NOP), TRAILER))
        .collect();
    Program::load(&words, START).unwrap_or_else(|error| panic!("{error}"))
}

fn run(insns: &[Insn]) -> (Core, u32) {
    run_with(insns, &mut Memory::default())
}

fn run_with(insns: &[Insn], memory: &mut Memory) -> (Core, u32) {
    let mut core = Core::new(Latencies::default(), Limits::default(), 0xa5a5_a5a5);
    let end = core
        .run(&program(insns), memory, START.into())
        .unwrap_or_else(|fault| panic!("{fault}"));
    (core, end)
}

fn to(bank: Bank, number: u8) -> Destination {
    Destination {
        operand: Operand::Gpr(number),
        bank,
        both: false,
    }
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

fn branch(condition: Condition, target: u16, defer: u8) -> Insn {
    Insn::Branch {
        condition,
        target,
        defer,
    }
}

fn kinds(core: &Core) -> Vec<HazardKind> {
    core.hazards().iter().map(|hazard| hazard.kind).collect()
}

const A: Operand = Operand::Gpr(0);
const B: Operand = Operand::Gpr(0);

#[test]
fn banks_are_apart() {
    let (core, _) = run(&[immed(to(Bank::A, 0), 1), immed(to(Bank::B, 0), 2)]);
    assert_eq!(core.gpr(Bank::A, 0).bits, 1);
    assert_eq!(core.gpr(Bank::B, 0).bits, 2);
}

#[test]
fn carry_is_set_when_nothing_is_borrowed() {
    // 5 - 7: borrow, so the high halves' difference is one less.
    let (core, _) = run(&[
        immed(to(Bank::A, 0), 5),
        immed(to(Bank::B, 0), 7),
        alu(AluOp::Sub, A, B, to(Bank::A, 1)),
        immed(to(Bank::B, 0), 3),
        alu(AluOp::SubCarry, Operand::Gpr(0), B, to(Bank::A, 2)),
    ]);
    assert_eq!(core.gpr(Bank::A, 1), Value::from(2u32.wrapping_neg()));
    assert_eq!(core.gpr(Bank::A, 2), Value::from(1));
    assert!(core.hazards().is_empty());
}

#[test]
fn defer_slots_run_and_save_cycles() {
    for defer in 0..=2u8 {
        let (core, end) = run(&[
            branch(Condition::Always, 7, defer),
            immed(to(Bank::A, 0), 1),
            immed(to(Bank::A, 1), 1),
        ]);
        assert_eq!(end, 7);
        assert_eq!(core.gpr(Bank::A, 0).is_known(), defer >= 1);
        assert_eq!(core.gpr(Bank::A, 1).is_known(), defer >= 2);
        assert_eq!(core.cycles().issue, 3);
    }
}

#[test]
fn no_branch_in_a_slot() {
    let code = program(&[
        branch(Condition::Always, 7, 1),
        branch(Condition::Always, 8, 0),
    ]);
    let mut core = Core::new(Latencies::default(), Limits::default(), 0);
    let fault = core.run(&code, &mut Memory::default(), START.into());
    assert_eq!(
        fault.map_err(|fault| fault.kind),
        Err(FaultKind::BranchInSlot)
    );
}

#[test]
fn an_index_holds_after_three_instructions() {
    let write = Insn::CsrWrite {
        address: csr::LM_ADDR[3],
        source: Operand::Immediate(64),
        bank: Bank::A,
    };
    let destination = Destination {
        operand: Operand::lmem(3, 2),
        bank: Bank::A,
        both: false,
    };
    let nop = immed(to(Bank::A, 9), 0);
    for between in 0..=4 {
        let mut code = vec![write];
        code.extend(std::iter::repeat_n(nop, between));
        code.push(immed(destination, 7));
        let (core, _) = run(&code);
        let early = between < 3;
        assert_eq!(core.hazards().is_empty(), !early, "{between}");
        assert_eq!(core.local.word(64 + 8).is_known(), !early);
    }
}

#[test]
fn an_unknown_branch_is_a_hazard() {
    let (core, _) = run(&[
        alu(AluOp::Move, A, B, to(Bank::A, 1)),
        branch(Condition::Equal, 7, 0),
    ]);
    assert_eq!(kinds(&core), [HazardKind::UnknownBranch]);
    // Carry after logic is not to be relied upon either.
    let (core, _) = run(&[
        immed(to(Bank::A, 0), 1),
        immed(to(Bank::B, 0), 1),
        alu(AluOp::And, A, B, to(Bank::A, 1)),
        branch(Condition::CarrySet, 7, 0),
    ]);
    assert_eq!(kinds(&core), [HazardKind::UnknownBranch]);
}

#[test]
fn indirect_amounts_come_from_the_instruction_before() {
    let shift = |between: &[Insn]| {
        let mut code = vec![
            immed(to(Bank::A, 0), 4),
            immed(to(Bank::B, 0), 0x100),
            alu(
                AluOp::Or,
                A,
                Operand::Immediate(0),
                Destination {
                    operand: Operand::Nothing,
                    bank: Bank::A,
                    both: false,
                },
            ),
        ];
        code.extend_from_slice(between);
        code.push(Insn::AluShift {
            op: ShiftOp::Move,
            swapped: false,
            a: A,
            b: B,
            shift: Shift::RightIndirect,
            destination: to(Bank::A, 1),
            mode: Mode::default(),
        });
        run(&code).0
    };
    assert_eq!(shift(&[]).gpr(Bank::A, 1), Value::from(0x10));
    let between = shift(&[immed(to(Bank::A, 5), 0)]);
    assert_eq!(kinds(&between), [HazardKind::ShiftAmount]);
}

#[test]
fn transfer_files_are_apart_and_reads_swap() {
    let mut memory = Memory::default();
    let bytes = vec![1, 2, 3, 4, 5, 6, 7, 8];
    let region = Region {
        writable: true,
        latency: None,
        bytes,
        behind: 0,
    };
    memory.insert(RegionKind::Packet, 0x40, region);
    let command = |action, length| {
        Insn::Command(Command {
            action,
            mode: CommandMode::Short,
            a: A,
            b: Operand::Immediate(0),
            transfer: 0,
            length,
            signal: 1,
            swap: Some(0),
            indirect: false,
        })
    };
    let copy = alu(AluOp::Move, A, Operand::Transfer(0), to(Bank::A, 1));
    let out = Destination {
        operand: Operand::Transfer(0),
        bank: Bank::A,
        both: false,
    };
    let (core, _) = run_with(
        &[
            immed(to(Bank::A, 0), 0x40),
            command(CommandAction::Read32Swap, 0),
            immed(out, 0x0a0b),
            copy,
            command(CommandAction::Write8Swap, 1),
        ],
        &mut memory,
    );
    assert_eq!(core.gpr(Bank::A, 1), Value::from(0x0403_0201));
    assert_eq!(
        memory.read(RegionKind::Packet, 0x40, 4),
        Ok(&[0x0b, 0x0a, 3, 4][..])
    );
    assert!(core.cycles().latency > core.cycles().issue + 90);
    assert!(core.hazards().is_empty());
}

#[test]
fn any_words_end_without_panic() {
    let mut state = 7u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut executed = 0;
    for _ in 0..3000 {
        let mut words = Vec::new();
        while words.len() < 12 {
            let word = next() >> (64 - WORD_BITS);
            if Insn::decode(word).is_ok() {
                words.push(ecc::protect(word));
            }
        }
        words.extend([ecc::protect(NOP); TRAILER]);
        let code = Program::load(&words, START).unwrap_or_else(|error| panic!("{error}"));
        let limits = Limits {
            steps: 100,
            hazards: 8,
        };
        let mut core = Core::new(Latencies::default(), limits, 0);
        // The result is of no interest, only that there is one.
        let _ = core.run(&code, &mut Memory::default(), START.into());
        executed += core.steps();
    }
    assert!(executed > 4000, "{executed}");
}

#[test]
fn additions_keep_the_highest_byte_first_and_the_low_word_first() {
    let mut memory = Memory::default();
    let region = Region {
        writable: true,
        latency: None,
        bytes: vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1],
        behind: 0,
    };
    memory.insert(RegionKind::External, 0x1234, region);
    let add = Insn::Command(Command {
        action: CommandAction::AddImmediate,
        mode: CommandMode::WideB,
        a: A,
        b: B,
        transfer: 0,
        length: 4,
        signal: 0,
        swap: None,
        indirect: true,
    });
    let (core, _) = run_with(
        &[
            immed(to(Bank::A, 0), 0x34),
            immed(to(Bank::B, 0), 0x12),
            // The number 2, to be used as immediate data.
            immed(to(Bank::A, 1), 2 << 3),
            Insn::Immed {
                destination: to(Bank::A, 1),
                value: 2,
                width: Width::Half,
                byte_shift: 2,
                invert: false,
                mode: Mode::default(),
            },
            add,
        ],
        &mut memory,
    );
    let found = memory.read(RegionKind::External, 0x1234, 8);
    assert_eq!(found, Ok(&[0, 0, 0, 1, 0, 0, 0, 2][..]));
    assert!(core.hazards().is_empty());
    assert_eq!(memory.added().len(), 2);
}

#[test]
fn commands_outside_of_memory_are_faults() {
    let read = Insn::Command(Command {
        action: CommandAction::Read8,
        mode: CommandMode::Short,
        a: A,
        b: Operand::Immediate(1),
        transfer: 0,
        length: 7,
        signal: 1,
        swap: Some(2),
        indirect: false,
    });
    let nop = immed(to(Bank::A, 9), 0);
    let code = program(&[immed(to(Bank::A, 0), 0x40), read, nop, nop]);
    let mut core = Core::new(Latencies::default(), Limits::default(), 0);
    let mut memory = Memory::default();
    let region = Region {
        writable: true,
        latency: None,
        bytes: vec![0; 8],
        behind: 0,
    };
    memory.insert(RegionKind::Packet, 0x40, region);
    let fault = core.run(&code, &mut memory, START.into());
    let kind = FaultKind::Memory {
        address: 0x41,
        size: 8,
    };
    // Both slots ran first.
    let at = u32::from(START) + 3;
    assert_eq!(fault, Err(Fault { at, kind }));
}
