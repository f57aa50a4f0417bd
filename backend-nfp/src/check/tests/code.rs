//! Words, the trailer, and where control may go.

use super::*;

fn rules(words: &[u64]) -> Vec<Rule> {
    let result = check(words, START, &Rules::default());
    let violations = result.err().unwrap_or_default();
    violations.iter().map(|found| found.rule).collect()
}

#[test]
fn words_are_instructions() {
    let good = encoded(&ended(&[nop()]));
    assert_eq!(rules(&good), []);
    let mut flipped = good.clone();
    flipped[0] ^= 1 << 50;
    assert!(matches!(rules(&flipped)[..], [Rule::Word(_)]));
    let mut reserved = good.clone();
    reserved[0] = ecc::protect(NOP | 3 << 29);
    assert!(matches!(rules(&reserved)[..], [Rule::Word(_)]));
    // A number where a command has its first address operand.
    let mut address = good;
    let Ok(word) = Insn::Command(command(CommandAction::Read8, 1)).encode() else {
        panic!("a command has a word");
    };
    address[0] = ecc::protect(word & !0xff | 0x21);
    // The encoder writes no such word; whether it is refused is the decoder's.
    assert!(!rules(&address).is_empty());
}

#[test]
fn the_trailer_is_there_and_not_reached() {
    let good = encoded(&ended(&[]));
    assert!(rules(&good[..good.len() - 1]).contains(&Rule::Trailer));
    assert!(rules(&[]).contains(&Rule::Trailer));
    assert_eq!(rules(&encoded(&[])), [Rule::End]);
    pair("end", &ended(&[]), &[nop()], |rule| *rule == Rule::End);
    let slot = |defer| [immed(a(0), 1), to(Condition::Always, DONE, defer)];
    pair("slot behind", &slot(0), &slot(1), |rule| *rule == Rule::End);
}

#[test]
fn targets_are_ours() {
    let code = |target| ended(&[to(Condition::Always, target, 0), nop()]);
    for target in [2, LOOKUP + 1, START - 1, here(4), here(5), 0x3fff] {
        pair("target", &code(here(2)), &code(target), |rule| {
            matches!(rule, Rule::Target(_))
        });
    }
}

#[test]
fn the_code_store_is_large_enough() {
    let mut words = encoded(&ended(&[]));
    let fill = 2560 - words.len();
    words.splice(0..0, std::iter::repeat_n(ecc::protect(NOP), fill));
    assert_eq!(rules(&words), []);
    words.insert(0, ecc::protect(NOP));
    assert!(matches!(
        rules(&words)[..],
        [Rule::Size {
            words: 2561,
            most: 2560
        }]
    ));
    let wide = Rules {
        size: usize::MAX,
        ..Rules::default()
    };
    assert!(check(&words, 0x3fff, &wide).is_err());
}
