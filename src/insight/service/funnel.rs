//! How far listings and requests came, and how long each step takes.
use std::collections::{BTreeMap, HashMap};

use chrono::Datelike;

use super::{
    grids::pieces,
    turnover::{digest, place_of},
};
use crate::{
    insight::{
        decimal::Decimal,
        model::{
            Figures, Flow, FunnelAsked, FunnelStage, FunnelStep, MarketFunnel, Month, StageCount,
        },
        places::{self, COUNTRY},
        rules,
        secrecy::{self, Column, Depth, FEWEST_CONTRACTS},
        store::{self, Cohort, ListingCase, RequestCase},
        waiting::{Fate, Waits},
    },
    kernel::{Actor, Code, Day, DbConn, Moment, Region, Result, journal},
    markets::{
        model::Field,
        regions::{LIAONING, Reach},
    },
};

/// What is counted: the stages, and between the first two the listings that somebody asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Listings,
    AskedAbout,
    Requests,
    Accepted,
    Intents,
    Contracts,
    Registered,
}

impl Counted {
    const ALL: [Self; 7] = [
        Self::Listings,
        Self::AskedAbout,
        Self::Requests,
        Self::Accepted,
        Self::Intents,
        Self::Contracts,
        Self::Registered,
    ];
    fn of(stage: FunnelStage) -> Self {
        match stage {
            FunnelStage::Listings => Self::Listings,
            FunnelStage::Requests => Self::Requests,
            FunnelStage::Accepted => Self::Accepted,
            FunnelStage::Intents => Self::Intents,
            FunnelStage::Contracts => Self::Contracts,
            FunnelStage::Registered => Self::Registered,
        }
    }
}

/// How many came how far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts([i64; 7]);

impl Counts {
    fn add(&mut self, what: Counted) {
        let cells = Counted::ALL.iter().zip(&mut self.0);
        cells.filter(|(c, _)| **c == what).for_each(|(_, n)| *n += 1);
    }
    fn get(&self, what: Counted) -> i64 {
        Counted::ALL.iter().zip(&self.0).filter(|(c, _)| **c == what).map(|(_, n)| n).sum()
    }
}

/// The stages that a request came to, in order.
fn stages_of(case: &RequestCase) -> impl Iterator<Item = Counted> {
    let deal = case.deal;
    // a contract says more than an intent: whoever has one is past it
    let intent = deal.filter(|d| d.intent.or(d.contracted).is_some());
    let contract = intent.filter(|d| d.contracted.is_some());
    let came = [
        Some(Counted::Requests),
        deal.map(|_| Counted::Accepted),
        intent.map(|_| Counted::Intents),
        contract.map(|_| Counted::Contracts),
        contract.filter(|d| d.registered.is_some()).map(|_| Counted::Registered),
    ];
    came.into_iter().flatten()
}

/// One step with its cases.
#[derive(Debug, Default)]
struct Step {
    waits: Waits,
    skipped: i64,
}

impl Step {
    /// A case that stood before the step at `from`.
    fn add(&mut self, from: Moment, moved: Option<Moment>, ended: Option<Moment>, cut: Moment) {
        let (until, fate) = match (moved, ended) {
            (Some(at), _) => (at, Fate::Moved),
            (None, Some(at)) => (at, Fate::Ended),
            (None, None) => (cut, Fate::Open),
        };
        self.waits.add(until.seconds_since(from), fate);
    }
}

/// Everything that a funnel tells.
#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    to_request: Step,
    to_acceptance: Step,
    to_intent: Step,
    to_contract: Step,
    to_registration: Step,
}

impl Tally {
    fn listing(&mut self, case: &ListingCase, cut: Moment) {
        self.counts.add(Counted::Listings);
        if case.asked.is_some() {
            self.counts.add(Counted::AskedAbout);
        }
        self.to_request.add(case.published, case.asked, case.ended, cut);
    }

    fn request(&mut self, case: &RequestCase, cut: Moment) {
        stages_of(case).for_each(|stage| self.counts.add(stage));
        self.to_acceptance.add(case.asked, case.deal.map(|d| d.accepted), case.ended, cut);
        let Some(deal) = case.deal else { return };
        // who went past the intent took no time for it that anybody knows
        let skipped = deal.contracted.filter(|_| deal.intent.is_none());
        self.to_intent.add(deal.accepted, deal.intent, skipped.or(deal.closed), cut);
        self.to_intent.skipped += i64::from(skipped.is_some());
        if let Some(intent) = deal.intent {
            self.to_contract.add(intent, deal.contracted, deal.closed, cut);
        }
        if let Some(contracted) = deal.contracted {
            self.to_registration.add(contracted, deal.registered, None, cut);
        }
    }
}

/// How far the listings and requests of a span of time came, with what this caller may not see left out.
pub fn funnel(
    conn: &mut DbConn,
    actor: Option<&Actor>,
    asked: FunnelAsked,
    now: Moment,
) -> Result<MarketFunnel> {
    let today = now.day();
    let place = place_of(asked.region.as_ref())?.to_owned();
    let insider = rules::sees_all(actor, asked.region.as_ref());
    let as_of = if insider { asked.as_of } else { rules::public_cut(asked.as_of, today) };
    let asked = FunnelAsked { as_of, ..asked };
    let (position, _) = journal::head(conn)?;
    let region = asked.region.as_ref().map_or_else(Reach::anywhere, Reach::of);
    let cohort = cohort(&asked, (asked.from, asked.to), region, asked.field);
    let mut tally = Tally::default();
    store::each_listing(conn, &cohort, &mut |case| {
        tally.listing(&case, cohort.cut);
        Ok(())
    })?;
    store::each_request(conn, &cohort, &mut |case| {
        tally.request(&case, cohort.cut);
        Ok(())
    })?;
    let shown = if insider {
        Shown(vec![true; Counted::ALL.len()])
    } else {
        public(conn, &asked, &place, today)?
    };
    let stages = FunnelStage::ALL.iter().map(|stage| {
        let what = Counted::of(*stage);
        let seen = shown.shows(what);
        StageCount {
            stage: *stage,
            label: stage.zh(),
            count: seen.then_some(tally.counts.get(what)),
            suppressed: !seen,
        }
    });
    let stages: Vec<StageCount> = stages.collect();
    let steps = steps(&tally, &shown, insider);
    let digest = digest(&(&asked, &stages, &steps))?;
    let basis = basis(&asked, &place);
    Ok(MarketFunnel { query: asked, stages, steps, basis, as_of: now, position, digest })
}

fn cohort(
    asked: &FunnelAsked,
    (from, to): (Month, Month),
    region: Reach,
    field: Option<Field>,
) -> Cohort {
    let after = |day: Day| Moment::start_of(day.succ_opt().unwrap_or(day));
    let cut = after(asked.as_of);
    let first = from.first_day().unwrap_or(asked.as_of);
    let last = to.last_day().unwrap_or(asked.as_of);
    let (from, until) = (Moment::start_of(first), after(last).min(cut));
    Cohort { flow: asked.flow, region, field, from, until, cut }
}

fn steps(tally: &Tally, shown: &Shown, insider: bool) -> Vec<FunnelStep> {
    use FunnelStage::*;
    let all = [
        (Listings, Requests, Counted::AskedAbout, &tally.to_request),
        (Requests, Accepted, Counted::Accepted, &tally.to_acceptance),
        (Accepted, Intents, Counted::Intents, &tally.to_intent),
        (Intents, Contracts, Counted::Contracts, &tally.to_contract),
        (Contracts, Registered, Counted::Registered, &tally.to_registration),
    ];
    all.into_iter()
        .map(|(from, to, reached, step)| {
            let seen = shown.shows(Counted::of(from)) && shown.shows(reached);
            let (entered, reached) =
                (tally.counts.get(Counted::of(from)), tally.counts.get(reached));
            let timed = step.waits.count(Fate::Moved);
            // those who skipped the stage before are in no step of their own
            let open = step.waits.count(Fate::Open);
            let ended = entered - reached - open;
            // one of the two parts gives the other away
            let fine = |n: i64| insider || n == 0 || n >= FEWEST_CONTRACTS;
            let parts = seen && [ended, open, step.skipped].into_iter().all(fine);
            let times = seen && (insider || timed >= FEWEST_CONTRACTS);
            let day = |percent| if times { step.waits.quantile(percent) } else { None };
            FunnelStep {
                from,
                to,
                entered: seen.then_some(entered),
                reached: seen.then_some(reached),
                rate: if seen { Decimal::ratio(reached, entered) } else { None },
                ended: parts.then_some(ended),
                open: parts.then_some(open),
                skipped: parts.then_some(step.skipped),
                timed: times.then_some(timed),
                median_days: day(50),
                p90_days: day(90),
                suppressed: !seen,
            }
        })
        .collect()
}

/// Which counts may be told.
struct Shown(Vec<bool>);

impl Shown {
    fn shows(&self, what: Counted) -> bool {
        Counted::ALL.iter().zip(&self.0).any(|(c, shown)| *c == what && *shown)
    }
}

/// The counts of a year by month, owner's region and field, from which it is decided what the public sees.
type Table = HashMap<(Region, Field), [Counts; 12]>;

/// What the public may see: decided for a count like for turnover, as a table of months by regions, and for
/// the province by fields. Other combinations of the two would give single cases away.
fn public(conn: &mut DbConn, asked: &FunnelAsked, place: &str, today: Day) -> Result<Shown> {
    let mut shown = vec![true; Counted::ALL.len()];
    for (year, depth) in pieces(asked.from, asked.to, today) {
        let table = table(conn, asked, year)?;
        for (what, shown) in Counted::ALL.iter().zip(&mut shown) {
            *shown = *shown && depth_of(&table, *what, place, asked.field) >= depth;
        }
    }
    Ok(Shown(shown))
}

fn table(conn: &mut DbConn, asked: &FunnelAsked, year: i32) -> Result<Table> {
    let span = (Month::january(year), Month::december(year));
    let cohort = cohort(asked, span, Reach::anywhere(), None);
    let mut table = Table::new();
    let mut count = |region: Region, field: Field, at: Moment, what: Counted| {
        let months = table.entry((region, field)).or_default();
        let month0 = usize::try_from(at.day().month0()).unwrap_or_default();
        if let Some(counts) = months.get_mut(month0) {
            counts.add(what);
        }
    };
    store::each_listing(conn, &cohort, &mut |case| {
        count(case.region.clone(), case.field, case.published, Counted::Listings);
        if case.asked.is_some() {
            count(case.region, case.field, case.published, Counted::AskedAbout);
        }
        Ok(())
    })?;
    store::each_request(conn, &cohort, &mut |case| {
        for stage in stages_of(&case) {
            count(case.region.clone(), case.field, case.asked, stage);
        }
        Ok(())
    })?;
    Ok(table)
}

/// Down to where a count of a place is shown.
fn depth_of(table: &Table, what: Counted, place: &str, field: Option<Field>) -> Depth {
    if let Some(field) = field {
        if place != LIAONING.as_str() {
            return Depth::Hidden;
        }
        let all = depth_of(table, what, place, None);
        let mut by_field: BTreeMap<&str, Column> = BTreeMap::new();
        for ((_, field), months) in table.iter().filter(|((region, _), _)| lies_in(region, place)) {
            add(by_field.entry(field.slug()).or_default(), months, what);
        }
        return row(all, &by_field, field.slug());
    }
    let Some(upper) = places::parent(place) else {
        let mut all = Column::default();
        table.values().for_each(|months| add(&mut all, months, what));
        return secrecy::depth_alone(&all);
    };
    let all = depth_of(table, what, upper, None);
    let mut by_place: BTreeMap<&str, Column> = BTreeMap::new();
    for ((region, _), months) in table.iter().filter(|((region, _), _)| lies_in(region, upper)) {
        let chain = places::chain(region.as_str());
        add(
            by_place.entry(places::row_in(&chain, upper, region.as_str())).or_default(),
            months,
            what,
        );
    }
    row(all, &by_place, place)
}

fn lies_in(region: &Region, place: &str) -> bool {
    place == COUNTRY || places::chain(region.as_str()).contains(&place)
}

/// Adds counts to a column: no case is larger than another.
fn add(column: &mut Column, months: &[Counts; 12], what: Counted) {
    for (cell, counts) in column.0.iter_mut().zip(months) {
        let n = cell.contracts.saturating_add(counts.get(what));
        *cell = Figures { contracts: n, total_fen: n, tech_fen: 0, largest_fen: 0 };
    }
}

/// The depth of one of `columns`; one that is not there is nil.
fn row(all: Depth, columns: &BTreeMap<&str, Column>, name: &str) -> Depth {
    let bounded: Vec<(&Column, Depth)> = columns.values().map(|c| (c, Depth::Month)).collect();
    let depths = secrecy::depths(all, &bounded);
    columns.keys().zip(depths).find(|(key, _)| **key == name).map_or(Depth::Month, |(_, d)| d)
}

fn basis(asked: &FunnelAsked, place: &str) -> String {
    let name = places::name(place).unwrap_or_else(|| place.to_owned());
    let (listing, owner) = match asked.flow {
        Flow::Output => ("科技成果", "成果方"),
        _ => ("技术需求", "需求方"),
    };
    let field = asked.field.map_or_else(String::new, |f| format!("、技术领域为{}", f.zh()));
    format!(
        "发布：{} 至 {}（北京时间，以最近一次批准发布的时间为准）由{name}单位发布的{listing}{field}，其下一步为\
         发布之后第一次收到对接请求。对接请求及其后各步：同期提出、{owner}在{name}{field}的对接请求，逐件跟踪；\
         合同落空退回洽谈的按洽谈计，未签意向直接签约的视同达成意向，但不计入用时。各步截至 {}（含当日），其后\
         的进展不计。用时为中位数与九成位数（天）：未了结的件按仍在等待处理（Aalen–Johansen 估计；没有以其他\
         方式结束的件时即 Kaplan–Meier 估计），尚未达到该比例的为空，不以已办结件的平均数代替。",
        asked.from, asked.to, asked.as_of,
    )
}
