//! Commands to memory units (NFP.md, section 3).
//!
//! The address, and what the previous result overrides, are taken when the command is issued. With a
//! swap, the context gives up the engine after the defer slots and comes back with the signal, so
//! slots may still fill the transfer registers that the command writes to memory. Without a swap,
//! data is taken at once; what a read brings is undefined until the context has waited for its
//! signal.

use super::core::{After, Core, Pending};
use super::fault::{FaultKind, HazardKind};
use super::memory::{Memory, RegionKind};
use super::operands::Moves;
use super::value::Value;
use crate::isa::{Bank, Command, CommandAction, CommandMode};

/// Addresses of the wide modes have this many bits.
const WIDE: u64 = (1 << 40) - 1;
/// Bits of an override that are modelled: data, length, length's enable bit, data's use.
const MODELLED: u32 = 0xffff_1fb8 & !(1 << 6);

/// A command whose address is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prepared {
    action: CommandAction,
    kind: RegionKind,
    address: u64,
    first: u8,
    /// Bytes that it moves.
    bytes: usize,
    /// What [`CommandAction::AddImmediate`] adds.
    data: u16,
    signal: u8,
}

/// What the previous result overrides.
#[derive(Clone, Copy, Debug, Default)]
struct Override {
    length: Option<usize>,
    data: Option<u16>,
}

impl Core {
    pub(super) fn command(
        &mut self,
        command: Command,
        memory: &mut Memory,
    ) -> Result<(), FaultKind> {
        let prepared = self.prepare(command)?;
        if let Some(slots) = command.swap {
            self.after = Some((slots, After::Command(prepared)));
            return Ok(());
        }
        let arrives = self.transfer(prepared, memory)?;
        if command.signal == 0 {
            // Nobody will know when the data is there.
            let first = usize::from(prepared.first);
            for register in self.transfer_in.iter_mut().skip(first).take(arrives.len()) {
                *register = Value::unknown(register.bits);
            }
            return Ok(());
        }
        let reads = match prepared.action {
            CommandAction::Read8 | CommandAction::Read32 | CommandAction::Read32Swap => None,
            CommandAction::AddImmediate => None,
            _ => Some((
                prepared.first,
                prepared.first + words(prepared.bytes) as u8 - 1,
            )),
        };
        let first = usize::from(prepared.first);
        for register in self.transfer_in.iter_mut().skip(first).take(arrives.len()) {
            *register = Value::unknown(register.bits);
        }
        self.pending.push(Pending {
            signal: prepared.signal,
            ready: self.now().saturating_add(self.duration(prepared, memory)),
            reads,
            arrives,
            first: prepared.first,
        });
        Ok(())
    }

    /// Takes what arrives with signals that were waited for.
    pub(super) fn settle(&mut self, signals: u16) {
        let now = self.now();
        let done =
            |pending: &Pending| signals >> (pending.signal & 15) & 1 != 0 && pending.ready <= now;
        let (arrived, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(done);
        self.pending = waiting;
        for pending in arrived {
            self.deliver(pending.first, &pending.arrives);
        }
    }

    /// Runs a command and waits for it.
    pub(super) fn command_now(
        &mut self,
        prepared: Prepared,
        memory: &mut Memory,
    ) -> Result<(), FaultKind> {
        let arrives = self.transfer(prepared, memory)?;
        self.swapped();
        self.wait(self.duration(prepared, memory));
        self.deliver(prepared.first, &arrives);
        Ok(())
    }

    fn deliver(&mut self, first: u8, values: &[Value]) {
        let registers = self.transfer_in.iter_mut().skip(usize::from(first));
        for (register, value) in registers.zip(values) {
            *register = *value;
        }
    }

    fn duration(&self, prepared: Prepared, memory: &Memory) -> u64 {
        let own = memory.latency(prepared.kind, prepared.address);
        let base = own.unwrap_or(match prepared.kind {
            RegionKind::Packet => self.latencies.packet,
            RegionKind::External => self.latencies.external,
        });
        let more = words(prepared.bytes).saturating_sub(1) as u64;
        base.saturating_add(self.latencies.word.saturating_mul(more))
    }

    fn prepare(&mut self, command: Command) -> Result<Prepared, FaultKind> {
        let mut moves = Moves::default();
        let a = self.read(command.a, Bank::A, &mut moves)?;
        let b = self.read(command.b, Bank::B, &mut moves)?;
        self.finish(moves);
        let a = u64::from(self.certain(a, HazardKind::UnknownAddress));
        let b = u64::from(self.certain(b, HazardKind::UnknownAddress));
        let (kind, address) = match command.mode {
            CommandMode::Short => (RegionKind::Packet, (a + b) & u64::from(u32::MAX)),
            CommandMode::WideA => (RegionKind::External, ((a << 8) + b) & WIDE),
            CommandMode::WideB => (RegionKind::External, ((b << 8) + a) & WIDE),
        };
        let over = if command.indirect {
            self.overridden()?
        } else {
            Override::default()
        };
        let units = over.length.unwrap_or(usize::from(command.length) + 1);
        let bytes = match command.action {
            CommandAction::Read8 | CommandAction::Write8Swap => units,
            CommandAction::Read32 | CommandAction::Read32Swap | CommandAction::Write32Swap => {
                units * 4
            }
            // An override says it in the same bits of its own.
            CommandAction::Add | CommandAction::AddImmediate => match over
                .length
                .map_or(usize::from(command.length), |length| (length - 1) & 7)
            {
                0 => 4,
                4 => 8,
                _ => return Err(FaultKind::Unsupported("an addition of several words")),
            },
        };
        let data = match command.action {
            CommandAction::AddImmediate => over
                .data
                .ok_or(FaultKind::Unsupported("an addition of no number"))?,
            _ => 0,
        };
        let first = usize::from(command.transfer);
        let last = first + words(bytes) - 1;
        if last >= self.transfer_in.len() {
            return Err(FaultKind::Transfer { first, last });
        }
        Ok(Prepared {
            action: command.action,
            kind,
            address,
            first: command.transfer,
            bytes,
            data,
            signal: command.signal,
        })
    }

    fn overridden(&mut self) -> Result<Override, FaultKind> {
        let previous = self.previous;
        let used = match previous.bits >> 3 & 7 {
            0 => previous.masked(0xffff),
            _ => previous,
        };
        let bits = self.certain(used, HazardKind::UnknownAddress);
        if bits & 0xffff & !MODELLED != 0 {
            return Err(FaultKind::Unsupported("this override of a command"));
        }
        let length = (bits >> 7 & 1 != 0).then_some((bits >> 8 & 31) as usize + 1);
        let data = match bits >> 3 & 7 {
            0 => None,
            2 => Some((bits >> 16) as u16),
            _ => return Err(FaultKind::Unsupported("this override of a command's data")),
        };
        Ok(Override { length, data })
    }

    /// Moves the data; gives what a read brings.
    fn transfer(
        &mut self,
        prepared: Prepared,
        memory: &mut Memory,
    ) -> Result<Vec<Value>, FaultKind> {
        let Prepared {
            kind,
            address,
            bytes,
            ..
        } = prepared;
        self.charge(|count| count.accesses = count.accesses.saturating_add(1));
        let swap = match prepared.action {
            CommandAction::Read8 | CommandAction::Read32 => false,
            CommandAction::Read32Swap => true,
            CommandAction::Write8Swap | CommandAction::Write32Swap => {
                let out = self.outgoing(prepared.first, bytes);
                memory.write(kind, address, bytes)?.copy_from_slice(&out);
                return Ok(Vec::new());
            }
            CommandAction::Add => {
                let out = self.outgoing(prepared.first, bytes);
                add(memory, kind, address, little(&out), bytes)?;
                return Ok(Vec::new());
            }
            CommandAction::AddImmediate => {
                add(memory, kind, address, prepared.data.into(), bytes)?;
                return Ok(Vec::new());
            }
        };
        let found = memory.read(kind, address, bytes)?;
        let value = |chunk: &[u8]| {
            let mut whole = [0; 4];
            for (place, byte) in whole.iter_mut().zip(chunk) {
                *place = *byte;
            }
            // Bytes that a short read does not reach are whatever was there.
            let mut missing = [0xff; 4];
            for place in missing.iter_mut().take(chunk.len()) {
                *place = 0;
            }
            let word = |bytes: [u8; 4]| {
                if swap {
                    u32::from_le_bytes(bytes)
                } else {
                    u32::from_be_bytes(bytes)
                }
            };
            Value {
                bits: word(whole),
                unknown: word(missing),
            }
        };
        Ok(found.chunks(4).map(value).collect())
    }

    /// Bytes that go to memory, each word's lowest first.
    fn outgoing(&mut self, first: u8, size: usize) -> Vec<u8> {
        let registers = self.transfer_out.iter().skip(usize::from(first));
        let (mut bytes, mut unknown) = (Vec::new(), Vec::new());
        for value in registers.take(words(size)) {
            bytes.extend(value.bits.to_le_bytes());
            unknown.extend(value.unknown.to_le_bytes());
        }
        bytes.truncate(size);
        unknown.truncate(size);
        if unknown.iter().any(|byte| *byte != 0) {
            self.hazard(HazardKind::UnknownData);
        }
        bytes
    }
}

/// Words that hold so many bytes.
fn words(bytes: usize) -> usize {
    bytes.div_ceil(4).max(1)
}

fn little(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Adds to a number of one or two words. Each word lies with its highest byte first, the low word
/// before the high one (NFP.md, section 6).
fn add(
    memory: &mut Memory,
    kind: RegionKind,
    address: u64,
    by: u64,
    size: usize,
) -> Result<(), FaultKind> {
    let place = memory.write(kind, address, size)?;
    let mut bytes = Vec::with_capacity(size);
    for word in place.chunks(4) {
        bytes.extend(word.iter().rev());
    }
    let sum = little(&bytes).wrapping_add(by);
    let new = sum.to_le_bytes();
    for (word, new) in place.chunks_mut(4).zip(new.chunks(4)) {
        for (byte, new) in word.iter_mut().zip(new.iter().rev()) {
            *byte = *new;
        }
    }
    if kind == RegionKind::External {
        for word in 0..size as u64 / 4 {
            memory.note_added(address + 4 * word);
        }
    }
    Ok(())
}
