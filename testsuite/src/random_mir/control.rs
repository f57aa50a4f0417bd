//! Statements in sequence, and those that branch: alternatives with values that meet, loops that
//! count, and blocks that do nothing.

use bpf::insn::Cond;
use mir::{Block, Opcode, Type, Value};

use super::maker::{Kind, Maker, Scope};

/// Branches and loops inside of each other.
const MAX_DEPTH: u32 = 4;

const CONDITIONS: [Cond; 11] = [
    Cond::Eq,
    Cond::Ne,
    Cond::Gt,
    Cond::Ge,
    Cond::Lt,
    Cond::Le,
    Cond::Set,
    Cond::Sgt,
    Cond::Sge,
    Cond::Slt,
    Cond::Sle,
];

impl Maker<'_> {
    /// Some statements in a row.
    pub(super) fn statements(&mut self) {
        let count = 1 + self.random.below(if self.depth == 0 { 24 } else { 5 });
        for _ in 0..count {
            if self.fuel == 0 {
                return;
            }
            self.fuel -= 1;
            self.statement();
        }
    }

    fn statement(&mut self) {
        let deep = self.depth >= MAX_DEPTH;
        match self.random.below(24) {
            0..=6 => self.number(),
            7..=12 => self.accesses(),
            13 | 14 if !deep => self.alternative(),
            15 if !deep => self.repeat(),
            16 | 17 if !deep => self.with_packet(),
            18 | 19 if !deep => self.with_element(),
            20 => self.change_map(),
            21 => match self.random.below(4) {
                0 => self.move_packet(),
                1 | 2 => self.ask(),
                _ => self.call(),
            },
            22 if !deep => self.leave_early(),
            23 => self.detour(),
            _ => self.number(),
        }
    }

    /// Goes on in a new block, in which nothing else is known than before.
    fn begin(&mut self, block: Block) {
        self.func.layout.append_block(block);
        self.block = block;
    }

    fn new_block(&mut self) -> Block {
        self.func.dfg.make_block()
    }

    /// What is compared and how.
    fn comparison(&mut self) -> (Cond, Type, [Value; 2]) {
        let ty = self.pick(&[Type::I32, Type::I64]);
        let left = self.of(ty);
        let right = match self.random.below(4) {
            0 => self.of(ty),
            _ => self.constant(ty),
        };
        (self.pick(&CONDITIONS), ty, [left, right])
    }

    /// Statements that only run where a comparison of 64 bits holds.
    pub(super) fn where_holds(
        &mut self,
        cond: Cond,
        args: [Value; 2],
        statements: impl FnOnce(&mut Self),
    ) {
        let (inside, after) = (self.new_block(), self.new_block());
        self.at_end()
            .ins()
            .branch(cond, Type::I64, args, (inside, &[]), (after, &[]));
        let outer = self.scope.clone();
        self.begin(inside);
        self.depth += 1;
        statements(self);
        self.depth -= 1;
        self.at_end().ins().jump(after, &[]);
        self.begin(after);
        self.restore(outer);
    }

    /// Back to what was known before a branch. Packets that moved on one way have moved.
    fn restore(&mut self, mut outer: Scope) {
        let gone = |kind: Kind, scope: &Scope| scope.regions.iter().all(|one| one.kind != kind);
        if gone(Kind::Packet, &self.scope) {
            outer.regions.retain(|one| one.kind != Kind::Packet);
        }
        self.scope = outer;
    }

    /// Two ways that meet, with values that depend on which was taken.
    fn alternative(&mut self) {
        let (cond, ty, args) = self.comparison();
        let (first, second, after) = (self.new_block(), self.new_block(), self.new_block());
        let types: Vec<Type> = (0..self.random.below(3))
            .map(|_| self.pick(&[Type::I32, Type::I64]))
            .collect();
        self.at_end()
            .ins()
            .branch(cond, ty, args, (first, &[]), (second, &[]));
        let mut outer = self.scope.clone();
        self.depth += 1;
        for block in [first, second] {
            self.begin(block);
            self.scope = outer.clone();
            if block == first || self.random.below(2) == 0 {
                self.statements();
            }
            let passed: Vec<Value> = types.iter().map(|&ty| self.of(ty)).collect();
            self.at_end().ins().jump(after, &passed);
            let before = outer.clone();
            self.restore(before);
            outer = self.scope.clone();
        }
        self.depth -= 1;
        for ty in types {
            let param = self.func.dfg.append_block_param(after, ty);
            self.add(param);
        }
        self.begin(after);
    }

    /// A loop over a few numbers, with a value that is carried around.
    fn repeat(&mut self) {
        let (head, after) = (self.new_block(), self.new_block());
        let rounds = 1 + self.random.below(5) as i64;
        let (zero, start) = (self.at_end().ins().iconst(Type::I64, 0), self.value());
        self.at_end().ins().jump(head, &[zero, start]);
        // A packet that moves in the loop has moved at its start.
        let mut outer = self.scope.clone();
        outer.regions.retain(|one| one.kind != Kind::Packet);
        self.scope = outer.clone();
        let index = self.func.dfg.append_block_param(head, Type::I64);
        let carried = self.func.dfg.append_block_param(head, Type::I64);
        self.begin(head);
        self.scope.wide.extend([index, carried]);
        self.depth += 1;
        self.statements();
        self.depth -= 1;
        let one = self.at_end().ins().iconst(Type::I64, 1);
        let next = self
            .at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, index, one);
        let rounds = self.at_end().ins().iconst(Type::I64, rounds);
        let value = self.wide();
        self.at_end().ins().branch(
            Cond::Lt,
            Type::I64,
            [next, rounds],
            (head, &[next, value]),
            (after, &[value]),
        );
        self.scope = outer;
        let last = self.func.dfg.append_block_param(after, Type::I64);
        self.add(last);
        self.begin(after);
    }

    /// A way out of the function.
    fn leave_early(&mut self) {
        let (cond, ty, args) = self.comparison();
        let (out, after) = (self.new_block(), self.new_block());
        self.at_end()
            .ins()
            .branch(cond, ty, args, (out, &[]), (after, &[]));
        self.begin(out);
        self.leave();
        self.begin(after);
    }

    /// A jump, or a branch that is decided or whose ways are the same.
    fn detour(&mut self) {
        let (inside, after) = (self.new_block(), self.new_block());
        let value = self.value();
        let param = self.func.dfg.append_block_param(after, Type::I64);
        match self.random.below(3) {
            0 => {
                self.at_end().ins().jump(inside, &[]);
            }
            1 => {
                let (cond, ty, args) = self.comparison();
                self.at_end()
                    .ins()
                    .branch(cond, ty, args, (inside, &[]), (after, &[value]));
            }
            _ => {
                let args = [self.constant(Type::I64), self.constant(Type::I64)];
                let cond = self.pick(&CONDITIONS);
                let ways = ((inside, &[][..]), (after, &[value][..]));
                self.at_end()
                    .ins()
                    .branch(cond, Type::I64, args, ways.0, ways.1);
            }
        }
        self.begin(inside);
        self.at_end().ins().jump(after, &[value]);
        self.begin(after);
        self.add(param);
    }
}
