//! The exact tier of softmax: its public methods. The arithmetic is in [`crate::recipes`].

use std::mem::MaybeUninit;

use super::Softmax;
use crate::activation::Exact;
use crate::call::{Call, twins};
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::lanes::{Rows, Slices, initialise};
use crate::passes::drive;
use crate::recipes::ExactSoftmax;

impl Softmax {
    /// The exact tier: exponentials and sums are computed in `f64`, and each probability is rounded once, within 0.51
    /// ulp. It takes up to three times as long. A call allocates a buffer of 8 bytes for each of up to 4096 elements,
    /// or for each element of a longer row, or of 16 rows if rows are interleaved.
    pub const fn exact(self) -> Exact<Self> {
        Exact(self)
    }
}

/// Probabilities within 0.51 ulp. For their gradient use [`Softmax::backward`].
impl Exact<Softmax> {
    twins! {
        /// Writes the probabilities of each row of `x` to `y`.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        pub threads => fn forward | par_forward [] (&self, x: &[f32], y: &mut [f32]) {
            self.forward_call(Slices::<f32, 1>::new([("x", x)], ("y", y))).on(threads)
        }

        /// Overwrites each row of `x` with its probabilities.
        ///
        /// # Panics
        ///
        /// If the length is not whole rows.
        pub threads => fn forward_in_place | par_forward_in_place [] (&self, x: &mut [f32]) {
            self.forward_call(Slices::<f32, 1>::in_place(x)).on(threads)
        }

        /// Writes the probabilities of each row of `x` to `y`, which need not be initialised, and returns the
        /// initialised `y`.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows, or if there are gaps between rows.
        pub threads => fn forward_uninit | par_forward_uninit ['y]
        (&self, x: &[f32], y: &'y mut [MaybeUninit<f32>]) -> &'y mut [f32] {
            self.0.check_uninit(x.len(), y.len());
            initialise([("x", x)], ("y", y), |slices| self.forward_call(slices).on(threads))
        }
    }

    #[track_caller]
    fn forward_call<'a>(
        &self,
        slices: Slices<'a, f32, 1>,
    ) -> Call<Rows<'a, f32, 1>, impl FnOnce() -> Cost + use<'_, 'a>, impl Fn(Level, Rows<'a, f32, 1>) + Sync + use<'a>>
    {
        Call { work: self.0.view(slices, "x"), cost: || Cost::rows(self.0.shape), run: kernel }
    }
}

/// Not generic, so that it is compiled in this crate, with this crate's optimisation level.
fn kernel(level: Level, mut rows: Rows<f32, 1>) {
    drive(level, &mut ExactSoftmax::new(), &mut rows);
}
