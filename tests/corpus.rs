//! The fuzz targets on their seeds, without a fuzzer.
#![cfg(all(panic = "unwind", not(target_family = "wasm")))]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

#[test]
fn the_seeds_pass() {
    for (name, target) in fuzz::TARGETS {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let seeds: Vec<_> = folder.read_dir().expect("a folder of seeds").collect();
        assert!(!seeds.is_empty(), "{name}");
        for seed in &seeds {
            let path = seed.as_ref().expect("a seed").path();
            println!("{}", path.display());
            target(&std::fs::read(path).expect("a readable seed"));
        }
    }
}
