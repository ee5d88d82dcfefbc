//! The size above which outputs are written with non-temporal stores.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The threshold where the system does not tell the size of the last-level cache.
const DEFAULT: usize = 32 << 20;

/// The smallest threshold that is the size of a last-level cache.
const LEAST: usize = 1 << 20;

/// The threshold, or 0 before its first use.
static THRESHOLD: AtomicUsize = AtomicUsize::new(0);

/// The size in bytes above which an output slice is written with non-temporal stores.
///
/// [`Relu`](crate::Relu), [`LeakyRelu`](crate::LeakyRelu) and every gradient of an activation then use non-temporal
/// stores, on AVX2 and AVX-512, unless they work in place. An ordinary store reads the output's memory first, a
/// non-temporal one does not: that saves a third of the time and more (`cargo run --release -p parallel`). The price is
/// that the output is not in the caches when it is read next. Results are the same. Other functions compute for longer
/// than memory takes, and would gain nothing.
///
/// The default is the size of the last-level cache or eight times that of the second-level cache, whichever is smaller, if
/// Linux tells them, and 32 MiB otherwise. In a virtual machine the last-level cache is shared with others, so that less of
/// it is to be had than it says.
pub fn streaming_threshold() -> usize {
    match THRESHOLD.load(Ordering::Relaxed) {
        0 => {
            let bytes = if cfg!(miri) { None } else { from_caches() }.unwrap_or(DEFAULT);
            set_streaming_threshold(bytes);
            bytes
        }
        bytes => bytes,
    }
}

/// Whether an output of this size is above the threshold. The system is asked for its cache only if the output is larger
/// than the first-level and second-level caches of any CPU, so that a program without such outputs opens no file.
#[inline(always)]
pub(crate) fn is_above_threshold(bytes: usize) -> bool {
    match THRESHOLD.load(Ordering::Relaxed) {
        0 => bytes > LEAST && bytes > streaming_threshold(),
        threshold => bytes > threshold,
    }
}

/// Sets the [`streaming_threshold`] for the process. With `usize::MAX` no store is non-temporal.
///
/// ```
/// activations::set_streaming_threshold(usize::MAX);
/// ```
pub fn set_streaming_threshold(bytes: usize) {
    THRESHOLD.store(bytes.max(1), Ordering::Relaxed);
}

/// The default threshold from the caches of CPU 0, by Linux's sysfs.
fn from_caches() -> Option<usize> {
    let read = |index: u32, file: &str| {
        std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{file}")).ok()
    };
    let caches: Vec<(u32, usize)> = (0..8)
        .map_while(|index| {
            let level = read(index, "level")?.trim().parse().ok()?;
            let kibibytes: usize = read(index, "size")?.trim().strip_suffix('K')?.parse().ok()?;
            Some((level, kibibytes << 10))
        })
        .collect();
    let largest = caches.iter().map(|(_, size)| *size).max()?;
    let second_level = caches.iter().find(|(level, _)| *level == 2).map(|(_, size)| 8 * size);
    Some(largest.min(second_level.unwrap_or(largest)))
}
