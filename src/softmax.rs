//! Softmax, its logarithm and its normaliser, along any axis of a tensor: the public types and their methods.
//!
//! Macros write the methods once for all types: `constructors` those that describe the rows, `methods` those that compute. A method checks its arguments, makes a view of the rows and hands it to the kernel of the element type
//! ([`Float`]), which runs a recipe of [`crate::recipes`].

#[cfg(feature = "exact")]
mod exact;
mod ragged;

pub use ragged::Ragged;

use std::mem::MaybeUninit;

use crate::call::{Call, twins};
use crate::check;
use crate::cost::Cost;
use crate::dispatch::Level;
use crate::float::Float;
use crate::lanes::{Element, Rows, Shape, Slices, Split, initialise};

/// Declares the constructors of an operation along an axis.
macro_rules! constructors {
    () => {
        /// The operation on contiguous rows of `columns` elements, one after the other: `axis(columns, 1)`.
        #[track_caller]
        pub fn rows(columns: usize) -> Self {
            Self::axis(columns, 1)
        }

        /// The operation along an axis of length `axis` in a contiguous tensor `[.., axis, inner]`: the elements of a
        /// row are `inner` apart. Slices must consist of whole rows. Either may be 0: then they are empty, and methods do
        /// nothing.
        ///
        /// # Panics
        ///
        /// If `axis * inner` overflows a `usize`.
        #[track_caller]
        pub fn axis(axis: usize, inner: usize) -> Self {
            check::axis(axis, inner);
            Self { shape: Shape { axis, inner, stride: axis * inner }, rows: None }
        }

        /// The operation along dimension `dim` of a contiguous tensor of this shape: `axis(shape[dim], inner)`, with
        /// `inner` the product of the sizes after `dim`. Every method then checks that its slices have the size of the
        /// tensor.
        ///
        /// # Panics
        ///
        /// If there is no dimension `dim`, or if the product of all sizes overflows a `usize`. In every method, if the
        /// length of a slice is not that product.
        #[track_caller]
        pub fn along(shape: &[usize], dim: usize) -> Self {
            let rows = check::dimension(shape, dim);
            // In a tensor without elements the sizes behind the axis may overflow.
            let inner = if rows == 0 { 0 } else { shape[dim + 1..].iter().product() };
            Self { rows: Some(rows), ..Self::axis(shape[dim], inner) }
        }

        /// This operation on rows that begin `stride` elements apart, in every slice. A slice of n rows has
        /// `n * stride` elements, or ends after its last row. The gaps between rows are neither read nor written.
        ///
        /// # Panics
        ///
        /// If `stride` is less than the number of columns, or if the operation was not made by [`rows`](Self::rows).
        #[track_caller]
        pub fn row_stride(self, stride: usize) -> Self {
            let Shape { axis, inner, .. } = self.shape;
            check::row_stride(stride, axis, inner, self.rows.is_some());
            Self { shape: Shape { stride, ..self.shape }, ..self }
        }

        /// A view of the rows of some slices. `name` is the name of the first slice in messages.
        #[track_caller]
        #[inline(always)]
        fn view<'a, T: Float, const N: usize, const M: usize>(
            &self,
            slices: Slices<'a, T, N, M>,
            name: &str,
        ) -> Rows<'a, T, N, M> {
            if let Some(rows) = self.rows {
                check::elements(name, slices.len(), rows * self.shape.axis);
            }
            Rows::new(slices, name, self.shape)
        }
    };
}

/// Declares the methods of an operation whose output has the shape of its input, once for rows of one length and for ragged
/// rows. They call `forward_call` and `backward_call` of the type, and `check_uninit`.
macro_rules! methods {
    () => {
        twins! {
            /// Writes the result of each row of `x` to `y`.
            ///
            /// # Panics
            ///
            /// If the lengths differ or do not fit the rows.
            pub threads => fn forward | par_forward [T: Float] (&self, x: &[T], y: &mut [T]) {
                self.forward_call(Slices::<T, 1>::new([("x", x)], ("y", y))).on(threads)
            }

            /// Overwrites each row of `x` with its result.
            ///
            /// # Panics
            ///
            /// If the length does not fit the rows.
            pub threads => fn forward_in_place | par_forward_in_place [T: Float] (&self, x: &mut [T]) {
                self.forward_call(Slices::<T, 1>::in_place(x)).on(threads)
            }

            /// Writes the result of each row of `x` to `y`, which need not be initialised, and returns the initialised
            /// `y`.
            ///
            /// # Panics
            ///
            /// If the lengths differ or do not fit the rows, or if the rows leave gaps.
            pub threads => fn forward_uninit | par_forward_uninit ['y, T: Float]
            (&self, x: &[T], y: &'y mut [MaybeUninit<T>]) -> &'y mut [T] {
                self.check_uninit(x.len(), y.len());
                initialise([("x", x)], ("y", y), |slices| self.forward_call(slices).on(threads))
            }

            /// Writes the gradient with respect to the logits to `dx`, from the saved output `y` and the
            /// gradient `dy` with respect to it.
            ///
            /// # Panics
            ///
            /// If the lengths differ or do not fit the rows.
            pub threads => fn backward | par_backward [T: Float] (&self, y: &[T], dy: &[T], dx: &mut [T]) {
                self.backward_call(Slices::<T, 2>::new([("y", y), ("dy", dy)], ("dx", dx))).on(threads)
            }

            /// Overwrites the gradient `dy` with the gradient with respect to the logits.
            ///
            /// # Panics
            ///
            /// If the lengths differ or do not fit the rows.
            pub threads => fn backward_in_place | par_backward_in_place [T: Float] (&self, y: &[T], dy: &mut [T]) {
                self.backward_call(Slices::<T, 2>::in_place(("y", y), ("dy", dy))).on(threads)
            }
        }
    };
}
use methods;

/// Declares everything of an operation on rows of one length. The arguments are the methods of [`Float`] that compute its
/// value and its gradient.
macro_rules! row_methods {
    ($forward:ident, $backward:ident) => {
        constructors!();
        methods!();

        /// Checks an output that is not initialised: it must match `x` and must be written as a whole, without gaps.
        #[track_caller]
        fn check_uninit(&self, x: usize, y: usize) {
            let Shape { axis, inner, stride } = self.shape;
            check::same_len("x", x, "y", y);
            if let Some(rows) = self.rows {
                check::elements("x", x, rows * axis);
            }
            check::whole_rows("x", x, axis, inner, stride);
            check::no_gaps(stride, axis * inner);
        }

        #[track_caller]
        #[inline(always)]
        fn forward_call<'a, T: Float>(
            &self,
            slices: Slices<'a, T, 1>,
        ) -> Call<
            Rows<'a, T, 1>,
            impl FnOnce() -> Cost + use<'_, 'a, T>,
            impl Fn(Level, Rows<'a, T, 1>) + Sync + use<'a, T>,
        > {
            Call {
                work: self.view(slices, "x"),
                cost: || Cost::rows(self.shape),
                run: |level, mut rows| T::$forward(level, &mut rows),
            }
        }

        #[track_caller]
        #[inline(always)]
        fn backward_call<'a, T: Float>(
            &self,
            slices: Slices<'a, T, 2>,
        ) -> Call<
            Rows<'a, T, 2>,
            impl FnOnce() -> Cost + use<'_, 'a, T>,
            impl Fn(Level, Rows<'a, T, 2>) + Sync + use<'a, T>,
        > {
            Call {
                work: self.view(slices, "y"),
                cost: || Cost::rows(self.shape),
                run: |level, mut rows| T::$backward(level, &mut rows),
            }
        }
    };
}

/// The softmax of each row, `e^x[i] / sum(e^x)`: probabilities from logits.
///
/// The gradient, from the saved output, is `y * (dy - sum(y * dy))`.
///
/// # Accuracy
///
/// `f32` (`cargo test --test operations`): within 4 ulp for finite logits up to ±100 and rows up to 1000,
/// 6 ulp up to 128 256. Gradients: within 16 eps of the row's largest `|dy|`.
///
/// # Special values
///
/// A logit of -inf has probability 0. The results of a row of only -inf, or with +inf or NaN, are all NaN. The result
/// of a row of one finite logit is exactly 1. Finite logits may be as large as the format allows.
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
    /// The number of rows of the tensor, if the constructor was given its whole shape.
    rows: Option<usize>,
}

impl Softmax {
    row_methods!(softmax, softmax_gradient);
}

/// The logarithm of the softmax of each row, `x[i] - ln(sum(e^x))`.
///
/// The gradient, from the saved output, is `dy - e^y * sum(dy)`.
///
/// # Accuracy
///
/// Within 4 eps of `max(1, |result|)`, and within 8 ulp for the largest logit of a row, also where its probability is
/// nearly 1 (`cargo test --test operations`). Gradients: within 16 eps of the row's largest `|dy|` plus `e^y` times the
/// sum of all `|dy|`. A gradient is not lost where `e^y` is nearly 1 and the other `dy` are 0.
///
/// # Special values
///
/// A logit of -inf has the result -inf. The results of a row of only -inf, or with +inf or NaN, are all NaN. The result
/// of a row of one finite logit is 0.
///
/// # Examples
///
/// ```
/// use activations::LogSoftmax;
///
/// let mut y = [0.0_f64; 2];
/// LogSoftmax::rows(2).forward(&[3.0, 3.0], &mut y);
/// approx::assert_relative_eq!(y[0], -std::f64::consts::LN_2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSoftmax {
    shape: Shape,
    /// The number of rows of the tensor, if the constructor was given its whole shape.
    rows: Option<usize>,
}

impl LogSoftmax {
    row_methods!(log_softmax, log_softmax_gradient);
}

/// The logarithm of the sum of exponentials of each row, `ln(sum(e^x))`: the normaliser of the softmax.
///
/// # Accuracy
///
/// Within 4 eps of the larger of `|max|` and `ln(sum(e^(x - max)))`: with a maximum of 0 a tiny result is relatively right
/// (`cargo test --test operations`).
///
/// # Special values
///
/// A row with NaN gives NaN. Without NaN, a row with +inf gives +inf, and a row of only -inf gives -inf. Along an axis of
/// no elements every result is -inf.
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
    /// The number of rows of the tensor, if the constructor was given its whole shape.
    rows: Option<usize>,
}

impl LogSumExp {
    constructors!();

    twins! {
        /// Writes one number for each row of `x` to `y`, whose shape is that of `x` without the axis.
        ///
        /// # Panics
        ///
        /// If `x` is not whole rows, or if `y` does not have one element for each row.
        pub threads => fn forward | par_forward [T: Float] (&self, x: &[T], y: &mut [T::Arithmetic]) {
            let rows = self.view(Slices::from(x), "x");
            if self.shape.axis == 0 {
                // The sum of no terms. An empty x does not tell the number of rows.
                check::row_count("y", y.len(), self.rows.unwrap_or(y.len()));
                y.fill(T::Arithmetic::from_f64(f64::NEG_INFINITY));
                return;
            }
            check::row_count("y", y.len(), rows.len());
            let run = |level, LogSumExpArguments { mut x, y }: LogSumExpArguments<T>| T::log_sum_exp(level, &mut x, y);
            Call { work: LogSumExpArguments { x: rows, y }, cost: || Cost::rows(self.shape), run }.on(threads)
        }
    }
}

/// The arguments of [`LogSumExp::forward`], checked.
struct LogSumExpArguments<'a, T: Float> {
    /// The rows of logits.
    x: Rows<'a, T, 1, 0>,
    /// One result for each row.
    y: &'a mut [T::Arithmetic],
}

impl<T: Float> Split for LogSumExpArguments<'_, T> {
    fn len(&self) -> usize {
        self.x.len()
    }
    fn unit_len(&self) -> usize {
        self.x.unit_len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.split_at(mid);
        let (y, y_rest) = self.y.split_at_mut(mid);
        (Self { x, y }, Self { x: x_rest, y: y_rest })
    }
    fn shared(self) -> Self {
        Self { x: self.x.shared(), ..self }
    }
}
