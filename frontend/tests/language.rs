//! Text that uses macros, conditionals, other files and rare directives becomes the object that
//! LLVM's assembler makes of it, byte for byte and in both byte orders.
//!
//! Ignored where llvm-mc-19 is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf::diagnostic::SourceMap;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, Loaded, Loader, assemble_file};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let version = Command::new("llvm-mc-19").arg("--version").output();
    let missing = !version.is_ok_and(|output| output.status.success());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut sources: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    sources.retain(|path| path.extension().is_some_and(|ending| ending == "s"));
    sources.sort();
    let trials = sources.into_iter().map(|source| {
        let name = source.file_stem().unwrap_or_default().to_string_lossy();
        Trial::test(name.into_owned(), move || compare(&source)).with_ignored_flag(missing)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

/// Files of the folder.
struct Folder(PathBuf);

impl Loader for Folder {
    fn load(&mut self, name: &str, _: &str, _: u64) -> Result<Loaded, String> {
        let bytes = std::fs::read(self.0.join(name)).map_err(|error| error.to_string())?;
        Ok(Loaded {
            name: name.to_owned(),
            bytes,
        })
    }
}

fn compare(source: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(source)?;
    let folder = source.parent().unwrap_or(Path::new("."));
    for (endian, triple) in [(Endian::Little, "bpfel"), (Endian::Big, "bpfeb")] {
        let output = Command::new("llvm-mc-19")
            .args([
                "--filetype=obj",
                "--triple",
                triple,
                "--defsym",
                "given=5",
                "-I",
            ])
            .arg(folder)
            .arg(source)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        let mut map = SourceMap::new();
        let file = map.add("source.s", text.as_str()).ok_or("too large")?;
        let mut options = AsmOptions::new(endian);
        options.defines.push(("given".to_owned(), 5));
        let assembled = assemble_file(&mut map, file, &options, &mut Folder(folder.to_owned()))
            .map_err(|errors| format!("{:?}", errors.first()))?;
        let ours = bpf::elf::write(&assembled.object).map_err(|error| error.to_string())?;
        if ours != output.stdout {
            let name = source.file_stem().unwrap_or_default().to_string_lossy();
            let kept = std::env::temp_dir().join(format!("bpfmill-{name}-{triple}.o"));
            std::fs::write(&kept, &ours)?;
            std::fs::write(kept.with_extension("llvm.o"), &output.stdout)?;
            return Err(format!("the files differ; ours is {}", kept.display()).into());
        }
    }
    Ok(())
}
