//! Blocks in reverse postorder, without those that nothing leads to, and no critical edges.
//!
//! A critical edge goes from a block with several successors to one with several predecessors: the
//! register allocator would have no place for moves on it. An empty block is put there; where it
//! stays empty, the assembler removes it.

use super::{Block, BlockData, Edge, End, Lir};

/// Puts blocks in order.
pub fn arrange(lir: &mut Lir) {
    split(lir);
    let order = reverse_postorder(lir);
    let mut place = vec![u32::MAX; lir.blocks.len()];
    for (new, old) in (0..).zip(&order) {
        place[old.index()] = new;
    }
    let mut old: Vec<Option<BlockData>> = std::mem::take(&mut lir.blocks)
        .into_iter()
        .map(Some)
        .collect();
    for block in order {
        let Some(mut data) = old[block.index()].take() else {
            continue;
        };
        if let Some(end) = &mut data.end {
            for edge in end.edges_mut() {
                edge.block = Block(place[edge.block.index()]);
            }
        }
        lir.blocks.push(data);
    }
}

fn split(lir: &mut Lir) {
    let mut predecessors = vec![0; lir.blocks.len()];
    for block in &lir.blocks {
        for edge in block.end.iter().flat_map(End::edges) {
            predecessors[edge.block.index()] += 1;
        }
    }
    for at in 0..lir.blocks.len() {
        let Some(mut end) = lir.blocks[at].end.take() else {
            continue;
        };
        let (depth, location, origin) = {
            let block = &lir.blocks[at];
            (block.depth, block.location, block.origin)
        };
        if end.edges().len() > 1 {
            for edge in end.edges_mut() {
                if predecessors[edge.block.index()] <= 1 && edge.args.is_empty() {
                    continue;
                }
                let middle = lir.new_block(depth.min(lir.blocks[edge.block.index()].depth));
                let data = &mut lir.blocks[middle.index()];
                (data.location, data.origin) = (location, origin);
                let through = Edge::to(middle);
                let onward = std::mem::replace(edge, through);
                lir.blocks[middle.index()].end = Some(End::Jump(onward));
            }
        }
        lir.blocks[at].end = Some(end);
    }
}

fn reverse_postorder(lir: &Lir) -> Vec<Block> {
    let mut seen = vec![false; lir.blocks.len()];
    let mut order = Vec::new();
    let mut stack = vec![(Block(0), 0usize)];
    if let Some(first) = seen.first_mut() {
        *first = true;
    }
    while let Some((block, next)) = stack.pop() {
        let edges = lir.blocks[block.index()]
            .end
            .as_ref()
            .map(End::edges)
            .unwrap_or_default();
        match edges.get(next) {
            None => order.push(block),
            Some(edge) => {
                stack.push((block, next + 1));
                if !seen[edge.block.index()] {
                    seen[edge.block.index()] = true;
                    stack.push((edge.block, 0));
                }
            }
        }
    }
    order.reverse();
    order
}
