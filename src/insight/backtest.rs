//! Forecasts made again with only what was known at their day, and measured by what came. Pure.
use super::{
    decimal::Decimal,
    forecast::{self, PastYear, outlook, ratio, real},
    model::{Flow, Score, Trial},
};
use crate::kernel::Day;

/// A year to be forecast, with nothing known but what was known at `origin`.
#[derive(Debug, Clone)]
pub struct Case {
    pub year: i32,
    pub origin: Day,
    pub flow: Flow,
    /// What there was at `origin`; nil when that lies before the year.
    pub so_far: i64,
    /// What came.
    pub actual: i64,
    /// Oldest first, the last one being the year before.
    pub past: Vec<PastYear>,
    pub above: Vec<PastYear>,
}

pub fn trial(case: &Case) -> Trial {
    let outlook = outlook(case.so_far, &case.past, &case.above);
    let at = |q| outlook.as_ref().ok().map(|o| Decimal::whole(o.quantile(q)));
    let mut last = case.past.iter().rev();
    let two = last.next().zip(last.next()).filter(|(new, old)| new.year == old.year + 1);
    let grown = two.and_then(|(new, old)| {
        let grown = i128::from(new.total) * i128::from(new.total);
        i64::try_from(grown.checked_div(i128::from(old.total))?).ok()
    });
    let line = if case.so_far > 0 {
        straight(case)
    } else {
        two.map(|(new, old)| new.total.saturating_mul(2).saturating_sub(old.total).max(0))
    };
    Trial {
        year: case.year.to_string(),
        origin: case.origin,
        flow: case.flow,
        so_far: Decimal::whole(case.so_far),
        actual: Decimal::whole(case.actual),
        p10: at(0.1),
        p50: at(0.5),
        p90: at(0.9),
        by_share: forecast::by_share(case.so_far, &case.past).map(Decimal::whole),
        by_growth: grown.map(Decimal::whole),
        by_line: line.map(Decimal::whole),
    }
}

/// As much a day for the rest of the year as there was so far.
fn straight(case: &Case) -> Option<i64> {
    let first = Day::from_ymd_opt(case.year, 1, 1)?;
    let days = (Day::from_ymd_opt(case.year, 12, 31)? - first).num_days() + 1;
    let passed = i128::from((case.origin - first).num_days() + 1);
    i64::try_from((i128::from(case.so_far) * i128::from(days)).checked_div(passed)?).ok()
}

/// How far the trials lay from what came; the plain methods over those that the model forecast.
pub fn score<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Score {
    let (made, refused): (Vec<&Trial>, Vec<&Trial>) =
        trials.into_iter().partition(|t| t.p50.is_some());
    let fen = |d: Decimal| d.at_scale(0).unwrap_or_default();
    let error = |t: &Trial, told: Decimal| {
        let (told, came) = (real(fen(told)), real(fen(t.actual)));
        (told - came).abs() / came
    };
    let mean_error = |told: &dyn Fn(&Trial) -> Option<Decimal>| {
        mean(made.iter().filter_map(|t| Some(error(t, told(t)?))))
    };
    let inside = |t: &Trial| {
        let came = fen(t.actual);
        let (low, high) = (t.p10.map_or(i64::MAX, fen), t.p90.map_or(i64::MIN, fen));
        if low <= came && came <= high { 1.0 } else { 0.0 }
    };
    Score {
        n: made.len(),
        refused: refused.len(),
        mape: mean_error(&|t| t.p50),
        coverage: mean(made.iter().map(|t| inside(t))),
        mape_by_share: mean_error(&|t| t.by_share),
        mape_by_growth: mean_error(&|t| t.by_growth),
        mape_by_line: mean_error(&|t| t.by_line),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<Decimal> {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
    (n > 0.0).then(|| ratio(sum / n))
}

/// Whole years of a series, each forecast at the end of the year before. Oldest first.
pub fn yearly(series: &[(i32, i64)], flow: Flow) -> Vec<Case> {
    let mut cases = Vec::new();
    for (n, (year, actual)) in series.iter().enumerate() {
        let past: Vec<PastYear> = series
            .iter()
            .take(n)
            .map(|(year, total)| PastYear { year: i64::from(*year), by_then: 0, total: *total })
            .collect();
        let follows = past.last().is_some_and(|p| p.year + 1 == i64::from(*year));
        if let Some(origin) = Day::from_ymd_opt(year - 1, 12, 31).filter(|_| follows) {
            let (year, actual) = (*year, *actual);
            cases.push(Case { year, origin, flow, so_far: 0, actual, past, above: Vec::new() });
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_tells_hits_errors_and_refusals() {
        let growing: Vec<(i32, i64)> =
            (0..7).map(|n| (2010 + n, 1_000_000 * 2i64.pow(u32::try_from(n).unwrap()))).collect();
        let trials: Vec<Trial> = yearly(&growing, Flow::Output).iter().map(trial).collect();
        // three steps of growth are known from 2013 on
        assert_eq!(trials.len(), 6);
        let told = score(&trials);
        assert_eq!((told.n, told.refused), (3, 3));
        assert_eq!(told.mape.unwrap().to_string(), "0");
        assert_eq!(told.coverage.unwrap().to_string(), "1");
        assert_eq!(told.mape_by_growth.unwrap().to_string(), "0");
        // from 4 and 2 a line leads to 6, where 8 came
        assert_eq!(told.mape_by_line.unwrap().to_string(), "0.25");
        assert_eq!(told.mape_by_share, None);
        // one that misses
        let mut missed = growing.clone();
        missed[6].1 *= 3;
        let trials: Vec<Trial> = yearly(&missed, Flow::Output).iter().map(trial).collect();
        assert_eq!(score(&trials).coverage.unwrap().to_string(), "0.6667");
        assert_eq!(score(&[]).mape, None);
    }

    #[test]
    fn a_part_of_a_year_is_measured_by_a_line_and_by_the_past() {
        let past = |year, by_then, total| PastYear { year, by_then, total };
        let case = Case {
            year: 2019,
            origin: "2019-06-30".parse().unwrap(),
            flow: Flow::Output,
            so_far: 181,
            actual: 400,
            past: vec![past(2017, 0, 380), past(2018, 100, 200)],
            above: Vec::new(),
        };
        let told = trial(&case);
        let fen = |d: Option<Decimal>| d.unwrap().to_string();
        assert_eq!((fen(told.by_line), fen(told.by_share)), ("365".into(), "362".into()));
        assert_eq!((fen(told.by_growth), told.p50), ("105".into(), None));
    }
}
