//! Who sells to whom: the matrix of regions.
use std::{collections::BTreeMap, sync::Arc};

use super::{
    grids::{Grids, Pairs, Year, pieces},
    turnover::{Eye, digest},
};
use crate::{
    insight::{
        model::{Basis, By, Figures, Flow, FlowCell, FlowMargin, Flows, FlowsAsked, Level},
        places::{self, COUNTRY},
        secrecy::Depth,
        store::{self, Of},
    },
    kernel::{Actor, Day, DbConn, Moment, Result},
    markets::regions::LIAONING,
};

/// The matrix of sellers' and buyers' regions, with what this caller may not see left out. The public sees
/// cells of whole years only, and of provinces what the cities make up.
pub fn flows(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    asked: FlowsAsked,
    now: Moment,
) -> Result<Flows> {
    let home = LIAONING.clone();
    let eye = Eye::of(grids, actor, Some(&home), now.day());
    let position = store::position(conn)?;
    let months = (asked.from, asked.to);
    let matrix = grids.matrix_of(conn, asked.basis, asked.level, months)?;
    let shown = Shown::of(conn, grids, &eye, &asked, now.day())?;
    // what was corrected since it was reported tells the public about single contracts
    let reported = match asked.basis {
        Basis::Restated if !eye.is_insider() => {
            Some(grids.matrix_of(conn, Basis::Reported, asked.level, months)?)
        }
        _ => None,
    };
    let mut cells = Vec::new();
    for ((seller, buyer), sum) in &matrix {
        let seen = eye.is_insider()
            || (reported.as_ref().is_none_or(|r| {
                r.get(&(seller.clone(), buyer.clone())).copied().unwrap_or_default() == *sum
            }) && shown.holds(seller, buyer));
        cells.push(cell(seller, buyer, *sum, seen));
    }
    let (mut sold, mut bought) = (BTreeMap::new(), BTreeMap::new());
    for ((seller, buyer), sum) in &matrix {
        add(&mut sold, seller, *sum)?;
        add(&mut bought, buyer, *sum)?;
    }
    let mut margins = |flow: Flow, sums: BTreeMap<&String, Figures>| -> Result<Vec<FlowMargin>> {
        let mut all = Vec::new();
        for (region, sum) in sums {
            let upper = upper_of(region, asked.level);
            let of = Of { basis: asked.basis, flow, place: upper };
            let span = (asked.from, asked.to);
            let seen = eye.sees(conn, (of, By::Region), (Some(region), sum), span)?;
            all.push(FlowMargin {
                region_code: region.clone(),
                name: places::name(region),
                contracts: seen.then_some(sum.contracts),
                total_fen: seen.then_some(sum.total_fen),
                suppressed: !seen,
            });
        }
        Ok(all)
    };
    let sellers = margins(Flow::Output, sold)?;
    let buyers = margins(Flow::Absorbed, bought)?;
    let digest = digest(&(&asked, &cells, &sellers, &buyers))?;
    Ok(Flows { query: asked, cells, sellers, buyers, as_of: now, position, digest })
}

fn add<'r>(
    sums: &mut BTreeMap<&'r String, Figures>,
    region: &'r String,
    sum: Figures,
) -> Result<()> {
    let all = sums.entry(region).or_default();
    *all = all.plus(sum)?;
    Ok(())
}

/// The place of whose table by region a row of the matrix is a row.
fn upper_of(region: &str, level: Level) -> &'static str {
    if level == Level::City && region == LIAONING.as_str() {
        return LIAONING.as_str();
    }
    places::parent(region).unwrap_or(COUNTRY)
}

/// What the public may see of the cells: of whole years, and each of them.
struct Shown {
    level: Level,
    /// None where a part of a year is asked for.
    years: Option<Vec<Arc<Pairs>>>,
    /// Whether what stayed in the province is shown.
    home: bool,
}

impl Shown {
    fn of(
        conn: &mut DbConn,
        grids: &Grids,
        eye: &Eye<'_>,
        asked: &FlowsAsked,
        today: Day,
    ) -> Result<Self> {
        let span = pieces(asked.from, asked.to, today);
        let mut shown = Self { level: asked.level, years: None, home: true };
        if eye.is_insider() || span.iter().any(|(_, depth)| *depth != Depth::Year) {
            return Ok(shown);
        }
        let mut years = Vec::new();
        for (year, _) in &span {
            let year = Year::now(conn, *year)?;
            years.push(grids.pairs(conn, year)?);
            let local = grids.grid(conn, Flow::Local, LIAONING.as_str(), By::Month, year)?;
            shown.home = shown.home && local.all >= Depth::Year;
        }
        shown.years = Some(years);
        Ok(shown)
    }

    fn holds(&self, seller: &str, buyer: &str) -> bool {
        let Some(years) = &self.years else { return false };
        let home = LIAONING.as_str();
        match self.level {
            Level::City => !years.iter().any(|pairs| pairs.hides(seller, buyer)),
            Level::Province if (seller, buyer) == (home, home) => self.home,
            Level::Province => !years.iter().any(|pairs| pairs.hides_between(seller, buyer)),
        }
    }
}

fn cell(seller: &str, buyer: &str, sum: Figures, seen: bool) -> FlowCell {
    let shown = |figure: i64| seen.then_some(figure);
    FlowCell {
        seller: seller.to_owned(),
        buyer: buyer.to_owned(),
        contracts: shown(sum.contracts),
        total_fen: shown(sum.total_fen),
        tech_fen: shown(sum.tech_fen),
        suppressed: !seen,
    }
}
