#!/usr/bin/env bash
# Fails if a debug build that optimises its dependencies is more than 1.1 times slower than release:
# scripts/debug_caller.sh
#
# Makes a crate that depends on this one, with `[profile.dev.package."*"] opt-level = 3`, and times `Sigmoid.forward` on
# 65 536 f32 on every instruction set. Debug and release builds run in turns, so that a disturbance affects both.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
caller=$(mktemp -d)
trap 'rm -rf "$caller"' EXIT

mkdir "$caller/src"
cp Cargo.lock "$caller" # The same versions of the dependencies.
cat >"$caller/Cargo.toml" <<TOML
[package]
name = "caller"
version = "0.0.0"
edition = "2024"

[dependencies]
activations = { path = "$repository" }

[profile.dev.package."*"]
opt-level = 3

[workspace]
TOML
cat >"$caller/src/main.rs" <<'RUST'
//! Prints a line for each instruction set: its name and the nanoseconds of a call.
use std::hint::black_box;
use std::time::Instant;

use activations::{Isa, Sigmoid};

const TURNS: usize = 41;
const SECONDS_A_TURN: f64 = 0.5e-3;

fn main() {
    let x: Vec<f32> = (0..65_536).map(|i| (i % 1009) as f32 * 0.016 - 8.0).collect();
    let mut y = vec![0.0; x.len()];
    for isa in Isa::available() {
        let ns = isa.with(|| median(&mut || Sigmoid.forward(black_box(&x), black_box(&mut y))));
        println!("{isa} {ns:.0}");
    }
}

/// The median time of a call over all turns.
fn median(call: &mut dyn FnMut()) -> f64 {
    // The first call warms the caches. The second one gives the number of calls in a turn.
    call();
    let calls = (SECONDS_A_TURN / seconds(1, call)).ceil() as usize;
    let mut turns: Vec<f64> = (0..TURNS).map(|_| seconds(calls, call) / calls as f64 * 1e9).collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2]
}

fn seconds(calls: usize, call: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    (0..calls).for_each(|_| call());
    start.elapsed().as_secs_f64()
}
RUST

export CARGO_TARGET_DIR="$caller/target"
cargo build -q --manifest-path "$caller/Cargo.toml"
cargo build -q --release --manifest-path "$caller/Cargo.toml"
for _ in 1 2 3; do
  for build in debug release; do
    "$CARGO_TARGET_DIR/$build/caller" | sed "s/^/$build /"
  done
done >"$caller/times"

# Lines are `BUILD ISA NS`. The least of the three times counts.
awk '
  !($2 in seen) { seen[$2]; order[++sets] = $2 }
  !(($1, $2) in best) || $3 < best[$1, $2] { best[$1, $2] = $3 }
  END {
    printf "%-10s %10s %10s %8s\n", "", "debug ns", "release ns", "ratio"
    for (i = 1; i <= sets; i++) {
      isa = order[i]
      ratio = best["debug", isa] / best["release", isa]
      printf "%-10s %10d %10d %8.2f\n", isa, best["debug", isa], best["release", isa], ratio
      if (ratio > 1.1) slow = 1
    }
    if (sets == 0) { print "no times"; exit 1 }
    if (slow) print "a debug build is too slow"
    exit slow
  }' "$caller/times"
