//! Softmax, log-softmax and log-sum-exp. The work is done by `fuzz/src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| activations_fuzz::rows(data));
