//! Damaged files: nothing panics, nothing hangs, and what is read can be written and read again.

use std::path::PathBuf;

use bpf::btf::{Btf, BtfExt, ext};
use bpf::elf;
use bpf::insn::Endian;
use bpf::object::{Object, SectionId};
use libtest_mimic::Failed;

use crate::sample;

const OWN_CASES: u32 = 15_000;
/// Whole objects are large and this runs without optimisation.
const CASES_PER_OBJECT: u32 = 8;
/// What is read may take this many times the file's size.
const SIZE_FACTOR: usize = 16;

/// Marsaglia's xorshift: the cases are the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }
}

/// Small objects of either byte order; damage to one byte meets every field in time.
pub fn own() -> Result<(), Failed> {
    let mut read = 0;
    for endian in [Endian::Little, Endian::Big] {
        let bytes = elf::write(&sample::object(endian))?;
        let (btf, ext) = sample::types(endian);
        let (btf, ext) = (btf.to_bytes(), ext.to_bytes());
        for case in 0..OWN_CASES {
            let mut random = Random::new(case.into());
            read += u32::from(exercise(&damage(&bytes, &mut random))?);
            exercise_btf(
                &damage(&btf, &mut random),
                &damage(&ext, &mut random),
                endian,
                None,
            )?;
        }
    }
    // Damage that is always noticed would leave everything behind the reader untested.
    if read < OWN_CASES / 4 {
        return Err(format!("only {read} damaged files were read").into());
    }
    Ok(())
}

/// The corpus.
pub fn corpus(objects: &[(String, PathBuf)]) -> Result<(), Failed> {
    for (number, (name, path)) in objects.iter().enumerate() {
        let bytes = std::fs::read(path)?;
        for case in 0..CASES_PER_OBJECT {
            let mut random = Random::new(u64::from(case) << 32 | number as u64);
            exercise(&damage(&bytes, &mut random))
                .map_err(|failed| format!("{name}, case {case}: {failed:?}"))?;
        }
    }
    Ok(())
}

/// Overwrites bytes or words, and sometimes cuts the end off.
fn damage(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    const WORDS: [u32; 8] = [
        0,
        1,
        7,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0xff00,
        0x1000_0000,
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        // The header and the table at the end decide most.
        let at = match random.below(4) {
            0 => random.below(64.min(bytes.len())),
            1 => bytes.len() - 1 - random.below(2048.min(bytes.len())),
            _ => random.below(bytes.len()),
        };
        match random.below(3) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            _ => {
                let word = WORDS[random.below(WORDS.len())].to_le_bytes();
                for (byte, new) in bytes[at..].iter_mut().zip(word) {
                    *byte = new;
                }
            }
        }
    }
    if random.below(4) == 0 {
        bytes.truncate(random.below(bytes.len()).max(1));
    }
    bytes
}

/// Does with a file what a compiler does with it; says whether it could be read.
fn exercise(bytes: &[u8]) -> Result<bool, Failed> {
    let object = match elf::read(bytes) {
        Ok(object) => object,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Ok(false);
        }
    };
    if held(&object) > SIZE_FACTOR * bytes.len() {
        return Err(format!("{} bytes became {}", bytes.len(), held(&object)).into());
    }
    for function in object.functions() {
        let data = object.data(function.section);
        assert!(function.end() <= data.len() as u64, "{function:?}");
    }
    let written = elf::write(&object)?;
    if elf::read(&written)? != object {
        return Err("reads differently after writing".into());
    }
    for id in object.section_ids() {
        let mut less = object.clone();
        if less.remove_section(id).is_ok() && id.0 % 4 == 0 {
            elf::read(&elf::write(&less)?)?;
        }
    }
    let section = |name| {
        object
            .section_by_name(name)
            .map_or(&[][..], |id| object.data(id))
    };
    exercise_btf(
        section(".BTF"),
        section(".BTF.ext"),
        object.endian,
        Some(&object),
    )?;
    Ok(true)
}

fn exercise_btf(
    btf: &[u8],
    ext: &[u8],
    endian: Endian,
    object: Option<&Object>,
) -> Result<(), Failed> {
    let parsed = Btf::parse(btf, endian);
    if let Ok(parsed) = &parsed {
        if Btf::parse(&parsed.to_bytes(), endian)? != *parsed {
            return Err(".BTF reads differently after writing".into());
        }
        for (id, _) in parsed.iter() {
            assert!(parsed.resolve(id).is_some() || parsed.types.len() > 32);
            let _ends = (
                parsed.size_of(id),
                parsed.parameter_count(id),
                parsed.name(id),
            );
        }
    }
    if let Ok(ext) = BtfExt::parse(ext, endian) {
        if BtfExt::parse(&ext.to_bytes(), endian)? != ext {
            return Err(".BTF.ext reads differently after writing".into());
        }
        if let (Ok(btf), Some(object)) = (&parsed, object) {
            let mut object = object.clone();
            if ext::replace(&mut object, btf, &ext).is_ok() {
                elf::read(&elf::write(&object)?)?;
            }
        }
    }
    Ok(())
}

/// Bytes that an object holds, without the slack of its vectors.
fn held(object: &Object) -> usize {
    let section = |id: SectionId| {
        object.section(id).map_or(0, |section| {
            size_of_val(section)
                + section.name.len()
                + section.data().len()
                + size_of_val(section.relocations.as_slice())
        })
    };
    let symbol = |symbol: &bpf::object::Symbol| size_of_val(symbol) + symbol.name.len();
    object.section_ids().map(section).sum::<usize>()
        + object.symbols.iter().map(symbol).sum::<usize>()
}
