//! The only unsafe code that tests of `forward_uninit` need.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// A slice as the output of `forward_uninit`. Use it for that alone.
pub fn uninit<T: Copy>(slice: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: both types have one layout. The slice must still hold numbers after this borrow: `forward_uninit` writes
    // numbers and nothing else, and where it panics it has written nothing.
    unsafe { &mut *(slice as *mut [T] as *mut [MaybeUninit<T>]) }
}
