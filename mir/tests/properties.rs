//! Properties of random functions: text and renumbering keep their meaning, and what the analyses
//! say of bits is true of runs.

use bpf::diagnostic::FileId;
use bpf::insn::{Cond, Endian};
use bpf::interp::{FaultKind, Machine, Options};
use bpf::program_type::ProgramType;
use mir::analysis::{ControlFlowGraph, DemandedBits, KnownValues};
use mir::interp::Interpreter;
use mir::{Block, Cursor, Format, Func, Function, Module, Opcode, Type, Value};

const FUNCTIONS: u64 = 1500;
const PARAMETERS: usize = 3;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Small numbers, powers of two, masks and noise.
    fn number(&mut self) -> u64 {
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

/// A function of some blocks that each take a wide and a narrow parameter, with edges forward and
/// back, and no memory.
fn random_function(random: &mut Random) -> Function {
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
            random_inst(random, &mut func, block, &mut scope);
        }
        if block == entry {
            outer = scope.clone();
        }
        let args = |random: &mut Random| [random.pick(&scope.wide), random.pick(&scope.narrow)];
        let kind = random.below(4);
        let (to, other) = (random.pick(&others), random.pick(&others));
        if block != entry && kind == 0 {
            let result = random.pick(&scope.wide);
            let result = some_bits(random, &mut func, block, result);
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

fn module_of(func: &Function) -> Module {
    let mut module = Module::new(Endian::Little);
    module.functions.push(func.clone());
    module
}

/// The result; `None` when the run does not end in time.
fn run(module: &Module, args: [u64; PARAMETERS]) -> Option<u64> {
    let mut machine = Machine::new(Endian::Little, ProgramType::Xdp, Options::default());
    let mut interpreter = Interpreter::new(module).strict().with_step_limit(300);
    match interpreter.run(&mut machine, Func::from_u32(0), &args) {
        Ok(run) => Some(run.result),
        Err(fault) => {
            assert_eq!(fault.kind, FaultKind::StepLimit(300));
            None
        }
    }
}

fn for_each_function(mut check: impl FnMut(&mut Random, &Function)) {
    for seed in 1..=FUNCTIONS {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let func = random_function(&mut random);
        check(&mut random, &func);
    }
}

fn random_args(random: &mut Random) -> [u64; PARAMETERS] {
    std::array::from_fn(|_| random.number())
}

#[test]
fn text_and_renumbering_keep_the_meaning() {
    for_each_function(|random, func| {
        let module = module_of(func);
        if let Err(errors) = mir::verify::verify_module(&module) {
            panic!("{}", errors[0].1.annotate(func));
        }
        let text = module.to_string();
        let read = mir::parse::module(FileId(0), &text).expect("what was printed can be read");
        assert_eq!(read.to_string(), text);
        let compact = module_of(&func.compacted());
        assert!(mir::verify::verify_module(&compact).is_ok());
        for _ in 0..3 {
            let args = random_args(random);
            let result = run(&module, args);
            assert_eq!(run(&read, args), result, "{text}");
            assert_eq!(run(&compact, args), result, "{text}");
        }
    });
}

#[test]
fn bits_that_nobody_demands_change_nothing() {
    let mut compared = 0;
    for_each_function(|random, func| {
        let module = module_of(func);
        let demanded = DemandedBits::compute(func, &ControlFlowGraph::compute(func));
        let entry = func.layout.entry().expect("it has a body");
        for _ in 0..4 {
            let args = random_args(random);
            let mut changed = args;
            for (arg, &param) in changed.iter_mut().zip(func.dfg.block_params(entry)) {
                *arg ^= random.next() & !demanded.get(param);
            }
            compared += usize::from(args != changed);
            assert_eq!(run(&module, args), run(&module, changed), "{func}");
        }
    });
    assert!(compared > 1000, "only {compared} runs were different");
}

#[test]
fn known_bits_hold_in_runs() {
    for_each_function(|random, func| {
        let known = KnownValues::compute(func, &ControlFlowGraph::compute(func));
        // Returning a value instead shows it.
        for block in func.layout.blocks() {
            let mut shown = func.clone();
            let Some(last) = shown.terminator(block) else {
                continue;
            };
            let candidates: Vec<Value> = func
                .layout
                .insts(block)
                .filter_map(|inst| func.dfg.result(inst))
                .chain(func.dfg.block_params(block).iter().copied())
                .collect();
            let Some(&value) = candidates.get(random.below(candidates.len().max(1))) else {
                continue;
            };
            shown.layout.remove_inst(last);
            let mut cursor = Cursor::at_end(&mut shown, block);
            let wide = match cursor.func.dfg.value_type(value) {
                Type::I32 => cursor.ins().zext(value),
                Type::I64 => value,
            };
            cursor.ins().return_(wide);
            // A run that leaves elsewhere returns something else: make that visible.
            let module = module_of(&only_here(&shown, block));
            let bits = known.get(func, value);
            for _ in 0..3 {
                if let Some(result) = run(&module, random_args(random))
                    && result != ELSEWHERE
                {
                    assert_eq!(result & bits.zeros, 0, "{value} {bits:x?}\n{func}");
                    assert_eq!(!result & bits.ones, 0, "{value} {bits:x?}\n{func}");
                }
            }
        }
    });
}

const ELSEWHERE: u64 = 0x5eed_0e15_e3e5_0001;

/// The function with every other return giving [`ELSEWHERE`].
fn only_here(func: &Function, here: Block) -> Function {
    let mut func = func.clone();
    let blocks: Vec<Block> = func.layout.blocks().filter(|&b| b != here).collect();
    for block in blocks {
        if let Some(last) = func.terminator(block)
            && func.dfg.inst(last).opcode() == Opcode::Return
        {
            func.layout.remove_inst(last);
            let mut cursor = Cursor::at_end(&mut func, block);
            let marker = cursor.ins().iconst(Type::I64, ELSEWHERE.cast_signed());
            cursor.ins().return_(marker);
        }
    }
    func
}
