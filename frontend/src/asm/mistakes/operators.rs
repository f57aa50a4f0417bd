//! Operators that do not exist, and conditions that are written otherwise.
//!
//! An operator that nobody defined falls apart into tokens (`>>>=` is `>>` and `>=`), and the parser
//! stumbles in its middle. What people wrote is the whole run of them, so the run is put together
//! again, looked up, and marked as one. Each looks at the few tokens of one statement once.

use bpf::diagnostic::{Diagnostic, Edit, Span};

use super::super::parse::Located;
use super::super::token::Token;

const ASSIGNMENTS: [&str; 14] = [
    "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "s/=", "s%=", "<<=", ">>=", "s>>=",
];
const COMPARISONS: [&str; 11] = [
    "==", "!=", ">", ">=", "<", "<=", "&", "s>", "s>=", "s<", "s<=",
];

/// A mistake in the operator of an assignment or in a condition.
pub fn common(source: &str, tokens: &[Located<'_>], index: usize, at: Span) -> Option<Diagnostic> {
    match tokens.first()?.1 {
        Token::Register(_) => {
            let run = Run::at(source, tokens, 1, at)?;
            (index <= run.after).then(|| run.assignment()).flatten()
        }
        Token::If if index == 1 => condition(source, tokens, at),
        Token::If => {
            let run = Run::at(source, tokens, 2, at)?;
            (index <= run.after).then(|| run.comparison()).flatten()
        }
        _ => None,
    }
}

/// `r1 = r2 + r3`: the operation at `index` is one too many.
pub fn second(tokens: &[Located<'_>], index: usize, text: &str, at: Span) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("an instruction has only one operation").with_primary(at, "");
    let last = index + 2 == tokens.len();
    let first = tokens.first().map(|token| token.1);
    let operand = tokens.get(index + 1).map(|token| token.1);
    let fits = match (first, operand) {
        (Some(Token::Register(dst)), Some(Token::Register(src))) => {
            dst.reg != src.reg && dst.width == src.width
        }
        (_, operand) => matches!(operand, Some(Token::Number(_))),
    };
    match (
        fits && last,
        first,
        index.checked_sub(1).and_then(|index| tokens.get(index)),
    ) {
        (true, Some(Token::Register(dst)), Some(before)) => diagnostic.with_change(
            format!("make it an instruction of its own: `{dst} {text}= …`"),
            Span::new(at.file, before.2, at.end),
            format!("; {dst} {text}="),
        ),
        _ => diagnostic.with_help(format!(
            "copy first, then write `r1 {text}= …` as an instruction of its own"
        )),
    }
}

/// The operator as it was written.
struct Run {
    text: String,
    span: Span,
    /// Index of the token after it.
    after: usize,
}

impl Run {
    fn at(source: &str, tokens: &[Located<'_>], first: usize, at: Span) -> Option<Run> {
        let mut after = first;
        let mut text = String::new();
        while let Some(&(start, token, end)) = tokens.get(after) {
            let prefix = matches!(text.as_str(), "s" | "u" | "!");
            let touches = after == first || tokens.get(after - 1)?.2 == start;
            // A sign or a star after the operator belongs to the operand.
            let sign = matches!(
                token,
                Token::Plus | Token::Minus | Token::Star | Token::Tilde | Token::Bang
            );
            let begun = text.ends_with(['=', '<', '>', '&']);
            if !(touches || prefix) || !is_part(token, text.is_empty()) || sign && begun {
                break;
            }
            text.push_str(source.get(start as usize..end as usize)?);
            after += 1;
        }
        let start = tokens.get(first)?.0;
        let end = tokens.get(after.checked_sub(1)?)?.2;
        let span = Span::new(at.file, start, end);
        (after > first).then_some(Run { text, span, after })
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).with_primary(self.span, "")
    }

    fn assignment(&self) -> Option<Diagnostic> {
        let text = self.text.as_str();
        if ASSIGNMENTS.contains(&text) || matches!(text, "++" | "--") {
            return None;
        }
        let signed = text.strip_prefix('s');
        let plain = signed.or(text.strip_prefix('u'));
        let meant = match text {
            "===" | ":=" => Some("="),
            "&&=" => Some("&="),
            "||=" => Some("|="),
            ">>>=" => Some(">>="),
            "<<<=" => Some("<<="),
            "=+" | "=-" => None,
            _ => plain.filter(|plain| ASSIGNMENTS.contains(plain)),
        };
        let diagnostic = match (text, signed) {
            ("==", _) => {
                let error = self.error("`==` only stands in `if … goto`");
                return Some(error.with_replacement(self.span, "="));
            }
            (_, Some(_)) if meant.is_some() => self.error(format!(
                "`{text}` is no operator: there is no signed form of it"
            )),
            // Without its `=` an operator is told by what is missing.
            _ if !text.ends_with('=') && text.len() == 1 => return None,
            _ => self.error(format!("`{text}` is no operator")),
        };
        Some(match meant {
            Some(meant) => diagnostic.with_replacement(self.span, meant),
            None => diagnostic.with_help(
                "operators are `=` `+=` `-=` `*=` `/=` `%=` `&=` `|=` `^=` `<<=` `>>=`, signed `s/=` `s%=` `s>>=`",
            ),
        })
    }

    fn comparison(&self) -> Option<Diagnostic> {
        let text = self.text.as_str();
        if COMPARISONS.contains(&text) && self.span.len() as usize == text.len() || text == "s" {
            return None;
        }
        let (signed, unsigned) = (text.strip_prefix('s'), text.strip_prefix('u'));
        let meant = match text {
            "=" | "===" | "s=" | "eq" => "==",
            "!==" | "<>" | "!=" | "ne" => "!=",
            "=>" | "ge" => ">=",
            "=<" | "le" => "<=",
            "gt" => ">",
            "lt" => "<",
            "&&" => "&",
            _ => match signed.or(unsigned) {
                Some(plain) if COMPARISONS.contains(&plain) => plain,
                _ if COMPARISONS.contains(&text) => return None,
                _ => "",
            },
        };
        let diagnostic = match text {
            "=" => self.error("a comparison for equality is written `==`"),
            "!=" => self.error("inequality is written `!=` without a blank"),
            "&&" => self
                .error("there is no `&&` between conditions")
                .with_help("two conditions are two branches; `&` tests bits"),
            "s=" | "s==" | "s!=" => self.error("equality has no signed form"),
            _ if signed.is_some() && !meant.is_empty() => {
                self.error("this comparison has no signed form")
            }
            _ => self.error(format!("`{text}` is no comparison")),
        };
        Some(match meant {
            "" => diagnostic.with_help(
                "comparisons are `==` `!=` `>` `>=` `<` `<=` `&`, signed `s>` `s>=` `s<` `s<=`",
            ),
            meant => diagnostic.with_replacement(self.span, meant),
        })
    }
}

/// Whether a token can be part of an operator; words only as its beginning.
fn is_part(token: Token<'_>, is_first: bool) -> bool {
    use Token::*;
    match token {
        S | Word(_) => is_first,
        Assign | Equal | NotEqual | Less | LessEqual | ShiftLeft | Greater | GreaterEqual
        | ShiftRight | Plus | Minus | Star | Slash | Percent | And | AndAnd | Or | OrOr | Caret
        | Tilde | Bang => true,
        _ => false,
    }
}

/// A condition that does not begin with a register.
fn condition(source: &str, tokens: &[Located<'_>], at: Span) -> Option<Diagnostic> {
    let text = |token: &Located<'_>| source.get(token.0 as usize..token.2 as usize);
    let place = |token: &Located<'_>| Span::new(at.file, token.0, token.2);
    let example = "a branch is written `if r1 == 0 goto label`";
    let goto = tokens.iter().position(|token| token.1 == Token::Goto);
    match (tokens.get(1)?.1, goto) {
        (Token::OpenParen, goto) => {
            let diagnostic =
                Diagnostic::error("a condition stands without parentheses").with_primary(at, "");
            let closing = goto.and_then(|goto| tokens.get(goto.checked_sub(1)?));
            let closing = closing.filter(|token| token.1 == Token::CloseParen);
            Some(match closing {
                Some(closing) => {
                    let edits = [at, place(closing)].map(|span| Edit {
                        span,
                        replacement: String::new(),
                    });
                    diagnostic.with_suggestion("leave the parentheses out", edits.to_vec())
                }
                None => diagnostic.with_help(example),
            })
        }
        (Token::Bang, goto) => {
            let diagnostic = Diagnostic::error("a condition compares a register with something")
                .with_primary(at, "");
            Some(match (tokens.get(2), goto) {
                (Some(&(_, Token::Register(register), end)), Some(3)) => diagnostic
                    .with_replacement(
                        Span::new(at.file, at.start, end),
                        format!("{register} == 0"),
                    ),
                _ => diagnostic.with_help(example),
            })
        }
        (Token::Number(_) | Token::Word(_), goto) => {
            let diagnostic =
                Diagnostic::error("a condition begins with a register").with_primary(at, "");
            let turned = goto.and_then(|goto| {
                let register = tokens.get(goto.checked_sub(1)?)?;
                let operator = tokens.get(2..goto - 1)?;
                let spelled: Option<String> = operator.iter().map(text).collect();
                let between = Span::new(at.file, operator.first()?.0, operator.last()?.2);
                if !matches!(register.1, Token::Register(_)) {
                    return None;
                }
                let changes = [
                    (at, text(register)?),
                    (between, turned_round(&spelled?)?),
                    (place(register), source.get(at.range())?),
                ];
                Some(changes.map(|(span, replacement)| Edit {
                    span,
                    replacement: replacement.to_owned(),
                }))
            });
            Some(match turned {
                Some(edits) => diagnostic.with_suggestion("turn it round", edits.to_vec()),
                None => diagnostic.with_help(example),
            })
        }
        _ => None,
    }
}

/// The comparison that says the same with its operands exchanged.
fn turned_round(comparison: &str) -> Option<&'static str> {
    Some(match comparison {
        "==" => "==",
        "!=" => "!=",
        "&" => "&",
        ">" => "<",
        ">=" => "<=",
        "<" => ">",
        "<=" => ">=",
        "s>" => "s<",
        "s>=" => "s<=",
        "s<" => "s>",
        "s<=" => "s>=",
        _ => return None,
    })
}
