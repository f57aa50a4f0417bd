//! Relocations and pseudo sources to MIR symbols, functions and externals.
//!
//! The facts are those of libbpf's relocation code: a call's target is
//! `symbol value + (imm + 1) * 8` in the symbol's section; `ld_imm64` of a function names
//! `symbol value + imm`. Equal references become one MIR symbol, so that passes can compare them.

use super::LiftError;
use super::blocks::{Bytecode, Meaning};
use bpf::btf::Btf;
use bpf::insn::{CallTarget, Insn};
use bpf::object::{
    FunctionRange, Object, Relocation, STT_SECTION, SectionId, Symbol as ElfSymbol, SymbolPlace,
};
use cranelift_entity::EntityRef;
use mir::{External, ExternalData, Func, Module, Symbol, SymbolData, SymbolKind};
use std::collections::BTreeMap;

/// Compilers before LLVM 4 wrote this type for map references; loaders never look at it.
const R_BPF_NONE: u32 = 0;
const R_BPF_64_64: u32 = 1;
const R_BPF_64_32: u32 = 10;
const PSEUDO_FUNC: u8 = 4;

/// Resolves the references of functions, remembering what it has made.
pub(super) struct Resolver<'a> {
    object: &'a Object,
    btf: Option<&'a Btf>,
    starts: BTreeMap<(SectionId, u64), Func>,
    symbols: BTreeMap<SymbolData, Symbol>,
    externals: BTreeMap<(Option<u32>, u8, i32), External>,
    relocations: BTreeMap<(SectionId, u64), Relocation>,
}

impl<'a> Resolver<'a> {
    pub fn new(object: &'a Object, ranges: &[FunctionRange], btf: Option<&'a Btf>) -> Self {
        let starts = ranges
            .iter()
            .enumerate()
            .map(|(index, range)| ((range.section, range.offset), Func::new(index)))
            .collect();
        let relocations = object
            .section_ids()
            .filter(|&id| object.is_executable(id))
            .flat_map(|id| {
                let list = object
                    .section(id)
                    .map_or(&[][..], |section| &section.relocations);
                list.iter()
                    .map(move |relocation| ((id, relocation.offset), *relocation))
            })
            .collect();
        Resolver {
            object,
            btf,
            starts,
            symbols: BTreeMap::new(),
            externals: BTreeMap::new(),
            relocations,
        }
    }

    /// Gives each item of a function its meaning.
    pub fn resolve(
        &mut self,
        module: &mut Module,
        range: &FunctionRange,
        code: &mut Bytecode,
    ) -> Result<(), LiftError> {
        for item in &mut code.items {
            let offset = range.offset + u64::from(item.slot) * 8;
            let relocation = self.relocations.get(&(range.section, offset)).copied();
            let unknown = |kind| LiftError::Relocation {
                slot: item.slot,
                kind,
            };
            item.meaning = match (item.insn, relocation) {
                (Insn::LoadImm64 { pseudo, imm, .. }, Some(found)) => {
                    if !matches!(found.kind, R_BPF_NONE | R_BPF_64_64)
                        || found.addend.is_some_and(|addend| addend != 0)
                    {
                        return Err(unknown(found.kind));
                    }
                    let data = self
                        .reference(found, pseudo.0, imm)
                        .ok_or(LiftError::CallTarget { slot: item.slot })?;
                    Meaning::Symbol(self.symbol(module, data))
                }
                (Insn::LoadImm64 { pseudo, imm, .. }, None) if pseudo.0 != 0 => {
                    if pseudo.0 == PSEUDO_FUNC {
                        return Err(LiftError::CallTarget { slot: item.slot });
                    }
                    let data = SymbolData {
                        name: format!("pseudo{}", pseudo.0),
                        kind: SymbolKind::Other,
                        object_symbol: None,
                        pseudo: pseudo.0,
                        imm,
                    };
                    Meaning::Symbol(self.symbol(module, data))
                }
                (Insn::Call { target }, Some(found)) => {
                    if found.kind != R_BPF_64_32 || found.addend.is_some_and(|addend| addend != 0) {
                        return Err(unknown(found.kind));
                    }
                    self.call(module, found, target)
                        .ok_or(LiftError::CallTarget { slot: item.slot })?
                }
                (
                    Insn::Call {
                        target: CallTarget::Subprogram(distance),
                    },
                    None,
                ) => {
                    let target = i64::from(item.slot) + 1 + i64::from(distance);
                    let byte = (range.offset as i64).checked_add(target * 8);
                    let func = byte
                        .and_then(|byte| u64::try_from(byte).ok())
                        .and_then(|byte| self.starts.get(&(range.section, byte)).copied());
                    Meaning::Function(func.ok_or(LiftError::CallTarget { slot: item.slot })?)
                }
                (
                    Insn::Call {
                        target: CallTarget::Kfunc(id),
                    },
                    None,
                ) => Meaning::External(self.external(module, None, 2, id)),
                (_, Some(found)) => return Err(unknown(found.kind)),
                (_, None) => Meaning::Plain,
            };
        }
        Ok(())
    }

    fn reference(&self, relocation: Relocation, pseudo: u8, imm: u64) -> Option<SymbolData> {
        let symbol = self.object.symbol(relocation.symbol)?;
        let kind = match symbol.place {
            SymbolPlace::Section(section) if self.object.is_executable(section) => {
                let at = symbol.value.checked_add(imm)?;
                SymbolKind::Function(*self.starts.get(&(section, at))?)
            }
            SymbolPlace::Section(section) => match self.object.section(section) {
                Some(section) if section.name == ".maps" || section.name == "maps" => {
                    SymbolKind::Map
                }
                _ => SymbolKind::Data,
            },
            SymbolPlace::Undefined => SymbolKind::Extern,
            SymbolPlace::Absolute | SymbolPlace::Common | SymbolPlace::Reserved(_) => {
                SymbolKind::Other
            }
        };
        Some(SymbolData {
            name: self.name(symbol),
            kind,
            object_symbol: Some(relocation.symbol.0),
            pseudo,
            imm,
        })
    }

    fn name(&self, symbol: &ElfSymbol) -> String {
        match symbol.section() {
            Some(section) if symbol.kind == STT_SECTION => self
                .object
                .section(section)
                .map_or_else(String::new, |section| section.name.clone()),
            _ => symbol.name.clone(),
        }
    }

    fn symbol(&mut self, module: &mut Module, data: SymbolData) -> Symbol {
        *self
            .symbols
            .entry(data.clone())
            .or_insert_with(|| module.symbols.push(data))
    }

    fn call(
        &mut self,
        module: &mut Module,
        relocation: Relocation,
        target: CallTarget,
    ) -> Option<Meaning> {
        let symbol = self.object.symbol(relocation.symbol)?;
        let (pseudo, imm) = match target {
            CallTarget::Helper(imm) => (0, imm),
            CallTarget::Subprogram(imm) => (1, imm),
            CallTarget::Kfunc(imm) => (2, imm),
        };
        match symbol.place {
            SymbolPlace::Section(section) => {
                let at = i64::try_from(symbol.value)
                    .ok()?
                    .checked_add((i64::from(imm) + 1) * 8)?;
                let func = self.starts.get(&(section, u64::try_from(at).ok()?))?;
                Some(Meaning::Function(*func))
            }
            SymbolPlace::Undefined => Some(Meaning::External(self.external(
                module,
                Some(relocation.symbol.0),
                pseudo,
                imm,
            ))),
            SymbolPlace::Absolute | SymbolPlace::Common | SymbolPlace::Reserved(_) => None,
        }
    }

    fn external(
        &mut self,
        module: &mut Module,
        object_symbol: Option<u32>,
        pseudo: u8,
        imm: i32,
    ) -> External {
        let (object, btf) = (self.object, self.btf);
        *self
            .externals
            .entry((object_symbol, pseudo, imm))
            .or_insert_with(|| {
                let name = object_symbol
                    .and_then(|index| object.symbols.get(index as usize))
                    .map_or_else(|| format!("btf_id_{imm}"), |symbol| symbol.name.clone());
                let parameters = btf
                    .and_then(|btf| btf.parameter_count(btf.function(&name)?))
                    .map_or(5, |count| count.min(5));
                module.externals.push(ExternalData {
                    name,
                    object_symbol,
                    pseudo,
                    offset: 0,
                    imm,
                    parameter_count: parameters as u8,
                })
            })
    }
}
