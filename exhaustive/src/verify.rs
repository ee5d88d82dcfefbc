//! Checks the oracle: double-double arithmetic against arithmetic of 192 bits.

use activations::ACTIVATIONS;
use astro_float::{BigFloat, Consts, RoundingMode};
use operations::TrueValue;

/// Asserts by arithmetic of 192 bits that the formulas of the oracle are accurate to 90 bits and the references to 4 ulp of
/// `f64`.
pub fn run() {
    const BITS: usize = 192;
    const ROUND: RoundingMode = RoundingMode::ToEven;
    let mut constants = Consts::new().expect("constants");
    let big = |x| BigFloat::from_f64(x, BITS);

    // Both signs, from 2^-60 to where exp overflows.
    let x = (0..4000).map(|i| 2_f64.powf(f64::from(i / 2) * 0.034_73 - 60.0) * if i % 2 == 0 { 1.0 } else { -1.0 });
    for x in x.filter(|x| x.abs() < 745.0) {
        for act in ACTIVATIONS {
            let one = big(1.0);
            let expected = match act.name() {
                "exp" => big(x).exp(BITS, ROUND, &mut constants),
                "sigmoid" => one.div(&one.add(&big(-x).exp(BITS, ROUND, &mut constants), BITS, ROUND), BITS, ROUND),
                "tanh" => big(x).tanh(BITS, ROUND, &mut constants),
                _ => continue,
            };
            let exact = TrueValue::of(*act, x);
            let of_reference = exact.error(act.reference(x));
            assert!(of_reference <= 4.0, "the reference of {}({x:e}) is {of_reference} ulp off", act.name());
            let (value, exponent) = exact.parts();
            let mut actual = big(value.hi).add(&big(value.lo), BITS, ROUND);
            actual.set_exponent(actual.exponent().expect("a number") + exponent);
            let error = actual.sub(&expected, BITS, ROUND).abs();
            let bound = expected.abs().mul(&big(2_f64.powi(-90)), BITS, ROUND);
            assert!(error <= bound, "{}({x:e}) is {actual}, not {expected}", act.name());
        }
    }
}
