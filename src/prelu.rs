//! The leaky relu with slopes that are learned.

use crate::call::{Call, Threads, twins};
use crate::check;
use crate::cost::Cost;
use crate::float::Float;
use crate::fused::{Channels, SlopeSums, Sloped};
use crate::lanes::Slices;

/// The parametric rectified linear unit: `x` where `x > 0`, else `slope[channel] x`.
///
/// It works on contiguous tensors `[.., channels, inner]`: `axis(c, height * width)` for images, `axis(c, 1)` for rows of
/// `c` features, `axis(1, 1)` for one slope for all elements. The gradients are
///
/// ```text
/// dx              = dy where x > 0, else slope[channel] dy
/// dslope[channel] = sum of x dy over the channel's elements with x <= 0
/// ```
///
/// A slope may be any number. Each `dslope` is overwritten. The sum has a fixed shape and is made in `f64`: the bits do not
/// depend on the number of threads.
///
/// # Accuracy
///
/// Values and dx: one rounded product, within 0.5 ulp, or 0.75 of an `f64` that is subnormal. dslope: within 1 eps (`f64`:
/// 16) of the sum of the magnitudes of its terms. (`cargo test`.)
///
/// # Special values
///
/// NaN gives NaN. ±0 is multiplied by the slope. An x of 0 adds 0 dy to the sum of its slope.
///
/// # Examples
///
/// ```
/// use activations::PRelu;
///
/// // Two rows of two channels.
/// let (x, slopes) = ([1.0_f32, -2.0, -3.0, 4.0], [0.5, 0.25]);
/// let mut y = [0.0; 4];
/// PRelu::axis(2, 1).forward(&x, &slopes, &mut y);
/// assert_eq!(y, [1.0, -0.5, -1.5, 4.0]);
///
/// let (mut dx, mut dslopes) = ([0.0; 4], [0.0; 2]);
/// PRelu::axis(2, 1).backward(&x, &slopes, &[1.0; 4], &mut dx, &mut dslopes);
/// assert_eq!((dx, dslopes), ([1.0, 0.25, 0.5, 1.0], [-3.0, -2.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PRelu {
    shape: Channels,
}

impl PRelu {
    /// The operation on contiguous tensors `[.., channels, inner]`. Either may be 0: then slices are empty, and methods do
    /// nothing but set each dslope to 0.
    ///
    /// # Panics
    ///
    /// If `channels * inner` overflows a `usize`.
    #[track_caller]
    pub fn axis(channels: usize, inner: usize) -> Self {
        check::axis(channels, inner);
        Self { shape: Channels { channels, inner } }
    }

    twins! {
        /// Writes the result to `y`.
        ///
        /// # Panics
        ///
        /// If `x` is no whole number of `channels * inner` elements, if there is not one slope for each channel, or if `y` has
        /// another length than `x`.
        pub threads => fn forward | par_forward [T: Float] (&self, x: &[T], slopes: &[T], y: &mut [T]) {
            let slices = Slices::<T, 1>::new([("x", x)], ("y", y)).with_source_twice();
            let work = Sloped::new(self.shape, slices, slopes);
            Call { work, cost: || Cost::GRADIENT, run: |level, part| T::sloped(level, part) }.on(threads)
        }

        /// Overwrites `x` with the result.
        ///
        /// # Panics
        ///
        /// As `forward`.
        pub threads => fn forward_in_place | par_forward_in_place [T: Float] (&self, x: &mut [T], slopes: &[T]) {
            let work = Sloped::new(self.shape, Slices::<T, 1>::in_place(x).with_source_twice(), slopes);
            Call { work, cost: || Cost::GRADIENT, run: |level, part| T::sloped(level, part) }.on(threads)
        }

        /// Writes the gradients with respect to `x` and to the slopes, from the input `x` and the gradient `dy` with respect to
        /// the output. Allocates one `f64` for each 64 elements or fewer.
        ///
        /// # Panics
        ///
        /// As `forward`, and if `dslopes` has another length than `slopes`.
        pub threads => fn backward | par_backward [T: Float]
        (&self, x: &[T], slopes: &[T], dy: &[T], dx: &mut [T], dslopes: &mut [T]) {
            let slices = Slices::<T, 2>::new([("x", x), ("dy", dy)], ("dx", dx));
            self.gradients(Sloped::new(self.shape, slices, slopes), slopes.len(), dslopes, threads);
        }

        /// Overwrites `dy` with the gradient with respect to `x`, and writes that with respect to the slopes.
        ///
        /// # Panics
        ///
        /// As `backward`.
        pub threads => fn backward_in_place | par_backward_in_place [T: Float]
        (&self, x: &[T], slopes: &[T], dy: &mut [T], dslopes: &mut [T]) {
            let slices = Slices::<T, 2>::in_place(("x", x), ("dy", dy));
            self.gradients(Sloped::new(self.shape, slices, slopes), slopes.len(), dslopes, threads);
        }
    }

    /// Writes the gradients with respect to the slopes, and then dx, which may overwrite dy.
    #[track_caller]
    fn gradients<T: Float>(&self, work: Sloped<T>, slopes: usize, dslopes: &mut [T], threads: impl Threads) {
        check::same_len("slopes", slopes, "dslopes", dslopes.len());
        let inputs = work.inputs();
        let mut sums = vec![0.0; SlopeSums::<T>::len(self.shape, inputs.len())];
        let terms = SlopeSums::new(self.shape, inputs, &mut sums);
        Call { work: terms, cost: || Cost::GRADIENT, run: |level, part| T::slope_sums(level, part) }.on(threads);
        SlopeSums::finish(self.shape, &sums, dslopes);
        Call { work, cost: || Cost::GRADIENT, run: |level, part| T::sloped(level, part) }.on(threads);
    }
}
