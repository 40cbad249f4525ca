//! What turnover will come to, and how good such forecasts have been.
use std::collections::BTreeMap;

use chrono::Datelike;

use super::{
    Grids,
    actuals::{Viewer, output_between},
    grids::Year,
};
use crate::{
    insight::{
        backtest::{self, Case},
        decimal::Decimal,
        forecast::{
            self, BORROWED_YEARS, FEWEST_YEARS, GROWTH_HALF_LIFE, Outlook, PastYear, outlook,
        },
        model::{
            BackTest, Basis, By, Flow, Forecast, ForecastQuality, MarketTest, Month, MonthScore,
            QualityQuery, Sensitivity, Target, TargetKind, Trial, region_of,
        },
        places,
        rules::Span,
        secrecy::Depth,
        shipped::{actuals, part_years},
        store::{self, Of},
    },
    kernel::{Actor, Day, DbConn, Faults, Fen, Region, Result},
    markets::regions::{self, LIAONING, Reach},
};

/// How many past years are looked at.
const YEARS_BACK: i32 = 10;
/// How many of the largest contracts are left out to see how much hangs on them.
const LARGEST: usize = 5;

/// A forecast of a target, or why there is none.
#[derive(Debug, Default)]
pub struct Told {
    pub forecast: Option<Forecast>,
    pub basis: String,
    pub without_largest: Option<Sensitivity>,
}

impl Told {
    pub fn none(why: impl Into<String>) -> Self {
        Self { basis: why.into(), ..Self::default() }
    }
}

/// Whether a month ends with `day`.
fn is_month_end(day: Day) -> bool {
    Month::of(day).last_day() == Some(day)
}

/// The last day of the month before.
fn month_end_before(day: Day) -> Option<Day> {
    Month::of(day).first_day()?.pred_opt()
}

/// The day of another year that is as far in it: a month's end stays one.
fn same_day(day: Day, year: i32) -> Option<Day> {
    let month = Month::new(year, day.month0());
    if is_month_end(day) { month.last_day() } else { day.with_year(year).or(month.last_day()) }
}

/// What the turnover of a target's `window` will come to, seen from `as_of`.
pub fn of_target(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    target: &Target,
    window: Span,
    as_of: Day,
) -> Result<Told> {
    let region = &target.region_code;
    let day = as_of.min(viewer.today);
    if day < window.first {
        return Ok(Told::none(format!("期间自 {} 起，尚未开始，不作预测。", window.first)));
    }
    if day >= window.last {
        return Ok(Told::none("期间已经结束，不作预测。"));
    }
    if target.kind == TargetKind::Cumulative && day.year() < window.last.year() {
        return Ok(Told::none("跨年累计目标只在最后一年预测。"));
    }
    // the public sees whole months
    let public = if is_month_end(day) { Some(day) } else { month_end_before(day) };
    let Some(origin) = (if viewer.insider { Some(day) } else { public }) else {
        return Ok(Told::none("没有可用的截止日。"));
    };
    let Some(start) = Day::from_ymd_opt(day.year(), 1, 1) else {
        return Ok(Told::none("年份不在日历之内。"));
    };
    // the running year as a whole may be told where its months may not
    if !viewer.sees(conn, (Flow::Output, region.as_str()), start, origin)? {
        return Ok(Told::none(format!(
            "截至 {origin} 的登记额按统计保密规则不公布，因此不作预测。"
        )));
    }
    let so_far = output_between(conn, region, start, origin)?.total_fen;
    let before = match start.pred_opt() {
        Some(end) => output_between(conn, region, window.first, end)?.total_fen,
        None => 0,
    };
    let past = history(conn, viewer, region, start, origin)?;
    let above = if *region != *LIAONING && regions::covers(&LIAONING, region) {
        curve(conn, viewer, &LIAONING, start, origin)?
    } else {
        Vec::new()
    };
    let goal = target.value().at_scale(0).unwrap_or(target.value).saturating_sub(before);
    let told = |o: &Outlook| {
        let fen = |q| Decimal::whole(before.saturating_add(o.quantile(q)));
        Forecast {
            origin,
            p10: fen(0.1),
            p50: fen(0.5),
            p90: fen(0.9),
            probability: forecast::ratio(o.probability(goal)),
            years: o.years,
            usual_share: o.usual_share.map(forecast::ratio),
        }
    };
    let whole = match outlook(so_far, &past, &above) {
        Ok(outlook) => outlook,
        Err(few) => {
            return Ok(Told::none(format!(
                "历史不足，不作预测：有登记数据的完整年度{}只有 {} 个，至少要 {FEWEST_YEARS} 个（年初尚无登记时要 {} 个）。",
                if viewer.insider { "" } else { "（可公布的）" },
                few.years,
                FEWEST_YEARS + 1,
            )));
        }
    };
    let without_largest = if viewer.insider {
        Some(without_largest(conn, region, (start.max(window.first), origin), so_far, |left| {
            outlook(left, &past, &above).ok().as_ref().map(told)
        })?)
    } else {
        None
    };
    let basis = format!(
        "截至 {origin}（含）已登记额与此前 {} 个完整年度的同期累计占比{}、逐年增长一并推算的年末值；p10 至 p90 为 80% \
         区间，probability 为达到目标值的概率；方法与历次回测见 /forecasts/quality。",
        whole.years,
        if above.is_empty() { "" } else { "（向全省曲线收缩）" },
    );
    Ok(Told { forecast: Some(told(&whole)), basis, without_largest })
}

/// How much hangs on the largest contracts of some days.
fn without_largest(
    conn: &mut DbConn,
    region: &Region,
    days: (Day, Day),
    so_far: i64,
    forecast: impl Fn(i64) -> Option<Forecast>,
) -> Result<Sensitivity> {
    let amounts = store::largest(conn, &Reach::of(region), days, LARGEST)?;
    let sum = amounts.iter().fold(0i64, |sum, fen| sum.saturating_add(*fen));
    Ok(Sensitivity {
        contracts: amounts.len(),
        total: Decimal::whole(sum),
        share: Decimal::ratio(sum, so_far),
        forecast: forecast(so_far.saturating_sub(sum)),
    })
}

/// The whole years before the one that begins with `start`, and what each had when it was as old as `origin`;
/// those left out that this viewer may not see.
fn history(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    region: &Region,
    start: Day,
    origin: Day,
) -> Result<Vec<PastYear>> {
    let mut past = Vec::new();
    for year in start.year() - YEARS_BACK..start.year() {
        let ends = (Day::from_ymd_opt(year, 1, 1), Day::from_ymd_opt(year, 12, 31));
        let (Some(first), Some(last)) = ends else { continue };
        let then = same_day(origin, year).filter(|_| origin >= start);
        let place = (Flow::Output, region.as_str());
        let seen = viewer.sees(conn, place, first, last)?
            && then.map_or(Ok(true), |then| viewer.sees(conn, place, first, then))?;
        if !seen {
            continue;
        }
        let total = output_between(conn, region, first, last)?.total_fen;
        let by_then = match then {
            Some(then) => output_between(conn, region, first, then)?.total_fen,
            None => 0,
        };
        past.push(PastYear { year: i64::from(year), by_then, total });
    }
    Ok(past)
}

/// The same of a place above, whose days the viewer may not know: inside a month its share is taken to
/// grow evenly.
fn curve(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    region: &Region,
    start: Day,
    origin: Day,
) -> Result<Vec<PastYear>> {
    let viewer = Viewer { insider: false, ..viewer };
    let (Some(end), Some(before)) = (Month::of(origin).last_day(), month_end_before(origin)) else {
        return Ok(Vec::new());
    };
    let lower = history(conn, viewer, region, start, before.max(start))?;
    let upper = history(conn, viewer, region, start, end)?;
    // in January nothing comes before the month
    let lower = |year: i64| {
        let found = lower.iter().find(|y| y.year == year);
        if before < start { Some(0) } else { found.map(|y| y.by_then) }
    };
    let part = |of: i64| {
        let (day, days) = (i128::from(origin.day()), i128::from(end.day()));
        i64::try_from(i128::from(of) * day / days).unwrap_or(of)
    };
    let years = upper.into_iter().filter_map(|year| {
        let low = lower(year.year)?;
        Some(PastYear {
            by_then: low.saturating_add(part(year.by_then.saturating_sub(low))),
            ..year
        })
    });
    Ok(years.collect())
}

/// The region of a question about quality.
pub fn asked(query: &QualityQuery) -> Result<Region> {
    let mut faults = Faults::default();
    let region = region_of(query.region.as_deref(), &mut faults);
    let kept = region.as_ref().is_none_or(|r| places::is_kept(r.as_str()));
    faults.check(
        kept,
        "region",
        "region_not_kept",
        "辽宁省以外只统计到省级；请改用省级代码，如 110000。",
    );
    faults.finish()?;
    Ok(region.unwrap_or_else(|| LIAONING.clone()))
}

/// How good forecasts have been, over what was published and over what this market registered.
pub fn quality(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    region: &Region,
    today: Day,
) -> Result<ForecastQuality> {
    let viewer = Viewer::of(grids, actor, region, today);
    let (within_year, unused) = within_years()?;
    Ok(ForecastQuality {
        model: model(),
        limits: limits(),
        yearly: yearly()?,
        within_year,
        unused,
        market: market(conn, viewer, region)?,
    })
}

fn model() -> String {
    format!(
        "两个来源推算年末值的对数：一是同期占比（往年同日累计占全年的比重，至少 {FEWEST_YEARS} 个完整年度；省内地区向全省曲线收缩，\
         相当于 {BORROWED_YEARS} 个本地年度）；二是逐年增长（至少 {FEWEST_YEARS} 次，每过 {GROWTH_HALF_LIFE} 年权重减半）。各自取均值、样本方差乘 1+1/n、自由度 n−1，\
         按方差倒数加权；今年若已偏离往年增长路径，增长一方的方差不小于偏离的平方。所得为对数的 t 分布，在已登记额处截断，\
         故预测不低于已登记额；p10 至 p90 为 80% 区间。"
    )
}

fn limits() -> Vec<String> {
    [
        "增长权重的半衰期是看着年鉴系列选定的（等权时逐年平均误差为 14.3%），因此该系列的回测略偏乐观。",
        "各年同期占比权重相同；季节规律突变（如登记规则调整、空前大单）要到发生当年才知道。",
        "把两个来源当作相互独立；年度少时区间很宽，不足最低年数则不作预测。",
        "不考虑截止日之后的撤销、变更使全年低于已登记额的可能。",
        "公开的真实数据只有逐年数和少数年内时点，年内预测的质量主要由本平台登记数据回测，两者分开列示。",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn tested(series: &str, cases: &[Case]) -> BackTest {
    let trials: Vec<Trial> = cases.iter().map(backtest::trial).collect();
    BackTest { series: series.to_owned(), score: backtest::score(&trials), trials }
}

/// The yearbook's series of one flow, oldest first.
fn yearbook(flow: Flow) -> Result<Vec<(i32, i64)>> {
    let series = actuals()?.into_iter().filter(|a| a.flow == flow);
    let mut series: Vec<(i32, i64)> =
        series.filter_map(|a| Some((i32::try_from(a.year).ok()?, a.total_fen))).collect();
    series.sort_unstable();
    Ok(series)
}

fn yearly() -> Result<BackTest> {
    let mut cases = backtest::yearly(&yearbook(Flow::Output)?, Flow::Output);
    cases.extend(backtest::yearly(&yearbook(Flow::Absorbed)?, Flow::Absorbed));
    Ok(tested(
        "《中国科技统计年鉴》辽宁省（含大连）技术市场输出、吸纳成交额，2010、2012—2023 年（A 系列，真实数据）：\
         在上一年年末，只用此前各年，预测下一年；缺 2011 年，不跨年推算增长。",
        &cases,
    ))
}

/// The published parts of years whose year is known, and the others.
fn within_years() -> Result<(BackTest, Vec<String>)> {
    let series = yearbook(Flow::Output)?;
    let parts = part_years()?;
    let (mut cases, mut unused) = (Vec::new(), Vec::new());
    for part in &parts {
        let year = part.until.year();
        let whole = series.iter().find(|(y, _)| *y == year && part.region == *LIAONING);
        let Some((_, actual)) = whole else {
            unused.push(format!(
                "{} {}：{} 亿元（{}），没有公布该年全年数，无从比较。",
                regions::name(&part.region),
                part.period,
                Fen(part.total_fen).in_yi(),
                part.series,
            ));
            continue;
        };
        let by_then = |year: i32| {
            let same = |p: &&crate::insight::shipped::PartYear| {
                p.region == part.region && Some(p.until) == same_day(part.until, year)
            };
            parts.iter().find(same).map_or(0, |p| p.total_fen)
        };
        let past = series.iter().filter(|(y, _)| *y < year).map(|(y, total)| PastYear {
            year: i64::from(*y),
            by_then: by_then(*y),
            total: *total,
        });
        cases.push(Case {
            year,
            origin: part.until,
            flow: Flow::Output,
            so_far: part.total_fen,
            actual: *actual,
            past: past.collect(),
            above: Vec::new(),
        });
    }
    let test = tested(
        "省级部门公布的年内累计登记额（B 系列）对照年鉴全年输出额（A 系列，口径略低）：往年同期数不足三个，\
         同期占比一方不发言，只有增长和已登记额起作用；by_share 是只用一个往年同期占比的简单推算。",
        &cases,
    );
    Ok((test, unused))
}

/// Forecasts made again at each month's end of this market's whole years. None where the months of a year
/// may not be told.
fn market(conn: &mut DbConn, viewer: Viewer<'_>, region: &Region) -> Result<Option<MarketTest>> {
    let years: Vec<i32> = store::years_counted(conn)?
        .into_iter()
        .filter(|y| (viewer.today.year() - YEARS_BACK * 2..viewer.today.year()).contains(y))
        .collect();
    if !viewer.insider && !tells_months(conn, viewer, region, &years)? {
        return Ok(None);
    }
    let own = months(conn, region, &years)?;
    let lends = *region != *LIAONING && regions::covers(&LIAONING, region);
    let above = if lends && tells_months(conn, viewer, &LIAONING, &years)? {
        months(conn, &LIAONING, &years)?
    } else {
        BTreeMap::new()
    };
    let mut trials: Vec<(u32, Trial)> = Vec::new();
    let mut tried = Vec::new();
    for (year, sums) in own.iter().filter(|(_, sums)| total(sums) > 0) {
        if own.range(..year).filter(|(_, sums)| total(sums) > 0).count() < FEWEST_YEARS {
            continue;
        }
        tried.push(*year);
        for known in 1..12u32 {
            let Some(origin) = Month::new(*year, known - 1).last_day() else { continue };
            let past = |of: &BTreeMap<i32, [i64; 12]>| -> Vec<PastYear> {
                of.range(..year)
                    .map(|(y, sums)| PastYear {
                        year: i64::from(*y),
                        by_then: up_to(sums, known),
                        total: total(sums),
                    })
                    .collect()
            };
            let case = Case {
                year: *year,
                origin,
                flow: Flow::Output,
                so_far: up_to(sums, known),
                actual: total(sums),
                past: past(&own),
                above: past(&above),
            };
            trials.push((known, backtest::trial(&case)));
        }
    }
    let by_month = (1..12u32).map(|months| {
        let some = trials.iter().filter(|(known, _)| *known == months).map(|(_, trial)| trial);
        MonthScore { months, score: backtest::score(some) }
    });
    Ok(Some(MarketTest {
        region_code: region.clone(),
        series: "本平台逐月登记额（按发布口径，卖方所在地），与公布的真实数据分开计算。演示市场的合同是按年鉴全年数和 2018 年\
                 季度分布合成的，只能说明方法运行正常，不能说明对真实年内进度预测得多准。"
            .into(),
        years: tried.first().copied().zip(tried.last().copied()).map(|(a, b)| [a, b]),
        score: backtest::score(trials.iter().map(|(_, trial)| trial)),
        by_month: by_month.collect(),
    }))
}

/// Whether the public may be told of every month of the `years` of a place.
fn tells_months(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    region: &Region,
    years: &[i32],
) -> Result<bool> {
    for year in years {
        let year = Year::now(conn, *year)?;
        let grid = viewer.grids.grid(conn, Flow::Output, region.as_str(), By::Month, year)?;
        if grid.all < Depth::Month {
            return Ok(false);
        }
    }
    Ok(true)
}

fn up_to(sums: &[i64; 12], months: u32) -> i64 {
    let known = usize::try_from(months).unwrap_or(12);
    sums.iter().take(known).fold(0, |sum, fen| sum.saturating_add(*fen))
}

fn total(sums: &[i64; 12]) -> i64 {
    up_to(sums, 12)
}

/// Turnover of a place by month, for each of the `years`.
fn months(conn: &mut DbConn, region: &Region, years: &[i32]) -> Result<BTreeMap<i32, [i64; 12]>> {
    let mut all: BTreeMap<i32, [i64; 12]> = years.iter().map(|y| (*y, [0; 12])).collect();
    let (Some(first), Some(last)) = (years.first(), years.last()) else { return Ok(all) };
    let of = Of { basis: Basis::Reported, flow: Flow::Output, place: region.as_str() };
    let rows = store::grouped(conn, of, By::Month, Month::january(*first), Month::december(*last))?;
    for (key, sum) in rows {
        let Some(month) = Month::parse(&key) else { continue };
        let at = usize::try_from(month.month0()).unwrap_or_default();
        if let Some(fen) = all.get_mut(&month.year()).and_then(|year| year.get_mut(at)) {
            *fen = sum.total_fen;
        }
    }
    Ok(all)
}
