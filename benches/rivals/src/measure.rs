//! Times of contenders that run in turns, so that a disturbance of the machine affects all of them.

use std::time::{Duration, Instant};

use crate::contenders::Contender;

const ROUNDS: usize = 41;
/// How long a contender runs in a round, unless one call takes longer.
const TURN: Duration = Duration::from_millis(1);
/// Calls before those that are timed. The caches still hold the data of the contender before for several calls.
const WARM_UP_CALLS: usize = 6;
/// The longest time of these calls, unless the first alone takes longer.
const WARM_UP: Duration = Duration::from_millis(6);

/// Seconds of a call, by round and contender.
pub struct Times(Vec<Vec<f64>>);

impl Times {
    /// Times every contender once in each round. The order is random, so that no contender always follows the same one.
    pub fn new(contenders: &mut [Box<dyn Contender>], x: &[f32], y: &mut [f32]) -> Self {
        let calls: Vec<[usize; 2]> = contenders.iter_mut().map(|it| calls_in_a_turn(it.as_mut(), x, y)).collect();
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        let mut random = fastrand::Rng::with_seed(0);
        let rounds = (0..ROUNDS).map(|_| {
            random.shuffle(&mut order);
            let mut round = vec![0.0; contenders.len()];
            for k in &order {
                let (contender, [untimed, timed]) = (contenders[*k].as_mut(), calls[*k]);
                contender.repeat(untimed, x, y);
                round[*k] = time(contender, timed, x, y).as_secs_f64() / timed as f64;
            }
            round
        });
        Self(rounds.collect())
    }

    /// The least time of a contender.
    pub fn least(&self, contender: usize) -> f64 {
        self.0.iter().map(|round| round[contender]).fold(f64::INFINITY, f64::min)
    }

    /// The median over the rounds of one contender's time divided by another's in the same round.
    pub fn ratio(&self, contender: usize, other: usize) -> f64 {
        let mut ratios: Vec<f64> = self.0.iter().map(|round| round[contender] / round[other]).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

fn time(contender: &mut dyn Contender, calls: usize, x: &[f32], y: &mut [f32]) -> Duration {
    clear_upper_halves();
    let start = Instant::now();
    contender.repeat(calls, x, y);
    start.elapsed()
}

/// The number of calls that are not timed and of those that are.
fn calls_in_a_turn(contender: &mut dyn Contender, x: &[f32], y: &mut [f32]) -> [usize; 2] {
    let mut calls = 1;
    loop {
        let elapsed = time(contender, calls, x, y);
        if elapsed >= TURN / 2 {
            let within = |limit: Duration| (limit.as_secs_f64() / elapsed.as_secs_f64() * calls as f64) as usize;
            return [within(WARM_UP).clamp(1, WARM_UP_CALLS), within(TURN).max(1)];
        }
        calls *= 2;
    }
}

/// Clears the upper halves of the vector registers. Some kernels leave numbers there, which makes the SSE code of the
/// next contender several times slower.
fn clear_upper_halves() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        // SAFETY: the feature was just detected.
        unsafe { std::arch::x86_64::_mm256_zeroupper() };
    }
}
