//! From a test file's text to what tests work on.

use bpf::diagnostic::{Diagnostic, FileId, SourceMap};
use bpf::insn::Endian;
use bpf::maps::MapDef;
use bpf::object::Object;
use bpfmill::render;
use frontend::asm::{AsmOptions, Assembled, assemble};
use mir::Module;
use mir::parse::Parsed;

use super::{Command, Input};
use crate::link::Linked;

/// A test file's text, and what its reader made of it.
pub(super) struct Source {
    /// The file's name and text.
    pub(super) map: SourceMap,
    /// What came out.
    pub(super) text: Text,
}

/// What a reader makes of a text: the thing itself, or what is wrong.
pub(super) enum Text {
    /// MIR.
    Mir(Result<Parsed, Vec<Diagnostic>>),
    /// Assembly.
    Assembly(Result<Assembled, Vec<Diagnostic>>),
}

impl Source {
    /// Reads the file by its extension; `endian=big` as an option of the command is for assembly.
    pub(super) fn read(input: &Input, command: &Command) -> Result<Source, String> {
        let mut map = SourceMap::new();
        let file = map
            .add(input.name.clone(), input.text.clone())
            .ok_or_else(|| "the file is too large".to_owned())?;
        let text = match input.path.extension().and_then(|name| name.to_str()) {
            Some("mir") => Text::Mir(mir::parse::module_with_spans(file, &input.text)),
            _ => Text::Assembly(assembly(&input.text, file, command)?),
        };
        Ok(Source { map, text })
    }

    /// Everything that the reader and the well-formedness rules have to say.
    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        match &self.text {
            Text::Mir(Ok(parsed)) => parsed.verify(),
            Text::Assembly(Ok(assembled)) => assembled.warnings.clone(),
            Text::Mir(Err(diagnostics)) | Text::Assembly(Err(diagnostics)) => diagnostics.clone(),
        }
    }

    /// The object of assembly that must be right.
    pub(super) fn object(self) -> Result<Object, String> {
        match self.text {
            Text::Assembly(Ok(assembled)) => Ok(assembled.object),
            Text::Assembly(Err(errors)) => Err(render::text(&self.map, &errors)),
            Text::Mir(_) => Err("this kind of test reads assembly only".to_owned()),
        }
    }

    /// The functions of a text that must be right, with the maps that it defines. `maps` are those
    /// that MIR text names and cannot define.
    pub(super) fn linked(self, maps: Vec<MapDef>) -> Result<Linked, String> {
        if let Text::Mir(parsed) = self.text {
            let parsed = parsed.map_err(|errors| render::text(&self.map, &errors))?;
            let errors = parsed.verify();
            return if errors.is_empty() {
                Ok(Linked::from_module(parsed.module, maps))
            } else {
                Err(render::text(&self.map, &errors))
            };
        }
        let linked = Linked::from_object(&self.object()?)?;
        match linked.kept.first() {
            Some((function, reason)) => Err(format!("{function} is not lifted: {reason}")),
            None => Ok(linked),
        }
    }

    /// The module of a text that must be right.
    pub(super) fn module(self) -> Result<Module, String> {
        self.linked(Vec::new()).map(|linked| linked.module)
    }
}

fn assembly(
    text: &str,
    file: FileId,
    command: &Command,
) -> Result<Result<Assembled, Vec<Diagnostic>>, String> {
    let endian = match command.options.get("endian").map(String::as_str) {
        None | Some("little") => Endian::Little,
        Some("big") => Endian::Big,
        Some(other) => return Err(format!("endian is `little` or `big`, not `{other}`")),
    };
    Ok(assemble(text, file, &AsmOptions { endian }))
}
