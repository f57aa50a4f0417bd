//! Why machine code has no words.

use crate::isa::EncodeError;

/// Why machine code has no words. Blocks and functions are named by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// There is no function, or one has no block.
    #[error("function {function} has no block")]
    Empty {
        /// The function.
        function: usize,
    },
    /// Control goes to a block that does not exist.
    #[error("function {function}, block {block}: there is no block {target}")]
    Block {
        /// The function.
        function: usize,
        /// The block.
        block: usize,
        /// Where it goes.
        target: usize,
    },
    /// A function is called that does not exist.
    #[error("function {function}, block {block}: there is no function {callee}")]
    Function {
        /// The function.
        function: usize,
        /// The block.
        block: usize,
        /// What it calls.
        callee: usize,
    },
    /// A helper's number does not fit a branch target.
    #[error("function {function}, block {block}: helper {helper} cannot be named in a branch")]
    Helper {
        /// The function.
        function: usize,
        /// The block.
        block: usize,
        /// The helper.
        helper: u32,
    },
    /// An item, or an end of a block, is not of the form that it must have.
    #[error("function {function}, block {block}: {what}")]
    Shape {
        /// The function.
        function: usize,
        /// The block.
        block: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// An instruction has no word.
    #[error("function {function}, block {block}: {error}")]
    Encode {
        /// The function.
        function: usize,
        /// The block.
        block: usize,
        /// Why.
        error: EncodeError,
    },
    /// The program does not fit the code store at its address.
    #[error("{words} words at {start} do not fit the code store")]
    Size {
        /// Words, with the trailer.
        words: usize,
        /// Where they were to go.
        start: u16,
    },
    /// A delay that nobody meant.
    #[error("a delay of {0} instructions")]
    Delay(usize),
}
