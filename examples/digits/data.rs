//! The handwritten digits: UCI "Optical Recognition of Handwritten Digits", test set (see README.md).

use ndarray::{Array2, Axis};

/// Pixels of a digit.
pub const PIXELS: usize = 64;
/// Digits 0 to 9.
pub const CLASSES: usize = 10;

/// Images and what they show.
pub struct Digits {
    /// One image a row.
    pub images: Array2<f32>,
    /// The digit of each row.
    pub labels: Vec<u32>,
}

/// The digits to learn from, and those held out.
pub struct Data {
    /// 80 % of the digits.
    pub train: Digits,
    /// The other 20 %.
    pub test: Digits,
}

/// Reads the digits and splits them at random.
pub fn load() -> Result<Data, csv::Error> {
    let text = include_str!("digits.csv");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for row in reader.deserialize() {
        let row: Vec<f32> = row?;
        let (label, pixels) = row.split_last().expect("a row has a label");
        // 0..=16 becomes 0..=2: a mean square of about one, as the initial weights assume.
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
    /// The digits of these rows.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { images: self.images.select(Axis(0), rows), labels: rows.iter().map(|&row| self.labels[row]).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}
