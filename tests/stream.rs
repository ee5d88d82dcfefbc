//! Proves that non-temporal stores change no bit and write nothing outside the output, wherever it begins and ends. The
//! activations run with a threshold of `usize::MAX` bytes, above which no output is, and of 1, above which every output
//! is.

mod common;

use activations::*;
use common::{UNTOUCHED, random, same_bits};

#[test]
fn non_temporal_stores_change_no_bit_and_stay_inside() {
    assert!(streaming_threshold() >= 1 << 20, "the threshold is {} bytes, less than a cache", streaming_threshold());
    let (x, dy) = (random(700, 9.0, 1), random(700, 1.0, 2));
    for isa in Isa::available() {
        isa.with(|| {
            for act in ACTIVATIONS {
                for start in 0..17 {
                    for len in (0..66).chain([127, 128, 129, 500, 640]) {
                        let (x, dy) = (&x[start..start + len], &dy[..len]);
                        let both = [usize::MAX, 1].map(|threshold| {
                            set_streaming_threshold(threshold);
                            assert_eq!(streaming_threshold(), threshold);
                            let (mut y, mut dx) =
                                (vec![UNTOUCHED; start + len + 20], vec![UNTOUCHED; start + len + 20]);
                            act.forward(x, &mut y[start..start + len]);
                            act.backward(x, dy, &mut dx[start..start + len]);
                            [y, dx]
                        });
                        for (cached, streamed) in both[0].iter().zip(&both[1]) {
                            let context = format!("{isa} {}: {len} elements from {start}", act.name());
                            assert!(same_bits(cached, streamed), "{context}");
                            let outside = streamed[..start].iter().chain(&streamed[start + len..]);
                            assert!(
                                outside.into_iter().all(|number| *number == UNTOUCHED),
                                "{context}: written outside"
                            );
                        }
                    }
                }
            }
            #[cfg(feature = "rayon")]
            {
                // So long that threads take parts of it.
                let x: Vec<f32> = random(1_000_003, 9.0, 3);
                let (mut y, mut par_y) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                set_streaming_threshold(usize::MAX);
                LeakyRelu::new(0.1).forward(&x, &mut y);
                set_streaming_threshold(1);
                LeakyRelu::new(0.1).par_forward(&x, &mut par_y);
                assert!(same_bits(&y, &par_y), "{isa}");
            }
        });
    }
}
