//! The leaky relu whose slope depends on the channel, and the gradient of the slopes.
//!
//! ```text
//! value, gradient:  for each block: its slopes, written to a buffer in the first-level cache; a map of x, factor and slope
//! slopes:           for each unit: the sum of x dy where x <= 0, in f64
//!                   for each channel: its units' sums, added with compensation
//! ```
//!
//! A unit is a fixed part of the tensor, so that sums do not depend on the threads:
//!
//! ```text
//! inner > 64           the elements of one channel that lie side by side                         one sum
//! one channel          4096 elements                                                             one sum
//! else                 64 times all channels                                                     one sum a column
//! ```

use crate::check;
use crate::dispatch::{Kernel, Level};
use crate::elementwise::Map;
use crate::lanes::{Lanes, Memory, Real, Rows, Shape, Simd, Slices, Split};
use crate::math;
use crate::storage::{Storage, lane_sums};
use crate::sum::{Terms, compensated_sum, fold_lanes};

/// The elements of a block.
const BLOCK: usize = 1024;
/// The least number of neighbouring elements of a channel that are summed on their own.
const LONG: usize = 64;
/// The elements of a unit where there is one channel.
const UNIT: usize = 4096;
/// The rows of a unit of many channels.
const ROWS: usize = 64;

/// The channels of a tensor `[.., channels, inner]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channels {
    /// The number of channels.
    pub channels: usize,
    /// The number of neighbouring elements of a channel.
    pub inner: usize,
}

/// The slope of each element of a tensor, from a position on.
#[derive(Clone, Copy)]
struct Slopes<'a, T> {
    slopes: &'a [T],
    inner: usize,
    position: usize,
}

impl<T: Storage> Slopes<'_, T> {
    /// Writes the slopes from `at` on to a buffer.
    fn write(&self, at: usize, buffer: &mut [T]) {
        let (mut at, mut filled) = (self.position + at, 0);
        while filled < buffer.len() {
            let (channel, left) = (at / self.inner % self.slopes.len(), buffer.len() - filled);
            let taken = if self.inner == 1 {
                let taken = left.min(self.slopes.len() - channel);
                buffer[filled..filled + taken].copy_from_slice(&self.slopes[channel..channel + taken]);
                taken
            } else {
                let taken = left.min(self.inner - at % self.inner);
                buffer[filled..filled + taken].fill(self.slopes[channel]);
                taken
            };
            (at, filled) = (at + taken, filled + taken);
        }
    }
}

/// x, the factor of the slope, and the output, checked. The factor is x itself for a value, and dy for a gradient.
pub struct Sloped<'a, T> {
    slices: Slices<'a, T, 2>,
    slopes: Slopes<'a, T>,
}

impl<'a, T: Storage> Sloped<'a, T> {
    /// The slices, and a slope for each channel.
    #[track_caller]
    pub fn new(shape: Channels, slices: Slices<'a, T, 2>, slopes: &'a [T]) -> Self {
        check::channels("x", slices.len(), "slopes", slopes.len(), [shape.channels, shape.inner]);
        Self { slices, slopes: Slopes { slopes, inner: shape.inner, position: 0 } }
    }

    /// x and the factor.
    pub fn inputs(&self) -> Slices<'_, T, 2, 0> {
        self.slices.inputs()
    }
}

impl<T: Storage> Split for Sloped<'_, T> {
    fn len(&self) -> usize {
        self.slices.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (slices, rest) = self.slices.split_at(mid);
        let slopes = Slopes { position: self.slopes.position + mid, ..self.slopes };
        (Self { slices, slopes: self.slopes }, Self { slices: rest, slopes })
    }
}

/// The factor, times the slope where x <= 0.
pub fn sloped<T: Storage>(level: Level, work: Sloped<T>) {
    let Sloped { mut slices, slopes } = work;
    let mut buffer = [T::default(); BLOCK];
    for start in (0..slices.len()).step_by(BLOCK) {
        let slope = &mut buffer[..BLOCK.min(slices.len() - start)];
        slopes.write(start, slope);
        T::map(level, ByChannel, &mut slices.part(start, slope.len()).with_source(slope));
    }
}

/// The factor, times the slope where x <= 0.
#[derive(Clone, Copy)]
struct ByChannel;

impl Map<3> for ByChannel {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [_, factor, slope]: [L; 3], margin: L) -> L {
        math::margin(slope, math::margin(factor, margin))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, factor, slope]: [L; 3]) -> [L; 1] {
        [L::select(x.splat(0.0).lt(x), factor, slope * factor)]
    }
}

/// x and dy, for the gradient with respect to the slopes, and the sums of their units.
pub struct SlopeSums<'a, T> {
    slices: Slices<'a, T, 2, 0>,
    /// The elements of a unit. The last one may be shorter.
    unit: usize,
    /// The sums of a unit.
    columns: usize,
    sums: &'a mut [f64],
}

impl<'a, T: Storage> SlopeSums<'a, T> {
    /// The elements and the sums of a unit.
    fn unit_of(shape: Channels) -> [usize; 2] {
        let Channels { channels, inner } = shape;
        match (channels, inner) {
            (1, _) => [UNIT, 1],
            (_, inner) if inner > LONG => [inner, 1],
            // At least 1, where there are no elements.
            _ => [(ROWS * channels * inner).max(1), (channels * inner).max(1)],
        }
    }

    /// The number of sums for this many elements.
    pub fn len(shape: Channels, elements: usize) -> usize {
        let [unit, columns] = Self::unit_of(shape);
        if elements == 0 { 0 } else { elements.div_ceil(unit) * columns }
    }

    /// Slices that were checked, and as many sums as [`len`](Self::len) says.
    pub fn new(shape: Channels, slices: Slices<'a, T, 2, 0>, sums: &'a mut [f64]) -> Self {
        let [unit, columns] = Self::unit_of(shape);
        Self { slices, unit, columns, sums }
    }

    /// The gradient of each slope, given the sums.
    pub fn finish(shape: Channels, sums: &[f64], dslopes: &mut [T]) {
        let [_, columns] = Self::unit_of(shape);
        // A column belongs to the channel column / inner, a unit with one sum to the channel unit mod channels.
        let inner = if columns == 1 { 1 } else { shape.inner };
        for (channel, dslope) in dslopes.iter_mut().enumerate() {
            let groups = sums.chunks((shape.channels * inner).max(1));
            let of_channel = groups.flat_map(|group| &group[channel * inner..(channel + 1) * inner]);
            *dslope = T::from_f64(compensated_sum(of_channel.copied()));
        }
    }
}

impl<T: Storage> Split for SlopeSums<'_, T> {
    fn len(&self) -> usize {
        self.sums.len() / self.columns
    }
    fn unit_len(&self) -> usize {
        self.unit
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let Self { unit, columns, .. } = self;
        let (slices, rest) = self.slices.split_at(mid * unit);
        let (sums, sums_rest) = self.sums.split_at_mut(mid * columns);
        (Self { slices, unit, columns, sums }, Self { slices: rest, unit, columns, sums: sums_rest })
    }
}

/// The sums of all units.
pub fn slope_sums<T: Storage>(level: Level, work: SlopeSums<T>) {
    let SlopeSums { mut slices, unit, columns, sums } = work;
    for (k, sums) in sums.chunks_mut(columns).enumerate() {
        let len = unit.min(slices.len() - k * unit);
        let slices = slices.part(k * unit, len);
        if columns == 1 {
            sums[0] = fold_lanes(lane_sums(level, Negative, slices));
        } else {
            let shape = Shape { axis: columns, inner: 1, stride: columns };
            T::rows(level, &mut Rows::new(slices, "x", shape), |_, rows| level.run(ColumnSums { rows, sums }));
        }
    }
}

/// x dy where x <= 0, in `f64`.
#[derive(Clone, Copy)]
struct Negative;

impl Terms<2> for Negative {
    #[inline(always)]
    fn terms<L: Lanes>(self, [x, dy]: [L; 2]) -> [L::Double; 2] {
        let ([x0, x1], [dy0, dy1]) = (x.widen(), dy.widen());
        if L::Float::IS_F32 {
            return [of_negative(x0, x0 * dy0), of_negative(x1, x1 * dy1)];
        }
        // Lanes of `f64` are one half, twice.
        [of_negative(x0, math::product(x0, dy0)); 2]
    }
}

/// The product where x <= 0, else 0.
#[inline(always)]
fn of_negative<L: Lanes>(x: L, product: L) -> L {
    let zero = x.splat(0.0);
    L::select(zero.lt(x), zero, product)
}

/// Adds the columns of some rows to sums, one row after the other.
struct ColumnSums<'s, 'a, T> {
    rows: &'s mut Rows<'a, T, 2, 0>,
    sums: &'s mut [f64],
}

impl<T: Real> Kernel for ColumnSums<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, sums } = self;
        let zero = <S::F64 as Memory>::zero(simd);
        for (k, sums) in sums.chunks_mut(T::LANES).enumerate() {
            let mut lanes = [[0.0; 8]; 2];
            lanes.as_flattened_mut()[..sums.len()].copy_from_slice(sums);
            let mut sum = [zero.with_array(lanes[0]), zero.with_array(lanes[1])];
            for r in 0..rows.len() {
                let x: [T::Lanes<S>; 2] = rows.row(r).part(k * T::LANES, sums.len()).into_partial().load(simd);
                let [a, b] = Negative.terms(x);
                sum = [sum[0] + a, sum[1] + b];
            }
            lanes = [sum[0].to_array(), sum[1].to_array()];
            sums.copy_from_slice(&lanes.as_flattened()[..sums.len()]);
        }
    }
}
