//! Everything that a program touches, apart from its registers: memory, maps, the packet, and the
//! helpers' view of the world. The bytecode interpreter and any other one run against it.
//!
//! The world is deterministic: time stands still at [`Options::clock`], random numbers follow
//! [`Options::seed`], there is one CPU and one task.

use crate::helpers;
use crate::insn::{AtomicOp, Endian, MemWidth};
use crate::maps::MapDef;
use crate::program_type::ProgramType;

use super::event::{self, Event};
use super::fault::{AccessKind, Fault, FaultKind};
use super::helpers::Call;
use super::invent::Invented;
use super::map::Map;
use super::memory::{Meaning, Memory, RegionId, RegionKind};
use super::packet::{ContextKind, Packet};

/// Bytes in a frame of the kernel's stack.
pub const FRAME_SIZE: usize = 512;
/// What fresh stack holds: a pattern, so that a use of unset stack shows in comparisons.
const UNSET: u8 = 0xa5;

/// Events kept one by one; what comes later goes into the digest of the last.
const EVENT_LIMIT: usize = 1 << 16;

/// How the world looks.
#[derive(Clone, Debug)]
pub struct Options {
    /// Instructions before a run is stopped.
    pub step_limit: u64,
    /// Bytes that stack, packet, values and records may take.
    pub memory_limit: usize,
    /// What clocks say, in nanoseconds.
    pub clock: u64,
    /// Start of the random numbers.
    pub seed: u64,
    /// Interface that the packet came from.
    pub ifindex: u32,
    /// Whether loads from nowhere give zero instead of a fault, as loads through BTF pointers of
    /// tracing programs do.
    pub forgiving_loads: bool,
    /// With a seed: elements of maps are made up at the first look-up, and results of helpers that
    /// are not modelled.
    pub invent: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            step_limit: 10_000_000,
            memory_limit: 256 << 20,
            clock: 1_000_000_000_000,
            seed: 0x2545_f491_4f6c_dd1d,
            ifindex: 1,
            forgiving_loads: false,
            invent: None,
        }
    }
}

/// What a helper call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this.
    Value(u64),
    /// It does not return: this program (by the number that its program array holds) goes on with
    /// the same context.
    TailCall(u32),
}

/// How a helper calls a subprogram: address and arguments to result.
pub type Callback<'call> = dyn FnMut(&mut Machine, u64, [u64; 5]) -> Result<u64, Fault> + 'call;

/// The machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) memory: Memory,
    pub(super) maps: Vec<Map>,
    pub(super) program_type: ProgramType,
    pub(super) options: Options,
    pub(super) packet: Option<Packet>,
    pub(super) random: u64,
    pub(super) tail_calls: u32,
    pub(super) invented: Invented,
    context: Option<RegionId>,
    events: Vec<Event>,
    trace: Vec<String>,
}

impl Machine {
    /// A machine without maps, packet or context.
    #[must_use]
    pub fn new(endian: Endian, program_type: ProgramType, options: Options) -> Machine {
        Machine {
            memory: Memory::new(endian, options.memory_limit),
            maps: Vec::new(),
            program_type,
            random: options.seed,
            options,
            packet: None,
            tail_calls: 0,
            invented: Invented::default(),
            context: None,
            events: Vec::new(),
            trace: Vec::new(),
        }
    }

    /// Creates a map; the result is the number that programs name it by.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn add_map(&mut self, def: &MapDef) -> Result<u32, Fault> {
        let index = u32::try_from(self.maps.len())
            .map_err(|_| FaultKind::MemoryLimit(self.options.memory_limit))?;
        let map = Map::new(def.clone(), index, &mut self.memory)?;
        self.maps.push(map);
        Ok(index)
    }

    /// Makes a frame, Ethernet header first, the packet and the context.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn set_packet(&mut self, frame: &[u8]) -> Result<(), Fault> {
        self.clear_input();
        let packet = Packet::new(&mut self.memory, self.program_type, &self.options, frame)?;
        self.context = Some(packet.context);
        self.packet = Some(packet);
        Ok(())
    }

    /// Makes bytes the context of a program that has no packet.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn set_context(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.clear_input();
        self.context = Some(self.memory.add(RegionKind::Context, true, bytes.to_vec())?);
        Ok(())
    }

    fn clear_input(&mut self) {
        if let Some(packet) = self.packet.take() {
            for region in [packet.region, packet.socket] {
                self.memory.remove(region);
            }
        }
        if let Some(context) = self.context.take() {
            self.memory.remove(context);
        }
        self.tail_calls = 0;
    }

    /// Adds memory of the caller's, which programs may change.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn add_memory(&mut self, bytes: &[u8]) -> Result<u64, Fault> {
        Ok(self
            .memory
            .add(RegionKind::Memory, true, bytes.to_vec())?
            .address())
    }

    /// Address of the context, 0 when there is none.
    #[must_use]
    pub fn context_address(&self) -> u64 {
        self.context.map_or(0, RegionId::address)
    }

    /// Program type that helpers and context follow.
    #[must_use]
    pub fn program_type(&self) -> ProgramType {
        self.program_type
    }

    /// How the world looks.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The memory.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The packet as the program sees it now; empty when there is none.
    #[must_use]
    pub fn packet(&self) -> &[u8] {
        self.packet
            .as_ref()
            .map_or(&[], |packet| packet.bytes(&self.memory))
    }

    /// All maps by number.
    #[must_use]
    pub fn maps(&self) -> &[Map] {
        &self.maps
    }

    /// The map whose address this is.
    #[must_use]
    pub fn map_at(&self, address: u64) -> Option<&Map> {
        match self.memory.meaning(address) {
            Meaning::Map(map) => self.maps.get(map as usize),
            _ => None,
        }
    }

    /// The contents of a map by number; see [`Map::contents`].
    #[must_use]
    pub fn map_contents(&self, map: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Some(found) = self.maps.get(map as usize) else {
            return Vec::new();
        };
        let mut contents = found.contents(&self.memory);
        contents.retain(|(key, value)| !self.is_invented(map, key, value));
        contents
    }

    /// Writes a map element from outside; false when the kernel would refuse.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn map_update(&mut self, map: u32, key: &[u8], value: &[u8]) -> Result<bool, Fault> {
        match self.maps.get_mut(map as usize) {
            Some(map) => Ok(map.update(&mut self.memory, key, value, 0)? == 0),
            None => Ok(false),
        }
    }

    /// Puts a program (into a program array) or a map (into a map of maps) under a key.
    pub fn map_link(&mut self, map: u32, key: &[u8], target: u32) {
        if let Some(map) = self.maps.get_mut(map as usize) {
            map.link(key, target);
        }
    }

    /// Address of a byte of a map's values, for `ld_imm64` of a value.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn map_value_address(&mut self, map: u32, offset: u32) -> Result<Option<u64>, Fault> {
        let Some(map) = self.maps.get_mut(map as usize) else {
            return Ok(None);
        };
        let stride = map
            .def
            .value_size
            .checked_next_multiple_of(8)
            .unwrap_or(0)
            .max(1);
        if map.def.max_entries <= offset / stride {
            return Ok(None);
        }
        let value = map.array_value(&mut self.memory, offset / stride)?;
        Ok(Some(value + u64::from(offset % stride)))
    }

    /// Forgets what is counted for one run: tail calls.
    pub fn start_run(&mut self) {
        self.tail_calls = 0;
    }

    /// Adds a stack frame of this many bytes; gives its lowest address and what removes it.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn push_frame(&mut self, size: usize) -> Result<(u64, RegionId), Fault> {
        let region = self
            .memory
            .add(RegionKind::Stack, true, vec![UNSET; size])?;
        Ok((region.address(), region))
    }

    /// Removes a stack frame.
    pub fn pop_frame(&mut self, frame: RegionId) {
        self.memory.remove(frame);
    }

    /// Events so far, and forgets them.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Lines printed with `bpf_trace_printk` so far, and forgets them.
    pub fn take_trace(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }

    /// Counts bytes that are kept outside of regions; false when there is no room.
    pub(super) fn keep(&mut self, size: usize) -> bool {
        self.memory.keep(size)
    }

    pub(super) fn print(&mut self, line: String) {
        if self.keep(line.len()) {
            self.trace.push(line);
        }
    }

    /// Loads a number, zero-extended.
    ///
    /// # Errors
    /// When the address is no memory, or no field of the context.
    pub fn load(&self, address: u64, width: MemWidth) -> Result<u64, Fault> {
        let size = u64::from(width.bytes());
        if let Some(packet) = &self.packet
            && let Some((_, at)) = self.memory.context_offset(address, size)
        {
            return packet.load_context(&self.memory, at, size);
        }
        match self.memory.load(address, size) {
            Err(_) if self.options.forgiving_loads && self.is_nowhere(address) => Ok(0),
            result => result,
        }
    }

    fn is_nowhere(&self, address: u64) -> bool {
        self.memory.meaning(address) == Meaning::Nothing
    }

    /// Stores the low bytes of a number.
    ///
    /// # Errors
    /// When the address is no memory that may be written.
    pub fn store(&mut self, address: u64, width: MemWidth, value: u64) -> Result<(), Fault> {
        let size = u64::from(width.bytes());
        if let Some(packet) = &self.packet
            && let Some((_, at)) = self.memory.context_offset(address, size)
        {
            packet.check_store(at, size)?;
        }
        self.memory.store(address, size, value)
    }

    /// Reads, changes and writes a number; gives the old one. `expected` is what
    /// [`AtomicOp::Cmpxchg`] compares with.
    ///
    /// # Errors
    /// When the address is no memory that may be written.
    pub fn atomic(
        &mut self,
        address: u64,
        width: MemWidth,
        op: AtomicOp,
        operand: u64,
        expected: u64,
    ) -> Result<u64, Fault> {
        let size = u64::from(width.bytes());
        if self.memory.context_offset(address, size).is_some() {
            let access = AccessKind::Atomic;
            return Err(FaultKind::Context {
                access,
                offset: address & 0xffff,
                size,
            }
            .into());
        }
        let old = self.memory.load(address, size)?;
        let mask = if width == MemWidth::B64 {
            u64::MAX
        } else {
            0xffff_ffff
        };
        let new = match op {
            AtomicOp::Add => old.wrapping_add(operand),
            AtomicOp::Or => old | operand,
            AtomicOp::And => old & operand,
            AtomicOp::Xor => old ^ operand,
            AtomicOp::Xchg => operand,
            AtomicOp::Cmpxchg if old == expected & mask => operand,
            AtomicOp::Cmpxchg => old,
        };
        self.memory.store(address, size, new)?;
        Ok(old)
    }

    /// A legacy packet load at an offset; `None` ends the program with 0, as the kernel does when
    /// the packet is too short. The number is in host order.
    #[must_use]
    pub fn load_packet(&self, offset: u32, width: MemWidth) -> Option<u64> {
        /// `SKF_NET_OFF` and `SKF_LL_OFF`: offsets from the network and link headers.
        const NETWORK: i64 = -0x10_0000;
        const LINK: i64 = -0x20_0000;
        let packet = self.packet.as_ref()?;
        let offset = i64::from(offset.cast_signed());
        let (base, offset) = match offset {
            0.. => (packet.data, offset),
            NETWORK..0 => (packet.network, offset - NETWORK),
            LINK..NETWORK => (packet.mac, offset - LINK),
            _ => return None,
        };
        let start = base.checked_add(usize::try_from(offset).ok()?)?;
        let end = start.checked_add(usize::from(width.bytes()))?;
        if end > packet.end {
            return None;
        }
        let bytes = self.memory.bytes(packet.region).get(start..end)?;
        Some(
            bytes
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }

    /// Calls a helper.
    ///
    /// # Errors
    /// When no kernel has the helper, the machine does not model it, or an argument is not what
    /// any kernel takes.
    pub fn call_helper(
        &mut self,
        id: u32,
        args: [u64; 5],
        callback: &mut Callback<'_>,
    ) -> Result<Outcome, Fault> {
        let helper = helpers::by_id(id).ok_or(FaultKind::UnknownHelper(id))?;
        if !event::only_asks(helper) {
            let event = event::event(self, helper, args);
            self.log(event);
        }
        super::helpers::call(self, &Call { helper, args }, callback)
    }

    fn log(&mut self, event: Event) {
        let full = self.events.len() >= EVENT_LIMIT;
        match self.events.last_mut() {
            Some(last) if full => {
                last.digest = last.digest.rotate_left(5) ^ event.digest ^ u64::from(event.helper);
            }
            _ => self.events.push(event),
        }
    }

    /// Which context the program type has.
    #[must_use]
    pub fn context_kind(&self) -> ContextKind {
        ContextKind::of(self.program_type)
    }
}
