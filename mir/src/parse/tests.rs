use super::*;
use bpf::diagnostic::SourceMap;

/// One of everything.
const EVERYTHING: &str = r#"module big

symbol sym0 = map "counters" object 7 pseudo 1 imm 0x0
symbol sym1 = function fn1 "call\"back\u{9}" pseudo 4 imm 0xffffffffffffffff
symbol sym2 = data ".rodata" object 0 pseudo 2 imm 0x10
symbol sym3 = extern "jiffies" pseudo 3 imm 0x0
symbol sym4 = other "" pseudo 15 imm 0x0

external ext0 = "bpf_kfunc" object 9 pseudo 2 offset -1 imm -1 params 2

location loc0 = file 12 text 40 line 4194303:1023

relo relo0 = type 5 access 31 kind 0

function fn0 "entry" section "xdp" global params 2 {
block0(v0: i64, v1: i64):
    v2 = undef.i32
    v3 = frame !loc0 !from 0 !relo0
    v4 = iconst.i64 -9223372036854775808
    v5 = iconst.i32 -1 !from 7
    v6 = symbol sym0
    v7 = ineg.i64 v0
    v8 = ineg.i32 v5
    v9 = sext8.i64 v0
    v10 = sext16.i32 v5
    v11 = sext v5
    v12 = zext v5
    v13 = trunc v0
    v14 = be16 v0
    v15 = be32 v0
    v16 = be64 v0
    v17 = le16 v0
    v18 = le32 v0
    v19 = le64 v0
    v20 = bswap16 v0
    v21 = bswap32 v0
    v22 = bswap64 v0
    v23 = addr_space_cast v0 to 0 from 1
    v24 = iadd.i64 v0, v1
    v25 = isub.i32 v5, v8
    v26 = imul.i64 v0, v1
    v27 = udiv.i64 v0, v1
    v28 = sdiv.i64 v0, v1
    v29 = urem.i64 v0, v1
    v30 = srem.i64 v0, v1
    v31 = band.i64 v0, v1
    v32 = bor.i64 v0, v1
    v33 = bxor.i64 v0, v1
    v34 = ishl.i64 v0, v1
    v35 = ushr.i64 v0, v1
    v36 = sshr.i64 v0, v1
    v37 = load.u8 v0
    v38 = sload.s32 v0+4 !relo0
    v39 = load_acquire.u64 v0-2147483648
    store.u16 v3-2, v0 !loc0
    store_release.u32 v3-8, v5
    atomic_rmw.add.u64 v3-8, v0
    v40 = atomic_rmw.fetch_or.u32 v3-8, v0
    v41 = atomic_rmw.xchg.u64 v3-8, v0
    v42 = cmpxchg.u64 v3-8, v0, v1
    v43 = load_abs.u16 v0, 12
    v44 = load_ind.u8 v0, v1, -12
    v45 = call_helper 1(v6, v3)
    v46 = call fn1(v0)
    v47 = call_external ext0(v0, v1)
    v48 = call_indirect v0()
    br.i64 ugt v0, v1, block1(v0), block7

block1(v49: i64):
    br.i32 set v5, v8, block7, block1(v49)

block7:
    may_goto block7, block9

block9:
    jump block10(v5, v0)

block10(v60: i32, v50: i64):
    return v50
}

declare fn1 "callback" section ".text" params 1
"#;

fn parse(text: &str) -> Result<Module, Vec<Diagnostic>> {
    module(FileId(0), text)
}

#[test]
fn one_of_everything_survives() {
    let module = parse(EVERYTHING).unwrap();
    let text: String = EVERYTHING.replace("\n\nblock", "\nblock");
    assert_eq!(module.to_string(), text);
    assert_eq!(parse(&text).unwrap().to_string(), text);
    for opcode in crate::Opcode::ALL {
        assert!(text.contains(opcode.name()), "{opcode} is missing above");
    }
}

#[test]
fn renumbering_and_verification_work_on_what_was_read() {
    let mut module = parse(EVERYTHING).unwrap();
    let Err(errors) = crate::verify::verify_module(&module) else {
        panic!("a frame cannot carry a CO-RE record");
    };
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].1.0.len(), 1, "{}", errors[0].1);
    let compact = module.functions[Func::from_u32(0)].compacted();
    module.functions[Func::from_u32(0)] = compact;
    let text = module.to_string();
    assert!(text.contains("block4(v50: i32, v51: i64):"), "{text}");
    assert_eq!(parse(&text).unwrap().to_string(), text);
}

/// The message of the only error, with the text that it points at.
#[track_caller]
fn refused(text: &str) -> (String, String) {
    let diagnostics = parse(text).unwrap_err();
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let mut map = SourceMap::new();
    map.add("test.mir", text);
    let span = diagnostics[0].span().unwrap();
    (diagnostics[0].message.clone(), map.text(span).to_owned())
}

/// An error in a line of a function that is fine otherwise.
#[track_caller]
fn refused_line(line: &str, message: &str, place: &str) {
    let text = format!(
        "module little\nfunction \"f\" section \"\" params 1 {{\n\
         block0(v0: i64):\n{line}\n    return v0\n}}\n"
    );
    assert_eq!(refused(&text), (message.to_owned(), place.to_owned()));
}

#[test]
fn errors_in_instructions_have_places() {
    for (line, message, place) in [
        (
            "v1 = laod.u8 v0",
            "no operation is called `laod`",
            "laod.u8",
        ),
        (
            "v1 = load v0",
            "load needs a width, `.u8` to `.u64`",
            "load",
        ),
        (
            "v1 = load.s8 v0",
            "load needs a width, `.u8` to `.u64`, not `.s8`",
            "load.s8",
        ),
        (
            "v1 = trunc.i32.u8 v0",
            "trunc has no suffix `.u8`",
            "trunc.i32.u8",
        ),
        (
            "v1 = symbol",
            "expected `sym` with a number, found the end of the line",
            "\n",
        ),
        (
            "v1 = symbol sym01",
            "expected `sym` with a number, found `sym01`",
            "sym01",
        ),
        ("v1 = iadd.i64 v0 v0", "expected `,`, found `v0`", "v0"),
        (
            "v1 = load.u8 v0+4294967296",
            "4294967296 does not fit the 32 bits here",
            "4294967296",
        ),
        (
            "v1 = cmpxchg.u64 v0-32769, v0, v0",
            "-32769 does not fit the 16 bits here",
            "-32769",
        ),
        (
            "v1 = store.u8 v0, v0",
            "this store has no result to call v1",
            "v1",
        ),
        (
            "v1 = atomic_rmw.add.u64 v0, v0",
            "this atomic_rmw has no result to call v1",
            "v1",
        ),
        (
            "v1 = atomic_rmw.cmpxchg.u64 v0, v0",
            "atomic_rmw needs an operation such as `.fetch_add`, not `.cmpxchg`",
            "atomic_rmw.cmpxchg.u64",
        ),
        ("load.u8 v0", "the result of load needs a name", "load.u8"),
        (
            "v1 = ineg.i64 v9",
            "v9 is not defined in this function",
            "v9",
        ),
        ("v0 = ineg.i64 v0", "v0 is defined twice", "v0"),
        (
            "jump block7",
            "block7 is not defined in this function",
            "block7",
        ),
        ("block0:", "block0 is defined twice", "block0"),
        (
            "br.i64 gt v0, v0, block0, block0",
            "no comparison is called `gt`",
            "gt",
        ),
        (
            "return v0 !wrong",
            "expected `loc0`, `from 0` or `relo0`, found `wrong`",
            "wrong",
        ),
        (
            "return v0 v0",
            "expected the end of the line, found `v0`",
            "v0",
        ),
        (
            "return v4294967295",
            "expected `v` with a number, found `v4294967295`",
            "v4294967295",
        ),
        (
            "return §",
            "expected `v` with a number, found something that is no token",
            "§",
        ),
    ] {
        refused_line(line, message, place);
    }
}

#[test]
fn errors_outside_functions_have_places() {
    for (text, message, place) in [
        ("", "expected `module`, found the end of the text", ""),
        (
            "module middle",
            "expected `little` or `big`, found `middle`",
            "middle",
        ),
        (
            "module little\nsymbol sym1 = map \"m\" pseudo 1 imm 0",
            "sym1 is out of order: sym0 is next",
            "sym1",
        ),
        (
            "module little\nsymbol sym0 = mop \"m\" pseudo 1 imm 0",
            "expected `map`, `data`, `function`, `extern` or `other`, found `mop`",
            "mop",
        ),
        (
            "module little\nsymbol sym0 = map \"\\q\" pseudo 1 imm 0",
            "a string has an escape that is not known",
            "\"\\q\"",
        ),
        (
            "module little\nsymbol sym0 = map \"m\" pseudo 256 imm 0",
            "256 does not fit the 8 bits here",
            "256",
        ),
        (
            "module little\nlocation loc0 = file 0 text 0 line 0:1024",
            "a line has 22 bits and a column 10",
            "0:1024",
        ),
        (
            "module little\nfunction \"f\" section \"\" params 0 {\n}\n",
            "a function needs a block, or is a `declare`",
            "function \"f\" section \"\" params 0",
        ),
        (
            "module little\nfunction \"f\" section \"\" params 0 {\nv0 = undef.i64\n}\n",
            "expected a block such as `block0:`, found `v0`",
            "v0",
        ),
        (
            "module little\nfunction \"f\" section \"\" params 0 {\nblock0:\n",
            "expected `}`, found the end of the text",
            "",
        ),
        (
            "module little\nfunction f section \"\" params 0 {\nblock0:\n    return v0\n}\n",
            "expected `fn` with a number, found `f`",
            "f",
        ),
    ] {
        assert_eq!(refused(text), (message.to_owned(), place.to_owned()));
    }
}

#[test]
fn a_close_name_is_proposed() {
    let text =
        "module little\nfunction \"f\" section \"\" params 0 {\nblock0:\nv0 = laod.u8 v0\n}\n";
    let diagnostics = parse(text).unwrap_err();
    assert_eq!(diagnostics[0].help, ["there is one called `load`"]);
}

#[test]
fn reading_goes_on_after_an_error_and_ends_in_time() {
    let text = "module little\nfunction \"f\" section \"\" params 0 {\nblock0:\n\
                foo\nbar\n}\nsymbol\n";
    assert_eq!(parse(text).unwrap_err().len(), 3);
    let many = format!("module little\n{}", "foo\n".repeat(1000));
    assert_eq!(parse(&many).unwrap_err().len(), MAX_ERRORS);
}

#[test]
fn absurd_numbers_are_closed_up() {
    let function = "function \"f\" section \"\" params 0 {\n\
                    block4000000000(v4294967294: i64):\n    \
                    jump block4000000000(v4294967294)\n}\n";
    let module = parse(&format!("module little\n{function}")).unwrap();
    let func = &module.functions[Func::from_u32(0)];
    assert_eq!((func.dfg.value_count(), func.dfg.block_count()), (1, 1));
    assert!(func.to_string().contains("jump block0(v0)"));
}

#[test]
fn violations_are_reported_at_their_line() {
    let text = "module little\nfunction \"f\" section \"\" params 1 {\nblock0(v0: i64):\n    \
                v1 = trunc v0\n    return v1\n}\n";
    let parsed = module_with_spans(FileId(0), text).unwrap();
    let diagnostics = parsed.verify();
    assert_eq!(diagnostics.len(), 1);
    let span = diagnostics[0].span().unwrap();
    assert_eq!(&text[span.range()], "return v1");
}

#[test]
fn no_cut_of_the_text_panics() {
    for end in 0..EVERYTHING.len() {
        if let Some(text) = EVERYTHING.get(..end) {
            let _ = parse(text);
        }
        if let Some(text) = EVERYTHING.get(end..) {
            let _ = parse(&format!("module little\n{text}"));
        }
    }
}
