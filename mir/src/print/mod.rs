//! Module, functions and instructions as text.
//!
//! The text says everything that the tables say, and [`crate::parse`] reads it back; for a
//! well-formed module print → parse → print is a fixed point, numbers included. `docs/mir.md` has
//! the grammar.
//!
//! ```
//! use mir::{Cursor, Function, Type, print};
//! let mut func = Function::new("two");
//! let block = func.append_new_block();
//! let mut cursor = Cursor::at_end(&mut func, block);
//! let two = cursor.ins().iconst(Type::I64, 2);
//! cursor.ins().return_(two);
//! assert_eq!(
//!     print::function(&func).to_string(),
//!     "function \"two\" section \"\" params 0 {\n\
//!      block0:\n    v0 = iconst.i64 2\n    return v0\n}\n"
//! );
//! ```
//!
//! Two things are for people only: [`FunctionPrinter::without_attributes`] leaves out source
//! positions and origins, and [`Function::compacted`] renumbers blocks and values in order of
//! appearance, so that a difference of two texts shows what a pass did and not how it counted.

mod inst;
pub(crate) mod words;

use crate::entity::{Block, Func, Inst};
use crate::function::Function;
use crate::module::{CoreRelocation, ExternalData, Location, Module, SymbolData, SymbolKind};
use std::fmt::{self, Display, Formatter};
use words::Quoted;

/// How to print a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionPrinter<'a> {
    func: &'a Function,
    id: Option<Func>,
    attributes: bool,
}

/// A function on its own, without its number.
#[must_use]
pub fn function(func: &Function) -> FunctionPrinter<'_> {
    FunctionPrinter {
        func,
        id: None,
        attributes: true,
    }
}

/// An instruction with its result, without attributes.
#[must_use]
pub fn inst(func: &Function, inst: Inst) -> impl Display + '_ {
    inst::InstPrinter { func, inst }
}

impl FunctionPrinter<'_> {
    /// Prints the function's number too, as a module does.
    #[must_use]
    pub fn with_id(mut self, id: Func) -> Self {
        self.id = Some(id);
        self
    }

    /// Leaves out source positions and origins; CO-RE records stay.
    #[must_use]
    pub fn without_attributes(mut self) -> Self {
        self.attributes = false;
        self
    }

    /// What stands before the body.
    pub(crate) fn fmt_header(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let func = self.func;
        f.write_str(if func.is_declaration() {
            "declare"
        } else {
            "function"
        })?;
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        let (name, section) = (Quoted(&func.name), Quoted(&func.section));
        write!(f, " {name} section {section}")?;
        if func.global {
            f.write_str(" global")?;
        }
        write!(f, " params {}", func.parameter_count)
    }

    pub(crate) fn fmt_block_header(&self, block: Block, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{block}")?;
        for (index, &param) in self.func.dfg.block_params(block).iter().enumerate() {
            let separator = if index == 0 { "(" } else { ", " };
            write!(f, "{separator}{param}: {}", self.func.dfg.value_type(param))?;
        }
        if !self.func.dfg.block_params(block).is_empty() {
            f.write_str(")")?;
        }
        f.write_str(":\n")
    }

    pub(crate) fn fmt_inst(&self, inst: Inst, f: &mut Formatter<'_>) -> fmt::Result {
        let func = self.func;
        write!(f, "    {}", inst::InstPrinter { func, inst })?;
        if self.attributes {
            if let Some(location) = func.locations[inst].expand() {
                write!(f, " !{location}")?;
            }
            if let Some(slot) = func.origins[inst].checked_sub(1) {
                write!(f, " !from {slot}")?;
            }
        }
        if let Some(relo) = func.core_relos[inst].expand() {
            write!(f, " !{relo}")?;
        }
        f.write_str("\n")
    }
}

impl Display for FunctionPrinter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_header(f)?;
        if self.func.is_declaration() {
            return f.write_str("\n");
        }
        f.write_str(" {\n")?;
        for block in self.func.layout.blocks() {
            self.fmt_block_header(block, f)?;
            for inst in self.func.layout.insts(block) {
                self.fmt_inst(inst, f)?;
            }
        }
        f.write_str("}\n")
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        function(self).fmt(f)
    }
}

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "module {}", words::endian(self.endian))?;
        let mut tables = [
            !self.symbols.is_empty(),
            !self.externals.is_empty(),
            !self.locations.is_empty(),
            !self.core_relos.is_empty(),
        ]
        .into_iter();
        let mut gap = |f: &mut Formatter<'_>| match tables.next() {
            Some(true) => f.write_str("\n"),
            _ => Ok(()),
        };
        gap(f)?;
        for (id, symbol) in &self.symbols {
            writeln!(f, "symbol {id} = {symbol}")?;
        }
        gap(f)?;
        for (id, external) in &self.externals {
            writeln!(f, "external {id} = {external}")?;
        }
        gap(f)?;
        for (id, location) in &self.locations {
            writeln!(f, "location {id} = {location}")?;
        }
        gap(f)?;
        for (id, relo) in &self.core_relos {
            writeln!(f, "relo {id} = {relo}")?;
        }
        for (id, func) in &self.functions {
            write!(f, "\n{}", function(func).with_id(id))?;
        }
        Ok(())
    }
}

impl Display for SymbolData {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(words::symbol_kind(self.kind))?;
        if let SymbolKind::Function(func) = self.kind {
            write!(f, " {func}")?;
        }
        write!(f, " {}", Quoted(&self.name))?;
        if let Some(index) = self.object_symbol {
            write!(f, " object {index}")?;
        }
        write!(f, " pseudo {} imm {:#x}", self.pseudo, self.imm)
    }
}

impl Display for ExternalData {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Quoted(&self.name))?;
        if let Some(index) = self.object_symbol {
            write!(f, " object {index}")?;
        }
        write!(
            f,
            " pseudo {} offset {} imm {} params {}",
            self.pseudo, self.offset, self.imm, self.parameter_count
        )
    }
}

impl Display for Location {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "file {} text {} line {}:{}",
            self.file,
            self.text,
            self.line(),
            self.column()
        )
    }
}

impl Display for CoreRelocation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "type {} access {} kind {}",
            self.type_id, self.access, self.kind
        )
    }
}
