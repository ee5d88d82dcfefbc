//! The parallel twins: the only user of rayon.

use crate::float::Float;
use crate::isa::Isa;
use crate::lanes::Slices;

/// Elements below which a part is not split further: about 20 µs of work.
const GRAIN: usize = 1 << 15;

/// Runs `work` on parts of the slices, each a multiple of `unit` elements, on rayon's current pool.
pub fn split<T: Float, const N: usize>(slices: Slices<T, N>, unit: usize, work: impl Fn(Slices<T, N>) + Sync) {
    let isa = Isa::current();
    halve(slices, unit, &|part| isa.with(|| work(part)));
}

fn halve<T: Float, const N: usize>(slices: Slices<T, N>, unit: usize, work: &(impl Fn(Slices<T, N>) + Sync)) {
    let units = slices.len() / unit;
    if slices.len() < 2 * GRAIN || units < 2 || rayon::current_num_threads() == 1 {
        return work(slices);
    }
    let (first, second) = slices.split_at(units / 2 * unit);
    rayon::join(|| halve(first, unit, work), || halve(second, unit, work));
}
