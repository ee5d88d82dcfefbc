//! The contenders, and how each does an operation.

mod candle;
mod ours;
mod rten;
mod std_loop;
mod tract;
mod wide_loop;
mod yscv;

use std::hint::black_box;

use activations::Isa;

use crate::operation::{Operation, Shape};

/// One way of doing one operation.
pub trait Contender {
    /// Does the operation from `x` to `y` this many times.
    fn repeat(&mut self, times: usize, x: &[f32], y: &mut [f32]);

    /// Copies the last result to `y` if the contender writes to a tensor of its own.
    fn fetch(&self, _y: &mut [f32]) {}
}

impl<F: FnMut(&[f32], &mut [f32])> Contender for F {
    fn repeat(&mut self, times: usize, x: &[f32], y: &mut [f32]) {
        for _ in 0..times {
            self(black_box(x), black_box(&mut *y));
        }
    }
}

/// Instruction sets of `activations` that have a column, fastest first.
const OURS: [&str; 3] = ["avx512", "avx2", "portable"];

/// The rivals by the names of their packages, and two plain loops.
pub const RIVALS: [&str; 6] = ["rten-vecmath", "tract-linalg", "candle-nn", "yscv-kernels", "wide", "std"];

/// Those of `activations` that this machine has. The first is the crate's own choice.
pub fn ours() -> impl Iterator<Item = &'static str> {
    OURS.into_iter().filter(|name| name.parse().is_ok_and(Isa::is_available))
}

/// The contender with this name for the operation on `x`, if it has the operation.
pub fn contender(name: &str, operation: Operation, shape: Shape, x: &[f32]) -> Option<Box<dyn Contender>> {
    match name {
        "rten-vecmath" => rten::contender(operation, shape),
        "tract-linalg" => tract::contender(operation, shape),
        "candle-nn" => Some(candle::contender(operation, shape, x)),
        "yscv-kernels" => yscv::contender(operation, shape, x),
        "wide" => wide_loop::contender(operation, shape),
        "std" => std_loop::contender(operation, shape),
        isa => Some(ours::contender(isa.parse().ok()?, operation, shape)),
    }
}

/// Reads and writes the same memory and computes nothing.
pub fn memcpy() -> Box<dyn Contender> {
    slices(|x, y| y.copy_from_slice(x))
}

/// Work on slices.
fn slices(work: impl FnMut(&[f32], &mut [f32]) + 'static) -> Box<dyn Contender> {
    Box::new(work)
}

/// Work on slices of one row, called for each row in turn.
fn rows(shape: Shape, mut work: impl FnMut(&[f32], &mut [f32]) + 'static) -> Box<dyn Contender> {
    slices(move |x, y| {
        x.chunks_exact(shape.columns).zip(y.chunks_exact_mut(shape.columns)).for_each(|(x, y)| work(x, y));
    })
}

/// Work on the tensors of a library.
struct Tensors<T, F> {
    x: T,
    y: T,
    work: F,
    read: fn(&T, &mut [f32]),
}

impl<T, F: FnMut(&T, &mut T)> Contender for Tensors<T, F> {
    fn repeat(&mut self, times: usize, _x: &[f32], _y: &mut [f32]) {
        for _ in 0..times {
            (self.work)(black_box(&self.x), black_box(&mut self.y));
        }
    }

    fn fetch(&self, y: &mut [f32]) {
        (self.read)(&self.y, y);
    }
}
