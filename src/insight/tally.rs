//! Adding up postings: every place, flow and dimension that a contract counts in. Pure.
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    rc::Rc,
    sync::Arc,
};

use super::{
    model::{By, Figures, Flow, Layer, Level, Month, Posting},
    places,
};
use crate::kernel::{Day, Result};

/// Names as numbers, so that a key is small and quick to compare.
#[derive(Debug, Default)]
pub struct Names {
    known: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.known.push(name.clone());
        self.numbers.insert(name, number);
        number
    }
    fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
    pub fn name(&self, number: u32) -> &str {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        self.known.get(at).map_or("", |name| name)
    }
}

/// A month, or a whole year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    Month(Month),
    Year(i32),
}

impl Period {
    pub fn year(self) -> i32 {
        match self {
            Self::Month(month) => month.year(),
            Self::Year(year) => year,
        }
    }
    /// The periods that make up a span of months: whole years as one, the rest by month.
    pub fn of_span(from: Month, to: Month) -> Vec<Self> {
        let (mut all, mut at) = (Vec::new(), from);
        while at <= to {
            if at.month0() == 0 && Month::december(at.year()) <= to {
                all.push(Self::Year(at.year()));
                at = Month::january(at.year() + 1);
            } else {
                all.push(Self::Month(at));
                at = at.next();
            }
        }
        all
    }
    fn whole_year(self) -> Self {
        Self::Year(self.year())
    }
}

/// `2026-11` or `2026`: a year is shorter than its months and sorts before January.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => month.fmt(f),
            Self::Year(year) => write!(f, "{year:04}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    layer: Layer,
    flow: Flow,
    by: By,
    place: u32,
    period: Period,
    value: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayKey {
    layer: Layer,
    flow: Flow,
    place: u32,
    day: Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairKey {
    layer: Layer,
    level: Level,
    period: Period,
    seller: u32,
    buyer: u32,
}

/// A cell of the roll-ups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub layer: Layer,
    pub flow: Flow,
    pub place: String,
    pub by: By,
    pub period: Period,
    /// The slug or code that the row stands for; empty where it stands for all.
    pub value: String,
}

/// A day of a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayCell {
    pub layer: Layer,
    pub flow: Flow,
    pub place: String,
    pub day: Day,
}

/// What went from one region to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    pub layer: Layer,
    pub level: Level,
    pub period: Period,
    pub seller: String,
    pub buyer: String,
}

/// Sums over postings, to be added to the roll-ups or compared with them. Their keys are numbers of the
/// [`Tally`] that made them.
#[derive(Debug, Default)]
pub struct Sums {
    pub cells: HashMap<Key, Figures>,
    pub days: HashMap<DayKey, Figures>,
    pub pairs: HashMap<PairKey, Figures>,
}

impl Sums {
    pub fn years(&self) -> BTreeSet<i32> {
        self.cells.keys().map(|k| k.period.year()).collect()
    }
}

/// Adds postings up, month by month. What is closed is taken out, so that a history of any length needs
/// the room of one month and one year.
#[derive(Debug, Default)]
pub struct Tally {
    names: Names,
    chains: HashMap<Rc<str>, Rc<[&'static str]>>,
    months: Sums,
    years: Sums,
}

fn add<K: std::hash::Hash + Eq>(
    sums: &mut HashMap<K, Figures>,
    key: K,
    more: Figures,
) -> Result<()> {
    let sum = sums.entry(key).or_default();
    *sum = sum.plus(more)?;
    Ok(())
}

impl Tally {
    /// Counts `posting` in every layer it belongs to.
    pub fn add(&mut self, posting: &Posting) -> Result<()> {
        if posting.kind == "registration" {
            return self.add_in(posting, Layer::Registered, posting.registered_on);
        }
        self.add_in(posting, Layer::Adjusted, posting.posted_on)?;
        self.add_in(posting, Layer::Restated, posting.registered_on)
    }

    /// Counts `posting` in one layer, as of `day`.
    pub fn add_in(&mut self, posting: &Posting, layer: Layer, day: Day) -> Result<()> {
        let (figures, period) = (posting.figures(), Period::Month(Month::of(day)));
        let (seller, buyer) =
            (self.chain(&posting.seller_region), self.chain(&posting.buyer_region));
        let ip_kind = posting.ip_kinds.split(',').next().unwrap_or_default();
        let values = [
            (By::Month, ""),
            (By::Category, &posting.category),
            (By::Subcategory, &posting.subcategory),
            (By::Field, &posting.field),
            (By::SellerType, &posting.seller_type),
            (By::BuyerType, &posting.buyer_type),
            (By::IpKind, ip_kind),
            (By::PlanSource, &posting.plan_source),
            (By::Objective, &posting.objective),
            (By::Industry, &posting.industry),
        ]
        .map(|(by, value)| (by, self.names.number(value)));
        let both: Vec<&str> = seller.iter().filter(|p| buyer.contains(p)).copied().collect();
        // the rows of an output are its sellers' regions, and so are those of what stays in a region
        let flows = [
            (Flow::Output, &*seller, &seller, &posting.seller_region),
            (Flow::Absorbed, &*buyer, &buyer, &posting.buyer_region),
            (Flow::Local, &*both, &seller, &posting.seller_region),
        ];
        for (flow, places, chain, region) in flows {
            for place in places {
                let row = self.names.number(places::row_in(chain, place, region));
                let place = self.names.number(place);
                for (by, value) in values.into_iter().chain([(By::Region, row)]) {
                    add(
                        &mut self.months.cells,
                        Key { layer, flow, by, place, period, value },
                        figures,
                    )?;
                }
                add(&mut self.months.days, DayKey { layer, flow, place, day }, figures)?;
            }
        }
        for level in [Level::Province, Level::City] {
            let mut at = |chain: &[&'static str], region: &str| {
                self.names.number(places::at_level(chain, level, region))
            };
            let (seller, buyer) =
                (at(&seller, &posting.seller_region), at(&buyer, &posting.buyer_region));
            add(&mut self.months.pairs, PairKey { layer, level, period, seller, buyer }, figures)?;
        }
        Ok(())
    }

    fn chain(&mut self, region: &str) -> Rc<[&'static str]> {
        if let Some(chain) = self.chains.get(region) {
            return chain.clone();
        }
        let chain: Rc<[&'static str]> = places::chain(region).into();
        self.chains.insert(region.into(), chain.clone());
        chain
    }

    /// The months and days that were added up since the last time. They go into their years as well.
    pub fn close_months(&mut self) -> Result<Sums> {
        let sums = std::mem::take(&mut self.months);
        for (key, sum) in &sums.cells {
            let period = key.period.whole_year();
            add(&mut self.years.cells, Key { period, ..*key }, *sum)?;
        }
        for (key, sum) in &sums.pairs {
            let period = key.period.whole_year();
            add(&mut self.years.pairs, PairKey { period, ..*key }, *sum)?;
        }
        Ok(sums)
    }

    /// The years of all months that were closed since the last time.
    pub fn close_years(&mut self) -> Sums {
        std::mem::take(&mut self.years)
    }

    pub fn cell(&self, key: &Key) -> Cell {
        Cell {
            layer: key.layer,
            flow: key.flow,
            place: self.names.name(key.place).to_owned(),
            by: key.by,
            period: key.period,
            value: self.names.name(key.value).to_owned(),
        }
    }
    /// The key of a cell, unless nothing of its kind was ever added.
    pub fn key(&self, cell: &Cell) -> Option<Key> {
        let (place, value) = (self.names.find(&cell.place)?, self.names.find(&cell.value)?);
        let Cell { layer, flow, by, period, .. } = *cell;
        Some(Key { layer, flow, by, place, period, value })
    }

    pub fn day(&self, key: &DayKey) -> DayCell {
        let place = self.names.name(key.place).to_owned();
        DayCell { layer: key.layer, flow: key.flow, place, day: key.day }
    }
    pub fn day_key(&self, cell: &DayCell) -> Option<DayKey> {
        let place = self.names.find(&cell.place)?;
        Some(DayKey { layer: cell.layer, flow: cell.flow, place, day: cell.day })
    }

    pub fn pair(&self, key: &PairKey) -> Pair {
        Pair {
            layer: key.layer,
            level: key.level,
            period: key.period,
            seller: self.names.name(key.seller).to_owned(),
            buyer: self.names.name(key.buyer).to_owned(),
        }
    }
    pub fn pair_key(&self, pair: &Pair) -> Option<PairKey> {
        let (seller, buyer) = (self.names.find(&pair.seller)?, self.names.find(&pair.buyer)?);
        let Pair { layer, level, period, .. } = *pair;
        Some(PairKey { layer, level, period, seller, buyer })
    }
}
