//! How long a loaded program runs, what the kernel made of it, and what it cost to verify.
//!
//! Two programs are compared in pairs of runs that follow each other, in turns, so that what the
//! machine does meanwhile falls on both alike. The clock is the processor time of the thread: the
//! kernel's own answer to a test run has whole nanoseconds only, and has in it whatever ran in
//! between. What a test run costs beside the program's repetitions is taken off.

use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::{ProgramInput, ProgramMut, libbpf_sys as sys};
use nix::time::{ClockId, clock_gettime};

use super::load::Loaded;
use super::maps;
use super::run::{packet_kind, stay_on_one_cpu};
use crate::fixture::Fixture;
use crate::packets::Packet;

/// Packets that a comparison runs on: those that a program takes longest for.
const PACKETS: usize = 3;
/// Runs on each packet from which these are chosen.
const TRIAL_RUNS: u32 = 200;
/// Nanoseconds that one side of a round takes on one packet: many times what a test run costs
/// beside its repetitions, which for XDP is a quarter of a millisecond.
const ROUND_NANOSECONDS: f64 = 8e6;
/// Repetitions at most, and at least.
const REPEATS: (f64, f64) = (16.0, 1e6);
/// Test runs from which that cost is learnt, with as many repetitions each as make it whole: XDP
/// programs are put into the kernel's dispatcher from the second on.
const SHORTEST: (usize, u32) = (5, 2);

/// What the kernel says of a loaded program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Slots that were loaded, subprograms included.
    pub slots: usize,
    /// Bytes of machine code.
    pub jited: u32,
    /// Instructions that its verifier walked.
    pub processed: u32,
}

/// How long two programs ran, in rounds of one after the other.
#[derive(Clone, Debug, Default)]
pub struct Timing {
    /// Nanoseconds of the first, a round: one run on each packet.
    pub before: Vec<f64>,
    /// The same of the second.
    pub after: Vec<f64>,
    /// Packets that they ran on.
    pub packets: usize,
}

/// Asks the kernel for figures of a program.
///
/// # Errors
/// The program is not there, or the kernel does not say.
#[expect(unsafe_code, reason = "libbpf-rs only asks for every program at once")]
pub fn figures(loaded: &Loaded) -> Result<Figures, String> {
    let program = loaded.find().ok_or("the program is not there")?;
    let mut info = sys::bpf_prog_info::default();
    let mut size = size_of::<sys::bpf_prog_info>() as u32;
    // SAFETY: the structure is as long as is said, asks for no arrays, and outlives the call.
    let result =
        unsafe { sys::bpf_prog_get_info_by_fd(program.as_fd().as_raw_fd(), &mut info, &mut size) };
    if result != 0 {
        return Err(format!("the kernel says nothing of it: error {result}"));
    }
    Ok(Figures {
        slots: program.insn_cnt(),
        jited: info.jited_prog_len,
        processed: info.verified_insns,
    })
}

/// Whether a program is of a type that test runs take packets for.
#[must_use]
pub fn takes_packets(loaded: &Loaded) -> bool {
    loaded.program_type().and_then(packet_kind).is_some()
}

/// The packets that a program takes longest for, of those that a test run takes.
///
/// # Errors
/// The fixture does not fit the object.
pub fn longest<'packets>(
    loaded: &Loaded,
    packets: &'packets [Packet],
    fixture: &Fixture,
) -> Result<Vec<&'packets Packet>, String> {
    stay_on_one_cpu();
    maps::fill(&loaded.object, fixture, true)?;
    let Some(program) = loaded.find() else {
        return Ok(Vec::new());
    };
    let mut taken: Vec<(u128, &Packet)> = packets
        .iter()
        .filter_map(|packet| Some((call(&program, packet, TRIAL_RUNS).ok()?.1, packet)))
        .collect();
    taken.sort_by_key(|(nanoseconds, _)| std::cmp::Reverse(*nanoseconds));
    taken.truncate(PACKETS);
    Ok(taken.into_iter().map(|(_, packet)| packet).collect())
}

/// Runs two programs by turns on the same packets, with the same in their maps.
///
/// # Errors
/// The fixture does not fit the object, or a test run is refused.
pub fn time(
    (before, after): (&Loaded, &Loaded),
    packets: &[&Packet],
    fixture: &Fixture,
    rounds: usize,
) -> Result<Timing, String> {
    stay_on_one_cpu();
    let mut timing = Timing {
        packets: packets.len(),
        ..Timing::default()
    };
    maps::fill(&before.object, fixture, true)?;
    maps::fill(&after.object, fixture, true)?;
    let (Some(before), Some(after)) = (before.find(), after.find()) else {
        return Err("a program is not there".to_owned());
    };
    let mut runs = Vec::new();
    for packet in packets {
        let (_, first) = call(&before, packet, TRIAL_RUNS)?;
        call(&after, packet, TRIAL_RUNS)?;
        let repeat = ROUND_NANOSECONDS / first.max(1) as f64;
        let mut around = Vec::new();
        for _ in 0..SHORTEST.0 {
            around.push(call(&before, packet, SHORTEST.1)?.0);
        }
        runs.push(Runs {
            packet,
            repeat: repeat.clamp(REPEATS.0, REPEATS.1) as u32,
            around: quantile(&around, 0.5),
        });
    }
    for round in 0..rounds {
        let (mut first, mut second) = (0.0, 0.0);
        for runs in &runs {
            // Who is first changes, as the second may find warm what both use.
            if round % 2 == 0 {
                first += runs.time(&before)?;
                second += runs.time(&after)?;
            } else {
                second += runs.time(&after)?;
                first += runs.time(&before)?;
            }
        }
        timing.before.push(first);
        timing.after.push(second);
    }
    Ok(timing)
}

impl Timing {
    /// Medians of both sides.
    #[must_use]
    pub fn medians(&self) -> (f64, f64) {
        (quantile(&self.before, 0.5), quantile(&self.after, 0.5))
    }

    /// The second side's median by the first's.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let (before, after) = self.medians();
        after / before
    }

    /// The same, when so many nanoseconds of each run are not the programs' own.
    #[must_use]
    pub fn ratio_beside(&self, others: f64) -> f64 {
        let (before, after) = self.medians();
        let others = others * self.packets as f64;
        (after - others).max(1.0) / (before - others).max(1.0)
    }

    /// The quartiles of the rounds' own ratios.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        let rounds = self.before.iter().zip(&self.after);
        let ratios: Vec<f64> = rounds.map(|(before, after)| after / before).collect();
        (quantile(&ratios, 0.25), quantile(&ratios, 0.75))
    }

    /// Nanoseconds of the first side's run on one packet, in the mean.
    #[must_use]
    pub fn each_run(&self) -> f64 {
        self.medians().0 / self.packets.max(1) as f64
    }
}

/// The value below which such a part of the values lies; not a number where there are none.
#[must_use]
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = part * last as f64;
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

/// How a packet is run on.
struct Runs<'packet> {
    packet: &'packet Packet,
    repeat: u32,
    /// Nanoseconds of a test run as short as can be.
    around: f64,
}

impl Runs<'_> {
    /// Nanoseconds of one run among so many.
    fn time(&self, program: &ProgramMut<'_>) -> Result<f64, String> {
        let (whole, _) = call(program, self.packet, self.repeat)?;
        let repeats = self.repeat.saturating_sub(SHORTEST.1).max(1);
        Ok(((whole - self.around) / f64::from(repeats)).max(1.0))
    }
}

/// Nanoseconds of processor time that a test run takes, and those of a run by the kernel's answer.
fn call(program: &ProgramMut<'_>, packet: &Packet, repeat: u32) -> Result<(f64, u128), String> {
    let input = ProgramInput {
        data_in: Some(&packet.bytes),
        repeat,
        ..ProgramInput::default()
    };
    let start = processor_time()?;
    let output = program
        .test_run(input)
        .map_err(|error| format!("on {}: {error}", packet.name))?;
    let taken = processor_time()?.saturating_sub(start);
    Ok((taken as f64, output.duration.as_nanos()))
}

fn processor_time() -> Result<u64, String> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    let time = time.map_err(|error| format!("the thread's clock: {error}"))?;
    Ok(std::time::Duration::from(time).as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.25), 2.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
