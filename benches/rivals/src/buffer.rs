//! Slices that begin on a cache line, so that times do not depend on where the allocator puts them.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Numbers that begin on a cache line.
pub struct Buffer {
    store: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// A copy of the values.
    pub fn new(values: impl ExactSizeIterator<Item = f32>) -> Self {
        let len = values.len();
        let mut store = vec![0.0; len + LINE / size_of::<f32>()];
        let start = store.as_ptr().align_offset(LINE);
        store[start..].iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        Self { store, start, len }
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.store[self.start..][..self.len]
    }

    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.store[self.start..][..self.len]
    }
}
