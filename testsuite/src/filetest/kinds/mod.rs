//! The kinds of tests.

mod asm;
mod check;
mod diag;
mod lift;
mod pass;
mod roundtrip;
mod run;
mod verify;

use super::SubTest;

/// All kinds.
pub static KINDS: &[&dyn SubTest] = &[
    &asm::Asm,
    &check::Check,
    &diag::Diag,
    &lift::Lift,
    &pass::Pass,
    &roundtrip::RoundTrip,
    &run::Run,
    &verify::Verify,
];

/// The kind of this name.
pub(super) fn find(name: &str) -> Result<&'static dyn SubTest, String> {
    KINDS
        .iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name()).collect();
            format!(
                "no kind of test is named `{name}`; there are {}",
                names.join(", ")
            )
        })
}
