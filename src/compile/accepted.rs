//! A compilation whose programs stay accepted, in walks not much longer. For a walk the choices of
//! emission are tried that were not the shortest; then, a pass that makes a program worse is left out
//! of the function where it does, and a note names it. Each round leaves out one application more and
//! there are at most [`MAX_LEFT_OUT`]; what is worse even then keeps its input, as the gate has it. So
//! does what is worse without any pass.

use backend_host::CHOICES;
use bpf::object::Object;
use passes::{Event, UnknownPass};

use super::{Basis, CompileOptions, Compiled, Judge, Lost, Worse, bisect, compile_with, gate};

/// Passes that are left out, one after the other, before functions keep their input.
const MAX_LEFT_OUT: usize = 8;

/// [`super::compile`] with something in the verifier's place.
pub(super) fn compile_judged(
    object: &Object,
    options: &CompileOptions,
    mut sink: impl FnMut(Event<'_>),
    basis: Basis<'_>,
) -> Result<Compiled, UnknownPass> {
    let mut compiled = compile_with(object, options, &mut sink, basis)?;
    let Some(judge) = basis.judge else {
        return Ok(compiled);
    };
    if options.pipeline.bisect_limit.is_some() {
        return Ok(compiled);
    }
    let mut options = options.clone();
    let mut notes = Vec::new();
    let mut count = 0;
    let mut choices = basis.choices.clone();
    // Programs for which nothing can be done.
    let mut hopeless = Vec::new();
    while count < MAX_LEFT_OUT {
        let open = |lost: &&Lost| !hopeless.contains(&lost.id);
        let Some(lost) = compiled.lost.iter().find(open) else {
            break;
        };
        let Some(input) = basis.before.get(&lost.id) else {
            break;
        };
        let round = Round {
            object,
            options: options.selecting(&lost.functions),
            basis: Basis {
                choices: &choices,
                ..basis
            },
            judge,
            lost,
            input,
        };
        if let Some(choice) = round.better_choice()? {
            let functions = lost.functions.iter().cloned();
            choices.extend(functions.map(|function| (function, choice)));
        } else if let Some(culprit) = round.blame()? {
            let bisect::Application { pass, function, .. } = culprit;
            notes.push(format!(
                "`{pass}` is left out of `{function}`: with it {}",
                lost.worse.of(&lost.id.function)
            ));
            options.pipeline.disable.push(format!("{pass}@{function}"));
            count += 1;
        } else {
            hopeless.push(lost.id.clone());
            continue;
        }
        let basis = Basis {
            choices: &choices,
            ..basis
        };
        compiled = compile_with(object, &options, &mut sink, basis)?;
    }
    compiled.notes.extend(notes);
    Ok(compiled)
}

/// A program that became worse, and how it was compiled.
struct Round<'a> {
    object: &'a Object,
    /// Those of the program's functions only.
    options: CompileOptions,
    basis: Basis<'a>,
    judge: &'a Judge,
    lost: &'a Lost,
    /// What the verifier says of the input.
    input: &'a gate::Checked,
}

impl Round<'_> {
    fn is_good(&self, compiled: &Compiled) -> bool {
        let asked = gate::Asked::by(&self.options);
        let verdicts = (self.judge)(&compiled.object, asked, Some(&self.lost.id));
        gate::worse(self.input, verdicts.get(&self.lost.id)).is_none()
    }

    /// A choice of emission with which the walk is not longer. How long it is depends on what is in
    /// which register where paths meet, and there a few slots more can save a third of it.
    fn better_choice(&self) -> Result<Option<usize>, UnknownPass> {
        let chosen = |function| self.basis.choices.contains_key(function);
        let is_walk = matches!(self.lost.worse, Worse::Walk { .. });
        if !is_walk || self.lost.functions.iter().any(chosen) {
            return Ok(None);
        }
        for choice in 0..CHOICES {
            let functions = self.lost.functions.iter().cloned();
            let mut choices = self.basis.choices.clone();
            choices.extend(functions.map(|function| (function, choice)));
            let basis = Basis {
                judge: None,
                choices: &choices,
                ..self.basis
            };
            let compiled = compile_with(self.object, &self.options, |_| {}, basis)?;
            if self.is_good(&compiled) {
                return Ok(Some(choice));
            }
        }
        Ok(None)
    }

    /// The application of a pass that made the program worse, if it was one.
    fn blame(&self) -> Result<Option<bisect::Application>, UnknownPass> {
        let is_good = |compiled: &Compiled| Ok::<_, UnknownPass>(self.is_good(compiled));
        let culprit = bisect::in_one_round(self.object, &self.options, self.basis, is_good)?;
        Ok(match culprit {
            bisect::Culprit::Pass(application) => Some(application),
            bisect::Culprit::Nothing | bisect::Culprit::NoPass | bisect::Culprit::SecondRound => {
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use bpf::diagnostic::FileId;
    use bpf::insn::Endian;
    use frontend::asm::{AsmOptions, assemble};
    use passes::OptLevel;
    use verifier::{Finding, Rule, Verdict};

    use super::compile_judged;
    use crate::compile::{Basis, Choices, CompileOptions, Judge, gate, judged};

    /// Two functions with something for `gvn` in each.
    const TEXT: &str = "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
        r2 = *(u32 *)(r1 + 16)\n r0 = *(u32 *)(r1 + 16)\n r0 += r2\n r0 &= 1\n exit\n\
        \t.size f, .-f\n\t.section xdp/g,\"ax\",@progbits\n\t.globl g\n\t.type g,@function\ng:\n\
        r2 = 5\n r0 = 6\n r0 += r2\n r0 &= 1\n exit\n\t.size g, .-g\n";

    /// A verifier that refuses `g` unless it still masks.
    fn judge(
        object: &bpf::object::Object,
        asked: gate::Asked,
        only: Option<&verifier::ProgramId>,
    ) -> gate::Verdicts {
        let mut verdicts = gate::verdicts(object, asked, only);
        for (id, checked) in &mut verdicts {
            let section = object.section_by_name(&id.section).unwrap();
            let masks = object
                .data(section)
                .chunks(8)
                .any(|slot| matches!(slot[0], 0x54 | 0x57));
            if id.function == "g" && !masks {
                checked.verdict = Verdict::Rejected(Box::new(Finding {
                    rule: Rule::TooComplex,
                    kernel_text: "does not mask".to_owned(),
                    insn: None,
                    registers: Vec::new(),
                    values: Vec::new(),
                    path: Vec::new(),
                }));
            }
        }
        verdicts
    }

    #[test]
    fn the_pass_that_loses_acceptance_is_left_out_where_it_does() {
        let options = AsmOptions::new(Endian::Little);
        let object = assemble(TEXT, FileId(0), &options).unwrap().object;
        let options = CompileOptions::at_level(OptLevel::O2);
        let before = judged(&object, &options);
        let compiled = |judge: &Judge| {
            let basis = Basis {
                before: &before,
                judge: Some(judge),
                choices: &Choices::new(),
            };
            compile_judged(&object, &options, |_| {}, basis).unwrap()
        };
        let plain = compiled(&gate::verdicts);
        assert!(plain.notes.is_empty(), "{:?}", plain.notes);
        let result = compiled(&judge);
        let left_out: Vec<&String> = result.notes.iter().collect();
        assert!(!left_out.is_empty());
        assert!(
            left_out
                .iter()
                .all(|note| note.contains("is left out of `g`: with it")
                    && note.contains("does not mask")),
            "{left_out:?}"
        );
        let of = |name: &str| {
            result
                .functions
                .iter()
                .find(|one| one.name == name)
                .unwrap()
        };
        assert_eq!(of("f").slots_after, plain.functions[0].slots_after);
        assert_eq!(of("g").verdict_after, Some("accepted"));
    }

    /// Sixty values over a call, beside a frame that reaches to its end.
    #[test]
    fn where_the_stack_has_no_room_slots_are_not_promoted() {
        use std::fmt::Write;

        let mut text = "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
             r6 = 0\n r1 = 0\n *(u64 *)(r10 - 512) = r1\n"
            .to_owned();
        for slot in 1..=60 {
            write!(text, " call 7\n *(u64 *)(r10 - {}) = r0\n", 8 * slot).unwrap();
        }
        text.push_str(" call 7\n r6 ^= r0\n");
        for slot in 1..=60 {
            write!(text, " r1 = *(u64 *)(r10 - {})\n r6 ^= r1\n", 8 * slot).unwrap();
        }
        text.push_str(" r1 = r10\n r1 += -512\n r2 = 8\n r3 = 0\n call 4\n");
        text.push_str(" r0 = *(u64 *)(r10 - 512)\n r0 += r6\n exit\n\t.size f, .-f\n");
        let options = AsmOptions::new(Endian::Little);
        let object = assemble(&text, FileId(0), &options).unwrap().object;
        let options = CompileOptions::at_level(OptLevel::O2);
        let basis = Basis {
            before: &judged(&object, &options),
            judge: Some(&gate::verdicts),
            choices: &Choices::new(),
        };
        let compiled = compile_judged(&object, &options, |_| {}, basis).unwrap();
        let notes: Vec<&String> = compiled.notes.iter().collect();
        assert!(
            notes.len() == 1 && notes[0].contains("`promote-stack` is left out of `f`"),
            "{notes:?}"
        );
        let report = &compiled.functions[0];
        assert!(report.kept.is_none() && report.slots_after <= report.slots_before);
    }
}
