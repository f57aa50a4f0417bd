//! What an object defines: its functions and its maps, by its BTF where that can be read.

use bpf::btf::{Btf, BtfExt, function_table};
use bpf::maps::{MapDef, MapError, definitions};
use bpf::object::{FunctionTable, Object};

/// Functions and maps of an object.
#[derive(Debug)]
pub struct Definitions {
    /// Functions, by section and offset.
    pub functions: FunctionTable,
    /// Maps, data sections included.
    pub maps: Vec<MapDef>,
}

impl Definitions {
    /// Reads them. BTF that cannot be read is as none.
    ///
    /// # Errors
    /// A map definition that cannot be read.
    pub fn of(object: &Object) -> Result<Definitions, MapError> {
        let section = |name: &str| object.section_by_name(name).map(|id| object.data(id));
        let btf = section(".BTF").and_then(|bytes| Btf::parse(bytes, object.endian).ok());
        let ext = section(".BTF.ext").and_then(|bytes| BtfExt::parse(bytes, object.endian).ok());
        let functions = match (&btf, &ext) {
            (Some(btf), Some(ext)) => function_table(object, btf, ext),
            _ => object.function_table(),
        };
        let maps = definitions(object, btf.as_ref())?;
        Ok(Definitions { functions, maps })
    }
}
