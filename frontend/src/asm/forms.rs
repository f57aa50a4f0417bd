//! The plain instructions, read without the grammar.
//!
//! Nearly all lines of a long file are one of a dozen shapes: an operation on a register, a load, a
//! store, a branch, a call. They are recognised here by their tokens, which costs a fraction of what
//! the tables of the grammar do. The grammar stays the definition of the language: whatever is not
//! exactly one of these shapes is left to it, and with it every message about what is wrong. A
//! test holds the two against each other: what is read here is, node for node, what the grammar
//! makes of the same tokens.
//!
//! Cost: each token is looked at once or twice.

use bpf::diagnostic::{FileId, Span};
use bpf::insn::{AluOp, Cond, MemWidth};

use super::ast::{
    Address, Arena, Expr, Instruction, JumpKind, Node, Operand, RegisterOperand, Spanned, UnaryOp,
};
use super::parse::Located;
use super::token::{Number, Token};

/// The instruction that the tokens are, if it is a plain one. Nodes may have been added to the
/// arena when it is none.
pub fn plain(tokens: &[Located<'_>], file: FileId, arena: &mut Arena) -> Option<Instruction> {
    let mut forms = Forms { file, arena };
    match *tokens {
        [(_, Token::Exit, _)] => Some(Instruction::Exit),
        [dst @ (_, Token::Register(_), _), ref rest @ ..] => forms.assignment(&dst, rest),
        [(_, Token::Star, _), ref rest @ ..] => forms.store(rest),
        [(_, Token::If, _), ref dst, ref rest @ ..] => forms.branch(dst, rest),
        [(_, Token::Goto, _), ref target @ ..] => Some(Instruction::Jump {
            kind: JumpKind::Goto,
            target: forms.value(target)?,
        }),
        [(_, Token::Call, _), ref target @ ..] => Some(Instruction::Call {
            target: forms.value(target)?,
        }),
        _ => None,
    }
}

struct Forms<'a> {
    file: FileId,
    arena: &'a mut Arena,
}

impl Forms<'_> {
    /// `r1 = …`, `r1 += …`, after the register.
    fn assignment(&mut self, dst: &Located<'_>, rest: &[Located<'_>]) -> Option<Instruction> {
        let dst = self.register(dst)?;
        let (op, rest) = operation(rest)?;
        match *rest {
            [(_, Token::Star, _), ref rest @ ..] if op == AluOp::Mov => {
                let (width, signed, rest) = self.pointer(rest)?;
                let (address, rest) = self.address(rest)?;
                rest.is_empty().then_some(Instruction::Load {
                    dst,
                    width,
                    signed,
                    address,
                })
            }
            [ref value @ .., (_, Token::Wide, _)] if op == AluOp::Mov => {
                let value = self.value(value)?;
                Some(Instruction::LoadWide { dst, value })
            }
            _ => {
                let src = self.operand(rest)?;
                Some(Instruction::Alu { dst, op, src })
            }
        }
    }

    /// `*(u64 *)(r1 + 8) = …`, after the star.
    fn store(&mut self, rest: &[Located<'_>]) -> Option<Instruction> {
        let (width, signed, rest) = self.pointer(rest)?;
        let (address, rest) = self.address(rest)?;
        let [(_, Token::Assign, _), src @ ..] = rest else {
            return None;
        };
        let src = self.operand(src)?;
        Some(Instruction::Store {
            width,
            signed,
            address,
            src,
        })
    }

    /// `if r1 == … goto …`, after the register.
    fn branch(&mut self, dst: &Located<'_>, rest: &[Located<'_>]) -> Option<Instruction> {
        let dst = self.register(dst)?;
        let (cond, rest) = self.condition(rest)?;
        let goto = rest.iter().position(|token| token.1 == Token::Goto)?;
        let src = self.operand(rest.get(..goto)?)?;
        let target = self.value(rest.get(goto + 1..)?)?;
        Some(Instruction::Branch {
            dst,
            cond,
            src,
            target,
        })
    }

    fn register(&self, token: &Located<'_>) -> Option<RegisterOperand> {
        match *token {
            (start, Token::Register(value), end) => Some(Spanned {
                value,
                span: Span::new(self.file, start, end),
            }),
            _ => None,
        }
    }

    fn operand(&mut self, tokens: &[Located<'_>]) -> Option<Operand> {
        match tokens {
            [only @ (_, Token::Register(_), _)] => self.register(only).map(Operand::Register),
            _ => self.value(tokens).map(Operand::Value),
        }
    }

    /// A number with at most one sign, or a name.
    fn value(&mut self, tokens: &[Located<'_>]) -> Option<Expr> {
        match *tokens {
            [(start, Token::Number(Number::Integer(value)), end)] => Some(
                self.arena
                    .leaf(Node::Number(value), Span::new(self.file, start, end)),
            ),
            [(start, Token::Word(name), end)] => {
                let node = Node::Symbol(self.arena.intern(name));
                Some(self.arena.leaf(node, Span::new(self.file, start, end)))
            }
            [ref sign, ref number] => self.signed(sign, number),
            _ => None,
        }
    }

    fn signed(&mut self, sign: &Located<'_>, number: &Located<'_>) -> Option<Expr> {
        let (start, op) = match *sign {
            (start, Token::Minus, _) => (start, UnaryOp::Negate),
            (start, Token::Plus, _) => (start, UnaryOp::Plus),
            _ => return None,
        };
        let (digits, Token::Number(Number::Integer(value)), end) = *number else {
            return None;
        };
        let place = Span::new(self.file, digits, end);
        let number = self.arena.leaf(Node::Number(value), place);
        let whole = Span::new(self.file, start, end);
        Some(self.arena.unary(op, number, whole))
    }

    /// `(u64 *)`, and what follows it.
    fn pointer<'t, 's>(
        &self,
        tokens: &'t [Located<'s>],
    ) -> Option<(Spanned<MemWidth>, bool, &'t [Located<'s>])> {
        let [
            (_, Token::OpenParen, _),
            (start, width, end),
            (_, Token::Star, _),
            (_, Token::CloseParen, _),
            rest @ ..,
        ] = tokens
        else {
            return None;
        };
        let (value, signed) = match *width {
            Token::Unsigned(width) => (width, false),
            Token::Signed(width) => (width, true),
            _ => return None,
        };
        let span = Span::new(self.file, *start, *end);
        Some((Spanned { value, span }, signed, rest))
    }

    /// `(r1 + 8)`, and what follows it.
    fn address<'t, 's>(
        &mut self,
        tokens: &'t [Located<'s>],
    ) -> Option<(Address, &'t [Located<'s>])> {
        let [
            (start, Token::OpenParen, _),
            base,
            sign,
            number,
            (_, Token::CloseParen, end),
            rest @ ..,
        ] = tokens
        else {
            return None;
        };
        let address = Address {
            base: self.register(base)?,
            offset: Some(self.signed(sign, number)?),
            span: Span::new(self.file, *start, *end),
        };
        Some((address, rest))
    }

    fn condition<'t, 's>(
        &self,
        tokens: &'t [Located<'s>],
    ) -> Option<(Spanned<Cond>, &'t [Located<'s>])> {
        let &(start, first, mut end) = tokens.first()?;
        let mut rest = tokens.get(1..)?;
        let value = match first {
            Token::Equal => Cond::Eq,
            Token::NotEqual => Cond::Ne,
            Token::Greater => Cond::Gt,
            Token::GreaterEqual => Cond::Ge,
            Token::Less => Cond::Lt,
            Token::LessEqual => Cond::Le,
            Token::And => Cond::Set,
            Token::S => {
                let (second, after) = rest.split_first()?;
                (end, rest) = (second.2, after);
                match second.1 {
                    Token::Greater => Cond::Sgt,
                    Token::GreaterEqual => Cond::Sge,
                    Token::Less => Cond::Slt,
                    Token::LessEqual => Cond::Sle,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let span = Span::new(self.file, start, end);
        Some((Spanned { value, span }, rest))
    }
}

/// `=`, `+=`, `s>>=` …, and what follows it.
fn operation<'t, 's>(tokens: &'t [Located<'s>]) -> Option<(AluOp, &'t [Located<'s>])> {
    let (op, rest) = match tokens {
        [(_, Token::Assign, _), rest @ ..] => return Some((AluOp::Mov, rest)),
        [(_, Token::S, _), (_, op, _), rest @ ..] => match op {
            Token::Slash => (AluOp::Sdiv, rest),
            Token::Percent => (AluOp::Smod, rest),
            Token::ShiftRight => (AluOp::Arsh, rest),
            _ => return None,
        },
        [(_, op, _), rest @ ..] => {
            let op = match op {
                Token::Plus => AluOp::Add,
                Token::Minus => AluOp::Sub,
                Token::Star => AluOp::Mul,
                Token::Slash => AluOp::Div,
                Token::Percent => AluOp::Mod,
                Token::And => AluOp::And,
                Token::Or => AluOp::Or,
                Token::Caret => AluOp::Xor,
                Token::ShiftLeft => AluOp::Lsh,
                Token::ShiftRight => AluOp::Rsh,
                _ => return None,
            };
            (op, rest)
        }
        [] => return None,
    };
    match rest {
        [(_, Token::Assign, _), rest @ ..] => Some((op, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use logos::Logos as _;

    use super::super::grammar::InstructionParser;
    use super::super::token::{first_word, reserved_word};
    use super::*;

    const REGISTERS: [&str; 5] = ["r0", "r10", "w3", "r7", "w11"];
    const VALUES: [&str; 11] = [
        "0",
        "-1",
        "+ 5",
        "0x7f",
        "'a'",
        "18446744073709551615",
        "label",
        "u8",
        "1f",
        "-(1)",
        "2*3",
    ];
    const OPERATORS: [&str; 22] = [
        "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "s>>=", "s/=", "s%=",
        "==", "s<<=", "s=", "s+=", "< <=", "> >=", "=+", "+",
    ];
    const CONDITIONS: [&str; 17] = [
        "==", "!=", ">", ">=", "<", "<=", "&", "s>", "s>=", "s<", "s<=", "s==", "= =", "> =", "=",
        "s&", "!",
    ];
    const WIDTHS: [&str; 8] = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"];
    const ADDRESSES: [&str; 9] = [
        "(r1 + 8)",
        "(w2 - 0x10)",
        "(r10 -8)",
        "(r1)",
        "(r1 + label)",
        "(r1 + -1)",
        "(3 + r1)",
        "[r1 + 1]",
        "(r1 + 1",
    ];

    fn tokens(text: &str) -> Option<Vec<Located<'_>>> {
        let mut tokens = Vec::new();
        for (token, range) in Token::lexer(text).spanned() {
            let token = match token.ok()? {
                Token::Word(word) if tokens.is_empty() => first_word(word)?,
                Token::Word(word) => reserved_word(word).unwrap_or(Token::Word(word)),
                other => other,
            };
            tokens.push((range.start as u32, token, range.end as u32));
        }
        Some(tokens)
    }

    /// Whether a text is plain; it panics if the grammar reads something else.
    fn agrees(text: &str, parser: &InstructionParser) -> bool {
        let Some(tokens) = tokens(text) else {
            return false;
        };
        let mut arena = Arena::default();
        let Some(quick) = plain(&tokens, FileId(0), &mut arena) else {
            return false;
        };
        let mut other = Arena::default();
        let stream = tokens.iter().map(|token| Ok(*token));
        let slow = parser.parse(&mut other, FileId(0), stream);
        let slow = slow
            .map_err(|_| ())
            .map(|found| format!("{found:?} {other:?}"));
        assert_eq!(slow, Ok(format!("{quick:?} {arena:?}")), "{text}");
        true
    }

    fn texts() -> Vec<String> {
        let mut texts = vec!["exit".to_owned(), "exit 0".to_owned()];
        let operands = || REGISTERS.iter().chain(&VALUES);
        for register in REGISTERS {
            for operand in operands() {
                for operator in OPERATORS {
                    texts.push(format!("{register} {operator} {operand}"));
                }
                for condition in CONDITIONS {
                    for target in ["label", "+3", "-4", "7", "goto", "x+1", ""] {
                        texts.push(format!("if {register} {condition} {operand} goto {target}"));
                    }
                }
            }
            for width in WIDTHS {
                for address in ADDRESSES {
                    texts.push(format!("{register} = *({width} *){address}"));
                    texts.push(format!("{register} += *({width} *){address}"));
                    texts.push(format!("{register} = *({width} *){address} + 1"));
                    for operand in operands() {
                        texts.push(format!("*({width} *){address} = {operand}"));
                    }
                }
            }
        }
        for value in VALUES {
            texts.push(format!("r1 = {value} ll"));
            texts.push(format!("r1 += {value} ll"));
            texts.push(format!("goto {value}"));
            texts.push(format!("call {value}"));
            texts.push(format!("call {value} ll"));
        }
        texts
    }

    #[test]
    fn the_grammar_reads_the_same() {
        let parser = InstructionParser::new();
        let texts = texts();
        let plain = texts.iter().filter(|text| agrees(text, &parser)).count();
        // A quarter of the texts are no plain instructions, or none at all.
        assert!(plain * 4 > texts.len(), "{plain} of {}", texts.len());
        assert!(plain * 4 < texts.len() * 3, "{plain} of {}", texts.len());
    }
}
