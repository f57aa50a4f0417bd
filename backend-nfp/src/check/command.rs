//! Commands to memory units: address, overrides, transfer registers.

use super::state::{Flags, Moves, Signal};
use super::step::{After, Next, Step};
use super::value::Value;
use super::violation::{Rule, Use};
use crate::isa::{Bank, Command, CommandAction};

/// Transfer registers of a context.
const TRANSFERS: usize = 64;

/// A command whose fields are known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    moves: Moves,
}

/// What the previous result overrides.
#[derive(Clone, Copy, Debug, Default)]
struct Override {
    length: Option<usize>,
    data: bool,
}

impl Step<'_> {
    pub(super) fn command(&mut self, command: Command, fresh: bool) -> Next {
        for (operand, bank) in [(command.a, Bank::A), (command.b, Bank::B)] {
            let value = self.read(operand, bank);
            self.used(value, u32::MAX, Use::Address);
        }
        let over = if command.indirect {
            self.overridden(fresh)
        } else {
            Override::default()
        };
        let moves = self.moves(command, over);
        if let Some(slots) = command.swap {
            if command.signal == 0 {
                self.broken(Rule::Signal(0));
            }
            return Next::Slots(slots, After::Command(Prepared { moves }));
        }
        if let Moves::Reads { first, bytes } = moves {
            self.outgoing(first, bytes);
        }
        if let Moves::Fills { first, bytes, .. } = moves {
            // Until the signal, nobody knows what is there.
            for register in self.filled(first, bytes) {
                *register = Value::UNDEFINED;
            }
        }
        if command.signal != 0 {
            let place = usize::from(command.signal & 15);
            if self.state.signals[place] != Signal::Idle {
                self.broken(Rule::Signal(command.signal));
            }
            self.state.signals[place] = Signal::Awaited(moves);
        }
        Next::On
    }

    /// After the defer slots of a command with a swap.
    pub(super) fn complete(&mut self, prepared: Prepared) {
        // Nobody has said that condition codes live through a wait.
        self.state.flags = Flags::default();
        if let Moves::Reads { first, bytes } = prepared.moves {
            self.outgoing(first, bytes);
        }
        self.arrive(prepared.moves);
    }

    /// What a command fills is there.
    pub(super) fn arrive(&mut self, moves: Moves) {
        let Moves::Fills { first, bytes, swap } = moves else {
            return;
        };
        let mut left = bytes;
        for register in self.filled(first, bytes) {
            // A short read leaves the bytes that come last as they were.
            let missing = 8 * 4usize.saturating_sub(left) as u32;
            let undefined = match missing {
                0 => 0,
                bits if swap => u32::MAX.wrapping_shl(32 - bits),
                bits => u32::MAX.wrapping_shr(32 - bits),
            };
            *register = Value::ANY.spoiled(undefined);
            left = left.saturating_sub(4);
        }
    }

    fn filled(&mut self, first: u8, bytes: usize) -> impl Iterator<Item = &mut Value> {
        let registers = self.state.transfer_in.iter_mut();
        registers.skip(usize::from(first)).take(words(bytes))
    }

    /// Data that a command takes from transfer registers.
    fn outgoing(&mut self, first: u8, bytes: usize) {
        let mut left = bytes;
        for register in (first..).take(words(bytes)) {
            let value = self
                .state
                .transfer_out
                .get(usize::from(register))
                .copied()
                .unwrap_or(Value::ANY);
            let bits = match left {
                0..4 => (1 << (8 * left)) - 1,
                _ => u32::MAX,
            };
            self.used(value, bits, Use::Data(register));
            left = left.saturating_sub(4);
        }
    }

    /// A transfer register is written.
    pub(super) fn in_flight(&mut self, register: u8) {
        let number = usize::from(register);
        let busy = self.state.signals.iter().any(|signal| match signal {
            Signal::Awaited(Moves::Reads { first, bytes }) => {
                let first = usize::from(*first);
                (first..first + words(*bytes)).contains(&number)
            }
            _ => false,
        });
        if busy {
            self.broken(Rule::InFlight(register));
        }
    }

    fn overridden(&mut self, fresh: bool) -> Override {
        if !fresh {
            self.broken(Rule::NoPrevious);
            return Override::default();
        }
        let previous = self.state.previous;
        self.used(previous, 0xffff, Use::Override);
        let Some(bits) = previous.low_bits(16) else {
            if previous.undefined & 0xffff == 0 {
                self.broken(Rule::Override(
                    "its low half does not follow from the words",
                ));
            }
            return Override::default();
        };
        let data = match bits >> 3 & 7 {
            0 => false,
            2 => true,
            _ => {
                self.broken(Rule::Override("this use of its data"));
                false
            }
        };
        if data {
            self.used(previous, 0xffff_0000, Use::Override);
        }
        // Bit 7 enables the length in bits 12:8; what else there is, no program overrides.
        if bits & !0x1fb8 != 0 {
            self.broken(Rule::Override("more than length and data"));
        }
        let length = (bits >> 7 & 1 != 0).then_some((bits >> 8 & 31) as usize + 1);
        Override { length, data }
    }

    fn moves(&mut self, command: Command, over: Override) -> Moves {
        let units = over.length.unwrap_or(usize::from(command.length) + 1);
        let first = command.transfer;
        let fills = |bytes: usize, swap: bool| Moves::Fills { first, bytes, swap };
        if over.data && command.action != CommandAction::AddImmediate {
            self.broken(Rule::Override("data of a command that has none"));
        }
        let moves = match command.action {
            CommandAction::Read8 => fills(units, false),
            CommandAction::Read32 => fills(4 * units, false),
            CommandAction::Read32Swap => fills(4 * units, true),
            CommandAction::Write8Swap => Moves::Reads {
                first,
                bytes: units,
            },
            CommandAction::Write32Swap => Moves::Reads {
                first,
                bytes: 4 * units,
            },
            CommandAction::Add | CommandAction::AddImmediate => {
                // The driver overrides the length of an addition of a number, by 8 and the bit for
                // 64 bits, less one.
                let overridden = over.length.is_some_and(|length| {
                    command.action == CommandAction::Add || !matches!(length, 9 | 13)
                });
                if !matches!(command.length, 0 | 4) || overridden {
                    self.broken(Rule::Unsupported("an addition of several words"));
                }
                if command.action == CommandAction::AddImmediate {
                    if !over.data {
                        self.broken(Rule::Override("an addition of no number"));
                    }
                    Moves::Nothing
                } else {
                    let bytes = if command.length == 4 { 8 } else { 4 };
                    Moves::Reads { first, bytes }
                }
            }
        };
        let (bytes, limit) = match moves {
            Moves::Fills { bytes, .. } => (bytes, self.rules.transfers_in),
            Moves::Reads { bytes, .. } => (bytes, TRANSFERS as u8),
            Moves::Nothing => return moves,
        };
        let first = usize::from(first);
        let last = first + words(bytes) - 1;
        if last >= usize::from(limit) {
            self.broken(Rule::Transfers { first, last });
        }
        moves
    }
}

/// Registers that hold so many bytes.
fn words(bytes: usize) -> usize {
    bytes.div_ceil(4).max(1)
}
