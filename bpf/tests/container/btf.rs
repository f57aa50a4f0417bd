//! BTF and `.BTF.ext` are parsed and written equal byte for byte, and the relocations that belong to
//! `.BTF.ext` come out as compilers wrote them.

use bpf::btf::{self, Btf, BtfExt, TypeId, ext};
use bpf::elf;
use bpf::object::Object;
use libtest_mimic::Failed;

pub fn round_trip(file: &[u8]) -> Result<(), Failed> {
    let Ok(mut object) = elf::read(file) else {
        return Ok(());
    };
    let Some(section) = object.section_by_name(".BTF") else {
        return Ok(());
    };
    let bytes = object.data(section).to_vec();
    let btf = Btf::parse(&bytes, object.endian)?;
    if btf.to_bytes() != bytes {
        return Err(".BTF differs".into());
    }
    queries(&btf)?;
    let mut grown = btf.clone();
    grown.add_string("a string that is not there");
    if Btf::parse(&grown.to_bytes(), object.endian)? != grown {
        return Err("a grown .BTF differs".into());
    }
    ext_round_trip(&mut object, &btf)
}

/// Every query on every type ends and does not panic; positions agree with the encoding.
fn queries(btf: &Btf) -> Result<(), Failed> {
    for (id, one) in btf.iter() {
        let _ends = (btf.size_of(id), btf.parameter_count(id));
        if btf.resolve(id).is_none() {
            return Err(format!("type {} does not resolve", id.0).into());
        }
        one.for_each_reference(|target| {
            assert!(target == TypeId::VOID || btf.get(target).is_some())
        });
    }
    let last = TypeId(btf.types.len() as u32);
    let end = btf
        .type_position(last)
        .zip(btf.get(last))
        .map(|(at, one)| at + one.encoded_size());
    let strings = btf.to_bytes().len() - btf.strings.bytes().len();
    match end {
        Some(end) if end != strings => Err("type positions are wrong".into()),
        _ => Ok(()),
    }
}

fn ext_round_trip(object: &mut Object, btf: &Btf) -> Result<(), Failed> {
    let Some(section) = object.section_by_name(".BTF.ext") else {
        return Ok(());
    };
    let bytes = object.data(section).to_vec();
    let ext = BtfExt::parse(&bytes, object.endian)?;
    if ext.to_bytes() != bytes {
        return Err(".BTF.ext differs".into());
    }
    for block in &ext.func_info.sections {
        let name = btf.string(block.section);
        let code = object
            .section_by_name(name)
            .ok_or("func_info of an unknown section")?;
        let table = btf::function_table(object, btf, &ext);
        for record in &block.records {
            let starts = table
                .functions
                .iter()
                .any(|f| f.section == code && f.offset == u64::from(record.insn_off));
            let counted = btf.parameter_count(record.type_id).is_some();
            if !counted || !starts || !table.irregularities.is_empty() {
                return Err(format!("{name}+{:#x} is no function", record.insn_off).into());
            }
        }
    }
    let before = object.clone();
    ext::replace(object, btf, &ext)?;
    for (old, new) in before.sections.iter().zip(&object.sections) {
        for (old, new) in old.relocations.iter().zip(&new.relocations) {
            if old != new {
                return Err(format!("relocation {old:?} became {new:?}").into());
            }
        }
    }
    if *object != before {
        return Err("replacing .BTF.ext by itself changed the object".into());
    }
    Ok(())
}
