//! The pages on the verifier's errors, one for each rule: what it means, an example, its repair.
//!
//! A page is a file in `docs/errors`, named like the rule's code, in a fixed form, so that it reads
//! well where it lies and can be taken apart here:
//!
//! ````text
//! # TITLE
//!
//! Options: --OPTION…          (only if the kernel must be asked in a special way)
//!
//! PARAGRAPHS
//!
//! The kernel says:
//!
//!     LINE…
//!
//! ## Example
//!
//! PARAGRAPHS (or none)
//!
//! ```asm (or c)
//! PROGRAM
//! ```
//!
//! ## Repair
//!
//! PARAGRAPHS
//!
//! ```asm
//! PROGRAM
//! ```
//! ````
//!
//! The tests run every program through the verifier and the running kernel. What a page in C is
//! compiled to lies in `docs/errors/examples`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use verifier::{Category, Rule};

/// What precedes the kernel's lines.
const KERNEL: &str = "The kernel says:";
const OPTIONS: &str = "Options: ";
/// Fewer letters than this, per letter wrong, and a guess would be arbitrary.
const LETTERS_PER_MISTAKE: usize = 3;

macro_rules! pages {
    ($($rule:ident = $code:literal),* $(,)?) => {
        /// The text of a rule's page.
        #[must_use]
        pub fn text(rule: Rule) -> &'static str {
            match rule {
                $(Rule::$rule => include_str!(concat!("../docs/errors/", $code, ".md"))),*
            }
        }

        #[cfg(test)]
        const CODES: &[(Rule, &str)] = &[$((Rule::$rule, $code)),*];
    };
}

pages! {
    UninitialisedRegister = "uninitialised-register",
    FramePointerWrite = "frame-pointer-write",
    PointerArithmetic = "pointer-arithmetic",
    PointerOffset = "pointer-offset",
    NullPointerArithmetic = "null-pointer-arithmetic",
    NotAPointer = "not-a-pointer",
    MixedPointers = "mixed-pointers",
    RangeInvariant = "range-invariant",
    NullDereference = "null-dereference",
    StackBounds = "stack-bounds",
    StackUninitialised = "stack-uninitialised",
    SpillSize = "spill-size",
    FillSize = "fill-size",
    SpillToCaller = "spill-to-caller",
    PacketBounds = "packet-bounds",
    PacketWrite = "packet-write",
    MapValueBounds = "map-value-bounds",
    MapKeyWrite = "map-key-write",
    MapPermission = "map-permission",
    SpecialField = "special-field",
    MemoryBounds = "memory-bounds",
    ReadOnlyMemory = "read-only-memory",
    NegativeOffset = "negative-offset",
    UnboundedOffset = "unbounded-offset",
    VariableOffset = "variable-offset",
    ContextAccess = "context-access",
    ModifiedContext = "modified-context",
    SocketAccess = "socket-access",
    FlowKeysAccess = "flow-keys-access",
    BufferAccess = "buffer-access",
    MapPointerAccess = "map-pointer-access",
    Misaligned = "misaligned",
    AtomicTarget = "atomic-target",
    ReferenceLeak = "reference-leak",
    NotAcquired = "not-acquired",
    LockHeld = "lock-held",
    LockMissing = "lock-missing",
    ArgumentType = "argument-type",
    ArgumentSize = "argument-size",
    ArgumentNotConstant = "argument-not-constant",
    ArgumentValue = "argument-value",
    MapKind = "map-kind",
    FunctionArgument = "function-argument",
    FunctionType = "function-type",
    ReturnValue = "return-value",
    ReturnsPointer = "returns-pointer",
    CallbackContext = "callback-context",
    CallWhileLocked = "call-while-locked",
    MaySleep = "may-sleep",
    PacketReadContext = "packet-read-context",
    UnknownInstruction = "unknown-instruction",
    ReservedField = "reserved-field",
    BadConstant = "bad-constant",
    Unreachable = "unreachable",
    JumpOutOfRange = "jump-out-of-range",
    FallsOff = "falls-off",
    InfiniteLoop = "infinite-loop",
    TooComplex = "too-complex",
    StackDepth = "stack-depth",
    CallDepth = "call-depth",
    TailCallInSubprogram = "tail-call-in-subprogram",
    HelperNotAllowed = "helper-not-allowed",
    HelperUnknown = "helper-unknown",
    GplOnly = "gpl-only",
    MapNotAllowed = "map-not-allowed",
    InstructionNotAllowed = "instruction-not-allowed",
}

/// A page, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The error in a few plain words.
    pub title: &'static str,
    /// Options of `check` under which the example shows the error.
    pub options: Vec<&'static str>,
    /// Paragraphs.
    pub meaning: &'static str,
    /// What the kernel prints, one line each; the numbers are those of some program.
    pub kernel_texts: Vec<&'static str>,
    /// A program that has the error.
    pub example: Sample,
    /// The program without it.
    pub repair: Sample,
}

/// A program with what is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Paragraphs; may be empty.
    pub text: &'static str,
    /// `asm` or `c`.
    pub language: &'static str,
    /// The program.
    pub program: &'static str,
}

/// The page of a rule; `None` if the file does not have the form.
#[must_use]
pub fn page(rule: Rule) -> Option<Page> {
    parse(text(rule))
}

/// The error in a few plain words.
#[must_use]
pub fn title(rule: Rule) -> &'static str {
    let first = text(rule).lines().next().unwrap_or_default();
    first.trim_start_matches("# ")
}

/// The rule with a code.
#[must_use]
pub fn find(code: &str) -> Option<Rule> {
    Rule::ALL.iter().copied().find(|rule| rule.code() == code)
}

/// The code that was perhaps meant.
#[must_use]
pub fn nearest(code: &str) -> Option<&'static str> {
    nearest_of(code, Rule::ALL.iter().map(|rule| rule.code()))
}

/// The name that was perhaps meant, of those that there are.
#[must_use]
pub fn nearest_of(
    code: &str,
    names: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let code = code.to_lowercase();
    let names = names.into_iter();
    let distances = names.map(|name| (strsim::levenshtein(&code, name), name));
    let (distance, found) = distances.min()?;
    (distance * LETTERS_PER_MISTAKE <= code.len().max(LETTERS_PER_MISTAKE)).then_some(found)
}

fn parse(text: &'static str) -> Option<Page> {
    let (title, rest) = text.strip_prefix("# ")?.split_once("\n\n")?;
    let (options, rest) = match rest.strip_prefix(OPTIONS) {
        Some(rest) => rest.split_once("\n\n")?,
        None => ("", rest),
    };
    let (about, rest) = rest.split_once("\n## Example\n")?;
    let (example, repair) = rest.split_once("\n## Repair\n")?;
    let (meaning, lines) = about.split_once(KERNEL)?;
    let kernel_texts: Option<Vec<&str>> = lines
        .trim_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("    "))
        .collect();
    Some(Page {
        title,
        options: options.split_whitespace().collect(),
        meaning: meaning.trim(),
        kernel_texts: kernel_texts?,
        example: sample(example)?,
        repair: sample(repair)?,
    })
}

fn sample(part: &'static str) -> Option<Sample> {
    let (text, rest) = part.split_once("```")?;
    let (language, rest) = rest.split_once('\n')?;
    let (program, after) = rest.split_once("```")?;
    let known = matches!(language, "asm" | "c") && after.trim().is_empty();
    known.then(|| Sample {
        text: text.trim(),
        language,
        program,
    })
}

/// A page for people, without markup.
#[must_use]
pub fn show(rule: Rule) -> String {
    let Some(page) = page(rule) else {
        return text(rule).to_owned();
    };
    let mut shown = format!("{}: {}\n{}\n", rule.code(), page.title, rule.category());
    // Writing to a string cannot fail.
    if !page.options.is_empty() {
        let _ = writeln!(shown, "With: bpfmill check {}", page.options.join(" "));
    }
    let _ = writeln!(shown, "\n{}\n\n{KERNEL}", page.meaning);
    for line in &page.kernel_texts {
        let _ = writeln!(shown, "    {line}");
    }
    for (heading, sample) in [("Example", &page.example), ("Repair", &page.repair)] {
        let _ = writeln!(shown, "\n{heading}");
        if !sample.text.is_empty() {
            let _ = writeln!(shown, "{}", sample.text);
        }
        shown.push('\n');
        for line in sample.program.lines() {
            let _ = writeln!(shown, "{}", format!("    {line}").trim_end());
        }
    }
    shown
}

/// All codes with their titles, by category.
#[must_use]
pub fn list() -> String {
    let mut shown = String::new();
    let mut category: Option<Category> = None;
    let mut rules: Vec<Rule> = Rule::ALL.to_vec();
    rules.sort_by_key(|rule| rule.category());
    for rule in rules {
        if category != Some(rule.category()) {
            let before = if category.is_some() { "\n" } else { "" };
            let _ = writeln!(shown, "{before}{}", rule.category());
            category = Some(rule.category());
        }
        let _ = writeln!(shown, "    {:24} {}", rule.code(), title(rule));
    }
    shown
}

/// A page for programs.
#[must_use]
pub fn to_json(rule: Rule) -> Value {
    let page = page(rule);
    let sample = |sample: &Sample| {
        json!({
            "text": sample.text,
            "language": sample.language,
            "program": sample.program,
        })
    };
    json!({
        "code": rule.code(),
        "category": rule.category().to_string(),
        "title": title(rule),
        "options": page.as_ref().map(|page| &page.options),
        "kernel_texts": page.as_ref().map(|page| &page.kernel_texts),
        "meaning": page.as_ref().map(|page| page.meaning),
        "example": page.as_ref().map(|page| sample(&page.example)),
        "repair": page.as_ref().map(|page| sample(&page.repair)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_page_and_the_page_has_the_form() {
        assert_eq!(CODES.len(), Rule::ALL.len());
        for (rule, code) in CODES {
            assert_eq!(rule.code(), *code);
            let page = page(*rule).unwrap_or_else(|| panic!("{code}.md"));
            assert_eq!(page.title, title(*rule));
            assert!(
                !page.title.ends_with('.') && page.title.len() < 70,
                "{code}"
            );
            assert!(
                !page.meaning.is_empty() && !page.kernel_texts.is_empty(),
                "{code}"
            );
            assert!(!page.repair.text.is_empty(), "{code}");
            assert_eq!(page.example.language, page.repair.language, "{code}");
            let longest = text(*rule).lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(120), "{code}: {longest:?}");
        }
    }

    #[test]
    fn every_page_has_its_rule() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "md") {
                let code = path.file_stem().unwrap().to_string_lossy().into_owned();
                assert!(find(&code).is_some(), "{code}");
            }
        }
    }

    #[test]
    fn mistyped_codes_are_guessed_and_nonsense_is_not() {
        assert_eq!(nearest("null-derefrence"), Some("null-dereference"));
        assert_eq!(nearest("Packet_Bounds"), Some("packet-bounds"));
        assert_eq!(nearest("xyzzy"), None);
        assert_eq!(nearest(""), None);
    }
}
