//! Checks of lengths, shapes and parameters. Each panics with the numbers, at the caller's location.

mod number;

use number::Text;

use crate::class::{Class, Offsets};

/// Two slices must have the same length.
#[track_caller]
#[inline]
pub fn same_len(first: &str, first_len: usize, second: &str, second_len: usize) {
    if first_len != second_len {
        lengths_differ(first, first_len, second, second_len);
    }
}

#[track_caller]
#[cold]
#[inline(never)]
fn lengths_differ(first: &str, first_len: usize, second: &str, second_len: usize) -> ! {
    panic!("lengths differ: {first} has {first_len} elements, {second} has {second_len}")
}

/// A slice must be filled by another one, once or several times.
#[track_caller]
#[inline]
pub fn repeats(name: &str, len: usize, repeated: &str, repeated_len: usize) {
    let is_multiple = if repeated_len == 0 { len == 0 } else { len.is_multiple_of(repeated_len) };
    assert!(is_multiple, "{name} has {len} elements: not a multiple of the {repeated_len} elements of {repeated}");
}

/// A slice must consist of whole rows of two halves of this many columns, and another one of as many rows of one half.
#[track_caller]
#[inline]
pub fn halves(name: &str, len: usize, half: &str, half_len: usize, columns: usize) {
    let row = columns.saturating_mul(2);
    let is_whole = if row == 0 { len == 0 } else { len.is_multiple_of(row) };
    assert!(is_whole, "{name} has {len} elements: not whole rows of {columns} gates and {columns} values");
    assert!(half_len == len / 2, "{half} has {half_len} elements, not half of the {len} of {name}");
}

/// A slice must consist of whole tensors of some channels, and another one have an element for each channel.
#[track_caller]
#[inline]
pub fn channels(name: &str, len: usize, slopes: &str, slopes_len: usize, [channels, inner]: [usize; 2]) {
    whole_rows(name, len, channels, inner, channels * inner);
    assert!(slopes_len == channels, "{slopes} has {slopes_len} elements for {channels} channels");
}

/// A slope must be 0, or positive and finite, as `f64` and rounded to `f32`.
#[track_caller]
pub const fn negative_slope(slope: f64) {
    // Written so that NaN fails. -0 is 0.
    if !(slope == 0.0 || slope as f32 > 0.0 && (slope as f32) < f32::INFINITY) {
        panic!("{}", Text::new("negative slope must be 0, or positive and finite also as f32, not ", slope).as_str());
    }
}

/// A parameter must meet a condition, which `text` states before the number.
#[track_caller]
pub const fn parameter(is_allowed: bool, text: &str, value: f64) {
    if !is_allowed {
        panic!("{}", Text::new(text, value).as_str());
    }
}

/// The product of axis and inner must not overflow.
#[track_caller]
#[inline]
pub fn axis(axis: usize, inner: usize) {
    assert!(axis.checked_mul(inner).is_some(), "axis * inner overflows: {axis} * {inner}");
}

/// The number of rows of a tensor of this shape, which run along dimension `dim`. The shape must have that dimension.
#[track_caller]
pub fn dimension(shape: &[usize], dim: usize) -> usize {
    assert!(dim < shape.len(), "there is no dimension {dim} in the shape {shape:?}");
    // Sizes of 0 first: then no product of the others overflows.
    let sizes = || shape.iter().enumerate().filter(|(i, _)| *i != dim).map(|(_, size)| *size);
    let rows = if sizes().any(|size| size == 0) { Some(0) } else { sizes().try_fold(1, usize::checked_mul) };
    // A panic in a closure would not have the caller's location.
    let Some(rows) = rows.filter(|rows| rows.checked_mul(shape[dim]).is_some()) else {
        panic!("the shape {shape:?} has more elements than a usize holds")
    };
    rows
}

/// A slice must have as many elements as the shape that was given.
#[track_caller]
pub fn elements(name: &str, len: usize, elements: usize) {
    assert!(len == elements, "{name} has {len} elements, its shape has {elements}");
}

/// A row stride needs rows whose elements lie side by side, no given shape, and at least the length of a row.
#[track_caller]
pub fn row_stride(stride: usize, columns: usize, inner: usize, has_shape: bool) {
    assert!(inner == 1, "only rows may have a stride, not an axis whose elements are {inner} apart");
    assert!(!has_shape, "a tensor of a given shape has no row stride, but {stride} was asked for");
    assert!(stride >= columns, "rows of {columns} elements overlap: they begin {stride} apart");
}

/// An uninitialised output must have no gaps between its rows, since these would stay uninitialised.
#[track_caller]
pub fn no_gaps(stride: usize, columns: usize) {
    assert!(
        stride == columns,
        "the gaps between rows of {columns} elements that begin {stride} apart would stay uninitialised"
    );
}

/// The number of rows in a slice, which must consist of whole rows.
#[track_caller]
#[inline]
pub fn whole_rows(name: &str, len: usize, axis: usize, inner: usize, stride: usize) -> usize {
    if axis * inner == 0 {
        // Rows without elements: there is nothing to count, and nothing to do.
        if len > 0 {
            not_whole_rows(name, len, axis, inner, stride);
        }
        return 0;
    }
    let (groups, rest) = (len / stride, len % stride);
    // The gap after the last row may be missing.
    let last = usize::from(rest == axis * inner);
    if rest != 0 && last == 0 {
        not_whole_rows(name, len, axis, inner, stride);
    }
    (groups + last) * inner
}

#[track_caller]
#[cold]
#[inline(never)]
fn not_whole_rows(name: &str, len: usize, axis: usize, inner: usize, stride: usize) -> ! {
    if stride != axis * inner {
        panic!("{name} has {len} elements: not whole rows of {axis} that begin {stride} apart")
    }
    if inner == 1 {
        panic!("{name} has {len} elements: not whole rows of {axis}");
    }
    panic!("{name} has {len} elements: not a whole number of axis * inner = {axis} * {inner}")
}

/// A limit must be at least 0, and not NaN.
#[track_caller]
#[inline]
pub fn limit(limit: f64) {
    assert!(limit >= 0.0, "a limit must be at least 0, not {limit}");
}

/// A slice must have one element for each row.
#[track_caller]
#[inline]
pub fn row_count(name: &str, len: usize, rows: usize) {
    assert!(len == rows, "{name} has {len} elements for {rows} rows");
}

/// Each class id must be a class or the ignored number.
#[track_caller]
pub fn classes<C: Class>(targets: &[C], classes: usize, ignored: Option<i64>) {
    let is_bad = |class: i64| (class < 0 || class as u64 >= classes as u64) && Some(class) != ignored;
    if let Some(row) = targets.iter().position(|target| is_bad(target.to_i64())) {
        let target = targets[row].to_i64();
        panic!("the target of row {row} is class {target}, but there are {classes} classes");
    }
}

/// Offsets must begin at 0 or more and not fall.
#[track_caller]
pub fn offsets(offsets: Offsets) {
    if offsets.is_empty() {
        return;
    }
    let mut before = offsets.signed(0);
    assert!(before >= 0, "the first offset is {before}");
    for r in 1..offsets.len() {
        let offset = offsets.signed(r);
        assert!(offset >= before, "offset {r} is {offset}, less than the one before it, {before}");
        before = offset;
    }
}

/// The last offset must be in the slice.
#[track_caller]
pub fn last_offset(name: &str, len: usize, offsets: Offsets) {
    let [_, last] = offsets.ends();
    // A `usize` may be shorter than an offset.
    assert!(last as u64 <= len as u64, "the last offset is {last}, but {name} has {len} elements");
}

/// The rows must cover the slice.
#[track_caller]
pub fn cover(name: &str, len: usize, offsets: Offsets) {
    let [first, last] = offsets.ends();
    assert!(
        first == 0 && last as u64 == len as u64,
        "rows from {first} to {last} do not cover the {len} elements of {name}, of which some would stay uninitialised"
    );
}

/// There must be one weight for each class.
#[track_caller]
pub fn class_weights(len: usize, classes: usize) {
    assert!(len == classes, "there are {len} weights for {classes} classes");
}

/// Slices must consist of whole rows of this many columns.
#[track_caller]
pub fn columns(name: &str, len: usize, columns: usize) {
    let is_whole = if columns == 0 { len == 0 } else { len.is_multiple_of(columns) };
    assert!(is_whole, "{name} has {len} elements: not whole rows of {columns}, for which there are weights");
}

/// A share must be between 0 and 1.
#[track_caller]
pub fn share(name: &str, share: f64) {
    assert!((0.0..=1.0).contains(&share), "{name} must be between 0 and 1, not {share}");
}

/// A factor must be finite and at least 0.
#[track_caller]
pub fn factor(name: &str, factor: f64) {
    assert!(
        (0.0..f64::INFINITY).contains(&factor),
        "the factor of the {name} must be finite and at least 0, not {factor}"
    );
}
