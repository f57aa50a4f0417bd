//! Random programs in MIR, for comparing what they do before and after passes.
//!
//! The lift makes one instruction of one, so that lifted code has few block parameters, no values
//! of 32 bits without their extension and no address that is computed far from its use. What is
//! made here has. A program consists of statements that mean something together (a packet's bounds
//! and its accesses, a look-up and its check, a run of stores to adjacent bytes, a loop with a
//! counter), since that is what passes look for, and it does nothing that the kernel's verifier
//! would refuse for its kind of memory: passes may draw on that.
//!
//! Everything ends: loops count to a constant, and functions call none that is made before them.
//! A program is at most [`FUEL`] statements for each function.

mod control;
mod maker;
mod maps;
mod memory;
mod numbers;
mod world;

pub use world::World;

use mir::Module;

use crate::packets::Random;
use maker::Maker;

/// Statements of a function, those of branches and loops included.
const FUEL: u64 = 36;

impl World {
    /// The program with this number; the same everywhere.
    #[must_use]
    pub fn program(&self, seed: u64, number: u64) -> Module {
        let mixed = Random::new(seed).next_u64() ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mut random = Random::new(mixed);
        let mut module = self.lifted.module.clone();
        let all: Vec<_> = module.functions.keys().collect();
        for func in all {
            let maker = Maker::new(self, &module.functions[func], random.clone());
            let fuel = 1 + random.below(FUEL);
            module.functions[func] = maker.function(fuel);
        }
        module
    }
}

#[cfg(test)]
mod tests {
    use bpf::insn::Endian;

    use super::World;

    #[test]
    fn programs_are_well_formed_and_always_the_same() {
        for endian in [Endian::Little, Endian::Big] {
            let world = World::new(endian).unwrap();
            for number in 0..200 {
                let module = world.program(1, number);
                if let Err(errors) = mir::verify::verify_module(&module) {
                    panic!("{errors:?}\n{module}");
                }
                assert_eq!(module.to_string(), world.program(1, number).to_string());
            }
            assert_ne!(
                world.program(1, 0).to_string(),
                world.program(2, 0).to_string()
            );
        }
    }
}
