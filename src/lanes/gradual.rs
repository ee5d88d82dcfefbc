//! Products that may be subnormal, at an ordinary cost.
//!
//! On many CPUs an arithmetic instruction that reads or makes a subnormal number is handed to microcode, at 20 to 150
//! times its usual cost. [`Gradual`] lanes compute such products ("gradual underflow") from normal numbers and integers
//! alone. A kernel tests a block of inputs first. Where no intermediate can be subnormal it runs on the plain lanes,
//! elsewhere the same kernel runs on `Gradual` lanes. Both give the same bits wherever the result is normal, so a
//! result does not depend on its neighbours in the block.
//!
//! # `f32`
//!
//! The product of two `f32` is exact in `f64`, where it is far from subnormal. The conversion back rounds once, and is
//! not slow for subnormal results.
//!
//! # `f64`
//!
//! There is no wider format. Three results are computed, all from normal numbers, and one is selected:
//!
//! ```text
//! units(x)  = x in units of 2^-1074, the smallest subnormal: for subnormal x an integer below 2^52, its bit pattern
//! lifted    = (x 2^600) (y 2^600), with units(x) 2^(600 - 1074) for a subnormal x
//! small     = lifted + 2^(1200 - 1074 + 52), minus the bits of that constant      if lifted < 2^(1200 - 1022)
//! normal    = x y                                                                 else, if neither is subnormal
//!           = (units(x) 2^-537) (y 2^-537)                                        else, x being the subnormal factor
//! ```
//!
//! The constant in `small` rounds the lifted product to whole units and leaves their number in the low bits: as a
//! pattern that number is the subnormal result. In the last line y is at least 1, because the product is normal. A
//! subnormal result is rounded twice, in `lifted` and in `small`.

use std::ops::{Add, Div, Mul, Sub};

use super::{Lanes, Real};

/// The products, by element type.
pub mod product {
    use super::Lanes;

    /// The product of two `f32` lanes, rounded once.
    #[inline(always)]
    pub fn f32<L: Lanes<Float = f32>>(a: L, b: L) -> L {
        let ([a0, a1], [b0, b1]) = (a.widen(), b.widen());
        // Without the powers of two the compiler recognises an `f32` product and emits one.
        let (up, down) = (a0.splat(2_f64.powi(64)), a0.splat(2_f64.powi(-64)));
        L::narrow([a0 * up * (b0 * down), a1 * up * (b1 * down)])
    }

    /// The product of two `f64` lanes. A subnormal product may be rounded twice.
    #[inline(always)]
    pub fn f64<L: Lanes<Float = f64>>(a: L, b: L) -> L {
        let (x, y) = (a.abs(), b.abs());
        let one = x.splat(1.0);
        let least = x.splat(f64::MIN_POSITIVE);
        let (x_small, y_small) = (x.lt(least), y.lt(least));
        // Adding the pattern of 2^52 to that of a subnormal number gives the float 2^52 + units.
        let offset = x.splat(2_f64.powi(52));
        let (x_units, y_units) = (x.add_bits(offset) - offset, y.add_bits(offset) - offset);

        // `max` keeps a subnormal number out of the product, and gives its second operand where that is NaN.
        let lift = x.splat(2_f64.powi(600));
        let from_units = x.splat(2_f64.powi(600 - 1074));
        let x_lifted = L::select(x_small, x_units * from_units, least.max(x) * lift);
        let y_lifted = L::select(y_small, y_units * from_units, least.max(y) * lift);
        let lifted = x_lifted * y_lifted;
        let is_small = lifted.lt(x.splat(2_f64.powi(1200 - 1022)));
        let rounder = x.splat(2_f64.powi(1200 - 1074 + 52));
        let small = (lifted + rounder).sub_bits(rounder);

        // 2^537 is moved from one factor to the other. `max` matters only in lanes that `small` replaces.
        let root_of_unit = x.splat(2_f64.powi(-537));
        let x_normal = L::select(x_small, x_units * root_of_unit, L::select(y_small, one.max(x) * root_of_unit, x));
        let y_normal = L::select(y_small, y_units * root_of_unit, L::select(x_small, one.max(y) * root_of_unit, y));
        let normal = L::select(is_small, one, x_normal) * L::select(is_small, one, y_normal);

        let sign = one.copysign(a) * one.copysign(b);
        L::select(is_small, small, normal).copysign(sign)
    }
}

/// Lanes whose `*` takes subnormal operands and results at an ordinary cost. All else is that of the lanes inside.
///
/// The multiply-adds do not: a fused product is not rounded on its own. Kernels keep their operands and results normal.
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

/// Methods that are those of the lanes inside.
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
