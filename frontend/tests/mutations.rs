//! No text makes the assembler panic, hang or ask for much memory.
//!
//! Two seconds of random changes to texts that use everything; the random numbers are the same in
//! each run, and a failing text is printed.

use std::time::{Duration, Instant};

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, assemble};

const SEED: &str = r#"	.text
	.file "a.c"
	.file 0 "/x" "a.c" md5 0xcdaefeb11a49b93936290e63682f0373
	.globl f # comment
	.p2align 3
	.type f,@function
f: g: /* block */ r1 = w2; w3 = -w3
	r1 = (s8)r2; r1 = be16 r1; r1 s>>= 3; r1 = 'a'
	.loc 0 1 2 prologue_end is_stmt 0
	.cfi_sections .debug_frame
	.cfi_startproc
	r1 = map ll; r1 = 0x123456789 ll; r2 = 5ull
	*(u32 *)(r10 - 4) = 7; r1 = *(s16 *)(r2 + 0x10)
	lock *(u64 *)(r1 + 0) += r2; r2 = atomic_fetch_or((u64 *)(r1 + 0), r2)
	w0 = cmpxchg32_32(r1 + 4, w0, w2); r3 = xchg_64(r1 - 8, r3)
	r0 = *(u8 *)skb[r3]; r1 = addr_space_cast(r2, 0, 1); ld_pseudo r1, 2, -1
	w0 = load_acquire((u8 *)(r1 + 0)); store_release((u64 *)(r1 + 8), r2)
	if r1 s>= -5 goto 1f; if w1 & 7 goto LBB0_1; goto +1; gotol 1f
1:	call 6; call g; callx r3; may_goto f2; exit
LBB0_1: exit
f2:	exit
.Lend:	.size f, .Lend-f
	.cfi_endproc
	.data
	.set k, (3*(4+1)|~2)<<1 && 1 || k2 == 2 != 3 <= 1
	.equ alias, map+4
map:	.byte 1,2,-1,'x'; .short 0x1234; .long map, .Lend-f, .-map; .quad f, alias-8
	.ascii "a\n\101\x41\"" ; .asciz "b"; .zero 4, 1; .fill 3, 2, 7; .org .+8
	.uleb128 .Lb-.La; .sleb128 -5; .octa 0x112233445566778899aabbccddeeff
.La:	.p2align 4,,3
.Lb:	.comm c,4,8
	.local l
	.comm l,16,8
	.section maps,"aw",@progbits
	.weak w; .hidden w; .quad w
	.pushsection .rodata.str1.1,"aMS",@progbits,1
.Ls:	.string "x"
	.popsection; .previous
	.macro m a, b=2, c:vararg
	r1 = \a; r2 = \b ; .ascii "\c\@\()x"
	.if \a > 1
	.exitm
	.endif
	.endm
	m 1, 2, x y ; m b=3 a=1+2
	.rept 2; .irp v, 1, 2; r\v = \v; .endr; .irpc c, 12; r\c = 1; .endr; .endr
	.altmacro; m %1+2, <3>; .noaltmacro
	.ifdef k; .ifc a, a; .elseif 1; .else; .endif; .else; x \y; .endif
	.text 2; exit; .text; .float 1.5e3, -inf; .dcb.w 2, 3; .ds 4
	.weakref wa, wb; r1 = wa ll; .reloc 0, R_BPF_64_64, f; r1 = s ll
	.section g1,"axG",@progbits,sig,comdat; exit; .section g2,"a?"; .byte 1
	.section g3,"ao",@progbits,f; .quad f
	.section tc/x,"ax"; r1 = .Ls+1 ll; .ident "me"; .addrsig; .addrsig_sym f
"#;

const PIECES: &[&str] = &[
    "r1",
    "w2",
    "=",
    "+=",
    "(",
    ")",
    "*",
    "(u8 *)",
    "ll",
    "goto",
    "if",
    "\n",
    ";",
    ",",
    ":",
    "#",
    "/*",
    "*/",
    "\"",
    "'",
    "\\",
    "1b",
    "1f",
    "0x",
    "18446744073709551616",
    "-",
    "~",
    "!",
    ".",
    "@",
    "%",
    ".set k, ",
    ".set k, k2+1\n.set k2, k\n",
    ".zero 0x7fffffffffffffff\n",
    ".p2align 31\n",
    ".org 99999999999\n",
    ".fill 99999999, 8, 1\n",
    ".uleb128 .Lend-.Lx\n",
    ".bss\n",
    ".text\n",
    ".section a,\"G\"\n",
    "é",
    "\0",
    "\u{2028}",
    ".end\n",
    "s",
    "skb",
    "[",
    "]",
    "exit",
    "call ",
    "\\",
    "\\a",
    "m m\n",
    ".macro q\nq\nq\n.endm\nq\n",
    ".macro p a\n.if \\a\np \\a-1\np \\a-1\n.endif\n.endm\np 6\n",
    ".rept 1000000000\n",
    ".rept 999\n",
    ".endr\n",
    ".endm\n",
    ".if 0\n",
    ".if 1\n",
    ".else\n",
    ".endif\n",
    ".irp x,",
    ".exitm\n",
    ".altmacro\n",
    ".subsection 3\n",
    ".weakref g, f\n",
    ".weakref wb, wa\n",
    ".reloc .+9, R_BPF_64_32, g\n",
    ".include \"x\"\n",
    ".section a,\"aoG\",@progbits,f,f\n",
];

/// A small generator of random numbers (xorshift), so that failures can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn mutate(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(6) {
        let at = random.below(characters.len());
        match random.below(4) {
            0 => {
                let length = random.below(12).min(characters.len() - at);
                characters.drain(at..at + length);
            }
            1 => {
                let piece = PIECES[random.below(PIECES.len())];
                characters.splice(at..at, piece.chars());
            }
            2 => {
                let from = random.below(characters.len());
                let length = random.below(40).min(characters.len() - from);
                let copy: Vec<char> = characters[from..from + length].to_vec();
                characters.splice(at..at, copy);
            }
            _ => {
                if let Some(character) = characters.get_mut(at) {
                    let other = char::from(32 + random.below(95) as u8);
                    *character = other;
                }
            }
        }
    }
    characters.into_iter().collect()
}

fn run(text: &str) -> Duration {
    let endian = Endian::Little;
    let started = Instant::now();
    let result = assemble(text, FileId(0), &AsmOptions::new(endian));
    if let Ok(assembled) = &result {
        assert!(
            bpf::elf::write(&assembled.object).is_ok(),
            "not written:\n{text}"
        );
    }
    if let Err(errors) = &result {
        for error in errors {
            let span = error.span().expect("every diagnostic has a place");
            assert!(span.end as usize <= text.len(), "place outside of:\n{text}");
        }
    }
    started.elapsed()
}

#[test]
fn the_text_that_is_changed_is_correct() {
    let options = AsmOptions::new(Endian::Big);
    let result = assemble(SEED, FileId(0), &options);
    let errors = result.err().unwrap_or_default();
    let messages: Vec<_> = errors
        .iter()
        .map(|error| {
            (
                error.message.as_str(),
                error.span().map(|s| &SEED[s.range()]),
            )
        })
        .collect();
    assert!(messages.is_empty(), "{messages:?}");
}

#[test]
fn random_changes_do_no_harm() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let started = Instant::now();
    let mut text = SEED.to_owned();
    while started.elapsed() < Duration::from_secs(2) {
        let changed = mutate(&text, &mut random);
        let result = std::panic::catch_unwind(|| run(&changed));
        let elapsed = match result {
            Ok(elapsed) => elapsed,
            Err(_) => panic!("panic on:\n{changed}"),
        };
        assert!(
            elapsed < Duration::from_secs(30),
            "took {elapsed:?}:\n{changed}"
        );
        text = match changed.len() < 3 * SEED.len() && random.below(8) != 0 {
            true => changed,
            false => SEED.to_owned(),
        };
    }
}

#[test]
fn deep_nesting_and_long_chains_need_no_stack() {
    let depth = 200_000;
    let texts = [
        format!(".quad {}1{}", "(".repeat(depth), ")".repeat(depth)),
        format!(".quad {}1", "-".repeat(depth)),
        format!(".quad 1{}", "+1".repeat(depth)),
        format!(".quad {}1{}", "1+(".repeat(depth), ")".repeat(depth)),
        format!(".quad {}", "(".repeat(depth)),
        format!("r1 = 1*{}1{}", "(".repeat(depth), ")".repeat(depth)),
        format!("a:{}exit", "1:".repeat(depth)),
        (1..20_000)
            .map(|n| format!(".set s{n}, s{}-s{}+s{}\n", n + 1, n + 1, n + 1))
            .collect::<String>()
            + ".quad s1",
        (1..20_000)
            .map(|n| format!(".set s{n}, s{}+1\n", n - 1))
            .collect::<String>(),
    ];
    for text in &texts {
        let elapsed = run(text);
        assert!(
            elapsed < Duration::from_secs(10),
            "took {elapsed:?}: {}",
            &text[..40]
        );
    }
}

#[test]
fn text_that_brings_in_more_text_has_bounds() {
    let texts = [
        ".rept 1000000000\nexit\n.endr\n",
        ".rept 1000000000\n.endr\n",
        ".rept 1000000\n.rept 1000000\nexit\n.endr\n.endr\n",
        ".macro m\nm\nm\n.endm\nm\n",
        ".macro m a, b\nm \\a\\a, \\b\n.endm\nm aaaaaaaaaa, 1\n",
        ".macro m a:vararg\n.irp x, \\a, \\a, \\a\nm \\a \\a\n.endr\n.endm\nm 1\n",
        ".macro m\n.macro n\nm\n.endm\nn\n.purgem n\n.endm\nm\n",
        ".rept 100000\nexi\n.endr\n",
        ".include \"a\"\n",
    ];
    for text in texts {
        let elapsed = run(text);
        assert!(
            elapsed < Duration::from_secs(60),
            "took {elapsed:?}: {text}"
        );
    }
}

#[test]
fn time_is_linear_in_the_text() {
    let count = 30_000;
    let repeated = |unit: &dyn Fn(usize) -> String| (0..count).map(unit).collect::<String>();
    let texts = [
        repeated(&|n| format!("l{n}: r1 = l{n} ll\n")),
        repeated(&|n| format!(".section s{n}\n.byte 1\n")),
        repeated(&|n| format!(".uleb128 .Lb{}-.La{n}\n.La{n}: .zero 100\n.Lb{n}:\n", n + 1))
            + &format!(".Lb{count}:"),
        repeated(&|_| "goto undefined\n".to_owned()),
        repeated(&|_| "r1 = = 5\n".to_owned()),
        repeated(&|n| format!(".globl g{n}\ncall g{n}\n1: goto 1b\n")),
        repeated(&|_| ".pushsection a\n".to_owned()),
        repeated(&|_| ".long .-4\n".to_owned()),
        ".macro m a\nr1 = \\a\n.endm\n".to_owned() + &repeated(&|n| format!("m {n}\n")),
        repeated(&|n| format!(".macro m{n}\n.endm\nm{n}\n")),
        repeated(&|_| ".if 0\n.endif\n".to_owned()),
        repeated(&|_| ".if 1\n".to_owned()),
        ".if 0\n".to_owned() + &repeated(&|_| ".if 1\n".to_owned()),
        repeated(&|n| format!(".section s,\"G\",@progbits,g{n}\n")),
        repeated(&|n| format!(".subsection {n}\n.byte 1\n")),
        format!(".rept {count}\nr1 = 1\n.endr\n"),
        format!(
            ".irp x, {}\n.byte \\x\n.endr\n",
            repeated(&|_| "1,".to_owned())
        ),
        format!(
            ".irpc x, {}\n.byte 1\n.endr\n",
            repeated(&|_| "1".to_owned())
        ),
        format!(
            ".macro m {}\nexit\n.endm\nm\n",
            repeated(&|n| format!("a{n}="))
        ),
    ];
    for text in &texts {
        let elapsed = run(text);
        assert!(
            elapsed < Duration::from_secs(10),
            "took {elapsed:?}: {}",
            &text[..40]
        );
    }
}
