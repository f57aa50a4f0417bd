//! Program types, and how a section's name tells the type.
//!
//! libbpf 1.0 and later match names exactly, apart from rows that take an attach target after a
//! slash. Earlier releases matched by prefix (`xdp_prog1`, `classifier/from-netdev`), and objects
//! written for them are still around: a name that no row matches is tried again that way, longest
//! row first.

mod kinds;
mod table;

pub use kinds::{AttachType, ProgramType};

/// A row of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SectionRule {
    name: &'static str,
    program_type: ProgramType,
    attach_type: Option<AttachType>,
    sleepable: bool,
    frags: bool,
}

/// What a section's name says of the programs in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionKind<'name> {
    /// Type to load as.
    pub program_type: ProgramType,
    /// Expected attach type.
    pub attach_type: Option<AttachType>,
    /// Whether the program may sleep.
    pub sleepable: bool,
    /// Whether an XDP program knows packets in several buffers.
    pub frags: bool,
    /// What follows the row's name and a slash: the function, hook or event to attach to.
    pub target: Option<&'name str>,
    /// Whether the loader loads it without being asked; a leading `?` says no.
    pub autoload: bool,
    /// Whether only the prefix match of libbpf before 1.0 finds it.
    pub legacy: bool,
}

impl SectionRule {
    fn target<'name>(&self, name: &'name str) -> Option<Option<&'name str>> {
        match self.name.strip_suffix('+') {
            Some(stem) => match name.strip_prefix(stem)? {
                "" => Some(None),
                rest => Some(Some(rest.strip_prefix('/')?)),
            },
            None => (self.name == name).then_some(None),
        }
    }
}

impl<'name> SectionKind<'name> {
    /// Understands a section name; `None` when no program type is known for it.
    #[must_use]
    pub fn from_section(section: &'name str) -> Option<SectionKind<'name>> {
        let name = section.strip_prefix('?').unwrap_or(section);
        let autoload = name.len() == section.len();
        let (rule, target, legacy) = exact(name).or_else(|| by_prefix(name))?;
        Some(SectionKind {
            program_type: rule.program_type,
            attach_type: rule.attach_type,
            sleepable: rule.sleepable,
            frags: rule.frags,
            target,
            autoload,
            legacy,
        })
    }
}

type Match<'name> = (&'static SectionRule, Option<&'name str>, bool);

fn exact(name: &str) -> Option<Match<'_>> {
    table::SECTIONS
        .iter()
        .find_map(|rule| Some((rule, rule.target(name)?, false)))
}

fn by_prefix(name: &str) -> Option<Match<'_>> {
    let stem = |rule: &SectionRule| rule.name.trim_end_matches('+');
    let rule = table::SECTIONS
        .iter()
        .filter(|rule| name.starts_with(stem(rule)))
        .max_by_key(|rule| stem(rule).len())?;
    let rest = name.strip_prefix(stem(rule))?;
    Some((rule, rest.strip_prefix('/'), true))
}

impl ProgramType {
    /// The program type that a section's name stands for.
    #[must_use]
    pub fn from_section(section: &str) -> Option<ProgramType> {
        SectionKind::from_section(section).map(|kind| kind.program_type)
    }
}

#[cfg(test)]
mod tests {
    use super::{AttachType, ProgramType, SectionKind};

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(ProgramType::SocketFilter.number(), 1);
        assert_eq!(ProgramType::Xdp.number(), 6);
        assert_eq!(ProgramType::Netfilter.number(), 32);
        assert_eq!(AttachType::CgroupInetIngress.number(), 0);
        assert_eq!(AttachType::Xdp.number(), 37);
        assert_eq!(AttachType::TraceUprobeSession.number(), 57);
    }

    #[test]
    fn sections_follow_libbpf() {
        let kind = |name| SectionKind::from_section(name).unwrap();
        assert_eq!(kind("xdp").attach_type, Some(AttachType::Xdp));
        assert!(kind("xdp.frags").frags);
        assert_eq!(
            kind("xdp.frags/devmap").attach_type,
            Some(AttachType::XdpDevmap)
        );
        assert_eq!(kind("tc").program_type, ProgramType::SchedCls);
        assert_eq!(kind("tcx/egress").attach_type, Some(AttachType::TcxEgress));
        assert_eq!(kind("kprobe/tcp_connect").target, Some("tcp_connect"));
        assert_eq!(
            kind("tracepoint/sched/sched_switch").target,
            Some("sched/sched_switch")
        );
        assert!(kind("lsm.s/file_open").sleepable);
        assert!(!kind("?fentry/foo").autoload);
        assert_eq!(
            kind("cgroup/connect4").program_type,
            ProgramType::CgroupSockAddr
        );
        assert!(SectionKind::from_section(".text").is_none());
        assert!(SectionKind::from_section("license").is_none());
    }

    #[test]
    fn names_of_old_objects_match_by_prefix() {
        let kind = SectionKind::from_section("classifier/from-netdev").unwrap();
        assert_eq!(
            (kind.program_type, kind.legacy),
            (ProgramType::SchedCls, true)
        );
        assert_eq!(kind.target, Some("from-netdev"));
        assert_eq!(
            ProgramType::from_section("xdp_prog1"),
            Some(ProgramType::Xdp)
        );
        assert_eq!(
            ProgramType::from_section("socket1"),
            Some(ProgramType::SocketFilter)
        );
        assert_eq!(
            ProgramType::from_section("socket/filter"),
            Some(ProgramType::SocketFilter)
        );
    }

    #[test]
    fn names_and_section_names_are_types() {
        for kind in ProgramType::ALL {
            assert_eq!(ProgramType::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(
            ProgramType::from_name("classifier"),
            Some(ProgramType::SchedCls)
        );
        assert_eq!(ProgramType::from_name("nothing"), None);
    }
}
