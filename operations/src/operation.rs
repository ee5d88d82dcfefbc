//! An operation: its methods, the lengths of its slices, its bound, and a judge of its results.

use activations::Isa;

use crate::{Bound, Element};

/// A number for outputs before a call: tests recognise by it the elements that a call did not write. The inputs of
/// those tests are such that no result equals it.
pub const UNTOUCHED: f64 = -77.5;

/// Calls a method with these inputs and outputs. Returns the norm, or 0 if the method returns none.
pub type Call<T> = Box<dyn Fn(&[&[T]], &mut [&mut [T]]) -> f64 + Send + Sync>;

/// Makes the first input of an operation from arbitrary numbers: for a gradient, the result of `forward` on them.
pub type FirstInput<T> = Box<dyn Fn(&[T]) -> Vec<T> + Send + Sync>;

/// Panics unless outputs and norm are right for the inputs.
pub type Judge<T> = Box<dyn Fn(&[&[T]], &[&[T]], f64) + Send + Sync>;

/// A method that computes an operation: serial or parallel, in place or not.
pub struct Form<T> {
    /// The method's name.
    pub name: &'static str,
    /// For a method in place, the index of the input that its first output overwrites. The call expects the numbers of
    /// that input in that output, and ignores the input.
    pub overwrites: Option<usize>,
    /// Calls the method.
    pub call: Call<T>,
}

impl<T> Form<T> {
    /// Whether the method runs on rayon's pool.
    pub fn is_parallel(&self) -> bool {
        self.name.starts_with("par_")
    }
}

/// What an operation works on. Tests and benches choose sizes by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Each element by itself.
    Elementwise,
    /// The rows of a tensor along any axis.
    Axis,
    /// All elements together.
    Reduction,
}

/// A public function of the crate on tensors of one shape, with all methods that compute it.
pub struct Operation<T> {
    /// The public type or function, as the README's table names it.
    pub item: &'static str,
    /// The name: unique among the operations of one set of parameters.
    pub name: String,
    /// Parameters and shape, for messages.
    pub parameters: String,
    /// What the operation works on.
    pub family: Family,
    /// The bound on the error of a result, which the judge enforces.
    pub bound: Bound,
    /// The elements of a row, or 1 where elements are by themselves.
    pub row_len: usize,
    /// The length of each input.
    pub inputs: Vec<usize>,
    /// The length of each output.
    pub outputs: Vec<usize>,
    /// Makes the first input from arbitrary numbers.
    pub first_input: FirstInput<T>,
    /// All methods that compute the operation. The first is serial, and the others are compared with it.
    pub forms: Vec<Form<T>>,
    /// Compares results with a reference of higher precision.
    pub judge: Judge<T>,
}

/// The outputs of a call, and the norm that the call returned.
pub struct Results<T> {
    /// The outputs in their order.
    pub outputs: Vec<Vec<T>>,
    /// The norm, or 0 if the method returns none.
    pub norm: f64,
}

impl<T: Element> Results<T> {
    /// The bits of all outputs and of the norm.
    pub fn bits(&self) -> Vec<u64> {
        self.outputs.iter().flatten().map(|x| x.bits()).chain([self.norm.bits()]).collect()
    }
}

impl<T: Element> Operation<T> {
    /// Name, parameters and the current instruction set, for messages.
    pub fn title(&self) -> String {
        format!("{} {} on {}", self.name, self.parameters, Isa::current())
    }

    /// Inputs of the right lengths that repeat `numbers`: forwards in the first and third input, backwards in the
    /// second.
    pub fn inputs_from(&self, numbers: &[T]) -> Vec<Vec<T>> {
        let cycle = |(k, len): (usize, &usize)| -> Vec<T> {
            let at = |i: usize| if k % 2 == 0 { i } else { numbers.len() - 1 - i };
            (0..*len).map(|i| numbers[at(i % numbers.len())]).collect()
        };
        let mut inputs: Vec<Vec<T>> = self.inputs.iter().enumerate().map(cycle).collect();
        inputs[0] = (self.first_input)(&inputs[0]);
        inputs
    }

    /// Calls a form on slices that begin `before` elements behind the start of an allocation. Outputs, and the `before`
    /// and `after` elements around them, are filled with `initial`.
    ///
    /// # Panics
    ///
    /// If the call writes outside its outputs.
    pub fn run_guarded(
        &self,
        form: &Form<T>,
        inputs: &[Vec<T>],
        [before, after]: [usize; 2],
        initial: T,
    ) -> Results<T> {
        let mut guarded: Vec<Vec<T>> = self.outputs.iter().map(|len| vec![initial; before + len + after]).collect();
        if let Some(input) = form.overwrites {
            guarded[0][before..before + inputs[input].len()].copy_from_slice(&inputs[input]);
        }
        let sizes = guarded.iter_mut().zip(&self.outputs);
        let mut outputs: Vec<&mut [T]> = sizes.map(|(guarded, len)| &mut guarded[before..before + len]).collect();
        // Inputs end where their allocation ends, so that AddressSanitizer sees a read beyond them.
        let shifted: Vec<Vec<T>> = inputs.iter().map(|input| [&vec![initial; before][..], input].concat()).collect();
        let views: Vec<&[T]> = shifted.iter().map(|input| &input[before..]).collect();
        let norm = (form.call)(&views, &mut outputs);
        for (guarded, len) in guarded.iter_mut().zip(&self.outputs) {
            let mut outside = guarded[..before].iter().chain(&guarded[before + len..]);
            assert!(
                outside.all(|x| x.bits() == initial.bits()),
                "{} {} wrote outside its outputs",
                self.title(),
                form.name
            );
            guarded.drain(..before);
            guarded.truncate(*len);
        }
        Results { outputs: guarded, norm }
    }

    /// Calls a form on slices that begin where an allocation begins and have nothing behind them.
    pub fn run(&self, form: &Form<T>, inputs: &[Vec<T>]) -> Results<T> {
        self.run_guarded(form, inputs, [0, 0], T::default())
    }

    /// Panics unless the results are right.
    pub fn assert_right(&self, inputs: &[Vec<T>], results: &Results<T>) {
        let [inputs, outputs] =
            [inputs, &results.outputs].map(|slices| slices.iter().map(Vec::as_slice).collect::<Vec<_>>());
        (self.judge)(&inputs, &outputs, results.norm);
    }

    /// Panics unless all forms give the same right results, bit for bit, and write nothing outside their outputs.
    /// Slices begin as in [`Self::run_guarded`]. Returns the results.
    pub fn check(&self, inputs: &[Vec<T>], guards: [usize; 2]) -> Results<T> {
        // Other initial numbers than below: results must not depend on what the outputs held.
        let expected = self.run_guarded(&self.forms[0], inputs, guards, T::rounded(UNTOUCHED));
        for form in &self.forms[1..] {
            let actual = self.run_guarded(form, inputs, guards, T::rounded(f64::NAN));
            assert!(
                actual.bits() == expected.bits(),
                "{} {} differs from {}",
                self.title(),
                form.name,
                self.forms[0].name
            );
        }
        self.assert_right(inputs, &expected);
        expected
    }
}

/// `forms![operation [variables] => method twin [inputs] [outputs] (arguments) overwritten, ..]`: the forms of methods
/// and of their parallel twins. `inputs` and `outputs` name the slices that the arguments use, `variables` whatever
/// else they use. `overwritten`, only for a method in place, is the index of the input that the first output
/// overwrites.
macro_rules! forms {
    ($operation:tt $values:tt =>
     $($method:ident $twin:ident [$($x:pat),*] [$($y:pat),*] ($($argument:expr),*) $($input:literal)?),* $(,)?) => {{
        let mut forms = Vec::new();
        $(
            $crate::operation::form!(forms $operation $values $method [$($x),*] [$($y),*] ($($argument),*) $($input)?);
            $crate::operation::form!(forms $operation $values $twin [$($x),*] [$($y),*] ($($argument),*) $($input)?);
        )*
        forms
    }};
}
pub(crate) use forms;

/// Pushes one form to the vector `$forms`: see [`forms`].
macro_rules! form {
    ($forms:ident $operation:tt [$($value:ident)*] $method:ident
     [$($x:pat),*] [$($y:pat),*] ($($argument:expr),*) $($input:literal)?) => {{
        $(let $value = $value.clone();)*
        $forms.push($crate::Form {
            name: stringify!($method),
            overwrites: [$($input)?].first().copied(),
            call: Box::new(move |inputs, outputs| {
                let ([$($x),*], [$($y),*]) = (inputs, outputs) else { panic!("a wrong number of inputs or outputs") };
                $operation.$method($($argument),*);
                0.0
            }),
        });
    }};
}
pub(crate) use form;
