//! Passes over the rows of a tensor: the loops that softmax-like operations are made of.
//!
//! A tensor is worked on tile by tile. A tile is a few rows whose elements fit the first-level cache, and an operation is
//! a recipe of passes over it (see [`crate::recipes`]). For a softmax:
//!
//! ```text
//! for each tile
//!     max      the largest element of each row
//!     once     from it, the shift of the exponent of each row
//!     sum      of the terms e^(x - max), which take the place of x
//!     once     from the sum, its inverse for each row
//!     map      each term times its row's inverse
//! ```
//!
//! A pass is compiled once for each function of an element, element type, instruction set and layout. There are three
//! layouts: [`short`] rows of up to one lane value, [`long`] rows, and a [`panel`] of rows that lie interleaved. The
//! passes over [`pieces`] of a single row run in parallel. Recipes, and the driver that cuts a tensor into tiles, are
//! compiled once and know no instruction set.
//!
//! What belongs to a row (a maximum, a sum) is computed for up to 16 rows at once: lane r of a line belongs to row r. Such
//! 16 rows (8 of `f64`) are a group. A tile is up to [`GROUPS`] groups.

mod drive;
mod fold;
mod long;
mod panel;
#[cfg(feature = "rayon")]
mod pieces;
mod short;
#[cfg(feature = "exact")]
mod wide;

pub use drive::drive;
#[cfg(feature = "exact")]
pub use wide::WideElement;

use crate::dispatch::{Kernel, Level};
use crate::lanes::{Lanes, Line, Memory, ROWS, Real, Rows, Simd, Stack};

/// The most groups of a tile.
pub const GROUPS: usize = 8;

/// One value of each row of a tile: a line for each group.
pub type Values<T> = Stack<T, GROUPS>;

/// What the lanes have summed of each row, before it is folded.
pub type Partials<T> = Stack<T, { GROUPS * ROWS }>;

/// A function of the elements at one position, and of `P` values of their row.
pub trait Element<const N: usize, const P: usize>: Copy + Send + Sync {
    /// Whether a sum of it is the first pass of its recipe; else that is [`Tile::max`].
    const IS_FIRST_PASS: bool = false;
    /// Whether a map of it is of the terms of [`Tile::replace_and_sum`].
    const IS_OF_TERMS: bool = false;
    /// The function.
    fn apply<L: Lanes>(self, row: [L; P], x: [L; N]) -> L;
}

/// A function of `I` values of a row, and of a sum over it in `f64`, that gives `O` values.
pub trait RowFunction<const I: usize, const O: usize>: Copy {
    /// The function, for a group of rows.
    fn apply<L: Lanes>(self, values: [L; I], sum: [L::Double; 2]) -> [L; O];
}

/// A recipe: what is done with each tile.
pub trait Recipe<T: Real, const N: usize, const M: usize> {
    /// Whether it is made of the passes of [`wide`], which read memory and take one group at a time.
    fn is_wide(&self) -> bool {
        false
    }
    /// Works on a tile, whose first row has this index among all rows.
    fn tile(&mut self, tile: &mut Tile<'_, T, N, M>, first: usize);
}

/// A few rows of `N` sources and `M` outputs.
///
/// Passes get the rows by reference: a view that is copied to its callee's arguments costs a short row its time.
pub struct Tile<'a, T: Real, const N: usize, const M: usize> {
    level: Level,
    rows: Rows<'a, T, N, M>,
    /// Elements to the rows of the next tile, or 0 if this is the last.
    ahead: usize,
    layout: Layout<'a, T, N>,
    partials: &'a mut Partials<T>,
}

/// Where the elements of a tile are.
enum Layout<'a, T: Real, const N: usize> {
    /// In slots of one lane value for each row, one list for each source: empty before the first pass.
    Short(&'a mut [Partials<T>; N]),
    /// In memory, side by side.
    Long,
    /// In memory, interleaved; what replaces the first source is in a buffer.
    Panel(&'a mut panel::Buffers<T>),
    /// In memory, side by side: a single row, whose pieces threads share.
    #[cfg(feature = "rayon")]
    Pieces,
}

impl<T: Real, const N: usize> Layout<'_, T, N> {
    /// Whether passes change the elements in the output's memory.
    fn is_in_memory(&self) -> bool {
        !matches!(self, Layout::Short(_) | Layout::Panel(_))
    }
}

impl<T: Real, const N: usize, const M: usize> Tile<'_, T, N, M> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Element `i` of row `r` of the first source, as it was before [`replace_and_sum`](Tile::replace_and_sum).
    pub fn get(&self, r: usize, i: usize) -> T {
        self.rows.get(0, r, i)
    }

    /// Sets a value of each row.
    pub fn set_values(&self, values: &mut Values<T>, value: impl Fn(usize) -> T) {
        values.clear();
        for first in (0..self.len()).step_by(T::LANES) {
            let mut line = Line::<T>::PLACEHOLDER;
            for (lane, r) in line.0.as_mut().iter_mut().zip(first..self.len()) {
                *lane = value(r);
            }
            values.push_line(line);
        }
    }

    /// Whether a condition holds for the value of each row.
    pub fn all(&self, values: &Values<T>, condition: impl Fn(T) -> bool) -> bool {
        let mut left = self.len();
        values.lines().iter().all(|line| {
            let count = left.min(T::LANES);
            left -= count;
            line.0.as_ref()[..count].iter().fold(true, |all, value| all & condition(*value))
        })
    }

    /// Writes the value of each row to the front of `results`.
    pub fn write(&self, values: &Values<T>, results: &mut [T]) {
        let results = results[..self.len()].chunks_mut(T::LANES);
        for (results, line) in results.zip(values.lines()) {
            results.copy_from_slice(&line.0.as_ref()[..results.len()]);
        }
    }

    /// The largest element of each row of the first source; any number or NaN for a row with NaN.
    pub fn max(&mut self, max: &mut Values<T>) {
        max.clear();
        let (level, ahead, rows) = (self.level, self.ahead, &mut self.rows.first_source());
        match &mut self.layout {
            Layout::Short(slots) => {
                level.run(short::Max { rows, ahead, slots: &mut slots[0], max });
            }
            Layout::Long => level.run(long::Max { rows, max }),
            Layout::Panel(_) => level.run(panel::Max { rows, max }),
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::max(level, rows, max),
        }
    }

    /// The sum of `f` over each row.
    pub fn sum<F: Element<N, P>, const P: usize>(
        &mut self,
        f: F,
        by_row: &[Values<T>; P],
        sums: &mut [Values<f64>; 2],
    ) {
        let (level, ahead, by_row) = (self.level, self.ahead, by_row.each_ref().map(Stack::lines));
        self.partials.clear();
        let (rows, partials) = (&mut self.rows.inputs(), &mut *self.partials);
        match &mut self.layout {
            Layout::Short(slots) => {
                level.run(short::Sum::<_, _, N, P, false> { rows, ahead, slots, f, by_row, partials });
            }
            Layout::Long => level.run(long::Sum { rows, f, by_row, partials }),
            Layout::Panel(buffers) => {
                level.run(panel::Sum::<_, _, N, P, false> { rows, f, by_row, buffers, partials });
            }
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::sum(level, rows, f, by_row, partials),
        }
        self.fold(sums);
    }

    /// The sums of rows from those of their lanes.
    fn fold(&mut self, sums: &mut [Values<f64>; 2]) {
        sums.iter_mut().for_each(Stack::clear);
        let lines = self.partials.lines();
        match self.layout {
            Layout::Panel(_) => {
                let used = self.rows.shape().axis.min(T::LANES);
                self.level.run(fold::Columns { lines, groups: self.rows.len().div_ceil(T::LANES), used, sums });
            }
            _ => self.level.run(fold::Rows { lines, rows: self.rows.len(), sums }),
        }
    }

    /// `f` of the values of each row.
    pub fn once<F: RowFunction<I, O>, const I: usize, const O: usize>(
        &self,
        f: F,
        values: [&Values<T>; I],
        sums: Option<&[Values<f64>; 2]>,
        results: &mut [Values<T>; O],
    ) {
        results.iter_mut().for_each(Stack::clear);
        let values = values.map(Stack::lines);
        let groups = self.rows.len().div_ceil(T::LANES);
        let sums = sums.map_or([&[][..]; 2], |sums| sums.each_ref().map(Stack::lines));
        self.level.run(Once { f, groups, values, sums, results });
    }
}

impl<T: Real, const N: usize> Tile<'_, T, N, 1> {
    /// The sum of `f` over each row; the terms take the place of the first source, for a [`map`](Self::map) of them.
    pub fn replace_and_sum<F: Element<N, P>, const P: usize>(
        &mut self,
        f: F,
        by_row: &[Values<T>; P],
        sums: &mut [Values<f64>; 2],
    ) {
        let (level, by_row) = (self.level, by_row.each_ref().map(Stack::lines));
        self.partials.clear();
        let (ahead, rows, partials) = (self.ahead, &mut self.rows, &mut *self.partials);
        match &mut self.layout {
            Layout::Short(slots) => {
                let rows = &mut rows.inputs();
                level.run(short::Sum::<_, _, N, P, true> { rows, ahead, slots, f, by_row, partials });
            }
            Layout::Long => level.run(long::Sum { rows, f, by_row, partials }),
            Layout::Panel(buffers) => {
                let rows = &mut rows.inputs();
                buffers.reserve_terms(rows.shape().axis, rows.len());
                level.run(panel::Sum::<_, _, N, P, true> { rows, f, by_row, buffers, partials });
            }
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::sum(level, rows, f, by_row, partials),
        }
        if self.layout.is_in_memory() {
            self.rows.replace_source_by_output();
        }
        self.fold(sums);
    }

    /// Sets element `i` of row `r` of the output.
    pub fn set(&mut self, r: usize, i: usize, value: T) {
        self.rows.set(0, r, i, value);
    }

    /// Writes `f` of every element to the output.
    pub fn map<F: Element<N, P>, const P: usize>(&mut self, f: F, by_row: &[Values<T>; P]) {
        let (level, rows) = (self.level, &mut self.rows);
        let by_row = by_row.each_ref().map(Stack::lines);
        match &mut self.layout {
            Layout::Short(slots) => level.run(short::Map { rows, slots, f, by_row }),
            Layout::Long => level.run(long::Map { rows, f, by_row }),
            Layout::Panel(buffers) => level.run(panel::Map { rows, terms: buffers.terms(), f, by_row }),
            #[cfg(feature = "rayon")]
            Layout::Pieces => pieces::map(level, rows, f, by_row),
        }
    }
}

#[cfg(feature = "exact")]
impl Tile<'_, f32, 1, 1> {
    /// The sum of `f` over each row of a single group in `f64`, and the terms.
    pub fn sum_wide(
        &mut self,
        f: impl WideElement,
        by_row: &Values<f32>,
        terms: &mut Vec<Line<f64>>,
        sums: &mut [Values<f64>; 2],
    ) {
        sums.iter_mut().for_each(Stack::clear);
        let (level, axis, len) = (self.level, self.rows.shape().axis, self.rows.len());
        let (rows, by_row) = (&mut self.rows.inputs(), by_row.lines());
        let is_panel = matches!(self.layout, Layout::Panel(_));
        let lane_values = if is_panel { axis } else { len * axis.div_ceil(f32::LANES) };
        if terms.len() < 2 * lane_values {
            terms.resize(2 * lane_values, Line::PLACEHOLDER);
        }
        if is_panel {
            level.run(wide::PanelSum { rows, f, by_row, terms, sums });
        } else {
            level.run(wide::Sum { rows, f, by_row, terms, sums });
        }
    }

    /// Writes each term over its row's sum to the output.
    pub fn divide_wide(&mut self, terms: &[Line<f64>], sums: &[Values<f64>; 2]) {
        let (level, rows) = (self.level, &mut self.rows);
        if matches!(self.layout, Layout::Panel(_)) {
            level.run(wide::PanelDivide { rows, terms, sums });
        } else {
            level.run(wide::Divide { rows, terms, sums });
        }
    }
}

/// A function of the values of each row.
struct Once<'v, T: Real, F, const I: usize, const O: usize> {
    f: F,
    groups: usize,
    values: [&'v [Line<T>]; I],
    sums: [&'v [Line<f64>]; 2],
    results: &'v mut [Values<T>; O],
}

impl<T: Real, F: RowFunction<I, O>, const I: usize, const O: usize> Kernel for Once<'_, T, F, I, O> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (zero, zero_f64) = (<T::Lanes<S> as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        for g in 0..self.groups {
            let mut values = [zero; I];
            for i in 0..I {
                values[i] = self.values[i][g].load(zero);
            }
            let mut sum = [zero_f64; 2];
            for half in 0..2 {
                if let Some(line) = self.sums[half].get(g) {
                    sum[half] = line.load(zero_f64);
                }
            }
            let results = self.f.apply(values, sum);
            for o in 0..O {
                self.results[o].push_line(Line(results[o].to_array()));
            }
        }
    }
}

/// Values of row `r` of a group, in every lane.
#[inline(always)]
fn of_row<L: Lanes, const P: usize>(like: L, by_row: &[&[Line<L::Float>]; P], group: usize, r: usize) -> [L; P] {
    let mut row = [like; P];
    for p in 0..P {
        row[p] = by_row[p][group].broadcast(like, r);
    }
    row
}
