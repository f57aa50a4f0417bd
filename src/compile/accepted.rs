//! A compilation whose programs stay accepted, in walks not much longer: a pass that makes one worse
//! is left out of the function where it does, and a note names it. Each round leaves out one
//! application more and there are at most [`MAX_LEFT_OUT`]; what is worse even then keeps its input,
//! as the gate has it. So does what is worse without any pass.

use bpf::object::Object;
use passes::{Event, UnknownPass};

use super::{Basis, CompileOptions, Compiled, Judge, Lost, bisect, compile_with, gate};

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
    // Programs that no pass made worse.
    let mut emission = Vec::new();
    while notes.len() < MAX_LEFT_OUT {
        let open = |lost: &&Lost| !emission.contains(&lost.id);
        let Some(lost) = compiled.lost.iter().find(open) else {
            break;
        };
        let Some(culprit) = blame(object, &options, lost, basis.before, judge)? else {
            emission.push(lost.id.clone());
            continue;
        };
        let bisect::Application { pass, function, .. } = culprit;
        notes.push(format!(
            "`{pass}` is left out of `{function}`: with it {}",
            lost.worse.of(&lost.id.function)
        ));
        options.pipeline.disable.push(format!("{pass}@{function}"));
        compiled = compile_with(object, &options, &mut sink, basis)?;
    }
    compiled.notes.extend(notes);
    Ok(compiled)
}

/// The application of a pass that made a program worse, if it was one.
fn blame(
    object: &Object,
    options: &CompileOptions,
    lost: &Lost,
    before: &gate::Verdicts,
    judge: &Judge,
) -> Result<Option<bisect::Application>, UnknownPass> {
    let Some(input) = before.get(&lost.id) else {
        return Ok(None);
    };
    let asked = gate::Asked::by(options);
    let selected = |function: &&String| options.selects(function);
    let only = lost.functions.iter().filter(selected).cloned().collect();
    let options = CompileOptions {
        only,
        ..options.clone()
    };
    let culprit = bisect::bisect_from(object, &options, before, |compiled| {
        let verdicts = judge(&compiled.object, asked, Some(&lost.id));
        let worse = gate::worse(input, verdicts.get(&lost.id));
        Ok::<_, UnknownPass>(worse.is_none())
    })?;
    Ok(match culprit {
        bisect::Culprit::Pass(application) => Some(application),
        bisect::Culprit::Nothing | bisect::Culprit::NoPass => None,
    })
}

#[cfg(test)]
mod tests {
    use bpf::diagnostic::FileId;
    use bpf::insn::Endian;
    use frontend::asm::{AsmOptions, assemble};
    use passes::OptLevel;
    use verifier::{Finding, Rule, Verdict};

    use super::compile_judged;
    use crate::compile::{Basis, CompileOptions, Judge, gate, judged};

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
        let options = AsmOptions {
            endian: Endian::Little,
        };
        let object = assemble(TEXT, FileId(0), &options).unwrap().object;
        let options = CompileOptions::at_level(OptLevel::O2);
        let before = judged(&object, &options);
        let compiled = |judge: &Judge| {
            let basis = Basis {
                before: &before,
                judge: Some(judge),
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
}
