//! What several test files share.
#![allow(dead_code)]

/// Pseudo-random numbers in [-scale, scale).
pub fn random(len: usize, scale: f32, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
        })
        .collect()
}

/// The same numbers in `f64`.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| x.into()).collect()
}

/// Equal bits, any NaN being equal to any other.
pub fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

/// Edge values, log-spaced values of both signs and pseudo-random bit patterns.
pub fn inputs() -> Vec<f32> {
    let mut x = vec![0.0, -0.0, f32::MIN_POSITIVE, f32::from_bits(1), 1e-40, f32::MAX, f32::INFINITY, f32::NAN];
    x.extend([
        1.0, 9.0, 9.01, 9.09, 9.1, 12.0, 16.6, 87.0, 87.3, 87.4, 88.0, 88.7, 88.8, 100.0, 103.9, 104.0, 110.0, 1e9,
    ]);
    x.extend((0..20_000).map(|i| 2_f32.powf(i as f32 / 20_000.0 * 276.0 - 149.0)));
    x.extend((0..20_000).map(|i| i as f32 * 0.0055));
    let mut state = 1_u32;
    for _ in 0..100_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        x.push(f32::from_bits(state));
    }
    let negative: Vec<f32> = x.iter().map(|x| -x).collect();
    x.extend(negative);
    x
}
