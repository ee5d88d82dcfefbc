//! The one place that switches to an instruction set.
//!
//! A [`Kernel`] is written once, generic over the lanes. [`Level::run`] compiles it for every instruction set and runs it
//! on one that the CPU has: a [`Level`] is the proof of that.

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

/// An instruction set that this CPU has.
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
    /// What the build was compiled for.
    pub const PORTABLE: Level = Level(Set::Portable);

    /// Plain arrays with a fused `mul_add`, or what stands in for them where the CPU has no such instruction.
    #[cfg(feature = "scalar")]
    pub fn scalar() -> Option<Level> {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if scalar_is_fused() {
            return Some(Level(Set::Scalar));
        }
        Some(Level::PORTABLE)
    }

    /// Scalar lanes are for tests, and not in this build.
    #[cfg(not(feature = "scalar"))]
    pub fn scalar() -> Option<Level> {
        None
    }

    /// AVX2 and FMA.
    pub fn avx2() -> Option<Level> {
        // Exactly the features that `avx2::run` enables.
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Some(Level(Set::Avx2));
        }
        None
    }

    /// AVX-512 F, VL, DQ and BW, AVX2 and FMA.
    pub fn avx512() -> Option<Level> {
        // Exactly the features that `avx512::run` enables.
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
        {
            return Some(Level(Set::Avx512));
        }
        None
    }

    /// Whether it is AVX2 or AVX-512, whose speed the cost model is about.
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

/// Whether the `mul_add` of a single number is one instruction.
pub fn scalar_is_fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
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
