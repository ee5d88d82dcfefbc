#!/usr/bin/env bash
# Runs the tests under tools that check every access to memory: scripts/memory.sh [asan|valgrind|all]
#
#   asan      AddressSanitizer, every instruction set of this machine, AVX-512 too; needs rustup's nightly toolchain
#   valgrind  every instruction set but AVX-512, which valgrind lacks. A load that is partly outside is an error here
#
# Most tests go through every instruction set themselves. ACTIVATIONS_ISA is for those that do not.
set -euo pipefail
cd "$(dirname "$0")/.."
target=x86_64-unknown-linux-gnu

asan() {
  local isa
  for isa in $(cargo run -q --profile test --example isa); do
    echo "== AddressSanitizer, ACTIVATIONS_ISA=$isa"
    ACTIVATIONS_ISA=$isa RUSTFLAGS=-Zsanitizer=address cargo +nightly test --tests --target $target
  done
}

# A few tests: the others take about a hundred times longer under valgrind.
valgrind() {
  local isa
  export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind -q --partial-loads-ok=no --error-exitcode=9"
  for isa in portable avx2; do
    echo "== valgrind, ACTIVATIONS_ISA=$isa"
    ACTIVATIONS_ISA=$isa cargo test --test guard_pages --test corpus --test bad_input --test clip --test loss
  done
}

case ${1:-all} in
asan | valgrind) "$1" ;;
all) asan && valgrind ;;
*) grep -m1 -o 'scripts/memory.sh .*' "$0" && exit 2 ;;
esac
