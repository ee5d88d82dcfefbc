//! The driver over slices of the elementwise operations.

use crate::float::Float;
use crate::isa::Kernel;
use crate::lanes::{Gradual, Lanes, Mask, Simd, Slices};

/// A function of `N` lane values, applied to each position of `N` slices.
pub trait Map<const N: usize>: Copy {
    /// The positions at which nothing subnormal or out of range turns up on the way.
    fn ordinary<L: Lanes>(self, x: [L; N]) -> L::Mask;
    /// The function, valid at ordinary positions on plain lanes and everywhere on [`Gradual`] ones.
    fn apply<L: Lanes>(self, x: [L; N]) -> L;
}

/// The kernel that applies a [`Map`] to slices.
pub struct Elementwise<'a, T, M, const N: usize> {
    /// The function.
    pub map: M,
    /// Its arguments and results.
    pub slices: Slices<'a, T, N>,
}

/// Lane values per block: enough to keep the arithmetic units busy while one result waits.
const V: usize = 4;

impl<T: Float, M: Map<N>, const N: usize> Kernel for Elementwise<'_, T, M, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for mut block in self.slices.blocks::<V>() {
            let mut x: [[T::Lanes<S>; V]; N] = [block.load(simd, 0); N];
            for (k, x) in x.iter_mut().enumerate().skip(1) {
                *x = block.load(simd, k);
            }
            block.store(apply(self.map, x));
        }
    }
}

/// Applies a map to `V` lane values: on plain lanes if all are ordinary.
#[inline(always)]
pub fn apply<L: Lanes, M: Map<N>, const N: usize, const V: usize>(map: M, x: [[L; V]; N]) -> [L; V] {
    let mut y = x[0];
    let mut ordinary = x[0][0].always();
    for i in 0..V {
        ordinary = ordinary & map.ordinary(x.map(|x| x[i]));
    }
    if ordinary.all() {
        for i in 0..V {
            y[i] = map.apply(x.map(|x| x[i]));
        }
    } else {
        for i in 0..V {
            y[i] = map.apply(x.map(|x| Gradual(x[i]))).0;
        }
    }
    y
}
