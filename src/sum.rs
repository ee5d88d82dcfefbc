//! The shape of a row's sum: the order of its additions, which depends on the length of the row alone.
//!
//! Floating-point addition is not associative, so results have the same bits on every instruction set, in every tile
//! and on any number of threads only if the order is fixed:
//!
//! ```text
//! element i of the row belongs to lane i mod 16 (8 for f64)             all that follows, lane by lane
//! block b = ((0 + x[8 b]) + x[8 b + 1]) + .. + x[8 b + 7]               x[v]: lane value v of the row; BLOCK = 8
//! the block sums are combined by a binary tree over their index b
//! the lanes are folded in f64                                           see `Fold::fold_sum`
//! ```
//!
//! The first 2^k blocks, 2^k being the largest power of two below their number, are a subtree of their own, and so on
//! in the rest. So threads can sum subtrees, and a row that is read from front to back needs one stored sum for each
//! set bit of the number of blocks, as in a binary counter:
//!
//! ```text
//! add(block):                              finish(last):
//!     k = 0                                    sum = last
//!     while level k is full:                   for each full level k, lowest first:
//!         block = level k + block                  sum = level k + sum
//!         empty level k                            empty level k
//!         k = k + 1                            return sum
//!     level k = block
//! ```
//!
//! The worst error grows with the logarithm of the number of blocks, not with the number of terms: a row of equal
//! terms, whose roundings all go the same way, would be off by hundreds of ulp with plain partial sums.

use crate::dispatch::Kernel;
use crate::lanes::{Lanes, Line, Memory, Real, Simd, Slices, Stack};

/// The number of lane values in a block.
pub const BLOCK: usize = 8;

/// At least the number of bits in the number of blocks of any slice.
const LEVELS: usize = 60;

/// Memory for the levels of a [`Tree`].
pub type Levels<T> = Stack<T, LEVELS>;

/// Combines the block sums of a row, front to back. After [`finish`](Self::finish) it is ready for the next row.
///
/// The levels are borrowed: a count in the same place as they are, indexed by it, would be kept in memory and not in a
/// register.
pub struct Tree<'l, L: Lanes> {
    /// Level k holds the sum of 2^k blocks where bit k of `blocks` is set. Otherwise its value is left over from
    /// before. The stack grows by one at most, because level k is first used after level k - 1.
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

    /// The sum of the row, given the sum of its last block, which may be short or empty. Empties the tree.
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

/// The terms of a sum over the positions of `N` slices.
pub trait Terms<const N: usize>: Copy {
    /// The terms of one lane value of each slice, in `f64`. Of `f64` lanes the first half counts.
    fn terms<L: Lanes>(self, x: [L; N]) -> [L::Double; 2];
}

/// The lane sums of some terms in `f64`. Of 16 `f32`, those of the two halves are added first.
pub struct Sum<'a, T, F, const N: usize> {
    /// The elements.
    pub input: Slices<'a, T, N, 0>,
    /// What is summed.
    pub terms: F,
}

impl<T: Real, F: Terms<N>, const N: usize> Kernel for Sum<'_, T, F, N> {
    type Output = [f64; 8];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [f64; 8] {
        let zero = <S::F64 as Memory>::zero(simd);
        let mut levels = Levels::new();
        let mut tree = Tree::new(&mut levels);
        let mut blocks = self.input.blocks();
        while let Some(block) = blocks.whole::<BLOCK>() {
            let mut sum = zero;
            for v in 0..BLOCK {
                let x: [T::Lanes<S>; N] = block.load(simd, v);
                sum = sum + both(x, self.terms);
            }
            tree.add(sum);
        }
        let mut sum = zero;
        while let Some(partial) = blocks.partial() {
            let x: [T::Lanes<S>; N] = partial.load(simd);
            sum = sum + both(x, self.terms);
        }
        tree.finish(sum).to_array()
    }
}

/// The terms of a lane value, the two halves of 16 `f32` added.
#[inline(always)]
fn both<L: Lanes, const N: usize>(x: [L; N], terms: impl Terms<N>) -> L::Double {
    let [a, b] = terms.terms(x);
    if L::Float::IS_F32 { a + b } else { a }
}

/// The sum of the lanes, in the order of [`Fold::fold_sum`](crate::lanes::Fold::fold_sum).
pub fn fold_lanes([a, b, c, d, e, f, g, h]: [f64; 8]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// A sum of numbers that are not in lanes, one after the other, with Neumaier's compensation of the rounding errors.
pub fn compensated_sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() > term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    if sum.is_finite() { sum + lost } else { sum }
}
