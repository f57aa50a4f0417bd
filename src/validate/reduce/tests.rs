use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, assemble};
use mir::{Func, Function, InstData, Opcode};
use passes::{Changed, Pass, PassContext, PassInfo, PassKind, Pipeline, Session, Target};

use super::steps::{Step, weight};
use crate::validate::Validator;

/// A pass with a defect: the first constant 66 becomes 67.
#[derive(Debug)]
struct OneMore;

impl Pass for OneMore {
    fn run(&self, func: &mut Function, _: &mut PassContext<'_>) -> Changed {
        let blocks = func.layout.blocks();
        let mut all = blocks.flat_map(|block| func.layout.insts(block));
        let found =
            all.find(|&inst| matches!(func.dfg.inst(inst), InstData::Const { imm: 66, .. }));
        if let Some(inst) = found
            && let InstData::Const { imm, .. } = func.dfg.inst_mut(inst)
        {
            *imm = 67;
        }
        Changed::instructions_if(found.is_some())
    }
}

/// A pass with a defect: it removes stores when the function calls something.
#[derive(Debug)]
struct NoStores;

impl Pass for NoStores {
    fn run(&self, func: &mut Function, _: &mut PassContext<'_>) -> Changed {
        let of = |wanted: Opcode| {
            let blocks = func.layout.blocks();
            let all = blocks.flat_map(|block| func.layout.insts(block));
            all.filter(|&inst| func.dfg.inst(inst).opcode() == wanted)
                .collect::<Vec<_>>()
        };
        let (calls, stores) = (of(Opcode::CallHelper), of(Opcode::Store));
        let applies = !calls.is_empty() && !stores.is_empty();
        for &store in stores.iter().filter(|_| applies) {
            func.remove_inst(store);
        }
        Changed::instructions_if(applies)
    }
}

static ONE_MORE: PassInfo = PassInfo {
    name: "one-more",
    summary: "",
    kind: PassKind::Optional,
    pass: &OneMore,
};

static NO_STORES: PassInfo = PassInfo {
    name: "no-stores",
    summary: "",
    kind: PassKind::Optional,
    pass: &NoStores,
};

/// What validation says of a pass on the program `f`.
fn said(pass: &'static PassInfo, body: &str) -> String {
    let text = format!(
        "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n{body}\texit\n"
    );
    let options = AsmOptions::new(Endian::Little);
    let object = assemble(&text, FileId(0), &options).unwrap().object;
    let mut validator = Validator::new(&object, |_| true).unwrap();
    assert_eq!(validator.counts().blocks_reached, validator.counts().blocks);
    let mut module = frontend::lift::lift_object(&object).module;
    let mut session = Session::new().with_checker(|change| validator.check(change));
    let func = module.functions.keys().next().unwrap();
    let stats =
        Pipeline::of(vec![pass], Target::default()).run_function(&mut module, func, &mut session);
    stats
        .failure
        .map(|failure| failure.to_string())
        .unwrap_or_default()
}

/// Answers 1 for packets that begin with 0x42 behind the Ethernet header, and else 2.
const COMPARES: &str = " r2 = *(u32 *)(r1 + 0)\n r3 = *(u32 *)(r1 + 4)\n r0 = 2\n r4 = r2\n r4 += 15\n\
    if r4 > r3 goto out\n r5 = *(u8 *)(r2 + 14)\n if r5 != 66 goto out\n r0 = 1\nout:\n";

#[test]
fn what_a_comparison_needs_stays() {
    let said = said(&ONE_MORE, COMPARES);
    assert!(said.contains("pass `one-more` on function `f`"), "{said}");
    assert!(
        said.contains("  result before: 0x42\n  result after:  0x43\n"),
        "{said}"
    );
    assert!(
        said.ends_with(
            "before `one-more`:\nfunction fn0 \"f\" section \"xdp\" global params 1 {\n\
             block0(v0: i64):\n    v1 = iconst.i64 66\n    return v1\n}\nand after it:\n\
             function fn0 \"f\" section \"xdp\" global params 1 {\n\
             block0(v0: i64):\n    v1 = iconst.i64 67\n    return v1\n}\n"
        ),
        "{said}"
    );
    assert!(said.contains("and input :\n"), "{said}");
}

/// Writes a packet's first bytes in a loop, and asks for a number that it does not use.
const WRITES: &str = " r6 = *(u32 *)(r1 + 0)\n r3 = *(u32 *)(r1 + 4)\n r4 = r6\n r4 += 8\n\
    if r4 > r3 goto out\n r7 = 4\nagain:\n call 7\n *(u8 *)(r6 + 3) = 9\n r7 += -1\n\
    if r7 != 0 goto again\n *(u16 *)(r6 + 0) = 5\nout:\n r0 = 2\n";

#[test]
fn a_store_its_call_and_its_address_stay() {
    let said = said(&NO_STORES, WRITES);
    let (_, functions) = said.split_once("before `no-stores`:\n").expect(&said);
    let (before, after) = functions.split_once("and after it:\n").expect(&said);
    assert_eq!(before.matches("store.").count(), 1, "{said}");
    assert_eq!(before.matches("call_helper 7()").count(), 1, "{said}");
    assert_eq!(before.matches("block").count(), 1, "{said}");
    assert_eq!(after.matches("store.").count(), 0, "{said}");
    assert!(before.lines().count() <= 9, "{said}");
}

/// A block that ends in a branch, one with a parameter, and an addition.
const SOME: &str = "module little\n\nfunction fn0 \"f\" section \"\" params 2 {\n\
    block0(v0: i64, v1: i64):\n    v2 = iadd.i64 v0, v1\n    br.i64 eq v0, v1, block1(v0), block2\n\
    block1(v3: i64):\n    return v3\nblock2:\n    jump block1(v2)\n}\n";

/// The instructions of a function after a step at a place, one a line.
fn after(step: Step, place: usize) -> Option<Vec<String>> {
    let module = mir::parse::module(FileId(0), SOME).unwrap();
    let function = &module.functions[Func::from_u32(0)];
    let smaller = step.take(function, place)?;
    mir::verify::verify_function(&module, &smaller).unwrap();
    assert!(weight(&smaller) < weight(function), "{smaller}");
    let text = smaller.to_string();
    let lines = text.lines().filter(|line| line.starts_with(' '));
    Some(lines.map(|line| line.trim().to_owned()).collect())
}

#[test]
fn steps_leave_well_formed_functions() {
    let lines = |step, place| after(step, place).unwrap().join("; ");
    assert_eq!(
        lines(Step::Decide(0), 0),
        "v2 = iadd.i64 v0, v1; jump block1(v0); return v3"
    );
    assert_eq!(
        lines(Step::Decide(1), 0),
        "v2 = iadd.i64 v0, v1; jump block2; return v3; jump block1(v2)"
    );
    assert_eq!(lines(Step::Return, 0), "v2 = iadd.i64 v0, v1; return v2");
    assert_eq!(
        lines(Step::Operand(1), 0),
        "br.i64 eq v0, v1, block1(v0), block2; return v2; jump block1(v1)"
    );
    assert_eq!(
        lines(Step::Drop(1), 0),
        "v2 = iconst.i64 0; br.i64 eq v0, v1, block1(v0), block2; return v3; jump block1(v2)"
    );
    assert_eq!(
        lines(Step::Zero, 0),
        "v2 = iadd.i64 v0, v1; br.i64 eq v0, v1, block1, block2; v3 = iconst.i64 0; return v3; \
         jump block1"
    );
    assert_eq!(
        lines(Step::Pass, 0),
        "v2 = iadd.i64 v0, v1; br.i64 eq v0, v1, block1, block2; return v0; jump block1"
    );
    assert_eq!(after(Step::Decide(0), 1), None);
    assert_eq!(after(Step::Merge, 2), None);
}
