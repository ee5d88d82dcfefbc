//! Kinds of error bounds, and the comparison of a result with a bound in ulp.
//!
//! Each bound has its number in one place: a constant in the module of its operation, or the activation's `max_ulp`.

use std::fmt;

use activations::Isa;

/// A bound on the error of each element of an operation's results. An epsilon is the distance from 1 to the next
/// number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// No error: the result is the true value.
    Exact,
    /// The bits of other operations, one after another.
    Steps,
    /// Ulp of the true value: with a fused multiply-add, and without.
    Ulp([f64; 2]),
    /// This many ulp of the larger of |gradient| and |dy| / 8, and in the tails at most 8 ulp of the gradient.
    OfInputGradient(f64),
    /// Ulp of a probability. The bound depends on the row.
    Probability {
        /// The first bound holds for rows of up to this many logits, all within [-100, 100].
        columns: usize,
        /// The bound for such rows, and for all others.
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
    EpsilonsOfGradient(f64),
    /// This many epsilons of the scale of the gradient.
    EpsilonsOfScale(f64),
    /// This share of the true value.
    Relative(f64),
    /// This many epsilons of the sum of the magnitudes of the terms.
    Magnitudes(f64),
}

impl Bound {
    /// The bound in ulp on the current instruction set. For a probability, the bound that holds for every row.
    ///
    /// # Panics
    ///
    /// If the bound is in epsilons.
    pub fn ulp(self) -> f64 {
        match self {
            Bound::Exact => 0.0,
            Bound::Ulp(bounds) => bounds[usize::from(!Isa::current().is_fused())],
            Bound::Probability { ulp, .. } => ulp[1],
            Bound::LogProbability { ulp, .. } => ulp,
            Bound::OfInputGradient(ulp) => ulp,
            _ => panic!("{self:?} is not in ulp"),
        }
    }

    /// The bound in ulp for the probabilities of a row of these logits.
    pub fn of_row(self, row: &[f64]) -> f64 {
        match self {
            Bound::Probability { columns, ulp } if row.len() <= columns && row.iter().all(|x| x.abs() <= 100.0) => {
                ulp[0]
            }
            bound => bound.ulp(),
        }
    }

    /// The bound in epsilons.
    ///
    /// # Panics
    ///
    /// If the bound is in ulp.
    pub fn epsilons(self) -> f64 {
        match self {
            Bound::LogProbability { epsilons, .. } => epsilons,
            Bound::LogSum(epsilons)
            | Bound::EpsilonsOfGradient(epsilons)
            | Bound::EpsilonsOfScale(epsilons)
            | Bound::Magnitudes(epsilons) => epsilons,
            _ => panic!("{self:?} is not in epsilons"),
        }
    }
}

/// The text of the bound in the README's table.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Bound::Exact => write!(f, "exact"),
            Bound::Steps => write!(f, "the bits of its steps"),
            Bound::Ulp([fused, unfused]) if fused == unfused => write!(f, "{fused:?} ulp"),
            Bound::Ulp([fused, unfused]) => write!(f, "{fused:?}, {unfused:?} ulp"),
            Bound::Probability { columns, ulp: [short, long] } => {
                write!(f, "{short} ulp up to {columns} columns, else {long}")
            }
            Bound::LogProbability { epsilons, ulp } => {
                write!(f, "{epsilons} eps of max(1, abs), {ulp} ulp for the largest logit")
            }
            Bound::LogSum(epsilons) => write!(f, "{epsilons} eps of max(abs max, ln sum e^(x - max))"),
            Bound::EpsilonsOfGradient(epsilons) => write!(f, "{epsilons} eps of the largest dy"),
            Bound::OfInputGradient(ulp) => write!(f, "{ulp} ulp of max(abs, abs dy / 8)"),
            Bound::Relative(share) => write!(f, "{share:e} of it"),
            Bound::Magnitudes(epsilons) => write!(f, "{epsilons} eps of the sum of the magnitudes"),
            Bound::EpsilonsOfScale(epsilons) => write!(f, "{epsilons} eps of the scale"),
        }
    }
}

/// A bound on the relative error of an `f64` reference for rows: 2 epsilons for exponentials and their sum, and one
/// epsilon of `difference`, the difference of two logits whose exponential is taken.
pub fn reference_error(difference: f64) -> f64 {
    f64::EPSILON * (2.0 + difference)
}
