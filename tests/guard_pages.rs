//! Proves that no operation reads or writes outside its slices. Every form runs on slices that begin behind, or end
//! before, a page without access: an access outside ends the test with a signal. All forms must also agree bit for bit.
#![cfg(unix)]
#![allow(unsafe_code)]

use activations::{Isa, set_streaming_threshold};
use operations::{Element, Operation, Parameters, Shape};

/// The accessible pages of a [`GuardedPages`]: enough for 1000 gates and 1000 values of `f64`.
const PAGES: usize = 4;

/// [`PAGES`] accessible pages of memory, with a page without access before and behind them.
struct GuardedPages {
    /// The first accessible byte.
    start: *mut u8,
    /// The size of a page.
    page: usize,
}

impl GuardedPages {
    fn new() -> Self {
        // SAFETY: reads a constant of the system.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("the size of a page");
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address that the system chooses.
        let first = unsafe { libc::mmap(std::ptr::null_mut(), (PAGES + 2) * page, libc::PROT_NONE, kind, -1, 0) };
        assert_ne!(first, libc::MAP_FAILED, "mmap failed");
        let start = first.wrapping_byte_add(page);
        // SAFETY: these pages are part of the mapping above.
        assert_eq!(unsafe { libc::mprotect(start, PAGES * page, access) }, 0, "mprotect failed");
        Self { start: start.cast(), page }
    }

    /// The first or the last `len` elements of the accessible memory.
    fn slice<T: Element>(&mut self, len: usize, is_last: bool) -> &mut [T] {
        let (size, accessible) = (len * T::BYTES, PAGES * self.page);
        assert!(size <= accessible, "{size} bytes do not fit {PAGES} pages");
        let start = self.start.wrapping_add(if is_last { accessible - size } else { 0 });
        // SAFETY: both ends are aligned for an element. The memory is borrowed from `self`, and holds zeros or what was
        // written as numbers: any bits are a number.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), len) }
    }
}

impl Drop for GuardedPages {
    fn drop(&mut self) {
        // SAFETY: the whole mapping of `new`. All slices of it borrowed `self`, so none is left.
        unsafe { libc::munmap(self.start.wrapping_sub(self.page).cast(), (PAGES + 2) * self.page) };
    }
}

/// Runs all forms of an operation at both ends of accessible memory, with and without non-temporal stores. All must
/// give the same bits.
fn check<T: Element>(operation: &Operation<T>, memory: &mut [GuardedPages; 5]) {
    for (is_last, threshold) in [(false, usize::MAX), (false, 1), (true, usize::MAX), (true, 1)] {
        set_streaming_threshold(threshold);
        let mut expected: Option<Vec<u64>> = None;
        for form in &operation.forms {
            let mut unused = memory.iter_mut();
            let mut slice = |len: &usize| unused.next().expect("at most five slices").slice::<T>(*len, is_last);
            let mut inputs: Vec<&mut [T]> = operation.inputs.iter().map(&mut slice).collect();
            let mut outputs: Vec<&mut [T]> = operation.outputs.iter().map(&mut slice).collect();
            for (k, input) in inputs.iter_mut().enumerate() {
                for (i, x) in input.iter_mut().enumerate() {
                    *x = T::rounded(((7 * i + 3 * k) % 23) as f64 * 0.37 - 4.0);
                }
            }
            if let Some(input) = form.overwrites {
                outputs[0].copy_from_slice(inputs[input]);
            }
            (form.call)(&inputs.iter().map(|input| &**input).collect::<Vec<_>>(), &mut outputs);
            let bits = outputs.iter().flat_map(|output| output.iter().map(|x| x.bits())).collect();
            assert_eq!(
                *expected.get_or_insert_with(|| Vec::clone(&bits)),
                bits,
                "{} {} differs",
                operation.title(),
                form.name
            );
        }
    }
}

/// All operations of one type on every instruction set. The lengths go beyond any block of elements that a kernel's
/// loop takes at once.
fn every_operation<T: Element>() {
    let (mut memory, parameters) = ([(); 5].map(|()| GuardedPages::new()), Parameters::default());
    for isa in Isa::available() {
        isa.with(|| {
            for len in (0..=80).chain([127, 128, 129, 255, 256, 257, 1000]) {
                let axis = len.max(1);
                let mut operations = operations::all::<T>(Shape::rows_of(axis, len / axis), &parameters);
                if len < 80 {
                    // Several rows, contiguous and interleaved.
                    for (outer, axis, inner) in [(3, axis, 1), (9, axis, 1), (1, axis, 3), (2, 3, axis)] {
                        operations.extend(operations::all(Shape { outer, axis, inner }, &parameters));
                    }
                }
                for operation in &operations {
                    check(operation, &mut memory);
                }
            }
        });
    }
}

#[test]
fn nothing_is_touched_outside_f32() {
    every_operation::<f32>();
}

#[test]
fn nothing_is_touched_outside_f64() {
    every_operation::<f64>();
}
