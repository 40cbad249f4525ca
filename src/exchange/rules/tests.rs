use std::{fmt::Write, io::Write as _};

use super::{columns::*, *};
use crate::kernel::{
    Code,
    table::{Heads, Row, Table},
};
use serde_json::{Value as Json, json};

#[test]
fn the_life_of_an_import() {
    let mut told = String::new();
    for from in ImportState::ALL {
        for act in ImportAct::ALL {
            if let Some(step) = decide(*from, *act) {
                writeln!(told, "{} {} -> {}", from.slug(), act.slug(), step.to().slug()).unwrap();
            }
        }
    }
    assert_eq!(
        told,
        "checking pass -> checked\nchecking find -> faulty\nchecking give-up -> failed\n\
         checked commit -> committing\nchecked expire -> expired\n\
         committing find -> faulty\ncommitting write -> committed\ncommitting give-up -> failed\n"
    );
}

#[test]
fn no_two_columns_have_one_name() {
    for kind in ImportKind::ALL {
        let mut names: Vec<_> =
            columns(*kind).iter().flat_map(|c| [c.name.zh, c.name.en]).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{kind:?}");
    }
}

/// Heads and one row of CSV as a body, with what is wrong at which column.
fn read(kind: ImportKind, heads: &str, row: &str) -> (Json, Vec<String>, Vec<String>) {
    let mut file = tempfile::tempfile().unwrap();
    write!(file, "{heads}\n{row}\n").unwrap();
    let mut table = Table::open(file, 1 << 20).unwrap();
    let optional =
        |name: crate::kernel::table::Name| crate::kernel::table::Name { required: false, ..name };
    let names: Vec<_> = Plan::names(kind).into_iter().map(optional).collect();
    let heads = Heads::find(&mut table, &names).unwrap();
    let plan = Plan::new(kind, heads.clone());
    let mut found: Option<Row> = None;
    table
        .rows_below(&heads, |row| {
            found = Some(row);
            Ok(())
        })
        .unwrap();
    let draft = plan.draft(&found.unwrap());
    let tell = |all: &[Spot]| all.iter().map(|s| format!("{} {}", s.column, s.flaw.code)).collect();
    (draft.body.clone(), tell(&draft.faults), tell(&draft.warnings))
}

#[test]
fn codes_go_by_slug_or_label() {
    let heads = "技术领域,stage,转化方式,trl,价格(元),价格面议";
    for row in [
        "05,pilot,license;joint_development,6,1200.5,是",
        "5,中期阶段,技术许可；合作开发,６,\"1,200.50\",true",
        "新材料及其应用,Pilot,License;技术许可,6,1200.50元,1",
    ] {
        let (body, faults, _) = read(ImportKind::Achievements, heads, row);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!((&body["field"], &body["stage"]), (&json!("05"), &json!("pilot")));
        assert_eq!((&body["trl"], &body["price_fen"]), (&json!(6), &json!(120_050)));
    }
    let (_, faults, _) = read(ImportKind::Achievements, heads, "99,中期,技术许可;x,六,12万元,可以");
    assert_eq!(
        faults,
        [
            "0 not_in_list",
            "1 not_in_list",
            "2 not_in_list",
            "3 wrong_type",
            "4 wrong_unit",
            "5 wrong_type"
        ]
    );
}

#[test]
fn amounts_become_lines_that_add_up() {
    let heads = "合同细类,成交额(元),技术价款(元),技术载体(元),载体数量,设备(元)";
    let (body, faults, _) = read(ImportKind::Contracts, heads, "委托开发,1200000,1000000,,,200000");
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(body["category"], "development");
    let lines = body["lines"].as_array().unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|l| (l["kind"].as_str().unwrap(), l["amount_fen"].as_i64().unwrap()))
        .collect();
    assert_eq!(told, [("technology", 100_000_000), ("equipment", 20_000_000)]);

    let (body, ..) = read(ImportKind::Contracts, heads, "委托开发,1200000,,,,");
    assert_eq!(
        body["lines"],
        json!([{"kind": "technology", "description": "技术", "amount_fen": 120_000_000}])
    );
    let (body, ..) = read(ImportKind::Contracts, heads, "委托开发,,,500,3,");
    assert_eq!(body["lines"][0]["quantity"], 3);

    let (_, faults, _) = read(ImportKind::Contracts, heads, "委托开发,1200000,1000000,,2,");
    assert_eq!(faults, ["1 total_mismatch", "4 no_carrier"]);
    let (_, faults, _) = read(
        ImportKind::Contracts,
        "lines,技术价款(元)",
        "\"[{\"\"kind\"\":\"\"technology\"\",\"\"amount_fen\"\":1}]\",5000",
    );
    assert_eq!(faults, ["1 two_forms"]);
}

#[test]
fn a_unit_that_was_mistaken_is_asked_about() {
    let of = |yuan: &str| {
        read(ImportKind::Contracts, "合同细类,成交额(元)", &format!("委托开发,{yuan}")).2
    };
    assert_eq!(of("120"), Vec::<String>::new());
    assert_eq!(of("99.99"), ["1 odd_amount"]);
    assert_eq!(of("999999999.99"), Vec::<String>::new());
    assert_eq!(of("1000000000"), ["1 odd_amount"]);
}

#[test]
fn faults_of_the_body_lead_back_to_cells() {
    let mut file = tempfile::tempfile().unwrap();
    write!(
        file,
        "合同细类,买方名称,买方信用代码,设备(元),知识产权构成\n委托开发,x,,5000,发明专利\n"
    )
    .unwrap();
    let mut table = Table::open(file, 1 << 20).unwrap();
    let names: Vec<_> = Plan::names(ImportKind::Contracts)
        .into_iter()
        .map(|name| crate::kernel::table::Name { required: false, ..name })
        .collect();
    let heads = Heads::find(&mut table, &names).unwrap();
    let plan = Plan::new(ImportKind::Contracts, heads.clone());
    table
        .rows_below(&heads, |row| {
            let draft = plan.draft(&row);
            let place = |pointer: &str| plan.place(&draft, pointer);
            assert_eq!(place("/buyer/name"), 1);
            assert_eq!(place("/buyer/uscc"), 2);
            assert_eq!(place("/buyer"), 1);
            assert_eq!(place("/lines/0/amount_fen"), 3);
            assert_eq!(place("/lines"), 3);
            assert_eq!(place("/ip_kinds/0"), 4);
            assert_eq!(place("/nowhere"), 0);
            Ok(())
        })
        .unwrap();
}
