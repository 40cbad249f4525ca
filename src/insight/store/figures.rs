//! The roll-ups: written by their consumer, read by every statistic.
use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Nullable},
};

use crate::{
    each_db,
    insight::{
        model::{Basis, By, Figures, Flow, Layer, Level, Month},
        tally::{Cell, DayCell, Pair, Period, Sums, Tally},
    },
    kernel::{Code, Day, DbConn, Result, Tx, journal},
    schema::{
        figure_cells as cells, figure_days as days, figure_pairs as pairs, figure_years as years,
    },
};

/// Rows of one batch insert: 10 values each stay far below the limit of either database.
const CHUNK: usize = 500;

/// The sums of a group, which both databases add up in their widest type.
type Added = (Option<i64>, Option<i64>, Option<i64>, Option<i64>);

macro_rules! sums {
    () => {
        (
            sql::<Nullable<BigInt>>("CAST(SUM(contracts) AS BIGINT)"),
            sql::<Nullable<BigInt>>("CAST(SUM(total_fen) AS BIGINT)"),
            sql::<Nullable<BigInt>>("CAST(SUM(tech_fen) AS BIGINT)"),
            sql::<Nullable<BigInt>>("MAX(largest_fen)"),
        )
    };
}

/// No rows have no sum: nothing was counted.
fn figures((contracts, total, tech, largest): Added) -> Figures {
    Figures {
        contracts: contracts.unwrap_or(0),
        total_fen: total.unwrap_or(0),
        tech_fen: tech.unwrap_or(0),
        largest_fen: largest.unwrap_or(0),
    }
}

/// A span of months as the periods that hold it.
fn periods(from: Month, to: Month) -> Vec<String> {
    Period::of_span(from, to).iter().map(Period::to_string).collect()
}

/// The months of a span, each for itself: the key of the cells begins with the period.
fn months(from: Month, to: Month) -> Vec<String> {
    let all = std::iter::successors(Some(from), |month| Some(month.next()));
    all.take_while(|month| *month <= to).map(|month| month.to_string()).collect()
}

/// Whose table it is.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    pub basis: Basis,
    pub flow: Flow,
    pub place: &'a str,
}

/// Turnover from one month to another by the values of a dimension, in their order; by month for
/// [`By::Month`].
pub fn grouped(
    conn: &mut DbConn,
    of: Of<'_>,
    by: By,
    from: Month,
    to: Month,
) -> Result<Vec<(String, Figures)>> {
    let base = cells::table
        .filter(cells::flow.eq(of.flow).and(cells::place.eq(of.place)).and(cells::dimension.eq(by)))
        .filter(cells::layer.eq_any(of.basis.layers()));
    let rows: Vec<(String, Added)> = if by == By::Month {
        base.filter(cells::period.eq_any(months(from, to)))
            .group_by(cells::period)
            .order(cells::period)
            .select((cells::period, sums!()))
            .load(conn)
    } else {
        base.filter(cells::period.eq_any(periods(from, to)))
            .group_by(cells::value)
            .order(cells::value)
            .select((cells::value, sums!()))
            .load(conn)
    }
    // both databases refuse a sum past the range of an integer
    .map_err(|e| anyhow::Error::new(e).context("adding up turnover"))?;
    Ok(rows.into_iter().map(|(key, sums)| (key, figures(sums))).collect())
}

/// What was turned over in all from one month to another.
pub fn total(conn: &mut DbConn, of: Of<'_>, from: Month, to: Month) -> Result<Figures> {
    let sums = cells::table
        .filter(cells::flow.eq(of.flow).and(cells::place.eq(of.place)))
        .filter(cells::dimension.eq(By::Month).and(cells::layer.eq_any(of.basis.layers())))
        .filter(cells::period.eq_any(periods(from, to)))
        .select(sums!())
        .first(conn)?;
    Ok(figures(sums))
}

/// What was turned over in all in a part of one month, both days counted in.
pub fn in_days(conn: &mut DbConn, of: Of<'_>, first: Day, last: Day) -> Result<Figures> {
    let sums = days::table
        .filter(days::flow.eq(of.flow).and(days::place.eq(of.place)))
        .filter(days::layer.eq_any(of.basis.layers()))
        .filter(days::day.eq_any(first.iter_days().take_while(|day| *day <= last)))
        .select(sums!())
        .first(conn)?;
    Ok(figures(sums))
}

/// What was turned over in all from a day to another: whole months from the cells, the rest by day.
pub fn until(conn: &mut DbConn, of: Of<'_>, first: Day, last: Day) -> Result<Figures> {
    let (from, to) = (Month::of(first), Month::of(last));
    let begins = from.first_day().unwrap_or(first);
    let ends = to.last_day().unwrap_or(last);
    if from == to && (begins < first || last < ends) {
        return in_days(conn, of, first, last);
    }
    let mut sum = Figures::default();
    let mut whole = (from, to);
    if begins < first {
        sum = in_days(conn, of, first, from.last_day().unwrap_or(first))?;
        whole.0 = from.next();
    }
    if last < ends {
        sum = sum.plus(in_days(conn, of, to.first_day().unwrap_or(last), last)?)?;
        whole.1 = Month::of(to.first_day().and_then(|d| d.pred_opt()).unwrap_or(last));
    }
    if whole.0 <= whole.1 {
        sum = sum.plus(total(conn, of, whole.0, whole.1)?)?;
    }
    Ok(sum)
}

/// The months of a year by the values of a dimension, as reported: what secrecy is decided on.
pub fn months_of_year(
    conn: &mut DbConn,
    flow: Flow,
    place: &str,
    by: By,
    year: i32,
) -> Result<Vec<(String, String, Figures)>> {
    let rows: Vec<(String, String, Added)> = cells::table
        .filter(cells::flow.eq(flow).and(cells::place.eq(place)).and(cells::dimension.eq(by)))
        .filter(cells::layer.eq_any(Basis::Reported.layers()))
        .filter(cells::period.eq_any(months(Month::january(year), Month::december(year))))
        .group_by((cells::period, cells::value))
        .select((cells::period, cells::value, sums!()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(month, value, sums)| (month, value, figures(sums))).collect())
}

/// The months of a year of some places, as reported: month, place, sum.
pub fn months_of_places(
    conn: &mut DbConn,
    flow: Flow,
    places: &[&str],
    year: i32,
) -> Result<Vec<(String, String, Figures)>> {
    let rows: Vec<(String, String, Added)> = cells::table
        .filter(cells::flow.eq(flow).and(cells::dimension.eq(By::Month)))
        .filter(cells::place.eq_any(places))
        .filter(cells::layer.eq_any(Basis::Reported.layers()))
        .filter(cells::period.eq_any(months(Month::january(year), Month::december(year))))
        .group_by((cells::period, cells::place))
        .select((cells::period, cells::place, sums!()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(month, place, sums)| (month, place, figures(sums))).collect())
}

/// A year by places and the values of a dimension, as reported.
pub fn sums_of_year(
    conn: &mut DbConn,
    flow: Flow,
    places: &[&str],
    by: By,
    year: i32,
) -> Result<BTreeMap<(String, String), Figures>> {
    let rows: Vec<(String, String, Added)> = cells::table
        .filter(cells::period.eq(Period::Year(year).to_string()))
        .filter(cells::flow.eq(flow).and(cells::dimension.eq(by)))
        .filter(cells::place.eq_any(places))
        .filter(cells::layer.eq_any(Basis::Reported.layers()))
        .group_by((cells::place, cells::value))
        .select((cells::place, cells::value, sums!()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(place, value, sums)| ((place, value), figures(sums))).collect())
}

/// What went from which region to which in a month or a year.
pub fn matrix(
    conn: &mut DbConn,
    basis: Basis,
    level: Level,
    period: Period,
) -> Result<BTreeMap<(String, String), Figures>> {
    let rows: Vec<(String, String, Added)> = pairs::table
        .filter(pairs::level.eq(level).and(pairs::layer.eq_any(basis.layers())))
        .filter(pairs::period.eq(period.to_string()))
        .group_by((pairs::seller, pairs::buyer))
        .select((pairs::seller, pairs::buyer, sums!()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(seller, buyer, sums)| ((seller, buyer), figures(sums))).collect())
}

/// How often the figures of a year have been moved.
pub fn changes(conn: &mut DbConn, year: i32) -> Result<i64> {
    let row = years::table.find(i64::from(year)).select(years::changes);
    Ok(row.first(conn).optional()?.unwrap_or(0))
}

/// The years that have figures.
pub fn years_counted(conn: &mut DbConn) -> Result<BTreeSet<i32>> {
    let all: Vec<i64> = years::table.select(years::year).load(conn)?;
    Ok(all.into_iter().filter_map(|year| i32::try_from(year).ok()).collect())
}

/// How many events of the journal the figures have taken in.
pub fn position(conn: &mut DbConn) -> Result<i64> {
    journal::cursor(conn, crate::insight::rollups::NAME)
}

#[derive(Insertable)]
#[diesel(table_name = cells, treat_none_as_default_value = false)]
struct CellRow {
    layer: Layer,
    flow: Flow,
    place: String,
    dimension: By,
    period: String,
    value: String,
    contracts: i64,
    total_fen: i64,
    tech_fen: i64,
    largest_fen: i64,
}

#[derive(Insertable)]
#[diesel(table_name = days, treat_none_as_default_value = false)]
struct DayRow {
    layer: Layer,
    flow: Flow,
    place: String,
    day: Day,
    contracts: i64,
    total_fen: i64,
    tech_fen: i64,
    largest_fen: i64,
}

#[derive(Insertable)]
#[diesel(table_name = pairs, treat_none_as_default_value = false)]
struct PairRow {
    layer: Layer,
    level: Level,
    period: String,
    seller: String,
    buyer: String,
    contracts: i64,
    total_fen: i64,
    tech_fen: i64,
    largest_fen: i64,
}

/// Adds rows to those with the same key: sums add up, the largest stays.
macro_rules! add_up {
    ($tx:expr, $table:ident, $name:literal, $rows:expr, $key:expr) => {
        for some in $rows.chunks(CHUNK) {
            each_db!(&mut **$tx, c => diesel::insert_into($table::table)
                .values(some)
                .on_conflict($key)
                .do_update()
                .set((
                    $table::contracts.eq($table::contracts + diesel::upsert::excluded($table::contracts)),
                    $table::total_fen.eq($table::total_fen + diesel::upsert::excluded($table::total_fen)),
                    $table::tech_fen.eq($table::tech_fen + diesel::upsert::excluded($table::tech_fen)),
                    $table::largest_fen.eq(sql::<BigInt>(concat!(
                        "CASE WHEN excluded.largest_fen > ", $name, ".largest_fen ",
                        "THEN excluded.largest_fen ELSE ", $name, ".largest_fen END"
                    ))),
                ))
                .execute(c))?;
        }
    };
}

/// Adds sums of `tally` to the roll-ups.
pub fn put(tx: &mut Tx<'_>, tally: &Tally, sums: &Sums) -> Result<()> {
    // in the order of the key: neighbours lie on the same page
    let mut rows: Vec<CellRow> = sums
        .cells
        .iter()
        .map(|(key, sum)| {
            let k = tally.cell(key);
            CellRow {
                layer: k.layer,
                flow: k.flow,
                place: k.place,
                dimension: k.by,
                period: k.period.to_string(),
                value: k.value,
                contracts: sum.contracts,
                total_fen: sum.total_fen,
                tech_fen: sum.tech_fen,
                largest_fen: sum.largest_fen,
            }
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        let key = |r: &CellRow| (r.flow.slug(), r.dimension.slug(), r.layer.slug());
        let ((flow_a, by_a, layer_a), (flow_b, by_b, layer_b)) = (key(a), key(b));
        (&a.period, flow_a, &a.place, by_a, layer_a, &a.value)
            .cmp(&(&b.period, flow_b, &b.place, by_b, layer_b, &b.value))
    });
    let key =
        (cells::period, cells::flow, cells::place, cells::dimension, cells::layer, cells::value);
    add_up!(tx, cells, "figure_cells", rows, key);
    let mut rows: Vec<DayRow> = sums
        .days
        .iter()
        .map(|(key, sum)| {
            let k = tally.day(key);
            DayRow {
                layer: k.layer,
                flow: k.flow,
                place: k.place,
                day: k.day,
                contracts: sum.contracts,
                total_fen: sum.total_fen,
                tech_fen: sum.tech_fen,
                largest_fen: sum.largest_fen,
            }
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        (a.day, a.flow.slug(), &a.place).cmp(&(b.day, b.flow.slug(), &b.place))
    });
    add_up!(tx, days, "figure_days", rows, (days::day, days::flow, days::place, days::layer));
    let mut rows: Vec<PairRow> = sums
        .pairs
        .iter()
        .map(|(key, sum)| {
            let k = tally.pair(key);
            PairRow {
                layer: k.layer,
                level: k.level,
                period: k.period.to_string(),
                seller: k.seller,
                buyer: k.buyer,
                contracts: sum.contracts,
                total_fen: sum.total_fen,
                tech_fen: sum.tech_fen,
                largest_fen: sum.largest_fen,
            }
        })
        .collect();
    rows.sort_unstable_by(|a, b| {
        (a.level.slug(), &a.period, a.layer.slug(), &a.seller, &a.buyer).cmp(&(
            b.level.slug(),
            &b.period,
            b.layer.slug(),
            &b.seller,
            &b.buyer,
        ))
    });
    let key = (pairs::level, pairs::period, pairs::layer, pairs::seller, pairs::buyer);
    add_up!(tx, pairs, "figure_pairs", rows, key);
    Ok(())
}

/// Notes that the figures of these years have been moved.
pub fn touch(tx: &mut Tx<'_>, moved: &BTreeSet<i32>) -> Result<()> {
    for year in moved {
        let row = (years::year.eq(i64::from(*year)), years::changes.eq(1));
        each_db!(&mut **tx, c => diesel::insert_into(years::table)
            .values(row)
            .on_conflict(years::year)
            .do_update()
            .set(years::changes.eq(years::changes + 1))
            .execute(c))?;
    }
    Ok(())
}

type CellColumns = (Layer, Flow, String, By, String);
type Row<K> = (K, (i64, i64, i64, i64));

fn standing((contracts, total_fen, tech_fen, largest_fen): (i64, i64, i64, i64)) -> Figures {
    Figures { contracts, total_fen, tech_fen, largest_fen }
}

/// Every cell of a period, as it stands.
pub fn cells_of(conn: &mut DbConn, period: Period) -> Result<Vec<(Cell, Figures)>> {
    let rows: Vec<Row<CellColumns>> = cells::table
        .filter(cells::period.eq(period.to_string()))
        .select((
            (cells::layer, cells::flow, cells::place, cells::dimension, cells::value),
            (cells::contracts, cells::total_fen, cells::tech_fen, cells::largest_fen),
        ))
        .load(conn)?;
    let cell = |(layer, flow, place, by, value)| Cell { layer, flow, place, by, period, value };
    Ok(rows.into_iter().map(|(key, sums)| (cell(key), standing(sums))).collect())
}

/// The days of a month, as they stand.
pub fn days_of(conn: &mut DbConn, month: Month) -> Result<Vec<(DayCell, Figures)>> {
    let rows: Vec<Row<(Layer, Flow, String, Day)>> = days::table
        .filter(days::day.nullable().ge(month.first_day()))
        .filter(days::day.nullable().le(month.last_day()))
        .select((
            (days::layer, days::flow, days::place, days::day),
            (days::contracts, days::total_fen, days::tech_fen, days::largest_fen),
        ))
        .load(conn)?;
    let cell = |(layer, flow, place, day)| DayCell { layer, flow, place, day };
    Ok(rows.into_iter().map(|(key, sums)| (cell(key), standing(sums))).collect())
}

/// Every pair of a period, as it stands.
pub fn pairs_of(conn: &mut DbConn, period: Period) -> Result<Vec<(Pair, Figures)>> {
    let rows: Vec<Row<(Layer, Level, String, String)>> = pairs::table
        .filter(pairs::level.eq_any(Level::ALL).and(pairs::period.eq(period.to_string())))
        .select((
            (pairs::layer, pairs::level, pairs::seller, pairs::buyer),
            (pairs::contracts, pairs::total_fen, pairs::tech_fen, pairs::largest_fen),
        ))
        .load(conn)?;
    let pair = |(layer, level, seller, buyer)| Pair { layer, level, period, seller, buyer };
    Ok(rows.into_iter().map(|(key, sums)| (pair(key), standing(sums))).collect())
}

/// Forgets everything that was counted.
pub fn clear(tx: &mut Tx<'_>) -> Result<()> {
    diesel::delete(cells::table).execute(&mut **tx)?;
    diesel::delete(days::table).execute(&mut **tx)?;
    diesel::delete(pairs::table).execute(&mut **tx)?;
    diesel::delete(crate::schema::figure_entries::table).execute(&mut **tx)?;
    let all = years_counted(tx)?;
    touch(tx, &all)
}
