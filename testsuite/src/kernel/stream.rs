//! The kernel's verdict on a bare stream of instructions.
//!
//! Nothing is kept: a program that is accepted is unloaded at once. The log has no trace of the
//! walk (`BPF_LOG_STATS`), which is what makes asking cheap.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use bpf::insn::{Endian, write_slots};
use bpf::maps::MapDef;
use libbpf_rs::libbpf_sys as sys;
use libbpf_rs::{MapHandle, MapType};

use crate::random_program::{RandomProgram, SORTS, maps};

/// What the kernel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Accepted, with the instructions that it walked.
    Accepted(u32),
    /// Refused, with the last line of its log and the instructions that it walked.
    Rejected(String, u32),
    /// Something else went wrong: the error's number and what the log has.
    Failed(i32, String),
}

/// The running kernel, with the maps of random programs.
#[derive(Debug)]
pub struct Asker {
    /// Kept open for as long as programs name them.
    _maps: Vec<MapHandle>,
    /// By the place of a type in [`SORTS`]: an array of programs only takes those of one type.
    descriptors: Vec<Vec<i32>>,
    log: Vec<u8>,
}

const LOG_BYTES: usize = 1 << 20;
/// `BPF_LOG_STATS`
const LOG_STATS: u32 = 4;

impl Asker {
    /// Makes the maps.
    ///
    /// # Errors
    /// The kernel does not make one.
    pub fn new() -> Result<Asker, String> {
        let mut made = Vec::new();
        let mut descriptors = Vec::new();
        for _ in SORTS {
            let of_sort: Result<Vec<MapHandle>, String> = maps().iter().map(create).collect();
            let of_sort = of_sort?;
            descriptors.push(of_sort.iter().map(|map| map.as_fd().as_raw_fd()).collect());
            made.extend(of_sort);
        }
        Ok(Asker {
            descriptors,
            _maps: made,
            log: vec![0; LOG_BYTES],
        })
    }

    /// Asks for the verdict on a program.
    pub fn ask(&mut self, program: &RandomProgram) -> Said {
        let error = self.load(program).err();
        let end = self.log.iter().position(|byte| *byte == 0);
        let text = String::from_utf8_lossy(&self.log[..end.unwrap_or(0)]).into_owned();
        let processed = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("processed "))
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
            .unwrap_or(0);
        let last = text
            .lines()
            .rev()
            // One message does not end its line.
            .map(|line| line.split("verification time ").next().unwrap_or("").trim())
            .find(|line| !line.is_empty() && !is_aside(line))
            .unwrap_or("")
            .to_owned();
        match error {
            None => Said::Accepted(processed),
            Some(error) if is_verdict(error, &last) => Said::Rejected(last, processed),
            Some(error) => Said::Failed(error, last),
        }
    }

    #[expect(unsafe_code, reason = "libbpf has no safe call for a bare stream")]
    fn load(&mut self, program: &RandomProgram) -> Result<OwnedFd, i32> {
        let bytes = write_slots(&program.slots, Endian::Little);
        let sort = program.sort;
        self.log[0] = 0;
        let place = SORTS.iter().position(|one| std::ptr::eq(one, sort));
        let descriptors = &self.descriptors[place.unwrap_or(0)];
        let mut options = sys::bpf_prog_load_opts {
            sz: size_of::<sys::bpf_prog_load_opts>() as u64,
            attempts: 5,
            expected_attach_type: sort.attach_type.map_or(0, |kind| kind.number()),
            fd_array: descriptors.as_ptr(),
            log_level: LOG_STATS,
            log_size: LOG_BYTES as u32,
            log_buf: self.log.as_mut_ptr().cast(),
            ..sys::bpf_prog_load_opts::default()
        };
        // SAFETY: the pointers lead to as many bytes as is said, which outlive the call; a
        // descriptor that it returns belongs to nobody else.
        unsafe {
            let result = sys::bpf_prog_load(
                sort.program_type.number(),
                c"random".as_ptr(),
                c"GPL".as_ptr(),
                bytes.as_ptr().cast(),
                program.slots.len() as u64,
                &mut options,
            );
            if result < 0 {
                return Err(-result);
            }
            Ok(OwnedFd::from_raw_fd(result))
        }
    }
}

/// The lines at the end of a log that are not the reason.
fn is_aside(line: &str) -> bool {
    [
        "processed ",
        "verification time ",
        "stack depth ",
        "cur state:",
        "old state:",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

/// Whether an error comes from the program rather than from the state of the machine.
fn is_verdict(error: i32, last: &str) -> bool {
    const EPERM: i32 = 1;
    const E2BIG: i32 = 7;
    const EACCES: i32 = 13;
    const ENOMEM: i32 = 12;
    const EINVAL: i32 = 22;
    const ENOTSUPP: i32 = 524;
    const EOPNOTSUPP: i32 = 95;
    const ENOENT: i32 = 2;
    const EBADF: i32 = 9;
    const ERANGE: i32 = 34;
    const ELOOP: i32 = 40;
    const EFAULT: i32 = 14;
    const EDEADLK: i32 = 35;
    match error {
        EACCES | EINVAL | E2BIG | ERANGE | ELOOP | EDEADLK => true,
        ENOMEM => last.starts_with("The sequence of "),
        EFAULT => !last.to_lowercase().contains("bug"),
        EPERM | ENOTSUPP | EOPNOTSUPP | ENOENT | EBADF => !last.is_empty(),
        _ => false,
    }
}

fn create(def: &MapDef) -> Result<MapHandle, String> {
    let options = sys::bpf_map_create_opts {
        sz: size_of::<sys::bpf_map_create_opts>() as u64,
        map_flags: def.flags,
        ..sys::bpf_map_create_opts::default()
    };
    MapHandle::create(
        MapType::from(def.kind.number()),
        Some(&def.name),
        def.key_size,
        def.value_size,
        def.max_entries,
        &options,
    )
    .map_err(|error| format!("map {}: {error}", def.name))
}
