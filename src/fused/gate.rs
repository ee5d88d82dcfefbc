//! Gates and their gradients, of two slices or of rows that hold both halves.

use super::{BLOCK, Backward, Forward, product};
use crate::check;
use crate::dispatch::Level;
use crate::lanes::{Real, Slices, Split};

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

/// The slices of a gate, checked.
pub struct Gate<'a, T> {
    gate: &'a [T],
    value: &'a [T],
    y: &'a mut [T],
}

impl<'a, T> Gate<'a, T> {
    /// Slices of one length.
    #[track_caller]
    #[inline(always)]
    pub fn new(gate: &'a [T], value: &'a [T], y: &'a mut [T]) -> Self {
        check::same_len("gate", gate.len(), "value", value.len());
        check::same_len("gate", gate.len(), "y", y.len());
        Self { gate, value, y }
    }
}

impl<T: Real> Split for Gate<'_, T> {
    fn len(&self) -> usize {
        self.y.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let ((gate, gate_rest), (value, value_rest)) = (self.gate.split_at(mid), self.value.split_at(mid));
        let (y, y_rest) = self.y.split_at_mut(mid);
        (Self { gate, value, y }, Self { gate: gate_rest, value: value_rest, y: y_rest })
    }
}

/// y = act(gate) value.
pub fn gated<T: Real>(level: Level, work: Gate<T>, forward: Forward<T>) {
    let Gate { gate, value, y } = work;
    let block = BLOCK / size_of::<T>();
    for ((gate, value), y) in gate.chunks(block).zip(value.chunks(block)).zip(y.chunks_mut(block)) {
        forward(level, &mut Slices::<T, 1>::new([("gate", gate)], ("y", &mut *y)));
        product(level, &mut Slices::<T, 2>::in_place(("value", value), ("y", y)));
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

impl<T: Real> Split for GateRows<'_, T> {
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
pub fn gated_rows<T: Real>(level: Level, work: GateRows<T>, forward: Forward<T>) {
    let GateRows { halves, x, y } = work;
    for r in 0..halves.rows(y.len()) {
        let n = halves.columns;
        let (gate, value) = halves.of(&x[2 * r * n..2 * (r + 1) * n]);
        gated(level, Gate { gate, value, y: &mut y[r * n..(r + 1) * n] }, forward);
    }
}

/// The slices of a gate's gradient, checked.
pub struct GateGradient<'a, T> {
    gate: &'a [T],
    value: &'a [T],
    dy: &'a [T],
    dgate: &'a mut [T],
    dvalue: &'a mut [T],
}

impl<'a, T> GateGradient<'a, T> {
    /// Slices of one length.
    #[track_caller]
    #[inline(always)]
    pub fn new(gate: &'a [T], value: &'a [T], dy: &'a [T], dgate: &'a mut [T], dvalue: &'a mut [T]) -> Self {
        check::same_len("gate", gate.len(), "value", value.len());
        check::same_len("gate", gate.len(), "dy", dy.len());
        check::same_len("gate", gate.len(), "dgate", dgate.len());
        check::same_len("gate", gate.len(), "dvalue", dvalue.len());
        Self { gate, value, dy, dgate, dvalue }
    }
}

impl<T: Real> Split for GateGradient<'_, T> {
    fn len(&self) -> usize {
        self.dy.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let ((gate, gate_rest), (value, value_rest)) = (self.gate.split_at(mid), self.value.split_at(mid));
        let (dy, dy_rest) = self.dy.split_at(mid);
        let (dgate, dgate_rest) = self.dgate.split_at_mut(mid);
        let (dvalue, dvalue_rest) = self.dvalue.split_at_mut(mid);
        let rest = Self { gate: gate_rest, value: value_rest, dy: dy_rest, dgate: dgate_rest, dvalue: dvalue_rest };
        (Self { gate, value, dy, dgate, dvalue }, rest)
    }
}

/// The kernels of an activation and its gradient, and whether the gradient takes the output.
#[derive(Clone, Copy)]
pub struct Gradient<'f, T> {
    pub forward: Forward<'f, T>,
    pub backward: Backward<'f, T>,
    pub takes_output: bool,
}

/// dgate and dvalue of y = act(gate) value.
pub fn gated_gradient<T: Real>(level: Level, work: GateGradient<T>, act: Gradient<T>) {
    let GateGradient { gate, value, dy, dgate, dvalue } = work;
    let block = SMALL_BLOCK / size_of::<T>();
    let inputs = gate.chunks(block).zip(value.chunks(block)).zip(dy.chunks(block));
    for (((gate, value), dy), (dgate, dvalue)) in inputs.zip(dgate.chunks_mut(block).zip(dvalue.chunks_mut(block))) {
        (act.forward)(level, &mut Slices::<T, 1>::new([("gate", gate)], ("dvalue", &mut *dvalue)));
        product(level, &mut Slices::<T, 2>::new([("dy", dy), ("value", value)], ("dgate", &mut *dgate)));
        let saved = if act.takes_output { &*dvalue } else { gate };
        (act.backward)(level, &mut Slices::<T, 2>::in_place(("saved", saved), ("dgate", dgate)));
        product(level, &mut Slices::<T, 2>::in_place(("dy", dy), ("dvalue", dvalue)));
    }
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

impl<T: Real> Split for GateGradientRows<'_, T> {
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
pub fn gated_gradient_rows<T: Real>(level: Level, work: GateGradientRows<T>, act: Gradient<T>) {
    let GateGradientRows { halves, x, dy, dx } = work;
    for r in 0..halves.rows(dy.len()) {
        let n = halves.columns;
        let (gate, value) = halves.of(&x[2 * r * n..2 * (r + 1) * n]);
        let (dgate, dvalue) = halves.of_mut(&mut dx[2 * r * n..2 * (r + 1) * n]);
        let dy = &dy[r * n..(r + 1) * n];
        gated_gradient(level, GateGradient { gate, value, dy, dgate, dvalue }, act);
    }
}
