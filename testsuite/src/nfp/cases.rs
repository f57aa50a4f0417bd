//! The driver's cases: a JSON object a line, beside the checkout.

use backend_nfp::firmware::DeviceMapKind;
use bpf::insn::{Endian, Slot, read_slots};
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;
use bpfmill::packet_file::unhex;
use serde_json::Value;

use crate::objects::shared;

/// A map of a case.
#[derive(Clone, Debug)]
pub struct CaseMap {
    /// Number that the bytecode has in its `ld_imm64`.
    pub file: i32,
    /// Number that the card's programs have.
    pub id: u32,
    /// Definition for the interpreter.
    pub def: MapDef,
    /// Kind on the card.
    pub kind: DeviceMapKind,
}

/// A program, and what the driver made of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name.
    pub name: String,
    /// Type.
    pub program_type: ProgramType,
    /// Maps.
    pub maps: Vec<CaseMap>,
    /// The bytecode, maps named by their places in `maps`.
    pub slots: Vec<Slot>,
    /// The driver's words before relocation.
    pub unrelocated: Vec<u64>,
    /// The driver's words as loaded; none where the driver refused.
    pub words: Vec<u64>,
}

/// All cases; `None` where there are none beside the checkout.
#[must_use]
pub fn cases() -> Option<Vec<Case>> {
    let path = shared("nfp")?.join("kernel-jit-cases.jsonl");
    let text = std::fs::read_to_string(path).ok()?;
    let rows = text.lines().map(|line| serde_json::from_str(line).ok());
    rows.map(|row| row.and_then(|row| case(&row))).collect()
}

fn case(row: &Value) -> Option<Case> {
    let list = |field: &str| row[field].as_array().map_or(&[][..], Vec::as_slice);
    let words = |field: &str| -> Option<Vec<u64>> {
        let number = |word: &Value| u64::from_str_radix(word.as_str()?, 16).ok();
        list(field).iter().map(number).collect()
    };
    let maps: Option<Vec<CaseMap>> = list("maps")
        .iter()
        .map(|map| case_map(map.as_str()?))
        .collect();
    let maps = maps?;
    let mut slots = read_slots(&unhex(row["bpf_hex"].as_str()?)?, Endian::Little)?;
    for slot in &mut slots {
        let found = maps.iter().position(|map| map.file == slot.imm);
        if (slot.opcode, slot.src) == (0x18, 1)
            && let Some(index) = found
        {
            slot.imm = index as i32;
        }
    }
    Some(Case {
        name: row["name"].as_str()?.to_owned(),
        program_type: match row["prog_type"].as_str()? {
            "xdp" => ProgramType::Xdp,
            _ => ProgramType::SchedCls,
        },
        maps,
        slots,
        unrelocated: words("nfp_pre_hex")?,
        words: words("nfp_post_hex")?,
    })
}

/// A map as `file:kind:key:value:entries:id`.
fn case_map(text: &str) -> Option<CaseMap> {
    let parts: Vec<&str> = text.split(':').collect();
    let [file, kind, key, value, entries, id] = parts[..] else {
        return None;
    };
    let (kind, on_card) = match kind {
        "array" | "2" => (MapKind::Array, DeviceMapKind::Array),
        "hash" | "1" => (MapKind::Hash, DeviceMapKind::Hash),
        "perf" => (MapKind::PerfEventArray, DeviceMapKind::PerfEvents),
        _ => return None,
    };
    let (key, value, entries) = (
        key.parse().ok()?,
        value.parse().ok()?,
        entries.parse().ok()?,
    );
    Some(CaseMap {
        file: file.parse().ok()?,
        id: id.parse().ok()?,
        def: MapDef::new("map", kind, key, value, entries),
        kind: on_card,
    })
}
