//! Plain instructions are read as the grammar reads them.

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::object::Object;

use super::super::{AsmOptions, assemble};
use super::{Arena, Body, Macros, Reader};

const REGISTERS: [&str; 6] = ["r0", "r10", "w3", "r7", "w11", "r12"];
const VALUES: [&str; 26] = [
    "0",
    "-1",
    "+ 5",
    "0x7f",
    "+0xffffffff",
    "-0x80000001",
    "-0xFFFFFFFFFFFFFFFF",
    "9999999",
    "0xFFFFFFFFFFFFFFFF",
    "'a'",
    "18446744073709551615",
    "-0x8000",
    "label",
    "u8",
    "1f",
    "0b",
    "017",
    "5ll",
    "1.5",
    "-(1)",
    "2*3",
    "a.b$c@d",
    "-\t7",
    "\"q\"",
    ".",
    "--1",
];
const OPERATORS: [&str; 26] = [
    "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "s>>=", "s/=", "s%=", "==",
    "s<<=", "s=", "s+=", "< <=", "> >=", "=+", "+", "+ =", "s >>=", ">>==", "&&=",
];
const CONDITIONS: [&str; 23] = [
    "==", "!=", ">", ">=", "<", "<=", "&", "s>", "s>=", "s<", "s<=", "s==", "= =", "> =", "=",
    "s&", "!", "&&", ">>", "<<", "<>", "s >", "===",
];
const WIDTHS: [&str; 9] = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "U8"];
const ADDRESSES: [&str; 11] = [
    "(r1 + 8)",
    "(w2 - 0x10)",
    "( r10 -8 )",
    "(r1)",
    "(r1 + label)",
    "(r1 + -1)",
    "(3 + r1)",
    "[r1 + 1]",
    "(r1 + 1",
    "(r1+1)",
    "(r1 + 1 + 1)",
];
const TARGETS: [&str; 9] = ["label", "+3", "-4", "7", "goto", "x+1", "", "L1:", "a b"];
/// What may stand around an instruction.
const AROUND: [(&str, &str); 9] = [
    ("", ""),
    ("\t", "\n"),
    ("  ", " \t;r1 = r2"),
    ("", " # comment"),
    ("l: ", "\n"),
    ("\n", "\r\n"),
    ("", ","),
    ("/* c */", "/**/"),
    ("\x0b", "\n"),
];

fn texts() -> Vec<String> {
    let mut texts = vec!["exit".to_owned(), "exit 0".to_owned(), "exit:".to_owned()];
    let operands = || REGISTERS.iter().chain(&VALUES);
    for register in REGISTERS {
        for operand in operands() {
            for operator in OPERATORS {
                texts.push(format!("{register} {operator} {operand}"));
                texts.push(format!("{register}{operator}{operand}"));
            }
            for condition in CONDITIONS {
                for target in TARGETS {
                    texts.push(format!("if {register} {condition} {operand} goto {target}"));
                }
                texts.push(format!("if {register}{condition}{operand} goto label"));
                texts.push(format!("if {register} {condition} {operand} gotol label"));
            }
        }
        for width in WIDTHS {
            for address in ADDRESSES {
                texts.push(format!("{register} = *({width} *){address}"));
                texts.push(format!("{register}=*( {width}* ) {address}"));
                texts.push(format!("{register} += *({width} *){address}"));
                texts.push(format!("{register} = *({width} *){address} + 1"));
                for operand in operands() {
                    texts.push(format!("*({width} *){address} = {operand}"));
                }
                texts.push(format!("* ({width}*) {address}={register}"));
                texts.push(format!("*({width} *){address} == {register}"));
                texts.push(format!("*({width} *){address} += {register}"));
            }
        }
    }
    for value in operands() {
        for form in [
            "r1 = {} ll",
            "r1 = {} LL",
            "r1 += {} ll",
            "goto {}",
            "call {}",
            "CALL {}",
        ] {
            texts.push(form.replace("{}", value));
        }
        texts.push(format!("call {value} ll"));
    }
    texts
}

/// Whether the first statement is read without the grammar; panics if the grammar reads something
/// else.
fn is_plain(text: &str) -> bool {
    let (mut arena, mut reader) = (Arena::default(), Reader::new(text, FileId(0), 0));
    let Some(quick) = reader.plain(&mut arena, &Macros::default()) else {
        return false;
    };
    let (mut other, mut slow) = (Arena::default(), Reader::new(text, FileId(0), 0));
    let Some(statement) = slow.next(&mut other, &Macros::default()) else {
        panic!("no statement: {text}");
    };
    let Ok(Some(Body::Instruction(instruction))) = &statement.body else {
        panic!("no instruction: {text}");
    };
    assert!(statement.labels.is_empty(), "{text}");
    let after = |reader: &Reader<'_>| reader.lexer.span().end;
    assert_eq!(
        format!(
            "{:?} {:?} {arena:?} {}",
            quick.made,
            quick.span(FileId(0)),
            after(&reader)
        ),
        format!(
            "{instruction:?} {:?} {other:?} {}",
            statement.span,
            after(&slow)
        ),
        "{text}"
    );
    true
}

#[test]
fn plain_instructions_are_what_the_grammar_reads() {
    let texts = texts();
    let plain = texts.iter().filter(|text| is_plain(text)).count();
    // Both kinds have to be there in numbers, or nothing is tested.
    let count = texts.len();
    assert!(
        plain * 10 > count && plain * 2 < count,
        "{plain} of {count}"
    );
    let mut around = 0;
    for text in texts.iter().step_by(41) {
        for (before, after) in AROUND {
            around += usize::from(is_plain(&format!("{before}{text}{after}")));
        }
    }
    assert!(around > 300, "{around}");
}

/// Whether a statement is read as a label without the grammar; panics if the grammar reads something
/// else.
fn is_plain_label(text: &str) -> bool {
    let (mut arena, mut reader) = (Arena::default(), Reader::new(text, FileId(0), 0));
    let Some(quick) = reader.label(&mut arena) else {
        return false;
    };
    let (mut other, mut slow) = (Arena::default(), Reader::new(text, FileId(0), 0));
    let Some(statement) = slow.next(&mut other, &Macros::default()) else {
        panic!("no statement: {text}");
    };
    assert!(matches!(statement.body, Ok(None)), "{text}");
    let after = |reader: &Reader<'_>| reader.lexer.span().end;
    assert_eq!(
        format!("{:?} {arena:?} {}", [quick], after(&reader)),
        format!("{:?} {other:?} {}", statement.labels, after(&slow)),
        "{text}"
    );
    true
}

#[test]
fn plain_labels_are_what_the_grammar_reads() {
    let names = [
        "l", "LBB0_1", ".Ltmp3", "a.b$c@d", "_", "$x", "exit", "call", "if", "r12", "q1",
    ];
    for name in names {
        for (before, colon, after) in [
            ("", ":", ""),
            ("\t", " :", "\n"),
            ("", ":", " ; exit"),
            ("", ":", "\r\n"),
            ("# before\n\n;", ":", " # comment"),
            ("", ":", "// comment\n"),
        ] {
            let text = format!("{before}{name}{colon}{after}");
            assert!(is_plain_label(&text), "{text}");
        }
        for after in ["/* c */", "exit", " m:", "=", " = 1", "/ c", "\0", "\x0b"] {
            let text = format!("{name}:{after}");
            assert!(!is_plain_label(&text), "{text}");
        }
    }
    for name in [
        ".", "1", "\"q\"", "@a", "s", "u8", "r1", "w11", "ll", "goto", "é", "",
    ] {
        assert!(!is_plain_label(&format!("{name}:")), "{name}");
    }
}

/// What is left of a text: bytes, symbols and relocations, or the messages.
fn outcome(text: &str, options: &AsmOptions) -> Result<Object, Vec<String>> {
    let assembled = assemble(text, FileId(0), options).map(|assembled| assembled.object);
    assembled.map_err(|errors| errors.into_iter().map(|error| error.message).collect())
}

#[test]
fn plain_instructions_become_what_others_become() {
    // Names that mean a place, a number, another name, and nothing.
    let after = "\nlabel: r0 = 0\nexit\nL1: exit\n.globl L1\n";
    let mut read = 0;
    for (compat, endian) in [(false, Endian::Little), (true, Endian::Big)] {
        let mut options = AsmOptions::new(endian);
        options.llvm_compat = compat;
        for before in ["", "x = 7\n.set u8, 3\n", ".weakref label, other\n"] {
            let texts = texts();
            let step = if before.is_empty() && !compat { 1 } else { 17 };
            for text in texts.iter().step_by(step) {
                let quick = format!("{before}{text}{after}");
                // A comment in front is not what a plain instruction begins with.
                let slow = format!("{before}/**/{text}{after}");
                let made = outcome(&quick, &options);
                assert_eq!(made, outcome(&slow, &options), "{text}");
                read += usize::from(made.is_ok());
            }
        }
    }
    assert!(read > 5_000, "{read}");
}

#[test]
fn plain_data_become_what_others_become() {
    let directives = [
        ".byte", ".short", ".long", ".quad", ".uleb128", ".sleb128", ".int", ".LONG", ".zero",
        ".bytes",
    ];
    let more = [
        "255",
        "256",
        "-128",
        "-129",
        "65536",
        "0xffffffff",
        "-2147483649",
    ];
    let after = [
        "",
        " # comment",
        " // comment\n",
        ";.byte 1",
        ", 2",
        " + 1",
        ":",
        "\n;\n#\n.byte 3",
    ];
    let mut read = 0;
    for (compat, endian) in [(false, Endian::Little), (true, Endian::Big)] {
        let mut options = AsmOptions::new(endian);
        options.llvm_compat = compat;
        for before in [
            "",
            "x = 7\n.set label, 3\n",
            ".weakref label, other\n",
            ".bss\n",
        ] {
            for directive in directives {
                for value in REGISTERS.iter().chain(&VALUES).chain(&more) {
                    for after in after {
                        let text = format!("{directive}\t{value}{after}\n.data\nlabel: .byte 1\n");
                        let quick = outcome(&format!("{before}{text}"), &options);
                        let slow = outcome(&format!("{before}/**/{text}"), &options);
                        assert_eq!(quick, slow, "{before}{text}");
                        read += usize::from(quick.is_ok());
                    }
                }
            }
        }
    }
    assert!(read > 3_000, "{read}");
}

#[test]
fn macros_may_have_the_names_of_data() {
    let options = AsmOptions::new(Endian::Little);
    let text = ".macro .long value\n.byte \\value\n.endm\n.long 5\n";
    let made = outcome(text, &options).unwrap();
    let section = made.section_by_name(".text").unwrap();
    assert_eq!(made.data(section), [5]);
}
