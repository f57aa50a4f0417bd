//! From a test file's bytes to what steps work on.

use std::path::Path;

use bpf::diagnostic::{Diagnostic, SourceMap};
use bpf::maps::MapDef;
use bpf::object::Object;
use mir::Module;

use super::kinds::Section;
use super::plan::Keep;
use super::{Input, told};
use crate::failure::Failure;
use crate::input::{self, Assembled, Assembly};
use crate::linked::Linked;
use crate::render;
use crate::warnings::WarningOptions;

/// What the reader made of a file.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Source {
    /// The thing itself.
    Read(input::Input),
    /// What is wrong with it.
    Refused(SourceMap, Vec<Diagnostic>),
}

impl Source {
    /// Reads the file; how assembly is to be read is for assembly only.
    pub(super) fn read(input: &Input, how: impl Into<Assembly>) -> Result<Source, String> {
        let mut how = how.into();
        how.beside = input.path.parent().map(Path::to_owned);
        match input::parse(&input.name, input.bytes.clone(), how) {
            Ok(read) => Ok(Source::Read(read)),
            Err(Failure::Refused { map, diagnostics }) => Ok(Source::Refused(map, diagnostics)),
            Err(failure) => Err(told(&failure)),
        }
    }

    /// The same with the warnings about code; some may be errors.
    pub(super) fn judged(self, warnings: &WarningOptions) -> Result<Source, String> {
        let Source::Read(input::Input::Object(mut assembled)) = self else {
            return Ok(self);
        };
        match warnings.judge(&mut assembled) {
            Ok(()) => Ok(Source::Read(input::Input::Object(assembled))),
            Err(Failure::Refused { map, diagnostics }) => Ok(Source::Refused(map, diagnostics)),
            Err(failure) => Err(told(&failure)),
        }
    }

    /// Everything that the reader has to say, and the file that it is about.
    pub(super) fn diagnostics(&self) -> (Option<&SourceMap>, &[Diagnostic]) {
        match self {
            Source::Refused(map, diagnostics) => (Some(map), diagnostics),
            Source::Read(input::Input::Object(assembled)) => {
                (Some(&assembled.map), &assembled.warnings)
            }
            Source::Read(input::Input::Mir(_)) => (None, &[]),
        }
    }

    /// The result of a file that is refused, where what is wrong with it is to be kept.
    pub(super) fn refusal(&self, keep: &Keep) -> Option<Vec<Section>> {
        let wanted = matches!(self, Source::Refused(..)) && keep.has("diagnostics");
        wanted.then(|| vec![Section::new("diagnostics", self.told())])
    }

    /// The same as text.
    pub(super) fn told(&self) -> String {
        match self.diagnostics() {
            (Some(map), diagnostics) => render::text(map, diagnostics),
            (None, _) => String::new(),
        }
    }

    /// What was read, of a file that must be right.
    pub(super) fn input(self) -> Result<input::Input, String> {
        match self {
            Source::Read(input) => Ok(input),
            Source::Refused(map, diagnostics) => Err(render::text(&map, &diagnostics)),
        }
    }

    /// An object that must be right, or the object that assembly became.
    pub(super) fn assembled(self) -> Result<Assembled, String> {
        match self.input()? {
            input::Input::Object(assembled) => Ok(assembled),
            input::Input::Mir(_) => {
                Err("this command reads assembly and objects, not MIR text".to_owned())
            }
        }
    }

    /// The functions of a file that must be right, with the maps that it defines. `maps` are those
    /// that MIR text names and cannot define.
    pub(super) fn linked(self, maps: Vec<MapDef>) -> Result<Linked, String> {
        match self.input()? {
            input::Input::Mir(parsed) => Ok(Linked::from_module(parsed.module, maps)),
            input::Input::Object(assembled) => lifted(&assembled.object),
        }
    }

    /// The module of a file that must be right.
    pub(super) fn module(self) -> Result<Module, String> {
        self.linked(Vec::new()).map(|linked| linked.module)
    }
}

/// An object in MIR, all of it.
pub(super) fn lifted(object: &Object) -> Result<Linked, String> {
    let linked = Linked::from_object(object)?;
    match linked.kept.first() {
        Some((function, reason)) => Err(format!("{function} is not lifted: {reason}")),
        None => Ok(linked),
    }
}
