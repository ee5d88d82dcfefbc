//! Class ids and offsets, of any of the integer types that frameworks use.

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

/// A type of offsets: `i32` or `i64`, as in the lists of Arrow.
///
/// The trait is sealed.
pub trait Offset: Copy + Sync + Sealed {
    #[doc(hidden)]
    fn offsets(slice: &[Self]) -> Offsets<'_>;
}

impl Offset for i32 {
    fn offsets(slice: &[Self]) -> Offsets<'_> {
        Offsets::I32(slice)
    }
}

impl Offset for i64 {
    fn offsets(slice: &[Self]) -> Offsets<'_> {
        Offsets::I64(slice)
    }
}

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

/// The ends of rows: row r begins at offset r and ends at offset r + 1.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offsets<'a> {
    I32(&'a [i32]),
    I64(&'a [i64]),
}

impl Offsets<'_> {
    /// The number of offsets.
    pub fn len(self) -> usize {
        match self {
            Self::I32(offsets) => offsets.len(),
            Self::I64(offsets) => offsets.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number of rows.
    pub fn rows(self) -> usize {
        self.len().saturating_sub(1)
    }

    /// Offset `r`.
    pub fn signed(self, r: usize) -> i64 {
        match self {
            Self::I32(offsets) => offsets[r].into(),
            Self::I64(offsets) => offsets[r],
        }
    }

    /// Offset `r` of offsets that were checked.
    pub fn get(self, r: usize) -> usize {
        self.signed(r) as usize
    }

    /// The first and the last offset, or 0 if there is none.
    pub fn ends(self) -> [i64; 2] {
        if self.is_empty() { [0; 2] } else { [self.signed(0), self.signed(self.len() - 1)] }
    }

    /// The offsets of the first `mid` rows and of the rest.
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        match self {
            Self::I32(offsets) => (Self::I32(&offsets[..=mid]), Self::I32(&offsets[mid..])),
            Self::I64(offsets) => (Self::I64(&offsets[..=mid]), Self::I64(&offsets[mid..])),
        }
    }
}
