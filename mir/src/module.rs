//! A module: the functions of one object and the tables that they share.

use crate::entity::{CoreRelo, External, Func, SourceLoc, Symbol};
use crate::function::Function;
use bpf::insn::Endian;
use bpf::maps::MapPlace;
use bpf::object::{Object, STT_SECTION, SymbolPlace};
use cranelift_entity::PrimaryMap;

/// Functions and shared tables.
#[derive(Clone, Debug)]
pub struct Module {
    /// Byte order of the target: what `be16` and a narrow load of a wide store mean.
    pub endian: Endian,
    /// Functions, declarations included.
    pub functions: PrimaryMap<Func, Function>,
    /// What `symbol` instructions name.
    pub symbols: PrimaryMap<Symbol, SymbolData>,
    /// What `call_external` instructions name.
    pub externals: PrimaryMap<External, ExternalData>,
    /// CO-RE records.
    pub core_relos: PrimaryMap<CoreRelo, CoreRelocation>,
    /// Source positions.
    pub locations: PrimaryMap<SourceLoc, Location>,
}

/// What `ld_imm64` loads, exactly as the input's relocation and immediate say it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolData {
    /// Name, for people; a section symbol has its section's.
    pub name: String,
    /// What it names.
    pub kind: SymbolKind,
    /// Index in the object's symbol table; `None` when there is no relocation and `pseudo` says
    /// what the immediate means.
    pub object_symbol: Option<u32>,
    /// Source nibble of the instruction (`BPF_PSEUDO_*`).
    pub pseudo: u8,
    /// Both immediates: the addend of a relocation lies here.
    pub imm: u64,
}

impl SymbolData {
    /// Where in an object lies what the symbol names: a map's definition, or a byte of data. `None`
    /// without a relocation, or when it is not in the object.
    #[must_use]
    pub fn place(&self, object: &Object) -> Option<MapPlace> {
        let found = object.symbols.get(self.object_symbol? as usize)?;
        let SymbolPlace::Section(section) = found.place else {
            return None;
        };
        let addend = self.imm & u64::from(u32::MAX);
        // The addend of a map's own symbol means nothing; of its section's symbol it says which map.
        let offset = match (self.kind, found.kind) {
            (SymbolKind::Data, _) | (_, STT_SECTION) => found.value.wrapping_add(addend),
            _ => found.value,
        };
        Some(MapPlace { section, offset })
    }
}

/// What a symbol names, as far as the object tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SymbolKind {
    /// A map.
    Map,
    /// An address in a data section.
    Data,
    /// A function of this module, as callback.
    Function(Func),
    /// An extern variable: ksym or kconfig.
    Extern,
    /// Anything else.
    Other,
}

/// A function outside the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalData {
    /// Name of the symbol, or of the BTF id.
    pub name: String,
    /// Index in the object's symbol table; `None` when the call has no relocation.
    pub object_symbol: Option<u32>,
    /// Source nibble of the call instruction.
    pub pseudo: u8,
    /// Offset field of the call instruction (the module's BTF fd index for kfuncs).
    pub offset: i16,
    /// Immediate of the call instruction.
    pub imm: i32,
    /// Parameters, 0 to 5.
    pub parameter_count: u8,
}

/// A CO-RE relocation record (`struct bpf_core_relo` without the offset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CoreRelocation {
    /// BTF id of the root type.
    pub type_id: u32,
    /// Offset of the access string in the BTF string table.
    pub access: u32,
    /// `enum bpf_core_relo_kind`
    pub kind: u32,
}

/// A source position (`struct bpf_line_info` without the offset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Offset of the file name in the BTF string table.
    pub file: u32,
    /// Offset of the source line's text in the BTF string table.
    pub text: u32,
    /// Line (upper 22 bits) and column (lower 10 bits).
    pub line_column: u32,
}

impl Location {
    /// Line, from 1; 0 when unknown.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line_column >> 10
    }

    /// Column, from 1; 0 when unknown.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.line_column & 0x3ff
    }
}

impl Module {
    /// A module without functions.
    #[must_use]
    pub fn new(endian: Endian) -> Self {
        Module {
            endian,
            functions: PrimaryMap::new(),
            symbols: PrimaryMap::new(),
            externals: PrimaryMap::new(),
            core_relos: PrimaryMap::new(),
            locations: PrimaryMap::new(),
        }
    }
}
