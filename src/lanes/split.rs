//! Views that can be split in two, for threads.

use super::{Element, Rows, Slices};

/// Work that can be split in two between any of its units. A unit is an element or a row.
pub trait Split: Sized + Send {
    /// The number of units.
    fn len(&self) -> usize;
    /// The number of elements of a unit.
    fn unit_len(&self) -> usize {
        1
    }
    /// The work on the first `mid` units and on the rest.
    fn split_at(self, mid: usize) -> (Self, Self);
    /// The same work, which is a single unit: a row is marked as one whose pieces threads share.
    fn shared(self) -> Self {
        self
    }
}

impl<T: Element, const N: usize, const M: usize> Split for Slices<'_, T, N, M> {
    fn len(&self) -> usize {
        self.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
}

impl<T: Element, const N: usize, const M: usize> Split for Rows<'_, T, N, M> {
    fn len(&self) -> usize {
        self.len()
    }
    fn unit_len(&self) -> usize {
        self.shape().axis
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
    fn shared(self) -> Self {
        self.shared()
    }
}
