//! The shape of a tensor, seen as rows along one of its axes.

use crate::Element;

/// A tensor `[outer, axis, inner]`, whose rows run along the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The product of the sizes before the axis.
    pub outer: usize,
    /// The number of elements of a row.
    pub axis: usize,
    /// The product of the sizes after the axis: the distance between neighbouring elements of a row.
    pub inner: usize,
}

impl Shape {
    /// Contiguous rows.
    pub const fn rows_of(columns: usize, rows: usize) -> Self {
        Self { outer: rows, axis: columns, inner: 1 }
    }

    /// The number of elements.
    pub fn len(self) -> usize {
        self.rows() * self.axis
    }

    /// Whether there are no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of rows.
    pub fn rows(self) -> usize {
        self.outer * self.inner
    }

    /// The indices of the elements of row `r` in the tensor.
    pub fn row_indices(self, r: usize) -> impl Iterator<Item = usize> {
        let first = r / self.inner * self.inner * self.axis + r % self.inner;
        (0..self.axis).map(move |i| first + i * self.inner)
    }

    /// Row `r` of a tensor of this shape, in `f64`.
    pub fn row_as_f64<T: Element>(self, x: &[T], r: usize) -> Vec<f64> {
        self.row_indices(r).map(|i| x[i].into()).collect()
    }
}
