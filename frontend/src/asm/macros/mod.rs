//! Macros and repetitions: text that stands for more text.
//!
//! A definition keeps the place of its body and copies nothing. A call puts the arguments into the
//! body and has the result read next, as a text of its own (see `source`, which bounds how deep and
//! how much). The body is not looked at before, so that it may define macros itself.

mod arguments;
mod expand;
mod repeat;

use std::rc::Rc;

use bpf::diagnostic::{Diagnostic, Span};
use rustc_hash::FxHashMap;

use super::assembler::Assembler;
use super::ast::{Directive, Expr, Node, Raw, RawKind, Spanned};
use super::source::Kind;
use super::words::first_word_of_any_case;
use arguments::{Argument, Arguments, Value};
use expand::{Substitution, TooLong};

/// A parameter.
#[derive(Debug)]
struct Parameter {
    name: String,
    default: Option<String>,
    required: bool,
    variadic: bool,
}

/// A macro.
#[derive(Debug)]
struct Macro {
    parameters: Vec<Parameter>,
    by_name: FxHashMap<String, usize>,
    body: Span,
    defined_at: Span,
}

/// All macros, and what is counted for them.
#[derive(Debug, Default)]
pub struct Macros {
    by_name: FxHashMap<String, Rc<Macro>>,
    /// Whether some macro had the name of what begins an instruction.
    hides_instructions: bool,
    /// Whether parameters are recognised without a backslash.
    alternate: bool,
    /// Calls so far, for `\@`.
    calls: u64,
    /// Names made for `LOCAL` so far.
    locals: u64,
}

impl Macros {
    /// Whether a word calls a macro.
    pub fn has(&self, word: &str) -> bool {
        !self.by_name.is_empty() && self.by_name.contains_key(word)
    }

    /// Whether an instruction's first word may be the name of a macro.
    pub fn hides_instructions(&self) -> bool {
        self.hides_instructions
    }
}

impl Assembler<'_> {
    /// `.macro NAME parameters`
    pub fn define_macro(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let body = self.body(raw, ".macro", &[".macro"], &[".endm", ".endmacro"])?;
        let text = self.sources.text(raw.text).to_owned();
        let mut reader = Arguments::new(&text, raw.text, false);
        let Some((name, at)) = reader.word() else {
            return Err(Diagnostic::error("a macro needs a name").with_primary(raw.span, ""));
        };
        reader.take(',');
        let mut parameters: Vec<Parameter> = Vec::new();
        let mut by_name = FxHashMap::default();
        while !reader.is_done() {
            let before = parameters.last().filter(|last| last.variadic);
            if let Some(last) = before {
                let message = format!("`{}` takes all that is left and has to be last", last.name);
                return Err(Diagnostic::error(message).with_primary(reader.rest_span(), ""));
            }
            let (parameter, at) = parameter(&mut reader)?;
            if by_name
                .insert(parameter.name.clone(), parameters.len())
                .is_some()
            {
                let message = format!("two parameters are called `{}`", parameter.name);
                return Err(Diagnostic::error(message).with_primary(at, ""));
            }
            parameters.push(parameter);
        }
        if let Some(existing) = self.macros.by_name.get(name) {
            return Err(
                Diagnostic::error(format!("the macro `{name}` is already defined"))
                    .with_primary(at, "defined again here")
                    .with_secondary(existing.defined_at, "first defined here")
                    .with_help(format!("`.purgem {name}` forgets the first one")),
            );
        }
        let made = Macro {
            parameters,
            by_name,
            body,
            defined_at: at,
        };
        self.macros.hides_instructions |= first_word_of_any_case(name).is_some();
        self.macros.by_name.insert(name.to_owned(), Rc::new(made));
        Ok(())
    }

    /// `.purgem NAME`
    pub fn purge_macro(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        for index in 0..directive.operands.len().max(1) {
            let name = self.symbol(directive, index)?;
            let word = self.arena.name(name.value);
            if self.macros.by_name.remove(word).is_none() {
                return Err(Diagnostic::error(format!("there is no macro `{word}`"))
                    .with_primary(name.span, ""));
            }
        }
        Ok(())
    }

    /// `.altmacro`, `.noaltmacro`
    pub fn set_alternate(&mut self, directive: &Directive, on: bool) -> Result<(), Diagnostic> {
        self.macros.alternate = on;
        self.no_operands(directive)
    }

    /// `.exitm`
    pub fn exit_macro(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.no_operands(directive)?;
        let Some(depth) = self.sources.expansion() else {
            return Err(Diagnostic::error("`.exitm` stands outside of any macro")
                .with_primary(directive.span, ""));
        };
        if let Some(conditionals) = self.sources.unwind(depth) {
            self.conditionals.truncate(conditionals);
        }
        Ok(())
    }

    /// `.endm`, `.endr` and others that only end something.
    pub fn stray_end(&self, directive: &Directive, opening: &str) -> Diagnostic {
        let name = self.directive_name(directive);
        Diagnostic::error(format!("`{name}` belongs to no `{opening}`"))
            .with_primary(directive.span, "nothing to be ended is open here")
    }

    /// A macro's call.
    pub fn call_macro(&mut self, raw: &Raw) -> Result<(), Diagnostic> {
        let name = self.arena.name(raw.name.value).to_owned();
        let Some(called) = self.macros.by_name.get(&name).map(Rc::clone) else {
            return Ok(());
        };
        let values = self.arguments(raw, &name, &called)?;
        let counter = Some(self.macros.calls);
        self.macros.calls += 1;
        let names = called
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str());
        let pairs = names.zip(values.iter().map(String::as_str));
        let mut text = String::new();
        self.expand(called.body, pairs.collect(), counter, raw.span, &mut text)?;
        self.reserve_text(text.len(), raw.span)?;
        self.push_expansion(format!("<macro {name}>"), text, raw.span)
    }

    /// Whether so much more text may be read; nothing more is read if not, since what brought it
    /// here would likely ask again, and making the text is what takes the time.
    pub fn reserve_text(&mut self, bytes: usize, at: Span) -> Result<(), Diagnostic> {
        let reserved = self.sources.reserve(bytes, at);
        self.ended |= reserved.is_err();
        reserved
    }

    /// Has the text of an expansion read next.
    fn push_expansion(&mut self, name: String, text: String, at: Span) -> Result<(), Diagnostic> {
        let open = self.conditionals.len();
        let pushed = self.sources.push(name, text, at, Kind::Expansion, open);
        if pushed.is_err() {
            // What is too deep once is so in every round of what brought it here.
            self.ended = true;
        }
        pushed
    }

    /// Appends what a body becomes with these values.
    fn expand(
        &mut self,
        body: Span,
        values: FxHashMap<&str, &str>,
        counter: Option<u64>,
        at: Span,
        out: &mut String,
    ) -> Result<(), Diagnostic> {
        let substitution = Substitution {
            values,
            counter,
            alternate: self.macros.alternate,
            limit: self.sources.room(),
        };
        let locals = &mut self.macros.locals;
        match substitution.expand(self.sources.text(body), locals, out) {
            Ok(()) => Ok(()),
            Err(TooLong) => self.reserve_text(usize::MAX, at),
        }
    }

    fn arguments(
        &mut self,
        raw: &Raw,
        name: &str,
        called: &Macro,
    ) -> Result<Vec<String>, Diagnostic> {
        let text = self.sources.text(raw.text).to_owned();
        let mut reader = Arguments::new(&text, raw.text, self.macros.alternate);
        let parameters = &called.parameters;
        let mut values: Vec<Option<String>> = parameters.iter().map(|_| None).collect();
        let mut named = false;
        let mut index = 0;
        while !reader.is_done() {
            let is_variadic = |found: &str| match found {
                "" => parameters.get(index).is_some_and(|one| one.variadic),
                found => {
                    let position = called.by_name.get(found).copied();
                    let parameter = position.and_then(|position| parameters.get(position));
                    parameter.is_some_and(|one| one.variadic)
                }
            };
            // What is left may hold `=` for its own ends: `r1 = 5`.
            let is_name = |word: &str| called.by_name.contains_key(word) || !is_variadic("");
            let argument = reader.argument(is_name, is_variadic)?;
            let position = match &argument.name {
                Some((word, at)) => match called.by_name.get(word) {
                    Some(position) => *position,
                    None => {
                        let message = format!("the macro `{name}` has no parameter `{word}`");
                        return Err(Diagnostic::error(message)
                            .with_primary(*at, "")
                            .with_secondary(called.defined_at, "defined here"));
                    }
                },
                None => index,
            };
            if named && argument.name.is_none() {
                return Err(Diagnostic::error(
                    "arguments without a name come before those with one",
                )
                .with_primary(argument.span, "this one has no name"));
            }
            named |= argument.name.is_some();
            let Some(slot) = values.get_mut(position) else {
                let takes = match parameters.len() {
                    0 => "no argument".to_owned(),
                    1 => "one argument".to_owned(),
                    count => format!("at most {count} arguments"),
                };
                return Err(
                    Diagnostic::error(format!("the macro `{name}` takes {takes}"))
                        .with_primary(argument.span, "one too many")
                        .with_secondary(called.defined_at, "defined here"),
                );
            };
            index += 1;
            let found = self.argument_text(argument)?;
            if found.is_some() {
                *slot = found;
            }
        }
        let mut result = Vec::with_capacity(values.len());
        for (value, parameter) in values.into_iter().zip(parameters) {
            if value.is_none() && parameter.required {
                let message = format!("the macro `{name}` needs a value for `{}`", parameter.name);
                return Err(Diagnostic::error(message)
                    .with_primary(raw.span, "it is left out here")
                    .with_secondary(called.defined_at, "defined here"));
            }
            let default = || parameter.default.clone().unwrap_or_default();
            result.push(value.unwrap_or_else(default));
        }
        Ok(result)
    }

    fn argument_text(&mut self, argument: Argument) -> Result<Option<String>, Diagnostic> {
        match argument.value {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Number(at)) => {
                let expr = self.expression_at(at)?;
                let number = self.absolute(expr, "what follows `%`")?;
                Ok(Some(number.to_string()))
            }
        }
    }

    /// The text up to the word that ends it, at the same depth; reading goes on behind.
    fn body(
        &mut self,
        raw: &Raw,
        what: &str,
        opens: &[&str],
        closes: &[&str],
    ) -> Result<Span, Diagnostic> {
        let (start, file) = match self.sources.top() {
            Some(frame) => (frame.position, frame.file),
            None => (0, raw.span.file),
        };
        let is = |words: &[&str], word: &str| {
            word.starts_with('.') && words.iter().any(|one| word.eq_ignore_ascii_case(one))
        };
        let mut at = start;
        let mut depth = 0_usize;
        while let Some(statement) = self.sources.raw(at) {
            let next = statement.next;
            if is(opens, statement.word) {
                depth += 1;
            } else if is(closes, statement.word) {
                if depth == 0 {
                    let end = statement.range.start;
                    self.sources.move_to(next);
                    return Ok(Span::new(file, start as u32, end as u32));
                }
                depth -= 1;
            }
            at = next;
        }
        self.sources.move_to(at);
        let close = closes.first().copied().unwrap_or("");
        Err(Diagnostic::error(format!("`{what}` is never ended"))
            .with_primary(raw.span, format!("no `{close}` follows")))
    }

    /// The only expression at a place that was passed over before.
    fn expression_at(&mut self, at: Span) -> Result<Expr, Diagnostic> {
        let name = self.arena.intern("%");
        let directive = self.reread(&Raw {
            kind: RawKind::Call,
            name: Spanned {
                value: name,
                span: at,
            },
            text: at,
            span: at,
        })?;
        self.at_most(&directive, 1)?;
        let expr = self.expr(&directive, 0, "an expression")?;
        match self.arena.single(expr) {
            Some(Node::Quoted(_)) => {
                Err(Diagnostic::error("expected an expression")
                    .with_primary(at, "this is a string"))
            }
            _ => Ok(expr),
        }
    }
}

/// `name`, `name=value`, `name:req`, `name:vararg`
fn parameter(reader: &mut Arguments<'_>) -> Result<(Parameter, Span), Diagnostic> {
    let expected = reader.rest_span();
    let Some((name, at)) = reader.word() else {
        return Err(Diagnostic::error("expected the name of a parameter")
            .with_primary(expected, "this is not a name"));
    };
    let mut parameter = Parameter {
        name: name.to_owned(),
        default: None,
        required: false,
        variadic: false,
    };
    if reader.take(':') {
        let expected = reader.rest_span();
        match reader.word() {
            Some(("req", _)) => parameter.required = true,
            Some(("vararg", _)) => parameter.variadic = true,
            _ => {
                return Err(Diagnostic::error("a parameter can be `:req` or `:vararg`")
                    .with_primary(expected, ""));
            }
        }
    }
    if reader.take('=') {
        parameter.default = Some(reader.default_value()?);
    }
    reader.take(',');
    Ok((parameter, at))
}
