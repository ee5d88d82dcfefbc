//! Views that can be cut in two.

use super::{Real, Rows, Slices};

/// Work that can be cut in two between any of its elements or rows.
pub trait Split: Sized + Send {
    /// The number of elements or rows.
    fn len(&self) -> usize;
    /// The elements of each.
    fn unit_len(&self) -> usize {
        1
    }
    /// The work on the first `mid` and on the rest.
    fn split_at(self, mid: usize) -> (Self, Self);
    /// The work on a single row, whose pieces threads shall share, where they can.
    fn shared(self) -> Self {
        self
    }
}

impl<T: Real, const N: usize, const M: usize> Split for Slices<'_, T, N, M> {
    fn len(&self) -> usize {
        self.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at(mid)
    }
}

impl<T: Real, const N: usize, const M: usize> Split for Rows<'_, T, N, M> {
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
