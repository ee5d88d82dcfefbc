//! An operation: its methods, its inputs and outputs, its bound and its judge.

use activations::Isa;

use crate::{Bound, Element};

/// Calls a method on inputs and outputs. Returns the norm that the method returns, or 0.
pub type Call<T> = Box<dyn Fn(&[&[T]], &mut [&mut [T]]) -> f64 + Send + Sync>;

/// Makes the first input of an operation from any numbers: for a gradient, the output that `forward` saves.
pub type FirstInput<T> = Box<dyn Fn(&[T]) -> Vec<T> + Send + Sync>;

/// Asserts that the outputs, and the norm, are right for these inputs.
pub type Judge<T> = Box<dyn Fn(&[&[T]], &[&[T]], f64) + Send + Sync>;

/// A method of an operation.
pub struct Form<T> {
    /// The method's name.
    pub name: &'static str,
    /// The input that the first output overwrites. The call expects it in that output, and ignores the input.
    pub overwrites: Option<usize>,
    /// Calls the method.
    pub call: Call<T>,
}

impl<T> Form<T> {
    /// Whether it runs on rayon's pool.
    pub fn is_parallel(&self) -> bool {
        self.name.starts_with("par_")
    }
}

/// What an operation works on, and so which sizes tests and benches give it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Family {
    /// Every element by itself.
    Elementwise,
    /// The rows of a tensor along any axis.
    Axis,
    /// Rows that lie one after the other.
    Rows,
    /// All elements together.
    Reduction,
}

/// A public function of the crate on tensors of one shape, with all methods that compute it.
pub struct Operation<T> {
    /// The public type or function, as the README's table has it.
    pub item: &'static str,
    /// Its name among the operations: unique, but for those of one item with other parameters.
    pub name: String,
    /// Its parameters and shape, for messages.
    pub parameters: String,
    /// What it works on.
    pub family: Family,
    /// The bound on its error, which the judge enforces.
    pub bound: Bound,
    /// The elements of a row, or 1 where elements are by themselves.
    pub row_len: usize,
    /// The length of each input.
    pub inputs: Vec<usize>,
    /// The length of each output.
    pub outputs: Vec<usize>,
    /// Makes the first input.
    pub first_input: FirstInput<T>,
    /// All methods that compute it.
    pub forms: Vec<Form<T>>,
    /// Judges the outputs by an oracle of more precision.
    pub judge: Judge<T>,
}

/// The outputs of a call, and the norm that it returned.
pub struct Results<T> {
    /// One for each output.
    pub outputs: Vec<Vec<T>>,
    /// What the method returned, or 0.
    pub norm: f64,
}

impl<T: Element> Results<T> {
    /// The bits of all outputs and of the norm.
    pub fn bits(&self) -> Vec<u64> {
        self.outputs.iter().flatten().map(|x| x.bits()).chain([self.norm.bits()]).collect()
    }
}

impl<T: Element> Operation<T> {
    /// Name and parameters.
    pub fn title(&self) -> String {
        format!("{} {} on {}", self.name, self.parameters, Isa::current())
    }

    /// Inputs of the right lengths, cyclic copies of `numbers`: forwards for the first, backwards for the second, and so on.
    pub fn fill(&self, numbers: &[T]) -> Vec<Vec<T>> {
        let cycle = |(k, len): (usize, &usize)| -> Vec<T> {
            let at = |i: usize| if k % 2 == 0 { i } else { numbers.len() - 1 - i };
            (0..*len).map(|i| numbers[at(i % numbers.len())]).collect()
        };
        let mut inputs: Vec<Vec<T>> = self.inputs.iter().enumerate().map(cycle).collect();
        inputs[0] = (self.first_input)(&inputs[0]);
        inputs
    }

    /// Calls a form on slices that begin `before` elements into their memory, outputs that hold `old` numbers.
    ///
    /// # Panics
    ///
    /// If the call writes outside its outputs.
    pub fn run_among(&self, form: &Form<T>, inputs: &[Vec<T>], [before, after]: [usize; 2], old: T) -> Results<T> {
        let mut guarded: Vec<Vec<T>> = self.outputs.iter().map(|len| vec![old; before + len + after]).collect();
        if let Some(input) = form.overwrites {
            guarded[0][before..before + inputs[input].len()].copy_from_slice(&inputs[input]);
        }
        let sizes = guarded.iter_mut().zip(&self.outputs);
        let mut outputs: Vec<&mut [T]> = sizes.map(|(guarded, len)| &mut guarded[before..before + len]).collect();
        // The inputs end where their memory ends.
        let shifted: Vec<Vec<T>> = inputs.iter().map(|input| [&vec![old; before][..], input].concat()).collect();
        let views: Vec<&[T]> = shifted.iter().map(|input| &input[before..]).collect();
        let norm = (form.call)(&views, &mut outputs);
        for (guarded, len) in guarded.iter_mut().zip(&self.outputs) {
            let mut outside = guarded[..before].iter().chain(&guarded[before + len..]);
            assert!(outside.all(|x| x.bits() == old.bits()), "{} {} wrote outside", self.title(), form.name);
            guarded.drain(..before);
            guarded.truncate(*len);
        }
        Results { outputs: guarded, norm }
    }

    /// Calls a form on slices of their own.
    pub fn run(&self, form: &Form<T>, inputs: &[Vec<T>]) -> Results<T> {
        self.run_among(form, inputs, [0, 0], T::default())
    }

    /// Asserts that the results are right.
    pub fn assert_right(&self, inputs: &[Vec<T>], results: &Results<T>) {
        let [inputs, outputs] =
            [inputs, &results.outputs].map(|slices| slices.iter().map(Vec::as_slice).collect::<Vec<_>>());
        (self.judge)(&inputs, &outputs, results.norm);
    }

    /// Asserts that all forms give the same bits on slices at any place, whatever the outputs held before, and that they
    /// are right. Returns them.
    pub fn check(&self, inputs: &[Vec<T>], guards: [usize; 2]) -> Results<T> {
        let expected = self.run_among(&self.forms[0], inputs, guards, T::rounded(-77.5));
        for form in &self.forms[1..] {
            let actual = self.run_among(form, inputs, guards, T::rounded(f64::NAN));
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

/// `forms![operation [values] => method twin [inputs] [outputs] (arguments), ..]`: methods and their parallel twins. Where a
/// number follows, the first output overwrites the input of this number. Other variables in the arguments stand in brackets.
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

macro_rules! form {
    ($forms:ident $operation:tt [$($value:ident)*] $method:ident
     [$($x:pat),*] [$($y:pat),*] ($($argument:expr),*) $($input:literal)?) => {{
        $(let $value = $value.clone();)*
        $forms.push($crate::Form {
            name: stringify!($method),
            overwrites: [$($input)?].first().copied(),
            call: Box::new(move |inputs, outputs| {
                let ([$($x),*], [$($y),*]) = (inputs, outputs) else { panic!("other numbers of slices") };
                $operation.$method($($argument),*);
                0.0
            }),
        });
    }};
}
pub(crate) use form;
