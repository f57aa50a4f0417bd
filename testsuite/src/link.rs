//! Machines with what a program's fixture puts into its maps.

use bpf::interp::{Machine, Options};
use bpf::program_type::ProgramType;

pub use bpfmill::linked::Linked;

use crate::fixture::{Fixture, Value};

/// A machine with the maps, and the fixture's entries in them.
///
/// # Errors
/// Memory runs out, or an entry does not fit.
pub fn machine(
    linked: &Linked,
    program_type: ProgramType,
    options: Options,
    fixture: &Fixture,
) -> Result<Machine, String> {
    let mut machine = linked.machine(program_type, options)?;
    for entry in &fixture.entries {
        let number = linked.maps.iter().position(|map| map.name == entry.map);
        let number = number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| format!("the fixture's map {} is not there", entry.map))?;
        match &entry.value {
            Value::Program(name) => {
                let target = linked.function_number(name)?;
                machine.map_link(number, &entry.key, target);
            }
            Value::Bytes(value) => {
                let stored = machine
                    .map_update(number, &entry.key, value)
                    .map_err(|fault| fault.to_string())?;
                if !stored {
                    return Err(format!("map {} refuses an entry", entry.map));
                }
            }
        }
    }
    Ok(machine)
}
