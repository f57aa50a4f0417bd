//! A `goto` that does not reach its label becomes a `gotol` where that is asked for, and nothing
//! else moves.

use bpf::diagnostic::FileId;
use bpf::insn::{Endian, Insn, read_slots};
use frontend::asm::{AsmOptions, assemble};

/// A jump over `count` instructions, and one back.
fn text(jump: &str, count: usize) -> String {
    format!("back: {jump} over\n.rept {count}\nr0 = 0\n.endr\nover: goto back\n")
}

fn jumps(text: &str, relax: bool, endian: Endian) -> Result<(Insn, Insn, usize), String> {
    let mut options = AsmOptions::new(endian);
    options.relax = relax;
    let assembled = assemble(text, FileId(0), &options).map_err(|errors| {
        errors
            .first()
            .map_or(String::new(), |one| one.message.clone())
    })?;
    let id = assembled.object.section_by_name(".text").ok_or("no code")?;
    let slots = read_slots(assembled.object.data(id), endian).ok_or("no slots")?;
    let decoded = |at: usize| Insn::decode(&slots[at..]).map(|found| found.0);
    let (first, last) = (decoded(0), decoded(slots.len() - 1));
    match (first, last) {
        (Ok(first), Ok(last)) => Ok((first, last, slots.len())),
        _ => Err("not decoded".to_owned()),
    }
}

fn goto(offset: i32, long: bool) -> Insn {
    Insn::Goto { offset, long }
}

#[test]
fn a_jump_that_reaches_stays_short() {
    for endian in [Endian::Little, Endian::Big] {
        let found = jumps(&text("goto", 32766), true, endian);
        assert_eq!(found, Ok((goto(32766, false), goto(-32768, false), 32768)));
    }
}

#[test]
fn a_jump_that_does_not_reach_becomes_long() {
    for endian in [Endian::Little, Endian::Big] {
        let found = jumps(&text("goto", 32768), true, endian);
        assert_eq!(found, Ok((goto(32768, true), goto(-32770, true), 32770)));
        // Forwards 32767 are reached, and backwards 32769 are not.
        let found = jumps(&text("goto", 32767), true, endian);
        assert_eq!(found, Ok((goto(32767, false), goto(-32769, true), 32769)));
    }
}

#[test]
fn nothing_becomes_long_unasked() {
    let found = jumps(&text("goto", 32768), false, Endian::Little);
    let message = "`over` is 32768 instructions away, and a jump reaches from -32768 to 32767";
    assert_eq!(found, Err(message.to_owned()));
}

#[test]
fn a_condition_is_not_made_long() {
    let found = jumps(&text("if r1 == 0 goto", 32768), true, Endian::Little);
    assert!(found.is_err());
}
