//! Copies are removed where that changes nothing, and kept where it would.

mod arrange;
mod order;
mod relax;

use super::copies::{self, Code};
use super::lines::{End, Line, Target};
use super::places::Places;
use bpf::insn::{AluOp, CallTarget, Cond, Insn, MemWidth, Operand, Reg, RegSet, Width};

fn line(insn: Insn) -> Line {
    Line {
        insn,
        target: Target::None,
        location: None,
        origin: 0,
        core_relo: None,
        arguments: RegSet::EMPTY,
    }
}

fn alu(width: Width, op: AluOp, dst: u8, src: Operand) -> Line {
    line(Insn::Alu {
        width,
        op,
        dst: Reg(dst),
        src,
    })
}

fn copy(dst: u8, src: u8) -> Line {
    alu(Width::W64, AluOp::Mov, dst, Operand::Reg(Reg(src)))
}

fn constant(dst: u8, imm: i32) -> Line {
    alu(Width::W32, AluOp::Mov, dst, Operand::Imm(imm))
}

fn call(arguments: &[u8]) -> Line {
    Line {
        arguments: arguments.iter().copied().map(Reg).collect(),
        ..line(Insn::Call {
            target: CallTarget::Helper(7),
        })
    }
}

fn reload(dst: u8, offset: i16) -> Line {
    line(Insn::Load {
        width: MemWidth::B64,
        signed: false,
        dst: Reg(dst),
        base: Reg(10),
        offset,
    })
}

fn spill(src: u8, offset: i16) -> Line {
    line(Insn::Store {
        width: MemWidth::B64,
        base: Reg(10),
        offset,
        src: Operand::Reg(Reg(src)),
    })
}

fn if_zero(dst: u8) -> Line {
    line(Insn::Branch {
        width: Width::W64,
        cond: Cond::Eq,
        dst: Reg(dst),
        src: Operand::Imm(0),
        offset: 0,
    })
}

/// Numbers that look random, the same ones each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

/// Two spill slots, from -16 downward.
fn places() -> Places {
    Places {
        spill_base: -16,
        slots: 2,
    }
}

fn exit() -> End {
    End::Return(line(Insn::Exit))
}

/// The text of all blocks after copies were removed; two spill slots, from -16 downward.
fn removed(blocks: Vec<(Vec<Line>, End)>) -> Vec<String> {
    let (mut bodies, mut ends): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
    copies::remove(&mut Code {
        bodies: &mut bodies,
        ends: &mut ends,
        places: Places {
            spill_base: -16,
            slots: 2,
        },
    });
    let ends = ends.iter().map(|end| match end {
        End::Branch(line, ..) | End::Return(line) => line.insn.to_string(),
        End::Jump(_) => "jump".to_owned(),
    });
    let text = |body: &Vec<Line>| -> Vec<String> {
        body.iter().map(|line| line.insn.to_string()).collect()
    };
    let bodies = bodies.iter().map(text);
    bodies
        .zip(ends)
        .map(|(mut lines, end)| {
            lines.push(end);
            lines.join("; ")
        })
        .collect()
}

#[test]
fn a_value_is_made_where_it_is_needed() {
    let body = vec![
        constant(0, 5),
        alu(Width::W64, AluOp::Add, 0, Operand::Imm(2)),
        copy(9, 0),
        call(&[]),
        alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(9))),
    ];
    assert_eq!(
        removed(vec![(body, exit())]),
        ["w9 = 0x5; r9 += 0x2; call 0x7; r0 += r9; exit"]
    );
}

#[test]
fn a_value_is_changed_where_it_lies() {
    let first = vec![call(&[]), copy(6, 0), call(&[])];
    let second = vec![copy(1, 6), alu(Width::W64, AluOp::Add, 1, Operand::Imm(2))];
    let blocks = vec![
        (first, End::Jump(1)),
        (second, End::Branch(if_zero(1), 2, 2)),
        (vec![constant(0, 0)], exit()),
    ];
    assert_eq!(
        removed(blocks),
        [
            "call 0x7; r6 = r0; call 0x7; jump".to_owned(),
            format!("r6 += 0x2; {}", if_zero(6).insn),
            "w0 = 0x0; exit".to_owned(),
        ]
    );
}

#[test]
fn what_is_needed_in_both_places_stays() {
    let body = vec![
        call(&[]),
        copy(1, 0),
        copy(6, 0),
        call(&[1]),
        alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(6))),
    ];
    let expected = body
        .iter()
        .map(|line| line.insn.to_string())
        .collect::<Vec<_>>()
        .join("; ");
    let found = removed(vec![(body, exit())]);
    assert_eq!(found, [format!("{expected}; exit")]);
}

#[test]
fn spills_of_what_is_in_a_register_go() {
    let body = vec![
        call(&[]),
        spill(0, -16),
        copy(6, 0),
        call(&[]),
        reload(1, -16),
        alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(1))),
        alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(6))),
    ];
    let found = removed(vec![(body, exit())]);
    assert_eq!(
        found,
        ["call 0x7; r6 = r0; call 0x7; r0 += r6; r0 += r6; exit"]
    );
}

#[test]
fn stores_to_the_stack_of_the_program_stay() {
    let body = vec![constant(0, 1), spill(0, -8), spill(0, -32)];
    let found = removed(vec![(body, exit())]);
    assert_eq!(
        found,
        ["w0 = 0x1; *(u64 *)(r10 - 0x8) = r0; *(u64 *)(r10 - 0x20) = r0; exit"]
    );
}

#[test]
fn what_only_one_path_copies_is_not_taken_for_equal() {
    let blocks = vec![
        (
            vec![call(&[]), copy(6, 0), call(&[]), copy(7, 0)],
            End::Branch(if_zero(7), 1, 2),
        ),
        (vec![copy(7, 6)], End::Jump(2)),
        (
            vec![
                copy(0, 7),
                alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(6))),
            ],
            exit(),
        ),
    ];
    let found = removed(blocks);
    // The result is in r0 on both paths, and a copy remains on one.
    assert_eq!(found[1], "r0 = r6; jump");
    assert_eq!(found[2], "r0 += r6; exit");
}

#[test]
fn copies_on_edges_go_with_their_blocks() {
    let blocks = vec![
        (
            vec![call(&[]), copy(7, 0), call(&[])],
            End::Branch(if_zero(0), 1, 2),
        ),
        (vec![copy(1, 7)], End::Jump(3)),
        (
            vec![alu(Width::W64, AluOp::Mov, 1, Operand::Imm(9))],
            End::Jump(3),
        ),
        (
            vec![
                alu(Width::W64, AluOp::Add, 1, Operand::Imm(2)),
                alu(Width::W64, AluOp::Mul, 1, Operand::Imm(3)),
                copy(0, 1),
            ],
            exit(),
        ),
    ];
    let found = removed(blocks);
    assert_eq!(
        found,
        [
            "call 0x7; r7 = r0; call 0x7; if r0 == 0x0 goto +0x0",
            "jump",
            "r7 = 0x9; jump",
            "r7 += 0x2; r7 *= 0x3; r0 = r7; exit",
        ]
    );
}

fn frame_address(dst: u8, offset: i32) -> [Line; 2] {
    [
        copy(dst, 10),
        alu(Width::W64, AluOp::Add, dst, Operand::Imm(offset)),
    ]
}

/// Lines that read a register and then call.
fn lookup(offset: i32) -> Vec<Line> {
    frame_address(2, offset)
        .into_iter()
        .chain([call(&[2])])
        .collect()
}

fn reused(bodies: &mut [Vec<Line>], ends: &mut [End]) -> bool {
    super::reuse::constants(&mut Code {
        bodies,
        ends,
        places: Places {
            spill_base: -8,
            slots: 0,
        },
    })
}

#[test]
fn a_frame_address_stays_in_a_free_register() {
    let mut bodies = vec![[lookup(-8), lookup(-16), lookup(-8), lookup(-8)].concat()];
    let mut ends = vec![End::Return(line(Insn::Exit))];
    assert!(reused(&mut bodies, &mut ends));
    let shown: Vec<String> = bodies[0].iter().map(|line| line.insn.to_string()).collect();
    assert_eq!(
        shown,
        [
            "r6 = r10",
            "r6 += -0x8",
            "r2 = r6",
            "call 0x7",
            "r2 = r10",
            "r2 += -0x10",
            "call 0x7",
            "r2 = r6",
            "call 0x7",
            "r2 = r6",
            "call 0x7",
        ]
    );
}

#[test]
fn a_frame_address_waits_for_no_register() {
    // All four registers hold something that is read at the end.
    let taken: Vec<Line> = (6..=9).map(|register| constant(register, 1)).collect();
    let sums = (6..=9).map(|register| alu(Width::W64, AluOp::Add, 0, Operand::Reg(Reg(register))));
    let body = [taken, lookup(-8), lookup(-8), lookup(-8), sums.collect()].concat();
    let mut bodies = vec![body];
    let before = bodies[0].len();
    assert!(!reused(&mut bodies, &mut [End::Return(line(Insn::Exit))]));
    assert_eq!(bodies[0].len(), before);
}

#[test]
fn a_frame_address_is_taken_only_where_every_way_made_it() {
    // Block 1 makes it, block 2 does not; both lead to block 3.
    let end = || {
        let test = line(Insn::Branch {
            width: Width::W64,
            cond: Cond::Eq,
            dst: Reg(0),
            src: Operand::Imm(0),
            offset: 0,
        });
        [
            End::Branch(test, 1, 2),
            End::Jump(3),
            End::Jump(3),
            End::Return(line(Insn::Exit)),
        ]
    };
    let uses = [lookup(-8), lookup(-8)].concat();
    let mut one_way = vec![Vec::new(), lookup(-8), call_only(), uses.clone()];
    assert!(!reused(&mut one_way, &mut end()));
    let mut both_ways = vec![
        Vec::new(),
        lookup(-8),
        lookup(-8),
        [uses, lookup(-8)].concat(),
    ];
    assert!(reused(&mut both_ways, &mut end()));
    assert_eq!(
        both_ways[3]
            .iter()
            .filter(|line| line.insn.to_string() == "r2 = r6")
            .count(),
        3
    );
}

fn call_only() -> Vec<Line> {
    vec![call(&[])]
}
