#!/usr/bin/env bash
# Fails if the release library has an intrinsic or a lane method as a function of its own: scripts/intrinsics.sh
#
# Each of them is one instruction or a few, and must be inlined where it is used. Needs nm of binutils.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --lib
library=${CARGO_TARGET_DIR:-target}/release/libactivations.rlib

# Lines are `TYPE NAME`. Everything in src/lanes and src/math is lane arithmetic, except the modules that read and write
# slices, and a product of hard elements that is meant to be a call.
functions=$(nm --defined-only -C "$library" 2> >(grep -v 'no symbols$' >&2) | sed -nE 's/^[0-9a-f]+ ([tTwWi]) /\1 /p')
arithmetic='^. [<&([]*(core::core_arch|safe_arch|wide|activations::(lanes|math))::'
slices='^. <*activations::lanes::(slices::|rows::|lines::|portable::gradual_mul::f64)'

looked_at=$(grep -c . <<<"$functions" || true)
own=$(grep -cE '^. <*activations::' <<<"$functions" || true)
echo "$looked_at functions in $library, $own of them activations::*"
[ "$own" -gt 0 ] || { echo "nm shows none of the crate's functions" >&2; exit 1; }

found=$(grep -E "$arithmetic" <<<"$functions" | grep -vE "$slices" || true)
[ -z "$found" ] || { echo "not inlined:" >&2; sort <<<"$found" | uniq -c >&2; exit 1; }
