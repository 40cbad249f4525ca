//! Made-up contracts, one after the other in the order of their days, always the same for a seed.
use chrono::{Days, NaiveDate};

use crate::{
    contracts::{
        amounts::Amounts,
        draft::Content,
        model::{
            ContractLine, ContractParty, CrossBorder, LineKind, Objective, Parties, PartyType,
            Payment, PlanSource, Subcategory, Terms,
        },
    },
    demo::variation::Dice,
    kernel::{Code, Day, Fen, Id, Region, of},
    markets::{
        model::{Field, IpKind},
        regions::{self, LIAONING},
    },
};

pub const FIRST_YEAR: i32 = 2010;

/// GB/T 4754-2017: every section with its first and last division.
const INDUSTRIES: [(char, u32, u32); 20] = [
    ('A', 1, 5),
    ('B', 6, 12),
    ('C', 13, 43),
    ('D', 44, 46),
    ('E', 47, 50),
    ('F', 51, 52),
    ('G', 53, 60),
    ('H', 61, 62),
    ('I', 63, 65),
    ('J', 66, 69),
    ('K', 70, 70),
    ('L', 71, 72),
    ('M', 73, 75),
    ('N', 76, 79),
    ('O', 80, 82),
    ('P', 83, 83),
    ('Q', 84, 85),
    ('R', 86, 90),
    ('S', 91, 96),
    ('T', 97, 97),
];

/// What became of a contract after its registration.
#[derive(Debug, Clone)]
pub enum Fate {
    Changed(Box<Content>),
    Cancelled,
    Revoked,
}

/// A registered contract, and what became of it on which day.
#[derive(Debug, Clone)]
pub struct Made {
    pub content: Content,
    pub registered_on: Day,
    pub later: Option<(Day, Fate)>,
    /// Which of the registrars.
    pub registrar: usize,
}

/// Makes contracts without end.
pub struct Maker {
    dice: Dice,
    first: Day,
    last: Day,
    count: usize,
    made: usize,
    /// Counties, districts and zones of the province.
    home: Vec<Region>,
    outside: Vec<Region>,
    industries: Vec<String>,
    registrars: Vec<Id<of::Organization>>,
}

impl Maker {
    /// `count` contracts from the first day of [`FIRST_YEAR`] to `last`, evenly.
    pub fn new(count: usize, last: Day, registrars: Vec<Id<of::Organization>>) -> Self {
        let all = || regions::all().filter_map(|r| Some((r.level, r.code.parse::<Region>().ok()?)));
        let wide = ["province", "city"];
        let home = all()
            .filter(|(level, r)| regions::covers(&LIAONING, r) && !wide.contains(level))
            .map(|(_, r)| r)
            .collect();
        let outside = all()
            .filter(|(level, r)| !regions::covers(&LIAONING, r) && *level == "city")
            .map(|(_, r)| r)
            .chain(regions::ABROAD.parse::<Region>())
            .collect();
        let industries = INDUSTRIES
            .iter()
            .flat_map(|(section, first, last)| {
                (*first..=*last).map(move |division| format!("{section}{division:02}"))
            })
            .collect();
        let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or(last);
        let dice = Dice::new(10_000_000);
        Self { dice, first, last, count, made: 0, home, outside, industries, registrars }
    }

    /// One of `items`, those in front more often.
    fn leaning<T: Clone>(dice: &mut Dice, items: &[T]) -> Option<T> {
        let (one, other) = (dice.below(items.len()), dice.below(items.len()));
        items.get(one.min(other)).cloned()
    }

    fn party(&mut self, outside_in_100: usize, kind: &str) -> Option<ContractParty> {
        let out = self.dice.below(100) < outside_in_100;
        let region_code =
            Self::leaning(&mut self.dice, if out { &self.outside } else { &self.home })?;
        let serial = self.dice.below(20_000);
        Some(ContractParty {
            organization_id: None,
            name: format!("{kind}{serial}（示例）"),
            uscc: Some(format!("91{region_code}{serial:010}")),
            region_code,
            party_type: Self::leaning(&mut self.dice, PartyType::ALL)?,
        })
    }

    fn content(&mut self, n: usize, day: Day) -> Option<Content> {
        let (seller, buyer) = (self.party(5, "研究所")?, self.party(45, "公司")?);
        // a long tail: most are small, and some carry much of the turnover
        let wan = self.dice.between(1, 60) * self.dice.between(1, 20);
        let wan = if self.dice.below(50) == 0 { wan * self.dice.between(5, 40) } else { wan };
        let total = wan * 1_000_000 + self.dice.between(0, 9_999) * 100;
        let tech = total * self.dice.between(600, 1000) / 1000;
        let line = |kind, description: &str, fen| ContractLine {
            kind,
            description: description.to_owned(),
            amount_fen: Fen(fen),
            quantity: None,
        };
        let mut lines = vec![line(LineKind::Technology, "技术费", tech)];
        if total > tech {
            lines.push(line(LineKind::Equipment, "设备费", total - tech));
        }
        let signed_on = day - Days::new(30);
        let dice = &mut self.dice;
        Some(Content {
            title: format!("示例合同{n:08}"),
            subcategory: *dice.pick(Subcategory::ALL)?,
            field: Self::leaning(dice, Field::ALL)?,
            parties: Parties { seller, buyer, intermediary: None },
            terms: Terms {
                contract_no: None,
                signed_on,
                effective_on: signed_on,
                valid_to: day + Days::new(700),
                ip_kinds: vec![*dice.pick(IpKind::ALL)?],
                plan_source: *dice.pick(PlanSource::ALL)?,
                objective: *dice.pick(Objective::ALL)?,
                industry: Self::leaning(dice, &self.industries)?,
                payment: Payment::LumpSum,
                related_party: false,
                cross_border: CrossBorder::None,
                commission: None,
                lines,
            },
            amounts: Amounts { total: Fen(total), tech: Fen(tech) },
            registrar_id: self.registrars.first().copied()?,
        })
    }
}

impl Iterator for Maker {
    type Item = Made;
    fn next(&mut self) -> Option<Made> {
        if self.made >= self.count {
            return None;
        }
        let n = self.made;
        self.made += 1;
        let span = usize::try_from((self.last - self.first).num_days()).unwrap_or(0);
        let since = Days::new(u64::try_from(span * n / self.count.max(1)).unwrap_or(0));
        let registered_on = self.first + since;
        let mut content = self.content(n, registered_on)?;
        let registrar = self.dice.below(self.registrars.len());
        content.registrar_id = self.registrars.get(registrar).copied()?;
        let fate = match self.dice.below(100) {
            0 => {
                let mut changed = content.clone();
                let more = self.dice.between(80, 150);
                let part = |fen: Fen| Fen((fen.0 * more / 100).max(1));
                changed.amounts = Amounts {
                    total: part(content.amounts.total),
                    tech: part(content.amounts.tech),
                };
                Some(Fate::Changed(Box::new(changed)))
            }
            1 => Some(Fate::Cancelled),
            2 if self.dice.below(3) == 0 => Some(Fate::Revoked),
            _ => None,
        };
        let on = registered_on + Days::new(u64::try_from(self.dice.between(10, 500)).unwrap_or(10));
        let later = fate.map(|fate| (on, fate)).filter(|(on, _)| *on <= self.last);
        Some(Made { content, registered_on, later, registrar })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_occurs_and_the_same_seed_makes_the_same() {
        let last: Day = "2026-11-22".parse().unwrap();
        let registrars = vec![Id::fresh(), Id::fresh()];
        let make = || Maker::new(80_000, last, registrars.clone());
        let all: Vec<Made> = make().collect();
        assert_eq!(all.len(), 80_000);
        assert!(make().take(1_000).zip(&all).all(|(a, b)| a.content == b.content));
        let distinct = |of: &dyn Fn(&Content) -> String| {
            all.iter().map(|m| of(&m.content)).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(distinct(&|c| c.terms.industry.clone()), 97);
        assert_eq!(distinct(&|c| c.field.slug().to_owned()), Field::ALL.len());
        assert_eq!(distinct(&|c| c.terms.objective.slug().to_owned()), Objective::ALL.len());
        assert_eq!(distinct(&|c| c.subcategory.slug().to_owned()), Subcategory::ALL.len());
        let home = distinct(&|c| c.parties.seller.region_code.to_string());
        assert!(home > 102, "all counties, districts and zones, and some outside: {home}");
        assert_eq!(all.iter().map(|m| m.registered_on.year()).collect::<BTreeSet<_>>().len(), 17);
        assert!(all.windows(2).all(|w| w[0].registered_on <= w[1].registered_on));
        assert!(all.iter().filter(|m| m.later.is_some()).count() > 1_000);
    }
}
