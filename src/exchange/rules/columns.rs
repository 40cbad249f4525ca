//! The columns of each kind of table, and how the cells of a row become the body that the API takes.
use serde_json::{Map, Value as Json, json};

use crate::{
    achievements::model::{Stage, TransferMode},
    contracts::model::{
        Category, CrossBorder, LineKind, Objective, PartyType, Payment, PlanSource, Subcategory,
    },
    demands::model::{CooperationMode, DemandKind, Visibility},
    exchange::model::ImportKind,
    kernel::{
        Code, Fen, Label, labels,
        table::{Flaw, Heads, Name, Row, Value, folded},
    },
    markets::model::{Chain, Field, IpKind},
};

/// How a cell is read.
#[derive(Clone, Copy)]
pub enum Reading {
    Text,
    /// Region, industry, credit code, id: one width, capitals where they matter.
    Plain,
    Day,
    Integer,
    Boolean,
    /// Yuan in the cell, fen in the body.
    Yuan,
    Fen,
    /// A slug or a label of the list.
    Code(fn() -> Vec<Label>),
    /// Several of them, separated by `;`.
    Codes(fn() -> Vec<Label>),
    /// Several texts, separated by `;`.
    Words,
    /// `name:target`, separated by `;`.
    Indicators,
    Json,
    /// The amount of the line of this kind, in yuan.
    Line(LineKind),
    /// How many carriers.
    Sets,
    /// The sum of the lines, in yuan; alone it is one line of technology.
    Total,
}

/// A column of a template.
#[derive(Clone, Copy)]
pub struct Column {
    pub name: Name,
    /// Where in the body it goes.
    pub pointer: &'static str,
    pub reading: Reading,
    /// An example for the template; empty where none is given.
    pub example: &'static str,
    pub about: &'static str,
    /// Kept for files made by programs, not in the template.
    pub hidden: bool,
}

const fn col(
    zh: &'static str,
    en: &'static str,
    pointer: &'static str,
    reading: Reading,
    example: &'static str,
    about: &'static str,
) -> Column {
    let name = Name { zh, en, required: false };
    Column { name, pointer, reading, example, about, hidden: false }
}

impl Column {
    const fn required(mut self) -> Self {
        self.name.required = true;
        self
    }
    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
    /// The list that the cell's values are of.
    pub fn list(&self) -> Option<Vec<Label>> {
        match self.reading {
            Reading::Code(list) | Reading::Codes(list) => Some(list()),
            _ => None,
        }
    }
}

use Reading as R;

const INDUSTRY: &str = "GB/T 4754-2017 门类字母加两位大类，如 C38";
const REGION: &str = "GB/T 2260 六位代码，如 210100；境外写 000000";

const ACHIEVEMENTS: &[Column] = &[
    col("成果名称", "title", "/title", R::Text, "高镍三元正极材料包覆改性技术", "4–120 字")
        .required(),
    col(
        "成果简介",
        "abstract",
        "/abstract",
        R::Text,
        "采用快离子导体对高镍三元正极材料表面均匀包覆，抑制界面副反应，循环寿命提高一倍。",
        "20–5000 字",
    )
    .required(),
    col("关键词", "keywords", "/keywords", R::Words, "正极材料;包覆", "以分号隔开，至多 10 个")
        .required(),
    col("技术领域", "field", "/field", R::Code(labels::<Field>), "新材料及其应用", "代码或名称")
        .required(),
    col("所处阶段", "stage", "/stage", R::Code(labels::<Stage>), "中期阶段", "代码或名称")
        .required(),
    col("技术成熟度", "trl", "/trl", R::Integer, "6", "1–9 级，须与所处阶段相符").required(),
    col("知识产权类型", "ip_kind", "/ip_kind", R::Code(labels::<IpKind>), "发明专利", "代码或名称"),
    col("专利号", "patents", "/patents", R::Words, "", "以分号隔开"),
    col(
        "转化方式",
        "transfer_modes",
        "/transfer_modes",
        R::Codes(labels::<TransferMode>),
        "技术许可;合作开发",
        "代码或名称，以分号隔开",
    )
    .required(),
    col("价格(元)", "price", "/price_fen", R::Yuan, "1200000.00", "以元为单位，至多两位小数"),
    col("价格面议", "price_negotiable", "/price_negotiable", R::Boolean, "是", "是或否").required(),
    col(
        "所在区划",
        "region_code",
        "/region_code",
        R::Plain,
        "210100",
        "六位代码；不填取单位所在地",
    ),
    col("行业", "industry", "/industry", R::Plain, "C38", INDUSTRY),
    col("创新链", "chain", "/chain", R::Code(labels::<Chain>), "", "代码或名称"),
    col("详细说明", "details", "/details", R::Text, "", "至多 20000 字"),
    col("有效期至", "expires_on", "/expires_on", R::Day, "2027-12-31", "日期"),
    col("单位编号", "organization_id", "/organization_id", R::Plain, "", "属于多个单位时填写")
        .hidden(),
    col("价格(分)", "price_fen", "/price_fen", R::Fen, "", "").hidden(),
];

const DEMANDS: &[Column] = &[
    col("需求名称", "title", "/title", R::Text, "动力电池正极材料循环寿命提升", "4–120 字")
        .required(),
    col(
        "需求描述",
        "description",
        "/description",
        R::Text,
        "现用三元正极材料在 45 ℃ 下循环 800 次后容量衰减到 78 %，希望延长寿命。",
        "20–5000 字",
    )
    .required(),
    col("关键词", "keywords", "/keywords", R::Words, "正极材料;循环寿命", "以分号隔开，至多 10 个")
        .required(),
    col("技术领域", "field", "/field", R::Code(labels::<Field>), "新材料及其应用", "代码或名称")
        .required(),
    col("需求类型", "kind", "/kind", R::Code(labels::<DemandKind>), "关键技术研发", "代码或名称")
        .required(),
    col(
        "合作方式",
        "cooperation_modes",
        "/cooperation_modes",
        R::Codes(labels::<CooperationMode>),
        "委托开发;技术许可",
        "代码或名称，以分号隔开",
    )
    .required(),
    col(
        "技术指标",
        "indicators",
        "/indicators",
        R::Indicators,
        "循环寿命:≥3000 次",
        "写作“名称:目标”，以分号隔开",
    ),
    col("预算(元)", "budget", "/budget_fen", R::Yuan, "2000000.00", "以元为单位，至多两位小数"),
    col("预算面议", "budget_negotiable", "/budget_negotiable", R::Boolean, "否", "是或否")
        .required(),
    col("截止日期", "deadline", "/deadline", R::Day, "2027-06-30", "日期"),
    col("最低成熟度", "min_trl", "/min_trl", R::Integer, "6", "1–9 级"),
    col(
        "所在区划",
        "region_code",
        "/region_code",
        R::Plain,
        "210200",
        "六位代码；不填取单位所在地",
    ),
    col("行业", "industry", "/industry", R::Plain, "C38", INDUSTRY),
    col("创新链", "chain", "/chain", R::Code(labels::<Chain>), "", "代码或名称"),
    col(
        "可见范围",
        "visibility",
        "/visibility",
        R::Code(labels::<Visibility>),
        "公开",
        "代码或名称",
    )
    .required(),
    col("指定经纪人", "broker_ids", "/broker_ids", R::Words, "", "经纪人编号，以分号隔开").hidden(),
    col("单位编号", "organization_id", "/organization_id", R::Plain, "", "属于多个单位时填写")
        .hidden(),
    col("预算(分)", "budget_fen", "/budget_fen", R::Fen, "", "").hidden(),
];

const CONTRACTS: &[Column] = &[
    col("合同编号", "contract_no", "/contract_no", R::Plain, "", "双方自编的编号"),
    col("合同名称", "title", "/title", R::Text, "高镍三元正极材料包覆工艺委托开发", "2–200 字")
        .required(),
    col(
        "合同类别",
        "category",
        "/category",
        R::Code(labels::<Category>),
        "技术开发",
        "代码或名称；不填按细类确定",
    ),
    col(
        "合同细类",
        "subcategory",
        "/subcategory",
        R::Code(labels::<Subcategory>),
        "委托开发",
        "代码或名称",
    )
    .required(),
    col("卖方名称", "seller_name", "/seller/name", R::Text, "", "卖方各列都不填即为本单位"),
    col(
        "卖方信用代码",
        "seller_uscc",
        "/seller/uscc",
        R::Plain,
        "",
        "18 位；填本单位代码即为本单位",
    ),
    col("卖方区划", "seller_region_code", "/seller/region_code", R::Plain, "", REGION),
    col(
        "卖方类别",
        "seller_party_type",
        "/seller/party_type",
        R::Code(labels::<PartyType>),
        "",
        "代码或名称",
    ),
    col("买方名称", "buyer_name", "/buyer/name", R::Text, "渤海示例装备有限公司", "2–200 字"),
    col(
        "买方信用代码",
        "buyer_uscc",
        "/buyer/uscc",
        R::Plain,
        "91210200F0000000XK",
        "18 位；自然人与境外方不填",
    ),
    col("买方区划", "buyer_region_code", "/buyer/region_code", R::Plain, "210200", REGION),
    col(
        "买方类别",
        "buyer_party_type",
        "/buyer/party_type",
        R::Code(labels::<PartyType>),
        "企业",
        "代码或名称",
    ),
    col(
        "中介方名称",
        "intermediary_name",
        "/intermediary/name",
        R::Text,
        "",
        "没有中介方则各列都不填",
    ),
    col("中介方信用代码", "intermediary_uscc", "/intermediary/uscc", R::Plain, "", "18 位"),
    col(
        "中介方区划",
        "intermediary_region_code",
        "/intermediary/region_code",
        R::Plain,
        "",
        REGION,
    ),
    col(
        "中介方类别",
        "intermediary_party_type",
        "/intermediary/party_type",
        R::Code(labels::<PartyType>),
        "",
        "代码或名称",
    ),
    col("签订日期", "signed_on", "/signed_on", R::Day, "2026-03-01", "日期").required(),
    col("生效日期", "effective_on", "/effective_on", R::Day, "2026-03-01", "日期，不早于签订日期")
        .required(),
    col("有效期至", "valid_to", "/valid_to", R::Day, "2028-02-28", "日期，不早于生效日期")
        .required(),
    col("技术领域", "field", "/field", R::Code(labels::<Field>), "新材料及其应用", "代码或名称")
        .required(),
    col(
        "知识产权构成",
        "ip_kinds",
        "/ip_kinds",
        R::Codes(labels::<IpKind>),
        "发明专利",
        "代码或名称，以分号隔开",
    )
    .required(),
    col(
        "计划来源",
        "plan_source",
        "/plan_source",
        R::Code(labels::<PlanSource>),
        "计划外",
        "代码或名称",
    )
    .required(),
    col(
        "社会经济目标",
        "objective",
        "/objective",
        R::Code(labels::<Objective>),
        "工商业发展",
        "代码或名称",
    )
    .required(),
    col("行业", "industry", "/industry", R::Plain, "C38", INDUSTRY).required(),
    col("支付方式", "payment", "/payment", R::Code(labels::<Payment>), "分期支付", "代码或名称")
        .required(),
    col("关联交易", "related_party", "/related_party", R::Boolean, "否", "是或否").required(),
    col(
        "跨境",
        "cross_border",
        "/cross_border",
        R::Code(labels::<CrossBorder>),
        "境内",
        "代码或名称",
    )
    .required(),
    col(
        "成交额(元)",
        "total",
        "/lines",
        R::Total,
        "1200000.00",
        "各项价款之和；只填此列则全部为技术价款",
    ),
    col(
        "技术价款(元)",
        "technology",
        "/lines",
        R::Line(LineKind::Technology),
        "1000000.00",
        "以元为单位，至多两位小数",
    ),
    col(
        "技术载体(元)",
        "carrier",
        "/lines",
        R::Line(LineKind::Carrier),
        "",
        "样机、样品、软件介质等",
    ),
    col("载体数量", "carrier_quantity", "/lines", R::Sets, "", "套数，不填为 1"),
    col(
        "设备(元)",
        "equipment",
        "/lines",
        R::Line(LineKind::Equipment),
        "200000.00",
        "不计入技术交易额",
    ),
    col("仪器(元)", "instrument", "/lines", R::Line(LineKind::Instrument), "", "不计入技术交易额"),
    col("零部件(元)", "part", "/lines", R::Line(LineKind::Part), "", "不计入技术交易额"),
    col("原材料(元)", "material", "/lines", R::Line(LineKind::Material), "", "不计入技术交易额"),
    col(
        "其他非技术性费用(元)",
        "other_nontechnical",
        "/lines",
        R::Line(LineKind::OtherNontechnical),
        "",
        "不计入技术交易额",
    ),
    col(
        "登记机构",
        "registrar_id",
        "/registrar_id",
        R::Plain,
        "",
        "登记机构的名称、信用代码或编号",
    )
    .required(),
    col("卖方机构编号", "seller_organization_id", "/seller/organization_id", R::Plain, "", "")
        .hidden(),
    col("买方机构编号", "buyer_organization_id", "/buyer/organization_id", R::Plain, "", "")
        .hidden(),
    col(
        "中介方机构编号",
        "intermediary_organization_id",
        "/intermediary/organization_id",
        R::Plain,
        "",
        "",
    )
    .hidden(),
    col("洽谈编号", "deal_id", "/deal_id", R::Plain, "", "").hidden(),
    col("卖方(JSON)", "seller", "/seller", R::Json, "", "").hidden(),
    col("买方(JSON)", "buyer", "/buyer", R::Json, "", "").hidden(),
    col("中介方(JSON)", "intermediary", "/intermediary", R::Json, "", "").hidden(),
    col("价款(JSON)", "lines", "/lines", R::Json, "", "").hidden(),
    col("佣金(JSON)", "commission", "/commission", R::Json, "", "").hidden(),
];

/// Every column that a table of this kind may have.
pub fn columns(kind: ImportKind) -> &'static [Column] {
    match kind {
        ImportKind::Achievements => ACHIEVEMENTS,
        ImportKind::Demands => DEMANDS,
        ImportKind::Contracts => CONTRACTS,
    }
}

/// The columns of a table that has been opened, with their lists at hand.
pub struct Plan {
    kind: ImportKind,
    pub heads: Heads,
    lists: Vec<Option<Vec<Label>>>,
}

/// Something that is wrong or odd with a row: where in the sheet, and what.
#[derive(Debug, Clone)]
pub struct Spot {
    pub column: usize,
    pub flaw: Flaw,
}

/// A row as the body that the API takes.
#[derive(Debug, Default)]
pub struct Draft {
    pub body: Json,
    pub faults: Vec<Spot>,
    pub warnings: Vec<Spot>,
    /// The columns of the sheet in which the row has something.
    filled: Vec<usize>,
    /// Where parts of the body came from that no column's own pointer tells.
    places: Vec<(String, usize)>,
}

/// 10 亿元 and 100 元: beyond them a unit was mistaken more often than not.
const ODDLY_LARGE: Fen = Fen(100_000_000_000);
const ODDLY_SMALL: Fen = Fen(10_000);

/// The row says of itself that it is an example or a remark.
pub fn is_comment(row: &Row) -> bool {
    matches!(row.cells.first(), Some((_, Value::Text(text))) if text.starts_with(['#', '＃']))
}

impl Plan {
    pub fn names(kind: ImportKind) -> Vec<Name> {
        columns(kind).iter().map(|column| column.name).collect()
    }

    pub fn new(kind: ImportKind, heads: Heads) -> Self {
        Self { kind, heads, lists: columns(kind).iter().map(Column::list).collect() }
    }

    /// The columns that are there: which, where, and the list of its values.
    fn present(&self) -> impl Iterator<Item = (&'static Column, usize, Option<&Vec<Label>>)> {
        let all = columns(self.kind).iter().zip(&self.heads.at).zip(&self.lists);
        all.filter_map(|((column, at), list)| Some((column, (*at)?, list.as_ref())))
    }

    /// The Chinese name of the column at `at`.
    pub fn head(&self, at: usize) -> &'static str {
        self.present().find(|(_, here, _)| *here == at).map_or("", |(column, ..)| column.name.zh)
    }

    /// Reads a row. What is wrong with its cells is said; what is wrong with the whole, its rules say later.
    pub fn draft(&self, row: &Row) -> Draft {
        let filled = row.cells.iter().map(|(at, _)| *at).collect();
        let mut draft = Draft { body: json!({}), filled, ..Draft::default() };
        let mut lines = Lines::default();
        if let Some(column) = self.heads.stray(row) {
            draft.fault(
                column,
                Flaw::new("no_heading", "这一列没有列名；请补上列名，或清空这一列。"),
            );
        }
        for (column, at, list) in self.present() {
            let Some(cell) = row.get(at) else { continue };
            let (found, doubtful) = match read(column, list, cell) {
                Ok(found) => (found, false),
                Err(flaw) => {
                    draft.fault(at, flaw);
                    // something stands in for it, so that all the rest of the row is checked, too
                    match read(column, list, &Value::Text(column.example.to_owned())) {
                        Ok(found) if !column.example.is_empty() => (found, true),
                        _ => continue,
                    }
                }
            };
            match found {
                Read::Part(part) => put(&mut draft.body, column.pointer, part),
                Read::Amount(fen) => {
                    if doubtful {
                        lines.doubtful = true;
                    } else {
                        draft.warn_of_unit(at, fen);
                    }
                    match column.reading {
                        Reading::Line(kind) => lines.all.push((kind, fen, at)),
                        Reading::Total => lines.total = Some((fen, at)),
                        _ => put(&mut draft.body, column.pointer, json!(fen)),
                    }
                }
                Read::Sets(sets) => lines.sets = Some((sets, at)),
            }
        }
        if self.kind == ImportKind::Contracts {
            lines.write(&mut draft);
            own_category(&mut draft.body);
        }
        // as the sheet reads, not as the columns were listed
        draft.faults.sort_by_key(|spot| spot.column);
        draft.warnings.sort_by_key(|spot| spot.column);
        draft
    }

    /// The column of the sheet that `pointer` of the body is from: its own, one that it lies in, or the
    /// first one that lies in it; without any, the first column of the table.
    pub fn place(&self, draft: &Draft, pointer: &str) -> usize {
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let own = draft.places.iter().find(|(known, _)| inside(known, pointer)).map(|(_, at)| *at);
        let filled = |at: &usize| draft.filled.contains(at);
        let all = || self.present().map(|(column, at, _)| (column.pointer, at));
        own.or_else(|| all().filter(|(p, at)| inside(p, pointer) && filled(at)).map(|p| p.1).next())
            .or_else(|| all().find(|(p, _)| inside(p, pointer)).map(|p| p.1))
            .or_else(|| {
                all().filter(|(p, at)| inside(pointer, p) && filled(at)).map(|p| p.1).next()
            })
            .or_else(|| all().find(|(p, _)| inside(pointer, p)).map(|p| p.1))
            .or_else(|| all().map(|p| p.1).min())
            .unwrap_or_default()
    }
}

impl Draft {
    fn fault(&mut self, column: usize, flaw: Flaw) {
        self.faults.push(Spot { column, flaw });
    }

    fn warn_of_unit(&mut self, column: usize, fen: Fen) {
        let why = if fen >= ODDLY_LARGE {
            "达到或超过 10 亿元"
        } else if fen < ODDLY_SMALL && fen > Fen::ZERO {
            "不足 100 元"
        } else {
            return;
        };
        let detail = format!("金额 {} 元{why}：请确认是以元为单位，不是万元或分。", fen.in_yuan());
        self.warnings.push(Spot { column, flaw: Flaw::new("odd_amount", detail) });
    }
}

/// What came out of a cell.
enum Read {
    Part(Json),
    Amount(Fen),
    Sets(i64),
}

fn read(column: &Column, list: Option<&Vec<Label>>, cell: &Value) -> Result<Read, Flaw> {
    let list = list.map(Vec::as_slice).unwrap_or_default();
    Ok(Read::Part(match column.reading {
        Reading::Text => json!(cell.text()?),
        Reading::Plain => json!(cell.code()?),
        Reading::Day => json!(cell.day()?),
        Reading::Integer => json!(cell.integer()?),
        Reading::Boolean => json!(cell.boolean()?),
        Reading::Fen => json!(cell.integer()?),
        Reading::Yuan | Reading::Line(_) | Reading::Total => return Ok(Read::Amount(cell.fen()?)),
        Reading::Sets => return Ok(Read::Sets(cell.integer()?)),
        Reading::Code(_) => json!(slug(list, &cell.code()?)?),
        Reading::Codes(_) => {
            let text = cell.text()?;
            let all: Result<Vec<_>, Flaw> =
                parts(&text).map(|part| slug(list, &folded(part))).collect();
            json!(all?)
        }
        Reading::Words => json!(parts(&cell.text()?).collect::<Vec<_>>()),
        Reading::Indicators => {
            let text = cell.text()?;
            let indicator = |part: &str| match part.split_once([':', '：']) {
                Some((name, target)) => Ok(json!({ "name": name.trim(), "target": target.trim() })),
                None => Err(Flaw::new("bad_format", "指标应写作“名称:目标”，多项以分号隔开。")),
            };
            Json::Array(parts(&text).map(indicator).collect::<Result<_, _>>()?)
        }
        Reading::Json => serde_json::from_str(&cell.text()?)
            .map_err(|_| Flaw::new("malformed_json", "应为 JSON。"))?,
    }))
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '；', '\n']).map(str::trim).filter(|part| !part.is_empty())
}

/// The slug of what a cell calls by its slug, its Chinese or its English label; `5` is `05`.
fn slug(list: &[Label], told: &str) -> Result<&'static str, Flaw> {
    let padded = format!("{told:0>2}");
    let is = |label: &&Label| {
        label.code == told
            || folded(label.zh) == told
            || label.en.eq_ignore_ascii_case(told)
            || label.code.eq_ignore_ascii_case(told)
            || (told.len() == 1 && label.code == padded)
    };
    list.iter().find(is).map(|label| label.code).ok_or_else(|| {
        let all: Vec<_> = list.iter().map(|label| label.zh).collect();
        Flaw::new("not_in_list", format!("不在允许的取值之内：{}。", all.join("、")))
    })
}

/// Sets `part` at `pointer`, making the objects on the way.
fn put(body: &mut Json, pointer: &str, part: Json) {
    let mut here = body;
    for name in pointer.split('/').skip(1) {
        if !here.is_object() {
            *here = Json::Object(Map::new());
        }
        let Json::Object(fields) = here else { return };
        here = fields.entry(name.to_owned()).or_insert(Json::Null);
    }
    *here = part;
}

/// What the columns of amounts say.
#[derive(Default)]
struct Lines {
    all: Vec<(LineKind, Fen, usize)>,
    sets: Option<(i64, usize)>,
    total: Option<(Fen, usize)>,
    /// An amount could not be read, and another one stands in for it.
    doubtful: bool,
}

impl Lines {
    /// Writes the lines of the price, and checks that they come to the total.
    fn write(mut self, draft: &mut Draft) {
        if let Some(given) = draft.body.get("lines") {
            let sum = given.as_array().map(|all| {
                Fen::sum(all.iter().filter_map(|line| line.get("amount_fen")?.as_i64()).map(Fen))
            });
            if let (Some((total, at)), Some(sum), false) = (self.total, sum, self.doubtful) {
                check_total(draft, total, at, sum);
            }
            if let Some((_, _, at)) = self.all.first() {
                draft.fault(*at, Flaw::new("two_forms", "已给出 lines 列时，不再填写各项价款。"));
            }
            return;
        }
        self.all.retain(|(_, fen, _)| *fen > Fen::ZERO);
        match self.total {
            Some((total, at)) if self.all.is_empty() => {
                self.all.push((LineKind::Technology, total, at));
            }
            Some(_) if self.doubtful => {}
            Some((total, at)) => {
                check_total(draft, total, at, Fen::sum(self.all.iter().map(|line| line.1)));
            }
            None => {}
        }
        let carrier = |kind: LineKind| kind == LineKind::Carrier;
        if let Some((_, at)) = self.sets
            && !self.all.iter().any(|line| carrier(line.0))
        {
            draft.fault(at, Flaw::new("no_carrier", "填了载体数量，但没有技术载体的金额。"));
        }
        let mut lines = Vec::with_capacity(self.all.len());
        for (n, (kind, fen, at)) in self.all.iter().enumerate() {
            let mut line = json!({ "kind": kind, "description": kind.zh(), "amount_fen": fen });
            if let Some((sets, at)) = self.sets.filter(|_| carrier(*kind)) {
                put(&mut line, "/quantity", json!(sets));
                draft.places.push((format!("/lines/{n}/quantity"), at));
            }
            draft.places.push((format!("/lines/{n}"), *at));
            lines.push(line);
        }
        if !lines.is_empty() {
            put(&mut draft.body, "/lines", Json::Array(lines));
        }
    }
}

fn check_total(draft: &mut Draft, total: Fen, at: usize, sum: Option<Fen>) {
    if sum != Some(total) {
        let sum = sum.map_or_else(|| "超出范围".to_owned(), |sum| format!("{} 元", sum.in_yuan()));
        let detail = format!("成交额 {} 元与各项价款之和（{sum}）不符。", total.in_yuan());
        draft.fault(at, Flaw::new("total_mismatch", detail));
    }
}

/// The sub-class says which class it is of. Where there is none, that is fault enough.
fn own_category(body: &mut Json) {
    if body.get("category").is_none() {
        let sub = body.get("subcategory").and_then(Json::as_str).and_then(Subcategory::from_slug);
        put(body, "/category", json!(sub.map_or(Category::Development, Subcategory::category)));
    }
}
