//! The words of the text form that printer and parser share, each in one list.

use crate::module::SymbolKind;
use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::{AtomicOp, Cond, Endian, MemWidth};
use std::fmt::{self, Display, Formatter, Write as _};

macro_rules! word_list {
    ($(#[$doc:meta])* $name:ident, $parse:ident, $ty:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        pub(crate) fn $name(value: $ty) -> &'static str {
            match value { $($ty::$variant => $word,)* }
        }

        pub(crate) fn $parse(word: &str) -> Option<$ty> {
            match word { $($word => Some($ty::$variant),)* _ => None }
        }
    };
}

word_list! {
    /// Comparisons; the unsigned ones say so, since types have no sign.
    cond, parse_cond, Cond {
        Eq = "eq", Ne = "ne",
        Gt = "ugt", Ge = "uge", Lt = "ult", Le = "ule",
        Set = "set",
        Sgt = "sgt", Sge = "sge", Slt = "slt", Sle = "sle",
    }
}

word_list! {
    /// Byte orders.
    endian, parse_endian, Endian { Little = "little", Big = "big", }
}

word_list! {
    /// Atomic operations, without the `fetch_` of those that return the old value.
    atomic, parse_atomic, AtomicOp {
        Add = "add", Or = "or", And = "and", Xor = "xor", Xchg = "xchg", Cmpxchg = "cmpxchg",
    }
}

word_list! {
    /// Widths of accesses.
    width, parse_width, MemWidth { B8 = "u8", B16 = "u16", B32 = "u32", B64 = "u64", }
}

word_list! {
    /// Widths of accesses that extend the sign.
    signed_width, parse_signed_width, MemWidth { B8 = "s8", B16 = "s16", B32 = "s32", B64 = "s64", }
}

/// The type of this spelling.
pub(crate) fn parse_ty(word: &str) -> Option<Type> {
    [Type::I32, Type::I64]
        .into_iter()
        .find(|ty| ty.name() == word)
}

/// What a symbol is; a function's number follows.
pub(crate) fn symbol_kind(kind: SymbolKind) -> &'static str {
    match kind {
        SymbolKind::Map => "map",
        SymbolKind::Data => "data",
        SymbolKind::Function(_) => "function",
        SymbolKind::Extern => "extern",
        SymbolKind::Other => "other",
    }
}

/// The type of a unary operation's result where the operation allows one only.
pub(crate) fn implied_type(opcode: Opcode) -> Option<Type> {
    match opcode {
        Opcode::Ineg | Opcode::Sext8 | Opcode::Sext16 => None,
        Opcode::Trunc => Some(Type::I32),
        _ => Some(Type::I64),
    }
}

/// A string in quotes; everything that is not printable is escaped.
pub(crate) struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
