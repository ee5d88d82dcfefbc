//! All `f16` and `bf16`: how many results are not the nearest to the true value.
//!
//! A result is the `f32` result, rounded once more, which `tests/half.rs` proves for all inputs. Where the `f32` result lies
//! next to the middle of two 16-bit numbers, that may be the other one of them.

use activations::{ACTIVATIONS, Activation, Float, Isa};
use half::{bf16, f16};

/// The results of one activation in one type on one instruction set.
pub struct Count {
    pub act: &'static dyn Activation,
    pub isa: Isa,
    /// The results that are not the nearest: of `f16` and of `bf16`.
    pub misrounded: [usize; 2],
}

/// Counts for every activation and instruction set.
pub fn run() -> Vec<Count> {
    let of_isa = |act: &'static dyn Activation, isa: Isa| {
        let misrounded = isa.with(|| [misrounded(act, f16::from_bits), misrounded(act, bf16::from_bits)]);
        Count { act, isa, misrounded }
    };
    ACTIVATIONS.iter().flat_map(|act| Isa::available().map(move |isa| of_isa(*act, isa))).collect()
}

fn misrounded<H: Float>(act: &dyn Activation, of_bits: fn(u16) -> H) -> usize {
    let x: Vec<H> = (0..=u16::MAX).map(of_bits).filter(|x| !x.to_f64().is_nan()).collect();
    let mut y = x.clone();
    act.forward_in_place(&mut y);
    let nearest = |x: &H| H::from_f64(act.reference(x.to_f64()));
    x.iter().zip(&y).filter(|(x, y)| nearest(x) != **y).count()
}
