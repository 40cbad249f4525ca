//! 月调度, 季通报 and 年排名: the statistics of a period on one paper, as JSON, as a workbook or for print.
//!
//! A report counts nothing itself. It asks the statistics, with the eyes of whoever asks for the report, and
//! keeps with every table the call and the digest of the answer: anybody may ask again and compare.
mod calls;
mod html;
mod tables;
mod words;
mod xlsx;

use super::{
    Grids,
    decimal::Decimal,
    indicators::Indicator,
    model::{
        Asked, By, ConversionAsked, CutOff, Figure, FigureUnit, FigureValue, Flow, FlowsAsked,
        FunnelAsked, Level, MarketFunnel, Month, Pace, Progress, RankLevel, RankingsAsked, Report,
        ReportAsked, ReportKind, ReportSection, Row, Target, Turnover,
    },
    rules,
    service::{
        flows, funnel, rankings, targets,
        turnover::{self, digest},
    },
    store,
};
use crate::{
    codes,
    kernel::{Actor, Code, Day, DbConn, Fen, Lang, Moment, Result, money},
    markets::regions::LIAONING,
};
use tables::Desk;
use words::Words;

pub use html::page;
pub use xlsx::workbook;

/// Flows that an annual report lists.
const MOST_FLOWS: usize = 15;

codes! {
    /// The unit that the amounts of a table are shown in.
    pub enum Money {
        Wan = "wan" "万元" "CNY 10,000",
        Yi = "yi" "亿元" "CNY 100 million",
    }
}

impl Money {
    /// 亿元 where the largest amount of a table has two digits of them.
    fn of(figure: &Figure) -> Self {
        let fen = |n: usize| figure.columns.get(n).is_some_and(|c| c.unit == FigureUnit::Fen);
        let cells = figure.rows.iter().flat_map(|row| row.cells.iter().enumerate());
        let largest = cells.filter_map(|(n, cell)| match cell {
            FigureValue::Whole(value) if fen(n) => Some(value.unsigned_abs()),
            _ => None,
        });
        let ten_yi = money::FEN_PER_YI.unsigned_abs() * 10;
        if largest.max().is_some_and(|most| most >= ten_yi) { Self::Yi } else { Self::Wan }
    }
    fn show(self, fen: i64) -> String {
        match self {
            Self::Wan => Fen(fen).in_wan(),
            Self::Yi => Fen(fen).in_yi(),
        }
    }
}

/// Who asks for a report, and of what.
struct Maker<'a> {
    conn: &'a mut DbConn,
    grids: &'a Grids,
    actor: Option<&'a Actor>,
    asked: &'a ReportAsked,
    now: Moment,
}

impl Maker<'_> {
    fn turnover(&mut self, (from, to): (Month, Month), flow: Flow, by: By) -> Result<Turnover> {
        let region = Some(self.asked.region.clone());
        let asked = Asked { region, from, to, flow, by, basis: self.asked.basis, compared: true };
        turnover::turnover(self.conn, self.grids, self.actor, asked, self.now)
    }

    fn funnel(&mut self, (from, to): (Month, Month), as_of: Day) -> Result<MarketFunnel> {
        let region = Some(self.asked.region.clone());
        let asked = FunnelAsked { region, from, to, flow: Flow::Output, field: None, as_of };
        funnel::funnel(self.conn, self.actor, asked, self.now)
    }

    /// The next level below the region, where there is one that is ranked.
    fn level(&self) -> Option<RankLevel> {
        let region = &self.asked.region;
        if *region == *LIAONING {
            Some(RankLevel::City)
        } else {
            (region.city().as_ref() == Some(region)).then_some(RankLevel::County)
        }
    }

    /// Targets in force in a year and where they stand at the end of `as_of`, turnover first; and how many
    /// there are of which the market counts nothing.
    fn targets(&mut self, year: i32, as_of: Day) -> Result<(Vec<(Target, Progress)>, usize)> {
        let of_year = store::in_force(self.conn, &self.asked.region, i64::from(year))?;
        let (mut standing, mut uncounted) = (Vec::new(), 0);
        for target in of_year {
            let when = (as_of, self.now.day());
            let progress = targets::progress(self.conn, self.grids, self.actor, target.id, when)?;
            if progress.actual.is_some() || rules::is_turnover(&target) {
                standing.push((target, progress));
            } else {
                uncounted += 1;
            }
        }
        let order = |t: &Target| (t.indicator != Indicator::Turnover, t.document_issued_on, t.id);
        standing.sort_by_key(|(target, _)| order(target));
        Ok((standing, uncounted))
    }
}

/// The report of a period, with what this caller may not see left out.
pub fn report(
    conn: &mut DbConn,
    grids: &Grids,
    actor: Option<&Actor>,
    asked: ReportAsked,
    lang: Lang,
    now: Moment,
) -> Result<Report> {
    turnover::place_of(Some(&asked.region))?;
    let words = Words(lang);
    let insider = rules::sees_all(actor, Some(&asked.region));
    let desk = Desk { words, today: now.day(), insider };
    let mut maker = Maker { conn, grids, actor, asked: &asked, now };
    let position = store::position(maker.conn)?;
    let day = asked.to.last_day().unwrap_or(now.day()).min(now.day());
    let period = (asked.from, asked.to);
    let to_date = (Month::january(asked.to.year()), asked.to);
    let t = |zh: &'static str, en: &'static str| words.pick(zh, en).to_owned();

    let whole_year = period == to_date;
    let now_headline = maker.turnover(period, Flow::Output, By::Month)?;
    let mut overview = vec![desk.headline("headline", words.period(&asked), &now_headline)];
    let by_month = maker.turnover(to_date, Flow::Output, By::Month)?;
    if !whole_year {
        let name = words.since_january(asked.to);
        overview.push(desk.headline("headline_to_date", name, &by_month));
    }

    let (standing, uncounted) = maker.targets(asked.to.year(), day)?;
    let (of_money, others): (Vec<_>, Vec<_>) =
        standing.iter().map(|(t, p)| (t, p)).partition(|(t, _)| t.indicator.unit() == "fen");
    let mut goals = Vec::new();
    if !of_money.is_empty() {
        let name = t("成交额目标", "Targets of turnover");
        goals.push(desk.targets("targets", name, &of_money, true)?);
    }
    if !others.is_empty() {
        let name = t("其他指标", "Other targets");
        goals.push(desk.targets("other_targets", name, &others, false)?);
    }

    let lines: Vec<&Target> = of_money
        .iter()
        .map(|(target, _)| *target)
        .filter(|target| tables::has_line(target, &by_month.query))
        .collect();
    let name = t("逐月成交额与累计", "By month and cumulative");
    let months = vec![desk.months("months", name, &by_month, &lines)?];

    let mut structure = Vec::new();
    let mut dimensions = vec![
        ("category", By::Category, t("按合同类别", "By category"), true),
        ("subcategory", By::Subcategory, t("按合同子类", "By sub-category"), false),
        ("field", By::Field, t("按技术领域", "By technical field"), true),
        ("seller_type", By::SellerType, t("按卖方类型", "By kind of seller"), false),
        ("buyer_type", By::BuyerType, t("按买方类型", "By kind of buyer"), false),
        ("ip_kind", By::IpKind, t("按知识产权类型", "By kind of IP"), false),
        ("plan_source", By::PlanSource, t("按计划来源", "By plan source"), false),
    ];
    if asked.kind == ReportKind::Annual {
        let name = t("按社会经济目标", "By socio-economic objective");
        dimensions.push(("objective", By::Objective, name, false));
    }
    for (key, by, name, chart) in dimensions {
        let answer = maker.turnover(period, Flow::Output, by)?;
        structure.push(desk.breakdown(key, name, &answer, chart));
    }

    let conversion = turnover::conversion(
        maker.conn,
        grids,
        actor,
        ConversionAsked {
            region: Some(asked.region.clone()),
            from: asked.from,
            to: asked.to,
            basis: asked.basis,
        },
        now,
    )?;
    let name = t("输出、吸纳与本地转化", "Output, absorbed and local");
    let mut exchange = vec![desk.conversion("conversion", name, &conversion)];
    if asked.kind == ReportKind::Annual && asked.region == *LIAONING {
        let level = Level::City;
        let question = FlowsAsked { level, from: asked.from, to: asked.to, basis: asked.basis };
        let answer = flows::flows(maker.conn, grids, actor, question, now)?;
        let name = t("主要跨地区流向", "Largest flows between regions");
        exchange.push(desk.flows("flows", name, &answer, MOST_FLOWS));
    }

    let mut places = Vec::new();
    if let Some(level) = maker.level() {
        for (key, flow, name) in [
            ("ranking_output", Flow::Output, t("技术输出排名", "Ranking by output")),
            ("ranking_absorbed", Flow::Absorbed, t("技术吸纳排名", "Ranking by what was absorbed")),
        ] {
            let question = RankingsAsked {
                level,
                within: Some(asked.region.clone()),
                period: asked.period.clone(),
                from: asked.from,
                to: asked.to,
                flow,
                basis: asked.basis,
            };
            let answer = rankings::rankings(maker.conn, grids, actor, question, now)?;
            places.push(desk.ranking(key, name, &answer));
        }
    }

    let steps = maker.funnel(to_date, day)?;
    let name = t("从发布到合同登记", "From listing to registered contract");
    let funnel_table = vec![desk.funnel("funnel", name, &steps)];

    let mut lag = Vec::new();
    let mut behind = Vec::new();
    if asked.kind == ReportKind::Monthly {
        let since = words.since_january(asked.to);
        let spans = [
            ("lag_regions", By::Region, t("按地区", "By region")),
            ("lag_fields", By::Field, t("按技术领域", "By technical field")),
            ("lag_categories", By::Category, t("按合同类别", "By category")),
        ];
        for (key, by, name) in spans {
            let answer = maker.turnover(to_date, Flow::Output, by)?;
            let colon = words.pick("：", ": ");
            lag.push(desk.lag(key, format!("{since}{colon}{name}"), &answer));
            behind.extend(worst(&words, by, &answer));
        }
    }

    let name = words.period(&asked);
    let since = if whole_year { name.clone() } else { words.since_january(asked.to) };
    let spans = [(name.as_str(), &now_headline), (since.as_str(), &by_month)];
    let findings = findings(&words, spans, &of_money, &steps, behind);
    let section = |key, zh: &'static str, en: &'static str, figures: Vec<Figure>| ReportSection {
        key,
        title: t(zh, en),
        figures,
    };
    let overview = section("overview", "总体情况", "Overview", overview);
    let goals = section("targets", "目标进度", "Targets", goals);
    let months = section("months", "逐月走势", "By month", months);
    let structure = section("structure", "成交结构", "Structure", structure);
    let exchange = section("exchange", "输出吸纳", "Output and absorbed", exchange);
    let places = section("ranking", "地区排名", "Ranking", places);
    let steps = section("funnel", "转化漏斗", "Funnel", funnel_table);
    let lag = section("lag", "滞后分析", "What lags", lag);
    // what each rhythm is for comes first
    let sections = match asked.kind {
        ReportKind::Monthly => {
            vec![overview, goals, lag, months, steps, places, structure, exchange]
        }
        ReportKind::Quarterly => {
            vec![overview, goals, months, structure, exchange, places, steps, lag]
        }
        ReportKind::Annual => {
            vec![places, overview, goals, months, structure, exchange, steps, lag]
        }
    };
    let sections: Vec<ReportSection> =
        sections.into_iter().filter(|s| !s.figures.is_empty()).collect();
    let told: Vec<_> = sections
        .iter()
        .flat_map(|s| &s.figures)
        .map(|f| (f.key, f.sources.iter().map(|s| (&s.query, &s.digest)).collect::<Vec<_>>()))
        .collect();
    let digest = digest(&(&asked, day, told))?;
    Ok(Report {
        title: words.title(&asked),
        period_name: words.period(&asked),
        cut_off: CutOff { day, position },
        findings,
        notes: notes(&words, &sections, uncounted),
        call: calls::report(&asked),
        as_of: now,
        digest,
        sections,
        query: asked,
    })
}

/// How a share is said: `10.12%`, always with two decimals.
fn percent(ratio: Decimal) -> String {
    let Some(all) = ratio.at_scale(4) else { return ratio.to_string() };
    let (sign, all) = (if all < 0 { "-" } else { "" }, all.unsigned_abs());
    format!("{sign}{}.{:02}%", all / 100, all % 100)
}

/// What a headline comes to, in a sentence.
fn headline(words: &Words, span: &str, total: &Row) -> Option<String> {
    let (contracts, fen) = total.contracts.zip(total.total_fen)?;
    let yi = Fen(fen).in_yi();
    let growth = total.compared.as_ref().and_then(|g| Some((g.until, g.growth?)));
    Some(match words.0 {
        Lang::Zh => {
            let growth = growth.map_or_else(String::new, |(until, g)| {
                format!("，截至 {until} 同比 {}", percent(g))
            });
            format!("{span}登记技术合同 {contracts} 项，成交额 {yi} 亿元{growth}。")
        }
        Lang::En => {
            let growth = growth.map_or_else(String::new, |(until, g)| {
                format!(", {} on the year before up to {until}", percent(g))
            });
            format!("{span}: {contracts} contracts registered, {yi} 亿元{growth}.")
        }
    })
}

/// The row that lost most on the year before, in a sentence.
fn worst(words: &Words, by: By, answer: &Turnover) -> Option<String> {
    let lost =
        |row: &Row| row.compared.as_ref().map(|g| g.current_fen.saturating_sub(g.previous_fen));
    let row = answer.rows.iter().filter(|r| lost(r).is_some()).min_by_key(|r| lost(r))?;
    let less = lost(row).filter(|fen| *fen < 0)?.saturating_neg();
    let (name, yi) = (words.row(by, row), Fen(less).in_yi());
    Some(match words.0 {
        Lang::Zh => format!("按{}看，{name}同比减少最多，少 {yi} 亿元。", by.zh()),
        Lang::En => format!("By {}, {name} lost most on the year before: {yi} 亿元.", by.en()),
    })
}

fn findings(
    words: &Words,
    spans: [(&str, &Turnover); 2],
    goals: &[(&Target, &Progress)],
    funnel: &MarketFunnel,
    behind: Vec<String>,
) -> Vec<String> {
    let [(name, period), (since, to_date)] = spans;
    let mut told: Vec<String> = headline(words, name, &period.total).into_iter().collect();
    if name != since {
        told.extend(headline(words, since, &to_date.total));
    }
    told.extend(goals.iter().filter_map(|(target, progress)| stands(words, target, progress)));
    told.extend(behind);
    let steps = funnel.steps.iter().filter(|s| s.entered.is_some_and(|n| n > 0));
    let narrow = steps.filter(|s| s.rate.is_some()).min_by(|a, b| {
        let rate = |d: Option<Decimal>| d.and_then(|d| d.at_scale(4));
        rate(a.rate).cmp(&rate(b.rate))
    });
    if let Some((step, rate)) = narrow.and_then(|s| Some((s, s.rate?))) {
        let (from, to) = (words.code(step.from), words.code(step.to));
        let (rate, days) = (percent(rate), step.median_days);
        told.push(match words.0 {
            Lang::Zh => {
                let days = days.map_or_else(String::new, |d| format!("，用时中位数 {d} 天"));
                format!("转化漏斗中“{from} → {to}”一步转化率最低，为 {rate}{days}。")
            }
            Lang::En => {
                let days = days.map_or_else(String::new, |d| format!(", median {d} days"));
                format!("The narrowest step of the funnel is {from} → {to}: {rate}{days}.")
            }
        });
    }
    told
}

/// Where a target of turnover stands, in a sentence.
fn stands(words: &Words, target: &Target, progress: &Progress) -> Option<String> {
    let (actual, ratio) = progress.actual.zip(progress.ratio)?;
    let expected = progress.expected_by_now?.at_scale(0)?;
    let gap = actual.at_scale(0)?.saturating_sub(expected);
    let (name, ratio, pace) = (words.target(target), percent(ratio), progress.pace?);
    let yi = Fen(gap.saturating_abs()).in_yi();
    let until = progress.as_of;
    Some(match words.0 {
        Lang::Zh => {
            let side = if gap < 0 { "欠" } else { "超" };
            let mut told = format!(
                "{name}：截至 {until} 完成 {ratio}，{side}序时进度 {yi} 亿元，{}",
                pace.zh()
            );
            match progress.required_per_month.and_then(|d| d.at_scale(0)) {
                Some(fen) if pace == Pace::Behind => {
                    told.push_str(&format!("；余期月均需 {} 亿元。", Fen(fen).in_yi()));
                }
                _ => told.push('。'),
            }
            told
        }
        Lang::En => {
            let side = if gap < 0 { "behind" } else { "ahead of" };
            format!(
                "{name}: {ratio} by {until}, {yi} 亿元 {side} the straight line ({}).",
                pace.en()
            )
        }
    })
}

fn notes(words: &Words, sections: &[ReportSection], uncounted: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let rows = sections.iter().flat_map(|s| &s.figures).flat_map(|f| &f.rows);
    if rows.clone().any(|row| row.suppressed) {
        notes.push(
            words
                .pick(
                    "“—”：合同不足 3 项、单项占比达 85% 以上，或公布后可推算出上述数据的，按统计保密规则不予公布，不是零。",
                    "“—”: fewer than 3 contracts, or one of 85 per cent or more, or a figure that would give such a one away. It is not published, and it is not zero.",
                )
                .to_owned(),
        );
    }
    if uncounted > 0 {
        notes.push(match words.0 {
            Lang::Zh => format!("另有 {uncounted} 项有效目标所涉指标平台没有实际值，未列入。"),
            Lang::En => format!(
                "{uncounted} more targets are in force of which the platform has no actual figure."
            ),
        });
    }
    notes.push(
        words
            .pick(
                "每张表下列出取数地址与摘要：以同样身份再次请求该地址，数据未变则摘要相同。金额以分存储，表中按万元或亿元显示。",
                "Below each table stand its call and digest: the same caller who asks again gets the same digest as long as nothing has changed. Amounts are kept in fen and shown in units of 10,000 or 100 million yuan.",
            )
            .to_owned(),
    );
    notes
}

/// The name of a report's file, without its extension.
pub fn file_name(report: &Report) -> String {
    format!("{}_{}", report.title, report.query.period)
}

/// A value as a reader sees it.
fn shown(value: &FigureValue, unit: FigureUnit, money: Money) -> String {
    match (value, unit) {
        (FigureValue::Hidden, _) => "—".to_owned(),
        (FigureValue::Nothing, _) => String::new(),
        (FigureValue::Text(text), _) => text.clone(),
        (FigureValue::Whole(fen), FigureUnit::Fen) => money.show(*fen),
        (FigureValue::Whole(n), FigureUnit::Change) if *n > 0 => format!("↑{n}"),
        (FigureValue::Whole(n), FigureUnit::Change) if *n < 0 => format!("↓{}", n.unsigned_abs()),
        (FigureValue::Whole(_), FigureUnit::Change) => "→".to_owned(),
        (FigureValue::Whole(n), _) => n.to_string(),
        (FigureValue::Decimal(d), FigureUnit::Ratio) => percent(*d),
        (FigureValue::Decimal(d), _) => d.to_string(),
    }
}
