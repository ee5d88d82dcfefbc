//! The losses and the gradients of torch, and exact ones, on every instruction set. `scripts/torch_losses.py` computed
//! them and describes the file. The inputs are exact in `f32`, which is judged by the same values.

use std::collections::HashMap;

use activations::{BinaryCrossEntropy, Class, CrossEntropy, Isa, LogSoftmax, LogSumExp, Scale, ulp};
use operations::Element;

/// The numbers of the cases, in lines `name number number ..`.
const FILE: &str = include_str!("data/torch_losses.txt");

/// The bound on errors, in epsilons of the sum of the terms' magnitudes, and in ulp.
const BOUND: f64 = 8.0;

/// The bound on torch's own errors, relative to the sum of the magnitudes of the terms that it adds.
const TORCH_ERROR: f64 = 1e-14;

/// The numbers of a line.
#[derive(Clone, Default)]
struct Line {
    exact: Vec<f64>,
    torch: Vec<f64>,
}

impl Line {
    /// Reads numbers: the digits of the bits without the zeros at the end, and after a slash the last digits of torch's.
    fn parse(text: &str) -> Self {
        let number = |digits: &str| f64::from_bits(u64::from_str_radix(digits, 16).expect("hexadecimal digits"));
        let pair = |token: &str| {
            let (exact, tail) = token.split_once('/').unwrap_or((token, ""));
            let exact = format!("{exact:0<16}");
            let torch = format!("{}{tail}", &exact[..16 - tail.len()]);
            (number(&exact), number(&torch))
        };
        let (exact, torch) = text.split_whitespace().map(pair).unzip();
        Self { exact, torch }
    }
}

/// The numbers of a case by their names.
#[derive(Clone)]
struct Case {
    kind: &'static str,
    /// The line that ends the case.
    line: usize,
    lines: HashMap<&'static str, Line>,
}

impl Case {
    /// All cases of the file of the given kind.
    fn all(kind: &str) -> Vec<Self> {
        let (mut lines, mut cases) = (HashMap::new(), Vec::new());
        for (text, line) in FILE.lines().zip(1..).skip(1) {
            match text.split_once(' ').unwrap_or((text, "")) {
                ("case", found) if found == kind => cases.push(Self { kind: found, line, lines: lines.clone() }),
                ("case", _) => {}
                (name, numbers) => drop(lines.insert(name, Line::parse(numbers))),
            }
        }
        assert!(!cases.is_empty(), "no case of {kind}");
        cases
    }

    /// The numbers of a line.
    fn get(&self, name: &str) -> &[f64] {
        &self.lines[name].exact
    }

    /// The numbers of an input, which are exact in `T`.
    fn input<T: Element>(&self, name: &str) -> Vec<T> {
        let numbers: Vec<T> = self.get(name).iter().map(|x| T::rounded(*x)).collect();
        assert!(wide(&numbers) == self.get(name), "{name} is not exact");
        numbers
    }

    /// The only number of a line, if there is one.
    fn option(&self, name: &str) -> Option<f64> {
        self.get(name).first().copied()
    }

    /// The scale of a gradient, whose factors are in `factors`.
    fn scale<'a, T>(&self, factors: &'a [T]) -> Scale<'a, T> {
        match self.get("scale") {
            [factor] => Scale::All(*factor),
            _ => Scale::Rows(factors),
        }
    }

    /// The loss with the options of the case, whose weights are in `weights`.
    fn with_options<'o, T: Element>(&self, mut loss: CrossEntropy<'o>, weights: &'o [T]) -> CrossEntropy<'o> {
        if let Some(class) = self.option("ignored") {
            loss = loss.ignoring(class as i64);
        }
        if !weights.is_empty() {
            loss = loss.class_weights(weights);
        }
        if let Some(smoothing) = self.option("smoothing") {
            loss = loss.label_smoothing(smoothing);
        }
        match self.option("factor") {
            Some(factor) => loss.z_loss(factor),
            None => loss,
        }
    }

    /// Asserts that outputs are within the bound of the exact values, and not further from torch's than torch may be from
    /// those. `is_in_ulp` tells which outputs have a bound in ulp.
    fn judge<T: Element>(&self, name: &str, form: &str, actual: &[T], is_in_ulp: impl Fn(usize) -> bool) {
        for (i, actual) in actual.iter().enumerate() {
            let is_right = !is_in_ulp(i) || ulp::error(*actual, self.get(name)[i]) <= BOUND;
            let what = || format!("{form}: {actual:e}, not {:e}", self.get(name)[i]);
            assert!(is_right, "{} {name} {i}, {}", self.title::<T>(), what());
        }
        assert_eq!(actual.len(), self.get(name).len(), "{name} of {}", self.title::<T>());
        self.judge_magnitudes::<T>(name, form, &wide(actual));
    }

    /// The same for numbers that were computed in `T` and are no longer of that type, without a bound in ulp.
    fn judge_magnitudes<T: Element>(&self, name: &str, form: &str, actual: &[f64]) {
        let [terms, torch_terms] = ["terms", "torch"].map(|sums| self.get(&format!("{name}_{sums}")));
        let Line { exact, torch } = &self.lines[name];
        let outputs = |sums: &[f64]| exact.len() / sums.len();
        for (i, &actual) in actual.iter().enumerate() {
            let terms = terms[i / outputs(terms)];
            // Results near the subnormal numbers are rounded to multiples of the smallest one.
            let smallest = if terms > 0.0 { 4.0 * T::MIN_SUBNORMAL } else { 0.0 };
            let bound = BOUND * T::EPSILON * terms + smallest;
            let what = |right: f64| format!("{} {name} {i}, {form}: {actual:e}, not {right:e}", self.title::<T>());
            assert!(is_close(actual, exact[i], bound), "{}", what(exact[i]));
            if size_of::<T>() == 8 {
                let bound = bound + TORCH_ERROR * torch_terms[i / outputs(torch_terms)];
                assert!(is_close(actual, torch[i], bound), "{} as torch has it", what(torch[i]));
            }
        }
    }

    /// What is judged, for messages.
    fn title<T>(&self) -> String {
        let element = std::any::type_name::<T>();
        format!("{} {element}, {} case at line {}:", Isa::current(), self.kind, self.line)
    }
}

/// The numbers in `f64`.
fn wide<T: Element>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| (*x).into()).collect()
}

/// Equal, within the bound, or both NaN.
fn is_close(actual: f64, exact: f64, bound: f64) -> bool {
    actual == exact || exact.is_finite() && (actual - exact).abs() <= bound || actual.is_nan() && exact.is_nan()
}

/// The bits of the numbers, the same for all NaNs.
fn bits<T: Element>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.bits()).collect()
}

/// The transpose of a matrix with this number of columns.
fn transposed<T: Copy>(x: &[T], columns: usize) -> Vec<T> {
    (0..columns).flat_map(|c| x.iter().skip(c).step_by(columns).copied()).collect()
}

/// Runs a check of every case of a kind on every instruction set.
fn on_every_isa(kind: &str, check: impl Fn(&Case)) {
    let cases = Case::all(kind);
    for isa in Isa::available() {
        isa.with(|| cases.iter().for_each(&check));
    }
}

/// Losses of class ids in all forms.
fn check_hard<T: Element, C: Class>(case: &Case, class: impl Fn(f64) -> C) {
    let [logits, factors, weights] = ["logits", "scale", "weights"].map(|name| case.input::<T>(name));
    let targets: Vec<C> = case.get("targets").iter().map(|target| class(*target)).collect();
    let (rows, classes) = (targets.len(), logits.len() / targets.len());
    let (loss, scale) = (case.with_options(CrossEntropy::rows(classes), &weights), case.scale(&factors));
    let is_plain = ["weights", "smoothing", "factor"].iter().all(|name| case.get(name).is_empty());
    let judge_losses = |form: &str, losses: &[T]| case.judge("losses", form, losses, |_| is_plain);
    let is_target = |i: usize| case.get("targets")[i / classes] == (i % classes) as f64;
    let judge_gradients =
        |form: &str, dlogits: &[T]| case.judge("gradients", form, dlogits, |i| is_plain && is_target(i));

    let none = T::rounded(f64::NAN);
    let (mut losses, mut dlogits) = (vec![none; rows], vec![none; logits.len()]);
    loss.forward_backward(&logits, &targets, scale, &mut losses, &mut dlogits);
    judge_losses("forward_backward", &losses);
    judge_gradients("forward_backward", &dlogits);

    let (mut other_losses, mut other) = (vec![none; rows], vec![none; logits.len()]);
    loss.forward(&logits, &targets, &mut other_losses);
    judge_losses("forward", &other_losses);
    let forward = bits(&other_losses);
    loss.backward(&logits, &targets, scale, &mut other);
    judge_gradients("backward", &other);
    let backward = bits(&other);
    other.copy_from_slice(&logits);
    loss.forward_backward_in_place(&mut other, &targets, scale, &mut other_losses);
    judge_losses("forward_backward_in_place", &other_losses);
    judge_gradients("forward_backward_in_place", &other);
    let in_place = (bits(&other_losses), bits(&other));

    loss.par_forward(&logits, &targets, &mut other_losses);
    assert!(bits(&other_losses) == forward, "{} par_forward", case.title::<T>());
    loss.par_backward(&logits, &targets, scale, &mut other);
    assert!(bits(&other) == backward, "{} par_backward", case.title::<T>());
    loss.par_forward_backward(&logits, &targets, scale, &mut other_losses, &mut other);
    assert!(bits(&other_losses) == bits(&losses), "{} losses of par_forward_backward", case.title::<T>());
    assert!(bits(&other) == bits(&dlogits), "{} gradients of par_forward_backward", case.title::<T>());
    other.copy_from_slice(&logits);
    loss.par_forward_backward_in_place(&mut other, &targets, scale, &mut other_losses);
    assert!((bits(&other_losses), bits(&other)) == in_place, "{} par_forward_backward_in_place", case.title::<T>());

    let mean = loss.mean(&logits, &targets);
    case.judge_magnitudes::<T>("mean", "mean", &[mean]);
    let par_mean = loss.par_mean(&logits, &targets);
    assert!(
        mean.to_bits() == par_mean.to_bits() || mean.is_nan() && par_mean.is_nan(),
        "{} par_mean",
        case.title::<T>()
    );

    // The classes along the first axis.
    let loss = case.with_options(CrossEntropy::axis(classes, rows), &weights);
    loss.forward_backward(&transposed(&logits, classes), &targets, scale, &mut other_losses, &mut other);
    judge_losses("along an axis", &other_losses);
    judge_gradients("along an axis", &transposed(&other, rows));
}

#[test]
fn hard_targets() {
    on_every_isa("hard", |case| {
        check_hard::<f64, i64>(case, |class| class as i64);
        check_hard::<f32, i32>(case, |class| class as i32);
        if case.option("ignored").is_none() {
            check_hard::<f64, u32>(case, |class| class as u32);
        }
    });
}

/// Losses of probabilities.
fn check_soft<T: Element>(case: &Case) {
    let names = ["logits", "targets", "scale", "weights"];
    let [logits, probabilities, factors, weights] = names.map(|name| case.input::<T>(name));
    let rows = case.get("losses").len();
    let classes = logits.len() / rows;
    let (loss, scale) = (case.with_options(CrossEntropy::rows(classes), &weights), case.scale(&factors));
    let judge = |form: &str, losses: &[T], dlogits: &[T]| {
        case.judge("losses", form, losses, |_| false);
        case.judge("gradients", form, dlogits, |_| false);
        let mean = wide(losses).iter().sum::<f64>() / rows as f64;
        case.judge_magnitudes::<T>("mean", form, &[mean]);
    };

    let none = T::rounded(f64::NAN);
    let (mut losses, mut dlogits) = (vec![none; rows], vec![none; logits.len()]);
    loss.forward_backward_soft(&logits, &probabilities, scale, &mut losses, &mut dlogits);
    judge("forward_backward_soft", &losses, &dlogits);

    let (mut other_losses, mut other) = (vec![none; rows], vec![none; logits.len()]);
    loss.par_forward_backward_soft(&logits, &probabilities, scale, &mut other_losses, &mut other);
    assert!(bits(&other_losses) == bits(&losses), "{} losses of par_forward_backward_soft", case.title::<T>());
    assert!(bits(&other) == bits(&dlogits), "{} gradients of par_forward_backward_soft", case.title::<T>());

    loss.forward_soft(&logits, &probabilities, &mut other_losses);
    judge("forward_soft", &other_losses, &dlogits);
    loss.par_forward_soft(&logits, &probabilities, &mut losses);
    assert!(bits(&other_losses) == bits(&losses), "{} par_forward_soft", case.title::<T>());

    let loss = case.with_options(CrossEntropy::axis(classes, rows), &weights);
    let [logits, probabilities] = [logits, probabilities].map(|x| transposed(&x, classes));
    loss.forward_backward_soft(&logits, &probabilities, scale, &mut losses, &mut dlogits);
    judge("along an axis", &losses, &transposed(&dlogits, rows));
}

#[test]
fn soft_targets() {
    on_every_isa("soft", |case| {
        check_soft::<f64>(case);
        check_soft::<f32>(case);
    });
}

/// Binary cross-entropy.
fn check_binary<T: Element>(case: &Case) {
    let [logits, targets, weights] = ["logits", "targets", "weights"].map(|name| case.input::<T>(name));
    let scale = case.option("scale").expect("a scale");
    let loss = match weights[..] {
        [] => BinaryCrossEntropy::new(),
        [weight] => BinaryCrossEntropy::new().positive_weight(weight.into()),
        _ => BinaryCrossEntropy::new().positive_weights(&weights),
    };
    let new = || vec![T::rounded(f64::NAN); logits.len()];
    let [mut losses, mut dlogits, mut other_losses, mut other] = [new(), new(), new(), new()];
    loss.forward_backward(&logits, &targets, scale, &mut losses, &mut dlogits);
    case.judge("losses", "forward_backward", &losses, |_| true);
    case.judge("gradients", "forward_backward", &dlogits, |_| false);
    loss.par_forward_backward(&logits, &targets, scale, &mut other_losses, &mut other);
    assert!(bits(&other_losses) == bits(&losses), "{} losses of par_forward_backward", case.title::<T>());
    assert!(bits(&other) == bits(&dlogits), "{} gradients of par_forward_backward", case.title::<T>());
    loss.forward(&logits, &targets, &mut losses);
    case.judge("losses", "forward", &losses, |_| true);
    loss.par_forward(&logits, &targets, &mut other_losses);
    assert!(bits(&other_losses) == bits(&losses), "{} par_forward", case.title::<T>());
}

#[test]
fn binary_targets() {
    on_every_isa("binary", |case| {
        check_binary::<f64>(case);
        check_binary::<f32>(case);
    });
}

/// The logarithm of softmax, its gradient, and the logarithm of the sum of exponentials.
fn check_log_softmax<T: Element>(case: &Case) {
    let [logits, saved, dy] = ["logits", "saved", "dy"].map(|name| case.input::<T>(name));
    let rows = case.get("log_sums").len();
    let classes = logits.len() / rows;
    let (mut y, mut par_y) = (logits.clone(), logits.clone());
    let (mut sums, mut par_sums) = (vec![T::default(); rows], vec![T::default(); rows]);

    LogSoftmax::rows(classes).forward(&logits, &mut y);
    case.judge("logs", "forward", &y, |_| true);
    LogSoftmax::rows(classes).par_forward(&logits, &mut par_y);
    assert!(bits(&y) == bits(&par_y), "{} par_forward", case.title::<T>());
    LogSoftmax::axis(classes, rows).forward(&transposed(&logits, classes), &mut y);
    case.judge("logs", "along an axis", &transposed(&y, rows), |_| true);

    LogSumExp::rows(classes).forward(&logits, &mut sums);
    case.judge("log_sums", "forward", &sums, |_| false);
    LogSumExp::rows(classes).par_forward(&logits, &mut par_sums);
    assert!(bits(&sums) == bits(&par_sums), "{} par_forward", case.title::<T>());

    let is_target = |i: usize| case.get("dy")[i] != 0.0;
    LogSoftmax::rows(classes).backward(&saved, &dy, &mut y);
    case.judge("gradients", "backward", &y, is_target);
    LogSoftmax::rows(classes).par_backward(&saved, &dy, &mut par_y);
    assert!(bits(&y) == bits(&par_y), "{} par_backward", case.title::<T>());
    let [saved, dy] = [saved, dy].map(|x| transposed(&x, classes));
    LogSoftmax::axis(classes, rows).backward(&saved, &dy, &mut y);
    case.judge("gradients", "along an axis", &transposed(&y, rows), is_target);
}

#[test]
fn log_softmax() {
    on_every_isa("log_softmax", |case| {
        check_log_softmax::<f64>(case);
        check_log_softmax::<f32>(case);
    });
}

/// Enough logits for several threads.
const MANY: usize = 200_000;

#[test]
fn many_rows_on_several_threads() {
    for case in Case::all("hard").into_iter().chain(Case::all("soft")) {
        let copies = MANY / case.get("logits").len();
        let repeated = |name: &str| case.input::<f32>(name).repeat(copies);
        let (logits, targets) = (repeated("logits"), repeated("targets"));
        let factors = if case.get("scale").len() > 1 { repeated("scale") } else { Vec::new() };
        let (weights, scale) = (case.input::<f32>("weights"), case.scale(&factors));
        let (rows, classes) = (case.get("losses").len(), case.get("logits").len() / case.get("losses").len());
        let loss = case.with_options(CrossEntropy::rows(classes), &weights);
        let ids: Vec<i32> = targets.iter().map(|class| *class as i32).collect();
        let run = |is_parallel: bool| {
            let (mut losses, mut dlogits) = (vec![0.0; rows * copies], vec![0.0; logits.len()]);
            let (losses_out, dlogits_out) = (&mut losses, &mut dlogits);
            match (case.kind, is_parallel) {
                ("hard", false) => loss.forward_backward(&logits, &ids, scale, losses_out, dlogits_out),
                ("hard", true) => loss.par_forward_backward(&logits, &ids, scale, losses_out, dlogits_out),
                (_, false) => loss.forward_backward_soft(&logits, &targets, scale, losses_out, dlogits_out),
                (_, true) => loss.par_forward_backward_soft(&logits, &targets, scale, losses_out, dlogits_out),
            }
            (bits(&losses), bits(&dlogits))
        };
        assert!(run(false) == run(true), "{} with threads", case.title::<f32>());
    }
}
