//! The nouns of MIR: 32-bit indices, one type each.
//!
//! An index is half the size of a reference, cannot dangle into freed memory, and cannot be mixed
//! up with an index of another kind. The prefix given to `entity_impl!` is the spelling of the
//! entity in the text form.

use cranelift_entity::entity_impl;

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
        entity_impl!($name, $prefix);
    )*};
}

entities! {
    /// A function of a module.
    Func = "fn";
    /// A basic block.
    Block = "block";
    /// An instruction.
    Inst = "inst";
    /// An SSA value.
    Value = "v";
    /// Something that `ld_imm64` can name: a map, a data section, a function, an extern variable.
    Symbol = "sym";
    /// A function outside the object (kfunc) or one that only the linker knows.
    External = "ext";
    /// A CO-RE relocation record.
    CoreRelo = "relo";
    /// A source position.
    SourceLoc = "loc";
    /// The two destinations of a conditional branch.
    Targets = "targets";
}
