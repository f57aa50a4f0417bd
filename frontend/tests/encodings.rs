//! Every instruction text that LLVM's assembler takes gives LLVM's bytes, in both byte orders: with
//! exceptions where LLVM drops bits without a word, and with none where its reading is asked for.
//!
//! The vectors lie beside the project; without them the test is ignored.

use std::path::PathBuf;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let trials = vec![
        vectors("encodings.json", 5_336, &KNOWN_BUGS, false),
        vectors("encodings.json", 5_336, &[], true),
        vectors("newer_llvm_encodings.json", 186, &OLD_CALLX, false),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// Rows that we refuse or assemble otherwise, with the reason.
type Exception = (&'static str, Expected, &'static str);

enum Expected {
    Refused,
    Bytes(&'static str),
}

const TRUNCATED: &str = "LLVM keeps the low 32 bits without a word";
const KNOWN_BUGS: [Exception; 14] = [
    ("r1 = 0x1ffffffffll", Expected::Refused, TRUNCATED),
    ("r1 = 0x100000000", Expected::Refused, TRUNCATED),
    ("r1 = 0x1ffffffff", Expected::Refused, TRUNCATED),
    ("r1 = -2147483649", Expected::Refused, TRUNCATED),
    ("r1 += 0x123456789", Expected::Refused, TRUNCATED),
    ("w1 = 0x100000001", Expected::Refused, TRUNCATED),
    (
        "if r1 == 0xcafefeeddeadbeef goto +1",
        Expected::Refused,
        TRUNCATED,
    ),
    (
        "*(u64 *)(r1 + 0) = 0x1deadbeef",
        Expected::Refused,
        TRUNCATED,
    ),
    ("call 0x100000005", Expected::Refused, TRUNCATED),
    (
        "r0 = *(u32 *)skb[0x100000005]",
        Expected::Refused,
        TRUNCATED,
    ),
    (
        "ld_pseudo r1, 17, 1",
        Expected::Refused,
        "LLVM keeps the low 4 bits of the kind",
    ),
    (
        "r1 = addr_space_cast(r2, 0x10001, 0x20002)",
        Expected::Refused,
        "LLVM keeps the low 16 bits of an address space",
    ),
    (
        "ld_pseudo r3, 2, -1",
        Expected::Bytes("18230000ffffffff00000000ffffffff"),
        "LLVM loses the upper half of the immediate",
    ),
    (
        "ld_pseudo r1, 1, 0x123456789abcdef0",
        Expected::Bytes("18110000f0debc9a0000000078563412"),
        "LLVM loses the upper half of the immediate",
    ),
];

const MOVED: &str = "LLVM up to 18 had the register of `callx` in the immediate";
const OLD_CALLX: [Exception; 10] = [
    ("callx r1", Expected::Bytes("8d01000000000000"), MOVED),
    ("callx r2", Expected::Bytes("8d02000000000000"), MOVED),
    ("callx r3", Expected::Bytes("8d03000000000000"), MOVED),
    ("callx r4", Expected::Bytes("8d04000000000000"), MOVED),
    ("callx r5", Expected::Bytes("8d05000000000000"), MOVED),
    ("callx r6", Expected::Bytes("8d06000000000000"), MOVED),
    ("callx r7", Expected::Bytes("8d07000000000000"), MOVED),
    ("callx r8", Expected::Bytes("8d08000000000000"), MOVED),
    ("callx r9", Expected::Bytes("8d09000000000000"), MOVED),
    ("callx r10", Expected::Bytes("8d0a000000000000"), MOVED),
];

fn vectors(
    name: &'static str,
    count: usize,
    exceptions: &'static [Exception],
    llvm_compat: bool,
) -> Trial {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/asm")
        .join(name);
    let text = std::fs::read_to_string(&path).ok();
    let missing = text.is_none();
    let title = match llvm_compat {
        true => format!("{name}, as LLVM reads"),
        false => name.to_owned(),
    };
    Trial::test(title, move || {
        check(&text.unwrap_or_default(), count, exceptions, llvm_compat)
    })
    .with_ignored_flag(missing)
}

fn check(
    text: &str,
    count: usize,
    exceptions: &[Exception],
    llvm_compat: bool,
) -> Result<(), Failed> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(text)?;
    let mut wrong = Vec::new();
    for row in &rows {
        let asm = row["asm"].as_str().unwrap_or_default();
        let little = row["hex"].as_str().unwrap_or_default();
        let exception = exceptions.iter().find(|exception| exception.0 == asm);
        let mut orders = vec![(Endian::Little, Some(little))];
        if row.get("hex_be").is_some() {
            orders.push((Endian::Big, row["hex_be"].as_str()));
        }
        for (endian, expected) in orders {
            let expected = match exception {
                Some((_, Expected::Refused, _)) => None,
                Some((_, Expected::Bytes(bytes), _)) if endian == Endian::Little => Some(*bytes),
                Some(_) => continue,
                None => expected,
            };
            let found = bytes(asm, endian, llvm_compat);
            if found.as_deref().ok() != expected {
                wrong.push(format!(
                    "{asm:?} {endian:?}: {found:?}, expected {expected:?}"
                ));
            }
        }
    }
    if rows.len() != count {
        wrong.push(format!("{} rows instead of {count}", rows.len()));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{} wrong:\n{}", wrong.len(), wrong.join("\n")).into()),
    }
}

fn bytes(asm: &str, endian: Endian, llvm_compat: bool) -> Result<String, String> {
    let mut options = AsmOptions::new(endian);
    options.llvm_compat = llvm_compat;
    let assembled = assemble(asm, FileId(0), &options)
        .map_err(|errors| format!("{:?}", errors.first().map(|error| &error.message)))?;
    let text = assembled
        .object
        .section_by_name(".text")
        .ok_or("no .text")?;
    let bytes = assembled.object.data(text);
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
