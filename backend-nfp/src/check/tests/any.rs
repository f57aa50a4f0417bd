//! Any words have an answer, in bounded time.

use super::*;
use crate::isa::WORD_BITS;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((self.next() >> 32) * limit) >> 32
    }
}

/// A random instruction, whose target, if it has one, is often within the program.
fn word(random: &mut Random, size: u64) -> u64 {
    loop {
        let word = random.next() >> (64 - WORD_BITS);
        let Ok(insn) = Insn::decode(word) else {
            continue;
        };
        let near = START + random.below(size) as u16;
        let insn = match insn {
            Insn::Branch {
                condition, defer, ..
            } => to(condition, near, defer % 3),
            other => other,
        };
        return ecc::protect(insn.encode().unwrap_or(NOP));
    }
}

#[test]
fn random_words() {
    let mut random = Random(5);
    let mut effort = 0;
    for round in 0..3000 {
        let size = 4 + round % 60;
        let mut words: Vec<u64> = (0..size).map(|_| word(&mut random, size)).collect();
        words.extend([ecc::protect(NOP); TRAILER]);
        let lenient = Rules {
            undefined_sources: true,
            ..Rules::default()
        };
        let result = check(&words, START, &lenient);
        effort += result.map_or_else(|found| found.len(), |report| report.effort);
        // Bits that are no instruction.
        let noise: Vec<u64> = (0..size).map(|_| random.next()).collect();
        assert!(check(&noise, random.next() as u16, &lenient).is_err());
    }
    assert!(effort > 3000, "{effort}");
}

/// Branches from everywhere to everywhere, after each of which one register less is defined.
#[test]
fn many_paths_end() {
    let mut random = Random(9);
    let size = 2500;
    let mut code: Vec<Insn> = (0..32).map(|register| immed(b(register), 1)).collect();
    code.truncate(24);
    while code.len() < size - 16 {
        let near = START + random.below(size as u64 - 64) as u16;
        let register = random.below(20) as u8;
        code.extend([
            alu(AluOp::Sub, gpr(22), gpr(register), a(register)),
            to(Condition::Equal, near, 0),
        ]);
    }
    let begun = std::time::Instant::now();
    let _ = checked(&ended(&code));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// Functions that all call one another's successors twice: contexts double at each level.
#[test]
fn many_contexts_end() {
    let mut code = Vec::new();
    for level in 0..20u16 {
        for _ in 0..2 {
            let at = START + code.len() as u16;
            let callee = START + 5 * (level + 1);
            let back = at + 2;
            let register = 1 + (level % 20) as u8;
            code.extend([to(Condition::Always, callee, 1), immed(a(register), back)]);
        }
        let register = 1 + ((level + 19) % 20) as u8;
        code.push(jump(register, Bank::A, 0));
    }
    code.push(jump(20, Bank::A, 0));
    let found = checked(&ended(&code)).unwrap_err();
    let bounded = |rule| matches!(rule, Rule::Depth(_) | Rule::Effort | Rule::UnknownJump);
    assert!(found.iter().any(|found| bounded(found.rule)), "{found:?}");
}
