//! Activations of sums: of x and an addend of the same length, or of x and a bias that repeats.

use super::{BLOCK, Forward, sum};
use crate::check;
use crate::dispatch::Level;
use crate::lanes::{Slices, Split};
use crate::storage::Storage;

/// A bias shorter than this is repeated in a buffer first: a kernel takes longer for a few elements than for their share of
/// a block.
const SHORT_BIAS: usize = 256;

/// Numbers that repeat without end, from an offset on.
#[derive(Clone, Copy)]
struct Repeated<'a, T> {
    numbers: &'a [T],
    offset: usize,
}

/// The slices of an addition before an activation, checked.
pub struct Added<'a, T> {
    /// None if x is y.
    x: Option<&'a [T]>,
    addend: Repeated<'a, T>,
    /// The sums, if they are to be kept.
    sum: Option<&'a mut [T]>,
    y: &'a mut [T],
}

impl<'a, T> Added<'a, T> {
    /// x, none of it if y is overwritten, an addend of the same length, and a slice for the sums if they are to be kept.
    #[track_caller]
    #[inline(always)]
    pub fn once(x: Option<&'a [T]>, addend: &'a [T], sum: Option<&'a mut [T]>, y: &'a mut [T]) -> Self {
        let len = x.map_or(y.len(), <[T]>::len);
        check::same_len("x", len, "addend", addend.len());
        if let Some(sum) = &sum {
            check::same_len("x", len, "sum", sum.len());
        }
        Self::new(x, len, addend, sum, y)
    }

    /// x, none of it if y is overwritten, and a bias that repeats.
    #[track_caller]
    #[inline(always)]
    pub fn biased(x: Option<&'a [T]>, bias: &'a [T], y: &'a mut [T]) -> Self {
        let len = x.map_or(y.len(), <[T]>::len);
        check::repeats("x", len, "bias", bias.len());
        Self::new(x, len, bias, None, y)
    }

    #[track_caller]
    #[inline(always)]
    fn new(x: Option<&'a [T]>, len: usize, numbers: &'a [T], sum: Option<&'a mut [T]>, y: &'a mut [T]) -> Self {
        check::same_len("x", len, "y", y.len());
        Self { x, addend: Repeated { numbers, offset: 0 }, sum, y }
    }
}

impl<T: Storage> Split for Added<'_, T> {
    fn len(&self) -> usize {
        self.y.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.map(|x| x.split_at(mid)).unzip();
        let (sum, sum_rest) = self.sum.map(|sum| sum.split_at_mut(mid)).unzip();
        let (y, y_rest) = self.y.split_at_mut(mid);
        let addend_rest = Repeated { offset: self.addend.offset + mid, ..self.addend };
        (Self { x, addend: self.addend, sum, y }, Self { x: x_rest, addend: addend_rest, sum: sum_rest, y: y_rest })
    }
}

/// y = act(x + addend).
pub fn added<T: Storage>(level: Level, mut work: Added<T>, forward: Forward<T>) {
    let period = work.addend.numbers.len();
    if period < SHORT_BIAS && period < work.y.len() {
        let mut buffer = [T::default(); 2 * SHORT_BIAS];
        // As many repetitions as the buffer holds, but not more than x needs. Each copy doubles what is there.
        let len = period * (buffer.len() / period).min(work.y.len().div_ceil(period) + 1);
        buffer[..period].copy_from_slice(work.addend.numbers);
        let mut filled = period;
        while filled < len {
            let copied = filled.min(len - filled);
            buffer.copy_within(..copied, filled);
            filled += copied;
        }
        let addend = Repeated { numbers: &buffer[..len], offset: work.addend.offset };
        let Added { x, sum, y, .. } = work;
        return add_blocks(level, &mut Added { x, addend, sum, y }, forward);
    }
    add_blocks(level, &mut work, forward);
}

/// [`added`], in blocks that do not cross the end of the repeated numbers.
fn add_blocks<T: Storage>(level: Level, work: &mut Added<T>, forward: Forward<T>) {
    let Repeated { numbers, offset } = work.addend;
    let (len, mut done) = (work.y.len(), 0);
    while done < len {
        let first = (offset + done) % numbers.len();
        let taken = (BLOCK / size_of::<T>()).min(numbers.len() - first).min(len - done);
        let block = done..done + taken;
        let addend = ("addend", &numbers[first..first + taken]);
        let y = &mut work.y[block.clone()];
        match (work.x, &mut work.sum) {
            (Some(x), Some(sums)) => {
                let sums = &mut sums[block.clone()];
                sum(level, &mut Slices::<T, 2>::new([("x", &x[block]), addend], ("sum", &mut *sums)));
                forward(level, &mut Slices::<T, 1>::new([("sum", sums)], ("y", y)));
            }
            (Some(x), None) => {
                sum(level, &mut Slices::<T, 2>::new([("x", &x[block]), addend], ("y", &mut *y)));
                forward(level, &mut Slices::<T, 1>::in_place(y));
            }
            (None, _) => {
                sum(level, &mut Slices::<T, 2>::in_place(addend, ("x", &mut *y)));
                forward(level, &mut Slices::<T, 1>::in_place(y));
            }
        }
        done += taken;
    }
}
