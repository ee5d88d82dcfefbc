#!/usr/bin/env python3
"""Writes tests/data/torch_losses.txt: the losses of torch in float64 and their gradients, each beside the exact value.

    pip install torch==2.15.0 mpmath==1.3.0 && python3 scripts/torch_losses.py

torch computes each output, gradients by autograd, and mpmath computes it once more with PRECISION bits. Both must agree
within torch's own error: TORCH_ERROR of the sum of the magnitudes of the terms that torch adds. Where an output is the
small difference of such terms, as the loss and the gradient of a nearly certain class are, only mpmath's value is right.

The file. A line is a name and its numbers. A number is the bits of an f64 in hexadecimal, without the zeros at its end. An
output is the exact value, rounded, and torch's after a slash: the last digits of its bits where they differ. A name keeps
its numbers until a line of the same name replaces them. A line `case KIND` says that all numbers of a case have been read:

    hard, soft   logits, targets, scale, weights, smoothing, ignored, factor (that of the z-loss)
                 -> losses, gradients, mean
    binary       logits, targets, scale, weights
                 -> losses, gradients
    log_softmax  logits, saved (the output of which the gradient is computed), dy
                 -> logs, log_sums, gradients

Options that are absent have no numbers. `scale` and the weights of `binary` are one number, or one for each row or column.
Errors are relative to the sums of magnitudes in `losses_terms` and so on: one for each output or for each row. Those that
torch adds are in `losses_torch` and so on.

The last digits of torch's numbers depend on the CPU. The exact values and the inputs do not.

All inputs but the smoothing are exact in f32, so that the same outputs hold for it.
"""
import math
import random
import struct
from pathlib import Path

import mpmath
import torch
import torch.nn.functional as F
from mpmath import mp, mpf

# e^-800 is 2^-1155: enough for p - 1 and log(1 + p) with 200 correct bits.
PRECISION = 1400
TORCH_ERROR = 1e-14
TARGET = Path(__file__).parent.parent / "tests/data/torch_losses.txt"
IGNORED = -100

mp.prec = PRECISION
torch.set_default_dtype(torch.float64)
source = random.Random(20)
lines: list[str] = []
written: dict[str, str] = {}
cases: dict[str, int] = {}
# (kind, output) -> the largest error of torch relative to the terms, and relative to the exact value.
worst: dict[tuple[str, str], list[tuple]] = {}


def single(x: float) -> float:
    """The nearest f32."""
    return struct.unpack("f", struct.pack("f", x))[0]


def digits(x: float) -> str:
    """All 16 digits of the bits of an f64."""
    return struct.pack(">d", math.nan if math.isnan(x) else x).hex()


def short(bits: str) -> str:
    return bits.rstrip("0") or "0"


def rounded(x) -> float:
    """The nearest f64, subnormal numbers included."""
    if not mpmath.isfinite(x):
        return float(x)
    sign, mantissa, exponent, _ = mpf(x)._mpf_
    size = int(mantissa) << exponent if exponent >= 0 else int(mantissa) / (1 << -exponent)
    return -float(size) if sign else float(size)


def rounded_up(x) -> float:
    """A positive number with the last 32 of its bits 0: the sums of magnitudes need few digits."""
    bits = struct.unpack(">Q", struct.pack(">d", rounded(x)))[0]
    return struct.unpack(">d", struct.pack(">Q", (bits + 0xFFFFFFFF) >> 32 << 32))[0] if mpmath.isfinite(x) else float(x)


def line(name: str, text: str):
    """Writes a line, unless the name has these numbers already."""
    if written.get(name) != text:
        written[name] = text
        lines.append(f"{name} {text}".rstrip())


def numbers(name: str, values):
    line(name, " ".join(short(digits(x)) for x in values))


def outputs(kind: str, name: str, torchs, exacts, terms, torch_terms):
    """Writes outputs with the sums of magnitudes of their terms, and asserts that torch is right within its own error.

    `terms` and `torch_terms` have one number for each output or for each row of outputs."""
    tokens, columns = [], len(exacts) // len(torch_terms)
    for i, (actual, exact) in enumerate(zip(torchs, exacts, strict=True)):
        exact, magnitude = rounded(exact), torch_terms[i // columns]
        right, other = digits(exact), digits(actual)
        if right == other or actual == exact:
            tokens.append(short(right))
            continue
        error = abs(mpf(actual) - mpf(exact))
        # Below the smallest normal number errors are absolute.
        assert error <= TORCH_ERROR * magnitude + mpf(2) ** -1070, (kind, name, actual, exact, rounded(magnitude))
        relative = float(error / abs(mpf(exact))) if exact else math.inf
        worst.setdefault((kind, name), []).append((float(error / magnitude), relative, exact, actual))
        tail = next(k for k in range(16) if right[k] != other[k])
        tokens.append(f"{short(right)}/{other[tail:]}")
    line(name, " ".join(tokens))
    numbers(f"{name}_terms", map(rounded_up, terms))
    numbers(f"{name}_torch", map(rounded_up, torch_terms))


def case(kind: str):
    lines.append(f"case {kind}")
    cases[kind] = cases.get(kind, 0) + 1


def flat(rows) -> list:
    return [x for row in rows for x in row]


def tensor(rows) -> torch.Tensor:
    return torch.tensor(rows, requires_grad=True)


def uniform(limit: float) -> float:
    return single(source.uniform(-limit, limit))


# Rows of logits.


def certain_row(classes: int, certain: int, gap: float) -> list[float]:
    """One class that is `gap` above the next, which is class 0 or 1, and further above the others."""
    base = uniform(1.0)
    row = [single(base - source.uniform(0.0, 3.0)) for _ in range(classes)]
    row[0 if certain else 1] = base
    row[certain] = single(base + gap)
    return row


def make_rows(classes: int, is_infinite: bool) -> tuple[list[list[float]], list[int]]:
    """Rows and the class of each: fewer with many classes."""
    rows, targets = [], []

    def add(row, target):
        rows.append(row)
        targets.append(target)

    last = classes - 1
    for k in range(3 if classes < 10 else 2):
        add([uniform(8.0) for _ in range(classes)], (k * 7 + 1) % classes)
    # Others of equal logits: the class has the probability 1 - 1e-9, then 1 - 1e-16.
    for small in [1e-9, 1e-16]:
        row = [0.0] * classes
        row[last] = single(math.log((classes - 1) / small))
        add(row, last)
    gaps = [17.0, 40.0, 100.0, 700.0] if classes < 10 else [40.0, 700.0]
    for k, gap in enumerate(gaps):
        certain = (k * 5 + 1) % classes
        add(certain_row(classes, certain, gap), certain)
    if classes < 10:
        # The loss of a class that is nearly impossible.
        add(certain_row(classes, 0, 40.0), last)
    for base in [1000.0, -1000.0]:
        add([single(base + source.uniform(-8.0, 8.0)) for _ in range(classes)], source.randrange(classes))
    if is_infinite:
        row = [uniform(8.0) for _ in range(classes)]
        row[0] = -math.inf
        add(row, last)
    return rows, targets


class Row:
    """The exact numbers of a row of logits."""

    def __init__(self, row: list[float]):
        x = [mpf(x) for x in row]
        largest = max(x)
        exponentials = [mpmath.exp(x - largest) for x in x]
        total = mpmath.fsum(exponentials)
        self.log_sum = largest + mpmath.log(total)
        self.log_sum_terms = abs(largest) + mpmath.log(total)
        self.losses = [self.log_sum - x for x in x]
        self.probabilities = [e / total for e in exponentials]


# Cross-entropy.


def cross_entropy(rows, targets, scale, weights=None, smoothing=None, ignored=False, factor=None):
    """A case of classes, or of probabilities where `targets` has rows. The scale is a number, or one for each row."""
    kind = "soft" if isinstance(targets[0], list) else "hard"
    classes = len(rows[0])
    numbers("logits", flat(rows))
    numbers("targets", flat(targets) if kind == "soft" else map(float, targets))
    numbers("scale", scale if isinstance(scale, list) else [scale])
    numbers("weights", weights or [])
    numbers("smoothing", [] if smoothing is None else [smoothing])
    numbers("ignored", [float(IGNORED)] if ignored else [])
    numbers("factor", [] if factor is None else [factor])

    scales = scale if isinstance(scale, list) else [scale] * len(rows)
    logits, classes_or_probabilities = tensor(rows), torch.tensor(targets)
    options = {
        "weight": None if weights is None else torch.tensor(weights),
        "ignore_index": IGNORED if ignored else -12345,
        "label_smoothing": smoothing or 0.0,
    }
    if kind == "soft":
        del options["ignore_index"]
    losses = F.cross_entropy(logits, classes_or_probabilities, reduction="none", **options)
    kept = [kind == "soft" or target != IGNORED for target in targets]
    divisor = [1.0 if kind == "soft" or not weights else weights[t] for t, k in zip(targets, kept) if k]
    if factor is None:
        mean = F.cross_entropy(logits, classes_or_probabilities, reduction="mean", **options)
    else:
        losses = losses + factor * torch.logsumexp(logits, 1) ** 2 * torch.tensor(kept)
        mean = losses.sum() / sum(divisor)
    (losses * torch.tensor(scales)).sum().backward()

    share, z = mpf(smoothing or 0.0), mpf(factor or 0.0)
    exact, loss_terms, loss_torch, gradients, gradient_terms, gradient_torch = [], [], [], [], [], []
    for row, target, is_kept, scale in zip(rows, targets, kept, scales):
        if not is_kept:
            exact.append(mpf(0))
            gradients += [mpf(0)] * classes
            for magnitudes in [loss_terms, loss_torch, gradient_terms, gradient_torch]:
                magnitudes.append(mpf(0))
            continue
        row = Row(row)
        q = [mpf(x) for x in target] if kind == "soft" else [mpf(int(c == target)) for c in range(classes)]
        w = [mpf(x) for x in weights] if weights else [mpf(1)] * classes
        a = [w * ((1 - share) * q + share / classes) for w, q in zip(w, q)]
        # A weight of 0 adds nothing, to a loss of infinity either.
        parts = [a * loss for a, loss in zip(a, row.losses) if a]
        exact.append(mpmath.fsum(parts) + z * row.log_sum ** 2)
        loss_terms.append(mpmath.fsum(parts) + z * row.log_sum_terms ** 2)
        # torch rounds the logarithm of a sum of at least 1.
        loss_torch.append(loss_terms[-1] + mpmath.fsum(a))
        mass, slope = mpmath.fsum(a), 2 * z * row.log_sum_terms
        outer = mass + 2 * z * row.log_sum
        gradients += [scale * (p * outer - a) for p, a in zip(row.probabilities, a)]
        gradient_terms.append(abs(scale) * (mass + slope))
        # torch computes the gradient of a log-sum-exp as e^(x - logsumexp).
        gradient_torch.append(abs(scale) * (mass + slope * (1 + row.log_sum_terms)))
    outputs(kind, "losses", losses.tolist(), exact, loss_terms, loss_torch)
    outputs(kind, "gradients", flat(logits.grad.tolist()), gradients, gradient_terms, gradient_torch)
    total = mpmath.fsum(map(mpf, divisor))
    if total:
        means = [mpmath.fsum(x) / total for x in [exact, loss_terms, loss_torch]]
    else:
        means = [mpf("nan")] * 3
    outputs(kind, "mean", [mean.item()], *([mean] for mean in means))
    case(kind)


def make_weights(classes: int) -> list[float]:
    """Multiples of 1/8, and 0 for one class of many."""
    return [0.0 if c == 1 and classes > 2 else (c * 5 % 7 + 1) / 8 for c in range(classes)]


def row_scales(rows) -> list[float]:
    return [uniform(2.0) for _ in rows]


def hard_cases():
    for classes in [2, 3, 10, 17]:
        weights = make_weights(classes)
        for smoothing in [None, 0.1, 1.0]:
            # Smoothing makes the loss of a row with -inf infinite.
            rows, targets = make_rows(classes, is_infinite=smoothing is None)
            scales = row_scales(rows)
            some = [IGNORED if r % 3 == 1 else target for r, target in enumerate(targets)]
            for given in [None, weights]:
                for ignored in [False, True]:
                    options = {"weights": given, "smoothing": smoothing, "ignored": ignored}
                    for scale in [0.75, scales]:
                        cross_entropy(rows, some if ignored else targets, scale, **options)
                    if ignored and classes == 3:
                        cross_entropy(rows[:2], [IGNORED] * 2, 1.0, **options)
            if smoothing == 1.0:
                continue
            # The z-loss. 2^-10, as an f32 must hold it.
            options = {"smoothing": smoothing, "factor": 0.0009765625}
            cross_entropy(rows, targets, scales, **options)
            if classes < 10:
                cross_entropy(rows, some, 0.75, ignored=True, **options)
            cross_entropy(rows, some, scales, weights=weights, ignored=True, **options)


def soft_cases():
    for classes in [2, 3, 10, 17]:
        rows, targets = make_rows(classes, is_infinite=False)
        probabilities = []
        for r, target in enumerate(targets):
            if r % 3 == 0 and r > 0:
                row = [float(c == target) for c in range(classes)]
            else:
                # Some are 0. The sum is not 1 in every other row of them.
                row = [source.choice([0.0, source.random(), source.random()]) for _ in range(classes)]
                total = sum(row) or 1.0
                row = [single(x / total if r % 2 else x) for x in row]
            probabilities.append(row)
        scales = row_scales(rows)
        for smoothing in [None, 0.1, 1.0]:
            for weights in [None, make_weights(classes)]:
                for scale in [scales] if smoothing else [1.5, scales]:
                    cross_entropy(rows, probabilities, scale, weights=weights, smoothing=smoothing)


# Binary cross-entropy.


def binary_case(logits, targets, scale, weights):
    """The weights are none, one, or one for each column."""
    columns = len(weights) if len(weights) > 1 else 1
    numbers("logits", logits)
    numbers("targets", targets)
    numbers("scale", [scale])
    numbers("weights", weights)
    shape = (len(logits) // columns, columns)
    x, t = tensor(logits), torch.tensor(targets)
    given = torch.tensor(weights) if weights else None
    losses = F.binary_cross_entropy_with_logits(x.reshape(shape), t.reshape(shape), pos_weight=given, reduction="none")
    (losses * scale).sum().backward()

    exact, loss_torch, gradients, gradient_terms, gradient_torch = [], [], [], [], []
    for i, (x_i, t_i) in enumerate(zip(map(mpf, logits), map(mpf, targets))):
        weight = mpf(weights[i % len(weights)]) if weights else mpf(1)
        positive, negative = weight * t_i, 1 - t_i
        exact.append(positive * mpmath.log1p(mpmath.exp(-x_i)) + negative * mpmath.log1p(mpmath.exp(x_i)))
        probability = 1 / (1 + mpmath.exp(-x_i))
        gradients.append(scale * (negative * probability - positive * (1 - probability)))
        gradient_terms.append(scale * (negative * probability + positive * (1 - probability)))
        # torch computes (1 - t) x + (1 + (w - 1) t) (log1p(e^-|x|) + max(-x, 0)).
        loss_torch.append(negative * abs(x_i) + (1 + abs(weight - 1) * t_i) * (max(-x_i, 0) + 1))
        gradient_torch.append(scale * (1 + positive))
    outputs("binary", "losses", flat(losses.tolist()), exact, exact, loss_torch)
    outputs("binary", "gradients", x.grad.tolist(), gradients, gradient_terms, gradient_torch)
    case("binary")


def binary_cases():
    near = [0.0, 1e-30, -1e-8, 0.001, -0.5, 1.0]
    far = [-4.0, 17.0, -17.0, 36.7, -36.7, 40.0, -40.0, 100.0, -100.0, 700.0, -700.0, 744.0, -744.0, 800.0, -800.0]
    logits = [single(x) for x in near + far] + [uniform(8.0) for _ in range(3)]
    for targets in [[0.0], [1.0], [0.5, 0.25, single(0.9), single(1e-6)]]:
        targets = [targets[i % len(targets)] for i in range(len(logits))]
        for weights in [[], [2.5], [0.0, 0.5, 3.0]]:
            binary_case(logits, targets, 0.75, weights)


# The logarithm of softmax.


def log_softmax_cases():
    for classes in [2, 3, 10, 17]:
        rows, targets = make_rows(classes, is_infinite=True)
        exact = [Row(row) for row in rows]
        logs = [[-loss for loss in row.losses] for row in exact]
        saved = [[single(rounded(y)) for y in row] for row in logs]
        # A gradient of the target alone, as that of a loss is.
        dy = [[uniform(2.0) if c == target else 0.0 for c in range(classes)] for target in targets]
        numbers("logits", flat(rows))
        numbers("saved", flat(saved))
        numbers("dy", flat(dy))
        x = torch.tensor(rows)
        actual, magnitudes = flat(F.log_softmax(x, 1).tolist()), [abs(y) for y in flat(logs)]
        outputs("log_softmax", "logs", actual, flat(logs), magnitudes, [y + 1 for y in magnitudes])
        actual, magnitudes = torch.logsumexp(x, 1).tolist(), [row.log_sum_terms for row in exact]
        log_sums = [row.log_sum for row in exact]
        outputs("log_softmax", "log_sums", actual, log_sums, magnitudes, [y + 1 for y in magnitudes])
        gradients, magnitudes = [], []
        for y, dy_row in zip(saved, dy):
            total = mpmath.fsum(map(mpf, dy_row))
            gradients += [mpf(d) - mpmath.exp(mpf(y)) * total for y, d in zip(y, dy_row)]
            magnitudes.append(abs(total))
        backward = torch.ops.aten._log_softmax_backward_data
        actual = flat(backward(torch.tensor(dy), torch.tensor(saved), 1, torch.float64).tolist())
        outputs("log_softmax", "gradients", actual, gradients, magnitudes, magnitudes)
        case("log_softmax")


def main():
    version = torch.__version__.split("+")[0]
    lines.append(f"# torch {version} in float64, written by scripts/torch_losses.py, which describes the lines")
    hard_cases()
    soft_cases()
    binary_cases()
    log_softmax_cases()
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"torch {version}: {sum(cases.values())} cases {cases}, {TARGET.stat().st_size} bytes")
    for (kind, output), found in worst.items():
        lost = sorted((x for x in found if x[1] > 1e-13), key=lambda x: -x[1])
        far = max(found)[0]
        print(f"{kind} {output}: {len(found)} differ, at most by {far:.1e} of the terms; {len(lost)} by 1e-13 of the value")
        for _, relative, exact, actual in lost[:3]:
            print(f"    exact {exact:.17e}, torch {actual:.17e}, relative {relative:.1e}")


if __name__ == "__main__":
    main()
