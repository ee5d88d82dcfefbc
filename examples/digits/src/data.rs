//! The handwritten digits: UCI "Optical Recognition of Handwritten Digits", test set (source and licence are in
//! README.md).

use std::num::ParseFloatError;

use ndarray::{Array2, Axis};

/// Pixels of an image: 8 rows of 8.
pub const PIXELS: usize = 64;
/// The classes: the digits 0 to 9.
pub const CLASSES: usize = 10;

/// Images with their labels.
pub struct Digits {
    /// One row of pixels for each image.
    pub images: Array2<f32>,
    /// The digit that each image shows.
    pub labels: Vec<u32>,
}

/// Training digits and held-out digits.
pub struct Data {
    /// The training set: 80 % of the digits.
    pub train: Digits,
    /// The held-out set: the other 20 %.
    pub test: Digits,
}

/// Parses the digits and splits them at random.
pub fn load() -> Result<Data, ParseFloatError> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for line in include_str!("../digits.csv").lines() {
        let row = line.split(',').map(str::parse).collect::<Result<Vec<f32>, _>>()?;
        let (label, pixels) = row.split_last().expect("a row has a label");
        // Intensities of 0 to 16 become 0 to 2, with a mean square of about 1, as the initial weights assume.
        images.extend(pixels.iter().map(|pixel| pixel / 8.0));
        labels.push(*label as u32);
    }
    let images = Array2::from_shape_vec((labels.len(), PIXELS), images).expect("64 pixels a row");
    let all = Digits { images, labels };

    let mut order: Vec<usize> = (0..all.labels.len()).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut order);
    let (test, train) = order.split_at(order.len() / 5);
    Ok(Data { train: all.select(train), test: all.select(test) })
}

impl Digits {
    /// A copy of these rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { images: self.images.select(Axis(0), rows), labels: rows.iter().map(|&row| self.labels[row]).collect() }
    }

    /// A copy of the rows with the labels that `keep` accepts, asked in their order.
    pub fn filter(&self, mut keep: impl FnMut(u32) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.len()).filter(|&row| keep(self.labels[row])).collect();
        self.select(&rows)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}
