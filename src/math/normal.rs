//! The normal distribution: erf, GELU and their gradients.
//!
//! Q(a) is the upper tail of the normal distribution, the probability of a number above a: Q(a) = erfc(a / sqrt 2) / 2.
//! With a = |x|:
//!
//! ```text
//! gelu(x)    = max(0, x) - a Q(a)                    the negative tail has no difference
//!            = x (1/2 + erf(x / sqrt 2) / 2)         where a < 1/2, in `f64`
//! gradient   = Q(a) - a e^(-a^2/2) / sqrt(2 pi)      for x < 0, and 1 minus it for x >= 0
//! erf(a)     = 1 - 2 Q(a sqrt 2)                     from 1 on; a series below
//! ```
//!
//! Q falls as fast as e^(-a^2/2), so it is taken as a product: Q(a) = e^(-a^2/2) M(a), where M is smooth and between
//! 0.5 and 0. Both factors are relatively accurate.
//!
//! # The exponential
//!
//! An a^2 rounded once would put an error of up to a^2 ulp into e^(-a^2/2). So the rest r of a^2/2 = -n ln 2 - r is
//! found without rounding a^2:
//!
//! ```text
//! f32: n = -a^2/2 / ln 2 to a multiple of 1/8, d = fma(a, a, n C), r = -(d + n D) / 2       C + D = 2 ln 2
//! f64: h = a to a multiple of 2^-20,  a^2 = h^2 + (a - h)(a + h)                            h^2 is exact
//! ```
//!
//! C has 12 digits, so that n C is exact too.
//!
//! # The other factor
//!
//! In `f32` with FMA, eight polynomials chosen by a lookup, as in [`tanh`](super::tanh()), of a M(a), of the gradient's
//! factor, and of erf itself. In `f64` one polynomial of degree 23 in t = (a - 4) / (a + 4) for (a + 4) M(a). `f32` without
//! FMA goes through `f64` lanes, where half of the degree is enough, and a^2 is exact.
//!
//! # Small results
//!
//! gelu(x) is multiplied by 2^64 up to its last step, which makes a normal or a subnormal number. A gradient g dy may
//! be an ordinary number even if g is below the format, because dy may be large. In `f32`, e^(-a^2/2) is then multiplied
//! by a power of two and the product taken in `f64`; in `f64` it is a product of four factors. See [`Deep`].
//!
//! Constants: `scripts/constants.py`.

mod short;
mod tables;

use super::exp::{
    LN_2_PARTS, POWERS, SCALED_EXPM1_QUARTIC, exponent_bits, format, polynomial, shift_down, whole_expm1,
};
use super::{Deep, least_factor, margin, times};
use crate::lanes::{Lanes, Real};
use tables::{ERF, MILLS, SERIES, SLOPE, UPPER_TAIL};

/// 1 / sqrt(2 pi).
const DENSITY_AT_0: f64 = 0.398_942_280_401_432_7;
/// What it lacks.
const DENSITY_AT_0_LOW: f64 = -2.492_327_202_277_73e-17;

/// The ordinary x of GELU end here, and its results are not 0 down to the second.
const GELU_ENDS: Ends = Ends { f32: [13.1, 14.69], f64: [37.4, 38.7] };
/// The same for its gradient, times any dy.
const GELU_GRADIENT_ENDS: Ends = Ends { f32: [9.0, 19.79], f64: [26.0, 54.5] };
/// The same for the gradient of erf.
const ERF_GRADIENT_ENDS: Ends = Ends { f32: [6.3, 13.99], f64: [18.3, 38.5] };

/// From these |x| on the gradients of GELU and erf are 0, times any dy in both types. The references have the same ends.
const GELU_GRADIENT_IS_0: f64 = 54.5;
const ERF_GRADIENT_IS_0: f64 = 38.5;

/// The magnitudes of x at which a formula changes, for each element type.
struct Ends {
    f32: [f64; 2],
    f64: [f64; 2],
}

impl Ends {
    #[inline(always)]
    fn of<L: Lanes>(&self) -> [f64; 2] {
        if L::Float::IS_F32 { self.f32 } else { self.f64 }
    }

    /// |x|, limited to the first end, or to the second in low lanes. Not subnormal on gradual lanes.
    #[inline(always)]
    fn magnitude<L: Lanes>(&self, x: L, deep: &Deep<L>) -> L {
        let [ordinary, last] = self.of::<L>();
        let a = deep.select(x.splat(last), x.splat(ordinary)).min(x.abs());
        if L::GRADUAL { least_factor(x).max(a) } else { a }
    }
}

/// The margin of [`gelu`].
#[inline(always)]
pub fn gelu_margin<L: Lanes>(x: L, limit: L) -> L {
    margin(x, (x + x.splat(GELU_ENDS.of::<L>()[0])).min(limit))
}

/// x Phi(x), where Phi is the distribution function of the normal distribution.
#[inline(always)]
pub fn gelu<L: Lanes>(x: L) -> L {
    if L::Float::IS_F32 && !L::FUSED {
        let [a, b] = x.widen();
        return L::narrow([short::gelu(a), short::gelu(b)]);
    }
    let deep = Deep::new(x.lt(x.splat(-GELU_ENDS.of::<L>()[0])));
    let a = GELU_ENDS.magnitude(x, &deep);
    // a Q(a) 2^64
    let lifted = if L::Float::IS_F32 {
        let (power, f) = gauss_f32(a, 0.5);
        let half_lifted = power.add_bits(a.splat_bits(63 << 23));
        let e = half_lifted.mul_add(f, half_lifted);
        let (base, t, q) = UPPER_TAIL.parts(a);
        e.mul_add(base, times(times(e, t), q))
    } else {
        let (power, f) = gauss_f64(a, a.splat(0.5));
        let v = a / (a + a.splat(4.0));
        let tail = times(v, polynomial(&MILLS, v.mul_add(a.splat(2.0), a.splat(-1.0))));
        let lift = a.splat_bits(64 << 52);
        times(power.add_bits(lift), tail.mul_add(f, tail))
    };
    let (term, mut positive, is_tiny) =
        (deep.select(x.splat(1.0), lifted), x.splat(0.0).max(x), x.abs().lt(least_factor(x)));
    if L::GRADUAL {
        positive = L::select(is_tiny, a, positive);
    }
    let mut y = term.neg_mul_add(x.splat(2_f64.powi(-64)), positive);
    if !L::Float::IS_F32 {
        // Near 0 the distribution function is 1/2 plus a small number.
        let half = x.splat(0.5);
        let near_0 = times(a.copysign(x), half_minus_tail(a).copysign(x) + half);
        y = L::select(a.lt(half), near_0, y);
    }
    if !L::GRADUAL {
        return y;
    }
    let y = deep.select(shift_down(lifted).copysign(x), y);
    L::select(is_tiny, x.gradual_mul(x.splat(0.5)), y)
}

/// The margin of [`gelu_gradient`].
#[inline(always)]
pub fn gelu_gradient_margin<L: Lanes>(x: L, dy: L, limit: L) -> L {
    margin(dy, margin(x, (x + x.splat(GELU_GRADIENT_ENDS.of::<L>()[0])).min(limit)))
}

/// dy times the derivative of GELU at x.
#[inline(always)]
pub fn gelu_gradient<L: Lanes>(x: L, dy: L) -> L {
    if L::Float::IS_F32 && !L::FUSED {
        let ([x0, x1], [dy0, dy1]) = (x.widen(), dy.widen());
        return L::narrow([short::gelu_gradient(x0, dy0), short::gelu_gradient(x1, dy1)]);
    }
    let deep = Deep::new(x.lt(x.splat(-GELU_GRADIENT_ENDS.of::<L>()[0])));
    let a = GELU_GRADIENT_ENDS.magnitude(x, &deep);
    let e = gauss(a, 0.5, &deep);
    let slope = if L::Float::IS_F32 {
        let (base, t, q) = SLOPE.parts(a);
        q.mul_add(t, base)
    } else {
        // With FMA, `lost` is the rounding error of the product and of the constant.
        let [inverse, q] = mills(a);
        let (density, product) = (a.splat(DENSITY_AT_0), times(a, a.splat(DENSITY_AT_0)));
        let lost = a.mul_add(a.splat(DENSITY_AT_0_LOW), a.mul_add(density, x.splat(0.0) - product));
        inverse.mul_add(q, x.splat(0.0) - product) - lost
    };
    let mut of_negative = times(e, slope);
    if !L::Float::IS_F32 {
        let (half, density) = (x.splat(0.5), times(e, x.splat(DENSITY_AT_0)));
        let near_0 = half - a.mul_add(density, half_minus_tail(a));
        of_negative = L::select(a.lt(half), near_0, of_negative);
    }
    let slope = L::select(x.lt(x.splat(0.0)), of_negative, x.splat(1.0) - of_negative);
    deep.product(dy, e, slope, x.lt(x.splat(-GELU_GRADIENT_IS_0)))
}

/// erf x.
#[inline(always)]
pub fn erf<L: Lanes>(x: L) -> L {
    if L::Float::IS_F32 && !L::FUSED {
        let [a, b] = x.widen();
        return L::narrow([short::erf(a), short::erf(b)]);
    }
    let least = least_factor(x);
    // From the ends on erf rounds to 1.
    let mut a = x.splat(if L::Float::IS_F32 { 3.919 } else { 6.0 }).min(x.abs());
    if L::GRADUAL {
        a = least.max(a);
    }
    let y = if L::Float::IS_F32 {
        let (base, t, q) = ERF.parts(a);
        q.mul_add(t, base)
    } else {
        let small = times(a, polynomial(&SERIES, times(a, a))) + a;
        let (power, f) = gauss_f64(a, a.splat(1.0));
        let [inverse, q] = mills(times(a, a.splat(std::f64::consts::SQRT_2)));
        let tail = times(power, times(inverse, q));
        let tail = tail.mul_add(f, tail);
        let one = a.splat(1.0);
        L::select(a.lt(one), small, one - (tail + tail))
    };
    let y = y.copysign(x);
    if !L::GRADUAL {
        return y;
    }
    L::select(x.abs().lt(least), x.gradual_mul(x.splat(std::f64::consts::FRAC_2_SQRT_PI)), y)
}

/// The margin of [`erf_gradient`].
#[inline(always)]
pub fn erf_gradient_margin<L: Lanes>(x: L, dy: L, limit: L) -> L {
    margin(dy, margin(x, (x.splat(ERF_GRADIENT_ENDS.of::<L>()[0]) - x.abs()).min(limit)))
}

/// dy times the derivative of erf at x, 2 / sqrt(pi) e^(-x^2).
#[inline(always)]
pub fn erf_gradient<L: Lanes>(x: L, dy: L) -> L {
    if L::Float::IS_F32 && !L::FUSED {
        let ([x0, x1], [dy0, dy1]) = (x.widen(), dy.widen());
        return L::narrow([short::erf_gradient(x0, dy0), short::erf_gradient(x1, dy1)]);
    }
    let deep = Deep::new(x.splat(ERF_GRADIENT_ENDS.of::<L>()[0]).lt(x.abs()));
    let a = ERF_GRADIENT_ENDS.magnitude(x, &deep);
    let e = gauss(a, 1.0, &deep);
    let slope = times(e, x.splat(std::f64::consts::FRAC_2_SQRT_PI));
    deep.product(dy, e, slope, x.splat(ERF_GRADIENT_IS_0).lt(x.abs()))
}

/// e^(-rate a^2), changed in low lanes as `deep` wants it.
#[inline(always)]
fn gauss<L: Lanes>(a: L, rate: f64, deep: &Deep<L>) -> L {
    let (power, f) = if L::Float::IS_F32 { gauss_f32(a, rate) } else { gauss_f64(a, deep.quarter(a.splat(rate))) };
    let power = deep.lift(power);
    power.mul_add(f, power)
}

/// `(power, f)` with e^(-rate a^2) = power (1 + f), for `f32` with FMA. The rate is a power of two.
#[inline(always)]
fn gauss_f32<L: Lanes>(a: L, rate: f64) -> (L, L) {
    let rounder = a.splat(1.5 * 2_f64.powi(20));
    let shifted = times(a, a).mul_add(a.splat(-rate * std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    // a^2 + n ln 2 / rate
    let high = times(n, a.splat(1.386_230_468_75 * 0.5 / rate));
    let r = n.mul_add(a.splat(6.389_236_659_742_892e-5 * 0.5 / rate), a.mul_add(a, high));
    let mut f = a.splat(SCALED_EXPM1_QUARTIC[4] * (rate * rate * rate * rate));
    f = f.mul_add(r, a.splat(SCALED_EXPM1_QUARTIC[3] * -(rate * rate * rate)));
    f = f.mul_add(r, a.splat(SCALED_EXPM1_QUARTIC[2] * (rate * rate)));
    f = f.mul_add(r, a.splat(SCALED_EXPM1_QUARTIC[1] * -rate));
    f = f.mul_add(r, a.splat(SCALED_EXPM1_QUARTIC[0]));
    (shifted.lookup(&POWERS).add_bits(shifted.shl_bits::<20>()), f)
}

/// `(power, f)` with e^(-rate a^2) = power (1 + f), for `f64`. The rate is a power of two.
#[inline(always)]
fn gauss_f64<L: Lanes>(a: L, rate: L) -> (L, L) {
    // For smaller a the result is 1 anyway, and the square of r is normal.
    let a = a.splat(2_f64.powi(-60)).max(a);
    let near = a.splat(1.5 * 2_f64.powi(32));
    let head = (a + near) - near;
    let (square, rest) = (times(times(head, head), rate), times(times(a - head, a + head), rate));
    let rounder = a.splat(format::<L::Float>().rounder);
    let shifted = square.neg_mul_add(a.splat(std::f64::consts::LOG2_E), rounder);
    let n = shifted - rounder;
    let r = n.neg_mul_add(a.splat(LN_2_PARTS[0]), a.splat(0.0) - square);
    let r = n.neg_mul_add(a.splat(LN_2_PARTS[1]), r) - rest;
    (exponent_bits(shifted).add_bits(a.splat(1.0)), whole_expm1(r))
}

/// 1/2 - Q(a), which is erf(a / sqrt 2) / 2, in `f64` for a up to sqrt 2.
#[inline(always)]
fn half_minus_tail<L: Lanes>(a: L) -> L {
    let u = times(a, a.splat(std::f64::consts::FRAC_1_SQRT_2));
    times(times(u, polynomial(&SERIES, times(u, u))) + u, a.splat(0.5))
}

/// Q(a) e^(a^2/2) in `f64`, as a product of two numbers.
#[inline(always)]
fn mills<L: Lanes>(a: L) -> [L; 2] {
    // t = 2 a / (a + 4) - 1: from 1 - 8 / (a + 4) it would have a larger error where a is small.
    let (one, four) = (a.splat(1.0), a.splat(4.0));
    let sum = a + four;
    let inverse = one / sum;
    // Without the rounding errors of the sum, and with FMA of the quotient.
    let of_quotient = if L::FUSED { inverse.neg_mul_add(sum, one) } else { a.splat(0.0) };
    let rest = inverse.neg_mul_add(a - (sum - four), of_quotient);
    let inverse = inverse.mul_add(rest, inverse);
    let t = times(a, inverse).mul_add(a.splat(2.0), a.splat(-1.0));
    [inverse, polynomial(&MILLS, t)]
}
