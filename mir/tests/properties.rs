//! Properties of random functions: text and renumbering keep their meaning, and what the analyses
//! say of bits is true of runs.

mod generate;

use bpf::diagnostic::FileId;
use generate::{Memory, for_each_function, module_of, random_args, run};
use mir::analysis::{ControlFlowGraph, DemandedBits, KnownValues};
use mir::{Block, Cursor, Function, Opcode, Type, Value};

/// Steps after which a run is given up.
const STEPS: u64 = 300;

#[test]
fn text_and_renumbering_keep_the_meaning() {
    for_each_function(Memory::None, |random, func| {
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
            let result = run(&module, args, STEPS);
            assert_eq!(run(&read, args, STEPS), result, "{text}");
            assert_eq!(run(&compact, args, STEPS), result, "{text}");
        }
    });
}

#[test]
fn bits_that_nobody_demands_change_nothing() {
    let mut compared = 0;
    for_each_function(Memory::None, |random, func| {
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
            assert_eq!(
                run(&module, args, STEPS),
                run(&module, changed, STEPS),
                "{func}"
            );
        }
    });
    assert!(compared > 1000, "only {compared} runs were different");
}

#[test]
fn known_bits_hold_in_runs() {
    for_each_function(Memory::None, |random, func| {
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
                if let Some(result) = run(&module, random_args(random), STEPS)
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
