//! Passes of the exact tier: terms and sums in `f64`, results rounded once. Rows of any length are read where they are.

use super::fold::add_halves;
use super::{Values, of_row};
use crate::dispatch::Kernel;
use crate::lanes::{Columns, Fold, Lanes, Line, Memory, ROWS, Rows, Simd};

/// A function of an `f32` element, and of a value of its row, in `f64`.
pub trait WideElement: Copy {
    /// The function.
    fn apply<L: Lanes<Float = f32>>(self, row: L, x: L) -> [L::Double; 2];
}

/// The sum of a function over each row, one lane value after the other, and the terms.
pub struct Sum<'s, 'a, F> {
    /// Up to 16 rows.
    pub rows: &'s mut Rows<'a, f32, 1, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// Its value of each row.
    pub by_row: &'s [Line<f32>],
    /// The terms, two lines for each lane value.
    pub terms: &'s mut [Line<f64>],
    /// The results.
    pub sums: &'s mut [Values<f64>; 2],
}

impl<F: WideElement> Kernel for Sum<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, by_row, terms, sums } = self;
        let (zero, none) = (<S::F32 as Memory>::zero(simd), <S::F64 as Memory>::zero(simd));
        let mut partials = [[none; 2]; ROWS];
        let mut at = 0;
        for r in 0..rows.len() {
            let [row] = of_row(zero, &[by_row], 0, r);
            let mut blocks = rows.row(r).blocks();
            while let Some(partial) = blocks.partial() {
                let [a, b] = f.apply(row, partial.load(simd)[0]);
                (terms[at], terms[at + 1]) = (Line(a.to_array()), Line(b.to_array()));
                at += 2;
                let count = partial.len();
                let [sum_a, sum_b] = partials[r];
                partials[r] =
                    [sum_a + a.keep_first(count.min(8), none), sum_b + b.keep_first(count.saturating_sub(8), none)];
            }
        }
        let mut halves = [[none; ROWS]; 2];
        for r in 0..ROWS {
            halves[r / 8][r % 8] = partials[r][0] + partials[r][1];
        }
        for half in 0..2 {
            sums[half].push_line(Line(<S::F64 as Fold>::fold_sum(&halves[half])[0].to_array()));
        }
    }
}

/// The same for a panel of one group.
pub struct PanelSum<'s, 'a, F> {
    /// Up to 16 interleaved rows.
    pub rows: &'s mut Rows<'a, f32, 1, 0>,
    /// The function that gives the terms.
    pub f: F,
    /// Its value of each row.
    pub by_row: &'s [Line<f32>],
    /// The terms, two lines for each element of the rows.
    pub terms: &'s mut [Line<f64>],
    /// The results.
    pub sums: &'s mut [Values<f64>; 2],
}

impl<F: WideElement> Kernel for PanelSum<'_, '_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, f, by_row, terms, sums } = self;
        let row = by_row[0].load(<S::F32 as Memory>::zero(simd));
        let mut places = [[<S::F64 as Memory>::zero(simd); 2]; ROWS];
        let mut columns = panel(rows);
        for i in 0..columns.axis() {
            let [a, b] = f.apply(row, columns.elements(i).into_partial().load(simd)[0]);
            (terms[2 * i], terms[2 * i + 1]) = (Line(a.to_array()), Line(b.to_array()));
            let place = &mut places[i % ROWS];
            *place = [place[0] + a, place[1] + b];
        }
        let used = columns.axis().min(ROWS);
        let results = add_halves(places, used);
        for half in 0..2 {
            sums[half].push_line(Line(results[half].to_array()));
        }
    }
}

/// Writes each term over its row's sum.
pub struct Divide<'s, 'a> {
    /// Up to 16 rows.
    pub rows: &'s mut Rows<'a, f32, 1>,
    /// The terms, as [`Sum`] leaves them.
    pub terms: &'s [Line<f64>],
    /// The sums.
    pub sums: &'s [Values<f64>; 2],
}

impl Kernel for Divide<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, sums } = self;
        let none = <S::F64 as Memory>::zero(simd);
        let [a, b] = inverses(sums, none);
        let factors = [a.to_array(), b.to_array()];
        let mut at = 0;
        for r in 0..rows.len() {
            let factor = none.broadcast(factors[r / 8][r % 8]);
            let mut blocks = rows.row(r).blocks();
            while let Some(partial) = blocks.partial() {
                let (a, b) = (terms[at].load(none), terms[at + 1].load(none));
                partial.store(<S::F32 as Lanes>::narrow([a * factor, b * factor]));
                at += 2;
            }
        }
    }
}

/// The same for a panel of one group.
pub struct PanelDivide<'s, 'a> {
    /// Up to 16 interleaved rows.
    pub rows: &'s mut Rows<'a, f32, 1>,
    /// The terms, as [`PanelSum`] leaves them.
    pub terms: &'s [Line<f64>],
    /// The sums.
    pub sums: &'s [Values<f64>; 2],
}

impl Kernel for PanelDivide<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, terms, sums } = self;
        let none = <S::F64 as Memory>::zero(simd);
        let factors = inverses(sums, none);
        let mut columns = panel(rows);
        for i in 0..columns.axis() {
            let (a, b): (S::F64, S::F64) = (terms[2 * i].load(none), terms[2 * i + 1].load(none));
            let y = <S::F32 as Lanes>::narrow([a * factors[0], b * factors[1]]);
            columns.elements(i).into_partial().store(y);
        }
    }
}

/// One over each sum.
#[inline(always)]
fn inverses<D: Lanes<Float = f64>>(sums: &[Values<f64>; 2], like: D) -> [D; 2] {
    let one = like.splat(1.0);
    [one / sums[0].lines()[0].load(like), one / sums[1].lines()[0].load(like)]
}

/// The rows of a panel, element by element.
#[inline(always)]
fn panel<'r, const M: usize>(rows: &'r mut Rows<'_, f32, 1, M>) -> Columns<'r, f32, 1, M> {
    let count = rows.len();
    rows.interleaved(0, count)
}
