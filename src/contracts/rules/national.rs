//! Who keeps a registrar's books, and what a list of the national system must say. Pure.
use std::collections::HashMap;

use chrono::Datelike;

use super::is_clerk;
use crate::{
    accounts::model::Organization,
    contracts::model::national::NationalNumber,
    kernel::{
        Actor, Day, Fault, Fen, Id, OrganizationKind, PlatformRole, of,
        table::{Flaw, Heads, Name, Row, Value},
    },
    markets::regions,
};

/// What somebody may do with the books of a registrar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// A clerk of the registrar, or an operator of its region.
    Writes,
    /// An auditor of its region.
    Reads,
}

pub fn keeper(actor: &Actor, registrar: &Organization) -> Option<Keeper> {
    if registrar.kind != OrganizationKind::Registrar {
        return None;
    }
    if is_clerk(registrar.id, actor) {
        return Some(Keeper::Writes);
    }
    let platform = actor.platform.as_ref()?;
    let covered = regions::covers(&platform.region, &registrar.region_code);
    covered.then_some(match platform.role {
        PlatformRole::Operator => Keeper::Writes,
        PlatformRole::Auditor => Keeper::Reads,
    })
}

/// The only registrar that the caller is a clerk of.
pub fn own_registrar(actor: &Actor) -> Option<Id<of::Organization>> {
    let mut all =
        actor.memberships.iter().map(|m| m.organization).filter(|id| is_clerk(*id, actor));
    all.next().filter(|_| all.next().is_none())
}

/// The columns of a list of the national system.
pub const COLUMNS: [Name; 4] = [
    Name { zh: "全国系统编号", en: "national_no", required: true },
    Name { zh: "合同登记编号", en: "registration_no", required: true },
    Name { zh: "成交额(元)", en: "total", required: true },
    Name { zh: "登记日期", en: "registered_on", required: false },
];

/// A row of a list, with where it stands.
#[derive(Debug, Clone)]
pub struct Told {
    /// The address of its registration number.
    pub place: String,
    pub number: NationalNumber,
}

/// Reads rows one after the other, and keeps what was there already.
#[derive(Debug)]
pub struct Reader {
    heads: Heads,
    /// The year of rows that do not say it.
    year: Option<i64>,
    today: Day,
    numbers: HashMap<String, u32>,
    registrations: HashMap<String, u32>,
}

impl Reader {
    pub fn new(heads: Heads, year: Option<i64>, today: Day) -> Self {
        Self { heads, year, today, numbers: HashMap::new(), registrations: HashMap::new() }
    }

    /// What a row says, or everything that is wrong with it; `address` names a cell of it.
    pub fn read(
        &mut self,
        row: &Row,
        address: impl Fn(usize) -> String,
    ) -> Result<Told, Vec<Fault>> {
        let mut faults = Vec::new();
        let column = |n: usize| self.heads.at.get(n).copied().flatten();
        let place = |n: usize| address(column(n).unwrap_or_default());
        let cell = |n: usize| column(n).and_then(|at| row.get(at));
        let mut keep = |n: usize, read: Result<Option<String>, Flaw>| match read {
            Ok(text) => text,
            Err(flaw) => {
                faults.push(Fault::new(place(n), flaw.code, flaw.detail));
                None
            }
        };
        let national = keep(0, number(cell(0)));
        let registration = keep(1, number(cell(1)).and_then(registered));
        let mut total = None;
        match cell(2).map(Value::fen) {
            Some(Ok(fen)) if fen > Fen::ZERO => total = Some(fen),
            Some(Ok(_)) => faults.push(Fault::new(place(2), "too_small", "成交额应大于零。")),
            Some(Err(flaw)) => faults.push(Fault::new(place(2), flaw.code, flaw.detail)),
            None => faults.push(Fault::new(place(2), "required", "缺少成交额。")),
        }
        let mut day = None;
        match cell(3).map(Value::day) {
            Some(Ok(on)) => day = Some(i64::from(on.year())),
            Some(Err(flaw)) => faults.push(Fault::new(place(3), flaw.code, flaw.detail)),
            None => {}
        }
        let of_number = registration.as_deref().filter(|no| no.len() == 16);
        let of_number = of_number.and_then(|no| no.get(..4)?.parse().ok());
        let year = day.or(of_number).or(self.year);
        let last = i64::from(self.today.year());
        match year {
            Some(year) if !(1985..=last).contains(&year) => {
                let at = if day.is_some() { 3 } else { 1 };
                faults.push(Fault::new(
                    place(at),
                    "out_of_range",
                    format!("登记年份应在 1985 与 {last} 之间。"),
                ));
            }
            None => faults.push(Fault::new(
                place(1),
                "year_unknown",
                "无法确定登记年份：请填写登记日期或 16 位合同登记编号，或在表单中给出 year。",
            )),
            Some(_) => {}
        }
        if national.is_none() && cell(0).is_none() {
            faults.push(Fault::new(place(0), "required", "缺少全国系统编号。"));
        }
        for (n, told, seen) in
            [(0, &national, &mut self.numbers), (1, &registration, &mut self.registrations)]
        {
            if let Some(earlier) = told.as_ref().and_then(|no| seen.insert(no.clone(), row.number))
            {
                faults.push(Fault::new(place(n), "duplicate", format!("与第 {earlier} 行重复。")));
            }
        }
        match (national, total, year) {
            (Some(national_no), Some(total_fen), Some(year)) if faults.is_empty() => {
                let number = NationalNumber {
                    national_no,
                    year,
                    registration_no: registration,
                    total_fen,
                    told_on: self.today,
                };
                Ok(Told { place: place(1), number })
            }
            _ => Err(faults),
        }
    }
}

/// A number of letters, digits and hyphens.
fn number(cell: Option<&Value>) -> Result<Option<String>, Flaw> {
    let Some(cell) = cell else { return Ok(None) };
    let text = cell.code()?;
    let fits = (1..=40).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits {
        return Ok(Some(text));
    }
    Err(Flaw::new("bad_format", "编号应为至多 40 个字母、数字或连字符。"))
}

/// A registration number: 16 digits, or 14 before.
fn registered(number: Option<String>) -> Result<Option<String>, Flaw> {
    match number {
        Some(no) if !matches!(no.len(), 14 | 16) || !no.chars().all(|c| c.is_ascii_digit()) => {
            Err(Flaw::new("bad_format", "合同登记编号应为 16 位（旧编号 14 位）数字。"))
        }
        fine => Ok(fine),
    }
}

/// What is to be written of `told`, where `known` stands already: the new numbers, the changed ones, and the
/// rows whose registration number another number has.
#[derive(Debug, Default)]
pub struct Merge<'a> {
    pub new: Vec<&'a NationalNumber>,
    pub changed: Vec<&'a NationalNumber>,
    pub unchanged: i64,
    pub taken: Vec<(&'a Told, String)>,
}

pub fn merge<'a>(told: &'a [Told], known: &[NationalNumber]) -> Merge<'a> {
    let by_number: HashMap<_, _> = known.iter().map(|n| (n.national_no.as_str(), n)).collect();
    let by_registration: HashMap<_, _> =
        known.iter().filter_map(|n| Some((n.registration_no.as_deref()?, n))).collect();
    let mut merge = Merge::default();
    for row in told {
        let number = &row.number;
        let holder = number.registration_no.as_deref().and_then(|no| by_registration.get(no));
        if let Some(holder) = holder
            && holder.national_no != number.national_no
        {
            merge.taken.push((row, holder.national_no.clone()));
            continue;
        }
        match by_number.get(number.national_no.as_str()) {
            None => merge.new.push(number),
            Some(before)
                if (before.year, &before.registration_no, before.total_fen)
                    == (number.year, &number.registration_no, number.total_fen) =>
            {
                merge.unchanged += 1;
            }
            Some(_) => merge.changed.push(number),
        }
    }
    merge
}
