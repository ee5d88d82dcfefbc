//! The accuracy of a well trained network on held-out digits.

use maud::{Markup, html};
use ndarray::ArrayView1;

use super::{named, percent, progress};
use crate::data::{CLASSES, Data, Digits, PIXELS};
use crate::network::Network;
use crate::report::Section;
use crate::training::Sgd;

const WIDTHS: [usize; 4] = [PIXELS, 128, 128, CLASSES];
const EPOCHS: usize = 60;
const LEARNING_RATE: f32 = 0.1;
const SHOWN: usize = 24;

/// Trains one network and shows its readings of held-out digits, wrong ones first.
pub fn section(data: &Data) -> Section {
    let mut network = Network::new(&WIDTHS, named("relu"), 1);
    let mut sgd = Sgd::new(LEARNING_RATE, 1);
    for _ in progress("reading", EPOCHS).wrap_iter(0..EPOCHS) {
        sgd.epoch(&mut network, &data.train);
    }
    let [train, test] = [&data.train, &data.test].map(|digits| percent(1.0 - network.error(digits)));

    let Digits { images, labels } = &data.test;
    let rows = images.outer_iter().zip(labels).zip(network.readings(images));
    let mut readings: Vec<Reading> =
        rows.map(|((image, &label), (digit, probability))| Reading { image, label, digit, probability }).collect();
    readings.sort_by_key(Reading::is_right);

    let body = html! {
        p {
            "A network with two hidden layers of 128 relus, after " (EPOCHS) " epochs on " (data.train.len())
            " digits, reads " (test) " of the " (data.test.len()) " held-out digits rightly. Its errors come first; "
            "with each reading is the probability that the softmax gives it."
        }
        div.digits { @for reading in readings.iter().take(SHOWN) { (reading.show()) } }
    };
    let findings = vec![
        (format!("accuracy on the {} training digits", data.train.len()), train),
        (format!("accuracy on the {} held-out digits", data.test.len()), test),
    ];
    Section { title: "Reading digits", findings, body }
}

struct Reading<'a> {
    image: ArrayView1<'a, f32>,
    label: u32,
    digit: u32,
    probability: f64,
}

impl Reading<'_> {
    fn is_right(&self) -> bool {
        self.digit == self.label
    }

    fn show(&self) -> Markup {
        html! {
            div {
                svg viewBox="0 0 8 8" shape-rendering="crispEdges" {
                    @for (i, pixel) in self.image.iter().enumerate() {
                        rect x=(i % 8) y=(i / 8) width="1" height="1" fill-opacity=(pixel / 2.0) {}
                    }
                }
                br;
                b { (self.digit) } " " (percent(self.probability))
                @if !self.is_right() { br; span.wrong { "is " (self.label) } }
            }
        }
    }
}
