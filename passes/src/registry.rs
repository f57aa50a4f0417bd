//! The list of passes: one line in `lib.rs` makes the module, the registry entry and the name.

use crate::pass::PassInfo;

/// Declares passes. Each line is a summary, a module, its unit type, its name and its kind.
macro_rules! declare_passes {
    ($(#[doc = $summary:literal] mod $module:ident: $pass:ident = $name:literal $kind:ident;)*) => {
        $(pub mod $module;)*

        /// Every pass, in the order of the list.
        pub static REGISTRY: &[$crate::pass::PassInfo] = &[$(
            $crate::pass::PassInfo {
                name: $name,
                summary: $summary.trim_ascii(),
                kind: $crate::pass::PassKind::$kind,
                pass: &$module::$pass,
            },
        )*];
    };
}
pub(crate) use declare_passes;

/// A pass was named that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no pass `{name}`; the passes are {}", names().join(", "))]
pub struct UnknownPass {
    /// What was named.
    pub name: String,
}

/// Names of all passes, in the order of the list.
#[must_use]
pub fn names() -> Vec<&'static str> {
    crate::REGISTRY.iter().map(|info| info.name).collect()
}

/// The pass of this name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static PassInfo, UnknownPass> {
    crate::REGISTRY
        .iter()
        .find(|info| info.name == name)
        .ok_or_else(|| UnknownPass {
            name: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for info in crate::REGISTRY {
            assert!(
                info.name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{}",
                info.name
            );
            assert!(seen.insert(info.name), "{} twice", info.name);
            assert!(!info.summary.is_empty());
        }
    }

    #[test]
    fn an_unknown_name_lists_the_valid_ones() {
        let message = find("gvm").unwrap_err().to_string();
        for name in names() {
            assert!(message.contains(name), "{message}");
        }
    }
}
