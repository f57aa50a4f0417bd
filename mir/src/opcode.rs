//! The one list of instructions: name, format, effects and meaning.
//!
//! The enum, the names of the text form, the effect queries and the documentation all come from
//! the `instructions!` list below; nothing else in the crate repeats it.

use std::fmt;

/// The shape of an instruction's data: which variant of [`crate::InstData`] it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each is the variant of InstData with the same name"
)]
pub enum Format {
    Nullary,
    Const,
    SymbolAddr,
    Unary,
    SpaceCast,
    Binary,
    Load,
    Store,
    AtomicRmw,
    CompareExchange,
    LoadAbs,
    LoadInd,
    CallHelper,
    CallFunc,
    CallExternal,
    CallIndirect,
    Jump,
    Branch,
    MayGoto,
    Return,
}

/// What an instruction may do beside computing its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: may be removed when unused, duplicated, merged with an equal one, moved.
    Pure,
    /// Reads memory.
    Reads,
    /// Writes memory, or reads and writes it.
    Writes,
    /// Calls: anything may happen to memory.
    Calls,
    /// Ends a block.
    Terminates,
}

macro_rules! instructions {
    ($($(#[doc = $doc:literal])* $variant:ident $name:literal $format:ident $effect:ident $result:literal;)*) => {
        /// An operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Opcode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Opcode {
            /// Every operation, in the order of the list.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$variant),*];

            /// The spelling in the text form.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Opcode::$variant => $name,)* }
            }

            /// The shape of its data.
            #[must_use]
            pub fn format(self) -> Format {
                match self { $(Opcode::$variant => Format::$format,)* }
            }

            /// What it may do.
            #[must_use]
            pub fn effect(self) -> Effect {
                match self { $(Opcode::$variant => Effect::$effect,)* }
            }

            /// Whether it defines a value. (An atomic defines one only when it fetches.)
            #[must_use]
            pub fn has_result(self) -> bool {
                match self { $(Opcode::$variant => $result,)* }
            }

            /// What it means, in the words of this list.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Opcode::$variant => concat!($($doc),*).trim_ascii_start(),)* }
            }

            /// The operation of this spelling.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Opcode> {
                match name { $($name => Some(Opcode::$variant),)* _ => None }
            }
        }
    };
}

instructions! {
    /// A value nobody wrote: a register that bytecode left unset. Reading it is an error that the
    /// kernel refuses, so it may only flow to places that are never read.
    Undef "undef" Nullary Pure true;
    /// The frame pointer `r10`: one past the highest byte of the 512-byte stack frame. `i64`.
    Frame "frame" Nullary Pure true;
    /// A constant; `i32` constants are kept sign-extended.
    Iconst "iconst" Const Pure true;
    /// The address, or map pointer, that a loader puts into `ld_imm64` for a symbol. `i64`.
    SymbolAddr "symbol" SymbolAddr Pure true;

    /// Two's complement negation.
    Ineg "ineg" Unary Pure true;
    /// Bits 0 to 7, sign-extended to the type.
    Sext8 "sext8" Unary Pure true;
    /// Bits 0 to 15, sign-extended to the type.
    Sext16 "sext16" Unary Pure true;
    /// `i32` to `i64`, sign-extended.
    Sext "sext" Unary Pure true;
    /// `i32` to `i64`, upper half zero.
    Zext "zext" Unary Pure true;
    /// `i64` to `i32`, lower half.
    Trunc "trunc" Unary Pure true;
    /// Lower 16 bits host order to big endian, zero-extended. `i64`.
    Be16 "be16" Unary Pure true;
    /// Lower 32 bits host order to big endian, zero-extended. `i64`.
    Be32 "be32" Unary Pure true;
    /// 64 bits host order to big endian. `i64`.
    Be64 "be64" Unary Pure true;
    /// Lower 16 bits host order to little endian, zero-extended. `i64`.
    Le16 "le16" Unary Pure true;
    /// Lower 32 bits host order to little endian, zero-extended. `i64`.
    Le32 "le32" Unary Pure true;
    /// 64 bits host order to little endian. `i64`.
    Le64 "le64" Unary Pure true;
    /// Lower 16 bits swapped, zero-extended. `i64`.
    Bswap16 "bswap16" Unary Pure true;
    /// Lower 32 bits swapped, zero-extended. `i64`.
    Bswap32 "bswap32" Unary Pure true;
    /// 64 bits swapped. `i64`.
    Bswap64 "bswap64" Unary Pure true;
    /// Arena pointer from one address space to another. `i64`.
    AddrSpaceCast "addr_space_cast" SpaceCast Pure true;

    /// Sum, wrapping.
    Iadd "iadd" Binary Pure true;
    /// Difference, wrapping.
    Isub "isub" Binary Pure true;
    /// Product, wrapping.
    Imul "imul" Binary Pure true;
    /// Unsigned quotient; division by zero gives 0.
    Udiv "udiv" Binary Pure true;
    /// Signed quotient, truncated; division by zero gives 0, MIN / -1 gives MIN.
    Sdiv "sdiv" Binary Pure true;
    /// Unsigned remainder; modulo zero gives the dividend.
    Urem "urem" Binary Pure true;
    /// Signed remainder; modulo zero gives the dividend, MIN % -1 gives 0.
    Srem "srem" Binary Pure true;
    /// Bitwise and.
    Band "band" Binary Pure true;
    /// Bitwise or.
    Bor "bor" Binary Pure true;
    /// Bitwise exclusive or.
    Bxor "bxor" Binary Pure true;
    /// Shift left by the amount modulo the width.
    Ishl "ishl" Binary Pure true;
    /// Logical shift right by the amount modulo the width.
    Ushr "ushr" Binary Pure true;
    /// Arithmetic shift right by the amount modulo the width.
    Sshr "sshr" Binary Pure true;

    /// Memory load, zero-extended to `i64`.
    Load "load" Load Reads true;
    /// Memory load, sign-extended to `i64`.
    Sload "sload" Load Reads true;
    /// Load-acquire, zero-extended to `i64`.
    LoadAcquire "load_acquire" Load Writes true;
    /// Memory store of the value's low bytes.
    Store "store" Store Writes false;
    /// Store-release of the value's low bytes.
    StoreRelease "store_release" Store Writes false;
    /// Atomic read-modify-write; when it fetches, its result is the old value, zero-extended.
    AtomicRmw "atomic_rmw" AtomicRmw Writes true;
    /// Atomic compare and exchange; the result is the old value, zero-extended.
    CompareExchange "cmpxchg" CompareExchange Writes true;
    /// Legacy packet load at a constant offset; leaves the program with 0 when out of bounds.
    LoadAbs "load_abs" LoadAbs Calls true;
    /// Legacy packet load at a variable offset; leaves the program with 0 when out of bounds.
    LoadInd "load_ind" LoadInd Calls true;

    /// Call of a kernel helper by number.
    CallHelper "call_helper" CallHelper Calls true;
    /// Call of a function of this module.
    CallFunc "call" CallFunc Calls true;
    /// Call of a function outside the module.
    CallExternal "call_external" CallExternal Calls true;
    /// Call of a function by address (`callx`).
    CallIndirect "call_indirect" CallIndirect Calls true;

    /// Unconditional jump.
    Jump "jump" Jump Terminates false;
    /// Conditional branch: to the first target when the comparison holds, else to the second.
    Branch "br" Branch Terminates false;
    /// Bounded-loop check: to the first target when the kernel's budget is used up, else to the
    /// second.
    MayGoto "may_goto" MayGoto Terminates false;
    /// Leave the function with a result in `r0`.
    Return "return" Return Terminates false;
}

impl Opcode {
    /// Whether it ends a block.
    #[must_use]
    pub fn is_terminator(self) -> bool {
        self.effect() == Effect::Terminates
    }

    /// Whether it may be removed when its result is unused: pure, or a plain load.
    #[must_use]
    pub fn is_removable_when_unused(self) -> bool {
        matches!(self.effect(), Effect::Pure | Effect::Reads)
    }

    /// Whether operands may be exchanged.
    #[must_use]
    pub fn is_commutative(self) -> bool {
        matches!(
            self,
            Opcode::Iadd | Opcode::Imul | Opcode::Band | Opcode::Bor | Opcode::Bxor
        )
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
