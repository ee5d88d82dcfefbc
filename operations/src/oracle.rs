//! The true values of activations, in double-double arithmetic: about 100 bits.
//!
//! They decide where a reference in `f64` is too close to a tie to tell the nearest `f32`. The program `exhaustive`
//! compares them with arithmetic of 192 bits.

use activations::{Activation, ulp};

use crate::DoubleDouble;

/// The number `value * 2^exponent`: the true value of an activation to about 100 bits. The exponent keeps that accuracy
/// where the number is subnormal or too small for `f64`.
#[derive(Clone, Copy, Debug)]
pub struct TrueValue {
    value: DoubleDouble,
    exponent: i32,
}

impl TrueValue {
    /// The value of an activation at a finite x.
    ///
    /// # Panics
    ///
    /// If this function has no formula for the activation.
    pub fn of(act: &dyn Activation, x: f64) -> Self {
        match act.name() {
            "relu" => act.reference(x).into(),
            "leaky_relu" if x > 0.0 => x.into(),
            // The slope is minus the reference at -1.
            "leaky_relu" => Self::product(-act.reference(-1.0), x),
            "sigmoid" => sigmoid(x),
            "tanh" => tanh(x).into(),
            "exp" => exp(x),
            "silu" | "swish" => times_sigmoid(x, x.into()),
            "quick_gelu" => times_sigmoid(x, DoubleDouble::product(1.702, x.clamp(-1e5, 1e5))),
            "gelu_tanh" => times_sigmoid(x, gelu_tanh_argument(x)),
            "elu" | "celu" if x > 0.0 => x.into(),
            "elu" | "celu" => exp_m1(x),
            "selu" if x > 0.0 => Self::product(activations::reference::SELU[0], x),
            "selu" => exp_m1(x).times(activations::reference::SELU[1]),
            "softsign" => Self::product(1.0, x).over(DoubleDouble::from(1.0) + x.abs().into()),
            "hard_sigmoid" | "hard_swish" if x >= 3.0 => act.reference(x).into(),
            "hard_sigmoid" => hard_sigmoid(x),
            "hard_swish" => hard_sigmoid(x).times(x),
            "gelu" => gelu(x),
            "erf" => erf(x),
            "softplus" => softplus(x),
            "log_sigmoid" => softplus(-x).times(-1.0),
            "mish" => mish(x),
            "hard_tanh" | "relu6" => act.reference(x).into(),
            name => panic!("no formula for {name} in double-double arithmetic: add it here"),
        }
    }

    /// Value and exponent: the number is `value * 2^exponent`.
    pub fn parts(self) -> (DoubleDouble, i32) {
        (self.value, self.exponent)
    }

    /// The product. Where b is small it is scaled up, so that the last bits of the product are not below the smallest
    /// `f64`.
    fn product(a: f64, b: f64) -> Self {
        let exponent = if b.abs() < 1.0 { -600 } else { 0 };
        Self { value: DoubleDouble::product(a, ldexp(b, -exponent)), exponent }
    }

    /// The product with a number.
    fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor.into(), exponent: self.exponent }
    }

    /// The quotient.
    fn over(self, divisor: DoubleDouble) -> Self {
        Self { value: self.value / divisor, exponent: self.exponent }
    }

    /// The nearest `f64`. A subnormal one may have been rounded twice.
    pub fn nearest(self) -> f64 {
        ldexp(self.value.hi, self.exponent)
    }

    /// The nearest `f32`.
    pub fn nearest_f32(self) -> f32 {
        let (hi, lo) = (self.nearest(), self.value.lo);
        // Round hi + lo to odd: if lo is not 0, take the f64 with an odd last bit on the side of lo. Then rounding
        // again, to f32, gives the f32 nearest to hi + lo.
        let bits = hi.to_bits();
        let odd = match lo {
            0.0 => bits,
            _ if !hi.is_normal() || bits & 1 == 1 => bits,
            _ if (lo > 0.0) == (hi > 0.0) => bits + 1,
            _ => bits - 1,
        };
        f64::from_bits(odd) as f32
    }

    /// The error of an `f64` result in ulp of the true value.
    pub fn error(self, actual: f64) -> f64 {
        let nearest = self.nearest();
        if !(actual.is_finite() && nearest.is_finite()) {
            return ulp::error(actual, nearest);
        }
        // Small numbers are scaled up first: the difference of subnormal numbers would lose bits.
        let shift = if self.exponent < -500 { 500 } else { 0 };
        let shifted = |part| ldexp(part, self.exponent + shift);
        let error = (ldexp(actual, shift) - shifted(self.value.hi)) - shifted(self.value.lo);
        error.abs() / ldexp(ulp::spacing::<f64>(nearest), shift)
    }
}

impl From<f64> for TrueValue {
    fn from(value: f64) -> Self {
        DoubleDouble::from(value).into()
    }
}

impl From<DoubleDouble> for TrueValue {
    fn from(value: DoubleDouble) -> Self {
        Self { value, exponent: 0 }
    }
}

/// `x * 2^exponent`, rounded once. The factor is split in two because a power of two may itself be out of range.
fn ldexp(x: f64, exponent: i32) -> f64 {
    let power = |k: i32| f64::from_bits(((k + 1023) as u64) << 52);
    let exponent = exponent.clamp(-2000, 2000);
    x * power(exponent / 2) * power(exponent - exponent / 2)
}

fn exp(x: f64) -> TrueValue {
    let (m, exponent) = DoubleDouble::exp_m1(x);
    TrueValue { value: DoubleDouble::from(1.0) + m, exponent }
}

/// 1 / (1 + e^-x) for x >= 0, and e^x / (1 + e^x) for x < 0.
fn sigmoid(x: f64) -> TrueValue {
    let (one, e) = (DoubleDouble::from(1.0), exp(-x.abs()));
    let sum = one + DoubleDouble { hi: ldexp(e.value.hi, e.exponent), lo: ldexp(e.value.lo, e.exponent) };
    if x < 0.0 { TrueValue { value: e.value / sum, exponent: e.exponent } } else { (one / sum).into() }
}

/// m / (m + 2) with m = e^(2 |x|) - 1, with the sign of x.
fn tanh(x: f64) -> DoubleDouble {
    // Below |x| = 2^-200 the second term of the series, x^3 / 3, is below double-double accuracy.
    if x.abs() < 2_f64.powi(-200) {
        return x.into();
    }
    // Beyond |x| = 300, 1 - tanh |x| is below double-double accuracy.
    let (m, exponent) = DoubleDouble::exp_m1(2.0 * x.abs().min(300.0));
    let (one, power) = (DoubleDouble::from(1.0), ldexp(1.0, exponent));
    let m = if exponent == 0 { m } else { (one + m).scaled(power) + -one };
    (m / (m + one + one)).scaled(1_f64.copysign(x))
}

/// e^x of a double-double number.
fn exp_of_sum(x: DoubleDouble) -> TrueValue {
    let TrueValue { value, exponent } = exp(x.hi);
    // The third term of the series of e^lo is below double-double accuracy.
    let lo = DoubleDouble::from(x.lo);
    TrueValue { value: value * (DoubleDouble::from(1.0) + (lo + DoubleDouble::product(x.lo, x.lo / 2.0))), exponent }
}

/// x times the sigmoid of v: x / (1 + e^-v) for v >= 0, and x e^v / (1 + e^v) for v < 0.
fn times_sigmoid(x: f64, v: DoubleDouble) -> TrueValue {
    let (one, is_negative) = (DoubleDouble::from(1.0), v.hi < 0.0);
    let e = exp_of_sum(if is_negative { v } else { -v });
    let sum = one + DoubleDouble { hi: ldexp(e.value.hi, e.exponent), lo: ldexp(e.value.lo, e.exponent) };
    let x = TrueValue::product(1.0, x);
    if is_negative {
        return TrueValue { value: x.value * e.value / sum, exponent: x.exponent + e.exponent };
    }
    x.over(sum)
}

/// The argument of the sigmoid in GELU's tanh form: 2 sqrt(2 / pi) (x + 0.044715 x^3), in which the constants are the
/// nearest `f64`.
fn gelu_tanh_argument(x: f64) -> DoubleDouble {
    let [linear, cubic] = activations::reference::GELU_TANH.map(DoubleDouble::from);
    let x = x.clamp(-1000.0, 1000.0);
    (DoubleDouble::product(x, x) * cubic + linear) * x.into()
}

/// e^x - 1.
fn exp_m1(x: f64) -> TrueValue {
    if x.abs() < 2_f64.powi(-200) {
        return TrueValue::product(1.0, x);
    }
    let (m, exponent) = DoubleDouble::exp_m1(x.max(-200.0));
    let one = DoubleDouble::from(1.0);
    if exponent == 0 { m.into() } else { ((one + m).scaled(ldexp(1.0, exponent)) + -one).into() }
}

/// (x + 3) / 6 between 0 and 1.
fn hard_sigmoid(x: f64) -> TrueValue {
    if x <= -3.0 { 0.0.into() } else { (DoubleDouble::sum(x, 3.0) / 6.0.into()).into() }
}

/// x times the normal distribution function at x.
fn gelu(x: f64) -> TrueValue {
    let (one, half, a) = (DoubleDouble::from(1.0), DoubleDouble::from(0.5), DoubleDouble::from(x.abs()));
    let x_scaled = TrueValue::product(1.0, x);
    if x.abs() < SERIES_END {
        let erf = series(a * ROOT_OF_HALF).scaled(1_f64.copysign(x));
        return TrueValue { value: x_scaled.value * (one + erf) * half, exponent: x_scaled.exponent };
    }
    let TrueValue { value, exponent } = upper_tail(DoubleDouble::from(x.abs().min(100.0)));
    if x < 0.0 {
        return TrueValue { value: x_scaled.value * value, exponent: x_scaled.exponent + exponent };
    }
    (a * (one + -DoubleDouble { hi: ldexp(value.hi, exponent), lo: ldexp(value.lo, exponent) })).into()
}

/// The error function.
fn erf(x: f64) -> TrueValue {
    if x.abs() < 2.0_f64.powi(-200) {
        let TrueValue { value, exponent } = TrueValue::product(1.0, x);
        return TrueValue { value: value * TWO_OVER_ROOT_OF_PI, exponent };
    }
    let (one, a) = (DoubleDouble::from(1.0), DoubleDouble::from(x.abs().min(10.0)));
    let value = if x.abs() < 2.0 {
        series(a)
    } else {
        let TrueValue { value, exponent } = upper_tail(a * ROOT_OF_HALF.scaled(2.0));
        one + DoubleDouble { hi: ldexp(value.hi, exponent), lo: ldexp(value.lo, exponent) }.scaled(-2.0)
    };
    value.scaled(1_f64.copysign(x)).into()
}

/// Up to this a the upper tail is taken from the error function.
const SERIES_END: f64 = 2.0;
const ROOT_OF_HALF: DoubleDouble = DoubleDouble { hi: std::f64::consts::FRAC_1_SQRT_2, lo: -4.833_646_656_726_457e-17 };
const TWO_OVER_ROOT_OF_PI: DoubleDouble =
    DoubleDouble { hi: std::f64::consts::FRAC_2_SQRT_PI, lo: 1.533_545_961_316_588e-17 };
const DENSITY_AT_0: DoubleDouble = DoubleDouble { hi: 0.398_942_280_401_432_7, lo: -2.492_327_202_277_73e-17 };

/// erf x for x from 0 to 2: e^(-x^2) x (1 + z/3 + z^2/(3 5) + ..) 2 / sqrt(pi) with z = 2 x^2. All terms have one sign.
fn series(x: DoubleDouble) -> DoubleDouble {
    let (one, square) = (DoubleDouble::from(1.0), x * x);
    let term = |k: i32| square.scaled(2.0) / DoubleDouble::from(f64::from(2 * k + 1));
    let sum = (1..70).rev().fold(one, |sum, k| one + sum * term(k));
    TWO_OVER_ROOT_OF_PI * x * sum * exp_of_sum(-square).value.scaled(ldexp(1.0, exp_of_sum(-square).exponent))
}

/// The probability of a number above a in the normal distribution, for a from 2 on: the density at a divided by the
/// continued fraction a + 1 / (a + 2 / (a + 3 / ..)).
fn upper_tail(a: DoubleDouble) -> TrueValue {
    let terms = (700.0 / (a.hi * a.hi)) as u32 + 40;
    let fraction = (1..terms).rev().fold(a, |rest, k| a + DoubleDouble::from(f64::from(k)) / rest);
    let TrueValue { value, exponent } = exp_of_sum((a * a).scaled(-0.5));
    TrueValue { value: value * DENSITY_AT_0 / fraction, exponent }
}

/// ln(1 + e^x), by two terms of its series where e^x is small.
fn softplus(x: f64) -> TrueValue {
    let TrueValue { value, exponent } = exp(-x.abs());
    let e = DoubleDouble { hi: ldexp(value.hi, exponent), lo: ldexp(value.lo, exponent) };
    if x > 0.0 {
        return (DoubleDouble::from(x) + e.ln_1p()).into();
    }
    if x < -40.0 {
        return TrueValue { value: value * (DoubleDouble::from(1.0) + e.scaled(-0.5)), exponent };
    }
    e.ln_1p().into()
}

/// x n / (n + 2) with n = e (e + 2) and e = e^x. For a positive x, n and n + 2 are divided by e^2x.
fn mish(x: f64) -> TrueValue {
    let (one, two, x_scaled) = (DoubleDouble::from(1.0), DoubleDouble::from(2.0), TrueValue::product(1.0, x));
    let TrueValue { value, exponent } = exp(-x.abs());
    let e = DoubleDouble { hi: ldexp(value.hi, exponent), lo: ldexp(value.lo, exponent) };
    if x > 0.0 {
        let numerator = one + e.scaled(2.0);
        return TrueValue {
            value: x_scaled.value * numerator / (numerator + (e * e).scaled(2.0)),
            exponent: x_scaled.exponent,
        };
    }
    let sum = e + two;
    // The quotient first: twice a huge x would overflow.
    TrueValue { value: x_scaled.value * (value * sum / (e * sum + two)), exponent: x_scaled.exponent + exponent }
}
