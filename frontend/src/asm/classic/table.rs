//! The mnemonics: what each one is, and which operands follow it.
//!
//! GNU as and the conformance suite name the same instructions differently, and nowhere do they mean
//! different things by one name, so that one table holds both. What neither of them can say has the
//! name that it has in the kernel's syntax.
//!
//! Cost: a lookup compares the word with each row.

use bpf::insn::{AluOp, AtomicOp, Cond, EndianOp, MemWidth, Width};

use super::super::ast::JumpKind;

/// An instruction of which only the operands are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `add %r1, %r2`
    Alu(AluOp),
    /// `neg %r1`
    Negate,
    /// `movsx832 %r1, %r2`: from a width of memory to one of registers.
    Extend(MemWidth, Width),
    /// `movs %r1, %r2, 8`
    ExtendBits,
    /// `be16 %r1`
    ByteOrder(EndianOp, u8),
    /// `endbe %r1, 16`
    ByteOrderBits(EndianOp),
    /// `lddw %r1, 5`
    LoadWide,
    /// `ld_pseudo %r1, 1, 5`
    LoadPseudo,
    /// `addr_space_cast %r1, %r2, 0, 1`
    AddrSpaceCast,
    /// `ldxw %r1, [%r2+4]`, with `true` the sign is extended.
    Load(MemWidth, bool),
    /// `stxw [%r1+4], %r2`
    Store(MemWidth),
    /// `stw [%r1+4], 5`
    StoreNumber(MemWidth),
    /// `ldabsw 5`
    PacketLoad(MemWidth),
    /// `ldindw %r1, 5`
    PacketLoadAt(MemWidth),
    /// `aadd [%r1+4], %r2`, with `true` the old value comes back.
    Atomic(AtomicOp, bool),
    /// `load_acquirew %r1, [%r2+4]`
    LoadAcquire(MemWidth),
    /// `store_releasew [%r1+4], %r2`
    StoreRelease(MemWidth),
    /// `jeq %r1, %r2, label`
    Branch(Cond),
    /// `ja label`
    Jump(JumpKind),
    /// `gotox %r1`
    Gotox,
    /// `call 5`, `call function`, `call %r1`
    Call,
    /// `call local function`
    CallLocal,
    /// `call runtime 5`
    CallKernel,
    /// `callx %r1`
    Callx,
    /// `exit`
    Exit,
}

/// What an operand has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Register,
    RegisterOrNumber,
    Number,
    /// 8, 16 or 32
    SignBits,
    /// 16, 32 or 64
    OrderBits,
    /// 0, or nothing.
    Zero,
    Symbol,
    Address,
    Target,
    Callee,
}

impl Wanted {
    /// In words.
    pub fn described(self) -> &'static str {
        match self {
            Wanted::Register => "a register",
            Wanted::RegisterOrNumber => "a register or a number",
            Wanted::Number => "a number",
            Wanted::SignBits => "8, 16 or 32",
            Wanted::OrderBits => "16, 32 or 64",
            Wanted::Zero => "0 or nothing",
            Wanted::Symbol => "a number or a symbol",
            Wanted::Address => "an address",
            Wanted::Target => "a label or a number of instructions",
            Wanted::Callee => "a function, a helper's number or a register",
        }
    }

    /// An example, as operand number `index`.
    pub fn example(self, index: usize) -> String {
        match self {
            Wanted::Register => format!("%r{}", index + 1),
            Wanted::RegisterOrNumber => format!("%r{}", index + 1),
            Wanted::Address => format!("[%r{}+4]", index + 1),
            Wanted::SignBits => "8".to_owned(),
            Wanted::OrderBits => "16".to_owned(),
            Wanted::Number | Wanted::Symbol => "5".to_owned(),
            Wanted::Zero => "0".to_owned(),
            Wanted::Target => "label".to_owned(),
            Wanted::Callee => "function".to_owned(),
        }
    }

    /// Whether the operand may be missing.
    pub fn is_optional(self) -> bool {
        self == Wanted::Zero
    }
}

impl Shape {
    /// The operands, in their order.
    pub fn operands(self) -> &'static [Wanted] {
        use Wanted::{
            Address, Callee, Number, OrderBits, Register, RegisterOrNumber, SignBits, Symbol,
            Target, Zero,
        };
        match self {
            Shape::Alu(_) => &[Register, RegisterOrNumber],
            Shape::Negate => &[Register, Zero],
            Shape::Extend(..) => &[Register, Register],
            Shape::ExtendBits => &[Register, Register, SignBits],
            Shape::ByteOrder(..) | Shape::Gotox | Shape::Callx => &[Register],
            Shape::ByteOrderBits(_) => &[Register, OrderBits],
            Shape::LoadWide => &[Register, Symbol],
            Shape::LoadPseudo => &[Register, Number, Number],
            Shape::AddrSpaceCast => &[Register, Register, Number, Number],
            Shape::Load(..) | Shape::LoadAcquire(_) => &[Register, Address],
            Shape::Store(_) | Shape::Atomic(..) | Shape::StoreRelease(_) => &[Address, Register],
            Shape::StoreNumber(_) => &[Address, Number],
            Shape::PacketLoad(_) | Shape::CallKernel => &[Number],
            Shape::PacketLoadAt(_) => &[Register, Number],
            Shape::Branch(_) => &[Register, RegisterOrNumber, Target],
            Shape::Jump(_) | Shape::CallLocal => &[Target],
            Shape::Call => &[Callee],
            Shape::Exit => &[],
        }
    }
}

/// A name, what it means, and whether the name with `32` behind means the same on lower halves.
type Row = (&'static str, Shape, bool);

const B: MemWidth = MemWidth::B8;
const H: MemWidth = MemWidth::B16;
const W: MemWidth = MemWidth::B32;
const DW: MemWidth = MemWidth::B64;

const ROWS: &[Row] = &[
    ("mov", Shape::Alu(AluOp::Mov), true),
    ("add", Shape::Alu(AluOp::Add), true),
    ("sub", Shape::Alu(AluOp::Sub), true),
    ("mul", Shape::Alu(AluOp::Mul), true),
    ("div", Shape::Alu(AluOp::Div), true),
    ("sdiv", Shape::Alu(AluOp::Sdiv), true),
    ("mod", Shape::Alu(AluOp::Mod), true),
    ("smod", Shape::Alu(AluOp::Smod), true),
    ("or", Shape::Alu(AluOp::Or), true),
    ("and", Shape::Alu(AluOp::And), true),
    ("xor", Shape::Alu(AluOp::Xor), true),
    ("lsh", Shape::Alu(AluOp::Lsh), true),
    ("rsh", Shape::Alu(AluOp::Rsh), true),
    ("arsh", Shape::Alu(AluOp::Arsh), true),
    ("neg", Shape::Negate, true),
    ("movs", Shape::ExtendBits, true),
    ("movsx832", Shape::Extend(B, Width::W32), false),
    ("movsx864", Shape::Extend(B, Width::W64), false),
    ("movsx1632", Shape::Extend(H, Width::W32), false),
    ("movsx1664", Shape::Extend(H, Width::W64), false),
    ("movsx3264", Shape::Extend(W, Width::W64), false),
    ("be16", Shape::ByteOrder(EndianOp::Be, 16), false),
    ("be32", Shape::ByteOrder(EndianOp::Be, 32), false),
    ("be64", Shape::ByteOrder(EndianOp::Be, 64), false),
    ("le16", Shape::ByteOrder(EndianOp::Le, 16), false),
    ("le32", Shape::ByteOrder(EndianOp::Le, 32), false),
    ("le64", Shape::ByteOrder(EndianOp::Le, 64), false),
    ("swap16", Shape::ByteOrder(EndianOp::Bswap, 16), false),
    ("swap32", Shape::ByteOrder(EndianOp::Bswap, 32), false),
    ("swap64", Shape::ByteOrder(EndianOp::Bswap, 64), false),
    ("bswap16", Shape::ByteOrder(EndianOp::Bswap, 16), false),
    ("bswap32", Shape::ByteOrder(EndianOp::Bswap, 32), false),
    ("bswap64", Shape::ByteOrder(EndianOp::Bswap, 64), false),
    ("endbe", Shape::ByteOrderBits(EndianOp::Be), false),
    ("endle", Shape::ByteOrderBits(EndianOp::Le), false),
    ("bswap", Shape::ByteOrderBits(EndianOp::Bswap), false),
    ("lddw", Shape::LoadWide, false),
    ("ld_pseudo", Shape::LoadPseudo, false),
    ("addr_space_cast", Shape::AddrSpaceCast, false),
    ("ldxb", Shape::Load(B, false), false),
    ("ldxh", Shape::Load(H, false), false),
    ("ldxw", Shape::Load(W, false), false),
    ("ldxdw", Shape::Load(DW, false), false),
    ("ldxsb", Shape::Load(B, true), false),
    ("ldxsh", Shape::Load(H, true), false),
    ("ldxsw", Shape::Load(W, true), false),
    ("stxb", Shape::Store(B), false),
    ("stxh", Shape::Store(H), false),
    ("stxw", Shape::Store(W), false),
    ("stxdw", Shape::Store(DW), false),
    ("stb", Shape::StoreNumber(B), false),
    ("sth", Shape::StoreNumber(H), false),
    ("stw", Shape::StoreNumber(W), false),
    ("stdw", Shape::StoreNumber(DW), false),
    ("ldabsb", Shape::PacketLoad(B), false),
    ("ldabsh", Shape::PacketLoad(H), false),
    ("ldabsw", Shape::PacketLoad(W), false),
    ("ldindb", Shape::PacketLoadAt(B), false),
    ("ldindh", Shape::PacketLoadAt(H), false),
    ("ldindw", Shape::PacketLoadAt(W), false),
    ("aadd", Shape::Atomic(AtomicOp::Add, false), true),
    ("aor", Shape::Atomic(AtomicOp::Or, false), true),
    ("aand", Shape::Atomic(AtomicOp::And, false), true),
    ("axor", Shape::Atomic(AtomicOp::Xor, false), true),
    ("afadd", Shape::Atomic(AtomicOp::Add, true), true),
    ("afor", Shape::Atomic(AtomicOp::Or, true), true),
    ("afand", Shape::Atomic(AtomicOp::And, true), true),
    ("afxor", Shape::Atomic(AtomicOp::Xor, true), true),
    ("axchg", Shape::Atomic(AtomicOp::Xchg, true), true),
    ("acmp", Shape::Atomic(AtomicOp::Cmpxchg, true), true),
    ("xadddw", Shape::Atomic(AtomicOp::Add, false), false),
    ("load_acquireb", Shape::LoadAcquire(B), false),
    ("load_acquireh", Shape::LoadAcquire(H), false),
    ("load_acquirew", Shape::LoadAcquire(W), false),
    ("load_acquiredw", Shape::LoadAcquire(DW), false),
    ("store_releaseb", Shape::StoreRelease(B), false),
    ("store_releaseh", Shape::StoreRelease(H), false),
    ("store_releasew", Shape::StoreRelease(W), false),
    ("store_releasedw", Shape::StoreRelease(DW), false),
    ("jeq", Shape::Branch(Cond::Eq), true),
    ("jne", Shape::Branch(Cond::Ne), true),
    ("jgt", Shape::Branch(Cond::Gt), true),
    ("jge", Shape::Branch(Cond::Ge), true),
    ("jlt", Shape::Branch(Cond::Lt), true),
    ("jle", Shape::Branch(Cond::Le), true),
    ("jset", Shape::Branch(Cond::Set), true),
    ("jsgt", Shape::Branch(Cond::Sgt), true),
    ("jsge", Shape::Branch(Cond::Sge), true),
    ("jslt", Shape::Branch(Cond::Slt), true),
    ("jsle", Shape::Branch(Cond::Sle), true),
    ("ja", Shape::Jump(JumpKind::Goto), false),
    ("ja32", Shape::Jump(JumpKind::Gotol), false),
    ("jal", Shape::Jump(JumpKind::Gotol), false),
    ("may_goto", Shape::Jump(JumpKind::MayGoto), false),
    ("gotox", Shape::Gotox, false),
    ("call", Shape::Call, false),
    ("callx", Shape::Callx, false),
    ("exit", Shape::Exit, false),
];

/// The operations after `lock`.
const LOCKED: &[(&str, AtomicOp)] = &[
    ("add", AtomicOp::Add),
    ("or", AtomicOp::Or),
    ("and", AtomicOp::And),
    ("xor", AtomicOp::Xor),
    ("xchg", AtomicOp::Xchg),
    ("cmpxchg", AtomicOp::Cmpxchg),
];

/// What a mnemonic means; the caller has lower-cased it.
pub fn find(word: &str) -> Option<(Shape, Width)> {
    // The only name whose `w` is the whole of the width.
    if word == "xaddw" {
        return Some((Shape::Atomic(AtomicOp::Add, false), Width::W32));
    }
    let exact = ROWS.iter().find(|row| row.0 == word);
    if let Some(&(_, shape, _)) = exact {
        return Some((shape, Width::W64));
    }
    let word = word.strip_suffix("32")?;
    let narrow = ROWS.iter().find(|row| row.2 && row.0 == word);
    narrow.map(|row| (row.1, Width::W32))
}

/// What an operation after `lock` or `lock fetch` means.
pub fn locked(word: &str, fetch: bool) -> Option<(Shape, Width)> {
    let (word, width) = match word.strip_suffix("32") {
        Some(word) => (word, Width::W32),
        None => (word, Width::W64),
    };
    let &(_, op) = LOCKED.iter().find(|row| row.0 == word)?;
    let returns = fetch || matches!(op, AtomicOp::Xchg | AtomicOp::Cmpxchg);
    Some((Shape::Atomic(op, returns), width))
}

/// All mnemonics.
pub fn names() -> impl Iterator<Item = String> {
    let both = ROWS.iter().flat_map(|&(name, _, narrow)| {
        let name = name.to_owned();
        let lower = narrow.then(|| format!("{name}32"));
        std::iter::once(name).chain(lower)
    });
    both.chain(["xaddw".to_owned(), "lock".to_owned()])
}
