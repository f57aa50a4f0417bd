//! A moment of each fuzzer in every test run: what fuzzers found first, then changes to texts,
//! objects and code that lie in this repository. The random numbers are the same in each run.
//!
//! `testsuite/fuzz` has the same properties for libFuzzer.

use std::path::{Path, PathBuf};

use testsuite::packets::Random;
use testsuite::properties;

/// Changed inputs of each kind.
const ROUNDS: usize = 1_500;
/// Seeds longer than this take too long for what they add.
const LONGEST: usize = 6_000;
/// Texts that matter to one of the readers.
const PIECES: [&str; 40] = [
    "\n",
    ";",
    ",",
    ":",
    "#",
    "/*",
    "*/",
    "\"",
    "\\",
    "(",
    ")",
    "r1",
    "w2",
    " = ",
    "+=",
    " ll",
    "goto ",
    "if ",
    "1b",
    "1f",
    "call ",
    ".L1",
    ".rept 3\n",
    ".endr\n",
    ".macro m a\n",
    ".endm\n",
    "m ",
    "\\a",
    "\\@",
    ".if ",
    ".else\n",
    ".endif\n",
    ".irp x,1,2\n",
    ".section a,\"axG\",@progbits,g\n",
    ".loc 1 2\n",
    ".cfi_startproc\n",
    ".uleb128 ",
    ".org ",
    "0x7fffffffffffffff",
    "\u{e9}",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Files below a folder with one of these endings, by name.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| {
            ending.is_empty() || path.extension().is_some_and(|found| found == *ending)
        }) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn contents(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    let read = paths.iter().filter_map(|path| std::fs::read(path).ok());
    read.filter(|bytes| bytes.len() <= LONGEST).collect()
}

fn found_before(name: &str, property: fn(&[u8])) {
    for path in files(&folder("fuzz/regressions").join(name), &[""]) {
        let bytes = std::fs::read(&path).expect("a file that was just listed");
        check(&bytes, property, &path.display().to_string());
    }
}

fn check(bytes: &[u8], property: fn(&[u8]), name: &str) {
    if std::panic::catch_unwind(|| property(bytes)).is_err() {
        panic!("{name}: {}", String::from_utf8_lossy(bytes));
    }
}

fn change(seeds: &[Vec<u8>], random: &mut Random, pieces: &[&[u8]]) -> Vec<u8> {
    let below = |random: &mut Random, bound: usize| random.below(bound.max(1) as u64) as usize;
    let mut bytes = seeds[below(random, seeds.len())].clone();
    for _ in 0..=below(random, 5) {
        let at = below(random, bytes.len() + 1).min(bytes.len());
        match below(random, 5) {
            0 => {
                let length = below(random, 16).min(bytes.len() - at);
                bytes.drain(at..at + length);
            }
            1 => {
                let piece = pieces[below(random, pieces.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            2 => {
                let other = &seeds[below(random, seeds.len())];
                let from = below(random, other.len());
                let to = (from + below(random, 60)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << below(random, 8);
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = below(random, 256) as u8;
                }
            }
        }
    }
    bytes
}

fn run(name: &str, seeds: &[Vec<u8>], pieces: &[&[u8]], property: fn(&[u8])) {
    found_before(name, property);
    assert!(seeds.len() > 3, "{name}: {} seeds", seeds.len());
    for seed in seeds {
        check(seed, property, name);
    }
    let mut random = Random::new(0x5eed);
    for _ in 0..ROUNDS {
        let bytes = change(seeds, &mut random, pieces);
        check(&bytes, property, name);
    }
}

#[test]
fn any_text() {
    let mut paths = files(&folder("filetests"), &["s"]);
    paths.extend(files(&folder("../frontend/tests"), &["s", "inc"]));
    let pieces = PIECES.map(str::as_bytes);
    run("assemble", &contents(&paths), &pieces, properties::text);
}

#[test]
fn any_object() {
    let texts = contents(&files(&folder("filetests"), &["s"]));
    let folders = ["filetests", "cases", "split", "../examples"];
    let paths = folders.map(|name| files(&folder(name), &["o"]));
    let mut seeds = contents(&paths.concat());
    seeds.extend(texts.iter().filter_map(|text| object_of(text)));
    let words: [&[u8]; 4] = [
        &[0; 8],
        &[0xff; 8],
        &[0, 0, 0, 0x80],
        &[1, 0, 0, 0, 0, 0, 0, 0],
    ];
    run("read_object", &seeds, &words, properties::object);
}

#[test]
fn any_code() {
    let texts = contents(&files(&folder("filetests"), &["s"]));
    let objects = texts.iter().filter_map(|text| object_of(text));
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for object in objects {
        let Ok(object) = bpf::elf::read(&object) else {
            continue;
        };
        for id in object.section_ids().filter(|id| object.is_executable(*id)) {
            seeds.push([&[0][..], object.data(id)].concat());
        }
    }
    let slots: [&[u8]; 4] = [
        &[0; 8],
        &[0x18; 8],
        &[0xdb; 8],
        &[0x05, 0, 0xff, 0xff, 0, 0, 0, 0],
    ];
    run("disassemble", &seeds, &slots, properties::code);
}

fn object_of(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let options = frontend::asm::AsmOptions::new(bpf::insn::Endian::Little);
    let assembled = frontend::asm::assemble(text, bpf::diagnostic::FileId(0), &options).ok()?;
    bpf::elf::write(&assembled.object).ok()
}
