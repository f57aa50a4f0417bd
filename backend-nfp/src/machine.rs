//! Machine code before addresses: blocks of instructions whose registers are real and whose targets
//! are names.
//!
//! What is left to do with it: an order within blocks that hides delays, branches that run useful
//! instructions in their defer slots, an order of blocks, addresses, encoding. Instructions that
//! must stay together and in order (an indirect shift with the instruction that gives its amount, the
//! steps of a product, a register read with the instruction that receives it, a call with its defer
//! slots) are one [`Item`].
//!
//! Condition codes: where a branch or an instruction with carry reads them, the instruction that
//! set them is the last one before it, in the order of the list, that sets condition codes.

use bpf::program_type::ProgramType;
use mir::SourceLoc;

use crate::isa::Insn;

/// A block of a [`MachineFunction`], by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub usize);

/// What an instruction's target or value will be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reference {
    /// Nothing: the instruction is complete.
    #[default]
    None,
    /// Entry of a function of the program, by index.
    Function(usize),
    /// A helper of the firmware, by number.
    Helper(u32),
    /// Value of an `immed`: the address behind the item that it is in.
    After,
}

/// An instruction, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineInsn {
    /// The instruction; target or value are 0 where `reference` says what they are.
    pub insn: Insn,
    /// What is to be filled in.
    pub reference: Reference,
    /// Position in the source.
    pub location: Option<SourceLoc>,
    /// Input slot plus one, 0 for none.
    pub origin: u32,
}

/// Instructions that stay together, in this order and with nothing between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// At least one.
    pub insns: Vec<MachineInsn>,
    /// Transfer registers that the item's commands read: first and count. (The instruction before a
    /// command can override the length that is in the command.)
    pub transfers_read: Option<(u8, u8)>,
    /// Transfer registers that the item's commands fill: first and count.
    pub transfers_filled: Option<(u8, u8)>,
    /// Whether everything before stays before and everything behind stays behind: calls.
    pub barrier: bool,
}

/// How a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Control goes on there.
    Jump(BlockId),
    /// A branch on condition codes, a bit, or a byte.
    Branch {
        /// The branch; its target is filled in.
        insn: MachineInsn,
        /// Where it goes when the condition holds.
        taken: BlockId,
        /// Where control goes on else.
        otherwise: BlockId,
    },
    /// The program is done; A0 holds the verdict.
    Done,
    /// Back to a caller: a jump to a register.
    Return(MachineInsn),
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineBlock {
    /// What it does.
    pub items: Vec<Item>,
    /// How it ends.
    pub end: End,
}

/// A function; block 0 is the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineFunction {
    /// Name.
    pub name: String,
    /// Blocks.
    pub blocks: Vec<MachineBlock>,
}

/// A program: function 0 is the one that runs for a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineProgram {
    /// Type.
    pub program_type: ProgramType,
    /// Functions.
    pub functions: Vec<MachineFunction>,
}

/// What code must keep to: facts about the hardware that NFP.md marks as inferred, so data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Instructions between a write of a local-memory index and its first use.
    pub lm_index: usize,
    /// Most defer slots of a branch within the program or out of it.
    pub branch_slots: usize,
    /// Most defer slots of a jump to a register.
    pub jump_slots: usize,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            lm_index: 3,
            branch_slots: 2,
            jump_slots: 3,
        }
    }
}
