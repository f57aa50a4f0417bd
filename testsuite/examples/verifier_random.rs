//! Random programs with the verifier's verdict on each, for comparison with a kernel.
//!
//! usage: `verifier_random SEED COUNT`; prints a line a program: the type's number, what the verifier
//! says, and the instructions in hex. Programs are made so that many of them come far: registers are
//! mostly set before they are read, jumps go forward, stack offsets are in the frame.

use std::io::Write as _;

use bpf::insn::{Endian, Slot, write_slots};
use bpf::object::{
    Contents, Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, STT_FUNC, Section, SectionId, Symbol,
    SymbolPlace,
};
use testsuite::packets::Random;
use verifier::{Options, ProgramId, Verdict};

const XDP: (u32, &str) = (6, "xdp");
const TC: (u32, &str) = (3, "tc");
const SOCKET: (u32, &str) = (1, "socket");

struct Generator {
    random: Random,
    slots: Vec<Slot>,
    set: [bool; 10],
    /// Which registers hold numbers, as far as the order of instructions tells.
    numbers: [bool; 10],
    /// Whether most of what would be refused at once is left out.
    careful: bool,
    calls: Vec<usize>,
    in_function: bool,
    packet_fields: (i16, i16),
}

impl Generator {
    fn below(&mut self, limit: u32) -> u32 {
        let bytes = self.random.bytes(4);
        let number = bytes
            .iter()
            .fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
        number % limit.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u32) as usize;
        from[index]
    }

    fn push(&mut self, opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) {
        self.slots.push(Slot {
            opcode,
            dst,
            src,
            offset,
            imm,
        });
    }

    fn any(&mut self) -> u8 {
        self.below(10) as u8
    }

    fn readable(&mut self) -> u8 {
        for _ in 0..8 {
            let register = self.any();
            if self.set[usize::from(register)] {
                return register;
            }
        }
        10
    }

    /// A register that holds a number; made one, if there is none.
    fn numeric(&mut self) -> u8 {
        if !self.careful || self.below(40) == 0 {
            return self.readable();
        }
        for _ in 0..12 {
            let register = self.any();
            if self.numbers[usize::from(register)] {
                return register;
            }
        }
        let (dst, number) = (self.any(), self.number());
        self.push(0xb7, dst, 0, 0, number);
        self.write(dst, true);
        dst
    }

    fn write(&mut self, register: u8, number: bool) {
        if let Some(set) = self.set.get_mut(usize::from(register)) {
            *set = true;
            self.numbers[usize::from(register)] = number;
        }
    }

    fn number(&mut self) -> i32 {
        let wild = self.below(u32::MAX).cast_signed();
        self.pick(&[
            0,
            1,
            -1,
            2,
            7,
            8,
            14,
            31,
            63,
            64,
            255,
            4096,
            65535,
            i32::MIN,
            i32::MAX,
            wild,
        ])
    }

    fn instruction(&mut self, left: u32) {
        match self.below(21) {
            20 => self.call(),
            17 => self.atomic(),
            18 if self.careful && self.below(16) == 0 => self.counted_loop(),
            19 => self.compare_packet(),
            0..=4 => self.arithmetic(),
            16 => self.move_pointer(),
            5 => {
                let (dst, number) = (self.any(), self.number());
                let opcode = self.pick(&[0xb7, 0xb4]);
                self.push(opcode, dst, 0, 0, number);
                self.write(dst, true);
            }
            6 => {
                let (dst, src) = (self.any(), self.numeric());
                let opcode = self.pick(&[0xbf, 0xbf, 0xbc]);
                let offset = self.pick(&[0, 0, 0, 8, 16]);
                self.push(opcode, dst, src, offset, 0);
                let number = self.numbers.get(usize::from(src)).copied().unwrap_or(false);
                self.write(dst, number || opcode == 0xbc);
            }
            7 | 8 => self.load(),
            9 | 10 => self.store(),
            11..=13 if left > 1 => self.branch(left),
            14 => {
                let helper = self.pick(&[5, 7, 8]);
                self.push(0x85, 0, 0, 0, helper);
                self.set[..6].copy_from_slice(&[true, false, false, false, false, false]);
                self.numbers[..6].copy_from_slice(&[true, false, false, false, false, false]);
            }
            _ => {
                let dst = self.numeric();
                if dst != 10 {
                    let bits = self.pick(&[16, 32, 64]);
                    let opcode = self.pick(&[0xdc, 0xd4, 0x87, 0x84]);
                    let imm = if opcode & 0xf0 == 0x80 { 0 } else { bits };
                    self.push(opcode, dst, 0, 0, imm);
                }
            }
        }
    }

    fn arithmetic(&mut self) {
        let dst = self.numeric();
        let dst = if dst == 10 { self.any() } else { dst };
        let operation: u8 = self.pick(&[
            0x00, 0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x50, 0x60, 0x70, 0x90, 0xa0, 0xc0,
        ]);
        let class: u8 = self.pick(&[7, 7, 4]);
        if self.below(2) == 0 {
            let number = match operation {
                0x60 | 0x70 | 0xc0 => self.below(if class == 7 { 64 } else { 32 }).cast_signed(),
                0x30 | 0x90 => self.number() | 1,
                _ => self.number(),
            };
            self.push(operation | class, dst, 0, 0, number);
        } else {
            let src = self.numeric();
            self.push(operation | class | 8, dst, src, 0, 0);
        }
    }

    /// Something of the stack, or of the packet, moved by a number that is bounded before.
    fn move_pointer(&mut self) {
        let number = self.numeric();
        let (mask, dst) = (self.pick(&[7, 8, 15, 24, 63]), self.any());
        if number == 10 || dst == number {
            return;
        }
        self.push(0x57, number, 0, 0, mask);
        let base = self.pick(&[10, 10, 7]);
        if base == 10 || self.set[7] {
            self.push(0xbf, dst, base, 0, 0);
            self.push(0x0f, dst, number, 0, 0);
            if base == 10 {
                let down = self.pick(&[-8, -16, -64, -72, -128]);
                self.push(0x07, dst, 0, 0, down);
            }
            self.write(dst, false);
            let opcode = self.pick(&[0x71, 0x73, 0x61, 0x7b]);
            let into = self.any();
            match opcode {
                0x71 | 0x61 => {
                    self.push(opcode, into, dst, 0, 0);
                    self.write(into, true);
                }
                _ => self.push(opcode, dst, number, 0, 0),
            }
        }
    }

    /// An atomic operation on the stack.
    fn atomic(&mut self) {
        let (opcode, operation) = (
            self.pick(&[0xdb, 0xdb, 0xc3]),
            self.pick(&[0x00, 0x01, 0x41, 0x50, 0x51, 0xa0, 0xe1, 0xf1]),
        );
        let src = self.numeric();
        let offset = self.offset();
        self.push(opcode, 10, src, offset, operation);
    }

    /// A loop that ends, or that only seems to.
    fn counted_loop(&mut self) {
        let (counter, rounds) = (self.any(), self.pick(&[1, 2, 5, 20, 100]));
        let start = self.pick(&[0, 0, 0, 1]);
        self.push(0xb7, counter, 0, 0, start);
        self.write(counter, true);
        let body = self.slots.len();
        for _ in 0..self.below(3) {
            self.arithmetic();
        }
        let step = self.pick(&[1, 1, 1, 2, 0]);
        self.push(0x07, counter, 0, 0, step);
        let back = self.slots.len() + 1 - body;
        let opcode = self.pick(&[0xa5, 0xa5, 0x55, 0xc5, 0xa6]);
        self.push(opcode, counter, 0, -(back as i16), rounds);
    }

    /// Another look at how far the packet reaches.
    fn compare_packet(&mut self) {
        if !self.set[7] || self.numbers[7] || !self.set[8] || self.numbers[8] {
            return;
        }
        let (dst, bytes) = (self.any(), self.pick(&[1, 4, 14, 20]));
        if dst == 7 || dst == 8 {
            return;
        }
        self.push(0xbf, dst, 7, 0, 0);
        self.push(0x07, dst, 0, 0, bytes);
        self.write(dst, false);
        let opcode = self.pick(&[0x2d, 0x3d, 0xad, 0xbd, 0x1d, 0x5d]);
        self.push(opcode, dst, 8, 1, 0);
        let into = self.any();
        let opcode = self.pick(&[0x71, 0x61]);
        self.push(opcode, into, 7, 0, 0);
        self.write(into, true);
    }

    fn offset(&mut self) -> i16 {
        if self.careful && self.below(30) > 0 {
            return self.pick(&[-8, -16, -24, -32, -64, -8, -16]);
        }
        self.pick(&[
            -8, -16, -24, -4, -12, -1, -2, -64, -512, 0, 2, 4, 8, 12, 13, 16, 76, 80,
        ])
    }

    fn load(&mut self) {
        let packet = self.careful && self.set[7] && !self.numbers[7] && self.below(4) == 0;
        let wild = !self.careful && self.below(2) == 0;
        let base = if packet {
            7
        } else if wild {
            self.readable()
        } else {
            10
        };
        let dst = self.any();
        let offset = if packet {
            self.pick(&[0, 1, 4, 6, 13])
        } else {
            self.offset()
        };
        let opcode = self.pick(&[0x61, 0x69, 0x71, 0x79, 0x79, 0x81, 0x89, 0x91]);
        self.push(opcode, dst, base, offset, 0);
        self.write(dst, true);
    }

    fn store(&mut self) {
        let base = if self.careful || self.below(4) > 0 {
            10
        } else {
            self.readable()
        };
        let offset = self.offset();
        if self.below(3) == 0 {
            let (opcode, number) = (self.pick(&[0x62, 0x6a, 0x72, 0x7a]), self.number());
            self.push(opcode, base, 0, offset, number);
        } else {
            let src = self.numeric();
            let opcode = self.pick(&[0x63, 0x6b, 0x73, 0x7b, 0x7b]);
            self.push(opcode, base, src, offset, 0);
        }
    }

    fn branch(&mut self, left: u32) {
        let dst = self.numeric();
        let condition: u8 = self.pick(&[
            0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0,
        ]);
        let class: u8 = self.pick(&[5, 5, 6]);
        let distance = self.below((left - 1).min(6)) as i16;
        if self.below(2) == 0 {
            let number = self.number();
            self.push(condition | class, dst, 0, distance, number);
        } else {
            let src = self.numeric();
            self.push(condition | class | 8, dst, src, distance, 0);
        }
    }

    /// The packet's first bytes, checked: an address that programs can add to.
    fn open_packet(&mut self) {
        let (data, end) = self.packet_fields;
        self.push(0xbf, 6, 1, 0, 0);
        self.push(0x61, 7, 1, data, 0);
        self.push(0x61, 8, 1, end, 0);
        self.push(0xbf, 9, 7, 0, 0);
        let bytes = self.pick(&[1, 2, 8, 14, 64]);
        self.push(0x07, 9, 0, 0, bytes);
        for register in 6..10 {
            self.set[register] = true;
        }
        let opcode = self.pick(&[0x2d, 0x3d, 0xad, 0xbd]);
        let distance = self.pick(&[0, 1, 2, 3]);
        self.push(opcode, 9, 8, distance, 0);
    }

    /// A call of the function behind the main one, whose distance is filled in later.
    fn call(&mut self) {
        if self.in_function {
            return;
        }
        match self.below(3) {
            0 => {
                self.push(0xbf, 1, 10, 0, 0);
                let down = self.pick(&[-8, -16, -64]);
                self.push(0x07, 1, 0, 0, down);
            }
            1 => {
                let src = self.numeric();
                self.push(0xbf, 1, src, 0, 0);
            }
            _ => {
                let number = self.number();
                self.push(0xb7, 1, 0, 0, number);
            }
        }
        self.calls.push(self.slots.len());
        self.push(0x85, 0, 1, 0, 0);
        self.set[..6].copy_from_slice(&[true, false, false, false, false, false]);
        self.numbers[..6].copy_from_slice(&[true, false, false, false, false, false]);
    }

    /// The called function: its argument is a number or leads into the caller's stack.
    fn function(&mut self) {
        let start = self.slots.len();
        for call in std::mem::take(&mut self.calls) {
            self.slots[call].imm = (start - call - 1) as i32;
        }
        self.in_function = true;
        self.set = [false; 10];
        self.numbers = [false; 10];
        self.set[1] = true;
        let sort = self.below(3);
        self.numbers[1] = sort == 0;
        if sort == 1 {
            let opcode = self.pick(&[0x79, 0x61, 0x71]);
            self.push(opcode, 6, 1, 0, 0);
            self.write(6, true);
        }
        let (number, offset) = (self.number(), self.pick(&[-8, -16]));
        self.push(0x7a, 10, 0, offset, number);
        let length = 2 + self.below(10);
        for left in (0..length).rev() {
            let before = self.slots.len();
            self.instruction(left + 1);
            if self.slots.len() == before {
                self.push(0x05, 0, 0, 0, 0);
            }
        }
        if self.below(2) == 0 {
            let src = self.numeric();
            self.push(0xbf, 0, src, 0, 0);
        } else {
            self.push(0xb7, 0, 0, 0, 1);
        }
        self.push(0x95, 0, 0, 0, 0);
    }

    fn program(mut self, length: u32, packet: bool) -> (Vec<Slot>, Option<usize>) {
        self.set[1] = true;
        if packet && self.careful {
            self.open_packet();
        }
        if self.careful {
            for register in [0, 2, 3, 4] {
                let number = self.number();
                self.push(0xb7, register, 0, 0, number);
                self.write(register, true);
            }
            self.push(0x85, 0, 0, 0, 7);
            self.set[1..6].fill(false);
            self.numbers[1..6].fill(false);
            self.push(0xbf, 5, 0, 0, 0);
            self.write(5, true);
            for offset in [-8, -16, -24, -32] {
                let src = self.pick(&[0, 5]);
                self.push(0x7b, 10, src, offset, 0);
            }
        }
        if packet && !self.careful {
            self.open_packet();
        }
        for left in (0..length).rev() {
            let before = self.slots.len();
            self.instruction(left + 1);
            if self.slots.len() == before {
                self.push(0x05, 0, 0, 0, 0);
            }
        }
        self.push(0xb7, 0, 0, 0, 0);
        self.push(0x95, 0, 0, 0, 0);
        if self.calls.is_empty() {
            return (self.slots, None);
        }
        let start = self.slots.len();
        self.function();
        (self.slots, Some(start))
    }
}

fn symbol(name: &str, from: usize, to: usize) -> Symbol {
    Symbol {
        name: name.to_owned(),
        binding: 1,
        kind: STT_FUNC,
        other: 0,
        place: SymbolPlace::Section(SectionId(1)),
        value: from as u64 * 8,
        size: (to - from) as u64 * 8,
    }
}

fn object(slots: &[Slot], function: Option<usize>, name: &str) -> Object {
    let main = function.unwrap_or(slots.len());
    let mut symbols = vec![symbol(name, 0, main)];
    symbols.extend(function.map(|start| symbol("function", start, slots.len())));
    let mut code = Section::new(name, SHT_PROGBITS);
    code.flags = SHF_ALLOC | SHF_EXECINSTR;
    code.contents = Contents::Bytes(write_slots(slots, Endian::Little));
    let mut license = Section::new("license", SHT_PROGBITS);
    license.contents = Contents::Bytes(b"GPL\0".to_vec());
    Object {
        endian: Endian::Little,
        flags: 0,
        os_abi: 0,
        abi_version: 0,
        machine: 247,
        sections: vec![Section::new("", 0), code, license],
        symbols,
        section_names: bpf::object::SectionId(0),
        layout: bpf::object::FileLayout::default(),
    }
}

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|one| one.parse::<u64>().ok());
    let options = Options {
        processors: std::thread::available_parallelism().map_or(0, |count| count.get() as u32),
        ..Options::default()
    };
    let (seed, count) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(100));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for index in 0..count {
        let mut generator = Generator {
            random: Random::new(seed.wrapping_mul(1_000_003).wrapping_add(index)),
            slots: Vec::new(),
            set: [false; 10],
            numbers: [false; 10],
            careful: false,
            calls: Vec::new(),
            in_function: false,
            packet_fields: (0, 4),
        };
        generator.careful = generator.below(4) > 0;
        let (number, section) = generator.pick(&[XDP, TC, SOCKET]);
        if section == "tc" {
            generator.packet_fields = (76, 80);
        }
        let packet = section != "socket" && generator.below(2) == 0;
        let length = 4 + generator.below(24);
        let (slots, function) = generator.program(length, packet);
        let object = object(&slots, function, section);
        let id = ProgramId {
            section: section.to_owned(),
            function: section.to_owned(),
        };
        let said = match verifier::check_program(&object, &id, &options) {
            Ok(report) => match report.verdict {
                Verdict::Accepted => "accepted".to_owned(),
                Verdict::Rejected(finding) => {
                    format!("rejected {}", finding.kernel_text.replace('\n', " / "))
                }
                Verdict::Undecided(gap) => format!("undecided {}", gap.construct),
            },
            Err(error) => format!("undecided {error}"),
        };
        let code: String = write_slots(&slots, Endian::Little)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        writeln!(out, "{number}\t{said}\t{code}")?;
    }
    out.flush()
}
