//! What the public may see of each table of a year: decided by [`secrecy`], kept until a figure of the
//! year moves.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    contracts::model::Subcategory,
    insight::{
        model::{Basis, By, Figures, Flow, Level, Month},
        places::{self, COUNTRY},
        secrecy::{self, Block, Column, Depth, Matrix},
        store,
        tally::{Names, Period},
    },
    kernel::{Code, Day, Db, DbConn, Result},
    markets::regions::{self, LIAONING},
};

/// How many decisions are kept at the most: some tens of megabytes.
const MOST: usize = 20_000;
/// How many matrices, of a tenth of a megabyte each.
const MOST_MATRICES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    flow: Flow,
    place: String,
    by: By,
    year: i32,
}

/// Down to where each row of a table is shown to the public in a year.
#[derive(Debug, Default)]
pub struct Grid {
    pub all: Depth,
    pub rows: BTreeMap<String, Depth>,
}

impl Default for Depth {
    /// Of what has no figures there is nothing to hide.
    fn default() -> Self {
        Self::Month
    }
}

impl Grid {
    /// A row without figures is shown: it is nil.
    pub fn row(&self, value: &str) -> Depth {
        self.rows.get(value).copied().unwrap_or_default()
    }
}

/// What of a matrix is hidden in a year: of sellers' cities by buyers', or of cities by the values of a
/// dimension. It is hidden where one of `rows` meets one of `columns`.
#[derive(Debug, Default)]
pub struct Pairs {
    rows: BTreeSet<String>,
    columns: BTreeSet<String>,
    /// The places that hold a hidden row, and those that hold a hidden column.
    row_places: BTreeSet<&'static str>,
    column_places: BTreeSet<&'static str>,
}

impl Pairs {
    fn of(rows: &[String], columns: &[String], hidden: &Block) -> Self {
        let named = |all: &[String], at: &[usize]| -> BTreeSet<String> {
            at.iter().filter_map(|n| all.get(*n)).cloned().collect()
        };
        let holding = |names: &BTreeSet<String>| {
            names.iter().flat_map(|name| places::chain(name)).collect::<BTreeSet<_>>()
        };
        let (rows, columns) = (named(rows, &hidden.rows), named(columns, &hidden.columns));
        let (row_places, column_places) = (holding(&rows), holding(&columns));
        Self { rows, columns, row_places, column_places }
    }
    pub fn hides(&self, row: &str, column: &str) -> bool {
        self.rows.contains(row) && self.columns.contains(column)
    }
    /// Whether any cell of a row is hidden.
    fn hides_in(&self, row: &str) -> bool {
        self.rows.contains(row) && !self.columns.is_empty()
    }
    /// Whether a cell is hidden of sellers in one place and buyers in another.
    pub fn hides_between(&self, seller: &str, buyer: &str) -> bool {
        (self.row_places.contains(seller) || self.rows.contains(seller))
            && (self.column_places.contains(buyer) || self.columns.contains(buyer))
    }
}

/// A year as it stands: how often its figures have been moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Year {
    year: i32,
    changes: i64,
}

impl Year {
    pub fn now(conn: &mut DbConn, year: i32) -> Result<Self> {
        Ok(Self { year, changes: store::changes(conn, year)? })
    }
}

/// Which matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    SellersByBuyers,
    CitiesBy(Flow, By),
}

/// What was worked out last, up to a number: what has not been asked for since half of it was
/// replaced is forgotten. Each is kept with the number of changes that its year had seen.
struct Recent<K, V> {
    most: usize,
    young: HashMap<K, Kept<V>>,
    old: HashMap<K, Kept<V>>,
}

/// A decision, and the number of changes it was made after.
type Kept<T> = (i64, Arc<T>);

impl<K: Hash + Eq + Clone, V> Recent<K, V> {
    fn new(most: usize) -> Mutex<Self> {
        Mutex::new(Self { most, young: HashMap::new(), old: HashMap::new() })
    }
    fn get(of: &Mutex<Self>, key: &K, year: Year) -> Option<Arc<V>> {
        let mut all = of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = all.old.remove(key) {
            all.young.entry(key.clone()).or_insert(old);
        }
        let (at, kept) = all.young.get(key)?;
        (*at == year.changes).then(|| kept.clone())
    }
    fn keep(of: &Mutex<Self>, key: K, year: Year, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut all = of.lock().unwrap_or_else(PoisonError::into_inner);
        if all.young.len() >= all.most / 2 {
            all.old = std::mem::take(&mut all.young);
        }
        all.young.insert(key, (year.changes, value.clone()));
        value
    }
}

/// What went from which region to which in a month or a year, regions as numbers of [`Grids`].
type Sold = Vec<(u32, u32, Figures)>;

/// The decisions of this node, and the matrices that it has read.
pub struct Grids {
    grids: Mutex<Recent<Key, Grid>>,
    pairs: Mutex<Recent<(Which, i32), Pairs>>,
    sold: Mutex<Recent<(Basis, Level, Period), Sold>>,
    names: Mutex<Names>,
}

impl Default for Grids {
    fn default() -> Self {
        Self {
            grids: Recent::new(MOST),
            pairs: Recent::new(MOST),
            sold: Recent::new(MOST_MATRICES),
            names: Mutex::default(),
        }
    }
}

/// What is shown of a span of time: the years it touches, and how finely it cuts each.
///
/// Months of the running year that are still to come have no figures, so a span that reaches the present
/// holds the rest of its quarter and year as well.
pub fn pieces(from: Month, to: Month, today: Day) -> Vec<(i32, Depth)> {
    let now = Month::of(today);
    (from.year()..=to.year())
        .map(|year| {
            let first = if year == from.year() { from.month0() } else { 0 };
            let to_the_end = year < to.year() || (year == now.year() && to >= now);
            let last = if to_the_end { 11 } else { to.month0() };
            let depth = match (first, last) {
                (0, 11) => Depth::Year,
                (first, last) if first % 3 == 0 && last % 3 == 2 => Depth::Quarter,
                _ => Depth::Month,
            };
            (year, depth)
        })
        .collect()
}

impl Grids {
    /// Whether the public may see the row `value` of a table (the total for `None`) over `pieces`.
    pub fn shows(
        &self,
        conn: &mut DbConn,
        (flow, place, by): (Flow, &str, By),
        value: Option<&str>,
        pieces: &[(i32, Depth)],
    ) -> Result<bool> {
        for (year, depth) in pieces {
            let year = Year::now(conn, *year)?;
            let grid = self.grid(conn, flow, place, by, year)?;
            let shown = value.map_or(grid.all, |value| grid.row(value));
            if shown < *depth {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn grid(
        &self,
        conn: &mut DbConn,
        flow: Flow,
        place: &str,
        by: By,
        year: Year,
    ) -> Result<Arc<Grid>> {
        let key = Key { flow, place: place.to_owned(), by, year: year.year };
        if let Some(grid) = Recent::get(&self.grids, &key, year) {
            return Ok(grid);
        }
        let grid = self.decide(conn, flow, place, by, year)?;
        Ok(Recent::keep(&self.grids, key, year, grid))
    }

    /// Works out what the public will ask for: the tables of the country, the province, its cities and zones.
    /// Each is read for itself, so that nothing waits for all of them; answers at once when told to stop.
    pub fn warm(&self, db: &Db, stop: &AtomicBool) -> Result<()> {
        let home = LIAONING.as_str();
        let cities =
            regions::all().map(|r| r.code).filter(|code| places::parent(code) == Some(home));
        let all: Vec<&str> = [COUNTRY, home].into_iter().chain(cities).collect();
        for year in db.read_now(store::years_counted)?.into_iter().rev() {
            for (flow, place) in Flow::ALL.iter().flat_map(|f| all.iter().map(move |p| (*f, *p))) {
                if stop.load(Ordering::Acquire) {
                    return Ok(());
                }
                db.read_snapshot_now(|conn| {
                    let year = Year::now(conn, year)?;
                    By::ALL
                        .iter()
                        .try_for_each(|by| self.grid(conn, flow, place, *by, year).map(|_| ()))
                })?;
            }
            for (basis, level) in
                Basis::ALL.iter().flat_map(|b| Level::ALL.iter().map(move |l| (*b, *l)))
            {
                db.read_snapshot_now(|conn| {
                    let standing = Year::now(conn, year)?;
                    self.sold(conn, basis, level, Period::Year(year), standing).map(|_| ())
                })?;
            }
        }
        Ok(())
    }

    /// What went from which region to which, from one month to another.
    pub fn matrix_of(
        &self,
        conn: &mut DbConn,
        basis: Basis,
        level: Level,
        (from, to): (Month, Month),
    ) -> Result<BTreeMap<(String, String), Figures>> {
        let mut sums: HashMap<(u32, u32), Figures> = HashMap::new();
        for period in Period::of_span(from, to) {
            let year = Year::now(conn, period.year())?;
            for (seller, buyer, sum) in self.sold(conn, basis, level, period, year)?.iter() {
                let all = sums.entry((*seller, *buyer)).or_default();
                *all = all.plus(*sum)?;
            }
        }
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |(seller, buyer)| (names.name(seller).to_owned(), names.name(buyer).to_owned());
        Ok(sums.into_iter().map(|(pair, sum)| (named(pair), sum)).collect())
    }

    fn sold(
        &self,
        conn: &mut DbConn,
        basis: Basis,
        level: Level,
        period: Period,
        year: Year,
    ) -> Result<Arc<Sold>> {
        let key = (basis, level, period);
        if let Some(sold) = Recent::get(&self.sold, &key, year) {
            return Ok(sold);
        }
        let matrix = store::matrix(conn, basis, level, period)?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = matrix
            .into_iter()
            .map(|((seller, buyer), sum)| (names.number(&seller), names.number(&buyer), sum))
            .collect();
        drop(names);
        Ok(Recent::keep(&self.sold, key, year, numbered))
    }

    fn decide(
        &self,
        conn: &mut DbConn,
        flow: Flow,
        place: &str,
        by: By,
        year: Year,
    ) -> Result<Grid> {
        let all = self.depth_of(conn, flow, place, year)?;
        let mut grid = Grid { all, rows: BTreeMap::new() };
        if by == By::Month {
            return Ok(grid);
        }
        if by != By::Region && place != LIAONING.as_str() {
            grid.rows = self.rows_elsewhere(conn, flow, place, by, year)?;
            return Ok(grid);
        }
        let columns = columns(conn, flow, place, by, year.year)?;
        let mut caps = caps(conn, flow, place, by, year.year, &columns)?;
        if (flow, place, by) == (Flow::Local, LIAONING.as_str(), By::Region) {
            self.cap_by_pairs(conn, year, &columns, &mut caps)?;
        }
        // sub-categories make up their category, everything else the total
        let above = if by == By::Subcategory {
            Some(self.grid(conn, flow, place, By::Category, year)?)
        } else {
            None
        };
        let mut groups: BTreeMap<&str, Vec<(&String, &Column)>> = BTreeMap::new();
        for (value, column) in &columns {
            let category = Subcategory::from_slug(value).map(|s| s.category().slug());
            let group = if above.is_some() { category.unwrap_or_default() } else { "" };
            groups.entry(group).or_default().push((value, column));
        }
        for (group, members) in groups {
            let all = above.as_ref().map_or(all, |grid| grid.row(group));
            let bounded: Vec<(&Column, Depth)> = members
                .iter()
                .map(|(value, column)| (*column, caps.get(*value).copied().unwrap_or_default()))
                .collect();
            let depths = secrecy::depths(all, &bounded);
            grid.rows.extend(members.iter().map(|(value, _)| (*value).clone()).zip(depths));
        }
        Ok(grid)
    }

    /// What the cities of the province sold inside it is a part of their rows of the matrix: it is hidden
    /// where those are, and where it leaves too little beside what stayed in the city itself.
    fn cap_by_pairs(
        &self,
        conn: &mut DbConn,
        year: Year,
        rows: &BTreeMap<String, Column>,
        caps: &mut BTreeMap<String, Depth>,
    ) -> Result<()> {
        let pairs = self.pairs(conn, year)?;
        let regions: Vec<&str> = rows.keys().map(String::as_str).collect();
        let within = months_of(conn, Flow::Local, &regions, year.year)?;
        for (region, column) in rows {
            let left = within.get(region).map_or_else(Depth::default, |own| column.beyond(own));
            let most = if pairs.hides_in(region) { Depth::Hidden } else { left };
            let cap = caps.entry(region.clone()).or_default();
            *cap = most.min(*cap);
        }
        Ok(())
    }

    /// Down to where the total of a place is shown: as the row that it is in the table above.
    fn depth_of(&self, conn: &mut DbConn, flow: Flow, place: &str, year: Year) -> Result<Depth> {
        if flow == Flow::Local {
            // what stays in one other province could be all that neither comes from home nor goes there
            if place != COUNTRY && !places::chain(place).contains(&LIAONING.as_str()) {
                return Ok(Depth::Hidden);
            }
            let hidden = place != LIAONING.as_str() && self.pairs(conn, year)?.hides(place, place);
            if hidden {
                return Ok(Depth::Hidden);
            }
            let depths = local_depths(conn, &[place], year.year)?;
            return Ok(depths.get(place).copied().unwrap_or_default());
        }
        match places::parent(place) {
            Some(upper) => Ok(self.grid(conn, flow, upper, By::Region, year)?.row(place)),
            None => {
                let all = columns(conn, flow, COUNTRY, By::Month, year.year)?;
                Ok(all.get("").map_or_else(Depth::default, secrecy::depth_alone))
            }
        }
    }

    /// The rows of a dimension in a place other than the province. They add up to those of the province:
    /// so cities show theirs by year, where the matrix of cities by values does not hide them; the country
    /// shows what the province does when there is no other in it; and no other place shows any.
    fn rows_elsewhere(
        &self,
        conn: &mut DbConn,
        flow: Flow,
        place: &str,
        by: By,
        year: Year,
    ) -> Result<BTreeMap<String, Depth>> {
        let home = LIAONING.as_str();
        if place == COUNTRY
            && columns(conn, flow, place, by, year.year)?
                == columns(conn, flow, home, by, year.year)?
        {
            return Ok(self.grid(conn, flow, home, by, year)?.rows.clone());
        }
        let city = flow != Flow::Local && places::parent(place) == Some(home);
        let pairs =
            if city { Some(self.matrix(conn, Which::CitiesBy(flow, by), year)?) } else { None };
        let depth = |value: &str| match &pairs {
            Some(pairs) if !pairs.hides(place, value) => Depth::Year,
            _ => Depth::Hidden,
        };
        let values = store::sums_of_year(conn, flow, &[place], by, year.year)?;
        Ok(values.into_keys().map(|(_, value)| (value.clone(), depth(&value))).collect())
    }

    /// What of the matrix of sellers' cities by buyers' is hidden in a year.
    pub fn pairs(&self, conn: &mut DbConn, year: Year) -> Result<Arc<Pairs>> {
        self.matrix(conn, Which::SellersByBuyers, year)
    }

    fn matrix(&self, conn: &mut DbConn, which: Which, year: Year) -> Result<Arc<Pairs>> {
        let key = (which, year.year);
        if let Some(pairs) = Recent::get(&self.pairs, &key, year) {
            return Ok(pairs);
        }
        let pairs = match which {
            Which::SellersByBuyers => self.decide_pairs(conn, year)?,
            Which::CitiesBy(flow, by) => self.decide_cities(conn, flow, by, year)?,
        };
        Ok(Recent::keep(&self.pairs, key, year, pairs))
    }

    /// Cities and zones by the values of a dimension, in a year: the sums of both are shown, where they are,
    /// in the tables of the province.
    fn decide_cities(&self, conn: &mut DbConn, flow: Flow, by: By, year: Year) -> Result<Pairs> {
        let home = LIAONING.as_str();
        let by_region = self.grid(conn, flow, home, By::Region, year)?;
        let by_value = self.grid(conn, flow, home, by, year)?;
        let rows: Vec<String> = by_region.rows.keys().cloned().collect();
        let values: Vec<String> = by_value.rows.keys().cloned().collect();
        // what names no city is the row of the province itself: it is what the others leave
        let named: Vec<&str> = rows.iter().map(String::as_str).filter(|r| *r != home).collect();
        let sums = store::sums_of_year(conn, flow, &named, by, year.year)?;
        let at = |row: &String, value: &String| {
            sums.get(&(row.clone(), value.clone())).copied().unwrap_or_default()
        };
        let mut cells: Vec<Vec<Figures>> =
            rows.iter().map(|row| values.iter().map(|value| at(row, value)).collect()).collect();
        if let Some(own) = rows.iter().position(|r| r == home) {
            let whole = store::sums_of_year(conn, flow, &[home], by, year.year)?;
            let left = values.iter().enumerate().map(|(n, value)| {
                let all = whole.get(&(home.to_owned(), value.clone())).copied().unwrap_or_default();
                cells.iter().filter_map(|row| row.get(n)).fold(all, |left, part| left.less(*part))
            });
            let left: Vec<Figures> = left.collect();
            if let Some(row) = cells.get_mut(own) {
                *row = left;
            }
        }
        let (home_rows, home_columns) = (vec![true; rows.len()], vec![true; values.len()]);
        let matrix = Matrix { cells: &cells, home_rows: &home_rows, home_columns: &home_columns };
        let hidden = matrix.block(|row, column| {
            let shown = |names: &[String], at: usize, grid: &Grid| {
                names.get(at).is_some_and(|name| grid.row(name) >= Depth::Year)
            };
            !shown(&rows, row, &by_region) || !shown(&values, column, &by_value)
        });
        Ok(Pairs::of(&rows, &values, &hidden))
    }

    fn decide_pairs(&self, conn: &mut DbConn, year: Year) -> Result<Pairs> {
        let months = (Month::january(year.year), Month::december(year.year));
        let matrix = self.matrix_of(conn, Basis::Reported, Level::City, months)?;
        let mut sellers: Vec<String> = matrix.keys().map(|(s, _)| s.clone()).collect();
        let mut buyers: Vec<String> = matrix.keys().map(|(_, b)| b.clone()).collect();
        sellers.sort_unstable();
        sellers.dedup();
        buyers.sort_unstable();
        buyers.dedup();
        let hidden = |conn: &mut DbConn, flow, region: &String| -> Result<bool> {
            // at this level the province stands for what names no city
            let upper = if *region == LIAONING.as_str() {
                LIAONING.as_str()
            } else {
                places::parent(region).unwrap_or(COUNTRY)
            };
            Ok(self.grid(conn, flow, upper, By::Region, year)?.row(region) < Depth::Year)
        };
        let at_home = |region: &str| places::chain(region).contains(&LIAONING.as_str());
        let cities: Vec<&str> = sellers
            .iter()
            .map(String::as_str)
            .filter(|seller| *seller != LIAONING.as_str() && at_home(seller))
            .collect();
        let local = local_depths(conn, &cities, year.year)?;
        let mut row_hidden = Vec::new();
        for seller in &sellers {
            let local = local.get(seller.as_str()).is_some_and(|depth| *depth < Depth::Year);
            row_hidden.push((hidden(conn, Flow::Output, seller)?, local));
        }
        let column_hidden = buyers
            .iter()
            .map(|buyer| hidden(conn, Flow::Absorbed, buyer))
            .collect::<Result<Vec<bool>>>()?;
        let mut cells = vec![vec![Figures::default(); buyers.len()]; sellers.len()];
        for ((seller, buyer), sum) in &matrix {
            let at = (sellers.binary_search(seller), buyers.binary_search(buyer));
            if let (Ok(row), Ok(column)) = at
                && let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column))
            {
                *cell = *sum;
            }
        }
        let home = |all: &[String]| -> Vec<bool> { all.iter().map(|r| at_home(r)).collect() };
        let (home_rows, home_columns) = (home(&sellers), home(&buyers));
        let matrix = Matrix { cells: &cells, home_rows: &home_rows, home_columns: &home_columns };
        let block = matrix.block(|row, column| {
            let (output, local) = row_hidden.get(row).copied().unwrap_or_default();
            let diagonal = sellers.get(row) == buyers.get(column);
            output || column_hidden.get(column).copied().unwrap_or_default() || (diagonal && local)
        });
        Ok(Pairs::of(&sellers, &buyers, &block))
    }
}

/// The columns of a table: the twelve months of a year by value.
fn columns(
    conn: &mut DbConn,
    flow: Flow,
    place: &str,
    by: By,
    year: i32,
) -> Result<BTreeMap<String, Column>> {
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    for (month, value, sum) in store::months_of_year(conn, flow, place, by, year)? {
        put(columns.entry(value).or_default(), &month, sum);
    }
    Ok(columns)
}

/// Sets one month of a column.
fn put(column: &mut Column, month: &str, sum: Figures) {
    let month0 = Month::parse(month).map_or(0, Month::month0);
    let at = usize::try_from(month0).unwrap_or(0);
    if let Some(cell) = column.0.get_mut(at) {
        *cell = sum;
    }
}

/// How far down each local row may be shown beside the output and what was absorbed: what they leave
/// of each other is a figure too, of what left the region or came from outside.
fn caps(
    conn: &mut DbConn,
    flow: Flow,
    place: &str,
    by: By,
    year: i32,
    local: &BTreeMap<String, Column>,
) -> Result<BTreeMap<String, Depth>> {
    let mut caps = BTreeMap::new();
    if flow != Flow::Local {
        return Ok(caps);
    }
    for wider in [Flow::Output, Flow::Absorbed] {
        // the rows of what was absorbed are buyers' regions, those of what stayed are sellers'
        if by == By::Region && wider == Flow::Absorbed {
            continue;
        }
        let wide = columns(conn, wider, place, by, year)?;
        for (value, column) in local {
            let left = wide.get(value).map_or_else(Depth::default, |w| w.beyond(column));
            let cap = caps.entry(value.clone()).or_insert(Depth::Month);
            *cap = left.min(*cap);
        }
    }
    Ok(caps)
}

/// The twelve months of a year of each of these places; nothing of those without figures.
fn months_of(
    conn: &mut DbConn,
    flow: Flow,
    places: &[&str],
    year: i32,
) -> Result<BTreeMap<String, Column>> {
    let mut columns: BTreeMap<String, Column> = BTreeMap::new();
    for (month, place, sum) in store::months_of_places(conn, flow, places, year)? {
        put(columns.entry(place).or_default(), &month, sum);
    }
    Ok(columns)
}

/// Down to where what stayed in each of these places could be shown by itself.
fn local_depths<'p>(
    conn: &mut DbConn,
    places: &[&'p str],
    year: i32,
) -> Result<BTreeMap<&'p str, Depth>> {
    let own = months_of(conn, Flow::Local, places, year)?;
    let sold = months_of(conn, Flow::Output, places, year)?;
    let bought = months_of(conn, Flow::Absorbed, places, year)?;
    let mut depths = BTreeMap::new();
    for place in places {
        let mut depth = Depth::default();
        if let Some(own) = own.get(*place) {
            depth = secrecy::depth_alone(own);
            // what they leave of each other is a figure too
            for wide in [&sold, &bought] {
                let left = wide.get(*place).map_or_else(Depth::default, |wide| wide.beyond(own));
                depth = depth.min(left);
            }
        }
        if *place == LIAONING.as_str() {
            // with what stayed at home, what went out and what came in, the rest of the country is known too
            let mut all = months_of(conn, Flow::Output, &[COUNTRY], year)?;
            let all = all.remove(COUNTRY).unwrap_or_default();
            let of = |columns: &BTreeMap<String, Column>| columns.get(*place).cloned();
            let (sold, bought) = (of(&sold).unwrap_or_default(), of(&bought).unwrap_or_default());
            let came_in = of(&own).map_or_else(|| bought.clone(), |local| bought.less(&local));
            depth = depth.min(secrecy::depth_alone(&all.less(&sold).less(&came_in)));
        }
        depths.insert(*place, depth);
    }
    Ok(depths)
}
