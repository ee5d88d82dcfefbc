//! The public choice of an instruction set: what this CPU has, and which one a call runs on.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::dispatch::{self, Level};
use crate::lanes;

/// An instruction set that the kernels are compiled for.
///
/// The fastest one that the CPU has is chosen once per call. The environment variable
/// `ACTIVATIONS_ISA` (`scalar`, `portable`, `avx2` or `avx512`), read once, forces one for the whole
/// process; [`Isa::with`] forces one for a scope.
///
/// Results have the same bits on all instruction sets for which [`is_fused`](Isa::is_fused) holds.
///
/// ```
/// use activations::{Isa, Sigmoid};
///
/// let x = [-2.0_f32, 0.0, 3.0];
/// let results: Vec<[f32; 3]> = Isa::available()
///     .filter(|isa| isa.is_fused())
///     .map(|isa| {
///         let mut y = [0.0; 3];
///         isa.with(|| Sigmoid.forward(&x, &mut y));
///         y
///     })
///     .collect();
/// assert!(results.iter().all(|y| *y == results[0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Plain arrays with a fused `mul_add`. Slow: tests compare the others with it. Available only with the feature
    /// `scalar`. On a CPU without a fused multiply-add the portable lanes run in its place.
    Scalar,
    /// The instructions that the build was compiled for, through the `wide` crate: SSE2 in a plain x86-64 build, NEON
    /// on aarch64, simd128 on wasm where enabled.
    Portable,
    /// AVX2, FMA and F16C.
    Avx2,
    /// AVX-512 F, VL, DQ and BW.
    Avx512,
}

thread_local! {
    /// The choice of [`Isa::with`] on this thread.
    static SCOPE: Cell<Option<(Isa, Level)>> = const { Cell::new(None) };
}

/// The choice for calls outside of [`Isa::with`].
static PROCESS: OnceLock<(Isa, Level)> = OnceLock::new();

/// The instruction set that a call on this thread runs on now.
///
/// # Panics
///
/// As [`Isa::current`].
#[track_caller]
#[inline(always)]
pub fn level() -> Level {
    current().1
}

#[track_caller]
#[inline(always)]
fn current() -> (Isa, Level) {
    match SCOPE.get() {
        Some(scope) => scope,
        None => match PROCESS.get() {
            Some(process) => *process,
            None => first_call(),
        },
    }
}

#[cold]
#[track_caller]
fn first_call() -> (Isa, Level) {
    *PROCESS.get_or_init(|| {
        let isa = Isa::for_process();
        (isa, isa.level().expect("an available instruction set"))
    })
}

impl Isa {
    const ALL: [Isa; 4] = [Isa::Scalar, Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// The instruction set that a call on this thread runs on now.
    ///
    /// # Panics
    ///
    /// If `ACTIVATIONS_ISA` names no instruction set, or one that is not available here.
    #[track_caller]
    pub fn current() -> Isa {
        current().0
    }

    fn for_process() -> Isa {
        let Ok(name) = std::env::var("ACTIVATIONS_ISA") else {
            let fastest = [Isa::Avx512, Isa::Avx2].into_iter().find(|isa| isa.is_available());
            return fastest.unwrap_or(Isa::Portable);
        };
        name.parse().ok().filter(|isa: &Isa| isa.is_available()).unwrap_or_else(|| {
            let available: Vec<String> = Isa::available().map(|isa| isa.to_string()).collect();
            panic!("ACTIVATIONS_ISA is `{name}`, but available here are: {}", available.join(", "))
        })
    }

    /// The proof that this CPU has the instruction set, if it does.
    fn level(self) -> Option<Level> {
        match self {
            Isa::Scalar => Level::scalar(),
            Isa::Portable => Some(Level::PORTABLE),
            Isa::Avx2 => Level::avx2(),
            Isa::Avx512 => Level::avx512(),
        }
    }

    /// The instruction sets that this CPU has, slowest first.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this CPU and this build have the instruction set.
    pub fn is_available(self) -> bool {
        self.level().is_some()
    }

    /// Whether multiply-add rounds once. Results then have the same bits as on every other such instruction set, on any
    /// machine.
    pub fn is_fused(self) -> bool {
        match self {
            Isa::Scalar => dispatch::scalar_is_fused(),
            Isa::Portable => lanes::PORTABLE_IS_FUSED,
            Isa::Avx2 | Isa::Avx512 => true,
        }
    }

    /// Runs `work`. Every call that it makes on this thread runs on this instruction set, and so does the parallel work of
    /// these calls.
    ///
    /// The scope belongs to the thread. A closure that `rayon::join` or another library moves to another thread runs there
    /// on the instruction set of that thread, and a thread that waits inside the scope may run a foreign job with it.
    ///
    /// # Panics
    ///
    /// If the instruction set is not available here.
    #[track_caller]
    pub fn with<R>(self, work: impl FnOnce() -> R) -> R {
        let Some(level) = self.level() else { panic!("instruction set {self} is not available on this CPU") };
        struct Restore(Option<(Isa, Level)>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SCOPE.set(self.0);
            }
        }
        let _restore = Restore(SCOPE.replace(Some((self, level))));
        work()
    }
}

#[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Isa {
    /// The result of `work`, and the number of instructions in its calls on [`Isa::Scalar`] that an Intel CPU would hand
    /// to microcode, because an operand or the result is subnormal. For tests, with the feature `scalar`. Counts on this
    /// thread alone.
    pub fn count_assists<R>(work: impl FnOnce() -> R) -> (R, u64) {
        lanes::count_assists(|| Isa::Scalar.with(work))
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Isa::Scalar => "scalar",
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        })
    }
}

/// The error of parsing an [`Isa`]: the name is not that of an instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownIsa;

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown instruction set: expected scalar, portable, avx2 or avx512")
    }
}

impl std::error::Error for UnknownIsa {}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Isa, UnknownIsa> {
        Isa::ALL.into_iter().find(|isa| isa.to_string() == name).ok_or(UnknownIsa)
    }
}
