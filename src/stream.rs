//! When outputs are written past the caches.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What the threshold is where the machine does not tell the size of its last-level cache.
const DEFAULT: usize = 32 << 20;

/// The threshold, or 0 where it was not yet asked for.
static THRESHOLD: AtomicUsize = AtomicUsize::new(0);

/// The size in bytes above which an output slice is written past the caches.
///
/// [`Relu`](crate::Relu), [`LeakyRelu`](crate::LeakyRelu) and every gradient do so ("non-temporal stores"), on AVX2 and
/// AVX-512, unless they work in place. It saves reading the output's memory first: a third of the time and more
/// (`cargo run --release -p parallel`). Whoever reads the output right after finds none of it in the caches. Results are the
/// same. Other functions compute for longer than memory takes, and gain nothing.
///
/// By default it is the size of the last-level cache, where Linux tells it, or else 32 MiB.
pub fn streaming_threshold() -> usize {
    match THRESHOLD.load(Ordering::Relaxed) {
        0 => {
            let bytes = last_level_cache().unwrap_or(DEFAULT);
            set_streaming_threshold(bytes);
            bytes
        }
        bytes => bytes,
    }
}

/// Sets the [`streaming_threshold`] for the process; `usize::MAX` keeps every output in the caches.
///
/// ```
/// activations::set_streaming_threshold(usize::MAX);
/// ```
pub fn set_streaming_threshold(bytes: usize) {
    THRESHOLD.store(bytes.max(1), Ordering::Relaxed);
}

/// The bytes of the largest cache of the first CPU.
fn last_level_cache() -> Option<usize> {
    let sizes = (0..8).map_while(|index| {
        let size = std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size")).ok()?;
        size.trim().strip_suffix('K')?.parse::<usize>().ok()
    });
    sizes.max().map(|kibibytes| kibibytes << 10)
}
