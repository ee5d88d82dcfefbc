//! The leaky relu whose slope depends on the channel, and the gradient of the slopes.
//!
//! ```text
//! value, gradient:  for each block: its slopes, written to a buffer in the first-level cache; a map of x, slope (and dy)
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

impl<'a, T: Storage> Slopes<'a, T> {
    /// The slopes from `mid` elements further on.
    fn after(self, mid: usize) -> Self {
        Self { position: self.position + mid, ..self }
    }

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

/// The slices of a leaky relu with slopes, checked.
pub struct Sloped<'a, T> {
    /// None if x is y.
    x: Option<&'a [T]>,
    slopes: Slopes<'a, T>,
    y: &'a mut [T],
}

impl<'a, T: Storage> Sloped<'a, T> {
    /// x, none of it if y is overwritten, and a slope for each channel.
    #[track_caller]
    pub fn new(shape: Channels, x: Option<&'a [T]>, slopes: &'a [T], y: &'a mut [T]) -> Self {
        let len = x.map_or(y.len(), <[T]>::len);
        check::channels("x", len, "slopes", slopes.len(), [shape.channels, shape.inner]);
        check::same_len("x", len, "y", y.len());
        Self { x, slopes: Slopes { slopes, inner: shape.inner, position: 0 }, y }
    }
}

impl<T: Storage> Split for Sloped<'_, T> {
    fn len(&self) -> usize {
        self.y.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.map(|x| x.split_at(mid)).unzip();
        let (y, y_rest) = self.y.split_at_mut(mid);
        (Self { x, slopes: self.slopes, y }, Self { x: x_rest, slopes: self.slopes.after(mid), y: y_rest })
    }
}

/// y = x, or slope x where x <= 0.
pub fn sloped<T: Storage>(level: Level, work: Sloped<T>) {
    let Sloped { x, slopes, y } = work;
    let mut buffer = [T::default(); BLOCK];
    for (k, y) in y.chunks_mut(BLOCK).enumerate() {
        let slope = &mut buffer[..y.len()];
        slopes.write(k * BLOCK, slope);
        let slope = ("slope", &*slope);
        let mut slices = match x {
            Some(x) => Slices::<T, 2>::new([slope, ("x", &x[k * BLOCK..][..y.len()])], ("y", y)),
            None => Slices::<T, 2>::in_place(slope, ("x", y)),
        };
        T::map(level, Value, &mut slices);
    }
}

/// The slices of its gradient with respect to x, checked.
pub struct SlopedGradient<'a, T> {
    x: &'a [T],
    slopes: Slopes<'a, T>,
    /// None if dy is dx.
    dy: Option<&'a [T]>,
    dx: &'a mut [T],
}

impl<'a, T: Storage> SlopedGradient<'a, T> {
    /// x, a slope for each channel, and dy, none of it if dx holds it.
    #[track_caller]
    pub fn new(shape: Channels, x: &'a [T], slopes: &'a [T], dy: Option<&'a [T]>, dx: &'a mut [T]) -> Self {
        check::channels("x", x.len(), "slopes", slopes.len(), [shape.channels, shape.inner]);
        check::same_len("x", x.len(), "dy", dy.map_or(dx.len(), <[T]>::len));
        check::same_len("x", x.len(), "dx", dx.len());
        Self { x, slopes: Slopes { slopes, inner: shape.inner, position: 0 }, dy, dx }
    }
}

impl<T: Storage> Split for SlopedGradient<'_, T> {
    fn len(&self) -> usize {
        self.dx.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.split_at(mid);
        let (dy, dy_rest) = self.dy.map(|dy| dy.split_at(mid)).unzip();
        let (dx, dx_rest) = self.dx.split_at_mut(mid);
        let rest = Self { x: x_rest, slopes: self.slopes.after(mid), dy: dy_rest, dx: dx_rest };
        (Self { x, slopes: self.slopes, dy, dx }, rest)
    }
}

/// dx = dy, or slope dy where x <= 0.
pub fn sloped_gradient<T: Storage>(level: Level, work: SlopedGradient<T>) {
    let SlopedGradient { x, slopes, dy, dx } = work;
    let mut buffer = [T::default(); BLOCK];
    for (k, dx) in dx.chunks_mut(BLOCK).enumerate() {
        let (first, len) = (k * BLOCK, dx.len());
        let slope = &mut buffer[..len];
        slopes.write(first, slope);
        let x = ("x", &x[first..][..len]);
        let mut slices = match dy {
            Some(dy) => Slices::<T, 2>::new([x, ("dy", &dy[first..][..len])], ("dx", dx)),
            None => Slices::<T, 2>::in_place(x, ("dy", dx)),
        };
        T::map(level, Gradient, &mut slices.with_source(slope));
    }
}

/// x, or slope x where x <= 0.
#[derive(Clone, Copy)]
struct Value;

impl Map<2> for Value {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [slope, x]: [L; 2], margin: L) -> L {
        math::margin(slope, math::margin(x, margin))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [slope, x]: [L; 2]) -> [L; 1] {
        [L::select(x.splat(0.0).lt(x), x, slope * x)]
    }
}

/// dy, or slope dy where x <= 0.
#[derive(Clone, Copy)]
struct Gradient;

impl Map<3> for Gradient {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [_, dy, slope]: [L; 3], margin: L) -> L {
        math::margin(slope, math::margin(dy, margin))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, dy, slope]: [L; 3]) -> [L; 1] {
        [L::select(x.splat(0.0).lt(x), dy, slope * dy)]
    }
}

/// The slices of the gradient with respect to the slopes, and the sums of their units.
pub struct SlopeSums<'a, T> {
    x: &'a [T],
    dy: &'a [T],
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

    /// Slices whose lengths were checked, and as many sums as [`len`](Self::len) says.
    pub fn new(shape: Channels, x: &'a [T], dy: &'a [T], sums: &'a mut [f64]) -> Self {
        let [unit, columns] = Self::unit_of(shape);
        Self { x, dy, unit, columns, sums }
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
        let (x, x_rest) = self.x.split_at(mid * unit);
        let (dy, dy_rest) = self.dy.split_at(mid * unit);
        let (sums, sums_rest) = self.sums.split_at_mut(mid * columns);
        (Self { x, dy, unit, columns, sums }, Self { x: x_rest, dy: dy_rest, unit, columns, sums: sums_rest })
    }
}

/// The sums of all units.
pub fn slope_sums<T: Storage>(level: Level, work: SlopeSums<T>) {
    let SlopeSums { x, dy, unit, columns, sums } = work;
    for ((x, dy), sums) in x.chunks(unit).zip(dy.chunks(unit)).zip(sums.chunks_mut(columns)) {
        let slices = Slices::<T, 2, 0>::sources([("x", x), ("dy", dy)]);
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
