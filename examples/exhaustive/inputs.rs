//! Every `f32` in numeric order, in blocks.

/// How many inputs are judged at once: their results stay in the cache. The hashes depend on it.
const BLOCK: usize = 1 << 12;

/// Where formulas change, special values, and where results saturate, underflow and overflow.
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

/// `len` inputs in numeric order, every `step`-th.
pub struct Block {
    first: u64,
    pub len: usize,
    step: u32,
}

impl Block {
    /// Every `step`-th input, and all inputs near the edges if that is not all.
    pub fn all(step: u32) -> Vec<Self> {
        let mut blocks = Self::cut(0, 1 << 32, step);
        if step > 1 {
            let places = EDGES.iter().flat_map(|&edge| [-edge, edge]).map(|edge| u64::from(place(edge)));
            blocks.extend(places.flat_map(|place| Self::cut(place - 2048, place + 2048, 1)));
        }
        blocks
    }

    /// Cuts the inputs at these places into blocks.
    fn cut(first: u64, end: u64, step: u32) -> Vec<Self> {
        let len = |first: u64| (end - first).div_ceil(step.into()).min(BLOCK as u64) as usize;
        (first..end).step_by(BLOCK * step as usize).map(|first| Self { first, len: len(first), step }).collect()
    }

    /// The inputs and the next block's first, unless these are the last.
    pub fn inputs(&self) -> Vec<f32> {
        let places = (self.first..1 << 32).step_by(self.step as usize).take(self.len + 1);
        places.map(|place| nth(place as u32)).collect()
    }
}

/// The `f32` at a place of the numeric order: -NaN, -inf .. -0, 0 .. inf, NaN.
fn nth(place: u32) -> f32 {
    f32::from_bits(if place >> 31 == 0 { !place } else { place ^ 1 << 31 })
}

/// The place of an `f32` in the numeric order.
fn place(x: f32) -> u32 {
    if x.is_sign_negative() { !x.to_bits() } else { x.to_bits() ^ 1 << 31 }
}
