//! Times of `f16` and `bf16` over those of `f32`: `cargo bench --bench half --features half`.
//!
//! ```text
//! for each instruction set, operation and size: the median of 21 ratios of neighbouring times, and the least times
//! ```

use std::hint::black_box;
use std::time::Instant;

use activations::{Float, Gelu, Isa, Relu, Sigmoid, Silu, Softmax, Tanh};
use half::{bf16, f16};

/// Pairs of times.
const ROUNDS: usize = 21;
/// The least number of elements that are timed at once.
const ELEMENTS: usize = 1 << 21;

/// An operation on slices of any element type.
#[derive(Clone, Copy)]
enum Operation {
    Relu,
    Sigmoid,
    Tanh,
    Silu,
    Gelu,
    Softmax(usize),
}

impl Operation {
    fn run<T: Float>(self, x: &[T], y: &mut [T]) {
        match self {
            Operation::Relu => Relu.forward(x, y),
            Operation::Sigmoid => Sigmoid.forward(x, y),
            Operation::Tanh => Tanh.forward(x, y),
            Operation::Silu => Silu.forward(x, y),
            Operation::Gelu => Gelu.forward(x, y),
            Operation::Softmax(columns) => Softmax::rows(columns).forward(x, y),
        }
    }
}

/// Nanoseconds an element of one call.
fn time<T: Float>(operation: Operation, x: &[T], y: &mut [T]) -> f64 {
    let calls = ELEMENTS.div_ceil(x.len());
    let start = Instant::now();
    for _ in 0..calls {
        operation.run(black_box(x), black_box(&mut *y));
    }
    start.elapsed().as_nanos() as f64 / (calls * x.len()) as f64
}

/// Prints a row of the table for one element type.
fn compare<H: Float>(name: &str, of: &str, operation: Operation, size: &str, x: &[f32]) {
    let half: Vec<H> = x.iter().map(|x| H::from_f64(f64::from(*x))).collect();
    let (mut y, mut half_y) = (x.to_vec(), half.clone());
    let (mut ratios, mut least) = (Vec::new(), [f64::INFINITY; 2]);
    for _ in 0..ROUNDS {
        let times = [time(operation, x, &mut y), time(operation, &half, &mut half_y)];
        ratios.push(times[1] / times[0]);
        least = [least[0].min(times[0]), least[1].min(times[1])];
    }
    ratios.sort_by(f64::total_cmp);
    let isa = Isa::current();
    println!("| {isa} | {name} | {size} | {of} | {:.2} | {:.3} | {:.3} |", ratios[ROUNDS / 2], least[0], least[1]);
}

fn main() {
    println!("| instruction set | operation | size | type | time over f32's | f32, ns an element | the type's |");
    println!("|---|---|---|---|---|---|---|");
    for isa in Isa::available().filter(|isa| *isa != Isa::Scalar) {
        for (name, operation, [rows, columns]) in [
            ("relu", Operation::Relu, [1, 65_536]),
            ("sigmoid", Operation::Sigmoid, [1, 65_536]),
            ("tanh", Operation::Tanh, [1, 65_536]),
            ("silu", Operation::Silu, [1, 65_536]),
            ("gelu", Operation::Gelu, [1, 65_536]),
            ("sigmoid", Operation::Sigmoid, [1, 1 << 26]),
            ("softmax", Operation::Softmax(10), [10_000, 10]),
            ("softmax", Operation::Softmax(1000), [512, 1000]),
            ("softmax", Operation::Softmax(32_000), [8, 32_000]),
        ] {
            let x: Vec<f32> = (0..rows * columns)
                .map(|i: usize| (i.wrapping_mul(2_654_435_761_usize) % 2001) as f32 / 100.0 - 10.0)
                .collect();
            let size = if rows == 1 { columns.to_string() } else { format!("{rows}x{columns}") };
            isa.with(|| {
                compare::<f16>(name, "f16", operation, &size, &x);
                compare::<bf16>(name, "bf16", operation, &size, &x);
            });
        }
    }
}
