//! What an indicator comes to: counted here, entered by hand, or computed of others.
use std::collections::BTreeMap;

use chrono::Datelike;

use super::grids::{Grids, pieces};
use crate::{
    brokerage::model::AgencyLevel,
    insight::{
        decimal::Decimal,
        indicators::{Counted, Indicator, Quotient},
        lint::figure,
        model::{
            Basis, By, FigureSource, Figures, Flow, IndicatorValue, IndicatorValueView, Month,
            TargetPart,
        },
        places,
        rules::{self, Nature},
        secrecy::FEWEST_CONTRACTS,
        store::{self, Of},
    },
    kernel::{Actor, Code, Day, DbConn, Id, Region, Result, of},
    markets::regions::{self, Reach},
};

/// Who asks, and when.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    pub grids: &'a Grids,
    /// Oversees the region that is asked about.
    pub insider: bool,
    pub today: Day,
}

impl<'a> Viewer<'a> {
    pub fn of(grids: &'a Grids, actor: Option<&Actor>, region: &Region, today: Day) -> Self {
        Self { grids, insider: rules::sees_all(actor, Some(region)), today }
    }

    /// Whether the months from `first` to `last` of a place may be told.
    pub fn sees(
        self,
        conn: &mut DbConn,
        (flow, place): (Flow, &str),
        first: Day,
        last: Day,
    ) -> Result<bool> {
        if self.insider || last < first {
            return Ok(true);
        }
        let span = pieces(Month::of(first), Month::of(last), self.today);
        self.grids.shows(conn, (flow, place, By::Month), None, &span)
    }
}

/// A figure, and what it is.
#[derive(Debug, Default)]
pub struct Actual {
    /// Null where there is none, or it may not be told; `basis` says which.
    pub value: Option<Decimal>,
    pub source: Option<FigureSource>,
    /// The first day of a sum.
    pub from: Option<Day>,
    pub to: Option<Day>,
    pub parts: Vec<TargetPart>,
    pub basis: String,
    /// The newest figure that was entered for the same days.
    pub entered: Option<IndicatorValueView>,
}

/// A region with everything that was entered for it, newest first.
pub struct Place<'a> {
    pub region: &'a Region,
    entered: Vec<IndicatorValue>,
}

impl<'a> Place<'a> {
    pub fn of(conn: &mut DbConn, region: &'a Region) -> Result<Self> {
        Ok(Self { region, entered: store::values_of(conn, region, None)? })
    }
}

/// What `indicator` comes to in a place from `first` to `last`: for a stock or rate, when `last` is over.
/// What the market counts itself goes before what was entered.
pub fn actual(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    (indicator, nature): (Indicator, Nature),
    place: &Place<'_>,
    (first, last): (Day, Day),
) -> Result<Actual> {
    let region = place.region;
    let entered = entered(&place.entered, (indicator, nature), (first, last));
    let view = entered.as_ref().and_then(|e| e.entered.clone());
    // a rate of something counted is no count
    let own = match (indicator.counted().filter(|_| nature != Nature::Rate), indicator.quotient()) {
        (Some(what), _) => Some(counted(conn, viewer, added(what, nature), region, (first, last))?),
        (None, Some(quotient)) => computed(conn, viewer, quotient, place, (first, last))?,
        (None, None) => None,
    };
    let told = match (own, entered) {
        (Some(own), Some(entered)) if own.source != Some(FigureSource::Counted) => {
            if own.value.is_some() { own } else { entered }
        }
        (Some(own), _) => own,
        (None, Some(entered)) => entered,
        (None, None) => Actual {
            basis: format!(
                "平台尚未统计“{}”，也没有人工填报的数值。{}",
                indicator.zh(),
                later(indicator)
            ),
            ..Actual::default()
        },
    };
    Ok(Actual { entered: view, ..told })
}

/// Rooms that are still to be built count nothing yet.
fn later(indicator: Indicator) -> &'static str {
    match indicator {
        Indicator::Alliances
        | Indicator::NewAlliances
        | Indicator::Fairs
        | Indicator::CountyFairs
        | Indicator::PointFairs
        | Indicator::Challenges
        | Indicator::ChallengeProjectsTotal => {
            "联盟、对接会、揭榜挂帅在平台有相应业务之前由人工填报。"
        }
        _ => "",
    }
}

/// Where a sum is asked of a stock, what was added to it is meant.
fn added(what: Counted, nature: Nature) -> Counted {
    match (what, nature) {
        (Counted::Brokers, Nature::Sum) => Counted::NewBrokers,
        (Counted::Agencies, Nature::Sum) => Counted::NewAgencies { of_cities: false },
        _ => what,
    }
}

fn entered(
    rows: &[IndicatorValue],
    (indicator, nature): (Indicator, Nature),
    (first, last): (Day, Day),
) -> Option<Actual> {
    let found = rules::entered(rows, indicator, nature, (first, last))?;
    let newest = *found.rows.last()?;
    let told: Vec<String> = found
        .rows
        .iter()
        .map(|row| {
            format!(
                "{}：{}，来源：{}（{}）",
                row.period,
                figure(indicator.unit(), row.value().ten_thousandths()),
                row.source,
                row.source_date,
            )
        })
        .collect();
    let whole = nature == Nature::Sum && newest.last_day < last;
    let until = if whole { format!("数值只到 {}。", newest.last_day) } else { String::new() };
    Some(Actual {
        value: Decimal::of_ten_thousandths(found.amount),
        source: Some(FigureSource::Entered),
        from: (nature == Nature::Sum).then_some(first),
        to: Some(newest.last_day),
        parts: Vec::new(),
        basis: format!("人工填报（平台不统计该指标）：{}。{until}", told.join("；")),
        entered: Some(IndicatorValueView::new(newest.clone(), true)),
    })
}

/// A ratio of which both sides are known.
fn computed(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    Quotient { part, whole, per }: Quotient,
    place: &Place<'_>,
    (first, last): (Day, Day),
) -> Result<Option<Actual>> {
    let nature = |i: Indicator| match i {
        Indicator::TechSmes | Indicator::Firms => Nature::Stock,
        _ => Nature::Sum,
    };
    // of several years the last one that the day lies in: a share of GDP is one of a year
    let year = |day: Day| Day::from_ymd_opt(day.year(), 1, 1).unwrap_or(day);
    let span = (year(last).max(first), last);
    let above = actual(conn, viewer, (part, nature(part)), place, span)?;
    let below = actual(conn, viewer, (whole, nature(whole)), place, span)?;
    let (Some(a), Some(b)) = (above.value, below.value) else {
        let missing: Vec<_> = [(part, &above), (whole, &below)]
            .into_iter()
            .filter(|(_, actual)| actual.value.is_none())
            .map(|(indicator, _)| format!("“{}”", indicator.zh()))
            .collect();
        let basis = format!(
            "比率为“{}”÷“{}”×{per}；缺少 {} 至 {} 的{}。",
            part.zh(),
            whole.zh(),
            span.0,
            span.1,
            missing.join("、")
        );
        return Ok(Some(Actual { basis, ..Actual::default() }));
    };
    // both of the same days, or the ratio says nothing
    let same = nature(part) == Nature::Stock || above.to == below.to;
    let (a, b) = (a.ten_thousandths() * i128::from(per) * 10_000, b.ten_thousandths());
    let value = if same && b > 0 {
        Decimal::of_ten_thousandths((a * 2 + b).div_euclid(b * 2))
    } else {
        None
    };
    let days = |x: &Actual| x.to.map_or_else(String::new, |to| format!("（至 {to}）"));
    let apart = if same { "" } else { "分子与分母的截止日不同，不计算比率。" };
    let basis = format!(
        "“{}”{} ÷ “{}”{} × {per}。{apart}分子：{}分母：{}",
        part.zh(),
        days(&above),
        whole.zh(),
        days(&below),
        above.basis,
        below.basis,
    );
    let source = value.is_some().then_some(FigureSource::Computed);
    Ok(Some(Actual { value, source, to: below.to, basis, ..Actual::default() }))
}

fn counted(
    conn: &mut DbConn,
    viewer: Viewer<'_>,
    what: Counted,
    region: &Region,
    (first, last): (Day, Day),
) -> Result<Actual> {
    let (reach, place) = (Reach::of(region), regions::name(region));
    let mut told = Actual {
        source: Some(FigureSource::Counted),
        from: Some(first),
        to: Some(last),
        ..Actual::default()
    };
    let to_the = format!("{first} 至 {last}");
    match what {
        Counted::Turnover => {
            let sum = output_between(conn, region, first, last)?;
            told.value = Some(Decimal::whole(sum.total_fen));
            told.basis = format!(
                "实际值为 {to_the}（北京时间，按登记日期）卖方所在地为{place}（{region}）的已登记技术合同成交总额，\
                 技术输出口径，本平台登记数据。"
            );
            if !places::is_kept(region.as_str()) {
                told.value = None;
                told.basis = "平台不统计该地区的成交额。".into();
            } else if !viewer.sees(conn, (Flow::Output, region.as_str()), first, last)? {
                told.value = None;
                told.basis.push_str("合同过少或单项占比过高，按统计保密规则不公布实际值。");
            }
        }
        Counted::Achievements => {
            let count = if last < first {
                0
            } else {
                store::achievements_transferred(conn, &reach, first, last)?
            };
            told.value = Some(Decimal::whole(count));
            told.basis = format!(
                "{to_the}经本平台洽谈、其技术合同已登记且截至末日仍然有效的科技成果项数，买方在{place}（{region}），\
                 同一成果只计一次；未经平台洽谈而直接登记的合同不能追溯到成果，不计在内。"
            );
            // as many contracts tell as much of them as their turnover does
            let shown = viewer.sees(conn, (Flow::Absorbed, region.as_str()), first, last)?;
            let few = (1..FEWEST_CONTRACTS).contains(&count);
            if !viewer.insider && (few || !shown) {
                told.value = None;
                told.basis.push_str("项数过少，按统计保密规则不公布实际值。");
            }
        }
        Counted::Brokers => {
            let day = last.min(viewer.today);
            let by_level = store::brokers_by_level(conn, &reach, day)?;
            told.value = Some(Decimal::whole(by_level.values().sum()));
            told.parts = parts(by_level.into_iter().map(|(level, n)| (level.zh(), n)));
            (told.from, told.to) = (None, Some(day));
            told.basis = format!(
                "{day} 终了时已核验、证书在有效期内的技术经纪人（所在机构在{place}），按级别分列；\
                 此后被取消的已无从计入。"
            );
        }
        Counted::NewBrokers => {
            told.value = Some(Decimal::whole(store::brokers_verified(conn, &reach, first, last)?));
            told.basis = format!("{to_the}通过核验的技术经纪人（所在机构在{place}）。");
        }
        Counted::Agencies => {
            let day = last.min(viewer.today);
            let mut highest = BTreeMap::new();
            for (agency, level, _) in recognitions(conn, &reach, day)? {
                let best = highest.entry(agency).or_insert(level);
                *best = level.min(*best);
            }
            let mut by_level: BTreeMap<AgencyLevel, i64> = BTreeMap::new();
            highest.into_values().for_each(|level| *by_level.entry(level).or_default() += 1);
            told.value = Some(Decimal::whole(by_level.values().sum()));
            told.parts = parts(by_level.into_iter().map(|(level, n)| (level.zh(), n)));
            (told.from, told.to) = (None, Some(day));
            told.basis = format!(
                "{day} 终了时认定有效的技术转移示范机构（在{place}），每家只按最高级别计一次。"
            );
        }
        Counted::NewAgencies { of_cities } => {
            let (from, to) = (i64::from(first.year()), i64::from(last.year()));
            // each in the year in which it was first recognized
            let mut begun = BTreeMap::new();
            let wanted = |level: AgencyLevel| !of_cities || level == AgencyLevel::City;
            for (agency, _, year) in
                recognitions(conn, &reach, last)?.into_iter().filter(|(_, level, _)| wanted(*level))
            {
                let first = begun.entry(agency).or_insert(year);
                *first = year.min(*first);
            }
            let new = begun.into_values().filter(|year| (from..=to).contains(year)).count();
            told.value = Some(Decimal::whole(i64::try_from(new).unwrap_or(i64::MAX)));
            told.basis = format!(
                "首次认定年份在 {from} 至 {to} 年、{last} 终了时有效的{}技术转移示范机构（在{place}）。",
                if of_cities { "市级" } else { "" }
            );
        }
    }
    Ok(told)
}

type Recognized = (Id<of::Organization>, AgencyLevel, i64);

fn recognitions(conn: &mut DbConn, reach: &Reach, day: Day) -> Result<Vec<Recognized>> {
    store::recognitions_at(conn, reach, day, i64::from(day.year()))
}

fn parts(of: impl Iterator<Item = (&'static str, i64)>) -> Vec<TargetPart> {
    of.map(|(label, n)| TargetPart { label: label.to_owned(), value: Decimal::whole(n) }).collect()
}

/// What sellers of `region` turned over from a day to another, as reported.
pub fn output_between(
    conn: &mut DbConn,
    region: &Region,
    first: Day,
    last: Day,
) -> Result<Figures> {
    if last < first {
        return Ok(Figures::default());
    }
    let of = Of { basis: Basis::Reported, flow: Flow::Output, place: region.as_str() };
    store::until(conn, of, first, last)
}
