//! The one place that switches to an instruction set.
//!
//! A [`Kernel`] is written once, generic over the lanes. [`Level::run`] compiles it for every instruction set and runs
//! it on one of them. A [`Level`] is the proof that the CPU has that one.
//!
//! ```text
//! Level::run(kernel) -> avx512::run, avx2::run, .. with #[target_feature] -> kernel.run(token), inlined into it
//! ```

use crate::lanes::Simd;

/// Work that is compiled for every instruction set.
///
/// Implementations of `run` are `#[inline(always)]`, like all that they call: see [`crate::lanes`].
pub trait Kernel {
    /// What `run` returns.
    type Output;
    /// Does the work with the lanes of one instruction set.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// An instruction set that this CPU has. Only detection makes a value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Set);

/// The instruction sets that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
    Scalar,
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The instructions that the build was compiled for.
    pub const PORTABLE: Level = Level(Set::Portable);

    /// Plain arrays, if the CPU has a fused multiply-add; without one, the portable lanes in their place.
    #[cfg(feature = "scalar")]
    pub fn scalar() -> Option<Level> {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if scalar_is_fused() {
            return Some(Level(Set::Scalar));
        }
        Some(Level::PORTABLE)
    }

    /// None: this build is without the feature `scalar`.
    #[cfg(not(feature = "scalar"))]
    pub fn scalar() -> Option<Level> {
        None
    }

    /// AVX2, FMA and F16C, which CPUs with the first two have too.
    pub fn avx2() -> Option<Level> {
        // Exactly the features that `avx2::run` enables.
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c") {
            return Some(Level(Set::Avx2));
        }
        None
    }

    /// AVX-512 F, VL, DQ and BW, AVX2, FMA and F16C.
    pub fn avx512() -> Option<Level> {
        // Exactly the features that `avx512::run` enables.
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c")
        {
            return Some(Level(Set::Avx512));
        }
        None
    }

    /// Whether this is AVX2 or AVX-512, on which the times of [`crate::cost`] were measured.
    pub fn is_avx(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 | Set::Avx512 => true,
            _ => false,
        }
    }

    /// Runs a kernel on this instruction set.
    #[allow(unsafe_code)]
    #[inline(always)]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: only `Level::avx512` makes this value, where the CPU has the features.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { avx512::run(kernel) },
            // SAFETY: only `Level::avx2` makes this value, where the CPU has the features.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2::run(kernel) },
            // SAFETY: only `Level::scalar` makes this value, where the CPU has the feature.
            #[cfg(all(feature = "scalar", target_arch = "x86_64"))]
            Set::Scalar => unsafe { scalar::run(kernel) },
            #[cfg(all(feature = "scalar", target_arch = "aarch64"))]
            Set::Scalar => scalar::run(kernel),
            Set::Portable => portable::run(kernel),
        }
    }
}

/// Whether `mul_add` of `f32` and `f64` is one instruction on this CPU.
pub fn scalar_is_fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}

// One module for each instruction set: the compiler works on modules in parallel, which halves the time of a build.

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::Kernel;
    use crate::lanes::Avx512;

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c")]
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

    #[target_feature(enable = "avx2,fma,f16c")]
    #[allow(unsafe_code)]
    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        // SAFETY: this function's features are the ones that the token stands for.
        kernel.run(unsafe { Avx2::new() })
    }
}

#[cfg(all(feature = "scalar", any(target_arch = "x86_64", target_arch = "aarch64")))]
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

    #[inline(never)]
    pub fn run<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Portable)
    }
}
