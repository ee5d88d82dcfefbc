//! Every operation in every form on slices that begin or end where a page begins that may not be touched.
//!
//! What is read or written outside ends the test with a signal.
#![cfg(unix)]
#![allow(unsafe_code)]

use activations::{Isa, set_streaming_threshold};
use operations::{Element, Operation, Parameters, Shape};

/// Memory with a forbidden page before and after.
struct Fence {
    start: *mut u8,
    page: usize,
}

/// Pages between the forbidden ones.
const PAGES: usize = 2;

impl Fence {
    fn new() -> Self {
        // SAFETY: asks for a number.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("the size of a page");
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, wherever there is room for it.
        let first = unsafe { libc::mmap(std::ptr::null_mut(), (PAGES + 2) * page, libc::PROT_NONE, kind, -1, 0) };
        assert_ne!(first, libc::MAP_FAILED, "no memory");
        let start = first.wrapping_byte_add(page);
        // SAFETY: pages of the memory that was just given.
        assert_eq!(unsafe { libc::mprotect(start, PAGES * page, access) }, 0, "no access");
        Self { start: start.cast(), page }
    }

    /// The first or the last elements between the forbidden pages.
    fn slice<T: Element>(&mut self, len: usize, is_last: bool) -> &mut [T] {
        let (size, room) = (len * T::BYTES, PAGES * self.page);
        assert!(size <= room);
        let start = self.start.wrapping_add(if is_last { room - size } else { 0 });
        // SAFETY: both ends are multiples of the element's size, the memory between them is this fence's own, filled with
        // zeros or with numbers, and any bits are a number.
        unsafe { std::slice::from_raw_parts_mut(start.cast(), len) }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        // SAFETY: what `new` was given, which nobody borrows any more.
        unsafe { libc::munmap(self.start.wrapping_sub(self.page).cast(), (PAGES + 2) * self.page) };
    }
}

/// Runs all forms of an operation at both ends, past the caches or not: they agree.
fn check<T: Element>(operation: &Operation<T>, fences: &mut [Fence; 4]) {
    for (is_last, threshold) in [(false, usize::MAX), (false, 1), (true, usize::MAX), (true, 1)] {
        set_streaming_threshold(threshold);
        let mut expected: Option<Vec<u64>> = None;
        for form in &operation.forms {
            let mut free = fences.iter_mut();
            let mut slice = |len: &usize| free.next().expect("a fence").slice::<T>(*len, is_last);
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
            assert_eq!(*expected.get_or_insert_with(|| Vec::clone(&bits)), bits, "{} {}", operation.name, form.name);
        }
    }
}

/// All operations of both types, of each length up to more than any block of a driver.
fn everywhere<T: Element>() {
    let (mut fences, parameters) = ([(); 4].map(|()| Fence::new()), Parameters::default());
    for isa in Isa::available() {
        isa.with(|| {
            for len in (0..=80).chain([127, 128, 129, 255, 256, 257, 1000]) {
                let axis = len.max(1);
                let mut operations = operations::all::<T>(Shape::rows_of(axis, len / axis), &parameters);
                if len < 80 {
                    // Some rows, one after the other and interleaved.
                    for (outer, axis, inner) in [(3, axis, 1), (9, axis, 1), (1, axis, 3), (2, 3, axis)] {
                        operations.extend(operations::all(Shape { outer, axis, inner }, &parameters));
                    }
                }
                for operation in &operations {
                    check(operation, &mut fences);
                }
            }
        });
    }
}

#[test]
fn nothing_is_touched_outside_f32() {
    everywhere::<f32>();
}

#[test]
fn nothing_is_touched_outside_f64() {
    everywhere::<f64>();
}
