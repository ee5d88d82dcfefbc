//! Cuts a tensor into tiles. Compiled once for each element type.

use super::{GROUPS, Layout, Partials, Recipe, Tile, panel};
use crate::dispatch::Level;
use crate::lanes::{Real, Rows, Shape, Slices, Stack};

/// Elements of long rows that are worked on together: they stay in the first-level cache.
const TILE: usize = 4096;

/// Groups of rows that a pass works on together: a call of a pass costs as much as some short rows.
const TOGETHER: usize = 8;

/// Follows a recipe for every row.
pub fn drive<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
) {
    let count = rows.len();
    if count == 0 {
        // Any axis is possible here, also one that there is no memory for.
        return;
    }
    let Shape { axis, inner, stride } = rows.shape();
    let mut partials = Partials::new();
    if inner > 1 {
        if inner < T::LANES {
            return copied(level, recipe, rows);
        }
        return panels(level, recipe, rows, &mut partials, 0);
    }
    #[cfg(feature = "rayon")]
    if rows.is_shared() {
        let rows = rows.with_zeroed_outputs(0, 1);
        return recipe.tile(&mut Tile { level, rows, ahead: 0, layout: Layout::Pieces, partials: &mut partials }, 0);
    }
    let (groups, reads_slots) = (if recipe.is_wide() { 1 } else { TOGETHER / N }, !recipe.is_wide());
    let is_short = axis <= T::LANES && reads_slots;
    let most = if is_short { groups * T::LANES } else { (TILE / axis).clamp(1, groups * T::LANES) };
    let mut slots: [Partials<T>; N] = Stack::array();
    let mut first = 0;
    while first < count {
        let len = most.min(count - first);
        let mut layout = Layout::Long;
        if is_short {
            slots.iter_mut().for_each(Stack::clear);
            layout = Layout::Short(&mut slots);
        }
        let ahead = if first + len < count { len * stride } else { 0 };
        let rows = if is_short { rows.part(first, len) } else { rows.with_zeroed_outputs(first, len) };
        recipe.tile(&mut Tile { level, rows, ahead, layout, partials: &mut partials }, first);
        first += len;
    }
}

/// The tiles of interleaved rows. The first of them has this index among all rows.
fn panels<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
    partials: &mut Partials<T>,
    index: usize,
) {
    let axis = rows.shape().axis;
    let groups = if recipe.is_wide() { 1 } else { GROUPS };
    let most = groups * T::LANES;
    let mut buffers = panel::Buffers::new(axis);
    let mut first = 0;
    while first < rows.len() {
        let left = rows.len() - first;
        let len = rows.interleaved(first, most.min(left)).len();
        let layout = Layout::Panel(&mut buffers);
        recipe.tile(&mut Tile { level, rows: rows.part(first, len), ahead: 0, layout, partials }, index + first);
        first += len;
    }
}

/// Rows of which less than a lane value lie interleaved: more of them are copied next to each other first.
fn copied<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
) {
    let axis = rows.shape().axis;
    let most = (TILE / axis).clamp(T::LANES, GROUPS * T::LANES);
    let mut partials = Partials::new();
    let mut buffers: [Vec<T>; N] = std::array::from_fn(|_| vec![T::default(); axis * most.min(rows.len())]);
    let mut first = 0;
    while first < rows.len() {
        let len = most.min(rows.len() - first);
        buffers.iter_mut().for_each(|buffer| buffer.truncate(axis * len));
        rows.part(first, len).copy_to(&mut buffers);
        let shape = Shape { axis, inner: len, stride: axis * len };
        let mut copy = Rows::new(Slices::buffers(&mut buffers), "copy", shape);
        panels(level, recipe, &mut copy, &mut partials, first);
        rows.part(first, len).copy_from(&buffers[N - 1]);
        first += len;
    }
}
