//! A card with one program at a time.

use super::abi::Abi;
use super::maps::{Allocator, DeviceMap};
use super::verdict::Verdict;
use crate::isa::Bank;
use crate::sim::{
    Core, Cycles, Fault, FaultKind, Hazard, HazardKind, LMEM_WORDS, Limits, Memory, Profile,
    Program, Region, RegionKind, Value,
};

/// First address of maps in external memory: 40 bits, of which the low eight are not all zero, so that
/// the two parts of a pointer matter.
const EXTERNAL: u64 = 0x81_2345_6740;
/// Set where a packet's buffer is allocated, in the packet vector's address word.
const ALLOCATED: u32 = 1 << 31;
/// Ends a packet's length in the packet vector, and its offset in the address word.
const LENGTH: u32 = 0x3fff;
const OFFSET: u32 = 0x1fff;

/// A record that a program sent to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Number of the map.
    pub map: u32,
    /// Data, and packet bytes behind them.
    pub bytes: Vec<u8>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The packet afterwards.
    pub packet: Vec<u8>,
    /// The receive queue that the program asked for.
    pub queue: Option<u8>,
    /// The BPF result register when it is noted ([`Card::watch`]).
    pub result: Option<(Value, Value)>,
    /// How long it took.
    pub cycles: Cycles,
    /// Instructions executed.
    pub steps: u64,
    /// What the program depends on and the machine leaves undefined.
    pub hazards: Vec<Hazard>,
    /// The firmware's registers that the program changed.
    pub clobbered: Vec<(Bank, u8)>,
    /// Byte addresses of local memory outside of stack and packet vector that the program changed.
    pub stray: Vec<u32>,
}

/// Where the BPF result is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// It is not noted.
    #[default]
    Nowhere,
    /// In A0 and A1, when control first comes to an address.
    Address(u32),
    /// In outgoing transfer registers at the end, low and high word.
    Out([u8; 2]),
}

/// A card.
#[derive(Clone, Debug)]
pub struct Card {
    /// The firmware's side of the contract.
    pub abi: Abi,
    /// What ends a run.
    pub limits: Limits,
    /// Start of the pseudo-random numbers.
    pub seed: u64,
    /// Nanoseconds that its clock shows.
    pub clock: u64,
    /// What undefined registers and memory hold.
    pub pattern: u32,
    /// Where the BPF result is noted.
    pub watch: Watch,
    /// What each word of the program costs, over all packets; by default, nobody counts.
    pub profile: Option<Profile>,
    pub(super) memory: Memory,
    pub(super) maps: Vec<DeviceMap>,
    pub(super) free: Allocator,
    pub(super) records: Vec<Record>,
}

impl Card {
    /// A card without maps.
    #[must_use]
    pub fn new(abi: Abi) -> Card {
        let left = abi.map_bytes;
        Card {
            abi,
            limits: Limits::default(),
            seed: 1,
            clock: bpf::interp::Options::default().clock,
            pattern: 0xdead_beef,
            watch: Watch::Nowhere,
            profile: None,
            memory: Memory::default(),
            maps: Vec::new(),
            free: Allocator {
                next: EXTERNAL,
                left,
            },
            records: Vec::new(),
        }
    }

    /// Adds a map.
    pub fn add_map(&mut self, mut map: DeviceMap) {
        map.put(&mut self.memory, &mut self.free);
        self.maps.push(map);
    }

    /// The maps.
    #[must_use]
    pub fn maps(&self) -> &[DeviceMap] {
        &self.maps
    }

    /// Writes an element from the host; gives what an update returns.
    pub fn map_update(&mut self, id: u32, key: &[u8], value: &[u8]) -> i64 {
        match self.maps.iter_mut().find(|map| map.id == id) {
            Some(map) => {
                let value = map.turned(value);
                map.update(&mut self.memory, &mut self.free, key, &value, 0)
            }
            None => -2,
        }
    }

    /// Keys and values of a map as the host sees them.
    pub fn map_contents(&mut self, id: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        match self.maps.iter().find(|map| map.id == id) {
            Some(map) => map.contents(&mut self.memory),
            None => Vec::new(),
        }
    }

    /// Learns from what ran so far which words of the maps' values are added to; what the maps hold
    /// is read accordingly from now on.
    pub fn learn_atomic_words(&mut self) {
        for map in &mut self.maps {
            map.learn(&self.memory);
        }
    }

    /// Records so far, and forgets them.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Runs a program on a packet.
    ///
    /// # Errors
    /// [`Fault`]
    pub fn run(&mut self, program: &Program, packet: &[u8]) -> Result<Outcome, Fault> {
        let mut core = Core::new(self.abi.latencies, self.limits, self.pattern);
        core.seed(self.seed);
        core.stop_at = match self.watch {
            Watch::Address(at) => Some(at),
            _ => None,
        };
        self.receive(&mut core, packet);
        let before = core.clone();
        core.set_profile(self.profile.take());
        let followed = self.follow(&mut core, program);
        self.profile = core.take_profile();
        self.done(core, &before, followed?)
    }

    /// Follows a program to its end; gives the BPF result if it is noted.
    fn follow(
        &mut self,
        core: &mut Core,
        program: &Program,
    ) -> Result<Option<(Value, Value)>, Fault> {
        let mut result = None;
        let mut calls = 0;
        let mut at = program.start();
        loop {
            at = core.run(program, &mut self.memory, at)?;
            if at == u32::from(self.abi.done) {
                if let Watch::Out([low, high]) = self.watch {
                    result = Some((core.transfer_out(low), core.transfer_out(high)));
                }
                return Ok(result);
            }
            if Some(at) == core.stop_at && program.at(at).is_some() {
                let registers = (core.gpr(Bank::A, 0), core.gpr(Bank::A, 1));
                result = Some(registers);
                core.stop_at = None;
                continue;
            }
            let helper = self
                .abi
                .helpers
                .iter()
                .find(|(_, address)| u32::from(*address) == at);
            let Some((number, _)) = helper.copied() else {
                return Err(core.fault(FaultKind::Target(at)));
            };
            // A helper may return to a helper, and so on without an instruction of the program.
            calls += 1;
            if calls > self.limits.steps {
                return Err(core.fault(FaultKind::StepLimit(self.limits.steps)));
            }
            at = self.helper(core, number)?;
        }
    }

    /// Sets up the packet and the registers as the firmware does before it enters a program.
    fn receive(&mut self, core: &mut Core, packet: &[u8]) {
        let abi = &self.abi;
        let address = self.buffer() | u32::from(abi.packet_offset) & OFFSET;
        let length = packet.len() as u32 & LENGTH;
        let mut bytes = vec![0; usize::from(abi.packet_offset)];
        bytes.extend_from_slice(packet);
        bytes.resize(bytes.len() + abi.packet_slack, 0);
        let region = Region {
            writable: true,
            latency: None,
            bytes,
            behind: 0,
        };
        self.memory
            .insert(RegionKind::Packet, self.buffer().into(), region);

        let number = u32::from(abi.packet_number) << 16;
        let vector = [length | number, 0, address, 0, 0, 0, 0, 0];
        for (word, value) in (0..).zip(vector) {
            core.local
                .set_word(abi.packet_vector.wrapping_add(4 * word), value.into());
        }
        for (index, base) in (0..).zip([abi.stack, abi.packet_vector, abi.metadata]) {
            core.local.set_index(index, base.into(), 0);
        }
        core.set_gpr(Bank::A, 22, abi.stack.into());
        for (bank, register) in &abi.live {
            let mark = 0x4c49_0000 | u32::from(*register) << 1 | *bank as u32;
            core.set_gpr(*bank, *register, mark.into());
        }
    }

    /// Address of the packet's buffer.
    fn buffer(&self) -> u32 {
        ALLOCATED | u32::from(self.abi.packet_number) << 16
    }

    /// Bytes of the packet from its start, where packet vector and memory say that it is.
    pub(super) fn packet(&mut self, core: &Core, length: Option<usize>) -> Result<Vec<u8>, Fault> {
        let word = |word: u32| vector_word(core, &self.abi, word);
        let (whole, address) = ((word(0) & LENGTH) as usize, word(2));
        let length = length.unwrap_or(whole).min(whole);
        let bytes = self
            .memory
            .read(RegionKind::Packet, address.into(), length)
            .map_err(|kind| core.fault(kind))?;
        Ok(bytes.to_vec())
    }

    fn done(
        &mut self,
        mut core: Core,
        before: &Core,
        result: Option<(Value, Value)>,
    ) -> Result<Outcome, Fault> {
        let verdict = core.gpr(Bank::A, 0);
        if !verdict.is_known() {
            core.hazard(HazardKind::UnknownVerdict);
        }
        let packet = self.packet(&core, None)?;
        let abi = &self.abi;
        let word = |word: u32| vector_word(&core, abi, word);
        // Bit 4 of the flags: a queue is chosen.
        let queue = (word(4) >> 4 & 1 != 0).then(|| word(6) as u8);
        let clobbered = abi
            .live
            .iter()
            .filter(|(bank, register)| core.gpr(*bank, *register) != before.gpr(*bank, *register))
            .copied()
            .collect();
        let ours = |address: &u32| {
            let within = |base: u32, size: u32| address.wrapping_sub(base) < size;
            within(abi.stack, abi.stack_size) || within(abi.packet_vector, 32)
        };
        let stray = (0..LMEM_WORDS as u32)
            .map(|word| 4 * word)
            .filter(|address| !ours(address))
            .filter(|address| core.local.word(*address) != before.local.word(*address))
            .collect();
        Ok(Outcome {
            verdict: Verdict::decode(verdict.bits),
            packet,
            queue,
            result,
            cycles: core.cycles(),
            steps: core.steps(),
            hazards: core.hazards().to_vec(),
            clobbered,
            stray,
        })
    }
}

/// A word of the packet vector.
fn vector_word(core: &Core, abi: &Abi, word: u32) -> u32 {
    let address = abi.packet_vector.wrapping_add(4 * word);
    core.local.word(address).bits
}
