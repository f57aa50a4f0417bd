//! The gate: what the verifier accepted before is accepted after, or the input's code stays.
//!
//! Programs are verified as a loader would put them together, decoded anew from the object that
//! was linked, so nothing that the compiler believes of its output is trusted. Only a verdict that
//! got worse counts: a program that was refused or not understood before proves nothing. Worse is
//! also a walk that is longer by more than a fifth: loading takes that much longer, and the kernel
//! gives up at a million instructions. What is given up is every function of such a program, and the
//! object is linked again; each round gives up at least one function, so the rounds end.

use std::collections::BTreeMap;

use bpf::object::{Object, SectionId};
use bpf::program_type::ProgramType;
use verifier::program::{Origin, Program};
use verifier::{Kernel, LinkError, Linker, Options, ProgramId, Sides, Verdict};

use super::report::Worse;
use super::{CompileOptions, directions};

/// How much longer a program's walk may get, as a fraction. Less than a quarter, because the kernel
/// counts a few in a hundred more or fewer in one program of ten.
const LONGEST_WALK: (u64, u64) = (6, 5);

/// Verdicts on the programs of an object.
pub(super) type Verdicts = BTreeMap<ProgramId, Checked>;

/// For whom to verify.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Whose verifier.
    pub kernel: Kernel,
    /// Type of the programs whose section says none.
    pub untyped: Option<ProgramType>,
}

impl Asked {
    /// What a compilation asks.
    pub(super) fn by(options: &CompileOptions) -> Asked {
        Asked {
            kernel: release(options.pipeline.target.kernel),
            untyped: options.program_type,
        }
    }
}

/// What was found out about a program.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// The answer.
    pub verdict: Verdict,
    /// Instructions that the verifier walked.
    pub walked: u64,
    /// How many it may walk of what becomes of the program.
    pub may_walk: u64,
    /// Where its functions begin in the object.
    pub functions: Vec<(SectionId, u64)>,
    /// The type that it was taken to be of, where nothing says it.
    pub guessed: Option<ProgramType>,
    /// Which ways its conditional jumps can go, if that was found out for sure: for that type.
    pub sides: Option<Vec<(Origin, Sides)>>,
}

/// One word for a verdict.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Rejected(_) => "rejected",
        Verdict::Undecided(_) => "undecided",
    }
}

/// The release of the verifier to ask for a version: itself, or the newest that is older.
fn release(version: passes::KernelVersion) -> Kernel {
    let number = |kernel: &Kernel| passes::KernelVersion::from_text(kernel.name());
    let known = Kernel::ALL.into_iter().rev();
    let mut older = known.filter(|kernel| number(kernel).is_some_and(|known| known <= version));
    older.next().unwrap_or(Kernel::V5_10)
}

/// Types to try on a program whose section says none. Which it is does not matter to a comparison;
/// a type that fits accepts the input, and one that does not refuses it.
const GUESSES: [ProgramType; 4] = [
    ProgramType::SchedCls,
    ProgramType::Xdp,
    ProgramType::SocketFilter,
    ProgramType::Kprobe,
];

/// Verifies every program that can be put together, or only one of them. One that cannot be, or that has no type and
/// is accepted as none of [`GUESSES`], has no verdict.
pub(super) fn verdicts(object: &Object, asked: Asked, only: Option<&ProgramId>) -> Verdicts {
    let Ok(linker) = Linker::new(object) else {
        return Verdicts::new();
    };
    let check = |id: &ProgramId, program_type| {
        let options = Options {
            kernel: asked.kernel,
            program_type,
            ..Options::default()
        };
        let program = linker.link(id, &options)?;
        let report = verifier::check(&program, &options, object.endian);
        let walked = u64::from(report.stats.processed);
        Ok(Checked {
            walked,
            may_walk: walked * LONGEST_WALK.0 / LONGEST_WALK.1,
            functions: starts(&program),
            sides: directions::sides(&program, &report),
            guessed: None,
            verdict: report.verdict,
        })
    };
    let guess = |id: &ProgramId, guess| {
        let checked = check(id, Some(guess)).ok()?;
        let accepted = checked.verdict == Verdict::Accepted;
        accepted.then_some(Checked {
            guessed: Some(guess),
            ..checked
        })
    };
    let check = |id: ProgramId| {
        let checked = match check(&id, None) {
            Err(LinkError::NoType(_)) if asked.untyped.is_some() => {
                check(&id, asked.untyped).ok()?
            }
            Err(LinkError::NoType(_)) => GUESSES.into_iter().find_map(|kind| guess(&id, kind))?,
            checked => checked.ok()?,
        };
        Some((id, checked))
    };
    let programs = linker.programs().into_iter();
    programs
        .filter(|id| only.is_none_or(|only| only == id))
        .filter_map(check)
        .collect()
}

fn starts(program: &Program) -> Vec<(SectionId, u64)> {
    let first = program
        .subprograms
        .iter()
        .map(|subprogram| subprogram.start);
    first
        .filter_map(|slot| program.origins.get(slot))
        .map(|origin| (origin.section, origin.offset))
        .collect()
}

/// The programs that were accepted and no longer are, or have become too long a walk.
pub(super) fn worsened<'a>(
    before: &'a Verdicts,
    after: &'a Verdicts,
) -> impl Iterator<Item = (&'a ProgramId, Worse)> {
    before.iter().filter_map(|(id, checked)| {
        if checked.verdict != Verdict::Accepted {
            return None;
        }
        Some((id, worse(checked, after.get(id))?))
    })
}

/// What became worse of an accepted program.
pub(super) fn worse(before: &Checked, after: Option<&Checked>) -> Option<Worse> {
    let reason = match after.map(|checked| &checked.verdict) {
        Some(Verdict::Accepted) => {
            let walked = after.map_or(0, |checked| checked.walked);
            return (walked > before.may_walk).then_some(Worse::Walk {
                before: before.walked,
                after: walked,
            });
        }
        Some(Verdict::Rejected(finding)) => finding.kernel_text.clone(),
        Some(Verdict::Undecided(gap)) => gap.construct.clone(),
        None => "the program cannot be put together".to_owned(),
    };
    Some(Worse::NotAccepted(reason))
}

#[cfg(test)]
mod tests {
    use super::{Asked, verdicts, worsened};
    use crate::compile::Worse;
    use bpf::diagnostic::FileId;
    use bpf::insn::Endian;
    use bpf::object::Object;
    use frontend::asm::{AsmOptions, assemble};
    use verifier::Kernel;

    /// An XDP program that reads so many bytes of the packet, and checks for so many.
    fn program(read: u32, checked: u32) -> Object {
        let text = format!(
            "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
             r2 = *(u32 *)(r1 + 0)\n r3 = *(u32 *)(r1 + 4)\n r4 = r2\n r4 += {checked}\n\
             if r4 > r3 goto out\n r0 = *(u{} *)(r2 + 0)\n r0 &= 1\n exit\nout:\n r0 = 2\n exit\n",
            read * 8
        );
        let options = AsmOptions::new(Endian::Little);
        assemble(&text, FileId(0), &options).unwrap().object
    }

    #[test]
    fn only_a_lost_acceptance_counts() {
        let asked = Asked {
            kernel: Kernel::default(),
            untyped: None,
        };
        let of = |object: &Object| verdicts(object, asked, None);
        let (good, bad) = (of(&program(4, 4)), of(&program(8, 4)));
        let lost: Vec<_> = worsened(&good, &bad).collect();
        assert_eq!(lost.len(), 1);
        assert_eq!(lost[0].0.function, "f");
        let Worse::NotAccepted(reason) = &lost[0].1 else {
            panic!("{:?}", lost[0].1);
        };
        assert!(reason.contains("invalid access to packet"), "{reason}");
        assert_eq!(good[lost[0].0].functions.len(), 1);
        assert_eq!(worsened(&good, &good).count(), 0);
        assert_eq!(worsened(&bad, &bad).count(), 0);
        assert_eq!(worsened(&bad, &good).count(), 0);
    }

    #[test]
    fn so_does_a_longer_walk() {
        let asked = Asked {
            kernel: Kernel::default(),
            untyped: None,
        };
        let of = |object: &Object| verdicts(object, asked, None);
        let before = of(&program(4, 4));
        let mut after = before.clone();
        let checked = after.values_mut().next().unwrap();
        assert_eq!((checked.walked, checked.may_walk), (10, 12));
        checked.walked = 12;
        assert_eq!(worsened(&before, &after).count(), 0);
        after.values_mut().next().unwrap().walked = 13;
        let worse: Vec<_> = worsened(&before, &after).map(|(_, worse)| worse).collect();
        let walk = Worse::Walk {
            before: 10,
            after: 13,
        };
        assert_eq!(worse, [walk]);
    }
}
