//! A world made up for programs that are run to be compared: map elements that nobody stored, and
//! results of helpers that are not modelled.
//!
//! All of it follows from a seed and from what is asked, so that two forms of a program that ask
//! the same get the same. An element is made up at the first look-up of a key that the program has
//! neither stored nor deleted; so a later deletion holds, as in a real map. An element that is left
//! as it was made up is no result of the program and is not among a map's contents.

use std::collections::BTreeMap;

use crate::helpers::{Helper, ReturnKind};
use crate::maps::MapKind;

use super::fault::Fault;
use super::machine::Machine;

/// Elements made up for one map; enough for every lookup of a program, far below what fills memory.
const MAX_ELEMENTS: usize = 64;

/// What was made up so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Invented {
    /// Keys that were looked up, stored or deleted, by map: with the value that was made up, if one
    /// was.
    known: BTreeMap<(u32, Vec<u8>), Option<Vec<u8>>>,
    /// Calls of each helper that is not modelled.
    calls: BTreeMap<u32, u64>,
}

/// `splitmix64` over the parts: numbers that depend on nothing else.
fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |state, part| {
        let mut mixed = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

fn digest(bytes: &[u8]) -> u64 {
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    mix(&words.collect::<Vec<u64>>())
}

/// Made-up bytes: many small numbers among them, since those are what programs branch on.
fn bytes(seed: u64, size: usize) -> Vec<u8> {
    let style = mix(&[seed, 1]) % 3;
    (0..size as u64)
        .map(|at| {
            let byte = mix(&[seed, 2, at]).to_le_bytes()[0];
            match style {
                0 => 0,
                1 if at % 4 != 0 => 0,
                1 => byte & 7,
                _ => byte,
            }
        })
        .collect()
}

impl Machine {
    /// Makes an element up, if this is the first that is heard of its key.
    ///
    /// # Errors
    /// When memory runs out.
    pub(super) fn invent_element(&mut self, map: u32, key: &[u8]) -> Result<(), Fault> {
        let Some(seed) = self.options.invent else {
            return Ok(());
        };
        let place = (map, key.to_vec());
        if self.invented.known.contains_key(&place) {
            return Ok(());
        }
        let endian = self.memory.endian();
        let Some(target) = self.maps.get_mut(map as usize) else {
            return Ok(());
        };
        let array = matches!(target.def.kind, MapKind::Array | MapKind::PercpuArray);
        let keyed = matches!(
            target.def.kind,
            MapKind::Hash
                | MapKind::LruHash
                | MapKind::PercpuHash
                | MapKind::LruPercpuHash
                | MapKind::LpmTrie
        );
        let room = self.invented.known.len() < MAX_ELEMENTS;
        let absent = !target.has_element(key, endian) && target.def.data.is_none();
        let seed = mix(&[seed, map.into(), digest(key)]);
        let wanted = array || keyed && seed & 1 == 1;
        let mut made = None;
        if wanted && room && absent {
            let value = bytes(seed, target.def.value_size as usize);
            if target.update(&mut self.memory, key, &value, 0)? == 0 {
                made = Some(value);
            }
        }
        self.invented.known.insert(place, made);
        Ok(())
    }

    /// The program stores or deletes an element: what is in the map is its own from now on.
    pub(super) fn note_own_element(&mut self, map: u32, key: &[u8]) {
        if self.options.invent.is_some() {
            self.invented.known.entry((map, key.to_vec())).or_default();
        }
    }

    /// Whether an element is as it was made up.
    pub(super) fn is_invented(&self, map: u32, key: &[u8], value: &[u8]) -> bool {
        let place = (map, key.to_vec());
        let made = self.invented.known.get(&place).and_then(Option::as_deref);
        made == Some(value)
    }

    /// A result for a helper that is not modelled: nothing where it gives a pointer, else success,
    /// an error, or some number.
    pub(super) fn invent_result(&mut self, helper: &Helper) -> Option<u64> {
        let seed = self.options.invent?;
        if helper.returns != ReturnKind::Integer {
            return (helper.returns_null || helper.returns == ReturnKind::Void).then_some(0);
        }
        let calls = self.invented.calls.entry(helper.id).or_default();
        let seed = mix(&[seed, helper.id.into(), *calls]);
        *calls += 1;
        Some(match seed % 4 {
            0 | 1 => 0,
            2 => (-22i64).cast_unsigned(),
            _ => seed >> 40,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::insn::Endian;
    use crate::interp::{Machine, Options};
    use crate::maps::{MapDef, MapKind};
    use crate::program_type::ProgramType;

    #[test]
    fn elements_follow_from_the_seed_and_are_no_contents() {
        let machine = |seed| {
            let options = Options {
                invent: Some(seed),
                ..Options::default()
            };
            let mut machine = Machine::new(Endian::Little, ProgramType::Xdp, options);
            machine
                .add_map(&MapDef::new("m", MapKind::Hash, 4, 8, 64))
                .unwrap();
            machine
        };
        let found = |seed: u64| {
            let mut machine = machine(seed);
            let mut found = Vec::new();
            for key in 0..16u32 {
                machine.invent_element(0, &key.to_le_bytes()).unwrap();
                found.push(machine.maps()[0].contains(&key.to_le_bytes(), Endian::Little));
            }
            assert!(machine.map_contents(0).is_empty());
            found
        };
        assert_eq!(found(1), found(1));
        assert_ne!(found(1), found(2));
        assert!(found(1).contains(&true) && found(1).contains(&false));
        let mut own = machine(1);
        own.note_own_element(0, &[0; 4]);
        own.invent_element(0, &[0; 4]).unwrap();
        assert!(!own.maps()[0].contains(&[0; 4], Endian::Little));
    }
}
