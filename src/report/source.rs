//! A remark with the lines of source that it is about.
//!
//! Line and text come from `.BTF.ext`, as the compiler of C left them; no source file is opened, so
//! that what is shown is what was compiled. Without line information, the place is the slot in the
//! input's function.

use bpf::btf::{Btf, StringOffset};
use passes::{Place, Remark, RemarkKind};
use serde_json::{Value, json};

/// What places of a function refer to.
pub(super) struct Source<'r> {
    /// The strings that positions refer to.
    pub(super) btf: Option<&'r Btf>,
    /// The object's file.
    pub(super) file: &'r str,
    /// The function.
    pub(super) function: &'r str,
}

/// A line of a source file.
struct Line<'r> {
    file: &'r str,
    line: u32,
    column: u32,
    /// What stands there; empty when the compiler did not say.
    text: &'r str,
}

impl Source<'_> {
    /// The lines that tell of a remark.
    pub(super) fn text(&self, remark: &Remark) -> Vec<String> {
        let kind = match remark.kind {
            RemarkKind::Applied => "",
            RemarkKind::Missed => "missed: ",
            RemarkKind::Analysis => "analysis: ",
        };
        let (message, pass) = (remark.message, remark.pass);
        let told = format!("remark: {kind}{message} [{pass}]");
        let mut lines = self.at(&remark.place, &told);
        if let Some(cause) = remark
            .cause
            .as_ref()
            .filter(|cause| self.is_somewhere(cause))
        {
            lines.extend(self.at(cause, "note: this is in the way"));
        }
        lines
    }

    /// A remark as one object: `kind`, `pass`, `function`, `message`; `insn`, the input's slot, and
    /// `file`, `line`, `column` and `source`; the same of what is in the way as `cause`.
    pub(super) fn json(&self, remark: &Remark) -> Value {
        let mut object = self.place_json(&remark.place);
        object["kind"] = json!(remark.kind.name());
        object["pass"] = json!(remark.pass);
        object["function"] = json!(remark.function);
        object["message"] = json!(remark.message);
        object["cause"] = json!(remark.cause.as_ref().map(|cause| self.place_json(cause)));
        object
    }

    /// A message at a place, and the source line there.
    fn at(&self, place: &Place, told: &str) -> Vec<String> {
        let (file, function) = (self.file, self.function);
        let Some(line) = self.line(place) else {
            return vec![match place.origin {
                Some(origin) => format!("{file}: {function}+{origin}: {told}"),
                None => format!("{file}: {function}: {told}"),
            }];
        };
        let Line {
            file,
            line,
            column,
            text,
        } = line;
        let mut lines = vec![format!("{file}:{line}:{column}: {told}")];
        if !text.trim().is_empty() {
            lines.push(format!("{line:5} | {}", text.trim_end()));
        }
        lines
    }

    fn is_somewhere(&self, place: &Place) -> bool {
        place.origin.is_some() || self.line(place).is_some()
    }

    fn line(&self, place: &Place) -> Option<Line<'_>> {
        let (location, btf) = (place.location?, self.btf?);
        Some(Line {
            file: btf.string(StringOffset(location.file)),
            line: location.line(),
            column: location.column(),
            text: btf.string(StringOffset(location.text)),
        })
    }

    fn place_json(&self, place: &Place) -> Value {
        let line = self.line(place);
        json!({
            "insn": place.origin,
            "file": line.as_ref().map(|line| line.file),
            "line": line.as_ref().map(|line| line.line),
            "column": line.as_ref().map(|line| line.column),
            "source": line.as_ref().map(|line| line.text).filter(|text| !text.is_empty()),
        })
    }
}
