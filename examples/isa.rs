//! Prints the instruction sets of this machine, one a line.

fn main() {
    for isa in activations::Isa::available() {
        println!("{isa}");
    }
}
