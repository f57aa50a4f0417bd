//! What to say about names that mean nothing, or not what is needed, when all of the text is known.
//!
//! A name that is nowhere defined has one diagnostic for all places that use it, with the one label
//! that is spelled nearly the same. Looking for that label passes over all symbols once, so the
//! caller asks for few names.

use bpf::diagnostic::{Diagnostic, Edit, Span};
use rustc_hash::FxHashMap;

use super::assembler::Assembler;
use super::ast::Expr;
use super::expression::Value;
use super::symbols::{Definition, SymbolIndex};
use super::token::Token;
use super::words::{register, reserved_word};

/// Undefined names for which a similar one is looked for.
pub const MOST_COMPARED: usize = 32;

/// Further places of one cause that are shown.
const SHOWN: usize = 3;

/// Messages about names that are no constants: index of the error, and how often it came again.
pub type Told = FxHashMap<String, (usize, usize)>;

impl Assembler<'_> {
    /// Reports an immediate; a name that means nothing is one error, however often it is used.
    pub(super) fn no_immediate(&mut self, diagnostic: Diagnostic, told: &mut Told) {
        let is_name = diagnostic.message.starts_with("there is no ");
        let before = told.get_mut(&diagnostic.message).filter(|_| is_name);
        let (Some((index, count)), Some(place)) = (before, diagnostic.span()) else {
            if is_name {
                told.insert(diagnostic.message.clone(), (self.errors.len(), 0));
            }
            self.errors.push(diagnostic);
            return;
        };
        *count += 1;
        let Some(first) = self.errors.get_mut(*index) else {
            return;
        };
        if *count <= SHOWN {
            *first = first.clone().with_secondary(place, "and here");
        } else {
            let more = *count - SHOWN;
            first.notes.clear();
            first.notes.push(format!("and in {more} more places"));
        }
        let repairs = first.suggestions.iter_mut().zip(diagnostic.suggestions);
        for (repair, again) in repairs {
            repair.edits.extend(again.edits);
        }
    }

    /// What stands where a number is wanted, and is none.
    pub(super) fn bad_immediate(&self, expr: Expr, value: Value) -> Diagnostic {
        let text = self.sources.text(expr.span);
        if let Some(number) = value.as_number() {
            return Diagnostic::error("an immediate has to be known where it is used")
                .with_primary(expr.span, format!("it is {number}, but only later"))
                .with_help("move the definitions up");
        }
        let symbol = value.add.or(value.sub);
        let definition = symbol.and_then(|symbol| self.symbols.get(symbol).definition);
        let name = symbol.map_or("", |symbol| self.name_of(symbol));
        match definition {
            None if is_register_in_capitals(name) => {
                Diagnostic::error(format!("there is no symbol `{name}`"))
                    .with_primary(expr.span, "registers are in lower case here")
                    .with_replacement(expr.span, name.to_ascii_lowercase())
            }
            None if name.starts_with('$') => {
                let diagnostic = Diagnostic::error(format!("there is no symbol `{name}`"))
                    .with_primary(expr.span, "");
                match text.strip_prefix('$') {
                    Some(number) if number.parse::<i32>().is_ok() => {
                        diagnostic.with_replacement(expr.span, number)
                    }
                    _ => diagnostic.with_help("immediates are written without `$`"),
                }
            }
            None if text == name && is_reserved(name) => {
                Diagnostic::error(format!("an operand of `{name}` is missing"))
                    .with_primary(expr.span, "a reserved word, which stands alone here")
            }
            None => Diagnostic::error(format!("there is no constant `{name}`"))
                .with_primary(expr.span, "an immediate is a number")
                .with_help(format!(
                    "`.set {name}, …` before this defines one; `r1 = {name} ll` loads an address"
                )),
            Some(_) => Diagnostic::error("an immediate is a number, not an address")
                .with_primary(
                    expr.span,
                    "its value is only known when the program is loaded",
                )
                .with_help(format!("`r1 = {text} ll` loads an address")),
        }
    }

    /// One diagnostic for all uses of a symbol that is nowhere defined.
    pub(super) fn undefined(
        &self,
        symbol: SymbolIndex,
        places: &[Span],
        compare: bool,
    ) -> Diagnostic {
        let name = self.name_of(symbol);
        let mut diagnostic = Diagnostic::error(format!("there is no label `{name}`"));
        let (first, more) = match places {
            [first, more @ ..] => (*first, more),
            [] => (Span::point(self.sources.main(), 0), [].as_slice()),
        };
        diagnostic = diagnostic.with_primary(first, "used here");
        for span in more.iter().take(SHOWN) {
            diagnostic = diagnostic.with_secondary(*span, "and here");
        }
        if more.len() > SHOWN {
            diagnostic = diagnostic.with_note(format!("and in {} more places", more.len() - SHOWN));
        }
        if register(&name.to_ascii_lowercase()).is_some() {
            return diagnostic.with_help("`gotox` jumps through a register");
        }
        match compare.then(|| self.similar(name)).flatten() {
            Some(meant) => {
                let is_name = |span: &&Span| self.sources.text(**span) == name;
                let edits = places.iter().filter(is_name).map(|span| Edit {
                    span: *span,
                    replacement: meant.clone(),
                });
                diagnostic.with_suggestion(format!("write `{meant}`"), edits.collect())
            }
            None => diagnostic,
        }
    }

    /// The only label whose name differs in one character.
    fn similar(&self, name: &str) -> Option<String> {
        let mut found = None;
        for index in self.symbols.indices() {
            let symbol = self.symbols.get(index);
            let is_label = matches!(symbol.definition, Some(Definition::Label(_)));
            let Some(label) = symbol.name.filter(|_| is_label) else {
                continue;
            };
            let label = self.arena.name(label);
            if differs_little(label, name) && found.replace(label).is_some() {
                return None;
            }
        }
        found.map(str::to_owned)
    }
}

/// Whether two names differ in one character, or in two neighbours that are exchanged.
fn differs_little(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 || one.len().min(other.len()) < 3 {
        return false;
    }
    let same = one
        .iter()
        .zip(other)
        .take_while(|(one, other)| one == other);
    let start = same.count();
    let (one, other) = (&one[start..], &other[start..]);
    let pairs = one.iter().rev().zip(other.iter().rev());
    let end = pairs.take_while(|(one, other)| one == other).count();
    let one = &one[..one.len() - end];
    let other = &other[..other.len() - end];
    match (one, other) {
        (&[first, second], &[third, fourth]) => first == fourth && second == third,
        _ => one.len() <= 1 && other.len() <= 1,
    }
}

fn is_register_in_capitals(name: &str) -> bool {
    name.starts_with(['R', 'W']) && register(&name.to_ascii_lowercase()).is_some()
}

/// Whether a word usually begins or ends an operand.
fn is_reserved(name: &str) -> bool {
    matches!(reserved_word(name), Some(Token::Wide | Token::ByteOrder(_)))
}
