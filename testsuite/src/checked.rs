//! What `bpfmill check` prints.

use bpfmill::input::Assembled;
use bpfmill::verdict::Checked;
use verifier::{Linker, Options, Verdict};

/// The text for every program of an object, explanations included, and the verdicts.
///
/// # Errors
/// The object cannot be checked.
pub fn checked(assembled: &Assembled) -> Result<(String, Vec<Verdict>), String> {
    let linker = Linker::new(&assembled.object).map_err(|error| error.to_string())?;
    let options = Options {
        causes: true,
        ..Options::default()
    };
    let (mut text, mut verdicts) = (String::new(), Vec::new());
    for id in linker.programs() {
        let program = linker
            .link(&id, &options)
            .map_err(|error| error.to_string())?;
        let report = verifier::check(&program, &options, assembled.object.endian);
        let checked = Checked {
            assembled,
            linker: &linker,
            program: &program,
            report: &report,
        };
        text.push_str(&checked.text(false));
        verdicts.push(report.verdict);
    }
    Ok((text, verdicts))
}
