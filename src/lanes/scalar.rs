//! Plain arrays: the definition of every lane operation. Tests compare the other instruction sets with it, bit by bit.
//!
//! `mul_add` always rounds once. It would be slow software where the CPU has no such instruction, so dispatch offers
//! these lanes only where it has.
//!
//! Inside [`count_assists`] they also count the instructions that an Intel CPU hands to microcode: multiplications,
//! divisions and multiply-adds with a subnormal operand or result, at 50 ns each. Additions, comparisons and conversions
//! take no assist. On AMD most of them cost nothing, so that a time does not show them there.

use std::cell::Cell;
use std::ops::{Add, Div, Mul, Sub};

use super::{Fold, Lanes, Mask, Memory, ROWS, Real, Simd, fold_by_arrays, gradual};

thread_local! {
    /// The number of assists so far, while this thread counts them.
    static ASSISTS: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The result of `work`, and the number of its instructions on scalar lanes that need a microcode assist.
pub fn count_assists<R>(work: impl FnOnce() -> R) -> (R, u64) {
    let outer = ASSISTS.replace(Some(0));
    let result = work();
    (result, ASSISTS.replace(outer).unwrap_or(0))
}

/// Counts an instruction with these operands and this result, which needs an assist if a number in it is subnormal.
macro_rules! count_assist {
    ($($lanes:expr),*) => {
        count(&[$(&$lanes),*])
    };
}

/// A call, because it stands in every multiplication of every kernel.
#[inline(never)]
fn count<T: Real, const N: usize>(operands_and_result: &[&[T; N]]) {
    if let Some(count) = ASSISTS.get() {
        let is_subnormal = |lane: &T| (f64::from_bits(1)..T::MIN_POSITIVE).contains(&lane.to_f64().abs());
        let needs_assist = operands_and_result.iter().any(|lanes| lanes.iter().any(is_subnormal));
        ASSISTS.set(Some(count + u64::from(needs_assist)));
    }
}

/// The token of the scalar lanes.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type F32 = F32;
    type F64 = F64;
    const UNROLL: usize = 1;
}

/// 16 `f32`.
#[derive(Clone, Copy)]
pub struct F32([f32; 16]);

/// 8 `f64`.
#[derive(Clone, Copy)]
pub struct F64([f64; 8]);

/// One truth value per lane.
#[derive(Clone, Copy)]
pub struct BoolMask<const N: usize>([bool; N]);

/// The array of an expression for each lane. A loop and not a closure, so that it is inlined in every build.
macro_rules! in_each_lane {
    ($zero:expr, $i:ident => $lane:expr) => {{
        let mut lanes = [$zero; _];
        for $i in 0..lanes.len() {
            lanes[$i] = $lane;
        }
        lanes
    }};
}

impl<const N: usize> Mask for BoolMask<N> {
    #[inline(always)]
    fn all(self) -> bool {
        self.0.iter().fold(true, |all, &lane| all & lane)
    }
}

macro_rules! operator {
    ($lanes:ident, $trait:ident, $method:ident, $op:tt, $takes_assists:literal) => {
        impl $trait for $lanes {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                let result = in_each_lane!(0.0, i => self.0[i] $op other.0[i]);
                if $takes_assists {
                    count_assist!(self.0, other.0, result);
                }
                Self(result)
            }
        }
    };
}

macro_rules! lanes {
    ($lanes:ident, $float:ident, $bits:ident, $count:literal) => {
        operator!($lanes, Add, add, +, false);
        operator!($lanes, Sub, sub, -, false);
        operator!($lanes, Mul, mul, *, true);
        operator!($lanes, Div, div, /, true);

        impl Lanes for $lanes {
            type Float = $float;
            type Mask = BoolMask<$count>;
            type Double = F64;
            const FUSED: bool = true;

            #[inline(always)]
            fn splat(self, value: f64) -> Self {
                Self([value as $float; $count])
            }
            #[inline(always)]
            fn broadcast(self, element: $float) -> Self {
                Self([element; $count])
            }
            #[inline(always)]
            fn splat_bits(self, bits: u64) -> Self {
                Self([$float::from_bits(bits as $bits); $count])
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                let result = in_each_lane!(0.0, i => self.0[i].mul_add(factor.0[i], term.0[i]));
                count_assist!(self.0, factor.0, term.0, result);
                Self(result)
            }
            #[inline(always)]
            fn neg_mul_add(self, factor: Self, term: Self) -> Self {
                let result = in_each_lane!(0.0, i => (-self.0[i]).mul_add(factor.0[i], term.0[i]));
                count_assist!(self.0, factor.0, term.0, result);
                Self(result)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(in_each_lane!(0.0, i => self.0[i].abs()))
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self(in_each_lane!(0.0, i => self.0[i].copysign(sign.0[i])))
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self(in_each_lane!(0.0, i => if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self(in_each_lane!(0.0, i => if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
            }
            #[inline(always)]
            fn lt(self, other: Self) -> Self::Mask {
                BoolMask(in_each_lane!(false, i => self.0[i] < other.0[i]))
            }
            #[inline(always)]
            fn le(self, other: Self) -> Self::Mask {
                BoolMask(in_each_lane!(false, i => self.0[i] <= other.0[i]))
            }
            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                Self(in_each_lane!(0.0, i => if mask.0[i] { yes.0[i] } else { no.0[i] }))
            }
            #[inline(always)]
            fn first_lanes(self, count: usize) -> Self::Mask {
                BoolMask(in_each_lane!(false, i => i < count))
            }
            #[inline(always)]
            fn add_bits(self, other: Self) -> Self {
                Self(in_each_lane!(0.0, i => $float::from_bits(self.0[i].to_bits().wrapping_add(other.0[i].to_bits()))))
            }
            #[inline(always)]
            fn sub_bits(self, other: Self) -> Self {
                Self(in_each_lane!(0.0, i => $float::from_bits(self.0[i].to_bits().wrapping_sub(other.0[i].to_bits()))))
            }
            #[inline(always)]
            fn shl_bits<const N: u32>(self) -> Self {
                Self(in_each_lane!(0.0, i => $float::from_bits(self.0[i].to_bits() << N)))
            }
            #[inline(always)]
            fn shr_bits<const N: u32>(self) -> Self {
                Self(in_each_lane!(0.0, i => $float::from_bits(self.0[i].to_bits() >> N)))
            }
            #[inline(always)]
            fn to_array(self) -> [$float; $count] {
                self.0
            }
            #[inline(always)]
            fn with_array(self, lanes: [$float; $count]) -> Self {
                Self(lanes)
            }
            #[inline(always)]
            fn gradual_mul(self, other: Self) -> Self {
                gradual::product::$float(self, other)
            }
            conversions!($float);
        }

        impl Fold for $lanes {
            fold_by_arrays!();
        }

        // These lanes exist on every CPU. The methods are unsafe because of their pointers alone.
        #[allow(unsafe_code)]
        impl Memory for $lanes {
            type Simd = Scalar;
            #[inline(always)]
            fn zero(_: Scalar) -> Self {
                Self([0.0; $count])
            }
            #[inline(always)]
            unsafe fn load(_: Scalar, from: *const $float) -> Self {
                // SAFETY: the caller promises all lanes. An array of floats has the alignment of one float.
                Self(unsafe { from.cast::<[$float; $count]>().read() })
            }
            #[inline(always)]
            unsafe fn load_partial(_: Scalar, from: *const $float, count: usize) -> Self {
                let mut lanes = [0.0; $count];
                // SAFETY: the caller promises `count` elements, at most the length of the array.
                unsafe { lanes.as_mut_ptr().copy_from_nonoverlapping(from, count) };
                Self(lanes)
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the caller promises all lanes. An array of floats has the alignment of one float.
                unsafe { to.cast::<[$float; $count]>().write(self.0) }
            }
            #[inline(always)]
            unsafe fn store_partial(self, to: *mut $float, count: usize) {
                // SAFETY: the caller promises `count` elements, at most the length of the array.
                unsafe { to.copy_from_nonoverlapping(self.0.as_ptr(), count) }
            }
        }
    };
}

macro_rules! conversions {
    (f32) => {
        #[inline(always)]
        fn widen(self) -> [F64; 2] {
            [F64(in_each_lane!(0.0, i => self.0[i].into())), F64(in_each_lane!(0.0, i => self.0[8 + i].into()))]
        }
        #[inline(always)]
        fn narrow([a, b]: [F64; 2]) -> Self {
            Self(in_each_lane!(0.0, i => if i < 8 { a.0[i] as f32 } else { b.0[i - 8] as f32 }))
        }
    };
    (f64) => {
        #[inline(always)]
        fn widen(self) -> [F64; 2] {
            [self, self]
        }
        #[inline(always)]
        fn narrow([a, _]: [F64; 2]) -> Self {
            a
        }
    };
}

lanes!(F32, f32, u32, 16);
lanes!(F64, f64, u64, 8);
