//! The words of instructions: which are reserved where, and the names of registers.

use bpf::insn::{AtomicOp, EndianOp, MemWidth, Reg, Width};

use super::ast::Register;
use super::token::Token;

/// The reserved words of instructions after the first word.
pub fn reserved_word(word: &str) -> Option<Token<'static>> {
    Some(match word {
        "u8" => Token::Unsigned(MemWidth::B8),
        "u16" => Token::Unsigned(MemWidth::B16),
        "u32" => Token::Unsigned(MemWidth::B32),
        "u64" => Token::Unsigned(MemWidth::B64),
        "s8" => Token::Signed(MemWidth::B8),
        "s16" => Token::Signed(MemWidth::B16),
        "s32" => Token::Signed(MemWidth::B32),
        "be16" => Token::ByteOrder((EndianOp::Be, 16)),
        "be32" => Token::ByteOrder((EndianOp::Be, 32)),
        "be64" => Token::ByteOrder((EndianOp::Be, 64)),
        "le16" => Token::ByteOrder((EndianOp::Le, 16)),
        "le32" => Token::ByteOrder((EndianOp::Le, 32)),
        "le64" => Token::ByteOrder((EndianOp::Le, 64)),
        "bswap16" => Token::ByteOrder((EndianOp::Bswap, 16)),
        "bswap32" => Token::ByteOrder((EndianOp::Bswap, 32)),
        "bswap64" => Token::ByteOrder((EndianOp::Bswap, 64)),
        "atomic_fetch_add" => Token::Fetch(AtomicOp::Add),
        "atomic_fetch_and" => Token::Fetch(AtomicOp::And),
        "atomic_fetch_or" => Token::Fetch(AtomicOp::Or),
        "atomic_fetch_xor" => Token::Fetch(AtomicOp::Xor),
        "xchg_64" => Token::Exchange(MemWidth::B64),
        "xchg32_32" => Token::Exchange(MemWidth::B32),
        "cmpxchg_64" => Token::CompareExchange(MemWidth::B64),
        "cmpxchg32_32" => Token::CompareExchange(MemWidth::B32),
        "addr_space_cast" => Token::AddrSpaceCast,
        "load_acquire" => Token::LoadAcquire,
        "goto" => Token::Goto,
        "gotol" => Token::Gotol,
        "ll" => Token::Wide,
        "skb" => Token::Packet,
        "s" => Token::S,
        _ => return register(word).map(Token::Register),
    })
}

/// Whether a token is a reserved word of instructions.
pub fn is_reserved(token: Token<'_>) -> bool {
    use Token::*;
    matches!(
        token,
        Register(_)
            | Unsigned(_)
            | Signed(_)
            | ByteOrder(_)
            | Fetch(_)
            | Exchange(_)
            | CompareExchange(_)
            | AddrSpaceCast
            | LoadAcquire
            | Goto
            | Gotol
            | Wide
            | Packet
            | S
    )
}

/// The words that begin an instruction; the caller has lower-cased the word.
pub fn first_word(word: &str) -> Option<Token<'static>> {
    Some(match word {
        "if" => Token::If,
        "goto" => Token::Goto,
        "gotol" => Token::Gotol,
        "may_goto" => Token::MayGoto,
        "gotox" => Token::Gotox,
        "call" => Token::Call,
        "callx" => Token::Callx,
        "exit" => Token::Exit,
        "lock" => Token::Lock,
        "ld_pseudo" => Token::LdPseudo,
        "store_release" => Token::StoreRelease,
        _ => return register(word).map(Token::Register),
    })
}

/// The same for a word as it is written: the first word of an instruction may have any case.
pub fn first_word_of_any_case(word: &str) -> Option<Token<'static>> {
    match word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => first_word(&word.to_ascii_lowercase()),
        false => first_word(word),
    }
}

/// `r0` to `r11`, `w0` to `w11`.
pub fn register(word: &str) -> Option<Register> {
    let (width, number) = match word.as_bytes().first()? {
        b'r' => (Width::W64, &word[1..]),
        b'w' => (Width::W32, &word[1..]),
        _ => return None,
    };
    let number = match number.as_bytes() {
        [digit @ b'0'..=b'9'] => digit - b'0',
        [b'1', digit @ b'0'..=b'1'] => 10 + digit - b'0',
        _ => return None,
    };
    Some(Register {
        width,
        reg: Reg(number),
    })
}
