//! Random functions and their runs, for the tests of this crate and of those that transform MIR.

mod fields;

use bpf::insn::{Cond, Endian, MemWidth};
use bpf::interp::{FaultKind, Machine, Options};
use bpf::program_type::ProgramType;
use mir::interp::Interpreter;
use mir::{Block, Cursor, Format, Func, Function, Module, Opcode, Type, Value};

const FUNCTIONS: u64 = 1500;

/// Parameters of every function.
pub const PARAMETERS: usize = 3;

/// Numbers from a seed, the same on every machine.
pub struct Random(u64);

impl Random {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Small numbers, powers of two, masks and noise.
    pub fn number(&mut self) -> u64 {
        let noise = self.next();
        match self.below(4) {
            0 => noise % 70,
            1 => 1 << (noise % 64),
            2 => u64::MAX >> (noise % 64),
            _ => noise,
        }
    }
}

/// Values that a block may use, by type.
#[derive(Clone, Default)]
struct Scope {
    wide: Vec<Value>,
    narrow: Vec<Value>,
}

impl Scope {
    fn add(&mut self, func: &Function, value: Value) {
        match func.dfg.value_type(value) {
            Type::I32 => self.narrow.push(value),
            Type::I64 => self.wide.push(value),
        }
    }

    fn of(&self, ty: Type) -> &[Value] {
        match ty {
            Type::I32 => &self.narrow,
            Type::I64 => &self.wide,
        }
    }
}

fn random_type(random: &mut Random) -> Type {
    random.pick(&[Type::I32, Type::I64])
}

/// A pure instruction on what the scope has.
fn random_inst(random: &mut Random, func: &mut Function, block: Block, scope: &mut Scope) {
    let (ty, opcode) = (random_type(random), random.pick(Opcode::ALL));
    let value = match opcode.format() {
        Format::Binary => {
            let left = random.pick(scope.of(ty));
            // Half of all right operands are constants, as in real code.
            let right = match random.below(2) {
                0 => random.pick(scope.of(ty)),
                _ => constant(random, func, block, ty),
            };
            let args = [left, right];
            let mut cursor = Cursor::at_end(func, block);
            cursor.ins().binary(opcode, ty, args[0], args[1])
        }
        Format::Unary => {
            let (from, to) = match opcode {
                Opcode::Sext | Opcode::Zext => (Type::I32, Type::I64),
                Opcode::Trunc => (Type::I64, Type::I32),
                Opcode::Ineg | Opcode::Sext8 | Opcode::Sext16 => (ty, ty),
                _ => (Type::I64, Type::I64),
            };
            let arg = random.pick(scope.of(from));
            Cursor::at_end(func, block).ins().unary(opcode, to, arg)
        }
        _ => constant(random, func, block, ty),
    };
    scope.add(func, value);
}

fn constant(random: &mut Random, func: &mut Function, block: Block, ty: Type) -> Value {
    let number = random.number().cast_signed();
    Cursor::at_end(func, block).ins().iconst(ty, number)
}

/// Some bits of a value: without masks everything demands everything, and nothing is known.
fn some_bits(random: &mut Random, func: &mut Function, block: Block, value: Value) -> Value {
    let ty = func.dfg.value_type(value);
    let mask = constant(random, func, block, ty);
    let mut cursor = Cursor::at_end(func, block);
    cursor.ins().binary(Opcode::Band, ty, value, mask)
}

/// Whether functions use their frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Registers only.
    None,
    /// Loads and stores of stack slots as well.
    Stack,
    /// A buffer that is written, copied and read in pieces.
    Fields,
}

/// Slots of eight bytes that functions use.
const SLOTS: usize = 4;

/// One slot is narrow.
fn slot_width(offset: i32) -> MemWidth {
    match offset {
        -16 => MemWidth::B16,
        _ => MemWidth::B64,
    }
}

/// Stores to a slot or loads from one, mostly whole ones.
fn random_access(random: &mut Random, func: &mut Function, block: Block, scope: &mut Scope) {
    let offset = -8 * (1 + random.below(SLOTS) as i32);
    // One slot is used by its half too, which makes it memory for good.
    let width = match (offset, random.below(4)) {
        (-8, 0) => MemWidth::B32,
        _ => slot_width(offset),
    };
    let value = random.pick(&scope.wide);
    let mut cursor = Cursor::at_end(func, block);
    let frame = cursor.ins().frame();
    if random.below(2) == 0 {
        cursor
            .ins()
            .store(Opcode::Store, width, frame, offset, value);
    } else {
        let opcode = match width {
            MemWidth::B64 => Opcode::Load,
            _ => random.pick(&[Opcode::Load, Opcode::Sload]),
        };
        let loaded = cursor.ins().load(opcode, width, frame, offset);
        scope.wide.push(loaded);
    }
}

/// A function of some blocks that each take a wide and a narrow parameter, with edges forward and
/// back.
pub fn random_function(random: &mut Random, memory: Memory) -> Function {
    let mut func = Function::new("random");
    func.parameter_count = PARAMETERS as u8;
    let entry = func.append_new_block();
    let mut outer = Scope::default();
    for _ in 0..PARAMETERS {
        func.dfg.append_block_param(entry, Type::I64);
    }
    for param in func.dfg.block_params(entry).to_vec() {
        let value = some_bits(random, &mut func, entry, param);
        outer.add(&func, value);
    }
    let first = outer.wide[0];
    if memory == Memory::Stack {
        for slot in 1..=SLOTS as i32 {
            let mut cursor = Cursor::at_end(&mut func, entry);
            let frame = cursor.ins().frame();
            let width = slot_width(-8 * slot);
            cursor
                .ins()
                .store(Opcode::Store, width, frame, -8 * slot, first);
        }
    }
    if memory == Memory::Fields {
        fields::fill(&mut func, entry, first);
    }
    let narrow = Cursor::at_end(&mut func, entry).ins().trunc(first);
    outer.add(&func, narrow);
    let others: Vec<Block> = (0..1 + random.below(5))
        .map(|_| {
            let block = func.append_new_block();
            func.dfg.append_block_param(block, Type::I64);
            func.dfg.append_block_param(block, Type::I32);
            block
        })
        .collect();
    for block in std::iter::once(entry).chain(others.iter().copied()) {
        let mut scope = outer.clone();
        if block != entry {
            for param in func.dfg.block_params(block).to_vec() {
                scope.add(&func, param);
            }
        }
        for _ in 0..1 + random.below(8) {
            if memory == Memory::Stack && random.below(3) == 0 {
                random_access(random, &mut func, block, &mut scope);
            } else if memory == Memory::Fields && random.below(2) == 0 {
                fields::step(random, &mut func, block, &mut scope.wide);
            } else {
                random_inst(random, &mut func, block, &mut scope);
            }
        }
        if block == entry {
            outer = scope.clone();
        }
        let args = |random: &mut Random| [random.pick(&scope.wide), random.pick(&scope.narrow)];
        let kind = random.below(4);
        let (to, other) = (random.pick(&others), random.pick(&others));
        if block != entry && kind == 0 {
            let result = random.pick(&scope.wide);
            let mut result = some_bits(random, &mut func, block, result);
            if memory == Memory::Fields {
                result = fields::digest(&mut func, block, result);
            }
            Cursor::at_end(&mut func, block).ins().return_(result);
        } else if kind == 1 {
            let args = args(random);
            Cursor::at_end(&mut func, block).ins().jump(to, &args);
        } else {
            let ty = random_type(random);
            let cond = random.pick(&[Cond::Eq, Cond::Gt, Cond::Sle, Cond::Set, Cond::Lt]);
            let left = random.pick(scope.of(ty));
            let left = some_bits(random, &mut func, block, left);
            let compared = [left, constant(random, &mut func, block, ty)];
            let (taken, not_taken) = (args(random), args(random));
            Cursor::at_end(&mut func, block).ins().branch(
                cond,
                ty,
                compared,
                (to, &taken),
                (other, &not_taken),
            );
        }
    }
    func
}

/// A module of one function.
pub fn module_of(func: &Function) -> Module {
    let mut module = Module::new(Endian::Little);
    module.functions.push(func.clone());
    module
}

/// The result; `None` when the run does not end in time.
pub fn run(module: &Module, args: [u64; PARAMETERS], steps: u64) -> Option<u64> {
    let mut machine = Machine::new(Endian::Little, ProgramType::Xdp, Options::default());
    let mut interpreter = Interpreter::new(module).strict().with_step_limit(steps);
    match interpreter.run(&mut machine, Func::from_u32(0), &args) {
        Ok(run) => Some(run.result),
        Err(fault) => {
            assert_eq!(fault.kind, FaultKind::StepLimit(steps));
            None
        }
    }
}

/// Makes functions, the same ones each time.
pub fn for_each_function(memory: Memory, mut check: impl FnMut(&mut Random, &Function)) {
    for seed in 1..=FUNCTIONS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let func = random_function(&mut random, memory);
        check(&mut random, &func);
    }
}

/// Arguments for a run.
pub fn random_args(random: &mut Random) -> [u64; PARAMETERS] {
    std::array::from_fn(|_| random.number())
}
