//! The list of all operations of the crate `activations`.
//!
//! An [`Operation`] has its methods ([`Form`]), its error bound ([`Bound`]) and a judge, which compares results with a
//! reference in `f64` or wider. Tests, fuzz targets, exhaustive runs and benches loop over these operations and name
//! none of them. `tests/list.rs` reads the crate's sources, and fails if a public operation or one of its methods is
//! missing here, or if the README's table has no row for it.
//!
//! To add an activation, add it to [`activations::ACTIVATIONS`]. To add another operation, add it to `all` in one of
//! the other modules.

pub mod binary;
pub mod bound;
pub mod clip;
mod double_double;
mod element;
pub mod elementwise;
pub mod fused;
mod hash;
pub mod loss;
mod operation;
mod oracle;
pub mod panics;
pub mod prelu;
mod shape;
pub mod softmax;
mod uninit;

use std::sync::Arc;

pub use bound::Bound;
pub use double_double::DoubleDouble;
pub use element::Element;
pub use hash::Hash;
pub use loss::Options;
pub use operation::{Family, Form, Operation, Results, UNTOUCHED};
pub use oracle::TrueValue;
pub use shape::Shape;
pub use uninit::uninit;

/// The parameters of the operations that [`all`] lists.
pub struct Parameters {
    /// The target class of each row. `None` for classes that change from row to row.
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
    let class_of_row = |row: usize| ((7 * row + 3) % shape.axis) as u32;
    let targets = targets.clone().unwrap_or_else(|| (0..shape.rows()).map(class_of_row).collect());
    let mut operations = elementwise::all(shape.len());
    operations.extend(fused::all(shape));
    operations.extend(prelu::all(shape));
    operations.extend(softmax::all(shape));
    operations.extend(loss::all(shape, &targets, *scale, Options::default()));
    operations.extend(loss::all(shape, &targets, None, Options::ALL));
    operations.extend(loss::soft(shape, *scale, Options::default()));
    operations.extend(loss::soft(shape, None, Options::ALL));
    operations.extend(binary::all(shape, scale.unwrap_or(0.5)));
    operations.extend(clip::all(shape.len(), *limit));
    operations
}
