//! Inputs for programs on the card: packet, and the random numbers that the program will draw.
//!
//! Most small cases get their operands from `get_prandom_u32`. Numbers drawn at random hardly ever
//! meet an edge (an amount of 0, a sign, the very constant of a comparison), so the generator of the
//! interpreter is run backwards: a seed is made whose first, or second, draw is a chosen number.

use crate::packets::{self, Random};

/// Numbers around which operations change what they do, and constants of the cases.
const EDGES: [u32; 26] = [
    0,
    1,
    2,
    4,
    5,
    6,
    7,
    27,
    28,
    31,
    32,
    33,
    63,
    299,
    300,
    641,
    0xffff,
    0x1_0000,
    74_564,
    74_565,
    74_566,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffa,
    0xffff_fffb,
    0xffff_ffff,
];
/// Seeds whose first two draws are the same number, found by trying some ten thousand million.
const EQUAL: [u64; 3] = [
    0xf5f5_0d59_32b4_d330,
    0x8fce_59af_f856_58b1,
    0x16d3_7d0f_8f69_b88c,
];
/// Inputs whose numbers are plainly random.
const PLAIN: usize = 48;
/// Longest random packet.
const LONGEST: u64 = 1400;
/// What the generator multiplies its state by, and the inverse.
const FACTOR: u64 = 0x2545_f491_4f6c_dd1d;

/// What a program runs on.
#[derive(Clone, Debug)]
pub struct Input {
    /// The frame.
    pub packet: Vec<u8>,
    /// Start of the random numbers.
    pub seed: u64,
    /// Start of what maps hold.
    pub maps: u64,
}

/// Inputs that differ from name to name and are the same in every run; frames have `shortest` bytes
/// or more.
#[must_use]
pub fn inputs(name: &str, shortest: usize) -> Vec<Input> {
    let start = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = Random::new(start);
    let frames = packets::all();
    let mut seeds: Vec<u64> = (0..PLAIN).map(|_| random.next_u64()).collect();
    for edge in EDGES {
        seeds.push(seed_for(edge, 1, random.next_u64()));
        seeds.push(seed_for(edge, 2, random.next_u64()));
    }
    seeds.extend(EQUAL);
    let mut all = Vec::with_capacity(seeds.len());
    for (index, seed) in seeds.into_iter().enumerate() {
        let mut packet = match index % 4 {
            // The card takes no frame without an Ethernet header.
            0 => {
                let length = 14 + random.below(60);
                random.bytes(length as usize)
            }
            1 => {
                let length = 64 + random.below(LONGEST);
                random.bytes(length as usize)
            }
            _ => frames
                .get(random.below(frames.len() as u64) as usize)
                .map(|frame| frame.bytes.clone())
                .filter(|bytes| (14..=LONGEST as usize).contains(&bytes.len()))
                .unwrap_or_else(|| random.bytes(600)),
        };
        if packet.len() < shortest {
            packet.resize(shortest, 0);
        }
        let maps = random.next_u64();
        all.push(Input { packet, seed, maps });
    }
    all
}

/// A seed whose draw of this number, from 1, is `value`; `noise` decides what is left open.
fn seed_for(value: u32, draw: u32, noise: u64) -> u64 {
    // Newton's iteration doubles the inverse's correct bits.
    let mut inverse = FACTOR;
    for _ in 0..6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(FACTOR.wrapping_mul(inverse)));
    }
    let drawn = u64::from(value) << 32 | noise & 0xffff_ffff;
    let mut state = drawn.wrapping_mul(inverse);
    for _ in 0..draw {
        state = unshift_left(state, 17);
        state = unshift_right(state, 7);
        state = unshift_left(state, 13);
    }
    state
}

/// Undoes `x ^= x << by`.
fn unshift_left(value: u64, by: u32) -> u64 {
    let mut result = value;
    for _ in 0..64 / by {
        result = value ^ result << by;
    }
    result
}

/// Undoes `x ^= x >> by`.
fn unshift_right(value: u64, by: u32) -> u64 {
    let mut result = value;
    for _ in 0..64 / by {
        result = value ^ result >> by;
    }
    result
}
