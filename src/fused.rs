//! Additions before an activation, and gates: kernels that run one after another on the same block, while it is in the
//! first-level cache.
//!
//! ```text
//! added:          for each block: y = x + addend, y = act(y) in place
//!                 for each block: sum = x + addend, y = act(sum)           where the sum is kept
//! gated:          for each block: y = act(gate), y = y value in place
//! gated_gradient: for each block: dvalue = act(gate), dgate = dy value,
//!                                 dgate = gradient of act from the gate or from dvalue, dvalue = dvalue dy
//! ```
//!
//! The sum and the product are two maps that all activations share. The kernels of the activation are called by pointer,
//! so that these functions are compiled once for each element type.

use crate::check;
use crate::dispatch::Level;
use crate::elementwise::{self, Map};
use crate::lanes::{Lanes, Real, Slices, Split};
use crate::math;

/// The bytes of a block of one slice. Three of them fit the first-level cache, with room for what the caller has there.
const BLOCK: usize = 8192;

/// The bytes of a block where five slices are in use.
const SMALL_BLOCK: usize = 4096;

/// A bias shorter than this is repeated in a buffer first: a kernel takes longer for a few elements than for their share of
/// a block.
const SHORT_BIAS: usize = 256;

/// The kernel of an activation on one block.
pub type Forward<'f, T> = &'f dyn Fn(Level, &mut Slices<T, 1>);
/// The kernel of its gradient.
pub type Backward<'f, T> = &'f dyn Fn(Level, &mut Slices<T, 2>);

/// x + y.
#[derive(Clone, Copy)]
struct Sum;

impl Map<2> for Sum {
    const IS_MEMORY_BOUND: bool = false;
    // A sum takes no microcode assist, subnormal or not.
    const HAS_HARD: bool = false;

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, y]: [L; 2]) -> [L; 1] {
        [x + y]
    }
}

/// x y.
#[derive(Clone, Copy)]
struct Product;

impl Map<2> for Product {
    const IS_MEMORY_BOUND: bool = false;

    #[inline(always)]
    fn margin<L: Lanes>(self, [x, y]: [L; 2], margin: L) -> L {
        math::margin(x, math::margin(y, margin))
    }

    #[inline(always)]
    fn apply<L: Lanes>(self, [x, y]: [L; 2]) -> [L; 1] {
        [x * y]
    }
}

/// The first of the two shared maps.
fn sum<T: Real>(level: Level, slices: &mut Slices<T, 2>) {
    elementwise::run(level, Sum, slices);
}

/// The second one.
fn product<T: Real>(level: Level, slices: &mut Slices<T, 2>) {
    elementwise::run(level, Product, slices);
}

/// Numbers that repeat without end, from an offset on.
#[derive(Clone, Copy)]
struct Repeated<'a, T> {
    numbers: &'a [T],
    offset: usize,
}

/// The slices of an addition before an activation, checked.
pub struct Added<'a, T> {
    /// None if x is y.
    x: Option<&'a [T]>,
    addend: Repeated<'a, T>,
    /// The sums, if they are to be kept.
    sum: Option<&'a mut [T]>,
    y: &'a mut [T],
}

impl<'a, T> Added<'a, T> {
    /// x and an addend of the same length.
    #[track_caller]
    #[inline(always)]
    pub fn new(x: &'a [T], numbers: &'a [T], y: &'a mut [T]) -> Self {
        check::same_len("x", x.len(), "addend", numbers.len());
        check::same_len("x", x.len(), "y", y.len());
        Self { x: Some(x), addend: Repeated { numbers, offset: 0 }, sum: None, y }
    }

    /// The same, and a slice that takes the sums.
    #[track_caller]
    #[inline(always)]
    pub fn saving(x: &'a [T], numbers: &'a [T], sum: &'a mut [T], y: &'a mut [T]) -> Self {
        check::same_len("x", x.len(), "addend", numbers.len());
        check::same_len("x", x.len(), "sum", sum.len());
        check::same_len("x", x.len(), "y", y.len());
        Self { x: Some(x), addend: Repeated { numbers, offset: 0 }, sum: Some(sum), y }
    }

    /// An x that is overwritten, and an addend of the same length.
    #[track_caller]
    #[inline(always)]
    pub fn in_place(y: &'a mut [T], numbers: &'a [T]) -> Self {
        check::same_len("x", y.len(), "addend", numbers.len());
        Self { x: None, addend: Repeated { numbers, offset: 0 }, sum: None, y }
    }

    /// x and a bias that repeats.
    #[track_caller]
    #[inline(always)]
    pub fn biased(x: &'a [T], numbers: &'a [T], y: &'a mut [T]) -> Self {
        check::repeats("x", x.len(), "bias", numbers.len());
        check::same_len("x", x.len(), "y", y.len());
        Self { x: Some(x), addend: Repeated { numbers, offset: 0 }, sum: None, y }
    }

    /// An x that is overwritten, and a bias that repeats.
    #[track_caller]
    #[inline(always)]
    pub fn biased_in_place(y: &'a mut [T], numbers: &'a [T]) -> Self {
        check::repeats("x", y.len(), "bias", numbers.len());
        Self { x: None, addend: Repeated { numbers, offset: 0 }, sum: None, y }
    }
}

impl<T: Real> Split for Added<'_, T> {
    fn len(&self) -> usize {
        self.y.len()
    }
    fn split_at(self, mid: usize) -> (Self, Self) {
        let (x, x_rest) = self.x.map(|x| x.split_at(mid)).unzip();
        let (sum, sum_rest) = self.sum.map(|sum| sum.split_at_mut(mid)).unzip();
        let (y, y_rest) = self.y.split_at_mut(mid);
        let addend_rest = Repeated { offset: self.addend.offset + mid, ..self.addend };
        (Self { x, addend: self.addend, sum, y }, Self { x: x_rest, addend: addend_rest, sum: sum_rest, y: y_rest })
    }
}

/// y = act(x + addend).
pub fn added<T: Real>(level: Level, mut work: Added<T>, forward: Forward<T>) {
    let period = work.addend.numbers.len();
    if period < SHORT_BIAS && period < work.y.len() {
        let mut buffer = [T::default(); 2 * SHORT_BIAS];
        // As many repetitions as the buffer holds, but not more than x needs. Each copy doubles what is there.
        let len = period * (buffer.len() / period).min(work.y.len().div_ceil(period) + 1);
        buffer[..period].copy_from_slice(work.addend.numbers);
        let mut filled = period;
        while filled < len {
            let copied = filled.min(len - filled);
            buffer.copy_within(..copied, filled);
            filled += copied;
        }
        let addend = Repeated { numbers: &buffer[..len], offset: work.addend.offset };
        let Added { x, sum, y, .. } = work;
        return add_blocks(level, &mut Added { x, addend, sum, y }, forward);
    }
    add_blocks(level, &mut work, forward);
}

/// [`added`], in blocks that do not cross the end of the repeated numbers.
fn add_blocks<T: Real>(level: Level, work: &mut Added<T>, forward: Forward<T>) {
    let Repeated { numbers, offset } = work.addend;
    let (len, mut done) = (work.y.len(), 0);
    while done < len {
        let first = (offset + done) % numbers.len();
        let taken = (BLOCK / size_of::<T>()).min(numbers.len() - first).min(len - done);
        let block = done..done + taken;
        let addend = ("addend", &numbers[first..first + taken]);
        let y = &mut work.y[block.clone()];
        match (work.x, &mut work.sum) {
            (Some(x), Some(sums)) => {
                let sums = &mut sums[block.clone()];
                sum(level, &mut Slices::<T, 2>::new([("x", &x[block]), addend], ("sum", &mut *sums)));
                forward(level, &mut Slices::<T, 1>::new([("sum", sums)], ("y", y)));
            }
            (Some(x), None) => {
                sum(level, &mut Slices::<T, 2>::new([("x", &x[block]), addend], ("y", &mut *y)));
                forward(level, &mut Slices::<T, 1>::in_place(y));
            }
            (None, _) => {
                sum(level, &mut Slices::<T, 2>::in_place(addend, ("x", &mut *y)));
                forward(level, &mut Slices::<T, 1>::in_place(y));
            }
        }
        done += taken;
    }
}

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
