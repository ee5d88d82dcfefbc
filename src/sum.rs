//! The shape of a row's sum, the same wherever and however the row is summed.
//!
//! One partial sum per lane; blocks of [`BLOCK`] lane values, each summed in order from +0; the block
//! sums combined by a balanced binary tree over the block's index. So equal terms do not pile up
//! rounding errors, and any thread may sum any block.

use crate::lanes::Lanes;

/// Lane values per block.
const BLOCK: usize = 8;

/// More than the blocks of any slice have bits in their number.
const LEVELS: usize = 60;

/// Sums the lane values that are added to it, one row after the other.
pub struct Tree<L> {
    /// Level k holds the sum of 2^k blocks, where bit k of `blocks` is set.
    levels: [L; LEVELS],
    blocks: usize,
    sum: L,
    added: usize,
    zero: L,
}

impl<L: Lanes> Tree<L> {
    /// An empty sum.
    #[inline(always)]
    pub fn new(zero: L) -> Self {
        Self { levels: [zero; LEVELS], blocks: 0, sum: zero, added: 0, zero }
    }

    /// Adds the next lane value of the row.
    #[inline(always)]
    pub fn add(&mut self, lanes: L) {
        self.sum = self.sum + lanes;
        self.added += 1;
        if self.added == BLOCK {
            self.close_block();
        }
    }

    #[inline(always)]
    fn close_block(&mut self) {
        let mut sum = self.sum;
        let mut level = 0;
        while self.blocks >> level & 1 == 1 {
            sum = self.levels[level] + sum;
            level += 1;
        }
        self.levels[level] = sum;
        self.blocks += 1;
        (self.sum, self.added) = (self.zero, 0);
    }

    /// The sum of the row, lane by lane; the next row starts empty.
    #[inline(always)]
    pub fn finish(&mut self) -> L {
        if self.blocks == 0 {
            let sum = self.sum;
            (self.sum, self.added) = (self.zero, 0);
            return sum;
        }
        if self.added > 0 {
            self.close_block();
        }
        let mut level = self.blocks.trailing_zeros() as usize;
        let mut sum = self.levels[level];
        self.blocks &= self.blocks - 1;
        while self.blocks > 0 {
            level = self.blocks.trailing_zeros() as usize;
            sum = self.levels[level] + sum;
            self.blocks &= self.blocks - 1;
        }
        sum
    }
}
