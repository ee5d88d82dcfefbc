//! Proves that the fuzz targets accept their seeds: runs each target of `fuzz/src/lib.rs` on the files of its folder in
//! `fuzz/seeds`. No fuzzer and no nightly compiler are needed.
#![cfg(all(panic = "unwind", not(target_family = "wasm")))]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

#[test]
fn every_target_accepts_its_seeds() {
    for (name, target) in fuzz::TARGETS {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let seeds: Vec<_> = folder.read_dir().expect("a folder of seeds").collect();
        assert!(!seeds.is_empty(), "the target {name} has no seeds");
        for seed in &seeds {
            let path = seed.as_ref().expect("a seed").path();
            println!("{}", path.display());
            target(&std::fs::read(path).expect("a readable seed"));
        }
    }
}
