//! A hash of results: FNV-1a of 64 bits, over words in place of bytes. That is one multiplication for each word.
//!
//! Words should have at most 32 bits: the multiplication carries a difference to higher bits only, so that the high
//! bits of a word would hardly be mixed.

/// The hash of a sequence of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub u64);

impl Default for Hash {
    /// The hash of the empty sequence.
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// The hash of the sequence with these words appended.
    pub fn with(self, words: impl IntoIterator<Item = u64>) -> Self {
        Self(words.into_iter().fold(self.0, |hash, word| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3)))
    }
}
