//! FNV-1a of 64 bits, with whole words in place of bytes: one multiplication a result.
//!
//! A difference spreads upwards only, so that words of 32 bits mix best.

/// The hash of a sequence of words so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub u64);

impl Default for Hash {
    /// The hash of no words.
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// The hash of these words after the ones before.
    pub fn with(self, words: impl IntoIterator<Item = u64>) -> Self {
        Self(words.into_iter().fold(self.0, |hash, word| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3)))
    }
}
