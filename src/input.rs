//! Reads what a command is given: assembly, MIR text, or an object.
//!
//! What a file is, its bytes say first (ELF has a magic number) and its name second (`.mir`);
//! everything else is assembly. `-` is the standard input. A file that assembly includes is looked
//! for beside the one that asks for it, and then in the folders of the command line.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bpf::diagnostic::{Diagnostic, FileId, SourceMap};
use bpf::insn::Endian;
use bpf::object::Object;
use frontend::asm::{AsmOptions, Instructions, Loaded, Loader, Origins, assemble_file};
use mir::parse::Parsed;

use crate::failure::Failure;

/// Largest input; the kernel takes programs of 8 MiB.
const MAX_BYTES: u64 = 1 << 30;
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// An input that was read and is well-formed.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum Input {
    /// An object, or the object that assembly became.
    Object(Assembled),
    /// MIR text.
    Mir(Box<Parsed>),
}

/// An object with what its text had to say.
#[derive(Debug)]
pub struct Assembled {
    /// The object.
    pub object: Object,
    /// Whether it came from assembly.
    pub from_text: bool,
    /// Files that the warnings point into.
    pub map: SourceMap,
    /// Warnings about the text.
    pub warnings: Vec<Diagnostic>,
    /// What the text has printed.
    pub messages: Vec<String>,
    /// Where the text's instructions lie in the object.
    pub instructions: Instructions,
    /// Where the files that the warnings point into come from.
    pub origins: Origins,
}

/// How assembly is to be read.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// What the text does not say.
    pub options: AsmOptions,
    /// Folders of included files, after the one of the file that asks.
    pub folders: Vec<PathBuf>,
    /// The folder of the text, where its name does not say that.
    pub beside: Option<PathBuf>,
}

impl From<Endian> for Assembly {
    fn from(endian: Endian) -> Assembly {
        Assembly {
            options: AsmOptions::new(endian),
            folders: Vec::new(),
            beside: None,
        }
    }
}

/// Files that a text includes.
struct Files {
    folders: Vec<PathBuf>,
    /// The folder of each text that was read, by its name.
    beside: BTreeMap<String, PathBuf>,
}

impl Files {
    fn new(name: String, path: &str, beside: Option<PathBuf>, folders: Vec<PathBuf>) -> Files {
        let own = || Path::new(path).parent().map(Path::to_owned);
        let folder = beside.or_else(own).unwrap_or_default();
        Files {
            folders,
            beside: BTreeMap::from([(name, folder)]),
        }
    }
}

impl Loader for Files {
    fn load(&mut self, name: &str, from: &str, limit: u64) -> Result<Loaded, String> {
        let beside = self.beside.get(from).cloned().unwrap_or_default();
        for folder in std::iter::once(&beside).chain(&self.folders) {
            let path = folder.join(name);
            let file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.to_string()),
            };
            let mut bytes = Vec::new();
            let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
            read.map_err(|error| error.to_string())?;
            if bytes.len() as u64 > limit {
                return Err(format!("it has more than {limit} bytes"));
            }
            let shown = Path::new(from).with_file_name(name);
            let shown = if *folder == beside {
                shown
            } else {
                path.clone()
            };
            let shown = shown.to_string_lossy().into_owned();
            let folder = path.parent().map(Path::to_owned);
            self.beside
                .insert(shown.clone(), folder.unwrap_or_default());
            return Ok(Loaded { name: shown, bytes });
        }
        Err("there is no such file".to_owned())
    }
}

/// The bytes of a file, or of the standard input for `-`.
///
/// # Errors
/// What the system says, or that there is too much.
pub fn bytes(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| {
            // The size is only a hint: a file may grow, and a device has none.
            let size = file.metadata().map_or(0, |data| data.len());
            let wanted = usize::try_from(size.min(MAX_BYTES) + 1).unwrap_or(0);
            let _ = bytes.try_reserve(wanted);
            file.take(MAX_BYTES + 1).read_to_end(&mut bytes)
        })
    };
    result.map_err(|error| Failure::io(path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::refused(format!("{path}: larger than 1 GiB")));
    }
    Ok(bytes)
}

/// Reads an input of any kind.
///
/// # Errors
/// The file cannot be read, or what it says is wrong.
pub fn read(path: &str, how: impl Into<Assembly>) -> Result<Input, Failure> {
    parse(path, bytes(path)?, how)
}

/// Understands bytes of any kind that were read from a file of this name.
///
/// # Errors
/// What they say is wrong.
pub fn parse(path: &str, bytes: Vec<u8>, how: impl Into<Assembly>) -> Result<Input, Failure> {
    if bytes.starts_with(ELF_MAGIC) {
        return object(path, &bytes).map(Input::Object);
    }
    let text = text(path, bytes)?;
    if path.ends_with(".mir") || text.starts_with("module ") {
        return mir(path, text).map(|parsed| Input::Mir(Box::new(parsed)));
    }
    assembly(path, text, how).map(Input::Object)
}

/// Reads an object or assembly.
///
/// # Errors
/// As [`read`], and for MIR text, which is no object.
pub fn read_object(path: &str, how: impl Into<Assembly>) -> Result<Assembled, Failure> {
    match read(path, how)? {
        Input::Object(assembled) => Ok(assembled),
        Input::Mir(_) => Err(Failure::Usage(format!(
            "{path} is MIR text; this command needs an object or assembly"
        ))),
    }
}

fn object(path: &str, bytes: &[u8]) -> Result<Assembled, Failure> {
    let object =
        bpf::elf::read(bytes).map_err(|error| Failure::refused(format!("{path}: {error}")))?;
    Ok(Assembled {
        object,
        from_text: false,
        map: SourceMap::new(),
        warnings: Vec::new(),
        messages: Vec::new(),
        instructions: Instructions::default(),
        origins: Origins::default(),
    })
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::refused(format!(
            "{path}: neither an ELF file nor text: byte {at} is not UTF-8"
        ))
    })
}

fn add(map: &mut SourceMap, path: &str, text: String) -> Result<FileId, Failure> {
    let name = if path == "-" { "<stdin>" } else { path };
    map.add(name, text)
        .ok_or_else(|| Failure::refused(format!("{path}: larger than 4 GiB")))
}

/// Assembles a text.
///
/// # Errors
/// Every mistake in it.
pub fn assembly(path: &str, text: String, how: impl Into<Assembly>) -> Result<Assembled, Failure> {
    let how = how.into();
    let mut map = SourceMap::new();
    let file = add(&mut map, path, text)?;
    let name = map.file(file).map_or("", |file| &file.name).to_owned();
    let mut files = Files::new(name, path, how.beside, how.folders);
    match assemble_file(&mut map, file, &how.options, &mut files) {
        Ok(assembled) => Ok(Assembled {
            object: assembled.object,
            from_text: true,
            map,
            warnings: assembled.warnings,
            messages: assembled.messages,
            instructions: assembled.instructions,
            origins: assembled.origins,
        }),
        Err(diagnostics) => Err(Failure::Refused { map, diagnostics }),
    }
}

fn mir(path: &str, text: String) -> Result<Parsed, Failure> {
    let mut map = SourceMap::new();
    let file = add(&mut map, path, text.clone())?;
    let diagnostics = match mir::parse::module_with_spans(file, &text) {
        Ok(parsed) => {
            let errors = parsed.verify();
            if errors.is_empty() {
                return Ok(parsed);
            }
            errors
        }
        Err(errors) => errors,
    };
    Err(Failure::Refused { map, diagnostics })
}
