//! GNU objdump's text for words, where there is an objdump that knows the NFP.

use std::path::PathBuf;
use std::process::Command;

use backend_nfp::elf::{self, Engine};

/// Environment variable with the path of an objdump that knows the NFP.
pub const OBJDUMP: &str = "BPFMILL_NFP_OBJDUMP";

/// A disassembler.
#[derive(Clone, Debug)]
pub struct Objdump(PathBuf);

impl Objdump {
    /// The one that the environment names.
    #[must_use]
    pub fn find() -> Option<Objdump> {
        std::env::var_os(OBJDUMP).map(|path| Objdump(path.into()))
    }

    /// The text of each word, without address and bytes.
    ///
    /// # Errors
    /// A description, when the tool cannot run, complains, or writes other lines than expected.
    pub fn lines(&self, words: &[u64], start: u16) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("words.elf");
        std::fs::write(&path, elf::write(words, start, Engine::default()))
            .map_err(|error| error.to_string())?;
        let output = Command::new(&self.0)
            .args(["-d", "-z", "-M", "ctx4"])
            .arg(&path)
            .output()
            .map_err(|error| format!("{}: {error}", self.0.display()))?;
        if !output.status.success() || !output.stderr.is_empty() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<String> = text
            .lines()
            .filter_map(|line| line.split('\t').nth(2))
            .zip(usize::from(start)..)
            .map(|(line, counter)| without_counter(line, counter))
            .collect::<Result<_, _>>()?;
        if lines.len() != words.len() {
            return Err(format!("{} lines for {} words", lines.len(), words.len()));
        }
        Ok(lines)
    }
}

/// Takes the program counter away, which must be this one.
fn without_counter(line: &str, counter: usize) -> Result<String, String> {
    let (found, text) = line
        .trim_start()
        .split_once("  ")
        .ok_or_else(|| format!("no program counter: {line}"))?;
    if found == format!(".{counter}") {
        Ok(text.to_owned())
    } else {
        Err(format!("the program counter is not {counter}: {line}"))
    }
}
