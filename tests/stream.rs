//! Outputs written past the caches have the bits of those that are not, wherever they begin and end.

mod common;

use activations::*;
use common::{random, same_bits};

/// A number that no operation here gives.
const UNTOUCHED: f32 = 12_345.678;

#[test]
fn streaming_changes_no_bit_and_stays_inside() {
    assert!(streaming_threshold() >= 1 << 20, "a cache of {} bytes", streaming_threshold());
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
                            assert!(outside.into_iter().all(|number| *number == UNTOUCHED), "{context}, outside");
                        }
                    }
                }
            }
            #[cfg(feature = "rayon")]
            {
                // Cut up for threads, which stream each to its own part.
                let x = random(1_000_003, 9.0, 3);
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
