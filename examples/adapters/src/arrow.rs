//! Activations of Arrow arrays.

use activations::Activation;
use arrow_array::{Array, Float32Array};

/// The activation of every value. Nulls stay null.
///
/// Values behind nulls are computed too. No value makes a kernel fail or slow, and one loop without gaps is faster.
pub fn apply(act: &dyn Activation, array: &Float32Array) -> Float32Array {
    let mut values = vec![0.0; array.len()];
    act.forward(array.values(), &mut values);
    Float32Array::new(values.into(), array.nulls().cloned())
}

/// The same in place. Returns the array as an error if another array shares its buffer.
pub fn apply_in_place(act: &dyn Activation, array: Float32Array) -> Result<Float32Array, Float32Array> {
    let mut builder = array.into_builder()?;
    act.forward_in_place(builder.values_slice_mut());
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use activations::Tanh;

    #[test]
    fn nulls_stay_null() {
        let values = vec![Some(0.5), None, Some(-20.0)];
        let array = Float32Array::from(values.clone());
        let expected = Float32Array::from(vec![Some(0.5_f32.tanh()), None, Some(-1.0)]);
        let y = apply(&Tanh, &array);
        assert!(y.is_null(1) && (y.value(0) - expected.value(0)).abs() < 1e-7 && y.value(2) == -1.0);
        // A slice of an array begins in the middle of a buffer.
        assert_eq!(apply(&Tanh, &array.slice(1, 2)), y.slice(1, 2));
        assert_eq!(apply_in_place(&Tanh, Float32Array::from(values)), Ok(y));
    }

    #[test]
    fn a_shared_buffer_comes_back() {
        let array = Float32Array::from(vec![1.0, 2.0]);
        let other = array.clone();
        assert_eq!(apply_in_place(&Tanh, array), Err(other));
    }
}
