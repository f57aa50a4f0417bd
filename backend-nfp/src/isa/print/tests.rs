//! Words, and what GNU objdump shows for them.

use crate::isa::{Bank, Destination, Insn, Mode, NOP, Operand, Shift, ShiftOp, Width};

const TEXTS: &[(u64, &str)] = &[(NOP, "nop")];

#[test]
fn words_read_as_objdump_shows_them() {
    for (word, text) in TEXTS {
        let insn = Insn::decode(*word).unwrap();
        assert_eq!(insn.to_string(), *text, "{word:#x}");
    }
}
