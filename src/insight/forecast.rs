//! What a year will come to, from what has been registered so far. Pure.
//!
//! Two witnesses speak of the logarithm of the year's total:
//!
//! - the *share curve*: by the same day of each past year a certain share of its total had been registered.
//!   What there is now, divided by such a share, is a total; the mean of the past logarithms is the centre,
//!   their variance, widened by 1 + 1/n for n years, the spread, with n - 1 degrees of freedom. A region
//!   inside the province borrows the province's curve as if it were [`BORROWED_YEARS`] years of its own
//!   (normal-inverse-gamma): few years of a small region say little about its season;
//! - *growth*: last year's total times the mean growth of past years, from one year to the next, in the same
//!   way, but that a growth counts half after [`GROWTH_HALF_LIFE`] years (n is then the number of equal weights
//!   that would say as much). It speaks alone where nothing has been registered yet.
//!
//! A witness needs [`FEWEST_YEARS`] of history. Two witnesses are weighted by the inverse of their variances,
//! that of growth being at least the square of how far it is off what this year shows: a year that breaks with
//! the past is not pulled back to it. Degrees of freedom follow Welch and Satterthwaite. What comes of it is Student's t of the logarithm, cut off
//! at what has been registered already: a year cannot end below that.
//!
//! Limits: the half-life was chosen with the yearbook's series in sight, so that what the back-test says of it
//! flatters a little; the seasons of all years count alike, however long ago, and a break of the season (a new rule of registration, a
//! contract of a size never seen) is only known from the year it happens in; the two witnesses are
//! taken for independent; with three years the band is wide because three years say little. Cancellations
//! after the day may bring a year below what had been registered; the model leaves that out.
use super::decimal::Decimal;

/// Whole past years (or growths from year to year) without which a witness is not heard.
pub const FEWEST_YEARS: usize = 3;
/// How many years of its own the province's curve is worth to a region inside it.
pub const BORROWED_YEARS: f64 = 2.0;
/// After how many years a growth counts half: a market that speeds up goes on faster than it used to.
pub const GROWTH_HALF_LIFE: f64 = 3.0;
/// No witness is believed to be surer than this, as a standard deviation of the logarithm: past years
/// that happen to agree to the fen do not make the next one certain.
const SUREST: f64 = 0.01;

/// A whole year of the past, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastYear {
    pub year: i64,
    /// What had been registered by the same day; zero where that is not known.
    pub by_then: i64,
    pub total: i64,
}

/// How sure a total is: Student's t of its logarithm, cut off below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    law: Witness,
    /// What has been registered already.
    floor: i64,
    /// How many years speak.
    pub years: usize,
    /// The share that past years had reached by this day, where the share curve speaks.
    pub usual_share: Option<f64>,
}

/// A t distribution of a logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Witness {
    centre: f64,
    variance: f64,
    freedom: f64,
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLittle {
    /// The whole years with figures that there are.
    pub years: usize,
}

/// What a year will come to that has `so_far`, after the `past` years of the region and those of the place
/// above it whose curve it borrows (empty for the uppermost). Both oldest first, the last one being last
/// year.
pub fn outlook(so_far: i64, past: &[PastYear], above: &[PastYear]) -> Result<Outlook, TooLittle> {
    let whole: Vec<PastYear> = past.iter().copied().filter(|y| y.total > 0).collect();
    let none = TooLittle { years: whole.len() };
    if whole.len() < FEWEST_YEARS {
        return Err(none);
    }
    let share = share_curve(so_far, &whole, above);
    let growth = growth(&whole);
    let law = match (share, growth) {
        (Some((share, _)), Some(growth)) => both(share, growth),
        (Some((one, _)), None) | (None, Some(one)) => one,
        (None, None) => return Err(none),
    };
    let usual_share = share.map(|(_, share)| share);
    Ok(Outlook { law, floor: so_far.max(0), years: whole.len(), usual_share })
}

/// The logarithms of total over what was there by the day.
fn multiples(years: &[PastYear]) -> Vec<f64> {
    let known = years.iter().filter(|y| y.by_then > 0 && y.total > 0);
    known.map(|y| (real(y.total) / real(y.by_then)).ln()).collect()
}

/// The law of the total by the share curve, and the usual share.
fn share_curve(so_far: i64, past: &[PastYear], above: &[PastYear]) -> Option<(Witness, f64)> {
    let own = Sample::of(&multiples(past)).filter(|_| so_far > 0)?;
    let (mean, variance, freedom, n) = match Sample::of(&multiples(above)) {
        None => (own.mean, own.squares / (own.n - 1.0), own.n - 1.0, own.n),
        Some(lent) => {
            let prior_freedom = (lent.n - 1.0).min(BORROWED_YEARS * 2.0);
            let prior = lent.squares / (lent.n - 1.0);
            let n = BORROWED_YEARS + own.n;
            let mean = (BORROWED_YEARS * lent.mean + own.n * own.mean) / n;
            let apart = BORROWED_YEARS * own.n / n * (own.mean - lent.mean).powi(2);
            let freedom = prior_freedom + own.n;
            (mean, (prior_freedom * prior + own.squares + apart) / freedom, freedom, n)
        }
    };
    let centre = real(so_far).ln() + mean;
    Some((Witness::of(centre, variance * (1.0 + 1.0 / n), freedom), (-mean).exp()))
}

/// The law of the total by last year and the growth from year to year.
fn growth(past: &[PastYear]) -> Option<Witness> {
    let steps: Vec<f64> = past
        .iter()
        .zip(past.iter().skip(1))
        .filter(|(a, b)| b.year == a.year + 1)
        .map(|(a, b)| (real(b.total) / real(a.total)).ln())
        .collect();
    if steps.len() < FEWEST_YEARS {
        return None;
    }
    // the newest step counts in full, each older one less
    let fading = 0.5f64.powf(1.0 / GROWTH_HALF_LIFE);
    let weighted = || {
        let weights = std::iter::successors(Some(1.0), |w| Some(w * fading));
        steps.iter().rev().zip(weights)
    };
    let sum: f64 = weighted().map(|(_, w)| w).sum();
    let squares: f64 = weighted().map(|(_, w)| w * w).sum();
    let mean = weighted().map(|(step, w)| w * step).sum::<f64>() / sum;
    let spread: f64 = weighted().map(|(step, w)| w * (step - mean).powi(2)).sum();
    // as many steps of equal weight would say as much
    let n = sum * sum / squares;
    let variance = spread / (sum - squares / sum);
    let centre = real(past.last()?.total).ln() + mean;
    Some(Witness::of(centre, variance * (1.0 + 1.0 / n), n - 1.0))
}

/// Growth is told of the years before; where this year has left their path, it has little to say.
fn both(share: Witness, growth: Witness) -> Witness {
    let apart = (share.centre - growth.centre).powi(2);
    let (a, b) = (share, Witness { variance: growth.variance.max(apart), ..growth });
    let (wa, wb) = (1.0 / a.variance, 1.0 / b.variance);
    let variance = 1.0 / (wa + wb);
    let centre = (wa * a.centre + wb * b.centre) * variance;
    // each adds weight² × variance = variance² / its own variance
    let part = |w: f64, freedom: f64| (variance * variance * w).powi(2) / freedom;
    let freedom = variance * variance / (part(wa, a.freedom) + part(wb, b.freedom));
    Witness { centre, variance, freedom }
}

/// Mean and sum of squared differences of enough numbers.
struct Sample {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Sample {
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < FEWEST_YEARS {
            return None;
        }
        let n = values.iter().fold(0.0, |n, _| n + 1.0);
        let mean = values.iter().sum::<f64>() / n;
        Some(Self { n, mean, squares: values.iter().map(|v| (v - mean).powi(2)).sum() })
    }
}

impl Witness {
    fn of(centre: f64, variance: f64, freedom: f64) -> Self {
        Self { centre, variance: variance.max(SUREST * SUREST), freedom }
    }
    /// The probability that the total exceeds `fen`.
    fn beyond(self, fen: i64) -> f64 {
        if fen <= 0 {
            return 1.0;
        }
        upper_tail((real(fen).ln() - self.centre) / self.variance.sqrt(), self.freedom)
    }
}

impl Outlook {
    /// The amount in fen that the year stays below with the probability `q`; never less than there is.
    pub fn quantile(&self, q: f64) -> i64 {
        let beyond = self.law.beyond(self.floor) * (1.0 - q);
        let t = upper_quantile(beyond, self.law.freedom);
        let fen = (self.law.centre + t * self.law.variance.sqrt()).exp();
        whole(fen).max(self.floor)
    }
    /// The probability that the year comes to `fen` or more.
    pub fn probability(&self, fen: i64) -> f64 {
        if fen <= self.floor {
            return 1.0;
        }
        let left = self.law.beyond(self.floor);
        if left > 0.0 { (self.law.beyond(fen) / left).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// To four decimals.
pub fn ratio(x: f64) -> Decimal {
    Decimal::new(whole(x * 10_000.0), 4)
}

/// What the mean share of the past makes of `so_far`, however few the years: the plain method that
/// forecasts are measured by.
pub fn by_share(so_far: i64, past: &[PastYear]) -> Option<i64> {
    let known = multiples(past);
    let n = known.iter().fold(0.0, |n, _| n + 1.0);
    let mean = known.iter().sum::<f64>() / n;
    (so_far > 0 && !known.is_empty()).then(|| whole((real(so_far).ln() + mean).exp()))
}

/// An amount as a real number.
pub fn real(amount: i64) -> f64 {
    let size = amount.unsigned_abs();
    let half = |n: u64| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    let positive = half(size >> 32) * 4_294_967_296.0 + half(size & 0xffff_ffff);
    if amount < 0 { -positive } else { positive }
}

/// The nearest whole number, at the end of the range where it lies beyond.
fn whole(x: f64) -> i64 {
    let end = if x < 0.0 { i64::MIN } else { i64::MAX };
    format!("{x:.0}").parse().unwrap_or(end)
}

/// P(T > t) of Student's t.
fn upper_tail(t: f64, freedom: f64) -> f64 {
    let half = incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5) / 2.0;
    if t > 0.0 { half } else { 1.0 - half }
}

/// The t with P(T > t) = `p`, by halving.
fn upper_quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (-1e6, 1e6);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if upper_tail(middle, freedom) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The regularized incomplete beta function: Lentz's continued fraction.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // it converges fast on this side of the mean, and the other side is its complement
    if x > (a + 1.0) / (a + b + 2.0) {
        1.0 - front * fraction(1.0 - x, b, a) / b
    } else {
        front * fraction(x, a, b) / a
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in (1..=300u32).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for step in [even, odd] {
            d = 1.0 / safe(1.0 + step * d);
            c = safe(1.0 + step / c);
            value *= d * c;
        }
        if (value - before).abs() <= 1e-15 * value.abs() {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function of a positive number: Stirling's series, which is good to more
/// digits than a double has from 10 on, and the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut less) = (x, 0.0);
    while x < 10.0 {
        less += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series =
        (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / x;
    (x - 0.5) * x.ln() - x + (2.0 * std::f64::consts::PI).ln() / 2.0 + series - less
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn years(shares: &[(i64, i64)]) -> Vec<PastYear> {
        shares
            .iter()
            .enumerate()
            .map(|(n, (by_then, total))| PastYear {
                year: 2000 + i64::try_from(n).unwrap(),
                by_then: *by_then,
                total: *total,
            })
            .collect()
    }

    #[test]
    fn students_t_as_in_the_tables() {
        // P(T > t) = 0.1 and 0.025
        for (freedom, tenth, fortieth) in [
            (1.0, 3.0777, 12.7062),
            (2.0, 1.8856, 4.3027),
            (3.0, 1.6377, 3.1824),
            (10.0, 1.3722, 2.2281),
            (30.0, 1.3104, 2.0423),
        ] {
            assert!((upper_quantile(0.1, freedom) - tenth).abs() < 1e-4, "{freedom}");
            assert!((upper_quantile(0.025, freedom) - fortieth).abs() < 1e-4, "{freedom}");
            assert!((upper_quantile(0.9, freedom) + tenth).abs() < 1e-4, "{freedom}");
            assert!((upper_tail(tenth, freedom) - 0.1).abs() < 1e-5);
        }
        assert!((upper_tail(0.0, 5.0) - 0.5).abs() < 1e-12);
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-12);
        assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn half_of_the_year_by_now_makes_twice_as_much() {
        let past = years(&[(40, 90), (55, 110), (50, 95), (45, 105)]);
        let o = outlook(52, &past, &[]).unwrap();
        assert!((104..=112).contains(&o.quantile(0.5)), "{}", o.quantile(0.5));
        assert!(o.quantile(0.1) < 100 && o.quantile(0.9) > 115);
        assert!((o.usual_share.unwrap() - 0.475).abs() < 0.01);
        assert_eq!(o.years, 4);
        // a season that is always the same is believed, though this year goes another way than all before
        let past = years(&[(500, 1000), (505, 1000), (495, 1005), (500, 1000)]);
        for (so_far, least, most) in [(1_500, 2_990, 3_010), (250, 495, 505), (500, 990, 1010)] {
            let o = outlook(so_far, &past, &[]).unwrap();
            let p50 = o.quantile(0.5);
            assert!((least..=most).contains(&p50), "{so_far} makes {p50}");
        }
    }

    #[test]
    fn too_little_history_is_said() {
        let past = years(&[(40, 100), (55, 100)]);
        assert_eq!(outlook(50, &past, &[]).unwrap_err(), TooLittle { years: 2 });
        assert_eq!(outlook(50, &[], &past).unwrap_err(), TooLittle { years: 0 });
        let empty = years(&[(0, 0), (40, 100), (55, 100), (0, 0)]);
        assert_eq!(outlook(50, &empty, &[]).unwrap_err(), TooLittle { years: 2 });
        // three years make a curve, but only two steps of growth: at the start of the year nobody speaks
        let past = years(&[(40, 100), (55, 110), (50, 120)]);
        assert!(outlook(50, &past, &[]).is_ok());
        assert_eq!(outlook(0, &past, &[]).unwrap_err(), TooLittle { years: 3 });
        let past = years(&[(40, 100), (55, 110), (50, 120), (60, 130)]);
        let start = outlook(0, &past, &[]).unwrap();
        assert_eq!(start.usual_share, None);
        assert!((140..=144).contains(&start.quantile(0.5)), "{}", start.quantile(0.5));
    }

    #[test]
    fn a_small_region_leans_on_the_province() {
        let past = years(&[(10, 100), (80, 100), (30, 100)]);
        let above = years(&[(49, 100), (51, 100), (50, 100), (50, 100), (51, 100)]);
        let (alone, leaning) =
            (outlook(50, &past, &[]).unwrap(), outlook(50, &past, &above).unwrap());
        let width = |o: &Outlook| real(o.quantile(0.9)) / real(o.quantile(0.1));
        assert!(width(&leaning) < width(&alone));
        let share = leaning.usual_share.unwrap();
        assert!(share > alone.usual_share.unwrap() && share < 0.5, "{share}");
    }

    proptest! {
        #[test]
        fn quantiles_keep_their_order_and_what_there_is(
            so_far in 0i64..5_000_000_000_000,
            history in prop::collection::vec((1u32..=1000, 1i64..2_000_000_000_000), 4..10),
            goal in 1i64..9_000_000_000_000,
        ) {
            let past: Vec<_> = history
                .iter()
                .map(|(share, total)| (total / 1000 * i64::from(*share), *total))
                .collect();
            let past = years(&past);
            let o = outlook(so_far, &past, &[]).unwrap();
            let [p10, p50, p90] = [0.1, 0.5, 0.9].map(|q| o.quantile(q));
            prop_assert!(so_far <= p10 && p10 <= p50 && p50 <= p90, "{so_far} {p10} {p50} {p90}");
            // the more is asked for, the less likely it is
            let (easy, hard) = (o.probability(goal), o.probability(goal + goal / 7 + 1));
            prop_assert!((0.0..=1.0).contains(&hard) && hard <= easy && easy <= 1.0);
            prop_assert!(o.probability(so_far) == 1.0);
            // quantiles and probabilities say the same
            if p50 > so_far + 1_000 && p50 < i64::MAX / 2 {
                prop_assert!((o.probability(p50) - 0.5).abs() < 0.01);
            }
        }

        #[test]
        fn amounts_a_thousand_times_as_large_have_such_a_forecast(
            so_far in 1_000_000i64..1_000_000_000,
            history in prop::collection::vec((100u32..=1000, 1_000_000i64..1_000_000_000), 3..9),
        ) {
            let past: Vec<_> =
                history.iter().map(|(s, total)| (total / 1000 * i64::from(*s), *total)).collect();
            let large: Vec<_> = past.iter().map(|(a, b)| (a * 1000, b * 1000)).collect();
            let small = outlook(so_far, &years(&past), &[]).unwrap();
            let large = outlook(so_far * 1000, &years(&large), &[]).unwrap();
            for q in [0.1, 0.5, 0.9] {
                let (a, b) = (real(small.quantile(q)) * 1000.0, real(large.quantile(q)));
                prop_assert!((a - b).abs() <= 1e-3 * b, "{a} {b}");
            }
        }
    }
}
