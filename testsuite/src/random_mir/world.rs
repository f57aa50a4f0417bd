//! What random programs live in: an object with a program, a function that it calls, and maps.
//!
//! The object is assembled, so that what random functions are put in the place of has symbols,
//! relocations and map definitions, and the finished code can be linked and lifted again.

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::maps::MapDef;
use bpf::object::Object;
use bpfmill::compile;
use bpfmill::linked::Linked;
use frontend::asm::{AsmOptions, assemble};
use frontend::lift::{LiftedObject, lift_object};
use mir::{Module, Symbol};
use passes::Maps;

/// Names every map and the data once, so that the module has symbols for them. Map types are array,
/// hash and per-CPU array.
const TEXT: &str = "
	.section	xdp,\"ax\",@progbits
	.globl	main
	.type	main,@function
main:
	r0 = *(u32 *)(r1 + 0)
	r1 = table ll
	r1 = hash ll
	r1 = percpu ll
	r1 = 1
	r2 = 2
	call helping
	r0 = 2
	exit
	.size	main, .-main

	.section	.text,\"ax\",@progbits
	.type	helping,@function
helping:
	r0 = r1
	r0 += r2
	exit
	.size	helping, .-helping

	.section	maps,\"aw\",@progbits
	.globl	table
	.type	table,@object
table:
	.long	2, 4, 32, 8, 0
	.size	table, 20
	.globl	hash
	.type	hash,@object
hash:
	.long	1, 4, 24, 64, 0
	.size	hash, 20
	.globl	percpu
	.type	percpu,@object
percpu:
	.long	6, 4, 16, 4, 0
	.size	percpu, 20

	.section	license,\"aw\",@progbits
	.asciz	\"GPL\"
";

/// The object, and what is known of it.
#[derive(Clone, Debug)]
pub struct World {
    /// The object.
    pub object: Object,
    /// Its functions.
    pub lifted: LiftedObject,
    /// Its maps by symbol.
    pub maps: Maps,
    linked: Linked,
}

impl World {
    /// That for a byte order.
    ///
    /// # Errors
    /// The object is not as it should be: a defect of the assembler or the lift.
    pub fn new(endian: Endian) -> Result<World, String> {
        let assembled = assemble(TEXT, FileId(0), &AsmOptions::new(endian));
        let object = assembled.map_err(|error| format!("{error:?}"))?.object;
        let lifted = lift_object(&object);
        let maps = compile::maps_of(&object, &lifted);
        if maps.len() != 3 {
            return Err(format!("{} maps of 3 are known", maps.len()));
        }
        Ok(World {
            linked: Linked::from_object(&object)?,
            object,
            lifted,
            maps,
        })
    }

    /// A program of this world, ready to run.
    #[must_use]
    pub fn linked(&self, module: Module) -> Linked {
        let mut linked = self.linked.clone();
        linked.module = module;
        linked
    }

    /// One of the maps.
    pub(super) fn map(&self, number: u64) -> Option<(Symbol, &MapDef)> {
        let index = number as usize % self.maps.len().max(1);
        let (symbol, map) = self.maps.iter().nth(index)?;
        Some((*symbol, map))
    }
}
