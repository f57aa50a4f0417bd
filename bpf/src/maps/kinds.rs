//! Map types with the numbers of `enum bpf_map_type` (`include/uapi/linux/bpf.h`, through 6.18,
//! and `insn_array` that came after it for jump tables) and the names that bpftool prints.

macro_rules! map_kinds {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A map type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names are the kernel's own")]
        pub enum MapKind {
            $($variant,)*
            /// A number that no known kernel gives a meaning.
            Other(u32),
        }

        impl MapKind {
            const KNOWN: &'static [(MapKind, &'static str)] = &[$((MapKind::$variant, $text)),*];
        }
    };
}

map_kinds! {
    Hash = "hash",
    Array = "array",
    ProgArray = "prog_array",
    PerfEventArray = "perf_event_array",
    PercpuHash = "percpu_hash",
    PercpuArray = "percpu_array",
    StackTrace = "stack_trace",
    CgroupArray = "cgroup_array",
    LruHash = "lru_hash",
    LruPercpuHash = "lru_percpu_hash",
    LpmTrie = "lpm_trie",
    ArrayOfMaps = "array_of_maps",
    HashOfMaps = "hash_of_maps",
    Devmap = "devmap",
    Sockmap = "sockmap",
    Cpumap = "cpumap",
    Xskmap = "xskmap",
    Sockhash = "sockhash",
    CgroupStorage = "cgroup_storage",
    ReuseportSockarray = "reuseport_sockarray",
    PercpuCgroupStorage = "percpu_cgroup_storage",
    Queue = "queue",
    Stack = "stack",
    SkStorage = "sk_storage",
    DevmapHash = "devmap_hash",
    StructOps = "struct_ops",
    Ringbuf = "ringbuf",
    InodeStorage = "inode_storage",
    TaskStorage = "task_storage",
    BloomFilter = "bloom_filter",
    UserRingbuf = "user_ringbuf",
    CgrpStorage = "cgrp_storage",
    Arena = "arena",
    InsnArray = "insn_array",
}

impl MapKind {
    /// The type with this number.
    #[must_use]
    pub fn from_number(number: u32) -> MapKind {
        let place = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let known = place.and_then(|place| MapKind::KNOWN.get(place));
        known.map_or(MapKind::Other(number), |(kind, _)| *kind)
    }

    /// The kernel's number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            MapKind::Other(number) => number,
            known => (1u32..)
                .zip(MapKind::KNOWN)
                .find(|(_, (kind, _))| *kind == known)
                .map_or(0, |(number, _)| number),
        }
    }

    /// The name that bpftool prints.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = MapKind::KNOWN.iter().find(|(kind, _)| *kind == self);
        row.map_or("unknown", |(_, name)| name)
    }

    /// Whether each CPU has its own value.
    #[must_use]
    pub fn is_per_cpu(self) -> bool {
        matches!(
            self,
            MapKind::PercpuHash
                | MapKind::PercpuArray
                | MapKind::LruPercpuHash
                | MapKind::PercpuCgroupStorage
        )
    }

    /// Whether values are other maps.
    #[must_use]
    pub fn holds_maps(self) -> bool {
        matches!(self, MapKind::ArrayOfMaps | MapKind::HashOfMaps)
    }
}

#[cfg(test)]
mod tests {
    use super::MapKind;

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(MapKind::Hash.number(), 1);
        assert_eq!(MapKind::from_number(27), MapKind::Ringbuf);
        assert_eq!(MapKind::Arena.number(), 33);
        assert_eq!(MapKind::from_number(0), MapKind::Other(0));
        assert_eq!(MapKind::from_number(9999).number(), 9999);
        assert_eq!(MapKind::LpmTrie.name(), "lpm_trie");
    }
}
