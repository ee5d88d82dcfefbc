//! A fully connected network. Every activation, softmax, loss and gradient is a call of the crate.

use activations::{Activation, CrossEntropy, Softmax, clip_by_global_norm};
use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::data::{CLASSES, Digits};

/// The weights and the bias of a layer, or their gradients.
#[derive(Clone)]
pub struct Layer {
    /// One row for each input, one column for each unit.
    pub weights: Array2<f32>,
    /// One element for each unit.
    pub bias: Array1<f32>,
}

impl Layer {
    /// The weights and the bias as slices.
    pub fn slices(&mut self) -> [&mut [f32]; 2] {
        [self.weights.as_slice_mut().unwrap(), self.bias.as_slice_mut().unwrap()]
    }

    /// Copies of all weights, then of all biases.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        self.weights.iter().chain(&self.bias).map(|&number| number.into())
    }

    /// The Euclidean norm of all weights and biases.
    pub fn norm(&mut self) -> f64 {
        clip_by_global_norm(&mut self.slices(), f64::INFINITY)
    }
}

/// The loss that training minimises.
#[derive(Clone, Copy)]
pub enum Loss<'o> {
    /// The negative log-likelihood of the softmax.
    CrossEntropy,
    /// The cross-entropy with options. Its mean is that over the rows, also with class weights.
    CrossEntropyWith(CrossEntropy<'o>),
    /// The squared distance between the softmax and the one-hot label.
    SquaredError,
}

impl Loss<'_> {
    /// Overwrites the logits with the gradient of the mean loss.
    fn backward(self, logits: &mut Array2<f32>, labels: &[u32]) {
        let scale = 1.0 / labels.len() as f64;
        match self {
            Self::CrossEntropy => Loss::CrossEntropyWith(CrossEntropy::rows(CLASSES)).backward(logits, labels),
            Self::CrossEntropyWith(loss) => {
                let (logits, mut losses) = (logits.as_slice_mut().unwrap(), vec![0.0; labels.len()]);
                loss.forward_backward_in_place(logits, labels, scale, &mut losses);
            }
            Self::SquaredError => {
                let softmax = Softmax::rows(CLASSES);
                softmax.forward_in_place(logits.as_slice_mut().unwrap());
                let mut dy = logits.clone();
                for (mut row, &label) in dy.outer_iter_mut().zip(labels) {
                    row[label as usize] -= 1.0;
                }
                dy *= 2.0 * scale as f32;
                softmax.backward_in_place(logits.as_slice().unwrap(), dy.as_slice_mut().unwrap());
                *logits = dy;
            }
        }
    }
}

/// Hidden layers with the same activation, then a layer that gives the logits.
#[derive(Clone)]
pub struct Network {
    /// The activation of every hidden layer.
    pub activation: &'static dyn Activation,
    /// The hidden layers, then the layer of the logits.
    pub layers: Vec<Layer>,
}

impl Network {
    /// A network of these widths, inputs first. The weights are random with variance 1 / inputs (LeCun), or twice that
    /// for relus, which zero half of their inputs (He).
    pub fn new(widths: &[usize], activation: &'static dyn Activation, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let gain = if activation.name().ends_with("relu") { 2.0 } else { 1.0 };
        let layers = widths.windows(2).map(|pair| {
            let limit = (3.0 * gain / pair[0] as f32).sqrt();
            let weights = Array2::from_shape_simple_fn((pair[0], pair[1]), || limit * (2.0 * rng.f32() - 1.0));
            Layer { weights, bias: Array1::zeros(pair[1]) }
        });
        Self { activation, layers: layers.collect() }
    }

    /// The output of each layer. The last output is the logits.
    pub fn forward(&self, images: &Array2<f32>) -> Vec<Array2<f32>> {
        let mut outputs: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let mut y = outputs.last().unwrap_or(images).dot(&layer.weights) + &layer.bias;
            if i + 1 < self.layers.len() {
                self.activation.forward_in_place(y.as_slice_mut().unwrap());
            }
            outputs.push(y);
        }
        outputs
    }

    /// The gradient of the mean loss for each layer.
    pub fn gradients(&self, digits: &Digits, loss: Loss) -> Vec<Layer> {
        let mut outputs = self.forward(&digits.images);
        let mut dy = outputs.pop().unwrap();
        loss.backward(&mut dy, &digits.labels);
        let mut gradients = Vec::with_capacity(self.layers.len());
        for layer in self.layers.iter().rev() {
            let output = outputs.pop();
            let input = output.as_ref().unwrap_or(&digits.images);
            gradients.push(Layer { weights: input.t().dot(&dy), bias: dy.sum_axis(Axis(0)) });
            if let Some(output) = output {
                dy = dy.dot(&layer.weights.t());
                self.activation.backward_in_place(output.as_slice().unwrap(), dy.as_slice_mut().unwrap());
            }
        }
        gradients.reverse();
        gradients
    }

    /// The most probable digit of each image, with its probability.
    pub fn readings(&self, images: &Array2<f32>) -> Vec<(u32, f64)> {
        let mut y = self.forward(images).pop().unwrap();
        Softmax::rows(CLASSES).forward_in_place(y.as_slice_mut().unwrap());
        let reading = |row: ArrayView1<f32>| {
            let (digit, &probability) = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("ten classes");
            (digit as u32, probability.into())
        };
        y.outer_iter().map(reading).collect()
    }

    /// The share of the digits that are misread.
    pub fn error(&self, digits: &Digits) -> f64 {
        let logits = self.forward(&digits.images).pop().unwrap();
        let wrong = logits.outer_iter().zip(&digits.labels).filter(|(row, label)| {
            let of_label = row[**label as usize];
            // Logits that are NaN are wrong too: they compare as neither larger nor smaller.
            !row.iter().all(|&logit| logit <= of_label)
        });
        wrong.count() as f64 / digits.len() as f64
    }

    /// The share of the hidden units that are positive for none of the digits.
    pub fn silent_share(&self, digits: &Digits) -> f64 {
        let mut outputs = self.forward(&digits.images);
        outputs.pop();
        let units = outputs.iter().flat_map(|output| output.axis_iter(Axis(1)));
        let silent: Vec<bool> = units.map(|unit| unit.iter().all(|&y| y <= 0.0)).collect();
        silent.iter().filter(|&&is_silent| is_silent).count() as f64 / silent.len() as f64
    }
}
