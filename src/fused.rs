//! Additions before an activation, gates, and slopes by channel: kernels that run one after another on the same block, while it is in the
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

mod added;
mod gate;
mod slopes;

pub use added::{Added, added};
pub use gate::{GateGradientRows, GateRows, Gradient, Halves, gated, gated_gradient, gated_gradient_rows, gated_rows};
pub use slopes::{Channels, SlopeSums, Sloped, slope_sums, sloped};

use crate::dispatch::Level;
use crate::elementwise::{self, Map};
use crate::lanes::{Lanes, Real, Slices};
use crate::math;
use crate::storage::Storage;

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
fn sum<T: Storage>(level: Level, slices: &mut Slices<T, 2>) {
    T::map(level, Sum, slices);
}

/// The second one.
fn product<T: Real>(level: Level, slices: &mut Slices<T, 2>) {
    elementwise::run(level, Product, slices);
}

/// The bytes of a block of one slice. Three of them fit the first-level cache, with room for what the caller has there.
const BLOCK: usize = 8192;
