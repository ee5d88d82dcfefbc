//! Bounds on errors, each stated once, beside its operation.

use std::fmt;

use activations::{Isa, ulp};

use crate::Element;

/// A bound on the error of an operation's results.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The result is the true value.
    Exact,
    /// This many ulp of the true value, with a fused multiply-add and without.
    Ulp([f64; 2]),
    /// Ulp of a probability: in rows of up to this many logits within [-100, 100], and in others.
    Probability {
        /// The most logits of a row for the first bound.
        columns: usize,
        /// The two bounds.
        ulp: [f64; 2],
    },
    /// Of a log-probability: this many epsilons of max(1, |true value|), and this many ulp for the largest logit.
    LogProbability {
        /// The bound in epsilons.
        epsilons: f64,
        /// The bound for the largest logit.
        ulp: f64,
    },
    /// Of a log-sum-exp: this many epsilons of the larger of |maximum| and ln sum e^(x - maximum).
    LogSum(f64),
    /// This many epsilons of the largest |dy| of the row, and of a term's share of the sum of all |dy|.
    Gradient(f64),
    /// This many epsilons of the scale of the gradient.
    Scale(f64),
    /// This share of the true value.
    Relative(f64),
    /// This many epsilons of the sum of the magnitudes of the terms.
    Magnitudes(f64),
}

/// What a reference in `f64` adds to an error in ulp of `f64`.
const REFERENCE_ULP: f64 = 2.0;

impl Bound {
    /// The bound in ulp on the current instruction set. A probability's is that of a long row.
    pub fn ulp(self) -> f64 {
        match self {
            Bound::Exact => 0.0,
            Bound::Ulp(bounds) => bounds[usize::from(!Isa::current().is_fused())],
            Bound::Probability { ulp, .. } => ulp[1],
            Bound::LogProbability { ulp, .. } => ulp,
            _ => panic!("{self:?} is not in ulp"),
        }
    }

    /// The bound in ulp on the probabilities of a row.
    pub fn of_row(self, row: &[f64]) -> f64 {
        match self {
            Bound::Probability { columns, ulp } if row.len() <= columns && row.iter().all(|x| x.abs() <= 100.0) => {
                ulp[0]
            }
            bound => bound.ulp(),
        }
    }

    /// The bound in epsilons.
    pub fn epsilons(self) -> f64 {
        match self {
            Bound::LogProbability { epsilons, .. } => epsilons,
            Bound::LogSum(epsilons)
            | Bound::Gradient(epsilons)
            | Bound::Scale(epsilons)
            | Bound::Magnitudes(epsilons) => epsilons,
            _ => panic!("{self:?} is not in epsilons"),
        }
    }
}

/// As the README's table states it.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Bound::Exact => write!(f, "exact"),
            Bound::Ulp([fused, unfused]) if fused == unfused => write!(f, "{fused:?} ulp"),
            Bound::Ulp([fused, unfused]) => write!(f, "{fused:?}, {unfused:?} ulp"),
            Bound::Probability { columns, ulp: [short, long] } => {
                write!(f, "{short} ulp up to {columns} columns, else {long}")
            }
            Bound::LogProbability { epsilons, ulp } => {
                write!(f, "{epsilons} eps of max(1, abs), {ulp} ulp for the largest logit")
            }
            Bound::LogSum(epsilons) => write!(f, "{epsilons} eps of max(abs max, ln sum e^(x - max))"),
            Bound::Gradient(epsilons) => write!(f, "{epsilons} eps of the largest dy"),
            Bound::Relative(share) => write!(f, "{share:e} of it"),
            Bound::Magnitudes(epsilons) => write!(f, "{epsilons} eps of the sum of the magnitudes"),
            Bound::Scale(epsilons) => write!(f, "{epsilons} eps of the scale"),
        }
    }
}

/// Whether a result is within `bound` ulp of the true value, and of what an `f64` reference adds to it.
///
/// In the last digits before infinity the result may be infinite or the largest finite number.
pub fn is_within<T: Element>(actual: T, exact: f64, bound: f64) -> bool {
    let bound = if T::BYTES == 8 { bound + REFERENCE_ULP } else { bound };
    ulp::error(actual, exact) <= bound || is_beside_infinity::<T>(exact) && is_beside_infinity::<T>(actual.into())
}

/// Whether a value is so large that rounding errors decide whether it overflows.
pub fn is_beside_infinity<T: Element>(x: f64) -> bool {
    x.abs() > T::MAX * (1.0 - 16.0 * T::EPSILON)
}

/// The relative error of a row's sum in `f64`, and of `farthest`, a difference of two of its elements.
pub fn reference_error(farthest: f64) -> f64 {
    f64::EPSILON * (2.0 + farthest)
}
