//! The fuzz targets, as functions of the fuzzer's bytes. They need no fuzzer: `tests/corpus.rs` runs them on the seeds.
//!
//! The first bytes choose the element type, the operation, the shape, the instruction set, the position in memory and
//! how numbers are read. The other bytes are the numbers. Each target panics if a result is wrong.

use activations::*;
use operations::{
    Element, Operation, Options, Parameters, Shape, binary, clip, elementwise, fused, loss, panics, softmax,
};

/// A fuzz target: a function of the fuzzer's bytes.
type Target = fn(&[u8]);

/// All targets by their names.
pub const TARGETS: [(&str, Target); 5] = [
    ("elementwise", elementwise_operations),
    ("rows", rows),
    ("loss_and_clip", loss_and_clip),
    ("parallel", parallel),
    ("shapes", shapes),
];

/// The fuzzer's bytes that were not read yet.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    /// Reads `N` bytes. Beyond the last byte there are zeros.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (first, rest) = self.0.split_at(N.min(self.0.len()));
        bytes[..first.len()].copy_from_slice(first);
        self.0 = rest;
        bytes
    }
    /// Reads a number from 0 to 255.
    fn byte(&mut self) -> usize {
        self.take::<1>()[0].into()
    }
    /// Reads an `f64` of any bits.
    fn double(&mut self) -> f64 {
        f64::from_le_bytes(self.take())
    }
    /// Reads a choice.
    fn choose<T>(&mut self, mut choices: Vec<T>) -> T {
        choices.swap_remove(self.byte() % choices.len())
    }
}

/// What all targets read last: where and on which numbers an operation runs.
struct Setting<T> {
    isa: Isa,
    /// The numbers of elements before each slice, and behind each output: see `Operation::run_guarded`.
    guards: [usize; 2],
    /// The numbers of the remaining bytes, or one if none remain.
    numbers: Vec<T>,
}

impl<T: Element> Setting<T> {
    fn new(mut bytes: Bytes) -> Self {
        let isa = bytes.choose(Isa::available().collect());
        let guards = [bytes.byte() % 18, bytes.byte() % 18];
        let flags = bytes.byte();
        // Numbers in [-128, 128), or of any bits.
        let is_ordinary = flags % 2 == 1;
        set_streaming_threshold(if flags % 4 > 1 { 1 } else { usize::MAX });
        // Repeated numbers make long rows from few bytes. Most inputs are not repeated.
        let times = bytes.byte().saturating_sub(223).max(1);
        let mut numbers = Vec::new();
        while !bytes.0.is_empty() || numbers.is_empty() {
            numbers.push(match (is_ordinary, T::BYTES) {
                (true, _) => T::rounded(f64::from(i16::from_le_bytes(bytes.take())) / 256.0),
                (false, 4) => T::from_bits(u32::from_le_bytes(bytes.take()).into()),
                (false, _) => T::from_bits(u64::from_le_bytes(bytes.take())),
            });
        }
        Self { isa, guards, numbers: numbers.repeat(times) }
    }

    /// Panics unless all forms of an operation give the same right results and write nothing outside their outputs, and
    /// fused instruction sets agree.
    fn check(&self, operation: &Operation<T>) {
        let inputs = self.isa.with(|| operation.inputs_from(&self.numbers));
        let results = self.isa.with(|| operation.check(&inputs, self.guards));
        if self.isa.is_fused() && Isa::Scalar.is_fused() {
            let scalar = Isa::Scalar.with(|| operation.run(&operation.forms[0], &inputs));
            assert!(
                scalar.bits() == results.bits(),
                "{} has other bits on {} than on scalar",
                operation.title(),
                self.isa
            );
        }
    }
}

/// Calls `$target` with the element type that the first byte chooses, and the other bytes.
macro_rules! by_type {
    ($data:ident, $target:ident) => {{
        let mut bytes = Bytes($data);
        if bytes.byte() % 2 == 0 { $target::<f32>(bytes) } else { $target::<f64>(bytes) }
    }};
}

/// The activations and their gradients.
pub fn elementwise_operations(data: &[u8]) {
    fn target<T: Element>(mut bytes: Bytes) {
        let operation = bytes.byte();
        let setting = Setting::<T>::new(bytes);
        let len = setting.numbers.len();
        let mut operations = elementwise::all(len);
        operations.extend(elementwise::other_parameters(len));
        operations.extend(fused::all(Shape::rows_of(1 + len % 5, len / (1 + len % 5))));
        operations.extend(binary::all(Shape::rows_of(1 + len % 7, len / (1 + len % 7)), 0.7));
        setting.check(&operations[operation % operations.len()]);
    }
    by_type!(data, target)
}

/// Softmax, log-softmax and log-sum-exp along any axis.
pub fn rows(data: &[u8]) {
    fn target<T: Element>(mut bytes: Bytes) {
        let (operation, axis, inner) = (bytes.byte(), u16::from_le_bytes(bytes.take()), bytes.byte());
        let setting = Setting::<T>::new(bytes);
        let len = setting.numbers.len();
        let axis = 1 + usize::from(axis) % len;
        // Rows are contiguous (`inner` = 1) more often than not.
        let inner = 1 + if inner < 40 { inner % (len / axis) } else { 0 };
        let operations = softmax::all(Shape { outer: len / (axis * inner), axis, inner });
        setting.check(&operations[operation % operations.len()]);
    }
    by_type!(data, target)
}

/// Cross-entropy and clipping.
pub fn loss_and_clip(data: &[u8]) {
    fn target<T: Element>(mut bytes: Bytes) {
        let (operation, classes, seed, number) = (bytes.byte(), bytes.byte(), bytes.byte(), bytes.double());
        let setting = Setting::<T>::new(bytes);
        let len = setting.numbers.len();
        let classes = 1 + classes % len;
        let targets: Vec<u32> = (0..len / classes).map(|r| ((r * seed + seed) % classes) as u32).collect();
        let limit = if number >= 0.0 { number } else { -number };
        let shape = Shape::rows_of(classes, targets.len());
        // The seed chooses the options, among them often none.
        let options = Options::combinations().nth(if seed < 128 { 0 } else { seed % 16 }).expect("a combination");
        let mut losses = loss::all(shape, &targets, Some(number), options);
        losses.extend(loss::soft(shape, Some(number), options));
        let clipping = clip::all(len, if limit.is_nan() { 0.5 } else { limit });
        let operations: Vec<Operation<T>> = losses.into_iter().chain(clipping).collect();
        setting.check(&operations[operation % operations.len()]);
    }
    by_type!(data, target)
}

/// The parallel methods, on slices long enough to be cut into parts, must give the bits of the serial ones.
pub fn parallel(data: &[u8]) {
    fn target<T: Element>(mut bytes: Bytes) {
        let (operation, axis, inner) = (bytes.byte(), bytes.byte(), bytes.byte() % 4 + 1);
        let len = (1 << 16) + 3 * usize::from(u16::from_le_bytes(bytes.take()));
        // Many short rows, or some long ones.
        let axis = if axis < 240 { axis + 1 } else { len / ((axis - 239) * inner) };
        let setting = Setting::<T>::new(bytes);
        let rows = len / (axis * inner) * inner;
        let parameters =
            Parameters { targets: Some((0..rows).map(|r| (r % axis) as u32).collect()), ..Parameters::default() };
        let operations = operations::all(Shape { outer: len / (axis * inner), axis, inner }, &parameters);
        let operation = &operations[operation % operations.len()];
        setting.isa.with(|| {
            let inputs = operation.inputs_from(&setting.numbers);
            let expected = operation.run(&operation.forms[0], &inputs).bits();
            for form in &operation.forms[1..] {
                let actual =
                    operation.run_guarded(form, &inputs, setting.guards, T::rounded(operations::UNTOUCHED)).bits();
                assert!(actual == expected, "{} {} has other bits", operation.title(), form.name);
            }
        });
    }
    by_type!(data, target)
}

/// Lengths and parameters that may be wrong. A wrong one must panic at the caller's line, with the numbers, before
/// anything is written. Right ones must not panic.
pub fn shapes(data: &[u8]) {
    fn target<T: Element>(mut bytes: Bytes) {
        check_parameters(&mut bytes);
        let (rows, axis, inner) = (bytes.byte() % 6, bytes.byte() % 20 + 1, bytes.byte() % 4 + 1);
        let targets: Vec<u32> = (0..rows).map(|_| (bytes.byte() % 24) as u32).collect();
        // Every operation on the smallest tensor, and the loss with these targets too.
        let mut operations: Vec<Operation<T>> = elementwise::all(1);
        operations.extend(softmax::all(Shape { outer: 1, axis, inner }));
        let first_loss = operations.len();
        // Not the mean, which has no output.
        let of_losses = |targets: &[u32]| -> Vec<Operation<T>> {
            let losses = loss::all(Shape::rows_of(axis, targets.len()), targets, Some(1.0), Options::default());
            losses.into_iter().filter(|operation| !operation.outputs.is_empty()).collect()
        };
        operations.extend(of_losses(&[0]));
        let losses = of_losses(&targets);
        let (chosen, form) = (bytes.byte() % operations.len(), bytes.byte());
        let (smallest, is_loss) = (&operations[chosen], chosen >= first_loss);
        let called = if is_loss { &losses[chosen - first_loss] } else { smallest };
        let form = &called.forms[form % called.forms.len()];

        // Lengths are right if all are the same multiple of the smallest ones, and for a loss, if there is a row for
        // each target and each target is a class.
        let mut length = |smallest: &usize| if bytes.byte() < 192 { rows * smallest } else { bytes.byte() };
        let mut inputs: Vec<usize> = smallest.inputs.iter().map(&mut length).collect();
        let outputs: Vec<usize> = smallest.outputs.iter().map(&mut length).collect();
        if let Some(input) = form.overwrites {
            inputs[input] = outputs[0];
        }
        let times = inputs[0] / smallest.inputs[0];
        let mut all = inputs.iter().zip(&smallest.inputs).chain(outputs.iter().zip(&smallest.outputs));
        let is_right = all.all(|(actual, smallest)| *actual == times * smallest)
            && (!is_loss || times == rows && targets.iter().all(|id| (*id as usize) < axis));

        let number = T::rounded(0.7);
        let buffers = |lengths: &[usize]| lengths.iter().map(|len| vec![number; *len]).collect::<Vec<_>>();
        let (read, mut written) = (buffers(&inputs), buffers(&outputs));
        let caught = panics::catch(|| {
            let views: Vec<&[T]> = read.iter().map(Vec::as_slice).collect();
            let mut outputs: Vec<&mut [T]> = written.iter_mut().map(Vec::as_mut_slice).collect();
            (form.call)(&views, &mut outputs);
        });
        let what = format!("{} {}, lengths {inputs:?} and {outputs:?}, targets {targets:?}", smallest.name, form.name);
        assert!(caught.is_none() == is_right, "{what}: {caught:?}");
        if let Some(caught) = caught {
            // The caller is the crate `operations`.
            assert!(caught.file.contains("operations/src"), "{what}: {caught:?}");
            let mut numbers = inputs.iter().chain(&outputs);
            assert!(numbers.any(|len| caught.message.contains(&len.to_string())) || is_loss, "{what}: {caught:?}");
            assert!(written == buffers(&outputs), "{what}: wrote before it panicked");
        }
    }
    by_type!(data, target)
}

/// Parameters that may be impossible, with empty slices. Impossible ones must panic, others must not.
fn check_parameters(bytes: &mut Bytes) {
    let (axis, inner) = (u64::from_le_bytes(bytes.take()) as usize, u64::from_le_bytes(bytes.take()) as usize);
    let caught = panics::catch(|| {
        Softmax::axis(axis, inner).forward_in_place::<f32>(&mut []);
        LogSumExp::axis(axis, inner).forward::<f32>(&[], &mut []);
    });
    let is_possible = axis.checked_mul(inner).is_some();
    assert!(caught.is_none() == is_possible, "axis {axis}, inner {inner}: {caught:?}");
    let number = bytes.double();
    let caught = panics::catch(|| assert!(LeakyRelu::new(number).negative_slope() == number));
    assert!(
        caught.is_none() == (number == 0.0 || number as f32 > 0.0 && number as f32 <= f32::MAX),
        "slope {number:e}: {caught:?}"
    );
    let caught = panics::catch(|| clip_by_value::<f64>(&mut [], number));
    assert!(caught.is_none() == (number >= 0.0), "limit {number:e}: {caught:?}");
}
