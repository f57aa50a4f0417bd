//! Fills maps before runs, and reads them after.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::{MapCore, MapFlags, MapType, Object};

use crate::fixture::{Fixture, Value};
use crate::packets::Random;

/// Entries given to hash maps and tries that no fixture fills.
const HASH_ENTRIES: u32 = 4;
/// Elements given to arrays that no fixture fills.
const ARRAY_ENTRIES: u32 = 256;
/// Elements read of one map.
const MAX_READ: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Array,
    Hash,
    Prefixes,
}

fn shape(kind: MapType) -> Option<(Shape, bool)> {
    Some(match kind {
        MapType::Array => (Shape::Array, false),
        MapType::PercpuArray => (Shape::Array, true),
        MapType::Hash | MapType::LruHash => (Shape::Hash, false),
        MapType::PercpuHash | MapType::LruPercpuHash => (Shape::Hash, true),
        MapType::LpmTrie => (Shape::Prefixes, false),
        _ => return None,
    })
}

/// Stores the fixture's entries and, with `seeded`, in maps that it does not mention, values which
/// depend on the map's name alone. Data sections that it does not mention keep what the object gave
/// them.
///
/// # Errors
/// An entry of the fixture which the kernel does not take.
pub fn fill(object: &Object, fixture: &Fixture, seeded: bool) -> Result<(), String> {
    for map in object.maps() {
        let name = map.name().to_string_lossy().into_owned();
        let mut mentioned = false;
        for entry in fixture.entries.iter().filter(|entry| entry.map == name) {
            mentioned = true;
            let value = match &entry.value {
                Value::Bytes(bytes) => bytes.clone(),
                Value::Program(function) => program_descriptor(object, function)?,
            };
            map.update(&entry.key, &value, MapFlags::ANY)
                .map_err(|error| format!("fixture of map {name}: {error}"))?;
        }
        if seeded
            && !mentioned
            && !name.contains('.')
            && let Some((shape, per_cpu)) = shape(map.map_type())
        {
            seed(&map, &name, shape, per_cpu);
        }
    }
    Ok(())
}

fn program_descriptor(object: &Object, function: &str) -> Result<Vec<u8>, String> {
    let program = object
        .progs()
        .find(|program| program.name() == function)
        .ok_or_else(|| format!("fixture names a program which is not there: {function}"))?;
    Ok(program.as_fd().as_raw_fd().to_ne_bytes().to_vec())
}

fn seed(map: &impl MapCore, name: &str, shape: Shape, per_cpu: bool) {
    let seed = name
        .bytes()
        .fold(1, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(byte));
    let mut random = Random::new(seed);
    let key_size = usize::try_from(map.key_size()).unwrap_or(0);
    let value_size = usize::try_from(map.value_size()).unwrap_or(0);
    let entries = match shape {
        Shape::Array => map.max_entries().min(ARRAY_ENTRIES),
        Shape::Hash | Shape::Prefixes => map.max_entries().min(HASH_ENTRIES),
    };
    for index in 0..entries {
        let mut key: Vec<u8> = random.bytes(key_size).iter().map(|byte| byte & 3).collect();
        if shape != Shape::Hash && key_size >= 4 {
            // An array's index; or a prefix's length in bits, which is no longer than the address.
            let bits = u32::try_from((key_size - 4) * 8).unwrap_or(0);
            let first = if shape == Shape::Array {
                index
            } else {
                (index * 8).min(bits)
            };
            key[..4].copy_from_slice(&first.to_ne_bytes());
        }
        let value: Vec<u8> = (0..value_size)
            .map(|at| (random.bytes(1)[0] & 15) * u8::from(at % 4 == 0))
            .collect();
        // A map may be read-only or frozen: then it stays as it is, before and after alike.
        let _refused = if per_cpu {
            let copies = libbpf_rs::num_possible_cpus().unwrap_or(1);
            map.update_percpu(&key, &vec![value; copies], MapFlags::ANY)
        } else {
            map.update(&key, &value, MapFlags::ANY)
        };
    }
}

/// The contents of every map that can be read: by map name and key, without zero elements.
#[must_use]
pub fn read(object: &Object) -> BTreeMap<(String, Vec<u8>), Vec<u8>> {
    let mut contents = BTreeMap::new();
    for map in object.maps() {
        let Some((_, per_cpu)) = shape(map.map_type()) else {
            continue;
        };
        let name = map.name().to_string_lossy().into_owned();
        for key in map.keys().take(MAX_READ) {
            let value = if per_cpu {
                map.lookup_percpu(&key, MapFlags::ANY)
                    .map(|copies| copies.map(|copies| copies.concat()))
            } else {
                map.lookup(&key, MapFlags::ANY)
            };
            if let Ok(Some(value)) = value
                && value.iter().any(|byte| *byte != 0)
            {
                contents.insert((name.clone(), key), value);
            }
        }
    }
    contents
}
