//! Turnover of registered contracts by the rows of one dimension.
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::grids::{Grid, Grids, Year, pieces};
use crate::{
    contracts::model::{Category, Objective, PartyType, PlanSource, Subcategory},
    insight::{
        decimal::Decimal,
        model::{
            Asked, Basis, By, Conversion, ConversionAsked, Figures, Flow, Growth, Month, Row,
            Turnover,
        },
        places::{self, COUNTRY},
        rules,
        store::{self, Of},
    },
    kernel::{Actor, Code, Day, DbConn, Error, Moment, Region, Result, idempotency::hex},
    markets::model::{Field, IpKind},
};

/// The place that a question is about, if statistics are kept for it.
pub fn place_of(region: Option<&Region>) -> Result<&str> {
    let place = region.map_or(COUNTRY, Region::as_str);
    if places::is_kept(place) {
        return Ok(place);
    }
    Err(Error::invalid(
        "region",
        "region_not_kept",
        "辽宁省以外只统计到省级；请改用省级代码，如 110000。",
    ))
}

/// SHA-256 over the JSON of a question and its answer, by which anybody can check that it is the same.
pub fn digest(of: &impl Serialize) -> Result<String> {
    Ok(hex(&Sha256::digest(serde_json::to_vec(of)?)))
}

/// What a caller may see: everything, or what the public may. One for each answer: what it has looked
/// up for a row it knows for the next.
pub struct Eye<'a> {
    grids: &'a Grids,
    insider: bool,
    today: Day,
    years: RefCell<HashMap<i32, Year>>,
    looked_up: RefCell<HashMap<Table, Arc<Grid>>>,
    reported: RefCell<HashMap<(Table, Month, Month), Rc<Reported>>>,
}

/// Flow, place, dimension and, for a grid, the year.
type Table = (Flow, String, By, i32);

/// A table as it was reported: rows and total.
type Reported = (BTreeMap<String, Figures>, Figures);

impl<'a> Eye<'a> {
    pub fn of(
        grids: &'a Grids,
        actor: Option<&Actor>,
        region: Option<&Region>,
        today: Day,
    ) -> Self {
        let insider = rules::sees_all(actor, region);
        let (years, looked_up, reported) = Default::default();
        Self { grids, insider, today, years, looked_up, reported }
    }
    pub fn is_insider(&self) -> bool {
        self.insider
    }

    /// Whether a row (the total for `None`) that comes to `sum` may be shown from one month to another.
    /// What was corrected since it was reported tells the public about single contracts: such a row is
    /// not shown restated.
    pub fn sees(
        &self,
        conn: &mut DbConn,
        (of, by): (Of<'_>, By),
        (value, sum): (Option<&str>, Figures),
        (from, to): (Month, Month),
    ) -> Result<bool> {
        if self.insider {
            return Ok(true);
        }
        for (year, depth) in pieces(from, to, self.today) {
            let grid = self.grid(conn, (of.flow, of.place.to_owned(), by, year))?;
            if value.map_or(grid.all, |value| grid.row(value)) < depth {
                return Ok(false);
            }
        }
        if of.basis == Basis::Reported {
            return Ok(true);
        }
        let before = if by == By::Month && from == to {
            // the rows of a table by month: one look for all of a year
            let year = (Month::january(from.year()), Month::december(from.year()));
            let reported = self.reported(conn, of, by, year)?;
            reported.0.get(&from.to_string()).copied().unwrap_or_default()
        } else {
            let reported = self.reported(conn, of, by, (from, to))?;
            value.map_or(reported.1, |v| reported.0.get(v).copied().unwrap_or_default())
        };
        Ok(before == sum)
    }

    fn grid(&self, conn: &mut DbConn, table: Table) -> Result<Arc<Grid>> {
        if let Some(grid) = self.looked_up.borrow().get(&table) {
            return Ok(grid.clone());
        }
        let (flow, place, by, year) = &table;
        let known = self.years.borrow().get(year).copied();
        let year = match known {
            Some(year) => year,
            None => Year::now(conn, *year)?,
        };
        self.years.borrow_mut().insert(table.3, year);
        let grid = self.grids.grid(conn, *flow, place, *by, year)?;
        self.looked_up.borrow_mut().insert(table, grid.clone());
        Ok(grid)
    }

    fn reported(
        &self,
        conn: &mut DbConn,
        of: Of<'_>,
        by: By,
        (from, to): (Month, Month),
    ) -> Result<Rc<Reported>> {
        let key = ((of.flow, of.place.to_owned(), by, 0), from, to);
        if let Some(reported) = self.reported.borrow().get(&key) {
            return Ok(reported.clone());
        }
        let of = Of { basis: Basis::Reported, ..of };
        let rows = store::grouped(conn, of, by, from, to)?;
        let total = total_of(&rows)?;
        let reported = Rc::new((rows.into_iter().collect(), total));
        self.reported.borrow_mut().insert(key, reported.clone());
        Ok(reported)
    }
}

/// Turnover of registered contracts, with what this caller may not see left out.
pub fn turnover(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    asked: Asked,
    now: Moment,
) -> Result<Turnover> {
    let place = place_of(asked.region.as_ref())?.to_owned();
    let of = Of { basis: asked.basis, flow: asked.flow, place: &place };
    let eye = Eye::of(grids, actor, asked.region.as_ref(), now.day());
    // before the figures: what they hold more than this position says is no harm
    let position = store::position(conn)?;
    let span = (asked.from, asked.to);
    let sums = store::grouped(conn, of, asked.by, asked.from, asked.to)?;
    let growth =
        if asked.compared { Some(Comparison::of(conn, &eye, of, &asked, &sums)?) } else { None };
    let total = total_of(&sums)?;
    let mut rows = Vec::new();
    for (key, sum) in sums {
        let (value, span) = match Month::parse(&key).filter(|_| asked.by == By::Month) {
            Some(month) => (None, (month, month)),
            None => (Some(key.as_str()), span),
        };
        let seen = eye.sees(conn, (of, asked.by), (value, sum), span)?;
        let compared = match &growth {
            Some(growth) if seen => growth.of_row(conn, &eye, (of, asked.by), &key)?,
            _ => None,
        };
        rows.push(row(label(asked.by, &key), key, sum, seen, compared));
    }
    // an empty table hides nobody
    let seen = rows.is_empty() || eye.sees(conn, (of, By::Month), (None, total), span)?;
    let compared = match &growth {
        Some(growth) if seen => growth.of_total(conn, &eye, of)?,
        _ => None,
    };
    let total = row(Some("合计".into()), "total".into(), total, seen, compared);
    let digest = digest(&(&asked, &rows, &total))?;
    Ok(Turnover { query: asked, rows, total, as_of: now, position, digest })
}

/// What the rows of a table come to: whatever it is by, a contract stands in one row.
fn total_of(rows: &[(String, Figures)]) -> Result<Figures> {
    rows.iter().try_fold(Figures::default(), |all, (_, sum)| all.plus(*sum))
}

fn row(
    label: Option<String>,
    key: String,
    f: Figures,
    seen: bool,
    compared: Option<Growth>,
) -> Row {
    let shown = |figure: i64| seen.then_some(figure);
    Row {
        key,
        label,
        contracts: shown(f.contracts),
        total_fen: shown(f.total_fen),
        tech_fen: shown(f.tech_fen),
        suppressed: !seen,
        compared,
    }
}

fn label(by: By, key: &str) -> Option<String> {
    let zh = match by {
        By::Field => Field::from_slug(key)?.zh(),
        By::Region => return places::name(key),
        By::Category => Category::from_slug(key)?.zh(),
        By::Subcategory => Subcategory::from_slug(key)?.zh(),
        By::SellerType | By::BuyerType => PartyType::from_slug(key)?.zh(),
        By::IpKind => IpKind::from_slug(key)?.zh(),
        By::PlanSource => PlanSource::from_slug(key)?.zh(),
        By::Objective => Objective::from_slug(key)?.zh(),
        By::Industry | By::Month => return None,
    };
    Some(zh.to_owned())
}

/// The same months of the year before, up to the same day.
struct Comparison {
    by: By,
    from: Month,
    until: Day,
    now: BTreeMap<String, Figures>,
    before: BTreeMap<String, Figures>,
}

impl Comparison {
    /// Up to today where the caller may see days and the rows have them, otherwise to the end of the last
    /// month that is over. `sums` are those of all months asked for.
    fn of(
        conn: &mut DbConn,
        eye: &Eye<'_>,
        of: Of<'_>,
        asked: &Asked,
        sums: &[(String, Figures)],
    ) -> Result<Self> {
        let ends = asked.to.last_day().unwrap_or(eye.today);
        let until = if ends <= eye.today {
            ends
        } else if eye.insider && has_days(asked.by, of.flow) {
            eye.today
        } else {
            month_end_before(eye.today)
        };
        let now = if until == ends {
            sums.iter().cloned().collect()
        } else {
            sums_until(conn, of, asked.by, asked.from, until)?
        };
        let before =
            sums_until(conn, of, asked.by, asked.from.last_year(), same_day_last_year(until))?;
        Ok(Self { by: asked.by, from: asked.from, until, now, before })
    }

    fn of_row(
        &self,
        conn: &mut DbConn,
        eye: &Eye<'_>,
        (of, by): (Of<'_>, By),
        key: &str,
    ) -> Result<Option<Growth>> {
        let month = Month::parse(key).filter(|_| by == By::Month);
        let to = Month::of(self.until);
        let (value, key_before, from, to) = match month {
            Some(month) if month > to => return Ok(None),
            Some(month) => (None, month.last_year().to_string(), month, month),
            None => (Some(key), key.to_owned(), self.from, to),
        };
        let now = self.now.get(key).copied().unwrap_or_default();
        let before = self.before.get(&key_before).copied().unwrap_or_default();
        self.seen(conn, eye, (of, by), value, (from, to), (now, before))
    }

    fn of_total(&self, conn: &mut DbConn, eye: &Eye<'_>, of: Of<'_>) -> Result<Option<Growth>> {
        let first = |from: Month| from.first_day().unwrap_or(self.until);
        let (from, before) = (self.from, self.from.last_year());
        let now = store::until(conn, of, first(from), self.until)?;
        let before = store::until(conn, of, first(before), same_day_last_year(self.until))?;
        let to = Month::of(self.until);
        self.seen(conn, eye, (of, By::Month), None, (from, to), (now, before))
    }

    fn seen(
        &self,
        conn: &mut DbConn,
        eye: &Eye<'_>,
        what: (Of<'_>, By),
        value: Option<&str>,
        (from, to): (Month, Month),
        (now, before): (Figures, Figures),
    ) -> Result<Option<Growth>> {
        let spans = [((from, to), now), ((from.last_year(), to.last_year()), before)];
        for (span, sum) in spans {
            if span.0 > span.1 || !eye.sees(conn, what, (value, sum), span)? {
                return Ok(None);
            }
        }
        let until = self.until;
        let more = now.total_fen.saturating_sub(before.total_fen);
        Ok(Some(Growth {
            until: if self.by == By::Month {
                to.last_day().unwrap_or(until).min(until)
            } else {
                until
            },
            previous_contracts: before.contracts,
            previous_fen: before.total_fen,
            current_fen: now.total_fen,
            growth: Decimal::ratio(more, before.total_fen),
        }))
    }
}

/// Whether rows are kept by day: those that are places, and the total.
fn has_days(by: By, flow: Flow) -> bool {
    by == By::Month || (by == By::Region && flow != Flow::Local)
}

fn month_end_before(day: Day) -> Day {
    Month::of(day).first_day().and_then(|d| d.pred_opt()).unwrap_or(day)
}

/// The last of February has the last of February before it.
pub fn same_day_last_year(day: Day) -> Day {
    let month_end = day.succ_opt().is_some_and(|next| Month::of(next) != Month::of(day));
    let before = Month::of(day).last_year();
    let same = chrono::Datelike::with_year(&day, before.year());
    if month_end { before.last_day().or(same) } else { same }.unwrap_or(day)
}

/// The rows of a table from a month to a day.
pub fn sums_until(
    conn: &mut DbConn,
    of: Of<'_>,
    by: By,
    from: Month,
    until: Day,
) -> Result<BTreeMap<String, Figures>> {
    let last = Month::of(until);
    if last < from {
        return Ok(BTreeMap::new());
    }
    let mut sums: BTreeMap<String, Figures> =
        store::grouped(conn, of, by, from, last)?.into_iter().collect();
    if last.last_day() == Some(until) {
        return Ok(sums);
    }
    // what came after the day is taken off again
    let after = until.succ_opt().unwrap_or(until);
    let end = last.last_day().unwrap_or(until);
    let late =
        |conn: &mut DbConn, place: &str| store::in_days(conn, Of { place, ..of }, after, end);
    if by == By::Month {
        let off = late(conn, of.place)?;
        if let Some(sum) = sums.get_mut(&last.to_string()) {
            *sum = without(*sum, off);
        }
        return Ok(sums);
    }
    let mut rest = late(conn, of.place)?;
    for (key, sum) in sums.iter_mut().filter(|(key, _)| places::is_kept(key) && *key != of.place) {
        let off = late(conn, key)?;
        *sum = without(*sum, off);
        rest = without(rest, off);
    }
    if let Some(own) = sums.get_mut(of.place) {
        *own = without(*own, rest);
    }
    Ok(sums)
}

fn without(sum: Figures, off: Figures) -> Figures {
    Figures {
        contracts: sum.contracts - off.contracts,
        total_fen: sum.total_fen - off.total_fen,
        tech_fen: sum.tech_fen - off.tech_fen,
        largest_fen: sum.largest_fen,
    }
}

/// What of the turnover stayed in a region, beside what left it and what came in.
pub fn conversion(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    asked: ConversionAsked,
    now: Moment,
) -> Result<Conversion> {
    let place = place_of(asked.region.as_ref())?.to_owned();
    let eye = Eye::of(grids, actor, asked.region.as_ref(), now.day());
    let span = (asked.from, asked.to);
    let position = store::position(conn)?;
    let mut sum = |flow| -> Result<Option<Figures>> {
        let of = Of { basis: asked.basis, flow, place: &place };
        let total = store::total(conn, of, asked.from, asked.to)?;
        let seen = eye.sees(conn, (of, By::Month), (None, total), span)?;
        Ok(seen.then_some(total))
    };
    let (output, absorbed, local) = (sum(Flow::Output)?, sum(Flow::Absorbed)?, sum(Flow::Local)?);
    let rate = |whole: Option<Figures>| {
        local.zip(whole).and_then(|(local, whole)| Decimal::ratio(local.total_fen, whole.total_fen))
    };
    let fen = |sum: Option<Figures>| sum.map(|f| f.total_fen);
    let name = places::name(&place).unwrap_or(place);
    let mut told = Conversion {
        local_fen: fen(local),
        output_fen: fen(output),
        absorbed_fen: fen(absorbed),
        rate_of_output: rate(output),
        rate_of_absorbed: rate(absorbed),
        basis: format!(
            "本地转化额：卖方与买方均在{name}的已登记技术合同成交额（{} 至 {}，{}）。rate_of_output 的分母为{name}\
             技术输出额（卖方在{name}），rate_of_absorbed 的分母为{name}技术吸纳额（买方在{name}）；两者不可混用，\
             也不同于按高校院所成果项数计算的本地转化率。",
            asked.from,
            asked.to,
            asked.basis.zh()
        ),
        query: asked,
        as_of: now,
        position,
        digest: String::new(),
    };
    told.digest = digest(&(
        &told.query,
        (told.local_fen, told.output_fen, told.absorbed_fen),
        (&told.rate_of_output, &told.rate_of_absorbed),
    ))?;
    Ok(told)
}
