//! Versions of symbols: `.symver name, name@VERSION`.
//!
//! The second name becomes a symbol of its own for the same place. Where the first one is not defined
//! here, or `remove` asks for it, the new name also takes its place in relocations, and the old one is
//! in no table. `@@` is the default version, which only a definition can be; `@@@` is `@@` for a
//! definition and `@` otherwise.
//!
//! What is defined is known at the end, so the directive only takes notes. Cost: constant for each.

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::{Directive, NameId, Node, Spanned};
use super::symbols::{Definition, SymbolIndex};

/// What `.symver` says.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    symbol: SymbolIndex,
    name: Spanned<NameId>,
    /// Whether the first name goes.
    removes: bool,
}

impl Assembler<'_> {
    /// `.symver symbol, name@VERSION[, remove]`
    pub fn symbol_version(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 3)?;
        let symbol = self.symbol(directive, 0)?;
        let name = self.symbol(directive, 1)?;
        if !self.arena.name(name.value).contains('@') {
            return Err(Diagnostic::error("a version follows a name and `@`")
                .with_primary(name.span, "such as `name@VERSION`"));
        }
        let asks = directive.operands.len() > 2;
        if asks {
            let word = self.symbol(directive, 2)?;
            if self.arena.name(word.value) != "remove" {
                return Err(Diagnostic::error("the third operand can only be `remove`")
                    .with_primary(word.span, "this is something else"));
            }
        }
        // What is one name or another is not two.
        let removes = asks || self.arena.name(name.value).contains("@@@");
        let symbol = self.named(symbol.value);
        self.versions.push(Version {
            symbol,
            name,
            removes,
        });
        Ok(())
    }

    /// Makes the symbols that versions name, when all others are known.
    pub fn make_versions(&mut self) {
        for version in std::mem::take(&mut self.versions) {
            if let Err(diagnostic) = self.make_version(version) {
                self.errors.push(diagnostic);
            }
        }
    }

    fn make_version(&mut self, version: Version) -> Result<(), Diagnostic> {
        let Version {
            symbol,
            name,
            removes,
        } = version;
        let is_defined = self.symbols.get(symbol).definition.is_some();
        let whole = self.arena.name(name.value);
        let (prefix, rest) = whole.split_at(whole.find('@').unwrap_or(whole.len()));
        let is_default = rest.starts_with("@@") && !rest.starts_with("@@@");
        let rest = match rest.strip_prefix("@@@") {
            Some(_) if is_defined => rest.get(1..).unwrap_or(""),
            Some(_) => rest.get(2..).unwrap_or(""),
            None => rest,
        };
        let full = format!("{prefix}{rest}");
        if is_default && !is_defined {
            return Err(
                Diagnostic::error("only what is defined here can be the default version")
                    .with_primary(name.span, "`@@` makes it the default")
                    .with_help("`@` names a version of another file"),
            );
        }
        let id = self.arena.intern(&full);
        let alias = self.named(id);
        let binding = self.binding(symbol);
        let visibility = self.symbols.get(symbol).visibility;
        let value = self.arena.leaf(Node::Place(symbol.0), name.span);
        self.define(alias, Definition::Variable(value), name.span)?;
        let made = self.symbols.get_mut(alias);
        made.binding = Some(binding);
        made.visibility = visibility;
        if is_defined && !removes {
            return Ok(());
        }
        match self.renamed.insert(symbol, alias) {
            None => Ok(()),
            Some(_) => Err(several(self.name_of(symbol), name.span)),
        }
    }

    /// The symbol that stands for another one in the object.
    pub fn in_object(&self, symbol: SymbolIndex) -> SymbolIndex {
        self.renamed.get(&symbol).copied().unwrap_or(symbol)
    }
}

fn several(name: &str, at: Span) -> Diagnostic {
    Diagnostic::error(format!("`{name}` has another version already"))
        .with_primary(at, "uses of it cannot have two")
}
