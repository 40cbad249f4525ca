//! The registered contracts of the demo: made up one by one, true in their sums.
//!
//! For every year of the yearbook's series from 2015 on there is one hundredth of the true number of
//! contracts, and their amounts add up to the true turnover of the province, to the fen. Within a year half
//! of the turnover falls into the last quarter, as it did in 2018 (27 % by June, 51 % by September).
use chrono::{Datelike, NaiveDate};

use super::variation::Dice;
use crate::{
    contracts::model::{LineKind, Subcategory},
    kernel::{Day, Result},
    markets::model::Field,
};

/// What happens in which quarter, in percent: 2018 by the announced half-year and three-quarter figures.
const QUARTERS: [i64; 4] = [12, 15, 24, 49];

/// A made-up contract, before parties are chosen.
#[derive(Debug, Clone)]
pub struct Sketch {
    pub day: Day,
    pub field: Field,
    pub subcategory: Subcategory,
    /// Parts of the price by kind; they add up to the total.
    pub lines: Vec<(LineKind, &'static str, i64)>,
}

/// The contracts of one year: about `contracts / 100` of them, together `total_fen` exactly.
pub fn of_year(year: i32, contracts: i64, total_fen: i64, dice: &mut Dice) -> Result<Vec<Sketch>> {
    let count = usize::try_from((contracts + 50) / 100).unwrap_or(1).max(1);
    // weights with a long tail: a few large contracts carry much of the turnover
    let weights: Vec<i64> = (0..count)
        .map(|_| {
            let base = dice.between(20, 140);
            if dice.below(12) == 0 { base * dice.between(4, 9) } else { base }
        })
        .collect();
    let days: Vec<Day> = (0..count).map(|n| day_of(year, n, count, dice)).collect();
    // the quarter decides how much of the year's turnover its contracts share
    let mut amounts = vec![0i64; count];
    let mut given = 0i64;
    for quarter in 0..4usize {
        let members: Vec<usize> = days
            .iter()
            .enumerate()
            .filter(|(_, d)| quarter_of(**d) == quarter)
            .map(|(n, _)| n)
            .collect();
        let share = QUARTERS.get(quarter).copied().unwrap_or(25);
        let budget = i128::from(total_fen) * i128::from(share) / 100;
        let sum: i64 = members.iter().filter_map(|n| weights.get(*n)).sum();
        for n in members {
            let weight = weights.get(n).copied().unwrap_or(1);
            // whole yuan, as contracts are written
            let fen = budget * i128::from(weight) / i128::from(sum.max(1)) / 100 * 100;
            let fen = i64::try_from(fen).unwrap_or(0).max(100);
            if let Some(amount) = amounts.get_mut(n) {
                *amount = fen;
            }
            given += fen;
        }
    }
    // what rounding left over goes to the last contract of the year
    if let Some(last) = amounts.last_mut() {
        *last += total_fen - given;
    }
    Ok(days.into_iter().zip(amounts).map(|(day, total_fen)| sketch(day, total_fen, dice)).collect())
}

fn quarter_of(day: Day) -> usize {
    usize::try_from(day.month0() / 3).unwrap_or(0)
}

/// Days spread over the year, working days only.
fn day_of(year: i32, n: usize, count: usize, dice: &mut Dice) -> Day {
    let slot = i64::try_from(n * 360 / count.max(1)).unwrap_or(0) + dice.between(0, 3);
    let first = NaiveDate::from_ymd_opt(year, 1, 4).unwrap_or_default();
    let day = first + chrono::Days::new(u64::try_from(slot.min(358)).unwrap_or(0));
    match day.weekday() {
        chrono::Weekday::Sat => day - chrono::Days::new(1),
        chrono::Weekday::Sun => day - chrono::Days::new(2),
        _ => day,
    }
}

fn sketch(day: Day, total_fen: i64, dice: &mut Dice) -> Sketch {
    use {Field::*, Subcategory::*};
    let field = *dice
        .pick(&[
            Electronics,
            Electronics,
            Manufacturing,
            Manufacturing,
            Manufacturing,
            Materials,
            Materials,
            Energy,
            Environment,
            Medicine,
            Transport,
            Cities,
            Agriculture,
            Aerospace,
            Nuclear,
        ])
        .unwrap_or(&Manufacturing);
    let subcategory = *dice
        .pick(&[
            DevEntrusted,
            DevEntrusted,
            DevEntrusted,
            DevCooperative,
            ServGeneral,
            ServGeneral,
            ServGeneral,
            ServGeneral,
            TrfSecret,
            TrfPatent,
            LicPatent,
            Consult,
        ])
        .unwrap_or(&ServGeneral);
    // 技术交易额 was between 67.5 % and 80.2 % of 成交额 in Beijing from 2010 to 2015
    let technical = dice.between(640, 1000).min(1000);
    let tech_fen = i64::try_from(i128::from(total_fen) * i128::from(technical) / 100_000 * 100)
        .unwrap_or(total_fen);
    let mut lines = vec![(LineKind::Technology, "技术研究开发与服务费", tech_fen)];
    let rest = total_fen - tech_fen;
    if rest > 0 {
        let equipment = rest / 200 * 100;
        lines.push((LineKind::Equipment, "专用设备购置费", rest - equipment));
        if equipment > 0 {
            lines.push((LineKind::Material, "试验材料费", equipment));
        }
    }
    Sketch { day, field, subcategory, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(sketch: &Sketch) -> i64 {
        sketch.lines.iter().map(|l| l.2).sum()
    }

    #[test]
    fn a_year_adds_up_to_the_fen() {
        let mut dice = Dice::new(7);
        for (year, contracts, sum) in [
            (2015, 11_878, 2_674_900_000_000i64),
            (2023, 26_159, 12_890_700_000_000),
            (2020, 1, 1_000_003),
        ] {
            let made = of_year(year, contracts, sum, &mut dice).unwrap();
            assert_eq!(made.iter().map(total).sum::<i64>(), sum);
            assert_eq!(i64::try_from(made.len()).unwrap(), ((contracts + 50) / 100).max(1));
            for c in &made {
                assert!(c.day.year() == year, "{c:?}");
                assert!(c.lines.iter().all(|l| l.2 > 0), "{c:?}");
            }
        }
    }

    #[test]
    fn half_of_a_year_falls_into_its_last_quarter() {
        let made = of_year(2023, 26_159, 12_890_700_000_000, &mut Dice::new(1)).unwrap();
        let last: i64 = made.iter().filter(|c| quarter_of(c.day) == 3).map(total).sum();
        assert!((48..=50).contains(&(last * 100 / 12_890_700_000_000)), "{last}");
    }
}
