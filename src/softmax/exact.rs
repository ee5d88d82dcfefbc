//! The exact tier of softmax: exponentials and sums in `f64`, one rounding at the end.

use super::{Group, Softmax, Work};
use crate::activation::Exact;
use crate::entry;
use crate::lanes::{Lanes, Rows, Slices};
use crate::math;
#[cfg(feature = "rayon")]
use crate::{parallel, softmax::cost};

impl Softmax {
    /// Its exact tier: exponentials and sums are `f64`, each probability is rounded once, within 0.51 ulp. It takes up to
    /// three times as long, and 8 bytes of memory for each element of a row.
    pub const fn exact(self) -> Exact<Self> {
        Exact(self)
    }
}

/// Probabilities within 0.51 ulp. Their gradient is [`Softmax::backward`].
impl Exact<Softmax> {
    /// Writes the probabilities of each row of `x` to `y`.
    ///
    /// # Panics
    ///
    /// If the lengths differ or are not whole rows.
    #[track_caller]
    pub fn forward(self, x: &[f32], y: &mut [f32]) {
        self.0.check(&[("x", x.len()), ("y", y.len())]);
        entry::exact_softmax(Rows::new(Slices::<f32, 1>::new(x, y), self.0.shape));
    }

    /// Overwrites each row of `x` with its probabilities.
    ///
    /// # Panics
    ///
    /// If the length is not whole rows.
    #[track_caller]
    pub fn forward_in_place(self, x: &mut [f32]) {
        self.0.check(&[("x", x.len())]);
        entry::exact_softmax(Rows::new(Slices::<f32, 1>::in_place(x), self.0.shape));
    }

    /// `forward` on rayon's current pool, with the same bits.
    ///
    /// # Panics
    ///
    /// If the lengths differ or are not whole rows.
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward(self, x: &[f32], y: &mut [f32]) {
        self.0.check(&[("x", x.len()), ("y", y.len())]);
        parallel::split(Rows::new(Slices::<f32, 1>::new(x, y), self.0.shape), cost(self.0.shape), entry::exact_softmax);
    }

    /// `forward_in_place` on rayon's current pool, with the same bits.
    ///
    /// # Panics
    ///
    /// If the length is not whole rows.
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward_in_place(self, x: &mut [f32]) {
        self.0.check(&[("x", x.len())]);
        parallel::split(
            Rows::new(Slices::<f32, 1>::in_place(x), self.0.shape),
            cost(self.0.shape),
            entry::exact_softmax,
        );
    }
}

/// The work of [`Exact`].
pub struct ExactSoftmax;

impl Work<f32, 1> for ExactSoftmax {
    #[inline(always)]
    fn group<L: Lanes<Float = f32>>(&mut self, _: L, mut group: impl Group<L, 1>, _: usize) {
        let max = group.max();
        let mut terms = Vec::new();
        let [a, b] = group.sum_wide(max, &mut terms);
        let one = a.splat(1.0);
        group.scale_wide(&terms, [one / a, one / b]);
    }
}

/// e^(x - max).
#[inline(always)]
pub fn wide_term<L: Lanes>(max: L, x: L) -> [L::Double; 2] {
    let ([x0, x1], [max0, max1]) = (x.widen(), max.widen());
    // What is smaller is 0, rounded to an f32.
    let least = x0.splat(-200.0);
    [math::short_exp(least.max(x0 - max0)), math::short_exp(least.max(x1 - max1))]
}
