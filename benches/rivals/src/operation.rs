//! The operations, their sizes and their true values.

use activations::reference;

/// The slope of the leaky relu.
pub const SLOPE: f32 = 0.01;

/// An operation that the contenders do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Sigmoid,
    Tanh,
    Relu,
    Exp,
    LeakyRelu,
    Silu,
    Gelu,
    Softmax,
    LogSoftmax,
}

impl Operation {
    pub const ALL: [Self; 9] = [
        Self::Sigmoid,
        Self::Tanh,
        Self::Relu,
        Self::Exp,
        Self::LeakyRelu,
        Self::Silu,
        Self::Gelu,
        Self::Softmax,
        Self::LogSoftmax,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Relu => "relu",
            Self::Exp => "exp",
            Self::LeakyRelu => "leaky_relu",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Softmax => "softmax",
            Self::LogSoftmax => "log_softmax",
        }
    }

    /// The sizes at which it is timed.
    pub fn shapes(self) -> &'static [Shape] {
        const SLICES: &[Shape] = &[Shape::slice(1000), Shape::slice(65_536), Shape::slice(1 << 22)];
        const ROWS: &[Shape] = &[
            Shape { rows: 100_000, columns: 10 },
            Shape { rows: 4096, columns: 128 },
            Shape { rows: 512, columns: 1000 },
            Shape { rows: 8, columns: 32_000 },
            Shape { rows: 1, columns: 128_256 },
        ];
        if self.is_rowwise() { ROWS } else { SLICES }
    }

    /// The name of a size in the table.
    pub fn size(self, shape: Shape) -> String {
        if self.is_rowwise() { format!("{}x{}", shape.rows, shape.columns) } else { shape.columns.to_string() }
    }

    /// Whether an element's result depends on its row.
    fn is_rowwise(self) -> bool {
        matches!(self, Self::Softmax | Self::LogSoftmax)
    }

    /// The true values.
    pub fn reference(self, shape: Shape, x: &[f32]) -> Vec<f64> {
        let x: Vec<f64> = x.iter().map(|&x| x.into()).collect();
        let each = |f: fn(f64) -> f64| x.iter().map(|&x| f(x)).collect();
        let rows = |f: fn(&[f64]) -> Vec<f64>| x.chunks_exact(shape.columns).flat_map(f).collect();
        match self {
            Self::Sigmoid => each(reference::sigmoid),
            Self::Tanh => each(reference::tanh),
            Self::Relu => each(reference::relu),
            Self::Exp => each(reference::exp),
            Self::LeakyRelu => each(|x| reference::leaky_relu(x, SLOPE.into())),
            Self::Silu => each(|x| reference::swish(x, 1.0)),
            Self::Gelu => each(reference::gelu),
            Self::Softmax => rows(reference::softmax),
            Self::LogSoftmax => rows(reference::log_softmax),
        }
    }
}

/// Rows and columns; a slice is one row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub rows: usize,
    pub columns: usize,
}

impl Shape {
    pub const fn slice(len: usize) -> Self {
        Self { rows: 1, columns: len }
    }

    pub fn len(self) -> usize {
        self.rows * self.columns
    }
}
