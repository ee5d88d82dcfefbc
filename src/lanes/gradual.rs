//! Products that may be subnormal, without the price of it.
//!
//! On many CPUs an arithmetic instruction that reads or makes a subnormal number is handed to
//! microcode, at 20 to 150 times its usual cost. [`Gradual`] lanes compute such products from
//! normal numbers and integers alone. A kernel looks at a block of inputs first: where every one is
//! ordinary it runs on the plain lanes, elsewhere the same kernel runs on `Gradual` lanes. The two
//! agree bit for bit on all that is normal, so that which one ran never shows.

use std::ops::{Add, Div, Mul, Sub};

use super::{Lanes, Real};

/// The product of two `f32` lanes, rounded once: exact in `f64`, where it is far from subnormal.
#[inline(always)]
pub fn f32<L: Lanes<Float = f32>>(a: L, b: L) -> L {
    // The powers of two keep the compiler from seeing an f32 product in this and restoring it.
    let ([a0, a1], [b0, b1]) = (a.widen(), b.widen());
    let (up, down) = (a0.splat(2_f64.powi(64)), a0.splat(2_f64.powi(-64)));
    L::narrow([a0 * up * (b0 * down), a1 * up * (b1 * down)])
}

/// The product of two `f64` lanes; a subnormal one may be rounded twice.
#[inline(always)]
pub fn f64<L: Lanes<Float = f64>>(a: L, b: L) -> L {
    let (x, y) = (a.abs(), b.abs());
    let one = x.splat(1.0);
    let least = x.splat(f64::MIN_POSITIVE);
    let (x_small, y_small) = (x.lt(least), y.lt(least));
    // A subnormal pattern is the number in units of 2^-1074: with the exponent of 2^52 it reads 2^52 + units.
    let offset = x.splat(2_f64.powi(52));
    let (x_units, y_units) = (x.add_bits(offset) - offset, y.add_bits(offset) - offset);

    // `max` keeps its second operand where that is NaN.
    // Both factors times 2^600, so that a product too small for f64 is an ordinary number here.
    let lift = x.splat(2_f64.powi(600));
    let from_units = x.splat(2_f64.powi(600 - 1074));
    let x_lifted = L::select(x_small, x_units * from_units, least.max(x) * lift);
    let y_lifted = L::select(y_small, y_units * from_units, least.max(y) * lift);
    let lifted = x_lifted * y_lifted;
    let is_small = lifted.lt(x.splat(2_f64.powi(1200 - 1022)));
    // Adding 2^52 units leaves the count of units in the low bits: the pattern of the result.
    let rounder = x.splat(2_f64.powi(1200 - 1074 + 52));
    let small = (lifted + rounder).sub_bits(rounder);

    // A normal product of a subnormal factor has another factor of at least 1: shift powers of two between them.
    let half_unit = x.splat(2_f64.powi(-537));
    let x_normal = L::select(x_small, x_units * half_unit, L::select(y_small, one.max(x) * half_unit, x));
    let y_normal = L::select(y_small, y_units * half_unit, L::select(x_small, one.max(y) * half_unit, y));
    let normal = L::select(is_small, one, x_normal) * L::select(is_small, one, y_normal);

    let sign = one.copysign(a) * one.copysign(b);
    L::select(is_small, small, normal).copysign(sign)
}

/// Lanes whose `*` takes subnormal operands and results at an ordinary cost.
///
/// Only `*` does: fused products are not rounded on their own, and kernels keep them normal.
#[derive(Clone, Copy)]
pub struct Gradual<L>(pub L);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<L: Lanes> $trait for Gradual<L> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    };
}

operator!(Add, add);
operator!(Sub, sub);
operator!(Div, div);

impl<L: Lanes> Mul for Gradual<L> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.gradual_mul(other.0))
    }
}

/// Passes methods through to the lanes inside.
macro_rules! delegate {
    ($($method:ident($($argument:ident),*);)*) => {$(
        #[inline(always)]
        fn $method(self $(, $argument: Self)*) -> Self {
            Self(self.0.$method($($argument.0),*))
        }
    )*};
}

impl<L: Lanes> Lanes for Gradual<L> {
    type Float = L::Float;
    type Mask = L::Mask;
    type Double = Gradual<L::Double>;
    const FUSED: bool = L::FUSED;
    const GRADUAL: bool = true;

    delegate! {
        mul_add(factor, term);
        neg_mul_add(factor, term);
        abs();
        copysign(sign);
        max(other);
        min(other);
        add_bits(other);
        sub_bits(other);
        gradual_mul(other);
    }

    #[inline(always)]
    fn splat(self, value: f64) -> Self {
        Self(self.0.splat(value))
    }
    #[inline(always)]
    fn broadcast(self, element: Self::Float) -> Self {
        Self(self.0.broadcast(element))
    }
    #[inline(always)]
    fn first_lanes(self, count: usize) -> Self::Mask {
        self.0.first_lanes(count)
    }
    #[inline(always)]
    fn splat_bits(self, bits: u64) -> Self {
        Self(self.0.splat_bits(bits))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        self.0.lt(other.0)
    }
    #[inline(always)]
    fn le(self, other: Self) -> Self::Mask {
        self.0.le(other.0)
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(L::select(mask, yes.0, no.0))
    }
    #[inline(always)]
    fn shl_bits<const N: u32>(self) -> Self {
        Self(self.0.shl_bits::<N>())
    }
    #[inline(always)]
    fn shr_bits<const N: u32>(self) -> Self {
        Self(self.0.shr_bits::<N>())
    }
    #[inline(always)]
    fn lookup(self, table: &[f32; 8]) -> Self {
        Self(self.0.lookup(table))
    }
    #[inline(always)]
    fn widen(self) -> [Self::Double; 2] {
        let [a, b] = self.0.widen();
        [Gradual(a), Gradual(b)]
    }
    #[inline(always)]
    fn narrow([a, b]: [Self::Double; 2]) -> Self {
        Self(L::narrow([a.0, b.0]))
    }
    #[inline(always)]
    fn to_array(self) -> <Self::Float as Real>::Array {
        self.0.to_array()
    }
    #[inline(always)]
    fn with_array(self, lanes: <Self::Float as Real>::Array) -> Self {
        Self(self.0.with_array(lanes))
    }
}
