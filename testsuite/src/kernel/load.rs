//! Loads one program of an object.

use std::os::fd::AsFd;
use std::sync::Mutex;

use libbpf_rs::{
    AsRawLibbpf, MapHandle, MapType, Object, ObjectBuilder, OpenMapMut, OpenObject, PrintLevel,
    ProgramType, libbpf_sys as sys, set_print,
};

use crate::fixture::Fixture;

/// Lines of a verifier log that a report shows.
const LOG_LINES: usize = 6;
/// What a map may cost, so that huge tables of real programs fit a test machine.
const MAX_MAP_BYTES: u64 = 64 << 20;

/// The value of maps in maps whose objects do not say what they hold.
const INNER_BYTES: u32 = 1 << 17;

static MESSAGES: Mutex<String> = Mutex::new(String::new());

/// Which program of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProgramName {
    /// Section.
    pub section: String,
    /// Function.
    pub function: String,
}

impl std::fmt::Display for ProgramName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.section, self.function)
    }
}

/// A program in the kernel, with the object that keeps it there.
#[derive(Debug)]
pub struct Loaded {
    /// Everything which was loaded with it.
    pub object: Object,
    /// Which program.
    pub program: ProgramName,
}

/// Why a program was not loaded.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The end of the verifier's log, or libbpf's message.
    pub message: String,
}

fn remember(_level: PrintLevel, message: String) {
    if let Ok(mut messages) = MESSAGES.lock() {
        messages.push_str(&message);
    }
}

fn begin_messages() {
    if let Ok(mut messages) = MESSAGES.lock() {
        messages.clear();
    }
    set_print(Some((PrintLevel::Warn, remember)));
}

fn refusal(error: &libbpf_rs::Error) -> Refusal {
    let messages = MESSAGES
        .lock()
        .map(|messages| messages.clone())
        .unwrap_or_default();
    let log: Vec<&str> = match messages.split_once("BEGIN PROG LOAD LOG --") {
        Some((_, log)) => {
            let log = log.split("-- END PROG LOAD LOG").next().unwrap_or(log);
            log.lines().collect()
        }
        None => messages.lines().collect(),
    };
    let log: Vec<&str> = log
        .into_iter()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("processed "))
        .collect();
    let tail = log[log.len().saturating_sub(LOG_LINES)..].join("\n");
    Refusal {
        message: if tail.is_empty() {
            error.to_string()
        } else {
            tail
        },
    }
}

fn open(bytes: &[u8]) -> Result<OpenObject, Refusal> {
    begin_messages();
    let bytes = without_pinning(bytes);
    let mut builder = ObjectBuilder::default();
    builder.relaxed_maps(true);
    let opened = builder
        .name("object")
        .and_then(|builder| builder.open_memory(&bytes));
    opened.map_err(|error| refusal(&error))
}

/// A pinned map outlives the test and is shared by the next one: the attribute's name is changed
/// into one which libbpf does not know.
fn without_pinning(bytes: &[u8]) -> Vec<u8> {
    const ATTRIBUTE: &[u8] = b"\0pinning\0";
    let mut bytes = bytes.to_vec();
    let found: Vec<usize> = bytes
        .windows(ATTRIBUTE.len())
        .enumerate()
        .filter(|(_, window)| *window == ATTRIBUTE)
        .map(|(at, _)| at)
        .collect();
    for at in found {
        bytes[at + 1] = b'_';
    }
    bytes
}

/// The programs of an object, in libbpf's order.
///
/// # Errors
/// libbpf does not open the object.
pub fn program_names(bytes: &[u8]) -> Result<Vec<ProgramName>, Refusal> {
    let object = open(bytes)?;
    let names = object
        .progs()
        .map(|program| ProgramName {
            section: program.section().to_string_lossy().into_owned(),
            function: program.name().to_string_lossy().into_owned(),
        })
        .collect();
    Ok(names)
}

/// Loads one program. `object_name` helps to guess the type of programs whose section says none;
/// other programs that the fixture's program arrays name are loaded with it.
///
/// # Errors
/// The kernel or libbpf refuses it.
pub fn load(
    bytes: &[u8],
    program: &ProgramName,
    object_name: &str,
    fixture: &Fixture,
) -> Result<Loaded, Refusal> {
    let mut object = open(bytes)?;
    // Their descriptors are needed until the maps that name them are made.
    let _inner = fit_maps(&mut object);
    for mut candidate in object.progs_mut() {
        let section = candidate.section().to_string_lossy().into_owned();
        let function = candidate.name().to_string_lossy().into_owned();
        let wanted = program.section == section && program.function == function;
        candidate.set_autoload(wanted || fixture.names_program(&function));
        if candidate.prog_type() == ProgramType::Unspec {
            candidate.set_prog_type(guess_type(object_name, &section, &function));
        }
    }
    let object = object.load().map_err(|error| refusal(&error))?;
    Ok(Loaded {
        object,
        program: program.clone(),
    })
}

fn guess_type(object_name: &str, section: &str, function: &str) -> ProgramType {
    let all = format!("{object_name} {section} {function}");
    if all.contains("xdp") {
        ProgramType::Xdp
    } else if section.contains("probe") {
        ProgramType::Kprobe
    } else if section.starts_with("socket") || section.starts_with("sk_filter") {
        ProgramType::SocketFilter
    } else {
        ProgramType::SchedCls
    }
}

/// Gives maps what their user-space programs would: a length, and not too large a one; sizes that
/// have one value only; and to maps of maps the map that says what is in them.
fn fit_maps(object: &mut OpenObject) -> Vec<MapHandle> {
    let mut inner = Vec::new();
    for mut map in object.maps_mut() {
        let kind = map.map_type();
        let storage = matches!(
            kind,
            MapType::SkStorage
                | MapType::InodeStorage
                | MapType::TaskStorage
                | MapType::CGrpStorage
                | MapType::StructOps
                | MapType::PerfEventArray
        );
        let ring = matches!(kind, MapType::RingBuf | MapType::UserRingBuf);
        let entry = u64::from(map.key_size()) + u64::from(map.value_size());
        let entries = map.max_entries();
        let wanted = match entries {
            0 if storage => None,
            0 if ring => Some(1 << 18),
            0 => Some(1),
            entries if !ring && u64::from(entries) * entry > MAX_MAP_BYTES => {
                u32::try_from(MAX_MAP_BYTES / entry.max(1)).ok()
            }
            _ => None,
        };
        if let Some(wanted) = wanted {
            // A refusal here shows again, with a message, when the object is loaded.
            let _refused = map.set_max_entries(wanted);
        }
        if kind == MapType::PerfEventArray && map.key_size() == 0 {
            let _refused = map.set_key_size(4).and_then(|()| map.set_value_size(4));
        }
        if matches!(kind, MapType::ArrayOfMaps | MapType::HashOfMaps)
            && !says_inner(&map)
            && let Ok(array) = inner_map()
        {
            let _refused = map.set_inner_map_fd(array.as_fd());
            inner.push(array);
        }
    }
    inner
}

/// Whether the object says what is in a map of maps.
#[expect(unsafe_code, reason = "libbpf-rs has no such question")]
fn says_inner(map: &OpenMapMut<'_>) -> bool {
    // SAFETY: the pointer is that of a map which is borrowed, and only read.
    unsafe { !sys::bpf_map__inner_map(map.as_libbpf_object().as_ptr()).is_null() }
}

/// An array of one value that is as large as any that programs look at.
fn inner_map() -> libbpf_rs::Result<MapHandle> {
    let options = sys::bpf_map_create_opts {
        sz: size_of::<sys::bpf_map_create_opts>() as u64,
        ..sys::bpf_map_create_opts::default()
    };
    MapHandle::create(MapType::Array, Some("inner"), 4, INNER_BYTES, 1, &options)
}

impl Loaded {
    /// The program's type.
    #[must_use]
    pub fn program_type(&self) -> Option<ProgramType> {
        self.find().map(|program| program.prog_type())
    }

    /// The program itself.
    #[must_use]
    pub fn find(&self) -> Option<libbpf_rs::ProgramMut<'_>> {
        self.object.progs_mut().find(|program| {
            program.section() == self.program.section.as_str()
                && program.name() == self.program.function.as_str()
        })
    }
}
