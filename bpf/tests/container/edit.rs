//! Objects made from nothing and objects with parts added or removed.

use bpf::elf;
use bpf::insn::Endian;
use bpf::object::*;
use libtest_mimic::{Failed, Trial};

use crate::{btf, elf as round_trip, sample};

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 5] = [
        ("made from nothing", made),
        ("symbols move together", symbols),
        ("sections move together", sections),
        ("function table", functions),
        ("writing what does not fit", unwritable),
    ];
    let trial = |(name, test)| Trial::test(format!("edit/{name}"), test);
    tests.into_iter().map(trial).collect()
}

fn made() -> Result<(), Failed> {
    for endian in [Endian::Little, Endian::Big] {
        let bytes = elf::write(&sample::object(endian))?;
        round_trip::same(&bytes)?;
        btf::round_trip(&bytes)?;
        let object = elf::read(&bytes)?;
        let names: Vec<&str> = object
            .sections
            .iter()
            .map(|section| &*section.name)
            .collect();
        let expected = [
            "",
            ".strtab",
            ".text",
            "xdp",
            ".relxdp",
            ".data",
            ".bss",
            "license",
            ".BTF",
            ".BTF.ext",
            ".rel.BTF.ext",
            ".symtab",
        ];
        if names != expected {
            return Err(format!("sections are {names:?}").into());
        }
        // Two functions, two lines, one CO-RE relocation.
        let ext = object.section_by_name(".BTF.ext").ok_or("no .BTF.ext")?;
        let records = object
            .section(ext)
            .map_or(0, |section| section.relocations.len());
        assert_eq!(records, 5);
    }
    Ok(())
}

fn symbol(name: &str, binding: u8) -> Symbol {
    let place = SymbolPlace::Undefined;
    Symbol {
        name: name.into(),
        binding,
        kind: STT_NOTYPE,
        other: 0,
        place,
        value: 0,
        size: 0,
    }
}

fn symbols() -> Result<(), Failed> {
    let mut object = elf::read(&elf::write(&sample::object(Endian::Little))?)?;
    let table = object.symbol_table().ok_or("no symbol table")?;
    let significance = {
        let mut section = Section::new(".llvm_addrsig", SHT_LLVM_ADDRSIG);
        section.link = table.0 + 1;
        let counter = object.symbol_by_name("counter").ok_or("no counter")?;
        section.contents = Contents::Bytes(vec![counter.0 as u8]);
        object.insert_section(table, section)
    };
    let users = |object: &Object| -> Vec<String> {
        let relocations = object
            .sections
            .iter()
            .flat_map(|section| &section.relocations);
        relocations
            .map(|relocation| object.symbol_label(relocation.symbol).to_owned())
            .collect()
    };
    let before = users(&object);
    object.add_symbol(symbol("global", STB_GLOBAL));
    for _ in 0..200 {
        object.add_symbol(symbol("local", STB_LOCAL));
    }
    assert_eq!(users(&object), before);
    let counter = object.symbol_by_name("counter").ok_or("no counter")?;
    assert_eq!(
        object.data(significance),
        [counter.0 as u8 | 0x80, (counter.0 >> 7) as u8]
    );
    object.symbols.push(symbol("late", STB_LOCAL));
    let first = object
        .symbols
        .iter()
        .skip(1)
        .position(|symbol| !symbol.is_local());
    object.order_symbols();
    assert_eq!(users(&object), before);
    let info = object
        .symbol_table()
        .and_then(|id| object.section(id))
        .map(|table| table.info);
    assert_eq!(info, first.map(|index| index as u32 + 2));
    round_trip::same(&elf::write(&object)?)
}

fn sections() -> Result<(), Failed> {
    let original = elf::read(&elf::write(&sample::object(Endian::Big))?)?;
    let id = |name: &str| original.section_by_name(name).ok_or("no such section");
    let refused = |name: &str| -> Result<String, Failed> {
        match original.clone().remove_section(id(name)?) {
            Ok(()) => Err("was removed".into()),
            Err(error) => Ok(error.to_string()),
        }
    };
    assert_eq!(
        refused(".strtab")?,
        "section 1 `.strtab` is needed by the container itself"
    );
    assert_eq!(
        refused(".symtab")?,
        "section 11 `.symtab` is needed by the container itself"
    );
    assert_eq!(
        refused(".data")?,
        "`xdp` has a relocation against `counter`, which is defined in a removed section"
    );
    let mut object = original.clone();
    let map = object.remove_sections(&[id("xdp")?, id(".data")?, id(".BTF.ext")?])?;
    assert_eq!(map.iter().flatten().count(), 12 - 5);
    let names: Vec<&str> = object.symbols.iter().map(|symbol| &*symbol.name).collect();
    assert_eq!(names, ["", "static_function", ""]);
    assert_eq!(object.symbol_label(SymbolId(2)), ".text");
    let bytes = elf::write(&object)?;
    let mut reread = elf::read(&bytes)?;
    reread.layout = object.layout.clone();
    assert_eq!(reread, object);
    round_trip::same(&bytes)
}

fn functions() -> Result<(), Failed> {
    let mut object = sample::object(Endian::Little);
    let program = object.section_by_name("xdp").ok_or("no program")?;
    let extents = |object: &Object| -> Vec<(u64, u64)> {
        let table = object.function_table();
        let inside = table
            .functions
            .iter()
            .filter(|function| function.section == program);
        inside
            .map(|function| (function.offset, function.size))
            .collect()
    };
    let set = |object: &mut Object, value: u64, size: u64| {
        let id = object.symbol_by_name("program").expect("the symbol exists");
        let symbol = object.symbol_mut(id).expect("the symbol exists");
        (symbol.value, symbol.size) = (value, size);
    };
    assert_eq!(extents(&object), [(0, 32)]);
    for bad in [0, 1 << 40, u64::MAX] {
        set(&mut object, 0, bad);
        assert_eq!(extents(&object), [(0, 32)]);
        assert!(object.function_table().is_regular(program));
    }
    let irregular = |object: &Object| -> Vec<(u64, IrregularityKind)> {
        let table = object.function_table();
        table
            .irregularities
            .iter()
            .map(|one| (one.offset, one.kind))
            .collect()
    };
    use IrregularityKind::*;
    set(&mut object, 8, 16);
    assert_eq!(
        irregular(&object),
        [(0, Uncovered { end: 8 }), (24, Uncovered { end: 32 })]
    );
    set(&mut object, 4, 28);
    assert_eq!(
        irregular(&object),
        [(4, Misaligned), (0, Uncovered { end: 4 })]
    );
    set(&mut object, 64, 8);
    assert_eq!(
        irregular(&object),
        [(64, OutOfBounds), (0, Uncovered { end: 32 })]
    );
    set(&mut object, 0, 32);
    let mut second = symbol("second", STB_LOCAL);
    (second.kind, second.place) = (STT_FUNC, SymbolPlace::Section(program));
    (second.value, second.size) = (16, 16);
    object.add_symbol(second);
    assert_eq!(irregular(&object), [(16, Overlap)]);
    set(&mut object, 0, 0);
    assert_eq!(extents(&object), [(0, 16), (16, 16)]);
    for symbol in &mut object.symbols {
        symbol.kind = if symbol.kind == STT_FUNC {
            STT_NOTYPE
        } else {
            symbol.kind
        };
    }
    assert_eq!(extents(&object), [(0, 32)]);
    Ok(())
}

fn unwritable() -> Result<(), Failed> {
    let refused = |edit: fn(&mut Object), expected: &str| {
        let mut object = sample::object(Endian::Little);
        edit(&mut object);
        match elf::write(&object) {
            Ok(_) => Err(Failed::from("was written")),
            Err(error) if error.to_string() == expected => Ok(()),
            Err(error) => Err(error.to_string().into()),
        }
    };
    refused(
        |object| object.sections[3].relocations[0].addend = Some(4),
        "relocation at 0x0 of `xdp` has an addend, which SHT_REL cannot hold",
    )?;
    refused(
        |object| object.sections[3].relocations[0].symbol = SymbolId(70),
        "relocation at 0x0 of `xdp` refers to symbol 70, which does not exist",
    )?;
    refused(
        |object| object.symbols[1].place = SymbolPlace::Section(SectionId(70)),
        "symbol `static_function` refers to section 70, which does not exist",
    )?;
    refused(
        |object| object.sections[5].relocations = object.sections[3].relocations.clone(),
        "section `.data` has relocations and no relocation section",
    )?;
    refused(
        |object| object.sections[3].name.push('\0'),
        "the name \"xdp\\0\" contains a null byte",
    )?;
    refused(
        |object| object.sections[3].contents = Contents::NoBits(8),
        "section `xdp` has contents that do not fit its type",
    )?;
    refused(
        |object| object.section_names = SectionId(3),
        "section 3 should be the string table for section names",
    )
}
