//! Gates and their gradients, of two slices or of rows that hold both halves.

use super::{BLOCK, Backward, Forward, product};
use crate::check;
use crate::dispatch::Level;
use crate::lanes::{Element, Operand, Real, Slices, Split};
use crate::storage::Storage;

/// The bytes of a block where five slices are in use.
const SMALL_BLOCK: usize = 4096;

/// The gate and the value of each element. Where they are not two slices, rows of both halves in one.
#[derive(Clone, Copy)]
pub struct Halves {
    /// The number of gates in a row, which is also that of its values.
    pub columns: usize,
    /// Whether the values come before the gates.
    pub is_value_first: bool,
}

impl Halves {
    /// The gates and the values of a row.
    fn of<'a, T>(&self, row: &'a [T]) -> (&'a [T], &'a [T]) {
        let (first, second) = row.split_at(self.columns);
        if self.is_value_first { (second, first) } else { (first, second) }
    }

    /// The same of a row that is written.
    fn of_mut<'a, T>(&self, row: &'a mut [T]) -> (&'a mut [T], &'a mut [T]) {
        let (first, second) = row.split_at_mut(self.columns);
        if self.is_value_first { (second, first) } else { (first, second) }
    }

    /// The number of rows in a slice of gates or values.
    fn rows(&self, len: usize) -> usize {
        len.checked_div(self.columns).unwrap_or(0)
    }
}

/// y = act(gate) value, of the sources gate and value.
pub fn gated<T: Storage>(level: Level, slices: &mut Slices<T, 2>, forward: Forward<T::Arithmetic>) {
    T::blocks(level, slices, |_, slices| {
        for_blocks(slices, BLOCK, |block| {
            forward(level, &mut block.pick([Operand::Source(0)], 0));
            product(level, &mut block.pick([Operand::Source(1), Operand::Output(0)], 0));
        });
    });
}

/// Calls `work` with blocks of this many bytes of each slice.
fn for_blocks<T: Real, const N: usize, const M: usize>(
    slices: &mut Slices<T, N, M>,
    bytes: usize,
    mut work: impl FnMut(&mut Slices<T, N, M>),
) {
    let (block, len) = (bytes / size_of::<T>(), slices.len());
    for start in (0..len).step_by(block) {
        work(&mut slices.part(start, block.min(len - start)));
    }
}

/// Rows of gates and values, and rows of results, checked.
pub struct GateRows<'a, T> {
    halves: Halves,
    x: &'a [T],
    y: &'a mut [T],
}

impl<'a, T> GateRows<'a, T> {
    /// Rows in x that are twice as long as those in y.
    #[track_caller]
    #[inline(always)]
    pub fn new(halves: Halves, x: &'a [T], y: &'a mut [T]) -> Self {
        check::halves("x", x.len(), "y", y.len(), halves.columns);
        Self { halves, x, y }
    }
}

impl<T: Element> Split for GateRows<'_, T> {
    fn len(&self) -> usize {
        self.halves.rows(self.y.len())
    }
    fn unit_len(&self) -> usize {
        self.halves.columns
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let halves = self.halves;
        let (x, x_rest) = self.x.split_at(2 * mid * halves.columns);
        let (y, y_rest) = self.y.split_at_mut(mid * halves.columns);
        (Self { halves, x, y }, Self { halves, x: x_rest, y: y_rest })
    }
}

/// [`gated`] for each row.
pub fn gated_rows<T: Storage>(level: Level, work: GateRows<T>, forward: Forward<T::Arithmetic>) {
    let GateRows { halves, x, y } = work;
    for r in 0..halves.rows(y.len()) {
        let n = halves.columns;
        let (gate, value) = halves.of(&x[2 * r * n..2 * (r + 1) * n]);
        let y = &mut y[r * n..(r + 1) * n];
        gated(level, &mut Slices::<T, 2>::new([("gate", gate), ("value", value)], ("y", y)), forward);
    }
}

/// The kernels of an activation and its gradient, and whether the gradient takes the output.
#[derive(Clone, Copy)]
pub struct Gradient<'f, T> {
    pub forward: Forward<'f, T>,
    pub backward: Backward<'f, T>,
    pub takes_output: bool,
}

/// dgate and dvalue of y = act(gate) value, of the sources gate, value and dy.
pub fn gated_gradient<T: Storage>(level: Level, slices: &mut Slices<T, 3, 2>, act: Gradient<T::Arithmetic>) {
    let [gate, value, dy] = [0, 1, 2].map(Operand::Source);
    let [dgate, dvalue] = [0, 1].map(Operand::Output);
    T::blocks(level, slices, |_, slices| {
        for_blocks(slices, SMALL_BLOCK, |block| {
            (act.forward)(level, &mut block.pick([gate], 1));
            product(level, &mut block.pick([dy, value], 0));
            let saved = if act.takes_output { dvalue } else { gate };
            (act.backward)(level, &mut block.pick([saved, dgate], 0));
            product(level, &mut block.pick([dy, dvalue], 1));
        });
    });
}

/// Rows of gates and values, rows of dy, and rows of both gradients, checked.
pub struct GateGradientRows<'a, T> {
    halves: Halves,
    x: &'a [T],
    dy: &'a [T],
    dx: &'a mut [T],
}

impl<'a, T> GateGradientRows<'a, T> {
    /// Rows in x and dx that are twice as long as those in dy.
    #[track_caller]
    #[inline(always)]
    pub fn new(halves: Halves, x: &'a [T], dy: &'a [T], dx: &'a mut [T]) -> Self {
        check::halves("x", x.len(), "dy", dy.len(), halves.columns);
        check::same_len("x", x.len(), "dx", dx.len());
        Self { halves, x, dy, dx }
    }
}

impl<T: Element> Split for GateGradientRows<'_, T> {
    fn len(&self) -> usize {
        self.halves.rows(self.dy.len())
    }
    fn unit_len(&self) -> usize {
        self.halves.columns
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let halves = self.halves;
        let (x, x_rest) = self.x.split_at(2 * mid * halves.columns);
        let (dy, dy_rest) = self.dy.split_at(mid * halves.columns);
        let (dx, dx_rest) = self.dx.split_at_mut(2 * mid * halves.columns);
        (Self { halves, x, dy, dx }, Self { halves, x: x_rest, dy: dy_rest, dx: dx_rest })
    }
}

/// [`gated_gradient`] for each row.
pub fn gated_gradient_rows<T: Storage>(level: Level, work: GateGradientRows<T>, act: Gradient<T::Arithmetic>) {
    let GateGradientRows { halves, x, dy, dx } = work;
    for r in 0..halves.rows(dy.len()) {
        let n = halves.columns;
        let (gate, value) = halves.of(&x[2 * r * n..2 * (r + 1) * n]);
        let (dgate, dvalue) = halves.of_mut(&mut dx[2 * r * n..2 * (r + 1) * n]);
        let sources = [("gate", gate), ("value", value), ("dy", &dy[r * n..(r + 1) * n])];
        gated_gradient(level, &mut Slices::two(sources, [("dgate", dgate), ("dvalue", dvalue)]), act);
    }
}
