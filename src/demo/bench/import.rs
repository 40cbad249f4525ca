//! A workbook of contracts: checked, committed, and read bare.
use std::{io::Read, time::Instant};

use anyhow::{Context, bail};
use diesel::{RunQueryDsl, sql_query};
use sha2::{Digest, Sha256};

use super::peak_memory_mb;
use crate::{
    Keshi,
    accounts::{
        self, NewAccount,
        model::{OrganizationState, inputs::NewOrganization},
    },
    exchange::{self, ImportKind, ImportState},
    kernel::{
        Actor, Config, Fen, Id, Lang, MemberRole, OrganizationKind, Region, Tx,
        db::DbConn,
        idempotency::hex,
        table::{self, Put, TableFormat},
    },
};

/// The headings of the measured workbook, and its cells but for the number, the title and the amount.
const SHEET: [(&str, &str); 18] = [
    ("合同细类", "委托开发"),
    ("买方名称", "渤海示例装备有限公司"),
    ("买方信用代码", "91210200F0000000XK"),
    ("买方区划", "210200"),
    ("买方类别", "企业"),
    ("签订日期", "2026-03-01"),
    ("生效日期", "2026-03-01"),
    ("有效期至", "2028-02-28"),
    ("技术领域", "新材料及其应用"),
    ("知识产权构成", "发明专利;技术秘密"),
    ("计划来源", "计划外"),
    ("社会经济目标", "工商业发展"),
    ("行业", "C38"),
    ("支付方式", "分期支付"),
    ("关联交易", "否"),
    ("跨境", "境内"),
    ("设备(元)", "200000"),
    ("登记机构", "登记处（示例）"),
];

fn workbook(rows: u32) -> anyhow::Result<std::fs::File> {
    let mut heads = vec!["合同编号", "合同名称", "技术价款(元)"];
    heads.extend(SHEET.iter().map(|(head, _)| *head));
    let file = tempfile::tempfile()?;
    let mut out = table::Writer::new(TableFormat::Xlsx, file, "技术合同", &heads)?;
    for n in 0..i64::from(rows) {
        let mut cells = vec![
            Put::text(format!("HT-{n:06}")),
            Put::text(format!("高镍三元正极材料包覆工艺委托开发第 {n} 号")),
            Put::Yuan(Fen(100_000_000 + n)),
        ];
        cells.extend(SHEET.iter().map(|(_, cell)| Put::text(*cell)));
        out.row(&cells)?;
    }
    Ok(out.finish()?)
}

/// Somebody of a university, beside the registrar of its city.
fn a_filer(keshi: &Keshi) -> anyhow::Result<Actor> {
    use OrganizationKind::{Registrar, University};
    let region: Region = "210100".parse()?;
    let made = keshi.db.write_now(|tx| {
        let mut ids = Vec::new();
        let houses = [(University, "大学（示例）", 1), (Registrar, "登记处（示例）", 2)];
        for (kind, name, number) in houses {
            let new = NewOrganization {
                name: name.to_owned(),
                kind,
                uscc: accounts::uscc::fictional(kind, &region, number),
                region_code: region.clone(),
            };
            let state = OrganizationState::Verified;
            ids.push(accounts::create_organization(tx, &new, state)?.id);
        }
        let new = NewAccount {
            email: "filer@bench.keshi.invalid".to_owned(),
            name: "示例".to_owned(),
            password_hash: String::new(),
            lang: Lang::Zh,
            verified: true,
            platform: None,
        };
        let account = accounts::create_account(tx, new)?;
        if let Some(house) = ids.first() {
            accounts::add_member(tx, *house, account, MemberRole::Member)?;
        }
        Ok(account)
    })?;
    let actor = keshi.db.read_now(|conn| accounts::actor_again(conn, made, None))?;
    actor.context("the account that was just made")
}

pub fn run(config: &Config, rows: u32) -> anyhow::Result<()> {
    let keshi = Keshi::open(config.clone())?;
    let actor = a_filer(&keshi)?;
    let file = workbook(rows)?;
    let size = i64::try_from(file.metadata()?.len())?;
    let bare = file.try_clone()?;
    let id = Id::fresh();
    let key = format!("imports/{id}");
    let sha256 = {
        let (mut copy, mut bytes) = (file.try_clone()?, Vec::new());
        copy.read_to_end(&mut bytes)?;
        hex(&Sha256::digest(&bytes))
    };
    let order = exchange::Order { kind: ImportKind::Contracts, dry_run: true, organization: None };
    let stored = exchange::Stored {
        id,
        name: "合同.xlsx".to_owned(),
        format: TableFormat::Xlsx,
        size,
        sha256,
        key: key.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let started = Instant::now();
    runtime.block_on(keshi.storage.put(&key, file))?;
    keshi.db.write_now(|tx| exchange::begin(tx, &actor, &order, &stored).map(drop))?;
    exchange::work_off(&keshi.db, &keshi.storage)?;
    let checked = started.elapsed().as_secs_f64();
    keshi.db.write_now(|tx| exchange::commit(tx, &actor, id).map(drop))?;
    exchange::work_off(&keshi.db, &keshi.storage)?;
    let whole = started.elapsed().as_secs_f64();
    let view = keshi.db.read_now(|conn| exchange::view(conn, &actor, id))?;
    if view.state != ImportState::Committed {
        bail!("the import is {:?} with {} faults", view.state, view.faults);
    }
    let started = Instant::now();
    let read = bare_rows(bare, &mut DbConn::open(&config.database_url)?)?;
    let bare = started.elapsed().as_secs_f64();
    println!(
        "import of {rows} contracts ({} KB): check {checked:.1} s, commit {:.1} s, together {whole:.1} s; \
         reading the file and writing {read} bare rows: {bare:.1} s; ratio {:.1}; peak memory {} MB",
        size / 1024,
        whole - checked,
        whole / bare,
        peak_memory_mb()?
    );
    Ok(())
}

/// Reads the workbook and copies, for every row of it, one contract, its case and its line of the journal;
/// all in one transaction.
fn bare_rows(file: std::fs::File, conn: &mut DbConn) -> anyhow::Result<u32> {
    for table in ["contracts", "contract_cases", "journal"] {
        let sql = format!("CREATE TABLE bare_{table} AS SELECT * FROM {table} LIMIT 1");
        sql_query(sql).execute(conn)?;
    }
    let mut book = table::Table::open(file, i64::from(u32::MAX))?;
    let mut rows = 0u32;
    Tx::run(conn, |tx| {
        book.rows(|_| {
            rows += 1;
            for table in ["contracts", "contract_cases", "journal"] {
                let sql = format!("INSERT INTO bare_{table} SELECT * FROM bare_{table} LIMIT 1");
                sql_query(sql).execute(&mut **tx)?;
            }
            Ok(std::ops::ControlFlow::Continue(()))
        })
    })?;
    Ok(rows)
}
