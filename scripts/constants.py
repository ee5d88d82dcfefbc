#!/usr/bin/env python3
"""Fits every polynomial and table of the crate and prints them as Rust constants.

Needs Sollya (Debian package `sollya`) for the polynomials and numpy for the searches:

    pip install numpy && apt-get install sollya && python3 scripts/constants.py

All polynomials but most of tanh's are fitted by `fpminimax`. It finds a polynomial of nearly least maximum error
among those whose coefficients are numbers of the target format, so that no error comes from rounding them.
"""
import math
import struct
import subprocess

import numpy as np


def sollya(source: str) -> list[str]:
    """Runs a Sollya program and returns the lines it prints."""
    run = subprocess.run(["sollya"], input="display=decimal!;\nprec=300!;\n" + source + "\nquit;\n",
                         capture_output=True, text=True, check=True)
    if "rror" in run.stdout + run.stderr or "arning" in run.stderr:
        raise SystemExit(run.stdout + run.stderr)
    return [line.strip() for line in run.stdout.splitlines() if line.strip()]


def polynomial(function: str, monomials: list[int], fmt: str, interval: str, mode: str, fixed: str = "0"):
    """Coefficients of the given monomials, lowest first, and the maximum error. `fixed` is a given part of the fit."""
    degrees = "[|" + ",".join(map(str, monomials)) + "|]"
    weighted = f"(p/({function})-1)" if mode == "relative" else f"(p-({function}))"
    lines = sollya(f"""
        p = fpminimax({function}, {degrees}, [|{fmt}...|], {interval}, {mode}, floating, {fixed});
        for k in {degrees} do print(coeff(p, k));
        print(dirtyinfnorm({weighted}, {interval}));
    """)
    return lines[:-1], float(lines[-1])


def rounded_fit(function, degree: int, lo: float, hi: float) -> tuple[list[str], float]:
    """Near-minimax f32 coefficients of t .. t^degree, and their maximum error. There is no constant term.

    Fits all, rounds the lowest coefficient, fits the others again, and so on. With a fixed constant term, `fpminimax`
    stays far from the optimum.
    """
    t = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.pi * (np.arange(4000) + 0.5) / 4000)
    target, scale, done = function(t), max(abs(lo), abs(hi)), []
    for k in range(1, degree + 1):
        basis = np.stack([(t / scale) ** j for j in range(k, degree + 1)], axis=1)
        weight = np.ones_like(t)
        for _ in range(60):  # Lawson's iteration: least squares, reweighted towards the largest errors
            root = np.sqrt(weight)[:, None]
            c = np.linalg.lstsq(basis * root, target * root[:, 0], rcond=None)[0]
            weight *= np.abs(basis @ c - target) + 1e-30
            weight /= weight.sum()
        done.append(float(np.float32(c[0] / scale ** k)))
        target = target - done[-1] * t ** k
    return [repr(c) for c in done], float(np.abs(target).max())


def bits(x: float) -> int:
    return struct.unpack("<I", struct.pack("<f", x))[0]


def rust(name: str, values: list[str], comment: str) -> None:
    print(f"// {comment}\n{name}: [{', '.join(values)}]\n")


def split(name: str, value: str, fmt: str, drop: int) -> None:
    """A constant in two parts; the first has `drop` trailing zero bits, so that small multiples of it are exact."""
    precision = {"SG": 24, "D": 53}[fmt]
    hi, lo = sollya(f"hi = round({value}, {precision - drop}, RN); print(hi); print(round({value} - hi, {precision}, RN));")
    print(f"// {name} = hi + lo, hi with {drop} trailing zero bits\nhi {hi}\nlo {lo}\n")


def exp_f32() -> None:
    # e^x = g 2^(n/8) (e^r / g). The factor g is free. The search below finds the g for which all eight g 2^(j/8) are
    # closest to an f32, so that the table needs no low parts. 1/g is a factor of the polynomial.
    first = np.arange(bits(2 ** -0.0625), bits(1.0), dtype=np.uint32).view(np.float32).astype(np.float64)
    steps = np.exp2(np.arange(8) / 8)
    best_error, best_g = 1.0, 1.0
    for chunk in np.array_split(first, 64):
        for nudge in np.linspace(-0.06, 0.06, 13) * 2.0 ** -24:
            table = np.outer(chunk + nudge, steps)
            error = np.abs(table.astype(np.float32).astype(np.float64) / table - 1).max(axis=1)
            i = int(error.argmin())
            if error[i] < best_error:
                best_error, best_g = float(error[i]), float(chunk[i] + nudge)
    table = [bits(best_g * 2 ** (j / 8)) - (j << 20) for j in range(8)]
    rust("POWERS", [hex(t & 0xFFFFFFFF) for t in table],
         f"bits of g 2^(j/8) less j << 20, g = {best_g!r}; worst relative error {best_error * 2 ** 24:.3f} * 2^-24")
    for degree in (3, 4):
        c, error = polynomial(f"exp(x)/({best_g!r})-1", list(range(degree + 1)), "SG", "[-0.04335,0.04335]", "absolute")
        rust(f"degree {degree}", c, f"e^r / g - 1 on |r| <= ln 2 / 16; error {error * 2 ** 24:.3f} * 2^-24")
    split("ln 2", "log(2)", "SG", 0)
    # Without a fused multiply-add there is no table. The power is then a power of two, and products with it are exact.
    c, error = polynomial("(expm1(x)-x)/(x*x)", list(range(5)), "SG", "[-0.3470,0.3470]", "absolute")
    rust("EXPM1_F32", c, f"(e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; error of e^r {error * 0.347 ** 2 * 2 ** 24:.3f} * 2^-24")


def exp_f64() -> None:
    c, error = polynomial("(expm1(x)-x)/(x*x)", list(range(10)), "D", "[-0.34662,0.34662]", "absolute")
    rust("EXPM1", c, f"(e^r - 1 - r) / r^2 on |r| <= ln 2 / 2; error of e^r {error * 0.34662 ** 2 * 2 ** 53:.4f} * 2^-53")
    split("ln 2", "log(2)", "D", 11)
    c, error = polynomial("(sqrt(x)/tanh(sqrt(x)/2)-2)/x", list(range(5)), "D", "[1b-60,0.12015]", "absolute")
    rust("COTH", c, f"(r coth(r / 2) - 2) / r^2 in r^2; error of e^r {error * 0.34662 ** 3 / 2 * 2 ** 53:.4f} * 2^-53")
    c, error = polynomial("expm1(x)/x", list(range(7)), "D", "[-0.34662,0.34662]", "absolute")
    rust("SHORT", c, f"(e^r - 1) / r on |r| <= ln 2 / 2; error of e^r {error * 0.34662 * 2 ** 24:.4f} * 2^-24")


def ln_f64() -> None:
    c, error = polynomial("(atanh(sqrt(x))/sqrt(x)-1)/x", list(range(9)), "D", "[1b-60,0.02944]", "absolute")
    rust("ATANH", c, f"(atanh(s) / s - 1) / s^2 in s^2, s <= 3 - 2 sqrt 2; error {error * 0.02944 * 2 ** 53:.4f} * 2^-53")


def from_bits(pattern: int) -> float:
    return struct.unpack("<f", struct.pack("<I", pattern))[0]


# tanh in f32: eight intervals of |x|. Interval i holds the |x| for which bits(BIAS + SCALE |x|) - OFFSET, shifted
# right by 22, is bits(1.5) >> 22 plus i: half binades of a shifted argument, narrow at 0 and wide at the end.
# BIAS and OFFSET balance the errors of the intervals. The last one ends at LAST, where tanh already rounds to 1.
TANH_LAST, TANH_BIAS, TANH_OFFSET = 9.1, float(np.float32(1.8)), 2516582
TANH_FIRST = bits(1.5) >> 22
TANH_EDGES = [from_bits((TANH_FIRST + i << 22) + TANH_OFFSET) for i in range(9)]
TANH_SCALE = float(np.float32((TANH_EDGES[8] - TANH_BIAS) / TANH_LAST))


def tanh_f32() -> None:
    edges = [max(0.0, (u - TANH_BIAS) / TANH_SCALE) for u in TANH_EDGES]
    rows = []
    for i, (lo, hi) in enumerate(zip(edges, edges[1:])):
        hi = min(hi, TANH_LAST)
        if i == 0:
            c, error = polynomial("tanh(x)", [2, 3, 4, 5, 6], "SG", f"[1b-30,{hi}]", "relative", "x")
            rows.append(["0", "0", "1"] + c)
            print(f"// [0, {hi:.4f}] relative error {error * 2 ** 24:.3f} * 2^-24")
            continue
        # The constant term is tanh of the centre. Near the middle, take the centre whose tanh is closest to an f32, so
        # that rounding the constant term adds almost no error.
        middle = bits(math.tanh((lo + hi) / 2))
        values = [from_bits(middle + d) for d in range(-2000, 2001)]
        centres = [(float(np.float32(math.atanh(v))), v) for v in values if v < 1]
        centres = [(c, v) for c, v in centres if abs(c - (lo + hi) / 2) < 0.02 * (hi - lo)]
        centre, value = min(centres, key=lambda cv: abs(math.tanh(cv[0]) - cv[1]))
        c, error = rounded_fit(lambda t: np.tanh(t + centre) - value, 6, lo - centre, hi - centre)
        rows.append([repr(centre), repr(value)] + c)
        print(f"// [{lo:.4f}, {hi:.4f}] absolute error {error * 2 ** 24:.3f} * 2^-24 of {math.tanh(lo):.4f}")
    print(f"// SCALE {TANH_SCALE!r}, BIAS {TANH_BIAS!r}, OFFSET {TANH_OFFSET}")
    # The low three bits of the shifted pattern are the index in the table. Those of interval 0 are not 0, so that the
    # table begins with a later interval.
    for k, name in enumerate(["CENTRE", "C0", "C1", "C2", "C3", "C4", "C5", "C6"]):
        column = [rows[(j - TANH_FIRST) % 8][k] for j in range(8)]
        rust(name, column, f"tanh, {name.lower()} by interval")


if __name__ == "__main__":
    print("## exp, f32"), exp_f32()
    print("## exp, f64"), exp_f64()
    print("## ln, f64"), ln_f64()
    print("## tanh, f32"), tanh_f32()
