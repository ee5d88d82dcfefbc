//! Double-double arithmetic: unevaluated sums of two `f64`, about 106 bits.
//!
//! The algorithms are those of Dekker and Knuth, and of Hida, Li and Bailey's QD library.

use std::ops::{Add, Div, Mul, Neg};

/// The number `hi + lo`, where `hi` is that number rounded to `f64`.
#[derive(Clone, Copy, Debug)]
pub struct DoubleDouble {
    /// The number, rounded.
    pub hi: f64,
    /// The number minus `hi`.
    pub lo: f64,
}

/// ln 2 as a sum of three `f64`, the largest first.
const LN_2: [f64; 3] = [std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17, 5.707_708_438_416_212e-34];

impl DoubleDouble {
    /// The exact sum.
    pub fn sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        // What was added to a, after rounding. The differences below are exact (Knuth's two-sum).
        let added = hi - a;
        Self { hi, lo: (a - (hi - added)) + (b - added) }
    }

    /// The exact product, if its rounding error is not below the smallest `f64`.
    pub fn product(a: f64, b: f64) -> Self {
        let hi = a * b;
        Self { hi, lo: a.mul_add(b, -hi) }
    }

    /// The exact sum, if |hi| >= |lo| (Dekker's fast two-sum).
    fn ordered_sum(hi: f64, lo: f64) -> Self {
        let sum = hi + lo;
        Self { hi: sum, lo: lo - (sum - hi) }
    }

    /// `(m, k)` with e^x = (1 + m) 2^k and m in [-0.3, 0.42]. If k = 0, m is e^x - 1 to double-double accuracy.
    ///
    /// With r = x - k ln 2: the series of e^(r / 512) - 1, then nine times e^2a - 1 = (e^a - 1) (2 + (e^a - 1)).
    pub fn exp_m1(x: f64) -> (Self, i32) {
        // Beyond |x| = 2000, e^x is far outside the range of f64, subnormal numbers included.
        let x = x.clamp(-2000.0, 2000.0);
        // Below |x| = 2^-200 the second term of the series, x^2 / 2, is below double-double accuracy.
        if x.abs() < 2_f64.powi(-200) {
            return (x.into(), 0);
        }
        let k = (x * std::f64::consts::LOG2_E).round();
        let r = LN_2.iter().fold(Self::from(x), |r, part| r + -Self::product(k, *part));
        let r = r.scaled(2_f64.powi(-9));
        let one = Self::from(1.0);
        let series = (2..=10).rev().fold(one, |sum, n| one + r * sum / f64::from(n).into());
        let m = (0..9).fold(r * series, |m, _| m * (Self::from(2.0) + m));
        (m, k as i32)
    }

    /// e^x, and e^-700 for x below -700.
    pub fn exp(self) -> Self {
        let (m, k) = Self::exp_m1(self.hi.max(-700.0));
        // The square of the second part is below double-double accuracy.
        ((Self::from(1.0) + m) * (Self::from(1.0) + self.lo.into())).scaled(2_f64.powi(k))
    }

    /// ln(1 + x) for x >= 0: the logarithm in `f64`, improved by one step of Newton's method.
    pub fn ln_1p(self) -> Self {
        let log = self.hi.ln_1p();
        let (m, k) = Self::exp_m1(-log);
        // (1 + x) e^-log - 1, without the difference of two numbers near 1 where x is small.
        let error = match k {
            0 => self + m + self * m,
            _ => (Self::from(1.0) + self) * Self::from(-log).exp() + Self::from(-1.0),
        };
        Self::from(log) + error
    }

    /// The product with a power of two: exact, if neither part becomes subnormal or overflows.
    pub fn scaled(self, power: f64) -> Self {
        Self { hi: self.hi * power, lo: self.lo * power }
    }
}

impl From<f64> for DoubleDouble {
    fn from(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        self.scaled(-1.0)
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (Self::sum(self.hi, other.hi), Self::sum(self.lo, other.lo));
        let sum = Self::ordered_sum(high.hi, high.lo + low.hi);
        Self::ordered_sum(sum.hi, sum.lo + low.lo)
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let high = Self::product(self.hi, other.hi);
        Self::ordered_sum(high.hi, high.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.hi / other.hi;
        let rest = self + -(other * first.into());
        let second = rest.hi / other.hi;
        let rest = rest + -(other * second.into());
        Self::ordered_sum(first, second) + (rest.hi / other.hi).into()
    }
}
