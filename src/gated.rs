//! Gates: an activation of one half of the inputs times the other half.

use crate::activation::{Activation, Saved};
use crate::call::{Call, twins};
use crate::cost::Cost;
use crate::float::{Float, Kernels};
use crate::fused::{GateGradientRows, GateRows, Gradient, Halves};
use crate::lanes::Slices;

/// A gated linear unit: `act(gate) * value`.
///
/// `Gated(Sigmoid)` is GLU, `Gated(Silu)` SwiGLU, `Gated(Relu)` ReGLU. Gate and value are two slices, or, with
/// [`rows`](Self::rows), the halves of each row of one slice, as a linear layer of twice the width leaves them.
///
/// The gradients are `dvalue = act(gate) * dy` and `dgate = act'(gate) * (value * dy)`.
///
/// # Accuracy
///
/// The bits of the activation's `forward` into a slice, followed by one rounded product. `dvalue` likewise. `dgate` has the
/// bits of the activation's `backward` of the rounded product `value * dy`, so that it overflows where that product does.
///
/// # Special values
///
/// Those of the activation and of the product: a gate whose activation is 0 gives NaN with an infinite value.
///
/// # Examples
///
/// ```
/// use activations::{Gated, Relu};
///
/// let (gate, value) = ([1.0_f32, -2.0, 3.0], [10.0, 20.0, 30.0]);
/// let mut y = [0.0; 3];
/// Gated(Relu).forward(&gate, &value, &mut y);
/// assert_eq!(y, [10.0, 0.0, 90.0]);
///
/// let (mut dgate, mut dvalue) = ([0.0; 3], [0.0; 3]);
/// Gated(Relu).backward(&gate, &value, &[1.0; 3], &mut dgate, &mut dvalue);
/// assert_eq!((dgate, dvalue), ([10.0, 0.0, 30.0], [1.0, 0.0, 3.0]));
///
/// // Two rows of two gates and two values.
/// let mut y = [0.0_f32; 4];
/// Gated(Relu).rows(2).forward(&[1.0, -1.0, 5.0, 6.0, 2.0, 3.0, 7.0, 8.0], &mut y);
/// assert_eq!(y, [5.0, 0.0, 14.0, 24.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gated<A>(pub A);

/// Gates and values in one slice: see [`Gated::rows`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GatedRows<A> {
    activation: A,
    columns: usize,
    is_value_first: bool,
}

/// The cost of a gate, and that of its gradient.
fn costs(activation: &impl Kernels) -> [Cost; 2] {
    let forward = activation.cost().and(Cost::CHEAP);
    [forward, forward.and(Cost::GRADIENT).and(Cost::CHEAP)]
}

/// Runs `$run` of `Float` with the kernels of an activation's gradient.
macro_rules! with_gradient {
    ($activation:expr, $T:ident, $run:ident, $level:ident, $part:ident) => {{
        let activation = $activation;
        let takes_output = activation.saved() == Saved::Output;
        let (forward, backward) = (
            |level, slices: &mut Slices<$T::Arithmetic, 1>| $T::forward_kernel(activation, level, slices),
            |level, slices: &mut Slices<$T::Arithmetic, 2>| $T::backward_kernel(activation, level, slices),
        );
        $T::$run($level, $part, Gradient { forward: &forward, backward: &backward, takes_output })
    }};
}

impl<A: Activation> Gated<A> {
    /// The gate for rows of `values` gates, followed by as many values.
    pub fn rows(self, values: usize) -> GatedRows<A> {
        GatedRows { activation: self.0, columns: values, is_value_first: false }
    }

    twins! {
        /// Writes `act(gate) * value` to `y`.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        pub threads => fn forward | par_forward [T: Float] (&self, gate: &[T], value: &[T], y: &mut [T]) {
            let cost = || costs(&self.0)[0];
            let forward = |level, slices: &mut Slices<T::Arithmetic, 1>| T::forward_kernel(&self.0, level, slices);
            let run = |level, mut part| T::gated(level, &mut part, &forward);
            let work = Slices::<T, 2>::new([("gate", gate), ("value", value)], ("y", y));
            Call { work, cost, run }.on(threads)
        }

        /// Writes the gradients with respect to gate and value, from both and the gradient `dy` with respect to the output.
        ///
        /// # Panics
        ///
        /// If the lengths differ.
        pub threads => fn backward | par_backward [T: Float]
        (&self, gate: &[T], value: &[T], dy: &[T], dgate: &mut [T], dvalue: &mut [T]) {
            let cost = || costs(&self.0)[1];
            let run = |level, mut part| {
                let part = &mut part;
                with_gradient!(&self.0, T, gated_gradient, level, part)
            };
            let sources = [("gate", gate), ("value", value), ("dy", dy)];
            let work = Slices::<T, 3, 2>::two(sources, [("dgate", dgate), ("dvalue", dvalue)]);
            Call { work, cost, run }.on(threads)
        }
    }
}

impl<A: Activation> GatedRows<A> {
    /// The same with the values before the gates, as in torch's `glu`.
    pub fn values_first(self) -> Self {
        Self { is_value_first: true, ..self }
    }

    fn halves(&self) -> Halves {
        Halves { columns: self.columns, is_value_first: self.is_value_first }
    }

    twins! {
        /// Writes `act(gate) * value` of each row of `x` to a row of `y`, which is half as long.
        ///
        /// # Panics
        ///
        /// Unless `x` has whole rows, and `y` half as many elements.
        pub threads => fn forward | par_forward [T: Float] (&self, x: &[T], y: &mut [T]) {
            let cost = || costs(&self.activation)[0];
            let forward = |level, slices: &mut Slices<T::Arithmetic, 1>| {
                T::forward_kernel(&self.activation, level, slices);
            };
            let run = |level, part| T::gated_rows(level, part, &forward);
            Call { work: GateRows::new(self.halves(), x, y), cost, run }.on(threads)
        }

        /// Writes the gradient with respect to `x` to `dx`, from `x` and the gradient `dy` with respect to the output.
        ///
        /// # Panics
        ///
        /// Unless `x` has whole rows, `dy` half as many elements, and `dx` as many as `x`.
        pub threads => fn backward | par_backward [T: Float] (&self, x: &[T], dy: &[T], dx: &mut [T]) {
            let cost = || costs(&self.activation)[1];
            let run = |level, part| with_gradient!(&self.activation, T, gated_gradient_rows, level, part);
            Call { work: GateGradientRows::new(self.halves(), x, dy, dx), cost, run }.on(threads)
        }
    }
}
