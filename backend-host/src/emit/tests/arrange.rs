//! Arranged code does what the blocks did: an independent check of sharing ends, of moving
//! instructions before branches and of ordering blocks.

use super::super::arrange::arrange;
use super::super::lines::{End, Line, Target};
use super::{Random, alu, call, constant, copy, exit, frame_address, if_zero, places, reload};
use bpf::insn::{AluOp, Cond, Insn, Operand, Reg, Width};

/// Registers that the code uses; at the end `r0` counts.
const REGISTERS: usize = 4;

/// Instructions after which a run is given up.
const STEPS: usize = 200;

/// Registers, and a value that tells in which order calls and loads were made with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    registers: [u64; 11],
    seen: u64,
}

impl State {
    fn value(&self, src: Operand) -> u64 {
        match src {
            Operand::Reg(reg) => self.registers[usize::from(reg.0)],
            Operand::Imm(imm) => i64::from(imm).cast_unsigned(),
        }
    }

    fn note(&mut self, what: u64) {
        self.seen = self.seen.rotate_left(7).wrapping_mul(31) ^ what;
    }

    /// Executes a line; says whether it is a branch that is taken.
    fn step(&mut self, line: &Line) -> bool {
        match line.insn {
            Insn::Alu { op, dst, src, .. } => {
                let src = self.value(src);
                let dst = &mut self.registers[usize::from(dst.0)];
                *dst = if op == AluOp::Mov {
                    src
                } else {
                    dst.wrapping_add(src)
                };
            }
            Insn::Load { dst, offset, .. } => {
                self.note(u64::from(offset.cast_unsigned()));
                self.registers[usize::from(dst.0)] = self.seen;
            }
            Insn::Call { .. } => {
                for reg in 1..6 {
                    if line.arguments.contains(Reg(reg)) {
                        self.note(self.registers[usize::from(reg)]);
                    }
                }
                self.registers[..6].fill(self.seen);
            }
            Insn::Branch { cond, dst, src, .. } => {
                let equal = self.registers[usize::from(dst.0)] == self.value(src);
                return equal == (cond == Cond::Eq);
            }
            _ => {}
        }
        false
    }
}

/// What the blocks come to; none if that takes too long.
fn run_blocks(bodies: &[Vec<Line>], ends: &[End], mut state: State) -> Option<(u64, u64)> {
    let mut block = 0;
    for _ in 0..STEPS {
        for line in &bodies[block] {
            state.step(line);
        }
        block = match &ends[block] {
            End::Return(_) => return Some((state.registers[0], state.seen)),
            End::Jump(target) => *target,
            End::Branch(line, taken, other) if state.step(line) => {
                let _ = other;
                *taken
            }
            End::Branch(_, _, other) => *other,
        };
    }
    None
}

/// What the lines come to; none if that takes too long.
fn run_lines(blocks: &[(usize, Vec<Line>)], mut state: State) -> Option<(u64, u64)> {
    let lines: Vec<&Line> = blocks.iter().flat_map(|(_, lines)| lines).collect();
    let start = |wanted: usize| -> usize {
        let before = blocks.iter().take_while(|(block, _)| *block != wanted);
        before.map(|(_, lines)| lines.len()).sum()
    };
    let mut at = 0;
    for _ in 0..STEPS * 20 {
        let line = lines[at];
        at += 1;
        match (&line.insn, line.target) {
            (Insn::Exit, _) => return Some((state.registers[0], state.seen)),
            (Insn::Goto { .. }, Target::Block(block)) => at = start(block),
            (_, Target::Block(block)) => {
                if state.step(line) {
                    at = start(block);
                }
            }
            _ => {
                state.step(line);
            }
        }
    }
    None
}

fn random_lines(random: &mut Random) -> Vec<Line> {
    let reg = |random: &mut Random| random.below(REGISTERS) as u8;
    match random.below(8) {
        0 | 1 => vec![constant(reg(random), random.below(2) as i32)],
        2 => vec![copy(reg(random), reg(random))],
        3 | 4 => {
            let dst = reg(random);
            vec![alu(Width::W64, AluOp::Add, dst, Operand::Imm(1))]
        }
        5 => vec![reload(reg(random), -100)],
        6 => frame_address(2, -8).to_vec(),
        _ => vec![call(&[1])],
    }
}

#[test]
fn arranged_code_does_the_same() {
    let mut random = Random(3);
    let (mut ended, mut before, mut after) = (0, 0, 0);
    for _ in 0..3000 {
        let blocks = 2 + random.below(6);
        let mut ends: Vec<End> = Vec::new();
        let mut bodies: Vec<Vec<Line>> = Vec::new();
        for block in 0..blocks {
            let mut body: Vec<Line> = Vec::new();
            for _ in 0..random.below(4) {
                body.extend(random_lines(&mut random));
            }
            // Many ends alike, as error paths have them.
            if block > 0 && random.below(2) == 0 {
                let shared = bodies[random.below(block)].clone();
                let kept = random.below(shared.len() + 1);
                body.extend_from_slice(&shared[kept..]);
            }
            bodies.push(body);
            let (to, other) = (random.below(blocks), random.below(blocks));
            ends.push(match random.below(6) {
                0 | 1 => exit(),
                2 | 3 => End::Jump(to),
                _ => End::Branch(if_zero(random.below(REGISTERS) as u8), to, other),
            });
        }
        let layout: Vec<usize> = (0..blocks).collect();
        let arranged = arrange(bodies.clone(), ends.clone(), &layout, places(), true).blocks;
        for _ in 0..4 {
            let mut state = State {
                registers: [0; 11],
                seen: 1,
            };
            for register in &mut state.registers[..REGISTERS] {
                *register = random.below(3) as u64;
            }
            if let Some(expected) = run_blocks(&bodies, &ends, state) {
                ended += 1;
                let found = run_lines(&arranged, state);
                assert_eq!(
                    found,
                    Some(expected),
                    "{bodies:#?}\n{ends:#?}\n{arranged:#?}"
                );
            }
        }
        before += bodies.iter().map(Vec::len).sum::<usize>();
        after += arranged.iter().map(|(_, lines)| lines.len()).sum::<usize>();
    }
    assert!(ended > 4000, "{ended}");
    assert!(after < before * 3 / 2, "{after} {before}");
}
