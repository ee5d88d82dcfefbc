//! The options of cross-entropy, and the scale of its gradient.

use crate::check;
use crate::class::Targets;
use crate::lanes::Real;
use crate::sum::compensated_sum;

/// The factor of a gradient: one for all rows, or one for each row. A plain number is one for all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale<'a, T> {
    /// The same factor for all rows.
    All(f64),
    /// A factor for each row.
    Rows(&'a [T]),
}

impl<T> From<f64> for Scale<'_, T> {
    fn from(factor: f64) -> Self {
        Self::All(factor)
    }
}

impl<T: Real> Scale<'_, T> {
    /// The factor of row `r`.
    pub(crate) fn get(self, r: usize) -> T {
        match self {
            Self::All(factor) => T::from_f64(factor),
            Self::Rows(factors) => factors[r],
        }
    }

    /// Panics unless there is a factor for each row.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn check(self, rows: usize) {
        if let Self::Rows(factors) = self {
            check::row_count("scale", factors.len(), rows);
        }
    }

    /// The factors of the first `mid` rows and of the rest.
    pub(crate) fn split_at(self, mid: usize) -> (Self, Self) {
        match self {
            Self::All(_) => (self, self),
            Self::Rows(factors) => {
                let (first, rest) = factors.split_at(mid);
                (Self::Rows(first), Self::Rows(rest))
            }
        }
    }
}

/// The weights of the classes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights<'o> {
    F32(&'o [f32]),
    #[cfg(feature = "f64")]
    F64(&'o [f64]),
}

impl Weights<'_> {
    /// The number of weights.
    pub fn len(self) -> usize {
        match self {
            Self::F32(weights) => weights.len(),
            #[cfg(feature = "f64")]
            Self::F64(weights) => weights.len(),
        }
    }

    /// Weight `k`.
    pub fn get(self, k: usize) -> f64 {
        match self {
            Self::F32(weights) => weights[k].into(),
            #[cfg(feature = "f64")]
            Self::F64(weights) => weights[k],
        }
    }
}

/// The options of cross-entropy.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Options<'o> {
    /// Rows of this target are ignored.
    pub ignored: Option<i64>,
    /// The share of the target that all classes get.
    pub smoothing: f64,
    /// The weights of the classes, if they are not all 1.
    pub weights: Option<Weights<'o>>,
    /// The factor of the squared log-sum-exp.
    pub z_loss: f64,
}

impl Options<'_> {
    /// Whether a row's loss is that of its target alone.
    pub fn is_plain(&self) -> bool {
        self.smoothing == 0.0 && self.weights.is_none() && self.z_loss == 0.0
    }

    /// The weight of class `k`.
    pub fn weight(&self, k: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights.get(k))
    }

    /// The sum of the weights of all classes.
    pub fn total_weight(&self, classes: usize) -> f64 {
        match self.weights {
            Some(_) => compensated_sum((0..classes).map(|k| self.weight(k))),
            None => classes as f64,
        }
    }

    /// The sum of all losses over the sum of the targets' weights.
    pub fn mean<T: Real>(&self, targets: Targets, losses: &[T]) -> f64 {
        let sum = compensated_sum(losses.iter().map(|loss| loss.to_f64()));
        let classes = (0..targets.len()).map(|r| targets.get(r)).filter(|class| Some(*class) != self.ignored);
        sum / compensated_sum(classes.map(|class| self.weight(class as usize)))
    }
}
