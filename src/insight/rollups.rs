//! The consumer of the journal that keeps the figures, and the proof that they are right.
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    hash::Hash,
};

use super::{
    model::{Figures, Layer, Month},
    store::{self, Which},
    tally::{Cell, DayCell, Pair, Period, Sums, Tally},
};
use crate::kernel::{
    Code, Db, DbConn, Id, Result, Tx,
    journal::{self, Event},
    of,
};

/// The name of the consumer and of its cursor.
pub const NAME: &str = "rollups";
/// The events that move the figures.
pub const TOPICS: [&str; 5] = [
    "contract.registered",
    "contract.amended",
    "contract.cancelled",
    "contract.revoked",
    "contract.reinstated",
];

/// Follows the journal and counts every posting once.
#[derive(Debug, Default)]
pub struct RollUps;

impl journal::Consumer for RollUps {
    fn name(&self) -> &'static str {
        NAME
    }
    fn position(&self, db: &Db) -> Result<i64> {
        db.read_now(store::position)
    }
    fn take(&mut self, db: &Db, events: &[Event]) -> Result<()> {
        db.write_now(|tx| {
            let from = store::position(tx)?;
            let fresh: Vec<_> = events.iter().filter(|e| e.position() > from).collect();
            let Some(last) = fresh.last() else { return Ok(()) };
            // first of all, for the lock on the cursor: two nodes never count at once
            journal::advance(tx, NAME, from, last.position())?;
            let moved = fresh.iter().filter(|e| TOPICS.contains(&e.topic.as_str()));
            count(tx, &moved.filter_map(|e| e.subject_id("contract")).collect())
        })
    }
}

/// Counts what has been posted for `ids` and not been counted before.
fn count(tx: &mut Tx<'_>, ids: &BTreeSet<Id<of::Contract>>) -> Result<()> {
    let new = store::uncounted(tx, ids)?;
    if new.is_empty() {
        return Ok(());
    }
    let mut tally = Tally::default();
    new.iter().try_for_each(|posting| tally.add(posting))?;
    store::enter(tx, &new)?;
    let months = tally.close_months()?;
    let years = tally.close_years();
    store::put(tx, &tally, &months)?;
    store::put(tx, &tally, &years)?;
    store::touch(tx, &years.years())
}

/// Throws the figures away and counts all postings anew, month by month. The cursor stays where it is:
/// events that are still to come name postings that have been counted by then.
pub fn rebuild(tx: &mut Tx<'_>) -> Result<()> {
    let position = store::position(tx)?;
    journal::advance(tx, NAME, position, position)?;
    store::clear(tx)?;
    store::enter_all(tx)?;
    let mut tally = Tally::default();
    for year in store::years_posted(tx)? {
        for month in months_of(year) {
            recount(tx, month, Which::All, &mut tally)?;
            let months = tally.close_months()?;
            store::put(tx, &tally, &months)?;
        }
        let whole = tally.close_years();
        store::put(tx, &tally, &whole)?;
        store::touch(tx, &whole.years())?;
    }
    Ok(())
}

/// Counts a history that was loaded in one go, and passes over its events: to follow them batch by batch
/// would touch every cell again and again.
pub fn count_history(tx: &mut Tx<'_>) -> Result<()> {
    rebuild(tx)?;
    let (position, (head, _)) = (store::position(tx)?, journal::head(tx)?);
    journal::advance(tx, NAME, position, head)
}

fn months_of(year: i32) -> impl Iterator<Item = Month> {
    (0..12).map(move |month0| Month::new(year, month0))
}

/// Adds up what counts in `month`: what was registered in it with all later corrections, and the corrections
/// that were made in it. Postings are read in slices: the room that this takes is that of the month's cells.
fn recount(conn: &mut DbConn, month: Month, which: Which, tally: &mut Tally) -> Result<()> {
    let (Some(first), Some(last)) = (month.first_day(), month.last_day()) else { return Ok(()) };
    store::each_registered(conn, (first, last), which, |posting| {
        let registration = posting.kind == store::REGISTRATION;
        let layer = if registration { Layer::Registered } else { Layer::Restated };
        tally.add_in(posting, layer, posting.registered_on)
    })?;
    store::each_correction(conn, (first, last), which, |posting| {
        tally.add_in(posting, Layer::Adjusted, posting.posted_on)
    })
}

/// Recounts all figures from the postings, month by month, and the postings from the contracts. Answers how
/// many contracts have been counted, or the first difference. An act that the roll-ups have still to take
/// is no difference.
pub fn verify(conn: &mut DbConn) -> Result<std::result::Result<i64, String>> {
    if let Some((id, posted, stands)) = store::misposted(conn)? {
        return Ok(Err(format!(
            "contract {id} stands at {stands} fen of turnover, its postings add up to {posted} fen"
        )));
    }
    let position = store::position(conn)?;
    if let Some(id) = store::missed(conn, position)? {
        return Ok(Err(format!(
            "contract {id} has a posting that was not counted, though the roll-ups have taken its event"
        )));
    }
    let which = if store::any_uncounted(conn)? { Which::Counted } else { Which::All };
    let mut years = store::years_posted(conn)?;
    years.extend(store::years_counted(conn)?);
    let mut tally = Tally::default();
    for year in years {
        for month in months_of(year) {
            recount(conn, month, which, &mut tally)?;
            let sums = tally.close_months()?;
            if let Some(told) = difference(conn, Period::Month(month), &tally, sums)? {
                return Ok(Err(told));
            }
        }
        let sums = tally.close_years();
        if let Some(told) = difference(conn, Period::Year(year), &tally, sums)? {
            return Ok(Err(told));
        }
    }
    Ok(Ok(store::count_entries(conn)?))
}

/// The first figure of `period` that the postings do not account for.
fn difference(
    conn: &mut DbConn,
    period: Period,
    tally: &Tally,
    should: Sums,
) -> Result<Option<String>> {
    let Sums { cells, days, pairs } = should;
    let are = store::cells_of(conn, period)?;
    let told = first_difference(are, cells, |cell| tally.key(cell), |key| tally.cell(key));
    if told.is_some() {
        return Ok(told);
    }
    if let Period::Month(month) = period {
        let are = store::days_of(conn, month)?;
        let told = first_difference(are, days, |day| tally.day_key(day), |key| tally.day(key));
        if told.is_some() {
            return Ok(told);
        }
    }
    let are = store::pairs_of(conn, period)?;
    Ok(first_difference(are, pairs, |pair| tally.pair_key(pair), |key| tally.pair(key)))
}

/// The first in the order of their names.
fn first_difference<C: Ord + fmt::Display, K: Hash + Eq>(
    are: Vec<(C, Figures)>,
    mut should: HashMap<K, Figures>,
    key: impl Fn(&C) -> Option<K>,
    named: impl Fn(&K) -> C,
) -> Option<String> {
    let mut differ: Vec<(C, Option<Figures>, Option<Figures>)> = Vec::new();
    for (cell, is) in are {
        let ought = key(&cell).and_then(|key| should.remove(&key));
        if ought != Some(is) {
            differ.push((cell, Some(is), ought));
        }
    }
    differ.extend(should.iter().map(|(key, ought)| (named(key), None, Some(*ought))));
    let (cell, is, ought) = differ.into_iter().min_by(|a, b| a.0.cmp(&b.0))?;
    Some(format!("turnover {cell} has {}, should have {}", told(is), told(ought)))
}

fn told(cell: Option<Figures>) -> String {
    match cell {
        None => "nothing".into(),
        Some(f) => format!(
            "{} fen ({} fen technology, largest {} fen) in {} contracts",
            f.total_fen, f.tech_fen, f.largest_fen, f.contracts
        ),
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, flow, place, by, period, value } = self;
        let (layer, flow, by) = (layer.slug(), flow.slug(), by.slug());
        write!(f, "{layer}/{flow}/{place}/{by}/{period}/{value}")
    }
}
impl fmt::Display for DayCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, flow, place, day } = self;
        write!(f, "{}/{}/{place}/{day}", layer.slug(), flow.slug())
    }
}
impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, level, period, seller, buyer } = self;
        write!(f, "{}/{}/{period}/{seller}→{buyer}", layer.slug(), level.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        insight::{
            Grids, load_shipped_targets,
            model::{By, Flow, Pace, Row},
            service::targets,
            store::Wanted,
            testing::{Market, operator},
        },
        kernel::{Day, Window, actor, journal::Consumer},
    };
    use serde_json::json;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn shown(rows: &[Row]) -> Vec<(&str, Option<i64>)> {
        rows.iter().map(|r| (r.key.as_str(), r.total_fen)).collect()
    }

    #[test]
    fn a_contract_counts_once_however_often_its_event_comes() {
        let market = Market::open();
        let id = market.register("2020-03-05", "210106", "210200", 500);
        market.register("2020-03-06", "210106", "210200", 700);
        let again = |tx: &mut Tx<'_>| {
            journal::record(tx, "clerk", TOPICS[0], &format!("contract:{id}"), &json!({}))
        };
        market.db.write_now(again).unwrap();
        market.settle();
        assert_eq!(market.verify(), Ok(2));
        // the same event in a later batch, and an old batch given again after a crash
        market.db.write_now(again).unwrap();
        market.settle();
        let all = market.db.read_now(|conn| journal::after(conn, 0)).unwrap();
        RollUps.take(&market.db, &all).unwrap();
        assert_eq!(market.verify(), Ok(2));
        let told =
            market.turnover(Some(&operator("210000")), Some("210000"), Flow::Output, By::Month);
        assert_eq!((told.total.contracts, told.total.total_fen), (Some(2), Some(1_200)));
        assert_eq!(told.position, 4);
    }

    #[test]
    fn cells_equal_a_recount_and_an_altered_one_is_named() {
        let market = Market::open();
        for n in 0..1_200i64 {
            let month = n % 12 + 1;
            let seller = ["210106", "210200", "LNZ-SF", "110108"][usize::try_from(n % 4).unwrap()];
            market.register(&format!("2020-{month:02}-10"), seller, "210303", 1_000 + n);
        }
        market.settle();
        assert_eq!(market.verify(), Ok(1_200));
        market.db.write_now(rebuild).unwrap();
        assert_eq!(market.verify(), Ok(1_200));
        market.settle();
        assert_eq!(market.verify(), Ok(1_200));

        market.execute(
            "UPDATE figure_cells SET total_fen = total_fen + 1 \
             WHERE flow = 'output' AND place = '110000' AND dimension = 'field' AND period = '2020-04'",
        );
        let told = market.verify().unwrap_err();
        assert_eq!(
            told,
            "turnover registered/output/110000/field/2020-04/05 has 159701 fen \
             (159700 fen technology, largest 2191 fen) in 100 contracts, should have 159700 fen \
             (159700 fen technology, largest 2191 fen) in 100 contracts"
        );
        market.db.write_now(rebuild).unwrap();
        assert_eq!(market.verify(), Ok(1_200));

        market.execute("UPDATE contracts SET total_fen = total_fen + 9 WHERE total_fen = 1000");
        let told = market.verify().unwrap_err();
        assert!(
            told.contains("stands at 1009 fen of turnover, its postings add up to 1000"),
            "{told}"
        );
    }

    #[test]
    fn statistics_answer_without_a_contract_to_look_at() {
        let market = Market::open();
        for n in 0..60i64 {
            let seller = ["210106", "210200", "LNZ-SF"][usize::try_from(n % 3).unwrap()];
            let (month, fen) = (n % 12 + 1, 900 + n * 7);
            market.register(&format!("2020-{month:02}-10"), seller, "210303", fen);
        }
        market.settle();
        let boss = operator("210000");
        let digests = || -> Vec<String> {
            let who = [None, Some(&boss)];
            let all = Flow::ALL.iter().flat_map(|f| By::ALL.iter().map(move |by| (*f, *by)));
            all.flat_map(|(flow, by)| {
                who.map(|who| market.turnover(who, Some("210000"), flow, by).digest)
            })
            .collect()
        };
        let before = digests();
        market.execute("DELETE FROM turnover_postings; DELETE FROM contracts");
        assert_eq!(digests(), before);
    }

    #[test]
    fn verify_tells_a_lag_from_a_loss() {
        let market = Market::open();
        let id = market.register("2020-03-05", "210106", "210200", 500);
        assert_eq!(market.verify(), Ok(0), "not sealed yet");
        journal::seal(&market.db).unwrap();
        assert_eq!(market.verify(), Ok(0), "not taken yet");
        market.settle();
        assert_eq!(market.verify(), Ok(1));
        market.execute("DELETE FROM figure_entries");
        assert!(market.verify().unwrap_err().contains(id.as_str()));
    }

    #[test]
    fn flows_regions_and_small_cells() {
        let market = Market::open();
        for fen in [300, 310, 320, 330] {
            market.register("2020-02-01", "210106", "210303", fen);
            market.register("2020-05-01", "210200", "210106", fen * 2);
            market.register("2020-06-01", "LNZ-SF", "110108", fen * 3);
        }
        market.register("2020-07-01", "210400", "210106", 5_000);
        market.settle();
        let boss = operator("210000");
        let of = |flow, by| market.turnover(Some(&boss), Some("210000"), flow, by);
        assert_eq!(
            shown(&of(Flow::Output, By::Region).rows),
            [
                ("210100", Some(1_260)),
                ("210200", Some(2_520)),
                ("210400", Some(5_000)),
                ("LNZ-SF", Some(3_780))
            ]
        );
        assert_eq!(
            shown(&of(Flow::Absorbed, By::Region).rows),
            [("210100", Some(7_520)), ("210300", Some(1_260))]
        );
        assert_eq!(of(Flow::Local, By::Month).total.total_fen, Some(8_780));
        // the public: the one contract of 210400, and the smallest other row with it
        let public = market.turnover(None, Some("210000"), Flow::Output, By::Region);
        let hidden: Vec<_> =
            public.rows.iter().filter(|r| r.suppressed).map(|r| r.key.as_str()).collect();
        assert_eq!(hidden, ["210100", "210400"], "5000 of 6260 do not dominate");
        assert_eq!(public.total.total_fen, Some(12_560));
        assert_eq!(
            market.turnover(None, Some("210400"), Flow::Output, By::Month).total.total_fen,
            None
        );
        // an operator of one city is the public elsewhere
        let city = operator("210200");
        let told = market.turnover(Some(&city), Some("210000"), Flow::Output, By::Region);
        assert_eq!(told.digest, public.digest);
        assert_ne!(told.digest, of(Flow::Output, By::Region).digest);
        let nation = market.turnover(None, None, Flow::Output, By::Region);
        assert_eq!(shown(&nation.rows), [("210000", Some(12_560))]);
        let empty = market.turnover(None, Some("220000"), Flow::Output, By::Region);
        assert_eq!((empty.rows.len(), empty.total.total_fen), (0, Some(0)));
    }

    #[test]
    fn the_figures_of_2020_beside_both_targets() {
        let market = Market::open();
        for n in 0..10 {
            for part in 0..4 {
                let day = format!("2020-{:02}-{:02}", n + 1, 12 + part);
                market.register(&day, "210100", "210200", 158_202_500_000);
            }
        }
        market.settle();
        let loaded = market.db.write_now(load_shipped_targets).unwrap();
        assert_eq!(loaded, 95);
        assert_eq!(market.db.write_now(load_shipped_targets).unwrap(), 0);
        let wanted = Wanted {
            region: Some("210000".parse().unwrap()),
            indicator: Some(crate::insight::indicators::Indicator::Turnover),
            year: Some(2020),
        };
        let window = Window::read(None, None).unwrap();
        let (today, end) = (day("2026-11-22"), day("2020-12-31"));
        let told = market.db.read_now(|conn| {
            let page = targets::list(conn, &wanted, &window)?;
            page.items
                .into_iter()
                .map(|t| targets::progress(conn, &Grids::default(), None, t.id, (end, today)))
                .collect::<Result<Vec<_>>>()
        });
        let told: Vec<_> = told
            .unwrap()
            .iter()
            .map(|p| {
                let (ratio, pace) = (p.ratio.unwrap().to_string(), p.pace.unwrap());
                (p.value.to_string(), p.actual.unwrap().to_string(), ratio, pace)
            })
            .collect();
        let row = |value: &str, ratio: &str, pace| {
            (value.to_owned(), "6328100000000".to_owned(), ratio.to_owned(), pace)
        };
        assert_eq!(
            told,
            [
                row("6000000000000", "1.0547", Pace::Ahead),
                row("8000000000000", "0.791", Pace::Behind)
            ]
        );
        // in the middle of a month: to the day for who oversees, by whole months for the public
        let boss = operator("210000");
        let middle = |who: Option<&actor::Actor>, as_of: &str| {
            market
                .db
                .read_now(|conn| {
                    let page = targets::list(conn, &wanted, &window)?;
                    let id = page.items.last().unwrap().id;
                    targets::progress(conn, &Grids::default(), who, id, (day(as_of), today))
                })
                .unwrap()
        };
        let cents = |p: crate::insight::model::Progress| p.actual.unwrap().to_string();
        assert_eq!(cents(middle(Some(&boss), "2020-05-11")), "2531240000000");
        assert_eq!(cents(middle(Some(&boss), "2020-05-15")), "3164050000000");
        let public = middle(None, "2020-05-15");
        assert_eq!(public.as_of, day("2020-04-30"));
        assert_eq!(cents(public), "2531240000000");
        insta::assert_snapshot!(middle(None, "2020-05-15").basis);
    }
}
