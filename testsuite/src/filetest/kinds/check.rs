//! `test: check`: what `bpfmill check` prints on each program, its explanations included.
//! `check=source` shows it over the source lines of the object's BTF instead of the assembly.

use bpfmill::input::{self, Assembled};

use crate::filetest::{Command, Input, Outcome, SubTest};

/// The kind.
pub(super) struct Check;

impl SubTest for Check {
    fn name(&self) -> &'static str {
        "check"
    }

    fn has_snapshot(&self) -> bool {
        true
    }

    fn run(&self, input: &Input, command: &Command) -> Result<Outcome, String> {
        let from_text = match command.value.as_deref() {
            None => true,
            Some("source") => false,
            Some(other) => return Err(format!("`{other}`: only `source` is known here")),
        };
        let assembled = input::assembly(&input.name, input.text.clone(), bpf::insn::Endian::Little)
            .map_err(|failure| failure.to_string())?;
        let assembled = Assembled {
            from_text,
            ..assembled
        };
        let (text, _) = crate::checked::checked(&assembled)?;
        Ok(Outcome::Snapshot(text))
    }
}
