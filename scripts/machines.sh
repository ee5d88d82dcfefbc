#!/usr/bin/env bash
# Runs the tests on other machines, emulated: scripts/machines.sh [nehalem|haswell|neon|wasm|i686|all]
#
#   nehalem  x86-64 without AVX              haswell  x86-64 with AVX2 and FMA, without AVX-512
#   neon     64-bit ARM                      wasm     32-bit WebAssembly with simd128, in node, one thread
#   i686     32-bit x86 with SSE2
#
# Needs an x86-64 Debian 12, root for apt-get, and a Rust toolchain from rustup. Installs qemu-user, a C toolchain for
# each of the last three, and node if there is none. rustup's toolchain lacks these three targets. Their standard
# library is compiled here from Debian's sources with Debian's compiler. Compiler and sources are unpacked under
# target/machines, which grows to 3 GB, and are not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
cache=$(realpath -m "${CARGO_TARGET_DIR:-target}")/machines

# install PACKAGE...
install() {
  dpkg -s "$@" >/dev/null 2>&1 && return
  apt-get update -q
  apt-get install -q -y --no-install-recommends "$@"
}

# on ISAS [CARGO OPTION]...: runs the tests and a thinned sweep. Fails if the machine has other instruction sets.
on() {
  local expected=$1 found
  shift
  found=$(cargo run --release --example isa "$@" | xargs)
  echo "instruction sets: $found"
  [ "$found" = "$expected" ] || { echo "expected: $expected" >&2; return 1; }
  cargo test --release --tests "$@" -- ${skip:+--skip "$skip"}
  cargo run --release -p exhaustive "$@" -- --step 32749
}

# x86 CPU ISAS
x86() {
  install qemu-user
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="qemu-x86_64 -cpu $1" on "$2"
}

# foreign TARGET ISAS: for a target that rustup's toolchain lacks.
foreign() {
  [ -x "$cache/rustc" ] || unpack_rust
  RUSTC=$cache/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$cache/target on "$2" --target "$1" -Zbuild-std=std,panic_abort
}

# Debian's rustc with the sources of its standard library.
unpack_rust() {
  rm -rf "$cache/rust"
  mkdir -p "$cache/rust/debs"
  apt-get update -q
  local std llvm
  std=$(apt-cache depends libstd-rust-web-dev | awk '/Depends: libstd-rust-web-/ { print $2 }')
  llvm=$(apt-cache depends "$std" | awk '/Depends: libllvm/ { print $2 }')
  (cd "$cache/rust/debs" && apt-get download -q rustc-web rust-web-src libstd-rust-web-dev "$std" "$llvm")
  for deb in "$cache"/rust/debs/*.deb; do dpkg -x "$deb" "$cache/rust"; done
  rm -r "$cache/rust/debs"
  local usr=$cache/rust/usr
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "'$usr/lib/x86_64-linux-gnu'" "'$usr/bin/rustc'" >"$cache/rustc"
  chmod +x "$cache/rustc"
}

nehalem() { x86 Nehalem "scalar portable"; }

# The features that are switched off are those that qemu does not emulate. The crate uses none of them. qemu's masked
# loads also read the lanes that are masked out. Past the end of a slice that faults where no CPU would: at the end of a
# thread's own heap, hence one heap for all threads, and at guard pages, hence the skipped tests.
haswell() { skip=nothing_is_touched_outside MALLOC_ARENA_MAX=1 x86 Haswell,-hle,-invpcid,-pcid,-rtm,-tsc-deadline,-x2apic "scalar portable avx2"; }

neon() {
  install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
  export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
  foreign aarch64-unknown-linux-gnu "scalar portable"
}

i686() {
  install qemu-user gcc-i686-linux-gnu libc6-dev-i386-cross
  export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER=i686-linux-gnu-gcc
  export CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_RUNNER="qemu-i386 -L /usr/i686-linux-gnu"
  foreign i686-unknown-linux-gnu "scalar portable"
}

wasm() {
  install wasi-libc
  command -v node >/dev/null || install nodejs
  local libc=/usr/lib/wasm32-wasi
  CARGO_TARGET_WASM32_WASIP1_LINKER=$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
  export CARGO_TARGET_WASM32_WASIP1_LINKER
  export CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS="-Ctarget-feature=+simd128 -Clink-self-contained=no
    -Clink-arg=$libc/crt1-command.o -Clink-arg=-L$libc -Clink-arg=-lc -Clink-arg=--allow-undefined"
  export CARGO_TARGET_WASM32_WASIP1_RUNNER="node --no-warnings $PWD/scripts/wasi.mjs"
  foreign wasm32-wasip1 "scalar portable"
}

case ${1:-all} in
nehalem | haswell | neon | wasm | i686) machines=$1 ;;
all) machines="nehalem haswell neon wasm i686" ;;
*) grep -m1 -o 'scripts/machines.sh .*' "$0" && exit 2 ;;
esac
for machine in $machines; do
  echo "== $machine"
  $machine
done
