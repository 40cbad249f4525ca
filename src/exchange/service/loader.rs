//! From the rows of a table to drafts: read, checked against the published schema and the rules of the room
//! that they are for, and written.
use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::{
    accounts::{self, model::Organization, uscc},
    achievements::{self, model::AchievementDraft},
    contracts::{draft::ContractBody, service::Bulk},
    demands::{self, model::DemandDraft},
    exchange::{
        model::{FaultSeverity, ImportFault, ImportKind},
        rules::columns::{Draft, Plan, Spot, is_comment},
    },
    kernel::{
        Actor, Db, DbConn, Error, Fault, Id, Moment, Result, Tx, body, of,
        table::{Flaw, Heads, Merged, Row, Table, folded},
    },
};

/// Rows that are checked before the progress is told.
const CHUNK: usize = 500;
/// Faults of two cells together.
const RELATIONS: [&str; 7] = [
    "before_signing",
    "before_effect",
    "wrong_category",
    "no_technology_amount",
    "same_party",
    "seller_abroad",
    "stage_trl_mismatch",
];

/// A body that is fit to be written.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ready {
    Achievement(Box<AchievementDraft>),
    Demand(Box<DemandDraft>),
    Contract(Box<ContractBody>),
}

/// Checks and writes drafts of one kind in the name of one caller.
pub struct Loader {
    kind: ImportKind,
    actor: Actor,
    organization: Id<of::Organization>,
    bulk: Bulk,
    own: Vec<Organization>,
    registrars: Vec<Organization>,
}

impl Loader {
    pub fn new(
        conn: &mut DbConn,
        kind: ImportKind,
        actor: Actor,
        organization: Id<of::Organization>,
    ) -> Result<Self> {
        let ids: Vec<_> = actor.memberships.iter().map(|m| m.organization).collect();
        Ok(Self {
            kind,
            organization,
            bulk: Bulk::new(actor.clone(), Moment::now().day()),
            own: accounts::organizations(conn, &ids)?,
            registrars: match kind {
                ImportKind::Contracts => accounts::registrars(conn)?,
                _ => Vec::new(),
            },
            actor,
        })
    }

    /// Checks one body; what is wrong with it is told by its pointers.
    pub fn check(
        &mut self,
        conn: &mut DbConn,
        mut body: Json,
    ) -> Result<Result<Ready, Vec<Fault>>> {
        let unknown = self.complete(&mut body);
        let text = serde_json::to_vec(&body)?;
        let today = Moment::now().day();
        let checked = match self.kind {
            ImportKind::Achievements => body::parse(&text).and_then(|draft| {
                achievements::check_draft(&self.actor, &draft, today)?;
                Ok(Ready::Achievement(Box::new(draft)))
            }),
            ImportKind::Demands => body::parse(&text).and_then(|draft| {
                demands::check_draft(conn, &self.actor, &draft, today)?;
                Ok(Ready::Demand(Box::new(draft)))
            }),
            ImportKind::Contracts => body::parse::<ContractBody>(&text).and_then(|draft| {
                self.bulk.check(conn, draft.clone())?;
                Ok(Ready::Contract(Box::new(draft)))
            }),
        };
        match checked {
            Ok(ready) => Ok(Ok(ready)),
            Err(Error::Invalid(mut faults)) => {
                if let Some(unknown) = unknown {
                    faults.retain(|fault| fault.pointer != unknown.pointer);
                    faults.push(unknown);
                }
                Ok(Err(faults))
            }
            Err(error @ (Error::Internal(_) | Error::Busy { .. })) => Err(error),
            Err(refusal) => Ok(Err(vec![Fault::new("", refusal.code(), refusal.to_string())])),
        }
    }

    /// Writes one draft down and answers its id.
    pub fn write(&mut self, tx: &mut Tx<'_>, ready: Ready) -> Result<String> {
        Ok(match ready {
            Ready::Achievement(draft) => {
                achievements::draft(tx, &self.actor, *draft)?.id.to_string()
            }
            Ready::Demand(draft) => demands::draft(tx, &self.actor, *draft)?.id.to_string(),
            Ready::Contract(draft) => self.bulk.write(tx, *draft)?.to_string(),
        })
    }

    /// Fills in what a table need not say: whose it is, and which registrar a name means. Answers what is
    /// wrong with a name that means none; it is no id either, so the body cannot pass.
    fn complete(&self, body: &mut Json) -> Option<Fault> {
        let Json::Object(fields) = body else { return None };
        let own = json!(self.organization);
        if self.kind != ImportKind::Contracts {
            fields.entry("organization_id").or_insert(own);
            return None;
        }
        let seller = fields.entry("seller").or_insert_with(|| json!({ "organization_id": own }));
        let told =
            seller.get("uscc").and_then(Json::as_str).and_then(|code| uscc::parse(code).ok());
        if let Some(ours) = self.own.iter().find(|o| Some(&o.uscc) == told.as_ref()) {
            *seller = json!({ "organization_id": ours.id });
        }
        let told = fields.get("registrar_id").and_then(Json::as_str)?;
        if told.parse::<Id<of::Organization>>().is_ok() {
            return None;
        }
        match self.registrar(told) {
            Some(meant) => {
                fields.insert("registrar_id".to_owned(), json!(meant));
                None
            }
            None => Some(Fault::new(
                "/registrar_id",
                "unknown_registrar",
                "没有这个已核验的登记机构，或名称不唯一；请填写其全称、信用代码或编号。",
            )),
        }
    }

    /// The registrar of this name or credit code, if there is just one. Full and half width are alike: the
    /// cells of coded columns come folded.
    fn registrar(&self, told: &str) -> Option<Id<of::Organization>> {
        let told = folded(told);
        let mut all = self.registrars.iter().filter(|o| folded(&o.name) == told || o.uscc == told);
        all.next().filter(|_| all.next().is_none()).map(|o| o.id)
    }
}

/// What a whole file comes to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum {
    /// Rows with something in them.
    pub rows: i64,
    pub done: i64,
    pub errors: i64,
    pub warnings: i64,
}

/// Bodies that were found fit, on their way from the check to the transaction: in a file, so that a hundred
/// thousand of them take no memory.
pub struct Stack(BufWriter<File>);

#[derive(Serialize, Deserialize)]
struct Stacked {
    line: i64,
    ready: Ready,
}

impl Stack {
    pub fn new(file: File) -> Self {
        Self(BufWriter::new(file))
    }

    pub fn push(&mut self, line: i64, ready: Ready) -> Result<()> {
        serde_json::to_writer(&mut self.0, &Stacked { line, ready })?;
        self.0.write_all(b"\n").context("writing to the spool")?;
        Ok(())
    }

    /// Gives all of them to `each`, with their rows, in the order in which they came.
    pub fn pour(self, mut each: impl FnMut(i64, Ready) -> Result<()>) -> Result<()> {
        let mut file =
            self.0.into_inner().map_err(|e| e.into_error()).context("writing to the spool")?;
        file.seek(SeekFrom::Start(0)).context("reading the spool")?;
        for line in BufReader::new(file).lines() {
            let Stacked { line, ready } =
                serde_json::from_str(&line.context("reading the spool")?)?;
            each(line, ready)?;
        }
        Ok(())
    }
}

/// A table of one kind, opened, with its columns found.
pub struct Sheet {
    table: Table,
    plan: Plan,
    merged: Vec<Merged>,
}

impl Sheet {
    /// Refuses by `/file` what is no table, and by the address of its heading every column that does not fit.
    pub fn open(kind: ImportKind, file: File, limit: i64) -> Result<Self> {
        let mut table = Table::open(file, limit)?;
        let heads = Heads::find(&mut table, &Plan::names(kind))?;
        let below = |m: &Merged| m.rows.1 >= heads.row && m.columns.0 < heads.width;
        let merged = table.merged()?.into_iter().filter(below).collect();
        Ok(Self { table, plan: Plan::new(kind, heads), merged })
    }

    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Checks every row, some hundreds at a time, and gives what was found and how far it is to `tell`; what
    /// is fit goes to `stack`.
    pub fn sift(
        &mut self,
        db: &Db,
        loader: &mut Loader,
        mut stack: Option<&mut Stack>,
        mut tell: impl FnMut(&Sum, Vec<ImportFault>) -> Result<()>,
    ) -> Result<Sum> {
        let heads = self.plan.heads.clone();
        let rows = self.table.count(&heads)?;
        Heads::not_empty(rows)?;
        let mut sum = Sum { rows, ..Sum::default() };
        let mut sieve = Sieve { found: Vec::new(), seen: HashMap::new(), seq: 0 };
        for merged in &self.merged {
            let at = self.table.address_of(*merged);
            let flaw = Flaw::new(
                "merged_cells",
                "合并的单元格不能导入；请取消合并，并在每一行填写各自的内容。",
            );
            sieve.add(i64::from(merged.rows.0), at, "", FaultSeverity::Error, flaw, &mut sum);
        }
        tell(&sum, std::mem::take(&mut sieve.found))?;
        let mut chunk = Vec::with_capacity(CHUNK);
        // the table is read while its rows are named by their addresses
        let names = Names { sheet: self.table.address(1, 0) };
        let plan = &self.plan;
        let mut work = |chunk: &mut Vec<Row>, sum: &mut Sum| -> Result<()> {
            db.read_now(|conn| {
                for row in chunk.drain(..) {
                    sieve.row(conn, loader, (plan, &names), &row, stack.as_deref_mut(), sum)?;
                    sum.done += 1;
                }
                Ok(())
            })?;
            tell(sum, std::mem::take(&mut sieve.found))
        };
        self.table.rows_below(&heads, |row| {
            chunk.push(row);
            if chunk.len() < CHUNK { Ok(()) } else { work(&mut chunk, &mut sum) }
        })?;
        work(&mut chunk, &mut sum)?;
        Ok(sum)
    }
}

/// Makes addresses while the table itself is being read.
struct Names {
    /// The address of the first cell.
    sheet: String,
}

impl Names {
    fn address(&self, row: u32, column: usize) -> String {
        let prefix = self.sheet.strip_suffix("A1").unwrap_or_default();
        format!("{prefix}{}{row}", crate::kernel::table::letters(column))
    }
}

/// What was found so far.
struct Sieve {
    found: Vec<ImportFault>,
    /// Bodies that are there already, by what makes them one, with their rows.
    seen: HashMap<u64, u32>,
    seq: i64,
}

impl Sieve {
    fn row(
        &mut self,
        conn: &mut DbConn,
        loader: &mut Loader,
        (plan, names): (&Plan, &Names),
        row: &Row,
        stack: Option<&mut Stack>,
        sum: &mut Sum,
    ) -> Result<()> {
        let line = i64::from(row.number);
        let mut found: Vec<(FaultSeverity, Spot)> = Vec::new();
        let first = row.cells.first().map_or(0, |(column, _)| *column);
        let warning = |code, why: String| {
            let spot = Spot { column: first, flaw: Flaw::new(code, why) };
            (FaultSeverity::Warning, spot)
        };
        if is_comment(row) {
            found.push(warning("comment_row", "以 # 开头的行是示例或备注，不导入。".to_owned()));
        } else {
            let mut draft: Draft = plan.draft(row);
            let flawed: Vec<usize> = draft.faults.iter().map(|spot| spot.column).collect();
            let (faults, warnings) =
                (std::mem::take(&mut draft.faults), std::mem::take(&mut draft.warnings));
            found.extend(faults.into_iter().map(|spot| (FaultSeverity::Error, spot)));
            found.extend(warnings.into_iter().map(|spot| (FaultSeverity::Warning, spot)));
            let body = std::mem::take(&mut draft.body);
            let print = fingerprint(&body);
            match loader.check(conn, body)? {
                Ok(ready) if flawed.is_empty() => {
                    if let Some(earlier) = self.seen.insert(print, row.number) {
                        let why = format!("与第 {earlier} 行内容完全相同；如非重复，请忽略。");
                        found.push(warning("duplicate_row", why));
                    }
                    if let Some(stack) = stack {
                        stack.push(line, ready)?;
                    }
                }
                Ok(_) => {}
                Err(faults) => {
                    for fault in faults {
                        let column = plan.place(&draft, &fault.pointer);
                        // a cell that could not be read is faulty already, and what stands in for it
                        // fits no other
                        let settled = flawed.contains(&column)
                            || (!flawed.is_empty() && RELATIONS.contains(&fault.code));
                        if !settled {
                            let flaw = Flaw::new(fault.code, fault.detail);
                            found.push((FaultSeverity::Error, Spot { column, flaw }));
                        }
                    }
                }
            }
        }
        found.sort_by_key(|(_, spot)| spot.column);
        for (severity, Spot { column, flaw }) in found {
            let at = names.address(row.number, column);
            self.add(line, at, plan.head(column), severity, flaw, sum);
        }
        Ok(())
    }

    fn add(
        &mut self,
        line: i64,
        cell: String,
        head: &str,
        severity: FaultSeverity,
        flaw: Flaw,
        sum: &mut Sum,
    ) {
        match severity {
            FaultSeverity::Error => sum.errors += 1,
            FaultSeverity::Warning => sum.warnings += 1,
        }
        self.seq += 1;
        self.found.push(ImportFault {
            seq: self.seq,
            line,
            severity,
            cell,
            column: head.to_owned(),
            code: flaw.code.to_owned(),
            detail: flaw.detail,
        });
    }
}

fn fingerprint(body: &Json) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    body.to_string().hash(&mut hasher);
    hasher.finish()
}
