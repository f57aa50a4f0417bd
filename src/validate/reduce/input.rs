//! The smallest input that still shows a difference: shorter, then with zeros for bytes that do not
//! matter.

use crate::validate::run::Input;

/// Runs that a reduction may take.
const MAX_RUNS: usize = 2_000;

/// Makes an input smaller as long as there is a difference; gives it with the last difference.
/// `differs` says what differs on an input.
pub(super) fn smallest(
    start: &Input,
    difference: String,
    mut differs: impl FnMut(&Input) -> Option<String>,
) -> (Input, String) {
    let mut best = (start.clone(), difference);
    let mut runs = 0;
    let mut attempt = |best: &mut (Input, String), smaller: Input| {
        runs += 1;
        if runs > MAX_RUNS || smaller == best.0 {
            return false;
        }
        match differs(&smaller) {
            Some(difference) => {
                *best = (smaller, difference);
                true
            }
            None => false,
        }
    };
    let mut cut = best.0.bytes.len() / 2;
    while cut > 0 {
        let mut shorter = best.0.clone();
        shorter
            .bytes
            .truncate(shorter.bytes.len().saturating_sub(cut));
        if !attempt(&mut best, shorter) {
            cut /= 2;
        }
    }
    for at in 0..best.0.bytes.len() {
        let mut plainer = best.0.clone();
        plainer.bytes[at] = 0;
        attempt(&mut best, plainer);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::smallest;
    use crate::validate::run::Input;

    #[test]
    fn what_does_not_matter_goes() {
        let start = Input {
            bytes: (1..=64).collect(),
            seed: 5,
        };
        let differs = |input: &Input| (input.bytes.get(9) == Some(&10)).then(|| "ten".to_owned());
        let (smallest, difference) = smallest(&start, String::new(), differs);
        assert_eq!(smallest.bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]);
        assert_eq!(difference, "ten");
    }
}
