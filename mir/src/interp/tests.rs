use super::*;
use crate::opcode::Opcode;
use bpf::diagnostic::FileId;
use bpf::interp::Options;
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;

fn module(text: &str) -> Module {
    let parsed = match crate::parse::module_with_spans(FileId(0), text) {
        Ok(parsed) => parsed,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    };
    let problems = parsed.verify();
    assert!(problems.is_empty(), "{problems:?}");
    parsed.module
}

/// A module of one function with this body, whose parameters are `v0` and `v1`.
fn body(lines: &str) -> Module {
    module(&format!(
        "module little\nfunction fn0 \"f\" section \"xdp\" params 2 {{\n\
         block0(v0: i64, v1: i64):\n{lines}\n}}\n"
    ))
}

fn machine() -> Machine {
    Machine::new(
        bpf::insn::Endian::Little,
        ProgramType::SchedCls,
        Options::default(),
    )
}

fn first() -> Func {
    Func::from_u32(0)
}

#[track_caller]
fn run(module: &Module, args: &[u64]) -> Result<u64, Fault> {
    let run = Interpreter::new(module).run(&mut machine(), first(), args);
    let strict = Interpreter::new(module)
        .strict()
        .run(&mut machine(), first(), args);
    if let Ok(strict) = strict {
        assert_eq!(run.as_ref(), Ok(&strict));
    }
    run.map(|run| run.result)
}

#[test]
fn narrow_arithmetic_clears_the_upper_half() {
    let module =
        body("v2 = trunc v0\nv3 = iconst.i32 -1\nv4 = iadd.i32 v2, v3\nv5 = zext v4\nreturn v5");
    assert_eq!(run(&module, &[0xffff_ffff_0000_0001, 0]), Ok(0));
    assert_eq!(run(&module, &[0, 0]), Ok(0xffff_ffff));
    let module = body("v2 = trunc v0\nv3 = sext v2\nreturn v3");
    assert_eq!(run(&module, &[0x8000_0000, 0]), Ok(0xffff_ffff_8000_0000));
}

#[test]
fn loops_pass_values_in_parallel() {
    // Fibonacci: the two parameters are exchanged on each round.
    let module = body(
        "v2 = iconst.i64 0\nv3 = iconst.i64 1\nv8 = iconst.i64 -1\n\
         jump block1(v2, v3, v0)\n\
         block1(v4: i64, v5: i64, v6: i64):\n\
         v7 = iadd.i64 v4, v5\nv9 = iadd.i64 v6, v8\n\
         br.i64 eq v9, v2, block2, block1(v5, v7, v9)\n\
         block2:\nreturn v5",
    );
    assert_eq!(run(&module, &[10, 0]), Ok(55));
}

#[test]
fn the_frame_is_memory_below_its_pointer() {
    let module = body(
        "v2 = frame\nstore.u64 v2-8, v0\nstore.u16 v2-8, v1\n\
         v3 = load.u32 v2-8\nv4 = sload.s8 v2-8\nv5 = iadd.i64 v3, v4\nreturn v5",
    );
    assert_eq!(run(&module, &[0x1122_3344, 0x80]), Ok(0x1122_0000));
    for access in ["v3 = load.u8 v2", "v3 = load.u64 v2-516"] {
        let module = body(&format!("v2 = frame\n{access}\nreturn v3"));
        let fault = run(&module, &[0, 0]).unwrap_err();
        assert!(
            matches!(fault.kind, FaultKind::OutOfBounds { .. }),
            "{fault}"
        );
    }
}

#[test]
fn atomics_return_the_old_value() {
    let module = body(
        "v2 = frame\nstore.u64 v2-8, v0\n\
         v3 = atomic_rmw.fetch_add.u64 v2-8, v1\natomic_rmw.or.u32 v2-8, v1\n\
         v4 = atomic_rmw.xchg.u32 v2-8, v0\n\
         v5 = cmpxchg.u64 v2-8, v0, v1\n\
         v6 = load.u64 v2-8\n\
         v7 = isub.i64 v4, v3\nv8 = iadd.i64 v7, v6\nreturn v8",
    );
    // 5 + 3 = 8, | 3 = 11; 11 - 5 = 6; exchanged to 5, equal to 5, exchanged to 3.
    assert_eq!(run(&module, &[5, 3]), Ok(9));
}

#[test]
fn legacy_loads_end_the_function_outside_the_packet() {
    let module = body(
        "v2 = load_abs.u16 v0, 12\nv3 = load_ind.u8 v0, v1, -1\n\
         v4 = iadd.i64 v2, v3\nreturn v4",
    );
    let mut machine = machine();
    let mut frame = [0u8; 20];
    frame[12..14].copy_from_slice(&[8, 6]);
    frame[3] = 1;
    machine.set_packet(&frame).unwrap();
    let context = machine.context_address();
    let mut interpreter = Interpreter::new(&module);
    let mut result = |index| {
        let run = interpreter.run(&mut machine, first(), &[context, index]);
        run.map(|run| run.result)
    };
    assert_eq!(result(4), Ok(0x0807));
    assert_eq!(result(21), Ok(0));
}

const CALLS: &str = r#"module little
symbol sym0 = map "counters" pseudo 1 imm 0x0
symbol sym1 = function fn1 "twice" pseudo 4 imm 0x0
symbol sym2 = extern "jiffies" pseudo 3 imm 0x7
external ext0 = "bpf_rcu_read_lock" pseudo 2 offset 0 imm -1 params 0
external ext1 = "bpf_task_acquire" pseudo 2 offset 0 imm -1 params 0

function fn0 "main" section "xdp" params 2 {
block0(v0: i64, v1: i64):
    v10 = iconst.i64 0
    v11 = iconst.i64 1
    v12 = iconst.i64 2
    v13 = iconst.i64 3
    v14 = iconst.i64 4
    br.i64 eq v0, v10, block1, block2
block1:
    v2 = symbol sym1
    v3 = call_indirect v2(v1, v1)
    return v3
block2:
    br.i64 eq v0, v11, block3, block4
block3:
    v4 = symbol sym0
    v5 = frame
    v6 = trunc v10
    store.u32 v5-4, v6
    v7 = iadd.i64 v5, v40
    v8 = call_helper 1(v4, v7)
    br.i64 eq v8, v10, block9, block10
block9:
    return v10
block10:
    v9 = atomic_rmw.fetch_add.u64 v8, v1
    v41 = load.u64 v8
    return v41
block4:
    br.i64 eq v0, v12, block5, block6
block5:
    v15 = symbol sym1
    v16 = call_helper 181(v1, v15, v10, v10)
    return v16
block6:
    br.i64 eq v0, v13, block7, block8
block7:
    v17 = call fn0(v13, v1)
    return v17
block8:
    br.i64 eq v0, v14, block11, block12
block11:
    v18 = symbol sym2
    return v18
block12:
    v19 = call_external ext0()
    v20 = call_external ext1() !from 77
    return v20
}

function fn1 "twice" section ".text" params 2 {
block0(v0: i64, v1: i64):
    v2 = iadd.i64 v0, v0
    return v2
}
"#;

#[test]
fn calls_reach_functions_maps_and_helpers() {
    // `-4` as an operand, since an address on the stack is computed.
    let text = CALLS.replace(
        "    v10 = iconst.i64 0\n",
        "    v10 = iconst.i64 0\n    v40 = iconst.i64 -4\n",
    );
    let module = module(&text);
    let mut machine = machine();
    let def = MapDef::new("counters", MapKind::Array, 4, 8, 1);
    let map = machine.add_map(&def).unwrap();
    let mut interpreter = Interpreter::new(&module);
    interpreter.set_symbol(Symbol::from_u32(0), Memory::map_address(map));
    let mut result = |what, argument| {
        let run = interpreter.run(&mut machine, first(), &[what, argument]);
        run.map(|run| run.result)
    };
    assert_eq!(result(0, 21), Ok(42), "by address");
    assert_eq!(result(1, 5), Ok(5), "a map element");
    assert_eq!(result(1, 5), Ok(10), "a map element again");
    assert_eq!(
        result(2, 4),
        Ok(2),
        "a callback that stops after the second"
    );
    let fault = result(3, 0).unwrap_err();
    assert_eq!(fault.kind, FaultKind::CallDepth(MAX_FRAMES));
    assert_eq!(result(0, 1), Ok(2), "frames are gone after a fault");
    let fault = result(4, 0).unwrap_err();
    assert_eq!(
        fault.kind,
        FaultKind::Unresolved {
            pseudo: 3,
            value: 7
        }
    );
    let fault = result(5, 0).unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Unsupported(_)));
    assert_eq!(fault.at, Some(("main".to_owned(), 77)));
}

#[test]
fn tail_calls_go_on_with_the_context() {
    let module = module(
        r#"module little
symbol sym0 = map "programs" pseudo 1 imm 0x0

function fn0 "main" section "xdp" params 1 {
block0(v0: i64):
    v1 = symbol sym0
    v2 = iconst.i64 0
    v3 = call_helper 12(v0, v1, v2)
    return v3
}

function fn1 "target" section "xdp" params 1 {
block0(v0: i64):
    return v0
}
"#,
    );
    let mut machine = machine();
    let def = MapDef::new("programs", MapKind::ProgArray, 4, 4, 2);
    let map = machine.add_map(&def).unwrap();
    machine.set_packet(&[0; 64]).unwrap();
    let context = machine.context_address();
    let mut interpreter = Interpreter::new(&module);
    interpreter.set_symbol(Symbol::from_u32(0), Memory::map_address(map));
    let missed = interpreter.run(&mut machine, first(), &[context]).unwrap();
    assert_eq!(missed.result as i64, -2);
    machine.map_link(map, &0u32.to_le_bytes(), 7);
    interpreter.set_program(7, Func::from_u32(1));
    let went = interpreter.run(&mut machine, first(), &[context]).unwrap();
    assert_eq!(went.result, context);
}

#[test]
fn undefined_values_may_be_moved_only() {
    let moved = body("v2 = undef.i64\njump block1(v2)\nblock1(v3: i64):\nreturn v0");
    let strict = |module: &Module| {
        Interpreter::new(module)
            .strict()
            .run(&mut machine(), first(), &[1])
            .map(|run| run.result)
    };
    assert_eq!(strict(&moved), Ok(1));
    let read = body("v2 = undef.i64\nreturn v2");
    assert_eq!(run(&read, &[]), Ok(UNDEFINED));
    assert!(strict(&read).is_err());
    // The second parameter is not given.
    assert!(strict(&body("v2 = iadd.i64 v0, v1\nreturn v2")).is_err());
}

#[test]
fn every_run_ends() {
    let module = body("jump block1\nblock1:\njump block1");
    let stopped = Interpreter::new(&module)
        .with_step_limit(1000)
        .run(&mut machine(), first(), &[]);
    assert_eq!(stopped.unwrap_err().kind, FaultKind::StepLimit(1000));
    let budget = body(
        "v2 = iconst.i64 0\nv4 = iconst.i64 1\njump block1(v2)\n\
         block1(v3: i64):\nmay_goto block3, block2\n\
         block2:\nv5 = iadd.i64 v3, v4\njump block1(v5)\n\
         block3:\nreturn v3",
    );
    let rounds = Interpreter::new(&budget)
        .with_loop_budget(1000)
        .run(&mut machine(), first(), &[]);
    assert_eq!(rounds.map(|run| run.result), Ok(1000));
}

#[test]
fn the_conformance_helper_unwinds() {
    let module = module(
        r#"module little

function fn0 "main" section "xdp" params 1 {
block0(v0: i64):
    v1 = call fn1(v0)
    v2 = iconst.i64 7
    return v2
}

function fn1 "inner" section "xdp" params 1 {
block0(v0: i64):
    v1 = call_helper 5(v0)
    return v1
}
"#,
    );
    let run = |argument| {
        Interpreter::new(&module)
            .with_conformance_helpers()
            .run(&mut machine(), first(), &[argument])
            .map(|run| run.result)
    };
    assert_eq!((run(1), run(0)), (Ok(7), Ok(0)));
}

/// Every operation is given to the interpreter by some test above or by the tests of [`eval`];
/// this one sees that none is without meaning.
#[test]
fn every_pure_operation_runs() {
    use crate::cursor::Cursor;
    use crate::eval;
    use crate::types::Type;
    for &opcode in Opcode::ALL {
        let mut module = Module::new(bpf::insn::Endian::Little);
        let mut func = Function::new("f");
        func.parameter_count = 2;
        let entry = func.append_new_block();
        let a = func.dfg.append_block_param(entry, Type::I64);
        let b = func.dfg.append_block_param(entry, Type::I64);
        let mut cursor = Cursor::at_end(&mut func, entry);
        let (result, expected) = match opcode.format() {
            crate::Format::Binary => (
                cursor.ins().binary(opcode, Type::I64, a, b),
                eval::binary(opcode, Type::I64, 0x1_0000_00f3, 5),
            ),
            crate::Format::Unary => {
                let (from, to) = match opcode {
                    Opcode::Sext | Opcode::Zext => (cursor.ins().trunc(a), Type::I64),
                    _ => (a, Type::I64),
                };
                if opcode == Opcode::Trunc {
                    continue;
                }
                let endian = bpf::insn::Endian::Little;
                let expected = eval::unary(opcode, to, 0x1_0000_00f3, endian);
                (cursor.ins().unary(opcode, to, from), expected)
            }
            _ => continue,
        };
        cursor.ins().return_(result);
        module.functions.push(func);
        assert_eq!(run(&module, &[0x1_0000_00f3, 5]).ok(), expected, "{opcode}");
    }
}
