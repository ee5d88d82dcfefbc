//! Every `f32` in numeric order, in blocks.

/// Inputs in a block, whose results fit the cache. The printed hashes depend on this number.
const BLOCK: usize = 1 << 12;

/// Special values, and values near which formulas change or results saturate, underflow or overflow.
const EDGES: [f32; 16] = [
    0.0,
    f32::MIN_POSITIVE,
    1e-30,
    5.96e-8,
    2.44e-4,
    0.35,
    0.55,
    1.0,
    9.01,
    16.64,
    40.0,
    87.0,
    88.72,
    103.97,
    1e9,
    f32::INFINITY,
];

/// `len` inputs: every `step`-th `f32` in numeric order from the place `first`.
pub struct Block {
    first: u64,
    pub len: usize,
    step: u32,
}

impl Block {
    /// Blocks of every `step`-th input. With a step above 1, also blocks of all inputs near the edges.
    pub fn all(step: u32) -> Vec<Self> {
        let mut blocks = Self::cut(0, 1 << 32, step);
        if step > 1 {
            let places = EDGES.iter().flat_map(|&edge| [-edge, edge]).map(|edge| u64::from(place(edge)));
            blocks.extend(places.flat_map(|place| Self::cut(place - 2048, place + 2048, 1)));
        }
        blocks
    }

    /// Blocks of every `step`-th input from the place `first` to before `end`.
    fn cut(first: u64, end: u64, step: u32) -> Vec<Self> {
        let len = |first: u64| (end - first).div_ceil(step.into()).min(BLOCK as u64) as usize;
        (first..end).step_by(BLOCK * step as usize).map(|first| Self { first, len: len(first), step }).collect()
    }

    /// The inputs, then the next input after them if there is one: the step to it is checked too.
    pub fn inputs(&self) -> Vec<f32> {
        let places = (self.first..1 << 32).step_by(self.step as usize).take(self.len + 1);
        places.map(|place| nth(place as u32)).collect()
    }
}

/// The `f32` at a place of the numeric order: negative NaN, -inf to -0, 0 to inf, positive NaN.
fn nth(place: u32) -> f32 {
    f32::from_bits(if place >> 31 == 0 { !place } else { place ^ 1 << 31 })
}

/// The place of an `f32` in the numeric order.
fn place(x: f32) -> u32 {
    if x.is_sign_negative() { !x.to_bits() } else { x.to_bits() ^ 1 << 31 }
}
