//! An object's functions in MIR, ready to be interpreted: its maps, and what its symbols mean.

use bpf::interp::{Machine, Memory, Options};
use bpf::maps::MapDef;
use bpf::object::Object;
use bpf::program_type::ProgramType;
use mir::interp::Interpreter;
use mir::{Module, SymbolData, SymbolKind};

/// A module with the maps that its symbols name.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The functions.
    pub module: Module,
    /// Maps by number.
    pub maps: Vec<MapDef>,
    /// Functions that the lift refused, each with the reason.
    pub kept: Vec<(String, String)>,
    object: Option<Object>,
}

impl Linked {
    /// Lifts an object and reads its maps.
    ///
    /// # Errors
    /// The maps, or the lift's module, are not as they must be.
    pub fn from_object(object: &Object) -> Result<Linked, String> {
        let lifted = frontend::lift::lift_object(object);
        if let Err(groups) = mir::verify::verify_module(&lifted.module) {
            let errors: Vec<String> = groups
                .iter()
                .map(|(_, errors)| errors.to_string())
                .collect();
            return Err(format!("the lift is ill-formed: {}", errors.join("\n")));
        }
        let kept = lifted.functions.iter().filter_map(|function| {
            let reason = function.kept.as_ref()?;
            Some((function.range.name.clone(), reason.to_string()))
        });
        let kept = kept.collect();
        let maps = bpf::maps::definitions(object, lifted.btf.as_ref());
        let maps = maps.map_err(|error| error.to_string())?;
        Ok(Linked {
            module: lifted.module,
            maps,
            kept,
            object: Some(object.clone()),
        })
    }

    /// The object, if it came from one.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        self.object.as_ref()
    }

    /// A module by itself, whose maps are named like their symbols.
    #[must_use]
    pub fn from_module(module: Module, maps: Vec<MapDef>) -> Linked {
        Linked {
            module,
            maps,
            kept: Vec::new(),
            object: None,
        }
    }

    /// A machine with the maps.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn machine(&self, program_type: ProgramType, options: Options) -> Result<Machine, String> {
        let mut machine = Machine::new(self.module.endian, program_type, options);
        for map in &self.maps {
            machine.add_map(map).map_err(|fault| fault.to_string())?;
        }
        Ok(machine)
    }

    /// The number by which a program array names a function.
    ///
    /// # Errors
    /// There is no such function.
    pub fn function_number(&self, name: &str) -> Result<u32, String> {
        let found = self
            .module
            .functions
            .iter()
            .find(|(_, function)| function.name == name);
        found
            .map(|(id, _)| id.as_u32())
            .ok_or_else(|| format!("there is no function {name}"))
    }

    /// An interpreter of a module with the same symbols, such as this one after passes.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn interpreter<'module>(
        &self,
        module: &'module Module,
        machine: &mut Machine,
    ) -> Result<Interpreter<'module>, String> {
        let mut interpreter = Interpreter::new(module);
        if let Some(object) = &self.object {
            interpreter
                .bind_symbols(machine, object)
                .map_err(|fault| fault.to_string())?;
        }
        for (id, symbol) in &module.symbols {
            if let Some(address) = self.address(symbol) {
                interpreter.set_symbol(id, address);
            }
        }
        for func in module.functions.keys() {
            interpreter.set_program(func.as_u32(), func);
        }
        Ok(interpreter)
    }

    /// The address of a symbol that has no place in the object.
    fn address(&self, symbol: &SymbolData) -> Option<u64> {
        match symbol.kind {
            // A weak one that no kernel has.
            SymbolKind::Extern => Some(0),
            // Text names its maps.
            SymbolKind::Map if self.object.is_none() => {
                let number = self.maps.iter().position(|map| map.name == symbol.name)?;
                Some(Memory::map_address(u32::try_from(number).ok()?))
            }
            // A constant with a CO-RE record, as it is before relocation.
            SymbolKind::Other if symbol.pseudo == 0 && symbol.object_symbol.is_none() => {
                Some(symbol.imm)
            }
            _ => None,
        }
    }
}
