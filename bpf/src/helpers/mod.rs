//! Helper functions: what programs can call in the kernel by number.
//!
//! One table ([`all`]) in id order. It says what a compiler must know of a call: how many
//! registers it reads, what memory behind them it reads or writes, what it returns, and whether
//! packet pointers survive it. Look-up by id is an index; by name a scan of the table.

mod kinds;
mod table;

pub use kinds::{Access, Arg, ArgKind, Helper, HelperFlags, ReturnKind};

/// The helper with this number.
#[must_use]
pub fn by_id(id: u32) -> Option<&'static Helper> {
    table::TABLE.get(usize::try_from(id.checked_sub(1)?).ok()?)
}

/// The helper with this name, with or without `bpf_` before it.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Helper> {
    let name = name.strip_prefix("bpf_").unwrap_or(name);
    table::TABLE.iter().find(|helper| helper.name == name)
}

/// All helpers in id order.
#[must_use]
pub fn all() -> &'static [Helper] {
    &table::TABLE
}

#[cfg(test)]
mod tests {
    use super::{ArgKind, HelperFlags, ReturnKind, all, by_id, by_name};

    #[test]
    fn ids_are_the_places_in_the_table_and_names_are_unique() {
        for (place, helper) in all().iter().enumerate() {
            assert_eq!(helper.id as usize, place + 1);
            assert_eq!(by_name(helper.name), Some(helper));
            assert_eq!(by_id(helper.id), Some(helper));
            assert!(helper.arg_count() <= 5);
        }
        assert_eq!(by_id(0), None);
        assert_eq!(by_id(212), None);
        assert_eq!(
            by_name("bpf_map_lookup_elem").map(|helper| helper.id),
            Some(1)
        );
        assert_eq!(
            by_name("cgrp_storage_delete").map(|helper| helper.id),
            Some(211)
        );
    }

    #[test]
    fn sizes_follow_the_memory_that_they_measure() {
        for helper in all() {
            for (place, arg) in helper.args.iter().enumerate() {
                let measured = matches!(arg.kind, ArgKind::ConstSize | ArgKind::ConstSizeOrZero);
                let memory = place > 0 && matches!(helper.args[place - 1].kind, ArgKind::Mem(_));
                assert!(!measured || memory, "{}", helper.name);
            }
        }
    }

    #[test]
    fn flags_agree_with_arguments_and_results() {
        for helper in all() {
            let has = |kind| helper.args.iter().any(|arg| arg.kind == kind);
            let calls_back = helper
                .flags
                .intersects(HelperFlags::CALLS_BACK | HelperFlags::CALLS_BACK_LATER);
            assert_eq!(
                calls_back,
                has(ArgKind::CallbackFn) || helper.name == "user_ringbuf_drain"
            );
            let releases = helper.args.iter().any(|arg| arg.releases);
            assert!(
                !helper.flags.contains(HelperFlags::RELEASES) || releases,
                "{}",
                helper.name
            );
            if helper.flags.contains(HelperFlags::ACQUIRES) {
                assert_ne!(helper.returns, ReturnKind::Integer);
                assert!(helper.returns_null);
            }
        }
    }
}
