use super::*;
use crate::cursor::Cursor;
use crate::entity::{Block, CoreRelo, External, SourceLoc, Symbol};
use crate::inst::InstData;
use crate::module::{ExternalData, SymbolData, SymbolKind};
use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::{AtomicOp, Cond, Endian, MemWidth};

fn module() -> Module {
    Module::new(Endian::Little)
}

/// A function of one parameter whose entry block is filled by `build`.
fn build(build: impl FnOnce(&mut Cursor<'_>, Value)) -> Function {
    let mut func = Function::new("f");
    func.parameter_count = 1;
    let entry = func.append_new_block();
    let param = func.dfg.append_block_param(entry, Type::I64);
    build(&mut Cursor::at_end(&mut func, entry), param);
    func
}

fn messages(module: &Module, func: &Function) -> Vec<String> {
    match verify_function(module, func) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.0.into_iter().map(|error| error.message).collect(),
    }
}

#[track_caller]
fn refused(func: &Function, message: &str) {
    let found = messages(&module(), func);
    assert!(
        found.iter().any(|m| m.contains(message)),
        "{message} not in {found:?}\n{func}"
    );
}

#[test]
fn a_plain_function_is_well_formed() {
    let func = build(|cursor, param| {
        let low = cursor.ins().trunc(param);
        let one = cursor.ins().iconst(Type::I32, -1);
        let sum = cursor.ins().binary(Opcode::Iadd, Type::I32, low, one);
        let wide = cursor.ins().zext(sum);
        cursor
            .ins()
            .store(Opcode::Store, MemWidth::B32, param, 4, sum);
        cursor.ins().return_(wide);
    });
    assert_eq!(messages(&module(), &func), [""; 0]);
    assert_eq!(messages(&module(), &Function::new("declaration")), [""; 0]);
}

#[test]
fn blocks_end_with_their_only_terminator() {
    refused(&build(|_, _| {}), "a block needs a terminator");
    refused(
        &build(|cursor, _| {
            cursor.ins().iconst(Type::I64, 0);
        }),
        "must be a terminator",
    );
    refused(
        &build(|cursor, param| {
            cursor.ins().return_(param);
            cursor.ins().return_(param);
        }),
        "more instructions follow",
    );
}

#[test]
fn the_entry_has_the_parameters_and_no_predecessors() {
    let mut func = build(|cursor, param| {
        let entry = cursor.func.layout.entry().unwrap();
        cursor.ins().jump(entry, &[param]);
    });
    refused(&func, "nothing may go to the entry block block0");
    func.parameter_count = 2;
    refused(&func, "has 2 parameters but its entry block 1");
    func.parameter_count = 6;
    refused(&func, "at most 5 parameters");
    let mut func = build(|_, _| {});
    let entry = func.layout.entry().unwrap();
    func.dfg.append_block_param(entry, Type::I32);
    refused(&func, "must be i64");
}

#[test]
fn block_calls_match_parameters() {
    let mut func = build(|_, _| {});
    let entry = func.layout.entry().unwrap();
    let param = func.dfg.block_params(entry)[0];
    let next = func.append_new_block();
    func.dfg.append_block_param(next, Type::I32);
    Cursor::at_end(&mut func, next).ins().return_(param);
    Cursor::at_end(&mut func, entry).ins().jump(next, &[param]);
    refused(&func, "v0 is i64 but parameter v1 of block1 is i32");
    let jump = func.layout.last_inst(entry).unwrap();
    let call = func.dfg.block_call(next, &[]);
    func.dfg.set_successor(jump, 0, call);
    refused(&func, "block1 takes 1 arguments but gets 0");
    let call = func.dfg.block_call(Block::from_u32(900), &[]);
    func.dfg.set_successor(jump, 0, call);
    refused(&func, "block900 is not in the layout");
}

#[test]
fn definitions_dominate_uses() {
    let mut func = build(|_, _| {});
    let entry = func.layout.entry().unwrap();
    let param = func.dfg.block_params(entry)[0];
    let (left, right) = (func.append_new_block(), func.append_new_block());
    let one = Cursor::at_end(&mut func, left).ins().iconst(Type::I64, 1);
    Cursor::at_end(&mut func, left).ins().return_(one);
    Cursor::at_end(&mut func, right).ins().return_(one);
    Cursor::at_end(&mut func, entry).ins().branch(
        Cond::Eq,
        Type::I64,
        [param, param],
        (left, &[]),
        (right, &[]),
    );
    refused(&func, "definition of v1 in block1 does not dominate");

    let mut func = build(|cursor, param| {
        cursor.ins().unary(Opcode::Ineg, Type::I64, param);
        cursor.ins().iconst(Type::I64, 1);
        cursor.ins().return_(param);
    });
    let entry = func.layout.entry().unwrap();
    let negation = func.layout.first_inst(entry).unwrap();
    let later = Value::from_u32(2);
    func.dfg.map_operands(negation, |_| later);
    refused(&func, "does not dominate");
    func.dfg.map_operands(negation, |_| Value::from_u32(1));
    refused(&func, "does not dominate");
    func.dfg.map_operands(negation, |_| Value::from_u32(77));
    refused(&func, "v77 does not exist");
}

#[test]
fn operands_are_defined_in_the_layout() {
    let mut func = build(|cursor, _| {
        let one = cursor.ins().iconst(Type::I64, 1);
        cursor.ins().return_(one);
    });
    let entry = func.layout.entry().unwrap();
    let first = func.layout.first_inst(entry).unwrap();
    func.layout.remove_inst(first);
    refused(&func, "v1 is defined nowhere");
    let one = Value::from_u32(1);
    func.dfg.change_to_alias(one, Value::from_u32(0));
    refused(&func, "v1 is an alias of v0");
    func.resolve_aliases();
    assert_eq!(messages(&module(), &func), [""; 0]);
}

#[test]
fn results_are_there_and_typed() {
    let mut func = build(|cursor, param| {
        cursor.ins().iconst(Type::I64, 1);
        cursor.ins().return_(param);
    });
    let entry = func.layout.entry().unwrap();
    let first = func.layout.first_inst(entry).unwrap();
    *func.dfg.inst_mut(first) = InstData::Const {
        ty: Type::I32,
        imm: 1,
    };
    refused(&func, "the result v1 is i64 but the operation makes i32");
    func.dfg
        .change_to_alias(Value::from_u32(1), Value::from_u32(0));
    refused(&func, "lacks its result");
    let last = func.layout.last_inst(entry).unwrap();
    func.dfg.make_result(last, Type::I64);
    refused(&func, "cannot have the result");
}

#[test]
fn operand_types_are_the_operations() {
    let binary = build(|cursor, param| {
        let narrow = cursor.ins().iconst(Type::I32, 1);
        cursor.ins().binary(Opcode::Iadd, Type::I64, param, narrow);
    });
    refused(&binary, "v1 is i32 but must be i64");
    let unary = build(|cursor, param| {
        cursor.ins().zext(param);
        cursor.ins().unary(Opcode::Trunc, Type::I64, param);
        cursor.ins().unary(Opcode::Iadd, Type::I64, param);
    });
    refused(&unary, "v0 is i64 but must be i32");
    refused(&unary, "the result must be i32");
    refused(&unary, "iadd has data of another format");
    let constant = build(|cursor, _| {
        cursor.insert(InstData::Const {
            ty: Type::I32,
            imm: 0xffff_ffff,
        });
    });
    refused(&constant, "sign-extended");
    let memory = build(|cursor, param| {
        let narrow = cursor.ins().iconst(Type::I32, 1);
        let (store, wide) = (Opcode::Store, MemWidth::B64);
        cursor.ins().store(store, wide, param, 0, narrow);
        cursor.ins().load(Opcode::Sload, wide, param, 0);
        cursor
            .ins()
            .atomic_rmw(AtomicOp::Xchg, MemWidth::B16, false, param, 0, param);
        cursor
            .ins()
            .atomic_rmw(AtomicOp::Cmpxchg, wide, true, param, 0, param);
        cursor.ins().call_helper(1, &[param; 6]);
    });
    for message in [
        "v1 is i32 but must be i64",
        "at most 4 bytes wide",
        "4 or 8 bytes wide",
        "xchg always fetches",
        "an instruction of its own",
        "at most 5 arguments",
    ] {
        refused(&memory, message);
    }
}

#[test]
fn names_exist() {
    let mut func = build(|cursor, param| {
        cursor.ins().symbol(Symbol::from_u32(0));
        cursor.ins().call_func(Func::from_u32(0), &[param]);
        cursor.ins().call_external(External::from_u32(0), &[param]);
        cursor.ins().return_(param);
    });
    let entry = func.layout.entry().unwrap();
    let (first, last) = (
        func.layout.first_inst(entry).unwrap(),
        func.layout.last_inst(entry).unwrap(),
    );
    func.locations[first] = Some(SourceLoc::from_u32(3)).into();
    func.core_relos[last] = Some(CoreRelo::from_u32(4)).into();
    for name in ["sym0", "fn0", "ext0", "loc3", "relo4"] {
        refused(&func, &format!("{name} does not exist"));
    }
    refused(&func, "return cannot carry a CO-RE record");

    let mut module = module();
    module.functions.push(Function::new("callee"));
    module.externals.push(ExternalData {
        name: "kfunc".into(),
        object_symbol: None,
        pseudo: 2,
        offset: 0,
        imm: 1,
        parameter_count: 6,
    });
    module.symbols.push(SymbolData {
        name: "callback".into(),
        kind: SymbolKind::Function(Func::from_u32(9)),
        object_symbol: None,
        pseudo: 4,
        imm: 0,
    });
    let found = messages(&module, &func);
    assert!(found.contains(&"fn0 takes 0 arguments but gets 1".to_owned()));
    assert!(found.contains(&"ext0 takes 6 arguments but gets 1".to_owned()));
    let Err(errors) = verify_module(&module) else {
        panic!("the module's tables are wrong");
    };
    let text = errors[0].1.to_string();
    assert!(text.contains("sym0: fn9 does not exist"), "{text}");
    assert!(text.contains("more than 5 parameters"), "{text}");
}

#[test]
fn errors_point_at_their_instruction() {
    let func = build(|cursor, param| {
        let narrow = cursor.ins().trunc(param);
        cursor.ins().return_(narrow);
    });
    let errors = verify_function(&module(), &func).unwrap_err();
    assert_eq!(
        errors.annotate(&func),
        "function \"f\" section \"\" params 1\n\
         block0(v0: i64):\n    \
             v1 = trunc v0\n    \
             return v1\n\
         ;   ^~~~~~~~~\n\
         ; error: inst1: v1 is i32 but must be i64\n"
    );
}
