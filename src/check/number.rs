//! The message of a panic in a `const fn`, where `format!` is not available: a text and a number.

/// Text of up to 96 bytes: the invariant is that the first `len` are UTF-8.
pub struct Text {
    bytes: [u8; 96],
    len: usize,
}

impl Text {
    /// `start`, followed by `number` with up to six significant digits.
    pub const fn new(start: &str, number: f64) -> Self {
        let text = Self { bytes: [0; 96], len: 0 }.with(start);
        let text = if number.is_sign_negative() && !number.is_nan() { text.with("-") } else { text };
        match number.abs() {
            f64::INFINITY => text.with("inf"),
            0.0 => text.with("0"),
            magnitude if magnitude > 0.0 => text.with_scientific(magnitude),
            _ => text.with("NaN"),
        }
    }

    /// The text.
    pub const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    const fn with(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            self = self.with_byte(bytes[i]);
            i += 1;
        }
        self
    }

    const fn with_byte(mut self, byte: u8) -> Self {
        self.bytes[self.len] = byte;
        self.len += 1;
        self
    }

    const fn with_integer(mut self, number: u32) -> Self {
        if number >= 10 {
            self = self.with_integer(number / 10);
        }
        self.with_byte(b'0' + (number % 10) as u8)
    }

    /// Appends a positive finite number as `{:e}` prints it, rounded to six digits.
    const fn with_scientific(mut self, mut number: f64) -> Self {
        let mut exponent = 0_i32;
        while number >= 10.0 {
            number /= 10.0;
            exponent += 1;
        }
        while number < 1.0 {
            number *= 10.0;
            exponent -= 1;
        }
        let mut digits = (number * 1e5 + 0.5) as u32;
        if digits >= 1_000_000 {
            digits /= 10;
            exponent += 1;
        }
        let (first, mut rest) = (digits / 100_000, digits % 100_000);
        self = self.with_integer(first);
        if rest > 0 {
            self = self.with_byte(b'.');
        }
        while rest > 0 {
            self = self.with_byte(b'0' + (rest / 10_000) as u8);
            rest = rest % 10_000 * 10;
        }
        self = self.with_byte(b'e');
        if exponent < 0 {
            self = self.with_byte(b'-');
        }
        self.with_integer(exponent.unsigned_abs())
    }
}
