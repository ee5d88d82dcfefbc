//! The output of `forward_uninit` from initialised memory. All unsafe code for tests of that method is here.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// A slice as the output of `forward_uninit`. For no other use: the caller must write only numbers.
pub fn uninit<T: Copy>(slice: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: `T` and `MaybeUninit<T>` have the same layout. The slice must hold initialised numbers when the borrow
    // ends: `forward_uninit` writes initialised numbers only, and has written nothing if it panics.
    unsafe { &mut *(slice as *mut [T] as *mut [MaybeUninit<T>]) }
}
