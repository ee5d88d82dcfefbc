//! Wrong lengths and parameters. The work is done by `fuzz/src/lib.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| activations_fuzz::shapes(data));
