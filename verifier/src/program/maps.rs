//! Maps as the verifier needs them: definition, special fields, contents that never change.

use bpf::btf::{Btf, TypeId, TypeKind};
use bpf::maps::{MapDef, MapKind, READ_ONLY_PROG};

use super::record::Record;

/// A map of a program, by its place in [`super::Program::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MapId(pub u32);

/// `BPF_F_WRONLY_PROG`
const WRITE_ONLY_PROG: u32 = 1 << 8;

/// A map of a program.
#[derive(Clone, Debug)]
pub struct Map {
    /// Its definition.
    pub def: MapDef,
    /// Special fields of its value.
    pub record: Record,
    /// Whether the type of its value is known to the kernel.
    pub has_btf: bool,
    /// What its values are maps like.
    pub inner: Option<MapId>,
    /// Whether its contents depend on the kernel that loads it.
    pub of_kernel: bool,
}

impl Map {
    /// A map with this definition, without inner maps.
    #[must_use]
    pub fn new(def: MapDef, btf: Option<&Btf>) -> Map {
        let value = btf.and_then(|btf| value_type(btf, &def).map(|id| (btf, id)));
        let keeps_types = !matches!(
            def.kind,
            MapKind::PerfEventArray
                | MapKind::CgroupArray
                | MapKind::StackTrace
                | MapKind::ArrayOfMaps
                | MapKind::HashOfMaps
                | MapKind::Devmap
                | MapKind::DevmapHash
                | MapKind::Cpumap
                | MapKind::Xskmap
                | MapKind::Sockmap
                | MapKind::Sockhash
                | MapKind::Queue
                | MapKind::Stack
                | MapKind::Arena
        );
        let value = value.filter(|_| keeps_types);
        Map {
            record: value.map_or_else(Record::default, |(btf, id)| Record::of(btf, id)),
            has_btf: value.is_some(),
            def,
            inner: None,
            of_kernel: false,
        }
    }

    /// Whether programs may read values.
    #[must_use]
    pub fn can_read(&self) -> bool {
        self.def.flags & WRITE_ONLY_PROG == 0
    }

    /// Whether programs may write values.
    #[must_use]
    pub fn can_write(&self) -> bool {
        self.def.flags & READ_ONLY_PROG == 0
    }

    /// Whether the contents are fixed before the program is loaded: read-only data sections are
    /// frozen by loaders.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        !self.can_write() && (self.def.data.is_some() || self.of_kernel)
    }

    /// The number at an offset of constant contents, zero-extended.
    #[must_use]
    pub fn constant(&self, offset: i64, size: u32, big_endian: bool) -> Option<u64> {
        let data = self.def.data.as_ref()?;
        let start = usize::try_from(offset).ok()?;
        let bytes = data.get(start..start.checked_add(size as usize)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if big_endian {
            bytes.iter().fold(0, join)
        } else {
            bytes.iter().rev().fold(0, join)
        })
    }
}

/// The type of a map's value: the member `value` of a BTF-defined map, or the data section.
fn value_type(btf: &Btf, def: &MapDef) -> Option<TypeId> {
    if def.name.starts_with('.') {
        return btf.find(&def.name, |kind| {
            matches!(kind, TypeKind::DataSection { .. })
        });
    }
    let variable = btf.section_variables(".maps")?.iter().find(|variable| {
        matches!(
            btf.get(variable.target).map(|one| &one.kind),
            Some(TypeKind::Variable { .. })
        ) && btf.name(variable.target) == def.name
    })?;
    let TypeKind::Variable { target, .. } = btf.get(variable.target)?.kind else {
        return None;
    };
    let value = btf.member(target, "value")?;
    match btf.resolved(value.target)?.kind {
        TypeKind::Pointer { target } => Some(target),
        _ => None,
    }
}
