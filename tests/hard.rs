//! Proves that hard elements have the same bits anywhere in a slice, and change no other element.
//!
//! An element is hard if its formula has a subnormal or infinite intermediate. Kernels have a fast loop for blocks of
//! ordinary elements and a slow loop for blocks with a hard one. Hard elements are put at each place of a slice, and in
//! every second block. Each result must have the bits of a call on its element alone, and that call is judged by the
//! `f64` reference.

use activations::{ACTIVATIONS, Isa, set_streaming_threshold};
use operations::{Element, Operation, elementwise::activation};

/// The length of the slices with one hard element: a few blocks of 64 and a rest.
const SHORT: usize = 230;
/// The hard element stands at each index below this one.
const PLACES: usize = 200;
/// The length of the slices in which every second block of 64 is hard.
const LONG: usize = 700;

/// An operation and its ordinary inputs.
struct Case<'a, T> {
    operation: &'a Operation<T>,
    /// The same operation on one element.
    alone: &'a Operation<T>,
    inputs: Vec<Vec<T>>,
    /// The bits of `alone` for each element of the inputs.
    expected: Vec<u64>,
}

impl<'a, T: Element> Case<'a, T> {
    fn new(operation: &'a Operation<T>, alone: &'a Operation<T>) -> Self {
        let ordinary = |k: usize| move |i: usize| T::rounded(((31 * i + 13 * k) % 97) as f64 * 0.08 - 4.03);
        let lengths = operation.inputs.iter().enumerate();
        let mut inputs: Vec<Vec<T>> = lengths.map(|(k, len)| (0..*len).map(ordinary(k)).collect()).collect();
        inputs[0] = (operation.first_input)(&inputs[0]);
        let arguments = |i: usize| inputs.iter().map(|input| input[i]).collect::<Vec<T>>();
        let expected = (0..inputs[0].len()).map(|i| bits_alone(alone, &arguments(i))).collect();
        Self { operation, alone, inputs, expected }
    }

    /// Puts the hard arguments at the indices that `is_hard` selects, and checks all results. The output begins `shift`
    /// elements behind the start of a cache line.
    fn check(&self, hard: &[T], shift: usize, is_hard: impl Fn(usize) -> bool) {
        let (mut inputs, mut expected, bits) =
            (self.inputs.clone(), self.expected.clone(), bits_alone(self.alone, hard));
        for i in (0..expected.len()).filter(|i| is_hard(*i)) {
            inputs.iter_mut().zip(hard).for_each(|(input, hard)| input[i] = *hard);
            expected[i] = bits;
        }
        let views: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
        // Parallel methods are left out: for so few elements they run the same kernel.
        for form in self.operation.forms.iter().filter(|form| !form.is_parallel()) {
            let mut memory = vec![T::default(); expected.len() + 64];
            let start = memory.as_ptr().align_offset(64) + shift;
            let output = &mut memory[start..start + expected.len()];
            if let Some(input) = form.overwrites {
                output.copy_from_slice(&inputs[input]);
            }
            (form.call)(&views, &mut [&mut *output]);
            for i in 0..expected.len() {
                let context = || format!("{} {} {} of {hard:?}", Isa::current(), self.operation.name, form.name);
                assert!(
                    output[i].bits() == expected[i],
                    "{}: {:e} at {i}, not the bits of the element alone",
                    context(),
                    output[i]
                );
            }
        }
    }
}

/// The bits of the result for one element. The `f64` reference judges the result.
fn bits_alone<T: Element>(alone: &Operation<T>, arguments: &[T]) -> u64 {
    let inputs: Vec<&[T]> = arguments.iter().map(std::slice::from_ref).collect();
    let mut result = [T::default()];
    (alone.forms[0].call)(&inputs, &mut [&mut result]);
    (alone.judge)(&inputs, &[&result], 0.0);
    result[0].bits()
}

/// Hard arguments: x for an operation with one input, y and dy for a gradient.
fn hard<T: Element>(arguments: usize) -> Vec<Vec<T>> {
    // A subnormal number, a normal one with a subnormal square, two whose exponentials are subnormal or round to 0, and
    // one near the largest.
    let [subnormal, small, edge, low, huge] =
        if T::BYTES == 4 { [1e-40, 1e-20, -88.0, -100.0, 3e38] } else { [1e-310, 1e-155, -709.0, -720.0, 1.7e308] };
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let values = [subnormal, -subnormal, edge, -edge, low, -low, huge, -huge, inf, -inf, nan].map(|x| vec![x]);
    let gradients = [
        [0.5, subnormal],
        [subnormal, 0.5],
        [subnormal, subnormal],
        [small, small],
        [0.5, huge],
        [huge, huge],
        [0.5, inf],
        [0.5, nan],
        [nan, 0.5],
    ];
    let all = if arguments == 1 { values.to_vec() } else { gradients.map(Vec::from).to_vec() };
    all.into_iter().map(|arguments| arguments.into_iter().map(T::rounded).collect()).collect()
}

/// The operations of all activations on `len` elements, each with the same operation on one element.
fn operations<T: Element>(len: usize) -> impl Iterator<Item = (Operation<T>, Operation<T>)> {
    ACTIVATIONS.iter().flat_map(move |act| activation(*act, len).into_iter().zip(activation(*act, 1)))
}

fn one_hard_element<T: Element>() {
    for (operation, alone) in operations::<T>(SHORT) {
        let case = Case::new(&operation, &alone);
        for hard in hard(operation.inputs.len()) {
            (0..PLACES).for_each(|place| case.check(&hard, place % 16, |i| i == place));
        }
    }
}

fn every_second_block<T: Element>() {
    for (operation, alone) in operations::<T>(LONG) {
        let case = Case::new(&operation, &alone);
        for hard in hard(operation.inputs.len()) {
            for (shift, parity) in [(0, 0), (0, 1), (5, 0), (5, 1)] {
                // The whole block, its first element only, its last element only.
                case.check(&hard, shift, |i| i / 64 % 2 == parity);
                case.check(&hard, shift, |i| i % 128 == 64 * parity);
                case.check(&hard, shift, |i| i % 128 == 64 * parity + 63);
            }
        }
    }
}

/// A single test, because the threshold for non-temporal stores belongs to the process.
#[test]
fn hard_elements_have_the_bits_of_elements_alone() {
    for threshold in [usize::MAX, 1] {
        set_streaming_threshold(threshold);
        for isa in Isa::available() {
            isa.with(|| {
                one_hard_element::<f32>();
                one_hard_element::<f64>();
                every_second_block::<f32>();
                every_second_block::<f64>();
            });
        }
    }
}
