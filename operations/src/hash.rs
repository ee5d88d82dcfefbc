//! FNV-1a of 64 bits over words in place of bytes: one multiplication for each result.
//!
//! The multiplication carries a difference to higher bits only. Words should therefore have at most 32 bits.

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
