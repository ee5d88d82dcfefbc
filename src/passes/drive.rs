//! The driver: cuts the rows of a call into tiles, chooses their layout and runs the recipe on each tile.
//!
//! ```text
//! inner > 1, fewer than a lane value      copy 16 to 128 rows so that they lie interleaved, then panels of the copy,
//!                                         unless all rows lie interleaved already
//! inner > 1                               panels of up to 128 rows
//! a single row, to be shared by threads   one tile, pieces
//! inner = 1, up to one lane value         short: tiles of up to 128 rows (64 where there are two sources)
//! inner = 1, longer                       long: tiles of up to 4096 elements, or one row
//! ```
//!
//! The numbers are those of `f32`. A recipe of [`super::wide`] passes takes one group at a time, and has no short
//! layout.
//!
//! The driver knows no instruction set and no operation, and is compiled once for each element type and each number of
//! sources and outputs.

use super::tile::{Layout, Tile};
use super::{GROUPS, Recipe, RowLines, panel};
use crate::dispatch::Level;
use crate::lanes::{Real, Rows, Shape, Slices, Stack};

/// The number of elements of a tile of long rows, and of a copy: 16 KiB of `f32`, so that one pass finds in the
/// first-level cache what the pass before it has read or written.
const TILE_ELEMENTS: usize = 4096;

/// The largest number of groups in a tile of contiguous rows, divided by the number of sources: all slots together then
/// take at most 8 KiB. Many, because the call of a pass takes as long as the work on several short rows.
const CONTIGUOUS_GROUPS: usize = 8;

/// Runs a recipe on every row.
pub fn drive<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
) {
    let count = rows.len();
    if count == 0 {
        // The axis may be longer than any slice: buffers must not be allocated for it.
        return;
    }
    let Shape { axis, inner, stride } = rows.shape();
    let mut lane_sums = RowLines::new();
    if inner > 1 {
        if inner < T::LANES && count > inner {
            return drive_copies(level, recipe, rows);
        }
        return drive_panels(level, recipe, rows, &mut lane_sums, 0);
    }
    #[cfg(feature = "rayon")]
    if rows.is_shared() {
        let rows = rows.with_zeroed_outputs(0, 1);
        return recipe.tile(
            &mut Tile { level, rows, prefetch_distance: 0, layout: Layout::Pieces, lane_sums: &mut lane_sums },
            0,
        );
    }
    let (groups, may_use_slots) =
        (if recipe.uses_wide_passes() { 1 } else { CONTIGUOUS_GROUPS / N }, !recipe.uses_wide_passes());
    // A single row goes through its lane value in memory: slots would take longer to fill than to use.
    let is_short = axis <= T::LANES && count > 1 && may_use_slots;
    let max_rows = if is_short { groups * T::LANES } else { (TILE_ELEMENTS / axis.max(1)).clamp(1, groups * T::LANES) };
    let mut slots: [RowLines<T>; N] = Stack::array();
    let mut first_row = 0;
    while first_row < count {
        let len = max_rows.min(count - first_row);
        let mut layout = Layout::Long;
        if is_short {
            slots.iter_mut().for_each(Stack::clear);
            layout = Layout::Short(&mut slots);
        }
        let prefetch_distance = if first_row + len < count { len * stride } else { 0 };
        let rows = if is_short { rows.part(first_row, len) } else { rows.with_zeroed_outputs(first_row, len) };
        recipe.tile(&mut Tile { level, rows, prefetch_distance, layout, lane_sums: &mut lane_sums }, first_row);
        first_row += len;
    }
}

/// Runs a recipe on panels of interleaved rows. A panel ends where contiguous elements end, after `inner` rows.
///
/// `first_index` is the index of the first row among all rows of the call.
fn drive_panels<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
    lane_sums: &mut RowLines<T>,
    first_index: usize,
) {
    let axis = rows.shape().axis;
    let groups = if recipe.uses_wide_passes() { 1 } else { GROUPS };
    let max_rows = groups * T::LANES;
    let mut buffers = panel::Buffers::new(axis);
    let mut first_row = 0;
    while first_row < rows.len() {
        let left = rows.len() - first_row;
        let len = rows.interleaved(first_row, max_rows.min(left)).len();
        let layout = Layout::Panel(&mut buffers);
        recipe.tile(
            &mut Tile { level, rows: rows.part(first_row, len), prefetch_distance: 0, layout, lane_sums },
            first_index + first_row,
        );
        first_row += len;
    }
}

/// Runs a recipe on a copy of the rows, in which more of them lie interleaved: for an `inner` of less than a lane
/// value, where a panel would leave lanes idle. The recipe works on the copy in place, and its output is copied back.
fn drive_copies<T: Real, const N: usize, const M: usize>(
    level: Level,
    recipe: &mut dyn Recipe<T, N, M>,
    rows: &mut Rows<'_, T, N, M>,
) {
    let axis = rows.shape().axis;
    let max_rows = (TILE_ELEMENTS / axis).clamp(T::LANES, GROUPS * T::LANES);
    let mut lane_sums = RowLines::new();
    let mut buffers: [Vec<T>; N] = std::array::from_fn(|_| vec![T::default(); axis * max_rows.min(rows.len())]);
    let mut first_row = 0;
    while first_row < rows.len() {
        let len = max_rows.min(rows.len() - first_row);
        buffers.iter_mut().for_each(|buffer| buffer.truncate(axis * len));
        rows.part(first_row, len).copy_to(&mut buffers);
        let shape = Shape { axis, inner: len, stride: axis * len };
        let mut copy = Rows::new(Slices::buffers(&mut buffers), "copy", shape);
        drive_panels(level, recipe, &mut copy, &mut lane_sums, first_row);
        rows.part(first_row, len).copy_from(&buffers[N - 1]);
        first_row += len;
    }
}
