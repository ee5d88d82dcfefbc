//! The list of all operations of the crate `activations`.
//!
//! Tests, fuzz targets, exhaustive runs and benches find the operations here, each with its methods, its oracle and its
//! bound, and run over all of them. `tests/list.rs` reads the crate's sources and fails if a public operation or one of its
//! methods is missing here, or a row of the README's table.
//!
//! The activations come from the crate's own list ([`activations::ACTIVATIONS`]); another operation is added in the module
//! of its kin.

pub mod binary;
pub mod bound;
pub mod clip;
mod double_double;
mod element;
pub mod elementwise;
mod hash;
pub mod loss;
mod operation;
mod oracle;
pub mod panics;
mod shape;
pub mod softmax;
mod uninit;

use std::sync::Arc;

pub use bound::Bound;
pub use double_double::DoubleDouble;
pub use element::Element;
pub use hash::Hash;
pub use loss::Options;
pub use operation::{Family, Form, Operation, Results};
pub use oracle::Exact;
pub use shape::Shape;
pub use uninit::uninit;

/// What parameters the operations of [`all`] get.
pub struct Parameters {
    /// The class of each row, if not one that changes from row to row.
    pub targets: Option<Arc<[u32]>>,
    /// The scale of a loss's gradient, or `None` for one that changes from row to row.
    pub scale: Option<f64>,
    /// The limit of a clipping.
    pub limit: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { targets: None, scale: Some(0.125), limit: 1.5 }
    }
}

/// Every operation on a tensor of this shape. Those without an axis take its elements.
pub fn all<T: Element>(shape: Shape, parameters: &Parameters) -> Vec<Operation<T>> {
    let Parameters { targets, scale, limit } = parameters;
    let some_class = |row: usize| ((7 * row + 3) % shape.axis) as u32;
    let targets = targets.clone().unwrap_or_else(|| (0..shape.rows()).map(some_class).collect());
    let mut operations = elementwise::all(shape.len());
    operations.extend(softmax::all(shape));
    operations.extend(loss::all(shape, &targets, *scale, Options::default()));
    operations.extend(loss::all(shape, &targets, None, Options::ALL));
    operations.extend(loss::soft(shape, *scale, Options::default()));
    operations.extend(loss::soft(shape, None, Options::ALL));
    operations.extend(binary::all(shape, scale.unwrap_or(0.5)));
    operations.extend(clip::all(shape.len(), *limit));
    operations
}
