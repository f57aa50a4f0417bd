//! One function and all that it reaches, in one stream: what libbpf's linking makes.
//!
//! The work is linear in the instructions linked, which are bounded by what the kernel takes.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bpf::btf::ext::CoreRelocationKind;
use bpf::btf::{Btf, BtfExt, TypeId, TypeKind, function_table};
use bpf::maps::{MapDef, MapPlace, definitions};
use bpf::object::{FunctionRange, Object, Relocation, SectionId};
use bpf::program_type::SectionKind;

use super::Program;
use super::origin::{LineTable, Origin, SourceLine};
use super::stream::Stream;
use crate::options::Options;

/// The kernel's limit for the length of a program.
pub(super) const MAX_SLOTS: usize = 1_000_000;

/// Which program of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramId {
    /// Section.
    pub section: String,
    /// Function.
    pub function: String,
}

impl std::fmt::Display for ProgramId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.section, self.function)
    }
}

/// Why there is no program to verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The object has no such program.
    #[error("there is no program {0}")]
    NoProgram(ProgramId),
    /// Neither the section's name nor the options say what type it has.
    #[error("section `{0}` does not say the program's type")]
    NoType(String),
    /// BTF cannot be read.
    #[error("{0}")]
    Btf(String),
    /// A map definition cannot be read.
    #[error("{0}")]
    Maps(String),
    /// The code is not whole slots.
    #[error("function `{0}` is not made of whole instructions")]
    Code(String),
    /// A call or address leads nowhere.
    #[error("{section}+{offset:#x}: no function begins where this refers to")]
    Target {
        /// Section of the reference.
        section: String,
        /// Its byte offset.
        offset: u64,
    },
    /// There are more instructions than any kernel takes.
    #[error("the program has more than {MAX_SLOTS} instructions")]
    TooLong,
}

/// An object made ready for linking its programs.
#[derive(Debug)]
pub struct Linker<'a> {
    pub(super) object: &'a Object,
    pub(super) btf: Option<Arc<Btf>>,
    pub(super) ext: Option<BtfExt>,
    /// Made when somebody asks: whoever only wants verdicts does not.
    lines: OnceLock<LineTable>,
    pub(super) functions: Vec<FunctionRange>,
    pub(super) starts: BTreeMap<(SectionId, u64), usize>,
    pub(super) relocations: BTreeMap<(SectionId, u64), Relocation>,
    pub(super) definitions: Vec<MapDef>,
    pub(super) by_place: BTreeMap<MapPlace, usize>,
    pub(super) types: BTreeMap<(SectionId, u64), TypeId>,
    pub(super) relocatable: BTreeMap<(SectionId, u64), CoreRelocationKind>,
}

impl<'a> Linker<'a> {
    /// Reads what programs share.
    ///
    /// # Errors
    /// BTF or map definitions that cannot be read.
    pub fn new(object: &'a Object) -> Result<Linker<'a>, LinkError> {
        let section = |name| object.section_by_name(name).map(|id| object.data(id));
        let unreadable = |error: bpf::btf::BtfError| LinkError::Btf(error.to_string());
        let btf = section(".BTF")
            .map(|bytes| Btf::parse(bytes, object.endian))
            .transpose()
            .map_err(unreadable)?;
        let ext = section(".BTF.ext")
            .map(|bytes| BtfExt::parse(bytes, object.endian))
            .transpose()
            .map_err(unreadable)?;
        let btf = btf.map(|mut btf| {
            place_variables(&mut btf, object);
            btf
        });
        let definitions = definitions(object, btf.as_ref())
            .map_err(|error| LinkError::Maps(error.to_string()))?;
        let functions = match (&btf, &ext) {
            (Some(btf), Some(ext)) => function_table(object, btf, ext).functions,
            _ => object.functions(),
        };
        let by_place = definitions
            .iter()
            .enumerate()
            .filter_map(|(index, definition)| Some((definition.place?, index)))
            .collect();
        let mut linker = Linker {
            starts: functions
                .iter()
                .enumerate()
                .map(|(index, function)| ((function.section, function.offset), index))
                .collect(),
            object,
            btf: btf.map(Arc::new),
            ext,
            functions,
            relocations: code_relocations(object),
            definitions,
            by_place,
            lines: OnceLock::new(),
            types: BTreeMap::new(),
            relocatable: BTreeMap::new(),
        };
        linker.read_records();
        Ok(linker)
    }

    /// The object's BTF.
    #[must_use]
    pub fn btf(&self) -> Option<&Btf> {
        self.btf.as_deref()
    }

    fn read_records(&mut self) {
        let (Some(btf), Some(ext)) = (&self.btf, &self.ext) else {
            return;
        };
        for block in &ext.func_info.sections {
            if let Some(id) = self.object.section_by_name(btf.string(block.section)) {
                let places = block
                    .records
                    .iter()
                    .map(|record| ((id, record.insn_off.into()), record.type_id));
                self.types.extend(places);
            }
        }
        for block in ext
            .core_relocations
            .iter()
            .flat_map(|table| &table.sections)
        {
            if let Some(id) = self.object.section_by_name(btf.string(block.section)) {
                let places = block.records.iter().filter_map(|record| {
                    Some(((id, record.insn_off.into()), record.known_kind()?))
                });
                self.relocatable.extend(places);
            }
        }
    }

    /// What a loader would see as programs: the functions outside `.text`, or those in it if there
    /// are no others.
    #[must_use]
    pub fn programs(&self) -> Vec<ProgramId> {
        let outside = |function: &&FunctionRange| self.section_name(function.section) != ".text";
        let mut found: Vec<&FunctionRange> = self.functions.iter().filter(outside).collect();
        if found.is_empty() {
            found = self.functions.iter().collect();
        }
        found
            .into_iter()
            .map(|function| ProgramId {
                section: self.section_name(function.section).to_owned(),
                function: function.name.clone(),
            })
            .collect()
    }

    /// The source line of an instruction of a program.
    #[must_use]
    pub fn line_of(&self, program: &Program, slot: usize) -> Option<SourceLine> {
        self.source_line(*program.origins.get(slot)?)
    }

    /// The source line of a slot of a program.
    #[must_use]
    pub fn source_line(&self, origin: Origin) -> Option<SourceLine> {
        let (btf, ext) = (self.btf.as_deref()?, self.ext.as_ref()?);
        let lines = self
            .lines
            .get_or_init(|| LineTable::of(self.object, btf, ext));
        lines.line(btf, ext, origin)
    }

    pub(super) fn section_name(&self, id: SectionId) -> &str {
        self.object.section(id).map_or("", |section| &section.name)
    }

    /// Links one program.
    ///
    /// # Errors
    /// The program does not exist, has no known type, or refers to what is not there.
    pub fn link(&self, id: &ProgramId, options: &Options) -> Result<Program, LinkError> {
        let main = self
            .functions
            .iter()
            .position(|function| {
                function.name == id.function
                    && bare(self.section_name(function.section)) == bare(&id.section)
            })
            .ok_or_else(|| LinkError::NoProgram(id.clone()))?;
        let by_section = SectionKind::from_section(&id.section);
        let program_type = options
            .program_type
            .or(by_section.map(|kind| kind.program_type))
            .ok_or_else(|| LinkError::NoType(id.section.clone()))?;
        let attach_type = options.attach_type.or_else(|| {
            by_section
                .filter(|kind| kind.program_type == program_type)
                .and_then(|kind| kind.attach_type)
        });
        let mut stream = Stream::new(self, program_type);
        stream.link(main)?;
        let exception_callbacks = stream.link_exception_callbacks(main)?;
        let mut program = Program {
            name: id.function.clone(),
            section: id.section.clone(),
            program_type,
            attach_type,
            sleepable: options.sleepable || by_section.is_some_and(|kind| kind.sleepable),
            gpl: self.is_gpl(),
            ops: stream.ops,
            subprograms: stream.subprograms,
            maps: stream.maps,
            has_func_info: self.types.contains_key(&stream.first),
            exception_callbacks,
            btf: self.btf.clone(),
            origins: stream.origins,
        };
        super::cfg::summarise(&mut program);
        Ok(program)
    }

    fn is_gpl(&self) -> bool {
        let section = self.object.section_by_name("license");
        let bytes = section.map_or(&[][..], |id| self.object.data(id));
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or(bytes);
        [
            &b"GPL"[..],
            b"GPL v2",
            b"GPL and additional rights",
            b"Dual BSD/GPL",
            b"Dual MIT/GPL",
            b"Dual MPL/GPL",
        ]
        .contains(&text)
    }
}

/// A section's name without the mark that says not to load its programs by themselves.
fn bare(section: &str) -> &str {
    section.strip_prefix('?').unwrap_or(section)
}

/// Compilers leave the offsets of variables in data sections to the loader, which takes them from
/// the symbols.
fn place_variables(btf: &mut Btf, object: &Object) {
    let places: BTreeMap<(SectionId, &str), u32> = object
        .symbols
        .iter()
        .filter_map(|symbol| {
            let place = (symbol.section()?, symbol.name.as_str());
            Some((place, u32::try_from(symbol.value).ok()?))
        })
        .collect();
    let mut changed = Vec::new();
    for (id, one) in btf.iter() {
        let TypeKind::DataSection { variables, .. } = &one.kind else {
            continue;
        };
        let Some(section) = object.section_by_name(btf.string(one.name)) else {
            continue;
        };
        let offsets = variables.iter().map(|variable| {
            let place = places.get(&(section, btf.name(variable.target)));
            place.copied().unwrap_or(variable.offset)
        });
        changed.push((id, offsets.collect::<Vec<u32>>()));
    }
    for (id, offsets) in changed {
        if let Some(one) = btf.get_mut(id)
            && let TypeKind::DataSection { variables, .. } = &mut one.kind
        {
            for (variable, offset) in variables.iter_mut().zip(offsets) {
                variable.offset = offset;
            }
        }
    }
}

fn code_relocations(object: &Object) -> BTreeMap<(SectionId, u64), Relocation> {
    let code = object
        .section_ids()
        .zip(&object.sections)
        .filter(|(_, section)| section.is_executable());
    code.flat_map(|(id, section)| {
        section
            .relocations
            .iter()
            .map(move |relocation| ((id, relocation.offset), *relocation))
    })
    .collect()
}
