//! The time of an activation of one's own beside one of the crate, in this build: `cargo run -p custom`, with `--release`
//! and without.

use std::time::Instant;

use activations::{Activation, Isa, Mish};
use custom::TanhExp;

fn main() {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("{build} build on {}, 65536 f32, ns an element:", Isa::current());
    for act in [&TanhExp as &dyn Activation, &Mish] {
        println!("{:10} {:8.3}", act.name(), time_of(act));
    }
}

/// The shortest of several calls.
fn time_of(act: &dyn Activation) -> f64 {
    let x: Vec<f32> = (0..65_536).map(|i| (i % 1000) as f32 * 0.02 - 10.0).collect();
    let mut y = vec![0.0; x.len()];
    let call = |_| {
        let start = Instant::now();
        act.forward(&x, &mut y);
        start.elapsed().as_nanos()
    };
    (0..21).map(call).min().expect("a call") as f64 / x.len() as f64
}
