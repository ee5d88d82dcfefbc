//! Proves that tests run on every instruction set of this machine, the scalar lanes included: `Isa::with` selects it
//! and a method computes on it. Prints which they are.

use activations::{Isa, Sigmoid};

#[test]
fn tests_have_scalar_lanes_and_run_on_every_instruction_set() {
    // Without scalar lanes most tests would compare nothing and pass.
    assert!(Isa::Scalar.is_available(), "this test build is without the feature `scalar`");
    let available: Vec<Isa> = Isa::available().collect();
    assert!(available.contains(&Isa::Portable), "portable lanes are everywhere");
    for isa in [Isa::Scalar, Isa::Portable, Isa::Avx2, Isa::Avx512] {
        assert_eq!(available.contains(&isa), isa.is_available(), "{isa}");
    }
    for isa in available {
        let mut y = [0.0_f32, f32::INFINITY];
        isa.with(|| {
            assert_eq!(Isa::current(), isa);
            Sigmoid.forward_in_place(&mut y);
        });
        assert_eq!(y, [0.5, 1.0], "{isa}");
        println!("{isa} ran, {} fused multiply-add", if isa.is_fused() { "with" } else { "without" });
    }
}
