//! `.file` and `.loc`.
//!
//! Their operands are separated by blanks, not by commas, so they are one group of items that is
//! read from the front.

use bpf::diagnostic::{Diagnostic, Span};

use super::files::NamedFile;
use super::lines::Line;
use crate::asm::assembler::{Assembler, FileName};
use crate::asm::ast::{Directive, Item, Node};

/// What may follow the column of `.loc`.
const PARTS: &str = "it can have `is_stmt 0`, `is_stmt 1`, `prologue_end`, `epilogue_begin`, \
                     `basic_block`, `discriminator N` and `isa N`";

impl Assembler<'_> {
    /// `.file "name"`, `.file N ["folder"] "name" [md5 0x…] [source "…"]`
    pub fn file(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let Some(group) = directive.operands.first() else {
            return Err(self.missing(directive, 0, "a file name"));
        };
        let number = group.items.first().and_then(|item| self.lone_number(*item));
        if let Some(number) = number {
            self.at_most(directive, 1)?;
            let at = group.items.first().map_or(group.span, Item::span);
            return self.numbered_file(directive, number, at, &group.items);
        }
        let name = self.text(directive, 0, "a file name")?.value;
        let after = self.symbols.registered.len();
        self.file_names.push(FileName { name, after });
        Ok(())
    }

    fn lone_number(&self, item: Item) -> Option<i64> {
        match item {
            Item::Expr(expr) => match self.arena.single(expr) {
                Some(Node::Number(number)) => Some(number),
                _ => None,
            },
            Item::Tag(_) => None,
        }
    }

    fn word(&self, item: Item) -> Option<&str> {
        match item {
            Item::Expr(expr) => match self.arena.single(expr) {
                Some(Node::Symbol(name)) => Some(self.arena.name(name)),
                _ => None,
            },
            Item::Tag(_) => None,
        }
    }

    fn is_text(&self, item: Item) -> bool {
        match item {
            Item::Expr(expr) => matches!(self.arena.single(expr), Some(Node::Quoted(_))),
            Item::Tag(_) => false,
        }
    }

    fn numbered_file(
        &mut self,
        directive: &Directive,
        number: i64,
        at: Span,
        items: &[Item],
    ) -> Result<(), Diagnostic> {
        let Ok(number) = u32::try_from(number) else {
            return Err(
                Diagnostic::error("this is too large for the number of a file")
                    .with_primary(at, ""),
            );
        };
        let mut rest = items.iter().copied().skip(1).peekable();
        let mut texts = Vec::with_capacity(2);
        while texts.len() < 2
            && let Some(item) = rest.next_if(|item| self.is_text(*item))
        {
            texts.push(self.path(item)?);
        }
        let Some(name) = texts.pop() else {
            return Err(self.missing(directive, 0, "a file name after its number"));
        };
        let mut file = NamedFile {
            folder: texts.pop(),
            name,
            checksum: None,
            source: None,
            span: directive.span,
        };
        while let Some(item) = rest.next() {
            let word = self.word(item).unwrap_or("").to_owned();
            let operand = match word.as_str() {
                "md5" | "source" => rest.next(),
                _ => {
                    return Err(Diagnostic::error("this says nothing about a file")
                        .with_primary(item.span(), "expected `md5` or `source`"));
                }
            };
            let Some(operand) = operand else {
                let end = Span::point(directive.span.file, directive.span.end);
                return Err(Diagnostic::error(format!("nothing follows `{word}`"))
                    .with_primary(end, "expected its value"));
            };
            match word.as_str() {
                "md5" => file.checksum = Some(self.checksum(operand)?),
                _ => file.source = Some(self.path(operand)?),
            }
        }
        self.add_file(number, at, file)
    }

    fn add_file(&mut self, number: u32, at: Span, mut file: NamedFile) -> Result<(), Diagnostic> {
        if let Some(first) = self.debug.files.get(number) {
            return Err(
                Diagnostic::error(format!("the file number {number} is taken"))
                    .with_primary(at, "used again here")
                    .with_secondary(first.span, "first used here"),
            );
        }
        if number != 0 {
            self.debug.files.add(number, file);
            return Ok(());
        }
        match file.folder.take() {
            Some(folder) => self.debug.files.set_root(folder, file),
            None => {
                return Err(Diagnostic::error("`.file 0` names a folder and a file")
                    .with_primary(file.span, "there is only one name")
                    .with_help("write `.file 0 \"folder\" \"name\"`"));
            }
        }
        Ok(())
    }

    /// A string that the table ends by a zero byte.
    fn path(&self, item: Item) -> Result<Vec<u8>, Diagnostic> {
        let text = self.text_item(item)?;
        match text.contains(&0) {
            true => Err(Diagnostic::error("a zero byte would end this string")
                .with_primary(item.span(), "")),
            false => Ok(text),
        }
    }

    fn checksum(&self, item: Item) -> Result<u128, Diagnostic> {
        let node = match item {
            Item::Expr(expr) => self.arena.single(expr),
            Item::Tag(_) => None,
        };
        let number = match node {
            Some(Node::Number(number)) => Some(u128::from(number as u64)),
            Some(Node::Digits(digits)) => {
                let digits = self.arena.name(digits);
                let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
                match hex {
                    Some(hex) => u128::from_str_radix(hex, 16).ok(),
                    None => digits.parse().ok(),
                }
            }
            _ => None,
        };
        number.ok_or_else(|| {
            Diagnostic::error("a checksum is a number of 16 bytes")
                .with_primary(item.span(), "expected `0x` and up to 32 digits")
        })
    }

    /// `.loc FILE [LINE [COLUMN]] [parts]`
    pub fn location(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let items = match directive.operands.first() {
            Some(group) => group.items.clone(),
            None => Vec::new(),
        };
        if let Some(group) = directive.operands.get(1) {
            return Err(
                Diagnostic::error("the parts of `.loc` stand without commas")
                    .with_primary(group.span, "behind a comma"),
            );
        }
        let mut rest = items.into_iter().peekable();
        let file = rest
            .next()
            .and_then(|item| Some((self.lone_number(item)?, item.span())));
        let Some((file, at)) = file else {
            return Err(self.missing(directive, 0, "the number of a file"));
        };
        let known = u32::try_from(file).ok();
        let known = known.filter(|file| self.debug.files.get(*file).is_some());
        let Some(number) = known else {
            return Err(Diagnostic::error(format!("no `.file {file}` comes before"))
                .with_primary(at, "this number belongs to no file"));
        };
        let mut line = Line {
            file: number,
            line: 0,
            is_statement: self.debug.lines.next_is_statement(),
            ..Line::initial()
        };
        for field in [&mut line.line, &mut line.column] {
            let next = rest.next_if(|item| self.lone_number(*item).is_some());
            let Some(item) = next else {
                break;
            };
            *field = self.small_number(self.lone_number(item).unwrap_or(0), item.span())?;
        }
        while let Some(item) = rest.next() {
            self.line_part(&mut line, item, &mut rest)?;
        }
        // A line without code of its own still gets a row.
        self.reach_line();
        self.debug.lines.wait(line);
        Ok(())
    }

    fn line_part(
        &mut self,
        line: &mut Line,
        item: Item,
        rest: &mut impl Iterator<Item = Item>,
    ) -> Result<(), Diagnostic> {
        let word = self.word(item).unwrap_or("").to_owned();
        match word.as_str() {
            "prologue_end" => line.ends_prologue = true,
            "epilogue_begin" => line.begins_epilogue = true,
            "basic_block" => line.begins_block = true,
            "is_stmt" | "isa" | "discriminator" => {
                let Some(Item::Expr(value)) = rest.next() else {
                    return Err(Diagnostic::error(format!("`{word}` needs a number"))
                        .with_primary(item.span(), "none follows"));
                };
                let number = self.absolute(value, &format!("`{word}`"))?;
                let number = self.small_number(number, value.span)?;
                match (word.as_str(), number) {
                    ("is_stmt", 0 | 1) => line.is_statement = number == 1,
                    ("is_stmt", _) => {
                        return Err(Diagnostic::error("`is_stmt` is 0 or 1")
                            .with_primary(value.span, format!("it is {number}")));
                    }
                    ("isa", _) => line.isa = number,
                    _ => line.discriminator = number,
                }
            }
            _ => {
                return Err(Diagnostic::error("`.loc` has no such part")
                    .with_primary(item.span(), "")
                    .with_help(PARTS));
            }
        }
        Ok(())
    }

    fn small_number(&self, number: i64, at: Span) -> Result<u32, Diagnostic> {
        u32::try_from(number).map_err(|_| {
            Diagnostic::error("the line table has numbers from 0 to 4294967295")
                .with_primary(at, format!("this is {number}"))
        })
    }
}
