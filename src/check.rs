//! Every panic about lengths, shapes and parameters: with the numbers, at the caller's location.

/// Two slices must have one length.
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

/// A slope must be positive and finite in both element types.
#[track_caller]
pub const fn negative_slope(slope: f64) {
    // Written so that NaN fails; a const panic cannot print the number.
    assert!(
        slope as f32 > 0.0 && (slope as f32) < f32::INFINITY,
        "negative slope must be positive and finite, also as f32"
    );
}

/// An axis must have elements, and a tensor of one such axis must be possible.
#[track_caller]
#[inline]
pub fn axis(axis: usize, inner: usize) {
    assert!(axis > 0 && inner > 0, "axis has {axis} elements, {inner} apart: neither may be 0");
    assert!(axis.checked_mul(inner).is_some(), "axis * inner overflows: {axis} * {inner}");
}

/// A slice must be whole rows along an axis.
#[track_caller]
#[inline]
pub fn whole_rows(name: &str, len: usize, axis: usize, inner: usize) {
    if !len.is_multiple_of(axis * inner) {
        ragged(name, len, axis, inner);
    }
}

#[track_caller]
#[cold]
#[inline(never)]
fn ragged(name: &str, len: usize, axis: usize, inner: usize) -> ! {
    if inner == 1 {
        panic!("{name} has {len} elements: not whole rows of {axis}");
    }
    panic!("{name} has {len} elements: not a whole number of axis * inner = {axis} * {inner}")
}

/// A limit must be a number of at least 0.
#[track_caller]
#[inline]
pub fn limit(limit: f64) {
    assert!(limit >= 0.0, "a limit must be at least 0, not {limit}");
}

/// A slice must have one element a row.
#[track_caller]
#[inline]
pub fn row_count(name: &str, len: usize, rows: usize) {
    assert!(len == rows, "{name} has {len} elements for {rows} rows");
}

/// A class id must be one of the row's columns.
#[track_caller]
pub fn classes(targets: &[u32], classes: usize) {
    if let Some((row, target)) = targets.iter().enumerate().find(|(_, target)| **target as usize >= classes) {
        panic!("the target of row {row} is class {target}, but there are {classes} classes");
    }
}
