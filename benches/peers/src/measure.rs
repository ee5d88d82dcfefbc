//! Times taken in turns, so that what disturbs the machine disturbs all alike.

use std::time::{Duration, Instant};

use crate::contenders::Contender;

const ROUNDS: usize = 41;
/// How long a contender runs in a round, unless one call takes longer.
const TURN: Duration = Duration::from_millis(1);
/// The calls before that, which are not timed: what the one before left in the caches lasts for several.
const UNTIMED_CALLS: usize = 6;
/// How long these calls may take, unless the first takes longer.
const UNTIMED: Duration = Duration::from_millis(6);

/// The seconds that each contender's call took in each round.
pub struct Times(Vec<Vec<f64>>);

impl Times {
    /// Times every contender once a round, in an order drawn anew: none always comes after the same other.
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

    /// The median over the rounds of one contender's time over another's in the same round.
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
            return [within(UNTIMED).clamp(1, UNTIMED_CALLS), within(TURN).max(1)];
        }
        calls *= 2;
    }
}

/// Clears the upper halves of the vector registers: some kernels leave numbers there, which slows down several times
/// the SSE code of the contender that comes next.
fn clear_upper_halves() {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") {
        // SAFETY: the feature was just detected.
        unsafe { std::arch::x86_64::_mm256_zeroupper() };
    }
}
