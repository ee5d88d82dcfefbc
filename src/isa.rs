//! Instruction sets: what this CPU has, which one runs, and the one place that switches to it.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use crate::lanes::Simd;

/// An instruction set that the kernels are compiled for.
///
/// The fastest one that the CPU has is chosen once per call. The environment variable
/// `ACTIVATIONS_ISA` (`scalar`, `portable`, `avx2` or `avx512`), read once, forces one for the whole
/// process; [`Isa::with`] forces one for a scope.
///
/// Wherever [`is_fused`](Isa::is_fused) holds, results are the same bits.
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
    /// Plain arrays with a fused `mul_add`: slow, and the mirror that the others are compared with. On a CPU
    /// without that instruction the portable lanes stand in for it, whose bits are those of plain arrays there.
    Scalar,
    /// What the build was compiled for, through the `wide` crate: SSE2 in a plain x86-64 build, NEON
    /// on aarch64, simd128 on wasm where enabled.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512 F, VL, DQ and BW.
    Avx512,
}

thread_local! {
    static SCOPE: Cell<Option<Isa>> = const { Cell::new(None) };
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
        static PROCESS: OnceLock<Isa> = OnceLock::new();
        if let Some(isa) = SCOPE.get() {
            return isa;
        }
        match PROCESS.get() {
            Some(isa) => *isa,
            None => *PROCESS.get_or_init(Isa::for_process),
        }
    }

    #[cold]
    fn for_process() -> Isa {
        let Ok(name) = std::env::var("ACTIVATIONS_ISA") else {
            return if Isa::Avx512.is_available() {
                Isa::Avx512
            } else if Isa::Avx2.is_available() {
                Isa::Avx2
            } else {
                Isa::Portable
            };
        };
        name.parse().ok().filter(|isa: &Isa| isa.is_available()).unwrap_or_else(|| {
            let available: Vec<String> = Isa::available().map(|isa| isa.to_string()).collect();
            panic!("ACTIVATIONS_ISA is `{name}`, but available here are: {}", available.join(", "))
        })
    }

    /// The instruction sets that this CPU has, slowest first.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this CPU has the instruction set.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar | Isa::Portable => true,
            Isa::Avx2 => {
                #[cfg(target_arch = "x86_64")]
                // Exactly the features that `avx2` enables.
                return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
                #[cfg(not(target_arch = "x86_64"))]
                false
            }
            Isa::Avx512 => {
                #[cfg(target_arch = "x86_64")]
                // Exactly the features that `avx512` enables.
                return is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("fma");
                #[cfg(not(target_arch = "x86_64"))]
                false
            }
        }
    }

    /// Whether multiply-add is rounded once: then results have the same bits as on every other such
    /// instruction set, on any machine.
    pub fn is_fused(self) -> bool {
        match self {
            Isa::Scalar => scalar_is_fused(),
            Isa::Portable => crate::lanes::PORTABLE_IS_FUSED,
            Isa::Avx2 | Isa::Avx512 => true,
        }
    }

    /// Runs `work` with every call on this thread, and the parallel work that it starts, on this
    /// instruction set.
    ///
    /// # Panics
    ///
    /// If the instruction set is not available here.
    #[track_caller]
    pub fn with<R>(self, work: impl FnOnce() -> R) -> R {
        assert!(self.is_available(), "instruction set {self} is not available on this CPU");
        struct Restore(Option<Isa>);
        impl Drop for Restore {
            fn drop(&mut self) {
                SCOPE.set(self.0);
            }
        }
        let _restore = Restore(SCOPE.replace(Some(self)));
        work()
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

/// The error of parsing an [`Isa`] from a name that is none.
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

/// Work that is written once for every instruction set.
///
/// Implementations of `run` are `#[inline(always)]`, like all that they call: see [`crate::lanes`].
pub trait Kernel {
    /// What `run` returns.
    type Output;
    /// Does the work with the lanes of one instruction set.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Runs a kernel on the current instruction set.
#[allow(unsafe_code)]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match Isa::current() {
        // SAFETY: `current` gives only what is available, and the features are those of `is_available`.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512::run(kernel) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2::run(kernel) },
        // SAFETY: the feature was just detected.
        #[cfg(target_arch = "x86_64")]
        Isa::Scalar if scalar_is_fused() => unsafe { scalar::run(kernel) },
        #[cfg(target_arch = "aarch64")]
        Isa::Scalar => scalar::run(kernel),
        _ => portable::run(kernel),
    }
}

// Modules are what the compiler works on side by side: one for each instruction set halves the time of a build.

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::Kernel;
    use crate::lanes::Avx512;

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
    #[allow(unsafe_code)]
    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx512::new() })
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::Kernel;
    use crate::lanes::Avx2;

    #[target_feature(enable = "avx2,fma")]
    #[allow(unsafe_code)]
    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx2::new() })
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod scalar {
    use super::Kernel;
    use crate::lanes::Scalar;

    /// With `mul_add` as one instruction.
    #[cfg_attr(target_arch = "x86_64", target_feature(enable = "fma"))]
    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Scalar)
    }
}

mod portable {
    use super::Kernel;
    use crate::lanes::Portable;

    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Portable)
    }
}

/// Whether the `mul_add` of a single number is one instruction.
fn scalar_is_fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}
