//! Constants of 64 bits: numbers, maps, their values, functions.
//!
//! Constant time each.

use bpf::btf::ext::CoreRelocationKind;
use bpf::insn::{AluOp, Insn, Operand, Reg};

use super::Walker;
use crate::program::Meaning;
use crate::state::{Kind, Register};
use crate::stop::{Check, gap, refuse};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn load_constant(&mut self, dst: bpf::insn::Reg, imm: u64) -> Check {
        self.check_writable(dst)?;
        let register = match &self.program.ops[self.insn].meaning {
            Meaning::Plain => Register::constant(imm),
            Meaning::Map(id) => {
                Register::pointer(Kind::MapPtr(crate::state::MapRef { id: *id, uid: 0 }))
            }
            Meaning::MapValue(id, offset) => {
                let map = self.program.map(*id);
                if *offset >= map.def.value_size {
                    return refuse(
                        Rule::BadConstant,
                        format!(
                            "invalid access to map value pointer, value_size={} off={offset}",
                            map.def.value_size
                        ),
                    );
                }
                Register {
                    offset: i32::try_from(*offset).unwrap_or(i32::MAX),
                    ..Register::pointer(Kind::MapValue {
                        map: crate::state::MapRef { id: *id, uid: 0 },
                        nullable: false,
                    })
                }
            }
            Meaning::Function(function) => self.function_address(*function)?,
            Meaning::Ksym(_) => return gap("address of a kernel symbol"),
            Meaning::Kfunc(_) | Meaning::Unresolved => {
                return gap("a constant whose symbol is not known");
            }
        };
        self.set(dst.0, register);
        Ok(())
    }

    fn function_address(&self, function: usize) -> Check<Register> {
        if !self.program.has_func_info {
            return refuse(Rule::FunctionType, "missing btf func_info");
        }
        if self.program.subprograms[function].global {
            return refuse(Rule::FunctionType, "callback function not static");
        }
        if function == 0 {
            return refuse(
                Rule::FunctionType,
                "callback function cannot be the main program",
            );
        }
        Ok(Register::pointer(Kind::Function(function as u32)))
    }

    /// A constant that depends on the running kernel's types is taken as it stands, unless it is
    /// `replaced` in this register and loaders decide.
    pub(super) fn meet_relocation(
        &mut self,
        relocation: Option<CoreRelocationKind>,
        replaced: Option<Reg>,
    ) -> Check {
        match (relocation, replaced) {
            // Ids of the program's own types are what they are.
            (None | Some(CoreRelocationKind::TypeIdLocal), _) => {}
            (Some(_), Some(dst)) if self.options.loader_decides => {
                self.set(dst.0, Register::UNKNOWN);
            }
            (Some(CoreRelocationKind::FieldLeftShift | CoreRelocationKind::FieldRightShift), _) => {
                return gap("a bit field that the loader relocates (CO-RE)");
            }
            (Some(_), _) => self.assume("a constant that the loader relocates (CO-RE)"),
        }
        Ok(())
    }
}

/// The register that becomes a constant and nothing else.
pub(super) fn replaced(insn: &Insn) -> Option<Reg> {
    match *insn {
        Insn::Alu {
            op: AluOp::Mov,
            dst,
            src: Operand::Imm(_),
            ..
        } => Some(dst),
        _ => None,
    }
}
