//! Proves that the two other ways to give a shape have the bits of the plain ones, on every instruction set, serial and
//! parallel. `along(shape, dim)` must be `axis` of that dimension. Rows with gaps (`row_stride`) must have the bits of
//! each row alone. Gaps hold NaN where they could be read, and must keep what they held where they could be
//! written.

mod common;

use activations::*;
use common::{UNTOUCHED, assert_same_bits, on_every_isa_in_a_pool, random};
use operations::Element;

/// The methods of the softmax `b` must have the bits of the serial methods of `a`.
macro_rules! assert_same_softmax {
    ($x:expr, $a:expr, $b:expr, $what:expr,
     $forward:ident $in_place:ident $backward:ident $backward_in_place:ident) => {{
        let (x, dy, a, b, what) = ($x, &$x[..], $a, $b, $what);
        let outputs = || [x.to_vec(), x.to_vec()];
        let ([mut y, mut dx], [mut other_y, mut other_dx]) = (outputs(), outputs());
        a.forward(x, &mut y);
        b.$forward(x, &mut other_y);
        assert_same_bits(&other_y, &y, what);
        other_y.copy_from_slice(x);
        b.$in_place(&mut other_y);
        assert_same_bits(&other_y, &y, what);
        a.backward(&y, dy, &mut dx);
        b.$backward(&y, dy, &mut other_dx);
        assert_same_bits(&other_dx, &dx, what);
        other_dx.copy_from_slice(dy);
        b.$backward_in_place(&y, &mut other_dx);
        assert_same_bits(&other_dx, &dx, what);
    }};
}

/// Calls the macro `$check` with the names of the serial methods, and with those of their parallel twins.
macro_rules! twins {
    ($check:ident!($($argument:tt)*)) => {
        $check!($($argument)*, forward forward_in_place backward backward_in_place);
        #[cfg(feature = "rayon")]
        $check!($($argument)*, par_forward par_forward_in_place par_backward par_backward_in_place);
    };
}

/// All operations `along` a dimension must have the bits of `axis(axis, inner)`.
fn check_along<T: Element>(shape: &[usize], dim: usize, [axis, inner]: [usize; 2]) {
    let x = &random::<T>(shape.iter().product(), 9.0, 1)[..];
    let what = &format!("along dimension {dim} of {shape:?}");
    twins!(assert_same_softmax!(x, Softmax::axis(axis, inner), Softmax::along(shape, dim), what));
    twins!(assert_same_softmax!(x, LogSoftmax::axis(axis, inner), LogSoftmax::along(shape, dim), what));
    let [mut expected, mut sums] = [(); 2].map(|()| vec![T::default(); x.len() / axis]);
    LogSumExp::axis(axis, inner).forward(x, &mut expected);
    LogSumExp::along(shape, dim).forward(x, &mut sums);
    assert_same_bits(&sums, &expected, what);
    #[cfg(feature = "rayon")]
    {
        sums.fill(T::rounded(UNTOUCHED.into()));
        LogSumExp::along(shape, dim).par_forward(x, &mut sums);
        assert_same_bits(&sums, &expected, what);
    }
}

#[test]
fn along_a_dimension_is_an_axis_and_the_product_of_the_sizes_behind_it() {
    // Each shape, and `[axis, inner]` of each of its dimensions.
    let shapes: [(&[usize], &[[usize; 2]]); 6] = [
        (&[2, 3, 4, 5], &[[2, 60], [3, 20], [4, 5], [5, 1]]),
        (&[7], &[[7, 1]]),
        (&[1, 300], &[[1, 300], [300, 1]]),
        (&[300, 1], &[[300, 1], [1, 1]]),
        (&[1, 1, 1], &[[1, 1], [1, 1], [1, 1]]),
        // Large enough to be cut into parts for threads.
        (&[6, 100, 20, 10], &[[6, 20_000], [100, 200], [20, 10], [10, 1]]),
    ];
    on_every_isa_in_a_pool(|| {
        for (shape, axes) in shapes {
            for (dim, axis) in axes.iter().enumerate() {
                check_along::<f32>(shape, dim, *axis);
                check_along::<f64>(shape, dim, *axis);
            }
        }
    });
}

/// Rows that begin `stride` elements apart, with gaps between them.
#[derive(Clone, Copy, Debug)]
struct GappedRows {
    rows: usize,
    columns: usize,
    stride: usize,
    /// Whether there is also a gap behind the last row.
    ends_with_gap: bool,
}

impl GappedRows {
    /// A copy of contiguous rows, with gaps that are filled with a number.
    fn spread<T: Element>(self, rows: &[T], gap: f64) -> Vec<T> {
        let width = self.stride - self.columns;
        let mut spread: Vec<T> = Vec::with_capacity(self.rows * self.stride);
        for row in rows.chunks(self.columns) {
            spread.extend(row);
            spread.resize(spread.len() + width, T::rounded(gap));
        }
        if !self.ends_with_gap {
            spread.truncate(spread.len().saturating_sub(width));
        }
        spread
    }

    /// An output that no call has written.
    fn untouched<T: Element>(self) -> Vec<T> {
        self.spread(&vec![T::rounded(UNTOUCHED.into()); self.rows * self.columns], UNTOUCHED.into())
    }
}

/// Gaps in the output of a method in place: NaN shows that a gap was read, the other number that it was written.
const FILLS: [f64; 2] = [f64::NAN, UNTOUCHED as f64];

/// All methods of a softmax with a stride must have the results of the rows alone, `$y` and `$dx`.
macro_rules! softmax_with_gaps {
    ($gaps:expr, $x:expr, $dy:expr, $y:expr, $dx:expr, $softmax:expr,
     $forward:ident $in_place:ident $backward:ident $backward_in_place:ident) => {{
        let (gaps, softmax, what) = ($gaps, $softmax, format!("{:?} {}", $gaps, stringify!($forward)));
        let nan = |rows| gaps.spread(rows, f64::NAN);
        let mut output = gaps.untouched();
        softmax.$forward(&nan($x), &mut output);
        assert_same_bits(&output, &gaps.spread($y, UNTOUCHED.into()), &what);
        let mut output = gaps.untouched();
        softmax.$backward(&nan($y), &nan($dy), &mut output);
        assert_same_bits(&output, &gaps.spread($dx, UNTOUCHED.into()), &what);
        for fill in FILLS {
            let mut output = gaps.spread($x, fill);
            softmax.$in_place(&mut output);
            assert_same_bits(&output, &gaps.spread($y, fill), &what);
            let mut output = gaps.spread($dy, fill);
            softmax.$backward_in_place(&nan($y), &mut output);
            assert_same_bits(&output, &gaps.spread($dx, fill), &what);
        }
    }};
}

/// Checks softmax or log-softmax of rows with gaps against every row alone.
macro_rules! check_softmax {
    ($gaps:expr, $x:expr, $dy:expr, $operation:ident) => {{
        let (gaps, x, dy) = ($gaps, $x, $dy);
        let alone = $operation::rows(gaps.columns);
        let (mut y, mut dx) = (x.to_vec(), x.to_vec());
        for start in (0..x.len()).step_by(gaps.columns) {
            let row = start..start + gaps.columns;
            alone.forward(&x[row.clone()], &mut y[row.clone()]);
            alone.backward(&y[row.clone()], &dy[row.clone()], &mut dx[row]);
        }
        twins!(softmax_with_gaps!(gaps, x, dy, &y, &dx, alone.row_stride(gaps.stride)));
    }};
}

fn log_sum_exp<T: Element>(gaps: GappedRows, x: &[T]) {
    let mut expected = vec![T::default(); gaps.rows];
    for (row, expected) in x.chunks(gaps.columns).zip(&mut expected) {
        LogSumExp::rows(gaps.columns).forward(row, std::slice::from_mut(expected));
    }
    let (x, operation) = (gaps.spread(x, f64::NAN), LogSumExp::rows(gaps.columns).row_stride(gaps.stride));
    let mut sums = vec![T::rounded(UNTOUCHED.into()); gaps.rows];
    operation.forward(&x, &mut sums);
    assert_same_bits(&sums, &expected, &format!("{gaps:?} log-sum-exp"));
    #[cfg(feature = "rayon")]
    {
        sums.fill(T::rounded(UNTOUCHED.into()));
        operation.par_forward(&x, &mut sums);
        assert_same_bits(&sums, &expected, &format!("{gaps:?} log-sum-exp in parallel"));
    }
}

/// All methods of a loss with a stride must have the results of the rows alone, `$losses` and `$dx`.
macro_rules! loss_with_gaps {
    ($gaps:expr, $x:expr, $targets:expr, $losses:expr, $dx:expr, $loss:expr,
     $forward:ident $forward_backward:ident $in_place:ident) => {{
        let (gaps, loss, what) = ($gaps, $loss, format!("{:?} {}", $gaps, stringify!($forward_backward)));
        let (x, untouched) = (gaps.spread($x, f64::NAN), vec![T::rounded(UNTOUCHED.into()); gaps.rows]);
        let mut losses = untouched.clone();
        loss.$forward(&x, $targets, &mut losses);
        assert_same_bits(&losses, $losses, &what);
        let (mut losses, mut dx) = (untouched.clone(), gaps.untouched());
        loss.$forward_backward(&x, $targets, 0.25, &mut losses, &mut dx);
        assert_same_bits(&losses, $losses, &what);
        assert_same_bits(&dx, &gaps.spread($dx, UNTOUCHED.into()), &what);
        for fill in FILLS {
            let (mut losses, mut dx) = (untouched.clone(), gaps.spread($x, fill));
            loss.$in_place(&mut dx, $targets, 0.25, &mut losses);
            assert_same_bits(&losses, $losses, &what);
            assert_same_bits(&dx, &gaps.spread($dx, fill), &what);
        }
    }};
}

fn cross_entropy<T: Element>(gaps: GappedRows, x: &[T]) {
    let targets: Vec<u32> = (0..gaps.rows).map(|r| ((7 * r + 3) % gaps.columns) as u32).collect();
    let alone = CrossEntropy::rows(gaps.columns);
    let (mut losses, mut dx) = (vec![T::default(); gaps.rows], x.to_vec());
    for (r, dx) in dx.chunks_mut(gaps.columns).enumerate() {
        alone.forward_backward_in_place(dx, &targets[r..=r], 0.25, &mut losses[r..=r]);
    }
    let (targets, losses, dx, loss) = (&targets[..], &losses[..], &dx[..], alone.row_stride(gaps.stride));
    loss_with_gaps!(gaps, x, targets, losses, dx, loss, forward forward_backward forward_backward_in_place);
    #[cfg(feature = "rayon")]
    loss_with_gaps!(gaps, x, targets, losses, dx, loss,
        par_forward par_forward_backward par_forward_backward_in_place);
}

fn exact_softmax(gaps: GappedRows, x: &[f32]) {
    let alone = Softmax::rows(gaps.columns).exact();
    let mut y = x.to_vec();
    y.chunks_mut(gaps.columns).for_each(|row| alone.forward_in_place(row));
    let (expected, what) = (gaps.spread(&y, UNTOUCHED.into()), format!("{gaps:?} exact"));
    let softmax = Softmax::rows(gaps.columns).row_stride(gaps.stride).exact();
    let (mut y, mut in_place) = (gaps.untouched(), gaps.spread(x, UNTOUCHED.into()));
    softmax.forward(&gaps.spread(x, f64::NAN), &mut y);
    softmax.forward_in_place(&mut in_place);
    assert_same_bits(&y, &expected, &what);
    assert_same_bits(&in_place, &expected, &what);
    #[cfg(feature = "rayon")]
    {
        let (mut y, mut in_place) = (gaps.untouched(), gaps.spread(x, UNTOUCHED.into()));
        softmax.par_forward(&gaps.spread(x, f64::NAN), &mut y);
        softmax.par_forward_in_place(&mut in_place);
        assert_same_bits(&y, &expected, &what);
        assert_same_bits(&in_place, &expected, &what);
    }
}

/// Checks all operations on rows with gaps, in one type.
fn check_operations<T: Element>(gaps: GappedRows) {
    let len = gaps.rows * gaps.columns;
    let (x, dy) = (&random::<T>(len, 9.0, 2)[..], &random::<T>(len, 1.0, 3)[..]);
    check_softmax!(gaps, x, dy, Softmax);
    check_softmax!(gaps, x, dy, LogSoftmax);
    log_sum_exp(gaps, x);
    cross_entropy(gaps, x);
}

/// Checks all operations in both types, and the exact softmax.
fn check_types(gaps: GappedRows) {
    check_operations::<f32>(gaps);
    check_operations::<f64>(gaps);
    exact_softmax(gaps, &random(gaps.rows * gaps.columns, 9.0, 4));
}

#[test]
fn rows_with_gaps_have_the_bits_of_rows_alone() {
    on_every_isa_in_a_pool(|| {
        for columns in [1, 5, 16, 17, 200, 1000] {
            for stride in [columns, columns + 1, columns + 3, 2 * columns + 7] {
                for rows in [0, 1, 2, 3, 15, 70].into_iter().filter(|rows| rows * columns <= 15_000) {
                    check_types(GappedRows { rows, columns, stride, ends_with_gap: false });
                    check_types(GappedRows { rows, columns, stride, ends_with_gap: true });
                }
            }
        }
    });
}

#[test]
fn many_or_long_rows_with_gaps_have_the_bits_of_rows_alone() {
    on_every_isa_in_a_pool(|| {
        for (rows, columns) in [(50_001, 1), (10_001, 5), (3_001, 17), (120, 1000), (2, 70_001), (1, 150_007)] {
            let ends_with_gap = rows % 2 == 0;
            check_types(GappedRows { rows, columns, stride: columns + 3, ends_with_gap });
        }
    });
}

#[test]
fn a_single_row_may_have_any_stride() {
    let x = random::<f32>(5, 9.0, 5);
    let (mut y, mut expected) = (x.clone(), x.clone());
    Softmax::rows(5).forward(&x, &mut expected);
    for stride in [1_000_000, usize::MAX - 4, usize::MAX] {
        Softmax::rows(5).row_stride(stride).forward(&x, &mut y);
        assert_same_bits(&y, &expected, &format!("stride {stride}"));
        Softmax::rows(5).row_stride(stride).forward_in_place::<f32>(&mut []);
    }
}

#[test]
fn an_axis_of_no_elements_has_nothing_to_do() {
    let none: &mut [f32] = &mut [];
    let shapes: [&[usize]; 4] = [&[0], &[3, 0], &[0, 3], &[2, 0, 4]];
    on_every_isa_in_a_pool(|| {
        for (axis, inner) in [(0, 1), (0, 7), (7, 0)] {
            Softmax::axis(axis, inner).forward(&[], &mut [0.0_f32; 0]);
            LogSoftmax::axis(axis, inner).backward(&[], &[], &mut [0.0_f64; 0]);
        }
        for shape in shapes {
            for (dim, size) in shape.iter().enumerate() {
                let rows: usize = shape.iter().enumerate().filter(|(i, _)| *i != dim).map(|(_, size)| size).product();
                Softmax::along(shape, dim).forward(&[], &mut [0.0_f32; 0]);
                let mut sums = vec![UNTOUCHED; rows];
                LogSumExp::along(shape, dim).forward::<f32>(&[], &mut sums);
                assert!(
                    sums.iter().all(|sum| *sum == f32::NEG_INFINITY) && (*size == 0 || rows == 0),
                    "{shape:?}, {dim}"
                );
            }
        }
        let mut sums = [UNTOUCHED; 3];
        LogSumExp::rows(0).forward::<f32>(&[], &mut sums);
        assert_eq!(sums, [f32::NEG_INFINITY; 3]);
        CrossEntropy::rows(0).forward::<f32, u32>(&[], &[0_u32; 0], &mut [0.0_f32; 0]);
    });
    Softmax::rows(0).forward_in_place(none);
}

#[test]
#[should_panic(expected = "x has 3 elements: not whole rows of 0")]
fn rows_of_no_elements_are_not_a_row_of_some() {
    Softmax::rows(0).forward_in_place(&mut [0.0_f32; 3]);
}
