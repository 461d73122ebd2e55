//! Statistics on counts. Pure.

/// Successes, or failures, among trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How many of the trials were hits; at most `trials`.
    pub hits: u64,
    /// How many there were.
    pub trials: u64,
}

/// Lower end of the one-sided interval of the difference of two rates, `a − b`, as shares of 1.
///
/// Newcombe's hybrid score interval (method 10 of R. G. Newcombe, Statistics in Medicine 17, 1998):
/// the Wilson limits of both rates, combined. `confidence` is one-sided, 0.5 to below 1. None when
/// one of the two has no trials: there is nothing to compare.
#[must_use]
pub fn newcombe_lower(a: Count, b: Count, confidence: f64) -> Option<f64> {
    if a.trials == 0 || b.trials == 0 || !(0.5..1.0).contains(&confidence) {
        return None;
    }
    let z = normal_quantile(confidence);
    let (rate_a, rate_b) = (rate(a), rate(b));
    let (lower_a, _) = wilson(a, z);
    let (_, upper_b) = wilson(b, z);
    let spread = (rate_a - lower_a).hypot(upper_b - rate_b);
    Some(rate_a - rate_b - spread)
}

fn rate(count: Count) -> f64 {
    count.hits.min(count.trials) as f64 / count.trials as f64
}

/// Wilson's score limits of a rate.
fn wilson(count: Count, z: f64) -> (f64, f64) {
    let (p, n) = (rate(count), count.trials as f64);
    let middle = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

/// The standard normal quantile for `p` from 0.5 to below 1, to 4.5e-4.
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23.
fn normal_quantile(p: f64) -> f64 {
    let t = (-2.0 * (1.0 - p).ln()).sqrt();
    let above = 0.010_328_f64.mul_add(t, 0.802_853).mul_add(t, 2.515_517);
    let below = 0.001_308_f64.mul_add(t, 0.189_269).mul_add(t, 1.432_788).mul_add(t, 1.0);
    (t - above / below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64, by: f64) -> bool {
        (a - b).abs() < by
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.9, 1.2816), (0.95, 1.6449), (0.975, 1.96), (0.999, 3.0902)] {
            assert!(close(normal_quantile(p), z, 5e-4), "{p}");
        }
    }

    #[test]
    fn the_interval_is_newcombes() {
        // Table II of the paper: 56/70 − 48/80, method 10, two-sided 95% (z 1.96): 0.0524 to 0.3339.
        let lower =
            newcombe_lower(Count { hits: 56, trials: 70 }, Count { hits: 48, trials: 80 }, 0.975);
        assert!(close(lower.unwrap(), 0.0524, 2e-4), "{lower:?}");
    }

    /// The example that the documentation of the analysis tells.
    #[test]
    fn three_in_a_hundred_are_surely_worse_than_one_and_two_are_not() {
        let lower = |hits| {
            let canary = Count { hits, trials: 600 };
            100.0 * newcombe_lower(canary, Count { hits: 54, trials: 5_400 }, 0.95).unwrap()
        };
        assert!(close(lower(12), 0.21, 0.01), "{}", lower(12));
        assert!(close(lower(18), 1.02, 0.01), "{}", lower(18));
    }

    #[test]
    fn without_trials_there_is_nothing_to_compare() {
        let none = Count { hits: 0, trials: 0 };
        let some = Count { hits: 1, trials: 10 };
        assert_eq!(newcombe_lower(none, some, 0.95), None);
        assert_eq!(newcombe_lower(some, none, 0.95), None);
    }

    /// A number from 0 to below 1, the same ones in each run (SplitMix64).
    fn draw(state: &mut u64) -> f64 {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Share of 4,000 rollouts of which one of `looks` says that the rate of errors rose by more
    /// than half a point. Before each look come 100 invocations of the new version, and 900 of the
    /// stable one, which fails once in a hundred times.
    fn told(canary_rate: f64, looks: u32, confidence: f64) -> f64 {
        const ROLLOUTS: u32 = 4_000;
        let mut state = 1;
        let mut errors = |trials: u32, rate: f64| {
            (0..trials).map(|_| u64::from(draw(&mut state) < rate)).sum::<u64>()
        };
        let mut rollout = || {
            let mut canary = Count { hits: 0, trials: 0 };
            let mut stable = canary;
            (0..looks).any(|_| {
                canary.hits += errors(100, canary_rate);
                stable.hits += errors(900, 0.01);
                (canary.trials, stable.trials) = (canary.trials + 100, stable.trials + 900);
                newcombe_lower(canary, stable, confidence).unwrap() > 0.005
            })
        };
        let told = (0..ROLLOUTS).filter(|_| rollout()).count();
        told as f64 / f64::from(ROLLOUTS)
    }

    /// The figures that the documentation quotes.
    #[test]
    fn how_often_ten_looks_tell_good_and_bad_versions_apart() {
        for (rate, share) in [(0.01, 0.036), (0.015, 0.192), (0.02, 0.524), (0.03, 0.965)] {
            let seen = told(rate, 10, 0.95);
            assert!(close(seen, share, 2e-3), "{rate}: {seen}");
        }
        for (looks, confidence, share) in [(1, 0.95, 0.02), (10, 0.99, 0.009)] {
            let seen = told(0.01, looks, confidence);
            assert!(close(seen, share, 2e-3), "{looks} looks at {confidence}: {seen}");
        }
    }

    proptest! {
        #[test]
        fn the_lower_end_is_below_the_difference_and_falls_with_confidence(
            (at, ah) in (1_u64..2_000).prop_flat_map(|n| (Just(n), 0..=n)),
            (bt, bh) in (1_u64..2_000).prop_flat_map(|n| (Just(n), 0..=n)),
        ) {
            let (a, b) = (Count { hits: ah, trials: at }, Count { hits: bh, trials: bt });
            let difference = rate(a) - rate(b);
            let at90 = newcombe_lower(a, b, 0.90).unwrap();
            let at99 = newcombe_lower(a, b, 0.99).unwrap();
            prop_assert!(at90 <= difference + 1e-9 && at99 <= at90 + 1e-9);
            prop_assert!((-1.0..=1.0).contains(&at99));
        }
    }
}
