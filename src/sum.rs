//! The shape of a row's sum, the same wherever and however the row is summed.
//!
//! One partial sum per lane; blocks of [`BLOCK`] lane values, each summed in order from +0; the block
//! sums combined by a balanced binary tree over the block's index. So equal terms do not pile up
//! rounding errors, and any thread may sum any block.

use crate::lanes::{Lanes, Line, Stack};

/// Lane values per block.
pub const BLOCK: usize = 8;

/// More than the blocks of any slice have bits in their number.
const LEVELS: usize = 60;

/// A place for the levels of a [`Tree`].
pub type Levels<T> = Stack<T, LEVELS>;

/// Combines the sums of a row's blocks, one row after the other.
///
/// The count is apart from the levels, whose place depends on it: so it stays in a register.
pub struct Tree<'l, L: Lanes> {
    /// Level k holds the sum of 2^k blocks, where bit k of `blocks` is set. Level k is never set before level k - 1.
    levels: &'l mut Levels<L::Float>,
    blocks: usize,
}

impl<'l, L: Lanes> Tree<'l, L> {
    /// An empty sum.
    #[inline(always)]
    pub fn new(levels: &'l mut Levels<L::Float>) -> Self {
        Self { levels, blocks: 0 }
    }

    /// Adds the sum of the row's next block.
    #[inline(always)]
    pub fn add(&mut self, block: L) {
        let mut sum = block;
        let mut level = 0;
        while self.blocks >> level & 1 == 1 {
            sum = self.levels.lines()[level].load(block) + sum;
            level += 1;
        }
        let line = Line(sum.to_array());
        match self.levels.lines_mut().get_mut(level) {
            Some(place) => *place = line,
            None => self.levels.push_line(line),
        }
        self.blocks += 1;
    }

    /// The sum of the row, whose last block has this sum and may be short or empty; the next row starts
    /// empty.
    #[inline(always)]
    pub fn finish(&mut self, last: L) -> L {
        let mut sum = last;
        while self.blocks > 0 {
            sum = self.levels.lines()[self.blocks.trailing_zeros() as usize].load(last) + sum;
            self.blocks &= self.blocks - 1;
        }
        sum
    }
}
