//! Proves that the public judge finds what is wrong with an activation, that no kernel of another crate leaves memory
//! uninitialised, and that the functions of the public lanes have the
//! bits of the activations whose names they have.

use activations::custom::{Definition, Lanes, private};
use activations::{Activation, ActivationExt, Erf, Exp, Isa, Saved, Sigmoid, Softplus, Tanh, judge};
use operations::uninit;

/// What is wrong with a [`Faulty`].
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Value,
    Tail,
    Range,
    Gradient,
    Slope,
}

/// The tanh, with a fault.
#[derive(Clone, Copy)]
struct Faulty(Fault);

impl Definition for Faulty {
    const NAME: &'static str = "faulty";
    const MAX_ULP: [f64; 2] = [2.0, 2.5];
    const MAX_ULP_F64: [f64; 2] = [2.5, 2.5];

    fn range(self) -> [f64; 2] {
        if self.0 == Fault::Range { [-1.0, 0.75] } else { [-1.0, 1.0] }
    }
    fn reference(self, x: f64) -> f64 {
        Tanh.reference(x)
    }
    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        let dx = Tanh.reference_gradient(y, dy);
        if self.0 == Fault::Slope { dx * (1.0 + 1e-7) } else { dx }
    }

    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        let y = if self.0 == Fault::Value { x.tanh() * x.splat(1.000_001) } else { x.tanh() };
        let is_small = x.abs().lt(x.splat(1e-30));
        if self.0 == Fault::Tail { L::select(is_small, x.splat(0.0), y) } else { y }
    }
    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, dy: L) -> L {
        let slope = (y.splat(1.0) - y) * (y.splat(1.0) + y);
        if self.0 == Fault::Gradient { slope * dy * y.splat(1.000_001) } else { slope * dy }
    }
}

activations::activation!(Faulty);

/// The message of the judge, or nothing if it finds no fault.
fn verdict(fault: Fault) -> String {
    let judged = std::panic::catch_unwind(|| judge::assert_right(&Faulty(fault)));
    judged.err().map_or(String::new(), |panic| panic.downcast_ref::<String>().expect("a message").clone())
}

#[test]
fn the_judge_finds_faults() {
    assert_eq!(verdict(Fault::None), "");
    for (fault, message) in [
        (Fault::Value, "bound 2"),
        (Fault::Tail, "= 0.0, not"),
        (Fault::Range, "outside"),
        (Fault::Gradient, "gradient, saved"),
        (Fault::Slope, "the slope of the reference"),
    ] {
        let verdict = verdict(fault);
        assert!(verdict.contains(message), "`{verdict}` should have `{message}`");
    }
}

/// An activation whose kernels write nothing, made without the macro.
struct Idle;

impl private::Kernels for Idle {
    fn cost(&self) -> private::Cost {
        private::Cost::FUNCTION
    }
    fn forward_f32(&self, _: private::InstructionSet, _: &mut private::Views<f32, 1>) {}
    fn backward_f32(&self, _: private::InstructionSet, _: &mut private::Views<f32, 2>) {}
    #[cfg(feature = "f64")]
    fn forward_f64(&self, _: private::InstructionSet, _: &mut private::Views<f64, 1>) {}
    #[cfg(feature = "f64")]
    fn backward_f64(&self, _: private::InstructionSet, _: &mut private::Views<f64, 2>) {}
}

impl Activation for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }
    fn max_ulp(&self, _: u32, _: bool) -> f64 {
        0.0
    }
    fn gradient_ulp(&self) -> f64 {
        0.0
    }
    fn gradient_tail(&self) -> f64 {
        0.0
    }
    fn saved(&self) -> Saved {
        Saved::Output
    }
    fn range(&self) -> [f64; 2] {
        [0.0; 2]
    }
    fn reference(&self, _: f64) -> f64 {
        0.0
    }
    fn reference_gradient(&self, _: f64, _: f64) -> f64 {
        0.0
    }
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }
}

#[test]
fn no_kernel_leaves_an_output_uninitialised() {
    let mut y = [7.0_f32; 300];
    assert_eq!(Idle.forward_uninit(&[1.0; 300], uninit(&mut y)), [0.0; 300]);
    // What a kernel has written is not overwritten.
    let mut y = [7.0_f32; 300];
    assert_eq!(Faulty(Fault::None).forward_uninit(&[100.0; 300], uninit(&mut y)), [1.0; 300]);
}

/// A function of the public lanes.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    Sigmoid,
    Tanh,
    Softplus,
    Erf,
}

impl Definition for Function {
    const NAME: &'static str = "function";
    const MAX_ULP: [f64; 2] = [2.5, 3.2];
    const MAX_ULP_F64: [f64; 2] = [2.5, 3.2];

    fn reference(self, x: f64) -> f64 {
        self.same().reference(x)
    }
    fn reference_gradient(self, y: f64, dy: f64) -> f64 {
        self.same().reference_gradient(y, dy)
    }
    #[inline(always)]
    fn value<L: Lanes>(self, x: L) -> L {
        match self {
            Function::Exp => x.exp(),
            Function::Sigmoid => x.sigmoid(),
            Function::Tanh => x.tanh(),
            Function::Softplus => x.softplus(),
            Function::Erf => x.erf(),
        }
    }
    #[inline(always)]
    fn gradient<L: Lanes>(self, y: L, _: L) -> L {
        y
    }
}

activations::activation!(Function);

impl Function {
    /// The activation with the same bits.
    fn same(self) -> &'static dyn Activation {
        match self {
            Function::Exp => &Exp,
            Function::Sigmoid => &Sigmoid,
            Function::Tanh => &Tanh,
            Function::Softplus => const { &Softplus::new(1.0) },
            Function::Erf => &Erf,
        }
    }
}

#[test]
fn functions_have_the_bits_of_the_activations() {
    // Ordinary numbers and hard ones meet in a lane value in every order.
    let single = judge::inputs();
    let double: Vec<f64> = single.iter().map(|x| f64::from(*x) * 8.0).collect();
    for function in [Function::Exp, Function::Sigmoid, Function::Tanh, Function::Softplus, Function::Erf] {
        for isa in Isa::available() {
            isa.with(|| {
                let [mut actual, mut expected] = [single.clone(), single.clone()];
                function.forward_in_place(&mut actual);
                function.same().forward_in_place(&mut expected);
                let is_same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(actual.iter().zip(&expected).all(is_same), "{isa} {} in f32", function.same().name());

                let [mut actual, mut expected] = [double.clone(), double.clone()];
                function.forward_in_place(&mut actual);
                function.same().forward_in_place(&mut expected);
                let is_same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(actual.iter().zip(&expected).all(is_same), "{isa} {} in f64", function.same().name());
            });
        }
    }
}
