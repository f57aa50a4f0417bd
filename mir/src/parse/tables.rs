//! The module's head and its tables.

use super::lexer::Token;
use super::{Parser, Statement, error};
use crate::entity::Func;
use crate::module::{CoreRelocation, ExternalData, Location, SymbolData, SymbolKind};
use crate::print::words;
use bpf::diagnostic::Span;

impl Parser<'_> {
    pub(super) fn parse_module(&mut self) {
        self.tokens.skip_blank_lines();
        if let Err(diagnostic) = self.parse_head() {
            self.recover(*diagnostic);
        }
        loop {
            self.tokens.skip_blank_lines();
            if self.tokens.peek() == Token::End {
                break;
            }
            if let Err(diagnostic) = self.parse_item() {
                self.recover(*diagnostic);
            }
        }
    }

    fn parse_head(&mut self) -> Statement<()> {
        self.tokens.expect_word("module")?;
        let (word, span) = self.tokens.word("`little` or `big`")?;
        self.parsed.module.endian = words::parse_endian(word)
            .ok_or_else(|| error(span, format!("expected `little` or `big`, found `{word}`")))?;
        self.tokens.end_of_line()
    }

    fn parse_item(&mut self) -> Statement<()> {
        let wanted = "`symbol`, `external`, `location`, `relo`, `function` or `declare`";
        let Token::Word(word) = self.tokens.peek() else {
            return self.tokens.unexpected(wanted);
        };
        match word {
            "symbol" => {
                let index = self.parsed.module.symbols.len();
                self.expect_key("sym", index)?;
                let symbol = self.parse_symbol()?;
                self.parsed.module.symbols.push(symbol);
            }
            "external" => {
                let index = self.parsed.module.externals.len();
                self.expect_key("ext", index)?;
                let external = self.parse_external()?;
                self.parsed.module.externals.push(external);
            }
            "location" => {
                let index = self.parsed.module.locations.len();
                self.expect_key("loc", index)?;
                let location = self.parse_location()?;
                self.parsed.module.locations.push(location);
            }
            "relo" => {
                let index = self.parsed.module.core_relos.len();
                self.expect_key("relo", index)?;
                let relo = self.parse_core_relo()?;
                self.parsed.module.core_relos.push(relo);
            }
            "function" | "declare" => return self.parse_function(),
            _ => return self.tokens.unexpected(wanted),
        }
        self.tokens.end_of_line()
    }

    /// Keyword, entity and `=`. Entities are numbered in order, so that none can be missing.
    fn expect_key(&mut self, prefix: &str, index: usize) -> Statement<()> {
        self.tokens.next();
        let (number, span) = self.tokens.entity(prefix)?;
        self.check_number(prefix, number, index, span)?;
        self.tokens.expect(Token::Equals)
    }

    pub(super) fn check_number(
        &self,
        prefix: &str,
        number: u32,
        index: usize,
        span: Span,
    ) -> Statement<()> {
        if number as usize == index {
            return Ok(());
        }
        let mut diagnostic = error(
            span,
            format!("{prefix}{number} is out of order: {prefix}{index} is next"),
        );
        diagnostic.notes = vec!["entities of a module are numbered in order, from 0".to_owned()];
        Err(diagnostic)
    }

    fn parse_symbol(&mut self) -> Statement<SymbolData> {
        let (word, span) = self.tokens.word("what the symbol is")?;
        let kind = match word {
            "map" => SymbolKind::Map,
            "data" => SymbolKind::Data,
            "function" => SymbolKind::Function(Func::from_u32(self.tokens.entity("fn")?.0)),
            "extern" => SymbolKind::Extern,
            "other" => SymbolKind::Other,
            _ => {
                let kinds = "`map`, `data`, `function`, `extern` or `other`";
                return Err(error(span, format!("expected {kinds}, found `{word}`")));
            }
        };
        let name = self.tokens.text()?;
        let object_symbol = self.parse_object_symbol()?;
        self.tokens.expect_word("pseudo")?;
        let pseudo = self.tokens.integer()?;
        self.tokens.expect_word("imm")?;
        Ok(SymbolData {
            name,
            kind,
            object_symbol,
            pseudo,
            imm: self.tokens.integer()?,
        })
    }

    fn parse_object_symbol(&mut self) -> Statement<Option<u32>> {
        if self.tokens.accept_word("object") {
            self.tokens.integer().map(Some)
        } else {
            Ok(None)
        }
    }

    fn parse_external(&mut self) -> Statement<ExternalData> {
        let name = self.tokens.text()?;
        let object_symbol = self.parse_object_symbol()?;
        self.tokens.expect_word("pseudo")?;
        let pseudo = self.tokens.integer()?;
        self.tokens.expect_word("offset")?;
        let offset = self.tokens.integer()?;
        self.tokens.expect_word("imm")?;
        let imm = self.tokens.integer()?;
        self.tokens.expect_word("params")?;
        Ok(ExternalData {
            name,
            object_symbol,
            pseudo,
            offset,
            imm,
            parameter_count: self.tokens.integer()?,
        })
    }

    fn parse_location(&mut self) -> Statement<Location> {
        self.tokens.expect_word("file")?;
        let file = self.tokens.integer()?;
        self.tokens.expect_word("text")?;
        let text = self.tokens.integer()?;
        self.tokens.expect_word("line")?;
        let start = self.tokens.span();
        let line: u32 = self.tokens.integer()?;
        self.tokens.expect(Token::Colon)?;
        let column: u32 = self.tokens.integer()?;
        if line >= 1 << 22 || column >= 1 << 10 {
            return Err(error(
                self.tokens.since(start),
                "a line has 22 bits and a column 10",
            ));
        }
        Ok(Location {
            file,
            text,
            line_column: line << 10 | column,
        })
    }

    fn parse_core_relo(&mut self) -> Statement<CoreRelocation> {
        self.tokens.expect_word("type")?;
        let type_id = self.tokens.integer()?;
        self.tokens.expect_word("access")?;
        let access = self.tokens.integer()?;
        self.tokens.expect_word("kind")?;
        Ok(CoreRelocation {
            type_id,
            access,
            kind: self.tokens.integer()?,
        })
    }
}
