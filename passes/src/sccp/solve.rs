//! Which values are one constant on every way that can be taken, and which edges can be.
//!
//! Both begin with the best that could be (nothing is known to be computed, no edge to be taken) and
//! get worse as the walk finds ways, so that what a loop carries is judged by what really enters
//! it. Each value gets worse three times at most and each edge is found once, which bounds the work
//! by the number of uses.

use bpf::insn::Endian;
use cranelift_entity::{EntitySet, SecondaryMap};
use mir::{Block, Function, Inst, InstData, Opcode, Type, Value, ValueDef, eval};
use smallvec::SmallVec;

use crate::facts::memory::Users;

/// What a value is on the ways found so far. The order is that of getting worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Known {
    /// No way to it was found.
    #[default]
    Nothing,
    /// Nobody wrote it: it may be moved, and then counts as whatever it meets.
    Unwritten,
    /// This number, as the interpreter keeps one of the value's type.
    Constant(u64),
    /// Different things, or what only the run shows.
    Anything,
}

impl Known {
    fn meet(self, other: Known) -> Known {
        match (self, other) {
            (Known::Nothing, known) | (known, Known::Nothing) => known,
            (Known::Unwritten, known) | (known, Known::Unwritten) => known,
            (a, b) if a == b => a,
            _ => Known::Anything,
        }
    }
}

/// What was found of a function.
pub(super) struct Solution {
    known: SecondaryMap<Value, Known>,
    taken: SecondaryMap<Inst, [bool; 2]>,
    reached: EntitySet<Block>,
}

impl Solution {
    /// The constant that a value always is.
    pub(super) fn constant(&self, value: Value) -> Option<u64> {
        match self.known[value] {
            Known::Constant(number) => Some(number),
            _ => None,
        }
    }

    /// Whether any way leads to a block.
    pub(super) fn is_reached(&self, block: Block) -> bool {
        self.reached.contains(block)
    }

    /// The only successor that a terminator goes to.
    pub(super) fn only_way(&self, inst: Inst) -> Option<usize> {
        match self.taken[inst] {
            [true, false] => Some(0),
            [false, true] => Some(1),
            _ => None,
        }
    }
}

/// Finds what is constant and what is reached in a function whose aliases are resolved.
pub(super) fn solve(func: &Function, endian: Endian) -> Solution {
    let mut solver = Solver {
        func,
        endian,
        users: Users::find(func),
        found: Solution {
            known: SecondaryMap::with_capacity(func.dfg.value_count()),
            taken: SecondaryMap::with_capacity(func.dfg.inst_count()),
            reached: EntitySet::with_capacity(func.dfg.block_count()),
        },
        blocks: Vec::new(),
        values: Vec::new(),
    };
    if let Some(entry) = func.layout.entry() {
        for &param in func.dfg.block_params(entry) {
            solver.worsen(param, Known::Anything);
        }
        solver.reach(entry);
    }
    solver.run();
    solver.found
}

struct Solver<'f> {
    func: &'f Function,
    endian: Endian,
    users: Users,
    found: Solution,
    blocks: Vec<Block>,
    values: Vec<Value>,
}

impl Solver<'_> {
    fn run(&mut self) {
        loop {
            // Values first: a branch that is looked at late finds more of its operands settled.
            if let Some(value) = self.values.pop() {
                let users: SmallVec<[Inst; 8]> = self.users.of(self.func, value).collect();
                for inst in users {
                    let block = self.func.layout.inst_block(inst);
                    if block.is_some_and(|block| self.found.reached.contains(block)) {
                        self.visit(inst);
                    }
                }
            } else if let Some(block) = self.blocks.pop() {
                for inst in self.func.layout.insts(block) {
                    self.visit(inst);
                }
            } else {
                return;
            }
        }
    }

    fn reach(&mut self, block: Block) {
        if self.found.reached.insert(block) {
            self.blocks.push(block);
        }
    }

    fn worsen(&mut self, value: Value, known: Known) {
        let old = self.found.known[value];
        let new = old.meet(known);
        if old != new {
            self.found.known[value] = new;
            self.values.push(value);
        }
    }

    fn visit(&mut self, inst: Inst) {
        if let Some(result) = self.func.dfg.result(inst) {
            let known = self.computed(inst, self.func.dfg.value_type(result));
            self.worsen(result, known);
            return;
        }
        let ways = self.ways(inst);
        for (index, call) in self.func.dfg.successors(inst).iter().enumerate() {
            if !ways[index] {
                continue;
            }
            self.found.taken[inst][index] = true;
            let params = self.func.dfg.block_params(call.block);
            for (&param, &arg) in params.iter().zip(self.func.dfg.call_args(call)) {
                self.worsen(param, self.found.known[arg]);
            }
            self.reach(call.block);
        }
    }

    /// What an instruction computes from what is known of its operands.
    fn computed(&self, inst: Inst, ty: Type) -> Known {
        if self.func.is_patched(inst) {
            return Known::Anything;
        }
        match *self.func.dfg.inst(inst) {
            InstData::Const { imm, .. } => Known::Constant(eval::to_type(ty, imm as u64)),
            InstData::Nullary {
                opcode: Opcode::Undef,
                ..
            } => Known::Unwritten,
            InstData::Unary { opcode, arg, .. } => {
                self.with([arg], |[arg]| eval::unary(opcode, ty, arg, self.endian))
            }
            InstData::Binary { opcode, args, .. } => {
                self.with(args, |[a, b]| eval::binary(opcode, ty, a, b))
            }
            _ => Known::Anything,
        }
    }

    /// The result of an operation on operands that are all constant. One that is not reached yet
    /// leaves the result so; one that nobody wrote may be no operand, and proves nothing.
    fn with<const N: usize>(
        &self,
        args: [Value; N],
        evaluate: impl Fn([u64; N]) -> Option<u64>,
    ) -> Known {
        let known = args.map(|arg| self.found.known[arg]);
        if known.contains(&Known::Nothing) {
            return Known::Nothing;
        }
        let mut numbers = [0; N];
        for (number, known) in numbers.iter_mut().zip(known) {
            match known {
                Known::Constant(constant) => *number = constant,
                _ => return Known::Anything,
            }
        }
        evaluate(numbers).map_or(Known::Anything, Known::Constant)
    }

    /// Which successors a terminator can go to.
    fn ways(&self, inst: Inst) -> [bool; 2] {
        let InstData::Branch { cond, ty, args, .. } = *self.func.dfg.inst(inst) else {
            return [true; 2];
        };
        if self.func.is_patched(inst) {
            return [true; 2];
        }
        match args.map(|arg| self.found.known[arg]) {
            [Known::Nothing, _] | [_, Known::Nothing] => [false; 2],
            [Known::Constant(a), Known::Constant(b)] => {
                let holds = eval::compare(cond, ty, a, b);
                [holds, !holds]
            }
            _ => [true; 2],
        }
    }
}

/// Whether a value is defined by an instruction that says the constant already.
pub(super) fn is_spelled_out(func: &Function, value: Value) -> bool {
    match func.dfg.value_def(value) {
        ValueDef::Result(inst) => matches!(func.dfg.inst(inst), InstData::Const { .. }),
        _ => false,
    }
}
