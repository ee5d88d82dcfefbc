//! Stochastic gradient descent.

use activations::{clip_by_global_norm, clip_by_value};

use crate::data::Digits;
use crate::network::{Layer, Loss, Network};

/// How a gradient is clipped before the step.
#[derive(Clone, Copy)]
pub enum Clip {
    /// Not at all.
    None,
    /// The whole gradient is scaled to at most this norm.
    GlobalNorm(f64),
    /// Each element is limited to this magnitude.
    Value(f64),
}

impl Clip {
    /// Clips the gradient and returns its norm before that.
    pub fn apply(self, gradients: &mut [Layer]) -> f64 {
        let mut slices: Vec<&mut [f32]> = gradients.iter_mut().flat_map(Layer::slices).collect();
        let max_norm = if let Self::GlobalNorm(max_norm) = self { max_norm } else { f64::INFINITY };
        let norm = clip_by_global_norm(&mut slices, max_norm);
        if let Self::Value(limit) = self {
            slices.iter_mut().for_each(|slice| clip_by_value(slice, limit));
        }
        norm
    }
}

/// The settings of a descent in small batches.
pub struct Sgd<'o> {
    /// The factor of the gradient in a step.
    pub learning_rate: f32,
    /// The loss that is minimised.
    pub loss: Loss<'o>,
    /// How each gradient is clipped.
    pub clip: Clip,
    /// The source of the order of digits.
    pub rng: fastrand::Rng,
}

impl Sgd<'_> {
    /// The number of digits in a batch.
    pub const BATCH: usize = 32;

    /// A descent of the cross-entropy without clipping.
    pub fn new(learning_rate: f32, seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { learning_rate, loss: Loss::CrossEntropy, clip: Clip::None, rng }
    }

    /// Trains on all digits once. Returns the norm of each step's gradient before the clip.
    pub fn epoch(&mut self, network: &mut Network, digits: &Digits) -> Vec<f64> {
        let mut order: Vec<usize> = (0..digits.len()).collect();
        self.rng.shuffle(&mut order);
        order.chunks(Self::BATCH).map(|rows| self.step(network, &digits.select(rows))).collect()
    }

    /// Trains for some epochs. Returns the training error after each.
    pub fn errors(mut self, network: &mut Network, digits: &Digits, epochs: usize) -> Vec<f64> {
        let epoch = |_| {
            self.epoch(network, digits);
            network.error(digits)
        };
        (0..epochs).map(epoch).collect()
    }

    fn step(&self, network: &mut Network, batch: &Digits) -> f64 {
        let mut gradients = network.gradients(batch, self.loss);
        let norm = self.clip.apply(&mut gradients);
        for (layer, gradient) in network.layers.iter_mut().zip(&gradients) {
            layer.weights.scaled_add(-self.learning_rate, &gradient.weights);
            layer.bias.scaled_add(-self.learning_rate, &gradient.bias);
        }
        norm
    }
}
