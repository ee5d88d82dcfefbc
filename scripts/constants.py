#!/usr/bin/env python3
"""Fits every polynomial and table of the crate and prints them as Rust constants.

Needs Sollya (Debian package `sollya`) for the polynomials and numpy for the searches:

    pip install numpy scipy && apt-get install sollya && python3 scripts/constants.py

All polynomials but most of tanh's are fitted by `fpminimax`. It finds a polynomial of nearly least maximum error
among those whose coefficients are numbers of the target format, so that no error comes from rounding them.
"""
import math
import struct
import subprocess

import numpy as np
from scipy import special


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


def rounded_fit(function, degree: int, lo: float, hi: float, first: int = 1, weight=None) -> tuple[list[str], float]:
    """Near-minimax f32 coefficients of t^first .. t^degree, and their maximum error. There is no constant term.

    Fits all, rounds the lowest coefficient, fits the others again, and so on. With a fixed constant term, `fpminimax`
    stays far from the optimum. `weight` is a function of t that multiplies the error.
    """
    t = (lo + hi) / 2 + (hi - lo) / 2 * np.cos(np.pi * (np.arange(4000) + 0.5) / 4000)
    target, scale, done = function(t), max(abs(lo), abs(hi)), []
    factor = np.ones_like(t) if weight is None else weight(t)
    for k in range(first, degree + 1):
        basis = np.stack([(t / scale) ** j for j in range(k, degree + 1)], axis=1)
        lawson = np.ones_like(t)
        for _ in range(60):  # Lawson's iteration: least squares, reweighted towards the largest errors
            root = (np.sqrt(lawson) * factor)[:, None]
            c = np.linalg.lstsq(basis * root, target * root[:, 0], rcond=None)[0]
            lawson *= np.abs(basis @ c - target) * factor + 1e-30
            lawson /= lawson.sum()
        done.append(float(np.float32(c[0] / scale ** k)))
        target = target - done[-1] * t ** k
    return [repr(c) for c in done], float((np.abs(target) * factor).max())


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


def half_binades(last: float, bias: float, offset: int) -> tuple[float, list[float]]:
    """The scale and the nine edges of eight intervals of [0, last], as in tanh_f32."""
    edges = [from_bits((TANH_FIRST + i << 22) + offset) for i in range(9)]
    scale = float(np.float32((edges[8] - bias) / last))
    return scale, [max(0.0, (u - bias) / scale) for u in edges]


def intervals_f32(name: str, function, degree: int, edges: list[float], first_index: int, linear: int, least: float) -> None:
    """Polynomials in t = a - CENTRE on eight intervals: f(a) = base + t q(t), where base is the value at the centre.

    With `linear` (1 or 2), f(a) is about a at 0: the first interval has the centre 0 and base = t, and the lowest power
    of its q is t^(linear - 1). A kernel takes base = max(t, C0), for which the other centres lie so far to the right that
    t < C0. The error is relative to max(|f|, least).
    """
    rows = []
    for i, (lo, hi) in enumerate(zip(edges, edges[1:])):
        # A rounding error in the choice of the interval must not matter.
        width = hi - lo
        lo, hi = max(0.0, lo - 2e-5 * width), hi + 2e-5 * width
        if i == 0 and linear:
            c, error = rounded_fit(lambda t: function(t) - t, degree, 1e-6, hi, linear, lambda t: 1 / function(t))
            rows.append(["0.0", "0.0"] + ["0.0"] * (linear - 1) + c)
        else:
            middle = (lo + hi) / 2
            if linear:
                middle = max(middle, hi - 0.96 * float(function(np.array(hi))) + 0.01 * width)
            centres = np.unique((middle + np.linspace(-0.01, 0.01, 8001) * width).astype(np.float32)).astype(np.float64)
            values = function(centres)
            rounded = values.astype(np.float32).astype(np.float64)
            j = int(np.argmin(np.abs(rounded / values - 1)))
            centre, value = float(centres[j]), float(rounded[j])
            c, error = rounded_fit(lambda t: function(t + centre) - value, degree, lo - centre, hi - centre,
                                   weight=lambda t: 1 / np.maximum(np.abs(function(t + centre)), least))
            rows.append([repr(centre), repr(value)] + c)
        print(f"// [{lo:.4f}, {hi:.4f}] error {error * 2 ** 24:.3f} * 2^-24")
    for k, column in enumerate(["CENTRE"] + [f"C{d}" for d in range(degree + 1)]):
        rust(column, [rows[(j - first_index) % 8][k] for j in range(8)], f"{name}, by interval")


def erf_f32() -> None:
    root = math.sqrt(2)
    tables = [
        # a erfcx(a / sqrt 2), half of which is a Q(a) e^(a^2/2), where Q is the upper tail of the normal distribution.
        ("a erfcx(a / sqrt 2)", lambda a: a * special.erfcx(a / root), 6, 14.7, 1.75, 1835007, 2, 0.0),
        # The gradient of GELU at -a times e^(a^2/2).
        ("erfcx(a / sqrt 2) / 2 - a / sqrt(2 pi)",
         lambda a: special.erfcx(a / root) / 2 - a / math.sqrt(2 * math.pi), 6, 19.8, 1.859375, 3014655, 0, 0.05),
        ("erf a", special.erf, 7, 3.9192059, 1.725, 1867775, 1, 0.0),
    ]
    for name, function, degree, last, bias, offset, linear, least in tables:
        bias = float(np.float32(bias))
        scale, edges = half_binades(last, bias, offset)
        print(f"// {name}: SCALE {scale!r}, BIAS {bias!r}, OFFSET {offset}")
        intervals_f32(name, function, degree, edges, TANH_FIRST, linear, least)
    # A multiple of 1/8 of this constant is exact for multiples up to 2^10.
    high = from_bits(bits(2 * math.log(2)) >> 10 << 10)
    print(f"// 2 ln 2 = {high!r} + {float(np.float32(2 * math.log(2) - high))!r}, the first with 14 digits")


def ln_1p_f32() -> None:
    intervals_f32("ln(1 + e)", np.log1p, 5, [i / 8 for i in range(9)], 0, 1, 0.0)


def erf_f64() -> None:
    # With t = (a - 4) / (a + 4); the ends are those of a = 54.5 and 19.8.
    function = "(4*(1+x)/(1-x)+4)*erfc(4*(1+x)/(1-x)/sqrt(2))*exp((4*(1+x)/(1-x))^2/2)/2"
    for name, count, end, digits in (("MILLS", 24, 0.86326, 53), ("SHORT_MILLS", 12, 0.664, 24)):
        c, error = polynomial(function, list(range(count)), "D", f"[-1,{end}]", "relative")
        rust(name, c, f"(a + 4) Q(a) e^(a^2/2) in t; relative error {error * 2 ** digits:.4f} * 2^-{digits}")
    for name, count, digits in (("SERIES", 12, 53), ("SHORT_SERIES", 7, 24)):
        c, error = polynomial("(erf(sqrt(x))/sqrt(x)-1)", list(range(count)), "D", "[1b-60,1]", "absolute")
        rust(name, c, f"erf(x) / x - 1 in x^2, |x| <= 1; error {error * 2 ** digits:.4f} * 2^-{digits}")
    split("1 / sqrt(2 pi)", "1/sqrt(2*pi)", "D", 0)


def ln_1p_f64() -> None:
    for name, count, digits in (("ATANH_THIRD", 12, 53), ("SHORT_ATANH_THIRD", 5, 24)):
        c, error = polynomial("(atanh(sqrt(x))/sqrt(x)-1)/x", list(range(count)), "D", "[1b-60,0.1112]", "absolute")
        rust(name, c, f"(atanh(s) / s - 1) / s^2 in s^2, s <= 1/3; error {error * 0.1112 * 2 ** digits:.4f} * 2^-{digits}")


if __name__ == "__main__":
    print("## exp, f32"), exp_f32()
    print("## exp, f64"), exp_f64()
    print("## ln, f64"), ln_f64()
    print("## tanh, f32"), tanh_f32()
    print("## erf and GELU, f32"), erf_f32()
    print("## erf and GELU, f64"), erf_f64()
    print("## ln(1 + x), f32"), ln_1p_f32()
    print("## ln(1 + x), f64"), ln_1p_f64()
