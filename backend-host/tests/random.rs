//! Random functions do the same as code as they do as MIR: an independent check of selection, of
//! what follows register allocation, and of the order of blocks. The allocator's own checker runs
//! beside it.

#[path = "../../mir/tests/generate/mod.rs"]
mod generate;

use backend_host::{Allocator, EmittedFunction, Options, emit_function};
use bpf::insn::{Cpu, Endian};
use bpf::interp::{Image, Interpreter, Machine, Program};
use bpf::program_type::ProgramType;
use generate::{Memory, for_each_function, module_of, random_args, run};
use mir::{Block, Cursor, Func, Function, Inst, InstData, Opcode, Type, Value};

/// Steps of the function after which a run is given up.
const STEPS: u64 = 300;

/// Steps of the code: a MIR instruction is a few of them at most.
const STEPS_OF_CODE: u64 = 6000;

/// Runs with different arguments for each function.
const RUNS: usize = 4;

fn run_code(emitted: &EmittedFunction, args: &[u64]) -> u64 {
    let program = Program {
        name: "random".to_owned(),
        program_type: None,
        slots: emitted.slots.clone(),
        functions: Vec::new(),
        kernel_functions: Vec::new(),
    };
    let image = Image {
        endian: Endian::Little,
        maps: Vec::new(),
        programs: vec![program],
        links: Vec::new(),
    };
    let options = bpf::interp::Options {
        step_limit: STEPS_OF_CODE,
        ..bpf::interp::Options::default()
    };
    let mut machine = Machine::new(Endian::Little, ProgramType::Xdp, options);
    let mut all = [0; 5];
    all[..args.len()].copy_from_slice(args);
    let interpreter = Interpreter::new(&image);
    match interpreter.run_with(&mut machine, 0, all) {
        Ok(run) => run.r0,
        Err(fault) => panic!("{:?}", fault.kind),
    }
}

/// Makes what returns depend on all that the entry computed, so that much is live for long.
fn with_pressure(func: &Function) -> Function {
    let mut func = func.clone();
    let entry = func.layout.entry().expect("it has blocks");
    let insts: Vec<Inst> = func.layout.insts(entry).collect();
    // An address in the frame plus something unknown is nothing that can be kept apart from spills.
    let numbers = insts
        .iter()
        .filter(|&&inst| func.dfg.inst(inst).opcode() != Opcode::Frame);
    let results = numbers.filter_map(|&inst| func.dfg.result(inst));
    let wide: Vec<Value> = results
        .filter(|&value| func.dfg.value_type(value) == Type::I64)
        .collect();
    let blocks: Vec<Block> = func.layout.blocks().collect();
    for block in blocks {
        let Some(last) = func.layout.last_inst(block) else {
            continue;
        };
        let InstData::Return { arg } = *func.dfg.inst(last) else {
            continue;
        };
        let mut sum = arg;
        for &value in &wide {
            let mut cursor = Cursor::before(&mut func, last);
            sum = cursor.ins().binary(Opcode::Iadd, Type::I64, sum, value);
        }
        func.dfg.replace_inst(last, InstData::Return { arg: sum });
    }
    func
}

#[test]
fn code_does_what_functions_do() {
    let options = Options {
        check_allocation: true,
        cpu: Cpu::V4,
        ..Options::default()
    };
    let mut allocator = Allocator::default();
    let (mut compared, mut spilled) = (0, 0);
    for memory in [Memory::None, Memory::Stack] {
        for_each_function(memory, |random, func| {
            let module = module_of(&with_pressure(func));
            let emitted = emit_function(&module, Func::from_u32(0), &options, &mut allocator);
            let emitted = emitted.unwrap_or_else(|error| panic!("{error}\nof\n{module}"));
            spilled += usize::from(emitted.spills > 0);
            for _ in 0..RUNS {
                let args = random_args(random);
                if let Some(result) = run(&module, args, STEPS) {
                    compared += 1;
                    assert_eq!(run_code(&emitted, &args), result, "{args:x?} of\n{module}");
                }
            }
        });
    }
    assert!(compared > 4000, "only {compared} runs ended");
    assert!(spilled > 100, "only {spilled} functions spill");
}
