//! `bpfmill.toml`: what a project always asks of the optimiser.
//!
//! ```toml
//! level = "s"                    # -O
//! mcpu = "v3"
//! kernel = "6.1"
//! disable = ["gvn"]              # everywhere
//! [program.xdp_main]             # the function and all that it calls
//! disable = ["memcpy"]
//! [function.parse_header]
//! enable = ["gvn"]
//! ```
//!
//! The file is looked for in the working directory and its parents, as cargo does; `--config` names
//! another. The command line overrides single values and adds to lists.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bpf::diagnostic::{Diagnostic, SourceMap, Span};
use serde::Deserialize;

use crate::failure::Failure;

/// The file's name.
const NAME: &str = "bpfmill.toml";

/// The file's contents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Level, as after `-O`.
    pub level: Option<String>,
    /// Instruction set, as after `--mcpu`.
    pub mcpu: Option<String>,
    /// Kernel, as after `--kernel`.
    pub kernel: Option<String>,
    /// Passes to add.
    pub enable: Vec<String>,
    /// Passes to leave out.
    pub disable: Vec<String>,
    /// Switches of a whole program, by its main function.
    pub program: BTreeMap<String, Switches>,
    /// Switches of a function.
    pub function: BTreeMap<String, Switches>,
}

/// Passes switched in a part of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Switches {
    /// Passes to add.
    pub enable: Vec<String>,
    /// Passes to leave out.
    pub disable: Vec<String>,
}

impl Config {
    /// Reads the named file, or the nearest one at or above a folder, to which a name is relative
    /// too; nothing is asked if there is none.
    ///
    /// # Errors
    /// The file cannot be read or says something that it cannot say.
    pub fn load(folder: &Path, named: Option<&str>) -> Result<Config, Failure> {
        let path = match named {
            Some(name) => folder.join(name),
            None => match nearest(folder) {
                Some(path) => path,
                None => return Ok(Config::default()),
            },
        };
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(&shown, error))?;
        parse(&shown, text)
    }

    /// The passes to add, each with its place as on the command line.
    #[must_use]
    pub fn enabled(&self) -> Vec<String> {
        self.all(&self.enable, |switches| &switches.enable)
    }

    /// The passes to leave out, likewise.
    #[must_use]
    pub fn disabled(&self) -> Vec<String> {
        self.all(&self.disable, |switches| &switches.disable)
    }

    fn all(&self, everywhere: &[String], part: fn(&Switches) -> &Vec<String>) -> Vec<String> {
        let mut all = everywhere.to_vec();
        for (name, switches) in &self.program {
            all.extend(
                part(switches)
                    .iter()
                    .map(|pass| format!("{pass}@prog:{name}")),
            );
        }
        for (name, switches) in &self.function {
            all.extend(part(switches).iter().map(|pass| format!("{pass}@{name}")));
        }
        all
    }
}

fn nearest(folder: &Path) -> Option<PathBuf> {
    let here = folder.canonicalize().ok()?;
    let candidates = here.ancestors().map(|folder: &Path| folder.join(NAME));
    candidates.into_iter().find(|path| path.is_file())
}

fn parse(name: &str, text: String) -> Result<Config, Failure> {
    toml::from_str(&text).map_err(|error| {
        let mut map = SourceMap::new();
        let file = map.add(name, text);
        let mut diagnostic = Diagnostic::error(error.message());
        if let (Some(file), Some(range)) = (file, error.span())
            && let (Ok(start), Ok(end)) = (u32::try_from(range.start), u32::try_from(range.end))
        {
            diagnostic = diagnostic.with_primary(Span::new(file, start, end), "");
        }
        Failure::Refused {
            map,
            diagnostics: vec![diagnostic],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn switches_have_their_places() {
        let text = "disable = ['gvn']\n[program.main]\ndisable = ['dce']\n[function.f]\nenable = ['gvn']\n";
        let config = parse("bpfmill.toml", text.to_owned()).unwrap();
        assert_eq!(config.disabled(), ["gvn", "dce@prog:main"]);
        assert_eq!(config.enabled(), ["gvn@f"]);
        assert!(parse("bpfmill.toml", "levle = 's'".to_owned()).is_err());
    }
}
