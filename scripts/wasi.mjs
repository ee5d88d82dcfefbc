// Runs a wasm32-wasip1 program in node: node wasi.mjs PROGRAM [ARGUMENT]...
//
// Debian's wasi-libc has no threads, but Rust's std links the functions for them. Here pthread_create fails with ENOTSUP,
// and the others do nothing, since there is one thread only.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [, , program, ...args] = process.argv;
const wasi = new WASI({ version: "preview1", args: [program, ...args], env: process.env });
const module = await WebAssembly.compile(await readFile(program));
const env = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  if (from !== "env") continue;
  if (!name.startsWith("pthread_")) throw new Error(`undefined symbol ${name}`);
  env[name] = () => (name === "pthread_create" ? 58 : 0);
}
const instance = await WebAssembly.instantiate(module, { ...wasi.getImportObject(), env });
process.exit(wasi.start(instance));
