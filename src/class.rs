//! Class ids, of any of the integer types that frameworks use.

/// A type of class ids: `u32`, `i32` or `i64`.
///
/// The trait is sealed.
pub trait Class: Copy + Sync + Sealed {
    #[doc(hidden)]
    fn to_i64(self) -> i64;
    #[doc(hidden)]
    fn targets(slice: &[Self]) -> Targets<'_>;
}

pub trait Sealed {}

/// The class ids of some rows.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Targets<'a> {
    U32(&'a [u32]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    /// No classes: the targets are probabilities.
    None,
}

macro_rules! class {
    ($integer:ident, $variant:ident) => {
        impl Sealed for $integer {}
        impl Class for $integer {
            #[inline(always)]
            fn to_i64(self) -> i64 {
                self.into()
            }
            #[inline(always)]
            fn targets(slice: &[Self]) -> Targets<'_> {
                Targets::$variant(slice)
            }
        }
    };
}

class!(u32, U32);
class!(i32, I32);
class!(i64, I64);

impl<'a> Targets<'a> {
    /// The class of row `r`.
    pub fn get(self, r: usize) -> i64 {
        match self {
            Self::U32(slice) => slice[r].into(),
            Self::I32(slice) => slice[r].into(),
            Self::I64(slice) => slice[r],
            Self::None => 0,
        }
    }

    /// The number of rows.
    pub fn len(self) -> usize {
        match self {
            Self::U32(slice) => slice.len(),
            Self::I32(slice) => slice.len(),
            Self::I64(slice) => slice.len(),
            Self::None => 0,
        }
    }

    /// The classes of the first `mid` rows and of the rest.
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        macro_rules! split {
            ($variant:ident, $slice:ident) => {{
                let (first, rest) = $slice.split_at(mid);
                (Self::$variant(first), Self::$variant(rest))
            }};
        }
        match self {
            Self::U32(slice) => split!(U32, slice),
            Self::I32(slice) => split!(I32, slice),
            Self::I64(slice) => split!(I64, slice),
            Self::None => (Self::None, Self::None),
        }
    }
}
