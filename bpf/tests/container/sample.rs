//! A small object made from nothing, with everything in it that the container parses.

use bpf::btf::ext::{CoreRelocation, FuncInfo, LineInfo};
use bpf::btf::{Btf, BtfExt, Member, Parameter, SectionVariable, Type, TypeId, TypeKind};
use bpf::insn::Endian;
use bpf::object::*;

/// `mov r0, 0; exit`, and `ld_imm64; call; exit`, in bytes of the byte order.
fn code(endian: Endian, slots: &[(u8, u8, i32)]) -> Vec<u8> {
    let slot = |&(opcode, registers, imm): &(u8, u8, i32)| {
        let imm = match endian {
            Endian::Little => imm.to_le_bytes(),
            Endian::Big => imm.to_be_bytes(),
        };
        [opcode, registers, 0, 0, imm[0], imm[1], imm[2], imm[3]]
    };
    slots.iter().flat_map(slot).collect()
}

fn section(name: &str, flags: u64, align: u64, bytes: Vec<u8>) -> Section {
    let mut section = Section::new(name, SHT_PROGBITS);
    (section.flags, section.align) = (flags, align);
    section.contents = Contents::Bytes(bytes);
    section
}

fn symbol(name: &str, binding: u8, kind: u8, section: SectionId, value: u64, size: u64) -> Symbol {
    let place = SymbolPlace::Section(section);
    Symbol {
        name: name.to_owned(),
        binding,
        kind,
        other: 0,
        place,
        value,
        size,
    }
}

/// The object, whose sections are in the order in which they are added here.
pub fn object(endian: Endian) -> Object {
    let mut object = Object::new(endian);
    let executable = SHF_ALLOC | SHF_EXECINSTR;
    let text = code(endian, &[(0xb7, 0, 0), (0x95, 0, 0)]);
    let program = code(
        endian,
        &[(0x18, 1, 0), (0, 0, 0), (0x85, 0x10, -1), (0x95, 0, 0)],
    );
    let text = object.add_section(section(".text", executable, 8, text));
    let program = object.add_section(section("xdp", executable, 8, program));
    let data = object.add_section(section(".data", SHF_ALLOC | SHF_WRITE, 4, vec![1, 2, 3, 4]));
    let mut zeroes = Section::new(".bss", SHT_NOBITS);
    (zeroes.flags, zeroes.align) = (SHF_ALLOC | SHF_WRITE, 8);
    zeroes.contents = Contents::NoBits(24);
    object.add_section(zeroes);
    let licence = b"GPL\0".to_vec();
    object.add_section(section("license", SHF_ALLOC | SHF_WRITE, 1, licence));
    let (btf, ext) = types(endian);
    object.add_section(section(".BTF", 0, 4, btf.to_bytes()));
    let btf_ext = object.add_section(section(".BTF.ext", 0, 4, ext.to_bytes()));

    let section_symbol = |id| symbol("", STB_LOCAL, STT_SECTION, id, 0, 0);
    let variable = object.add_symbol(symbol("counter", STB_GLOBAL, STT_OBJECT, data, 0, 4));
    object.add_symbol(symbol("program", STB_GLOBAL, STT_FUNC, program, 0, 32));
    object.add_symbol(symbol("static_function", STB_LOCAL, STT_FUNC, text, 0, 16));
    let text_symbol = object.add_symbol(section_symbol(text));
    let program_symbol = object.add_symbol(section_symbol(program));
    // Two locals came before the first global since it was added.
    let variable = SymbolId(variable.0 + 3);
    assert_eq!(object.symbol_by_name("counter"), Some(variable));

    let relocation = |offset, kind, symbol| Relocation {
        offset,
        kind,
        symbol,
        addend: None,
    };
    let targets = [
        (
            program,
            vec![
                relocation(0, R_BPF_64_64, variable),
                relocation(16, R_BPF_64_32, text_symbol),
            ],
        ),
        (
            btf_ext,
            vec![relocation(44, R_BPF_64_NODYLD32, text_symbol)],
        ),
    ];
    // From the last to the first, since each insertion moves the sections behind it.
    for (target, relocations) in targets.into_iter().rev() {
        object
            .ensure_relocation_section(target)
            .expect("the target exists");
        object
            .section_mut(target)
            .expect("the target exists")
            .relocations = relocations;
    }
    bpf::btf::ext::replace(&mut object, &btf, &ext).expect("the sections exist");
    assert_eq!(
        object.symbol(program_symbol).and_then(Symbol::section),
        Some(program)
    );
    object
}

/// Types and records for [`object`].
pub fn types(endian: Endian) -> (Btf, BtfExt) {
    let mut btf = Btf::new(endian);
    let named = |btf: &mut Btf, name: &str, kind| {
        let name = btf.add_string(name);
        btf.add_type(Type {
            name,
            kind_flag: false,
            kind,
        })
    };
    let int = named(
        &mut btf,
        "int",
        TypeKind::Int {
            size: 4,
            encoding: 1,
            offset: 0,
            bits: 32,
        },
    );
    let pointer = named(&mut btf, "", TypeKind::Pointer { target: TypeId(4) });
    let next = Member {
        name: btf.add_string("next"),
        target: pointer,
        offset: 0,
    };
    let value = Member {
        name: btf.add_string("value"),
        target: TypeId(5),
        offset: 64,
    };
    let members = vec![next, value];
    let array = named(
        &mut btf,
        "",
        TypeKind::Array {
            element: int,
            index: int,
            count: 6,
        },
    );
    let list = named(&mut btf, "list", TypeKind::Struct { size: 16, members });
    assert_eq!((array, list), (TypeId(3), TypeId(4)));
    named(&mut btf, "number", TypeKind::Typedef { target: int });
    let parameters = vec![Parameter {
        name: btf.add_string("ctx"),
        target: pointer,
    }];
    let proto = named(
        &mut btf,
        "",
        TypeKind::FunctionProto {
            result: int,
            parameters,
        },
    );
    let function = named(
        &mut btf,
        "program",
        TypeKind::Function { proto, linkage: 1 },
    );
    let variable = named(
        &mut btf,
        "counter",
        TypeKind::Variable {
            target: int,
            linkage: 1,
        },
    );
    let variables = vec![SectionVariable {
        target: variable,
        offset: 0,
        size: 4,
    }];
    named(
        &mut btf,
        ".data",
        TypeKind::DataSection { size: 4, variables },
    );
    named(
        &mut btf,
        "tag",
        TypeKind::DeclTag {
            target: list,
            component: 1,
        },
    );

    let (text, program) = (btf.add_string(".text"), btf.add_string("xdp"));
    let (file, line) = (btf.add_string("program.c"), btf.add_string("\treturn 0;"));
    let access = btf.add_string("0:1");
    let mut ext = BtfExt::new(endian);
    ext.func_info
        .set_section(text, vec![FuncInfo::new(0, function)]);
    ext.func_info
        .set_section(program, vec![FuncInfo::new(0, function)]);
    let lines = [0, 16].map(|offset| LineInfo::new(offset, file, line, 12 << 10 | 2));
    ext.line_info.set_section(program, lines.to_vec());
    let core = CoreRelocation {
        insn_off: 0,
        type_id: list,
        access,
        kind: 0,
        surplus: Box::default(),
    };
    if let Some(table) = &mut ext.core_relocations {
        table.set_section(program, vec![core]);
    }
    (btf, ext)
}
