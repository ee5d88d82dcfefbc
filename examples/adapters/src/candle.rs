//! Custom operations of candle, with gradients.

use activations::{Activation, Float, Softmax};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape, Tensor};

/// An activation as an operation on tensors: `tensor.apply_op1(Elementwise(&Sigmoid))`.
#[derive(Clone, Copy)]
pub struct Elementwise(pub &'static dyn Activation);

impl CustomOp1 for Elementwise {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((map(storage, layout, self)?, layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, dy: &Tensor) -> Result<Option<Tensor>> {
        y.contiguous()?.apply_op2(&dy.contiguous()?, Gradient(self.0)).map(Some)
    }
}

impl Unary for Elementwise {
    fn run<T: Float>(&self, x: &[T], y: &mut [T]) {
        self.0.par_forward(x, y);
    }
}

/// The gradient of an activation from its output, so that the input need not be kept.
struct Gradient(&'static dyn Activation);

impl CustomOp2 for Gradient {
    fn name(&self) -> &'static str {
        "gradient"
    }

    fn cpu_fwd(&self, y: &CpuStorage, ly: &Layout, dy: &CpuStorage, ldy: &Layout) -> Result<(CpuStorage, Shape)> {
        let dx = match (y, dy) {
            (CpuStorage::F32(y), CpuStorage::F32(dy)) => {
                let mut dx = vec![0.0; ly.shape().elem_count()];
                self.0.par_backward(contiguous(y, ly)?, contiguous(dy, ldy)?, &mut dx);
                CpuStorage::F32(dx)
            }
            (CpuStorage::F64(y), CpuStorage::F64(dy)) => {
                let mut dx = vec![0.0; ly.shape().elem_count()];
                self.0.par_backward(contiguous(y, ly)?, contiguous(dy, ldy)?, &mut dx);
                CpuStorage::F64(dx)
            }
            _ => candle_core::bail!("gradients of f32 and f64 only"),
        };
        Ok((dx, ly.shape().clone()))
    }
}

/// The softmax along one dimension, without a transpose: `tensor.apply_op1_no_bwd(&SoftmaxAlong(1))`.
#[derive(Clone, Copy)]
pub struct SoftmaxAlong(pub usize);

impl CustomOp1 for SoftmaxAlong {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        let softmax = Softmax::axis(dims[self.0], dims[self.0 + 1..].iter().product());
        Ok((map(storage, layout, &softmax)?, layout.shape().clone()))
    }
}

impl Unary for Softmax {
    fn run<T: Float>(&self, x: &[T], y: &mut [T]) {
        self.par_forward(x, y);
    }
}

/// An operation from one slice to another of the same length.
trait Unary {
    fn run<T: Float>(&self, x: &[T], y: &mut [T]);
}

fn map(storage: &CpuStorage, layout: &Layout, operation: &impl Unary) -> Result<CpuStorage> {
    Ok(match storage {
        CpuStorage::F32(x) => {
            let mut y = vec![0.0; layout.shape().elem_count()];
            operation.run(contiguous(x, layout)?, &mut y);
            CpuStorage::F32(y)
        }
        CpuStorage::F64(x) => {
            let mut y = vec![0.0; layout.shape().elem_count()];
            operation.run(contiguous(x, layout)?, &mut y);
            CpuStorage::F64(y)
        }
        _ => candle_core::bail!("f32 and f64 only"),
    })
}

/// The elements of a contiguous tensor. Callers with a strided one call `contiguous` first.
fn contiguous<'a, T>(elements: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    let (start, end) =
        layout.contiguous_offsets().ok_or_else(|| Error::RequiresContiguous { op: "activations" }.bt())?;
    Ok(&elements[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use activations::Sigmoid;
    use candle_core::{DType, Device, Var};

    #[test]
    fn sigmoid_and_its_gradient() -> Result<()> {
        let x = Var::new(&[[-1.0_f32, 0.0], [2.0, 30.0]], &Device::Cpu)?;
        let y = x.apply_op1(Elementwise(&Sigmoid))?;
        let gradients = y.sum_all()?.backward()?;
        let dx = gradients.get(&x).expect("a gradient").flatten_all()?.to_vec1::<f32>()?;
        let y = y.flatten_all()?.to_vec1::<f32>()?;
        for (x, (y, dx)) in [-1.0_f64, 0.0, 2.0, 30.0].into_iter().zip(y.into_iter().zip(dx)) {
            let exact = 1.0 / (1.0 + (-x).exp());
            assert!((f64::from(y) - exact).abs() < 1e-6 && (f64::from(dx) - exact * (1.0 - exact)).abs() < 1e-6);
        }
        Ok(())
    }

    #[test]
    fn softmax_along_any_dimension() -> Result<()> {
        let x = Tensor::arange(0.0_f64, 24.0, &Device::Cpu)?.reshape((2, 3, 4))?;
        for dim in 0..3 {
            let y = x.apply_op1_no_bwd(&SoftmaxAlong(dim))?;
            assert_eq!(y.dtype(), DType::F64);
            for sum in y.sum(dim)?.flatten_all()?.to_vec1::<f64>()? {
                assert!((sum - 1.0).abs() < 1e-12, "{sum} along {dim}");
            }
        }
        assert!(x.t()?.apply_op1_no_bwd(&SoftmaxAlong(0)).is_err(), "a strided tensor");
        Ok(())
    }
}
