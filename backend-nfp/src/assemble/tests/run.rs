//! Machine programs as they stand, without any of what is tested; and what can be seen of a run.

use super::parts::{BASE, COUNTER, DATA, LENGTH, PACKET, RETURN, Random, WIDE};
use crate::isa::{Bank, Condition, Insn, TRAILER, csr, ecc};
use crate::machine::{End, MachineProgram, Reference, Timing};
use crate::sim::{
    Core, Fault, HazardKind, LMEM_WORDS, Latencies, Limits, Memory, Program, Region, RegionKind,
    Value,
};

pub(super) const START: u16 = 500;
pub(super) const DONE: u16 = 7;
pub(super) const HELPER: u16 = 200;
const ADDRESS: u32 = 0x8000_0000;

/// Blocks in their order, nothing in defer slots, and after each write of an index register as many
/// instructions that do nothing as the hardware may want.
pub(super) fn as_it_stands(program: &MachineProgram, timing: &Timing) -> Vec<u64> {
    let mut insns: Vec<Insn> = Vec::new();
    let mut places = Vec::new();
    let mut targets = Vec::new();
    for (function, source) in program.functions.iter().enumerate() {
        let mut blocks = Vec::new();
        for block in &source.blocks {
            blocks.push(insns.len());
            for item in &block.items {
                let after = insns.len() + item.insns.len();
                let mut writes = false;
                for found in &item.insns {
                    let at = insns.len();
                    insns.push(found.insn);
                    match found.reference {
                        Reference::None => {}
                        Reference::Function(callee) => targets.push((at, callee, 0)),
                        Reference::Helper(_) => set(&mut insns[at], HELPER),
                        Reference::After => set(&mut insns[at], START + after as u16),
                    }
                    writes |= matches!(found.insn, Insn::CsrWrite { address, .. } if csr::LM_ADDR.contains(&address));
                }
                if writes {
                    insns.extend(std::iter::repeat_n(
                        super::super::emit::NOTHING,
                        timing.lm_index,
                    ));
                }
            }
            let mut jump = |insns: &mut Vec<Insn>, to: usize| {
                targets.push((insns.len(), function, to));
                insns.push(always());
            };
            match block.end {
                End::Jump(to) => jump(&mut insns, to.0),
                End::Branch {
                    insn,
                    taken,
                    otherwise,
                } => {
                    jump(&mut insns, taken.0);
                    if let Some(last) = insns.last_mut() {
                        *last = insn.insn;
                    }
                    jump(&mut insns, otherwise.0);
                }
                End::Done => {
                    insns.push(always());
                    if let Some(last) = insns.last_mut() {
                        set(last, DONE);
                    }
                }
                End::Return(insn) => insns.push(insn.insn),
            }
        }
        places.push(blocks);
    }
    for (at, function, block) in targets {
        set(&mut insns[at], START + places[function][block] as u16);
    }
    insns.extend([super::super::emit::NOTHING; TRAILER]);
    insns
        .iter()
        .map(|insn| ecc::protect(insn.encode().unwrap()))
        .collect()
}

fn always() -> Insn {
    Insn::Branch {
        condition: Condition::Always,
        target: 0,
        defer: 0,
    }
}

fn set(insn: &mut Insn, number: u16) {
    match insn {
        Insn::Branch { target, .. }
        | Insn::BranchBit { target, .. }
        | Insn::BranchByte { target, .. } => *target = number,
        Insn::Immed { value, .. } => *value = number,
        _ => {}
    }
}

/// What can be seen of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Registers at each call of the helper and at the end.
    registers: Vec<Vec<Value>>,
    local: Vec<Value>,
    packet: Vec<u8>,
    external: Vec<u8>,
    /// Kinds of hazards.
    pub(super) hazards: Vec<HazardKind>,
}

/// Cycles that cannot be given to others, beside what was seen.
pub(super) type Outcome = Result<(Seen, u64), Fault>;

fn registers(core: &Core) -> Vec<Value> {
    let all = [Bank::A, Bank::B]
        .into_iter()
        .flat_map(|bank| (0..32).map(move |number| (bank, number)));
    all.filter(|(_, number)| !(RETURN..RETURN + 4).contains(number))
        .map(|(bank, number)| core.gpr(bank, number))
        .chain((0..4).map(|index| core.local.index(index)))
        .collect()
}

/// Runs words on registers and memory that a seed gives.
pub(super) fn run(words: &[u64], seed: u64, timing: &Timing) -> Outcome {
    let mut random = Random(seed);
    let program = Program::load(words, START).unwrap();
    let mut core = Core::new(
        Latencies {
            lm_index: timing.lm_index as u64,
            ..Latencies::default()
        },
        Limits {
            steps: 20_000,
            hazards: 8,
        },
        0x5a5a_5a5a,
    );
    core.seed(seed);
    for bank in [Bank::A, Bank::B] {
        for number in 0..32 {
            // Small numbers, so that branches go both ways.
            let value = random.next() as u32 >> [0, 28, 31, 16][random.below(4)];
            core.set_gpr(bank, number, value.into());
        }
    }
    for (number, value) in [
        (PACKET, ADDRESS),
        (DATA, 5 << 16 | 2 << 3),
        (WIDE, 1),
        (LENGTH, 4 << 8 | 1 << 7),
        (COUNTER, 3),
        (BASE, 128),
    ] {
        core.set_gpr(Bank::A, number, value.into());
    }
    for word in 0..LMEM_WORDS as u32 {
        core.local
            .set_word(4 * word, (random.next() as u32 >> 3).into());
    }
    for index in 0..4 {
        core.local
            .set_index(index, (64 * u32::from(index % 3)).into(), 0);
    }
    let mut memory = Memory::default();
    let mut region = |kind, address, bytes: usize| {
        let bytes = (0..bytes).map(|_| random.next() as u8).collect();
        let region = Region {
            writable: true,
            latency: None,
            bytes,
            behind: 0,
        };
        memory.insert(kind, address, region);
    };
    region(RegionKind::Packet, ADDRESS.into(), 256);
    region(RegionKind::External, 0x100, 256);
    let mut seen = Vec::new();
    let mut at = u32::from(START);
    loop {
        at = core.run(&program, &mut memory, at)?;
        seen.push(registers(&core));
        if at == u32::from(HELPER) {
            for index in 0..4 {
                if !core.local.is_ready(index, core.now()) {
                    core.hazard(HazardKind::LmIndexNotReady(index));
                }
            }
            let found = core.local.word(core.local.index(0).bits);
            core.set_gpr(Bank::A, 3, found);
            let mixed = core.gpr(Bank::B, 1).bits.rotate_left(5) ^ core.gpr(Bank::A, 2).bits;
            core.set_gpr(Bank::B, 1, mixed.into());
            at = core.gpr(Bank::B, RETURN).bits;
            continue;
        }
        if at != u32::from(DONE) {
            return Err(core.fault(crate::sim::FaultKind::Target(at)));
        }
        break;
    }
    let mut bytes = |kind, address| memory.read(kind, address, 256).unwrap().to_vec();
    let seen = Seen {
        registers: seen,
        local: (0..LMEM_WORDS as u32)
            .map(|word| core.local.word(4 * word))
            .collect(),
        packet: bytes(RegionKind::Packet, ADDRESS.into()),
        external: bytes(RegionKind::External, 0x100),
        hazards: core.hazards().iter().map(|hazard| hazard.kind).collect(),
    };
    Ok((seen, core.cycles().issue))
}
