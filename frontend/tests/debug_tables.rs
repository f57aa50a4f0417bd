//! The line table and the tables of frames, decoded by gimli, say what the directives said.
//!
//! The expected rows are written out here from the text, so that neither the encoder nor another
//! assembler is trusted. Advances of all sizes are met, in both byte orders and both versions.

use std::fmt::Write as _;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::object::{Object, SymbolPlace};
use frontend::asm::{AsmOptions, assemble};
use gimli::{
    BaseAddresses, CieOrFde, DebugFrame, DebugLine, DebugLineOffset, DebugLineStr, EhFrame,
    EndianSlice, RunTimeEndian, UnwindContext, UnwindSection,
};

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

fn object(text: &str, endian: Endian) -> Object {
    let options = AsmOptions::new(endian);
    let assembled = assemble(text, FileId(0), &options).expect("the text is correct");
    assert!(assembled.warnings.is_empty(), "{:?}", assembled.warnings);
    assembled.object
}

/// A section's bytes as a loader sees them: sections lie 4 GiB apart, in the order of the file.
fn loaded(object: &Object, name: &str) -> Vec<u8> {
    let id = object.section_by_name(name).expect("the section is there");
    let section = &object.sections[id.0 as usize];
    let mut bytes = section.data().to_vec();
    for relocation in &section.relocations {
        let symbol = &object.symbols[relocation.symbol.0 as usize];
        let SymbolPlace::Section(target) = symbol.place else {
            panic!("the symbol is undefined");
        };
        let at = relocation.offset as usize;
        if relocation.kind == bpf::object::R_BPF_64_ABS64 {
            let field: &mut [u8; 8] = bytes[at..at + 8].as_mut_array().expect("8 bytes");
            let base = u64::from(target.0) << 32;
            *field = match object.endian {
                Endian::Little => (u64::from_le_bytes(*field) + base).to_le_bytes(),
                Endian::Big => (u64::from_be_bytes(*field) + base).to_be_bytes(),
            };
        }
    }
    bytes
}

fn byte_order(endian: Endian) -> RunTimeEndian {
    match endian {
        Endian::Little => RunTimeEndian::Little,
        Endian::Big => RunTimeEndian::Big,
    }
}

/// `section+offset file:line:column marks` for each row.
fn rows(object: &Object) -> Vec<String> {
    let order = byte_order(object.endian);
    let line = loaded(object, ".debug_line");
    let strings = match object.section_by_name(".debug_line_str") {
        Some(_) => loaded(object, ".debug_line_str"),
        None => Vec::new(),
    };
    let strings = DebugLineStr::from(EndianSlice::new(&strings, order));
    let table = DebugLine::new(&line, order);
    let program = table.program(DebugLineOffset(0), 8, None, None);
    let mut rows = program.expect("the header is right").rows();
    let mut found = Vec::new();
    while let Some((header, row)) = rows.next_row().expect("the program is right") {
        let section = &object.sections[(row.address() >> 32) as usize].name;
        let mut shown = format!("{section}+{}", row.address() & 0xffff_ffff);
        if row.end_sequence() {
            found.push(shown + " end");
            continue;
        }
        let file = row.file(header).expect("the file is there");
        let name = match file.path_name() {
            gimli::AttributeValue::String(name) => name,
            gimli::AttributeValue::DebugLineStrRef(at) => {
                strings.get_str(at).expect("the name is there")
            }
            other => panic!("{other:?}"),
        };
        let line = row.line().map_or(0, |line| line.get());
        let column = match row.column() {
            gimli::ColumnType::LeftEdge => 0,
            gimli::ColumnType::Column(column) => column.get(),
        };
        let _ = write!(shown, " {}:{line}:{column}", name.to_string_lossy());
        for (is_set, mark) in [
            (!row.is_stmt(), " inside"),
            (row.prologue_end(), " prologue_end"),
            (row.epilogue_begin(), " epilogue_begin"),
            (row.basic_block(), " basic_block"),
        ] {
            shown.push_str(if is_set { mark } else { "" });
        }
        if row.discriminator() != 0 {
            let _ = write!(shown, " discriminator {}", row.discriminator());
        }
        if row.isa() != 0 {
            let _ = write!(shown, " isa {}", row.isa());
        }
        found.push(shown);
    }
    found
}

#[test]
fn rows_are_what_loc_said() {
    let text = r#"
        .file 0 "/home" "a.c" md5 0x00112233445566778899aabbccddeeff
        .file 1 "/home" "h/b.h" md5 0x1
        .section xdp,"ax",@progbits
        .loc 0 7 0
        r0 = 1
        .loc 0 8 23 prologue_end
        r0 = 2
        .loc 1 3 4 is_stmt 0 discriminator 9
        r0 = 3
        .loc 0 0 4
        r0 = 4
        .text
        .loc 0 1000 1 is_stmt 1 basic_block isa 2
        exit
        .loc 0 1001 1 epilogue_begin
        .section xdp
        r0 = 5
        .loc 0 4000000000 1
        exit
    "#;
    let expected = [
        "xdp+0 a.c:7:0",
        "xdp+8 a.c:8:23 prologue_end",
        "xdp+16 b.h:3:4 inside discriminator 9",
        "xdp+24 a.c:0:4 inside",
        "xdp+40 a.c:4000000000:1",
        "xdp+48 end",
        ".text+0 a.c:1000:1 basic_block isa 2",
        ".text+8 end",
    ];
    for endian in [Endian::Little, Endian::Big] {
        assert_eq!(rows(&object(text, endian)), expected, "{endian:?}");
    }
}

#[test]
fn advances_of_any_size_are_found_again() {
    // Around the limits of special opcodes, of the fixed advance and of LEB128 numbers.
    let units = [1, 2, 16, 17, 18, 19, 33, 34, 35, 127, 128, 129, 255, 300];
    let lines = [-200, -6, -5, -4, -1, 0, 1, 7, 8, 9, 10, 63, 64, 65, 200];
    let mut text = String::from(".file 1 \"d\" \"a.c\"\n");
    let mut expected = Vec::new();
    let (mut line, mut offset) = (300_i64, 0);
    for (step, count) in units
        .iter()
        .flat_map(|units| lines.map(|line| (line, units)))
    {
        line += step;
        let _ = writeln!(text, ".loc 1 {line} 5");
        text.push_str(&"r0 = 0\n".repeat(*count));
        expected.push(format!(".text+{offset} a.c:{line}:5"));
        offset += 8 * count;
        line -= step;
        let _ = writeln!(text, ".loc 1 {line} 5\nr0 = 0");
        expected.push(format!(".text+{offset} a.c:{line}:5"));
        offset += 8;
    }
    expected.push(format!(".text+{offset} end"));
    assert_eq!(rows(&object(&text, Endian::Little)), expected);
}

const FRAMES: &str = r#"
    .cfi_sections .eh_frame, .debug_frame
    f:
    .cfi_startproc
    r0 = 1
    .cfi_def_cfa r10, 16
    .cfi_offset 6, -8
    exit
    .cfi_endproc
    g:
    .cfi_startproc
    .cfi_def_cfa_register 10
    .cfi_remember_state
    .cfi_def_cfa_offset 32
    r0 = 1
    .cfi_restore_state
    .cfi_adjust_cfa_offset 8
    exit
    .cfi_endproc
"#;

/// The rows of each frame.
fn frames<'a, S: UnwindSection<Slice<'a>>>(section: &S) -> Vec<String>
where
    S::Offset: gimli::UnwindOffset<usize>,
{
    let bases = BaseAddresses::default();
    let mut entries = section.entries(&bases);
    let mut found = Vec::new();
    let mut context = UnwindContext::new();
    while let Some(entry) = entries.next().expect("the entries are right") {
        let CieOrFde::Fde(partial) = entry else {
            continue;
        };
        let frame = partial
            .parse(S::cie_from_offset)
            .expect("the frame is right");
        let mut table = frame
            .rows(section, &bases, &mut context)
            .expect("the rows begin");
        while let Some(row) = table.next_row().expect("the steps are right") {
            let (start, end) = (row.start_address(), row.end_address());
            let (start, end) = (start & 0xffff_ffff, end & 0xffff_ffff);
            let saved: Vec<String> = row
                .registers()
                .map(|(register, rule)| format!("{} {rule:?}", register.0))
                .collect();
            found.push(format!("{start}..{end} {:?} {saved:?}", row.cfa()));
        }
    }
    found
}

#[test]
fn frames_are_what_cfi_said() {
    for endian in [Endian::Little, Endian::Big] {
        let object = object(FRAMES, endian);
        let bytes = loaded(&object, ".debug_frame");
        let mut debuggers = DebugFrame::new(&bytes, byte_order(endian));
        debuggers.set_address_size(8);
        let bytes = loaded(&object, ".eh_frame");
        let mut exceptions = EhFrame::new(&bytes, byte_order(endian));
        exceptions.set_address_size(8);
        let found = frames(&debuggers);
        assert_eq!(found, frames(&exceptions));
        let cfa = |register: u16, offset: i64| {
            format!("RegisterAndOffset {{ register: Register({register}), offset: {offset} }}")
        };
        let expected = [
            format!("0..8 {} []", cfa(0, 0)),
            format!("8..16 {} [\"6 Offset(-8)\"]", cfa(10, 16)),
            format!("16..24 {} []", cfa(10, 32)),
            format!("24..32 {} []", cfa(10, 8)),
        ];
        assert_eq!(found, expected);
    }
}
