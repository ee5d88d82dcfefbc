//! Softmax, its logarithm and its normaliser, along any axis of a tensor.

mod exact;
mod group;
mod terms;
pub mod work;

pub use exact::ExactSoftmax;
pub use group::{ByGroup, Element, Group, Work};

pub use terms::{Probability, Term, log_sum, or_nan, scale, shift};

use crate::check;
use crate::entry::Float;
use crate::lanes::{Rows, Shape, Slices};
#[cfg(feature = "rayon")]
use crate::parallel::{self, Split};
#[cfg(feature = "rayon")]
use crate::real::Real;

/// Nanoseconds an element on a wide instruction set.
#[cfg(feature = "rayon")]
pub fn cost(shape: Shape) -> f64 {
    if shape.axis > 32 { 0.25 } else { 0.7 }
}

/// The constructors of an operation along an axis.
macro_rules! constructors {
    () => {
        /// Rows of this many columns, one after the other: `axis(columns, 1)`.
        ///
        /// # Panics
        ///
        /// If `columns` is 0.
        #[track_caller]
        pub fn rows(columns: usize) -> Self {
            Self::axis(columns, 1)
        }

        /// Rows along an axis of this length in a contiguous tensor `[.., axis, inner]`, whose elements
        /// are `inner` apart.
        ///
        /// # Panics
        ///
        /// If either is 0, or if `axis * inner` is more than a `usize` holds.
        #[track_caller]
        pub fn axis(axis: usize, inner: usize) -> Self {
            check::axis(axis, inner);
            Self { shape: Shape { axis, inner } }
        }
    };
}

/// The methods of an operation with as many results as logits.
macro_rules! methods {
    ($log:literal) => {
        constructors!();

        /// Writes the result of each row of `x` to `y`.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[track_caller]
        pub fn forward<T: Float>(self, x: &[T], y: &mut [T]) {
            self.check(&[("x", x.len()), ("y", y.len())]);
            T::softmax($log, Rows::new(Slices::<T, 1>::new(x, y), self.shape));
        }

        /// Overwrites each row of `x` with its result.
        ///
        /// # Panics
        ///
        /// If the length is not whole rows.
        #[track_caller]
        pub fn forward_in_place<T: Float>(self, x: &mut [T]) {
            self.check(&[("x", x.len())]);
            T::softmax($log, Rows::new(Slices::<T, 1>::in_place(x), self.shape));
        }

        /// Writes the gradient with respect to the logits to `dx`, from the saved output `y` and the
        /// gradient `dy` with respect to it.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[track_caller]
        pub fn backward<T: Float>(self, y: &[T], dy: &[T], dx: &mut [T]) {
            self.check(&[("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
            T::softmax_gradient($log, Rows::new(Slices::<T, 2>::new(y, dy, dx), self.shape));
        }

        /// Overwrites the gradient `dy` with the gradient with respect to the logits.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[track_caller]
        pub fn backward_in_place<T: Float>(self, y: &[T], dy: &mut [T]) {
            self.check(&[("y", y.len()), ("dy", dy.len())]);
            T::softmax_gradient($log, Rows::new(Slices::<T, 2>::in_place(y, dy), self.shape));
        }

        /// [`forward`](Self::forward) on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_forward<T: Float>(self, x: &[T], y: &mut [T]) {
            self.check(&[("x", x.len()), ("y", y.len())]);
            parallel::split(Rows::new(Slices::<T, 1>::new(x, y), self.shape), cost(self.shape), |part| {
                T::softmax($log, part)
            });
        }

        /// [`forward_in_place`](Self::forward_in_place) on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the length is not whole rows.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_forward_in_place<T: Float>(self, x: &mut [T]) {
            self.check(&[("x", x.len())]);
            parallel::split(Rows::new(Slices::<T, 1>::in_place(x), self.shape), cost(self.shape), |part| {
                T::softmax($log, part)
            });
        }

        /// [`backward`](Self::backward) on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_backward<T: Float>(self, y: &[T], dy: &[T], dx: &mut [T]) {
            self.check(&[("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
            parallel::split(Rows::new(Slices::<T, 2>::new(y, dy, dx), self.shape), cost(self.shape), |part| {
                T::softmax_gradient($log, part)
            });
        }

        /// [`backward_in_place`](Self::backward_in_place) on rayon's current pool, with the same bits.
        ///
        /// # Panics
        ///
        /// If the lengths differ or are not whole rows.
        #[cfg(feature = "rayon")]
        #[track_caller]
        pub fn par_backward_in_place<T: Float>(self, y: &[T], dy: &mut [T]) {
            self.check(&[("y", y.len()), ("dy", dy.len())]);
            parallel::split(Rows::new(Slices::<T, 2>::in_place(y, dy), self.shape), cost(self.shape), |part| {
                T::softmax_gradient($log, part)
            });
        }

        #[track_caller]
        fn check(self, lengths: &[(&str, usize)]) {
            for (name, len) in &lengths[1..] {
                check::same_len(lengths[0].0, lengths[0].1, name, *len);
            }
            check::whole_rows(lengths[0].0, lengths[0].1, self.shape.axis, self.shape.inner);
        }
    };
}

/// The softmax of each row, `e^x[i] / sum(e^x)`: logits become probabilities.
///
/// The gradient from the output is `y * (dy - sum(y * dy))`.
///
/// # Accuracy
///
/// `f32` (`cargo test --test softmax`): within 4 ulp for finite logits up to ±100 and rows up to 1000,
/// 6 ulp up to 128 256. Gradients: within 16 eps of the row's largest `|dy|`.
///
/// # Special values
///
/// A logit of -inf has probability 0. A row of only -inf, or with +inf or NaN, is all NaN. A row of one
/// logit is exactly 1. Finite logits up to the largest are fine.
///
/// # Examples
///
/// ```
/// use activations::Softmax;
///
/// let mut y = [0.0_f32; 4];
/// Softmax::rows(2).forward(&[1.0, 1.0, 500.0, f32::NEG_INFINITY], &mut y);
/// assert_eq!(y, [0.5, 0.5, 1.0, 0.0]);
///
/// // Along the first axis of a 2 x 2 matrix.
/// Softmax::axis(2, 2).forward(&[1.0, 500.0, 1.0, f32::NEG_INFINITY], &mut y);
/// assert_eq!(y, [0.5, 1.0, 0.5, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    shape: Shape,
}

impl Softmax {
    methods!(false);
}

/// The logarithm of the softmax of each row, `x[i] - ln(sum(e^x))`.
///
/// The gradient from the output is `dy - e^y * sum(dy)`.
///
/// # Accuracy
///
/// `f32` (`cargo test --test softmax`): within 4 eps of `max(1, |result|)`. Gradients: within 16 eps of
/// the row's largest `|dy|` plus `e^y` times the sum of all `|dy|`.
///
/// # Special values
///
/// As [`Softmax`]: -inf for a logit of -inf, NaN for the rows without probabilities, 0 for a row of one.
///
/// # Examples
///
/// ```
/// use activations::LogSoftmax;
///
/// let mut y = [0.0_f64; 2];
/// LogSoftmax::rows(2).forward(&[3.0, 3.0], &mut y);
/// assert!((y[0] + std::f64::consts::LN_2).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    shape: Shape,
}

impl LogSoftmax {
    methods!(true);
}

/// The logarithm of the sum of exponentials of each row, `ln(sum(e^x))`: the normaliser of the softmax.
///
/// # Accuracy
///
/// `f32` (`cargo test --test softmax`): within 4 eps of `max(1, |result|)`.
///
/// # Special values
///
/// A row with NaN gives NaN, else one with +inf gives +inf, and one of only -inf gives -inf.
///
/// # Examples
///
/// ```
/// use activations::LogSumExp;
///
/// let mut y = [0.0_f64; 2];
/// LogSumExp::rows(2).forward(&[1000.0, 1000.0, 0.0, -2000.0], &mut y);
/// assert_eq!(y, [1000.0 + std::f64::consts::LN_2, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSumExp {
    shape: Shape,
}

impl LogSumExp {
    constructors!();

    /// Writes one number for each row of `x` to `y`, whose shape is that of `x` without the axis.
    ///
    /// # Panics
    ///
    /// If `x` is not whole rows, or if `y` has not one element for each.
    #[track_caller]
    pub fn forward<T: Float>(self, x: &[T], y: &mut [T]) {
        self.check(x.len(), y.len());
        T::log_sum_exp(LogSumExpArguments { x: Rows::new(x.into(), self.shape), y });
    }

    /// [`forward`](Self::forward) on rayon's current pool, with the same bits.
    ///
    /// # Panics
    ///
    /// If `x` is not whole rows, or if `y` has not one element for each.
    #[cfg(feature = "rayon")]
    #[track_caller]
    pub fn par_forward<T: Float>(self, x: &[T], y: &mut [T]) {
        self.check(x.len(), y.len());
        let arguments = LogSumExpArguments { x: Rows::new(x.into(), self.shape), y };
        parallel::split(arguments, cost(self.shape), |part| T::log_sum_exp(part));
    }

    #[track_caller]
    fn check(self, x: usize, y: usize) {
        check::whole_rows("x", x, self.shape.axis, self.shape.inner);
        check::row_count("y", y, x / self.shape.axis);
    }
}

/// The arguments of [`LogSumExp`].
pub struct LogSumExpArguments<'a, T> {
    /// The logits.
    pub x: Rows<'a, T, 1, false>,
    /// One result a row.
    pub y: &'a mut [T],
}

#[cfg(feature = "rayon")]
impl<T: Real> Split for LogSumExpArguments<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }
    fn each(&self) -> usize {
        self.x.each()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.split_at(mid);
        let (y, y_rest) = self.y.split_at_mut(mid);
        (Self { x, y }, Self { x: x_rest, y: y_rest })
    }
    fn spread(self) -> Self {
        Self { x: self.x.spread(), ..self }
    }
}
