//! The classic dialect: each of its texts gives the bytes of the same instruction in LLVM's, and
//! every instruction that there is can be written in it.

use std::path::Path;

use bpf::diagnostic::FileId;
use bpf::insn::{
    AluOp, AtomicOp, CallTarget, Cond, Endian, EndianOp, Insn, MemWidth, Operand, Slot, Width,
    read_slots,
};
use frontend::asm::{AsmOptions, Syntax, assemble};
use libtest_mimic::{Arguments, Failed, Trial};

/// Numbers of a random sequence that is the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }
}

fn code(text: &str, syntax: Syntax, endian: Endian) -> Result<Vec<u8>, String> {
    let mut options = AsmOptions::new(endian);
    options.syntax = syntax;
    let assembled = assemble(text, FileId(0), &options).map_err(|errors| {
        let first = errors.first().map(|error| error.message.clone());
        format!("{text}: {}", first.unwrap_or_default())
    })?;
    let object = assembled.object;
    let section = object.section_by_name(".text").ok_or("no code")?;
    Ok(object.data(section).to_vec())
}

fn same(classic: &str, llvm: &str) {
    for endian in [Endian::Little, Endian::Big] {
        let ours = code(classic, Syntax::Classic, endian);
        let measure = code(llvm, Syntax::Llvm, endian);
        assert!(measure.is_ok(), "{measure:?}");
        assert_eq!(ours, measure, "{classic} is not {llvm}");
    }
}

/// Both ways of writing an instruction.
const PAIRS: &[(&str, &str)] = &[
    ("mov %r1,%r2", "r1 = r2"),
    ("mov r1, -5", "r1 = -5"),
    ("MOV32 %r1, 0xffffffff", "w1 = 0xffffffff"),
    ("mov32 %r1 %r2", "w1 = w2"),
    ("mov %fp, %r1", "r10 = r1"),
    ("add %r1, (1 + 2) * 3", "r1 += 9"),
    ("and %r1, ~0xf", "r1 &= -16"),
    ("sdiv %r1, %r2", "r1 s/= r2"),
    ("smod32 %r1, 7", "w1 s%= 7"),
    ("arsh %r1, 3", "r1 s>>= 3"),
    ("neg %r1", "r1 = -r1"),
    ("neg32 %r1, 0", "w1 = -w1"),
    ("movs %r1,%r2,8", "r1 = (s8)r2"),
    ("movs %r1,%r2,32", "r1 = (s32)r2"),
    ("movs32 %r1,%r2,16", "w1 = (s16)w2"),
    ("movsx832 %r1, %r2", "w1 = (s8)w2"),
    ("movsx1664 %r1, %r2", "r1 = (s16)r2"),
    ("movsx3264 %r1, %r2", "r1 = (s32)r2"),
    ("endbe %r1,16", "r1 = be16 r1"),
    ("be16 %r1", "r1 = be16 r1"),
    ("endle %r1, 64", "r1 = le64 r1"),
    ("le32 %r1", "r1 = le32 r1"),
    ("bswap %r1, 32", "r1 = bswap32 r1"),
    ("swap32 %r1", "r1 = bswap32 r1"),
    ("bswap32 %r1", "r1 = bswap32 r1"),
    ("lddw %r1, 0x123456789abcdef", "r1 = 0x123456789abcdef ll"),
    ("lddw %r1, there + 8", "r1 = there + 8 ll"),
    ("ld_pseudo %r1, 1, 5", "ld_pseudo r1, 1, 5"),
    (
        "addr_space_cast %r1, %r2, 0, 1",
        "r1 = addr_space_cast(r2, 0, 1)",
    ),
    ("ldxw %r1,[%r2+4]", "r1 = *(u32 *)(r2 + 4)"),
    ("ldxdw %r1, [r2 - 4]", "r1 = *(u64 *)(r2 - 4)"),
    ("ldxb %r1, [%r2]", "r1 = *(u8 *)(r2 + 0)"),
    ("ldxh %r1, [%r2+-2]", "r1 = *(u16 *)(r2 - 2)"),
    ("ldxh %r1, [%r2+(2*3)]", "r1 = *(u16 *)(r2 + 6)"),
    ("ldxh %r1, [%r2-2*3]", "r1 = *(u16 *)(r2 - 6)"),
    ("ldxsw %r1, [%fp-4]", "r1 = *(s32 *)(r10 - 4)"),
    ("stxw [%r1+4], %r2", "*(u32 *)(r1 + 4) = r2"),
    ("stdw [%r1-8], -1", "*(u64 *)(r1 - 8) = -1"),
    ("ldabsw 12", "r0 = *(u32 *)skb[12]"),
    ("ldindh %r2, 0", "r0 = *(u16 *)skb[r2]"),
    ("aadd [%r1+8], %r2", "lock *(u64 *)(r1 + 8) += r2"),
    ("lock add [%r1+8], %r2", "lock *(u64 *)(r1 + 8) += r2"),
    ("xadddw [%r1+8], %r2", "lock *(u64 *)(r1 + 8) += r2"),
    ("xaddw [%r1+8], %r2", "lock *(u32 *)(r1 + 8) += w2"),
    ("lock or32 [%r1+8], %r2", "lock *(u32 *)(r1 + 8) |= w2"),
    (
        "afadd [%r1+8], %r2",
        "r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)",
    ),
    (
        "lock fetch xor32 [%r1+8], %r2",
        "w2 = atomic_fetch_xor((u32 *)(r1 + 8), w2)",
    ),
    ("axchg [%r1+8], %r2", "r2 = xchg_64(r1 + 8, r2)"),
    ("lock xchg32 [%r1+8], %r2", "w2 = xchg32_32(r1 + 8, w2)"),
    ("acmp [%r1+8], %r2", "r0 = cmpxchg_64(r1 + 8, r0, r2)"),
    (
        "lock cmpxchg32 [%r1+8], %r2",
        "w0 = cmpxchg32_32(r1 + 8, w0, w2)",
    ),
    (
        "load_acquirew %r1, [%r2+4]",
        "w1 = load_acquire((u32 *)(r2 + 4))",
    ),
    (
        "store_releasedw [%r1+8], %r2",
        "store_release((u64 *)(r1 + 8), r2)",
    ),
    ("l: jeq %r1, 5, l", "l: if r1 == 5 goto l"),
    ("jset32 %r1, %r2, +3", "if w1 & w2 goto +3"),
    ("jsle %r1 5 -1", "if r1 s<= 4 goto -1"),
    ("l: ja l", "l: goto l"),
    ("ja -1", "goto -1"),
    ("1: ja32 1b", "1: gotol 1b"),
    ("l: jal l", "l: gotol l"),
    ("may_goto +0", "may_goto +0"),
    ("gotox %r1", "gotox r1"),
    ("call 6", "call 6"),
    ("call f\nexit\nf: exit", "call f\nexit\nf: exit"),
    ("call local f\nexit\nf: exit", "call f\nexit\nf: exit"),
    ("call %r1", "callx r1"),
    ("callx %r1", "callx r1"),
    (
        "jeq %r1, 0, exit\nmov %r0, 1\nexit",
        "if r1 == 0 goto e\nr0 = 1\ne: exit",
    ),
    (
        "ja exit\nmov %r0, 1\nexit: mov %r0, 2\nexit",
        "goto e\nr0 = 1\ne: r0 = 2\nexit",
    ),
];

fn both_dialects_give_the_same_bytes() -> Result<(), Failed> {
    for (classic, llvm) in PAIRS {
        // A blank between numbers without a comma: the sign belongs to the expression.
        if *classic != "jsle %r1 5 -1" {
            same(classic, llvm);
        }
    }
    assert!(code("jsle %r1 5 -1", Syntax::Classic, Endian::Little).is_err());
    Ok(())
}

/// An instruction as this dialect writes it.
fn written(insn: &Insn, random: &mut Random) -> String {
    let gnu = random.below(2) == 0;
    let comma = [",", ", ", " ,\t"][random.below(3) as usize];
    let percent = if random.below(4) == 0 { "" } else { "%" };
    let register = |reg: bpf::insn::Reg| format!("{percent}r{}", reg.0);
    let operand = |operand: &Operand| match operand {
        Operand::Reg(reg) => register(*reg),
        Operand::Imm(imm) => imm.to_string(),
    };
    let address = |base: bpf::insn::Reg, offset: i16| match (gnu, offset) {
        (false, 0) => format!("[{}]", register(base)),
        (true, _) => format!("[{}+{offset}]", register(base)),
        _ => format!("[{}{offset:+}]", register(base)),
    };
    let half = |width: Width| if width == Width::W32 { "32" } else { "" };
    let letter = |width: MemWidth| match width {
        MemWidth::B8 => "b",
        MemWidth::B16 => "h",
        MemWidth::B32 => "w",
        MemWidth::B64 => "dw",
    };
    match insn {
        Insn::Alu {
            width,
            op,
            dst,
            src,
        } => {
            let name = match op {
                AluOp::Add => "add",
                AluOp::Sub => "sub",
                AluOp::Mul => "mul",
                AluOp::Div => "div",
                AluOp::Sdiv => "sdiv",
                AluOp::Or => "or",
                AluOp::And => "and",
                AluOp::Lsh => "lsh",
                AluOp::Rsh => "rsh",
                AluOp::Mod => "mod",
                AluOp::Smod => "smod",
                AluOp::Xor => "xor",
                AluOp::Mov => "mov",
                AluOp::Arsh => "arsh",
            };
            let (half, dst, src) = (half(*width), register(*dst), operand(src));
            format!("{name}{half} {dst}{comma}{src}")
        }
        Insn::Neg { width, dst } => format!("neg{} {}", half(*width), register(*dst)),
        Insn::Movsx {
            width,
            bits,
            dst,
            src,
        } => {
            let (dst, src) = (register(*dst), register(*src));
            match (gnu, width) {
                (true, _) => format!("movs{} {dst}{comma}{src}{comma}{bits}", half(*width)),
                (false, Width::W32) => format!("movsx{bits}32 {dst}{comma}{src}"),
                (false, Width::W64) => format!("movsx{bits}64 {dst}{comma}{src}"),
            }
        }
        Insn::AddrSpaceCast {
            dst,
            src,
            dst_space,
            src_space,
        } => {
            let (dst, src) = (register(*dst), register(*src));
            format!("addr_space_cast {dst}{comma}{src}{comma}{dst_space}{comma}{src_space}")
        }
        Insn::Endian { op, bits, dst } => {
            let (short, long) = match op {
                EndianOp::Be => ("be", "endbe"),
                EndianOp::Le => ("le", "endle"),
                EndianOp::Bswap => ("swap", "bswap"),
            };
            match gnu {
                true => format!("{long} {}{comma}{bits}", register(*dst)),
                false => format!("{short}{bits} {}", register(*dst)),
            }
        }
        Insn::LoadImm64 { dst, pseudo, imm } => match pseudo.0 {
            0 => format!("lddw {}{comma}{imm:#x}", register(*dst)),
            kind => format!("ld_pseudo {}{comma}{kind}{comma}{imm}", register(*dst)),
        },
        Insn::Load {
            width,
            signed,
            dst,
            base,
            offset,
        } => {
            let sign = if *signed { "s" } else { "" };
            let (dst, address) = (register(*dst), address(*base, *offset));
            format!("ldx{sign}{} {dst}{comma}{address}", letter(*width))
        }
        Insn::Store {
            width,
            base,
            offset,
            src,
        } => {
            let kind = if matches!(src, Operand::Reg(_)) {
                "stx"
            } else {
                "st"
            };
            let (address, src) = (address(*base, *offset), operand(src));
            format!("{kind}{} {address}{comma}{src}", letter(*width))
        }
        Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            src,
        } => {
            let half = if *width == MemWidth::B32 { "32" } else { "" };
            let (long, short) = match op {
                AtomicOp::Add => ("add", "add"),
                AtomicOp::Or => ("or", "or"),
                AtomicOp::And => ("and", "and"),
                AtomicOp::Xor => ("xor", "xor"),
                AtomicOp::Xchg => ("xchg", "xchg"),
                AtomicOp::Cmpxchg => ("cmpxchg", "cmp"),
            };
            let always = matches!(op, AtomicOp::Xchg | AtomicOp::Cmpxchg);
            let name = match (gnu, *fetch && !always) {
                (true, false) => format!("a{short}{half}"),
                (true, true) => format!("af{short}{half}"),
                (false, false) => format!("lock {long}{half}"),
                (false, true) => format!("lock fetch {long}{half}"),
            };
            let (address, src) = (address(*base, *offset), register(*src));
            format!("{name} {address}{comma}{src}")
        }
        Insn::LoadAcquire {
            width,
            dst,
            base,
            offset,
        } => {
            let (dst, address) = (register(*dst), address(*base, *offset));
            format!("load_acquire{} {dst}{comma}{address}", letter(*width))
        }
        Insn::StoreRelease {
            width,
            base,
            offset,
            src,
        } => {
            let (address, src) = (address(*base, *offset), register(*src));
            format!("store_release{} {address}{comma}{src}", letter(*width))
        }
        Insn::LoadAbs { width, imm } => format!("ldabs{} {imm}", letter(*width)),
        Insn::LoadInd { width, src, imm } => {
            format!("ldind{} {}{comma}{imm}", letter(*width), register(*src))
        }
        Insn::Goto { offset, long } => match (long, gnu) {
            (false, _) => format!("ja {offset:+}"),
            (true, true) => format!("jal {offset}"),
            (true, false) => format!("ja32 {offset:+}"),
        },
        Insn::MayGoto { offset } => format!("may_goto {offset:+}"),
        Insn::Gotox { dst } => format!("gotox {}", register(*dst)),
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            offset,
        } => {
            let name = match cond {
                Cond::Eq => "jeq",
                Cond::Ne => "jne",
                Cond::Gt => "jgt",
                Cond::Ge => "jge",
                Cond::Lt => "jlt",
                Cond::Le => "jle",
                Cond::Set => "jset",
                Cond::Sgt => "jsgt",
                Cond::Sge => "jsge",
                Cond::Slt => "jslt",
                Cond::Sle => "jsle",
            };
            let (dst, src) = (register(*dst), operand(src));
            format!("{name}{} {dst}{comma}{src}{comma}{offset:+}", half(*width))
        }
        Insn::Call { target } => match target {
            CallTarget::Helper(number) => format!("call {number}"),
            CallTarget::Subprogram(distance) => format!("call local {distance:+}"),
            CallTarget::Kfunc(number) => format!("call runtime {number}"),
        },
        Insn::Callx { dst } if gnu => format!("call {}", register(*dst)),
        Insn::Callx { dst } => format!("callx {}", register(*dst)),
        Insn::Exit => "exit".to_owned(),
    }
}

/// Every instruction that decodes is read back as it was.
fn every_instruction_can_be_written() -> Result<(), Failed> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut opcodes = std::collections::BTreeSet::new();
    let mut seen = 0;
    let offsets = [0, 0, 0, 1, 8, 16, 32, -1];
    let immediates = [
        0, 0, 1, 2, 16, 32, 64, 0x40, 0x50, 0xa0, 0x41, 0x51, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
    ];
    for round in 0..400_000_u64 {
        let offset = match random.below(2) {
            0 => offsets[random.below(8) as usize],
            _ => random.next() as i16,
        };
        let imm = match random.below(3) {
            0 => random.next() as i32,
            _ => immediates[random.below(immediates.len() as u64) as usize],
        };
        let first = Slot {
            opcode: (round & 0xff) as u8,
            dst: random.below(11) as u8,
            src: match random.below(2) {
                0 => 0,
                _ => random.below(11) as u8,
            },
            offset,
            imm,
        };
        let second = Slot {
            opcode: 0,
            dst: 0,
            src: 0,
            offset: 0,
            imm: random.next() as i32,
        };
        let Ok((insn, _)) = Insn::decode(&[first, second]) else {
            continue;
        };
        let endian = [Endian::Little, Endian::Big][(round >> 8 & 1) as usize];
        let text = written(&insn, &mut random);
        let bytes: Vec<u8> = insn
            .encode()
            .into_iter()
            .flat_map(|slot| slot.to_bytes(endian))
            .collect();
        assert_eq!(code(&text, Syntax::Classic, endian), Ok(bytes), "{text}");
        opcodes.insert(first.opcode);
        seen += 1;
    }
    assert!(seen > 10_000, "{seen} instructions");
    assert!(opcodes.len() > 120, "{} opcodes", opcodes.len());
    Ok(())
}

/// The programs of the conformance suite, written in this dialect and read again.
fn vectors(text: &str) -> Result<(), Failed> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut programs = 0;
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let digits = row["bytes"].as_str().unwrap_or_default().as_bytes();
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?))
            .collect::<Result<_, Failed>>()?;
        let slots = read_slots(&bytes, Endian::Little).ok_or("half a slot")?;
        let mut text = String::new();
        let mut rest = slots.as_slice();
        while !rest.is_empty() {
            // Some are about instructions that do not exist.
            let Ok((insn, used)) = Insn::decode(rest) else {
                break;
            };
            text.push_str(&written(&insn, &mut random));
            text.push('\n');
            rest = rest.get(used..).unwrap_or_default();
        }
        if rest.is_empty() {
            let read = code(&text, Syntax::Classic, Endian::Little)?;
            assert_eq!(read, bytes, "{}", row["name"]);
            programs += 1;
        }
    }
    assert!(programs > 300, "{programs} programs");
    Ok(())
}

/// The examples of `docs/assembly.md`.
fn document() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/assembly.md");
    let document = std::fs::read_to_string(path)?;
    let mut count = 0;
    for block in document.split("```gas\n").skip(1) {
        let text = block.split("```").next().unwrap_or("");
        for endian in [Endian::Little, Endian::Big] {
            assert!(code(text, Syntax::Classic, endian)?.len() > 300);
        }
        count += 1;
    }
    assert_eq!(count, 1);
    Ok(())
}

fn main() {
    let arguments = Arguments::from_args();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance/isa.jsonl");
    let text = std::fs::read_to_string(path).ok();
    let missing = text.is_none();
    let trials = vec![
        Trial::test(
            "both dialects give the same bytes",
            both_dialects_give_the_same_bytes,
        ),
        Trial::test(
            "every instruction can be written",
            every_instruction_can_be_written,
        ),
        Trial::test("examples of the page", document),
        Trial::test("conformance vectors", move || {
            vectors(&text.unwrap_or_default())
        })
        .with_ignored_flag(missing),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
