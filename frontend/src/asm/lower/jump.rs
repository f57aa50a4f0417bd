//! Jumps and calls: where they go.

use bpf::diagnostic::Diagnostic;
use bpf::insn::{CallTarget, Insn};

use super::super::Syntax;
use super::super::assembler::{Assembler, FixupKind};
use super::super::ast::{Expr, Node};
use super::Lowered;

impl Assembler<'_> {
    pub(super) fn call(&mut self, target: Expr) -> Result<Lowered, Diagnostic> {
        match self.number_unless_symbol(target, "a call's target")? {
            Some(number) => {
                let number =
                    self.fit_imm32(number, target.span, "a helper's number has 32 bits")?;
                let target = CallTarget::Helper(number);
                Ok((Insn::Call { target }, None))
            }
            None => {
                let insn = Insn::Call {
                    target: CallTarget::Subprogram(-1),
                };
                Ok((insn, Some((FixupKind::Call, target))))
            }
        }
    }

    pub(super) fn call_local(&mut self, target: Expr) -> Result<Lowered, Diagnostic> {
        let (distance, fixup) = match self.number_unless_symbol(target, "a call's target")? {
            Some(number) => (
                self.fit_imm32(number, target.span, "a helper's number has 32 bits")?,
                None,
            ),
            None => (-1, Some((FixupKind::Call, target))),
        };
        let target = CallTarget::Subprogram(distance);
        Ok((Insn::Call { target }, fixup))
    }

    pub(super) fn call_kernel(&mut self, number: Expr) -> Result<Lowered, Diagnostic> {
        let what = "the number of a kernel function";
        let target = CallTarget::Kfunc(match self.number_unless_symbol(number, what)? {
            Some(value) => self.fit_imm32(value, number.span, "a helper's number has 32 bits")?,
            None => return Err(self.not_a_number(number, what)),
        });
        Ok((Insn::Call { target }, None))
    }

    /// The number of slots that a long jump goes over, which LLVM takes in 16 bits only.
    pub(super) fn long_distance(&self, target: Expr) -> Option<i32> {
        match self.options.syntax {
            Syntax::Llvm => None,
            Syntax::Classic => i32::try_from(self.arena.literal(target)?).ok(),
        }
    }

    /// A jump's target: a number of slots, or a label.
    pub(super) fn target(
        &mut self,
        target: Expr,
        kind: FixupKind,
    ) -> Result<(i16, Option<(FixupKind, Expr)>), Diagnostic> {
        let here = self
            .arena
            .nodes(target)
            .iter()
            .any(|node| node.value == Node::Here);
        if here {
            return Err(Diagnostic::error(
                "a jump's target is a label or a number of instructions",
            )
            .with_primary(target.span, "`.` is neither")
            .with_help("`goto +0` goes to the next instruction"));
        }
        if self.options.syntax == Syntax::Classic {
            self.meet_implicit_exit(target);
        }
        if let Some(number) = self.number_unless_symbol(target, "a jump's target")? {
            return match i16::try_from(number) {
                Ok(offset) => Ok((offset, None)),
                Err(_) => {
                    let diagnostic = Diagnostic::error(format!(
                        "a jump over {number} instructions does not fit 16 bits"
                    ))
                    .with_primary(target.span, "from -32768 to 32767");
                    Err(match kind {
                        FixupKind::LongBranch => {
                            diagnostic.with_help("a `gotol` reaches further when it names a label")
                        }
                        _ => diagnostic.with_help("`gotol label` reaches further (cpu v4)"),
                    })
                }
            };
        }
        match self.arena.single(target) {
            Some(Node::Place(_)) => Ok((0, Some((kind, target)))),
            _ => Err(
                Diagnostic::error("a jump's target is a label, without any arithmetic")
                    .with_primary(target.span, ""),
            ),
        }
    }
}
