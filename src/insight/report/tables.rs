//! Answers of the statistics as tables of a report. Pure.
use std::{cmp::Reverse, collections::BTreeMap};

use super::{calls, words::Words};
use crate::{
    insight::{
        decimal::Decimal,
        model::{
            Asked, By, Conversion, CutOff, Figure, FigureCall, FigureChart, FigureColumn,
            FigureRow, FigureUnit, FigureValue, Flows, Growth, MarketFunnel, Month, Progress,
            Rankings, Row, Target, Turnover,
        },
        places, rules,
    },
    kernel::{Code, Day, Result},
};

use FigureValue::{Hidden, Nothing, Text};

/// What a table needs to know beside its answer.
#[derive(Clone, Copy)]
pub struct Desk {
    pub words: Words,
    pub today: Day,
    /// The caller sees everything: what is missing is not there, rather than hidden.
    pub insider: bool,
}

/// One column: key, Chinese, English, unit.
type Spec = (&'static str, &'static str, &'static str, FigureUnit);

const LABEL: Spec = ("label", "项目", "Item", FigureUnit::Text);
const CONTRACTS: Spec = ("contracts", "合同数（项）", "Contracts", FigureUnit::Count);
const TOTAL: Spec = ("total_fen", "成交额", "Turnover", FigureUnit::Fen);
const TECH: Spec = ("tech_fen", "技术交易额", "Technology amount", FigureUnit::Fen);
const SHARE: Spec = ("share", "占比", "Share", FigureUnit::Ratio);
const CURRENT: Spec = ("current_fen", "本期（同口径）", "This year to the day", FigureUnit::Fen);
const PREVIOUS: Spec = ("previous_fen", "上年同期", "Year before to the day", FigureUnit::Fen);
const GROWTH: Spec = ("growth", "同比", "Growth", FigureUnit::Ratio);

impl Desk {
    fn columns(&self, specs: &[Spec]) -> Vec<FigureColumn> {
        specs
            .iter()
            .map(|(key, zh, en, unit)| FigureColumn {
                key,
                label: self.words.pick(zh, en).to_owned(),
                unit: *unit,
            })
            .collect()
    }

    /// What is not told of a visible row: the year before, where it may not be seen.
    fn missing(&self) -> FigureValue {
        if self.insider { Nothing } else { Hidden }
    }

    fn growth(&self, row: &Row) -> [FigureValue; 2] {
        match &row.compared {
            Some(Growth { previous_fen, growth, .. }) => {
                [FigureValue::Whole(*previous_fen), FigureValue::decimal(*growth, Nothing)]
            }
            None if row.suppressed => [Hidden, Hidden],
            None => [self.missing(), self.missing()],
        }
    }

    fn source(&self, answer: &Turnover) -> FigureCall {
        let asked = &answer.query;
        let until = answer.total.compared.as_ref().map(|g| g.until);
        FigureCall {
            query: calls::turnover(asked),
            digest: answer.digest.clone(),
            cut_off: self.cut_off(asked.to, answer.position),
            basis: self.words.turnover(asked, until),
        }
    }

    fn cut_off(&self, to: Month, position: i64) -> CutOff {
        CutOff { day: to.last_day().unwrap_or(self.today).min(self.today), position }
    }

    /// Contracts, value, technology amount, value per contract and growth of a span of time.
    pub fn headline(&self, key: &'static str, title: String, answer: &Turnover) -> Figure {
        let total = &answer.total;
        let of = |value: Option<i64>| FigureValue::whole(value, Hidden);
        let average = total
            .total_fen
            .zip(total.contracts)
            .map(|(fen, n)| if n > 0 { FigureValue::Whole(rounded(fen, n)) } else { Nothing });
        let share = total
            .tech_fen
            .zip(total.total_fen)
            .map(|(tech, all)| FigureValue::decimal(Decimal::ratio(tech, all), Nothing));
        let [previous, growth] = self.growth(total);
        let row = FigureRow::new(
            "total",
            vec![
                Text(title.clone()),
                of(total.contracts),
                of(total.total_fen),
                of(total.tech_fen),
                share.unwrap_or(Hidden),
                average.unwrap_or(Hidden),
                previous,
                growth,
            ],
        );
        let columns = self.columns(&[
            ("label", "期间", "Period", FigureUnit::Text),
            CONTRACTS,
            TOTAL,
            TECH,
            ("tech_share", "技术交易额占比", "Technology share", FigureUnit::Ratio),
            ("average_fen", "单项均额", "Per contract", FigureUnit::Fen),
            PREVIOUS,
            GROWTH,
        ]);
        one(key, title, columns, vec![row], self.source(answer), None)
    }

    /// The rows of a dimension, the largest first, those that are hidden last.
    pub fn breakdown(
        &self,
        key: &'static str,
        title: String,
        answer: &Turnover,
        chart: bool,
    ) -> Figure {
        let whole = answer.total.total_fen;
        let mut rows: Vec<&Row> = answer.rows.iter().collect();
        rows.sort_by_key(|row| Reverse(row.total_fen));
        let row = |row: &Row, label: String| -> Vec<FigureValue> {
            let of = |value: Option<i64>| FigureValue::whole(value, Hidden);
            let share = match row.total_fen.zip(whole) {
                Some((part, whole)) => FigureValue::decimal(Decimal::ratio(part, whole), Nothing),
                None => Hidden,
            };
            let [previous, growth] = self.growth(row);
            let figures = [of(row.contracts), of(row.total_fen), of(row.tech_fen)];
            let rest = [share, previous, growth];
            [Text(label)].into_iter().chain(figures).chain(rest).collect()
        };
        let mut table: Vec<FigureRow> = rows
            .iter()
            .map(|r| FigureRow::new(&r.key, row(r, self.words.row(answer.query.by, r))))
            .collect();
        if !table.is_empty() {
            let all = self.words.pick("合计", "Total").to_owned();
            table.push(FigureRow::total("total", row(&answer.total, all)));
        }
        let by = answer.query.by;
        let columns = self.columns(&[
            ("label", by.zh(), by.en(), FigureUnit::Text),
            CONTRACTS,
            TOTAL,
            TECH,
            SHARE,
            PREVIOUS,
            GROWTH,
        ]);
        let chart = chart.then_some(if by == By::Category {
            FigureChart::Shares { label: 0, value: 2 }
        } else {
            FigureChart::Bars { label: 0, value: 2 }
        });
        one(key, title, columns, table, self.source(answer), chart)
    }

    /// Every month, with the sum since the first and what a straight line to each target comes to.
    pub fn months(
        &self,
        key: &'static str,
        title: String,
        answer: &Turnover,
        targets: &[&Target],
    ) -> Result<Figure> {
        let asked = &answer.query;
        let told: BTreeMap<&str, &Row> = answer.rows.iter().map(|r| (r.key.as_str(), r)).collect();
        let last = asked.to.min(Month::of(self.today));
        let (mut rows, mut sum, mut month) = (Vec::new(), Some(0i64), asked.from);
        while month <= last {
            let name = month.to_string();
            let row = told.get(name.as_str());
            // a month without a row has no contracts
            let fen = row.map_or(Some(0), |r| r.total_fen);
            sum = match sum.zip(fen) {
                Some((sum, fen)) => Some(sum.checked_add(fen).ok_or_else(past_the_range)?),
                None => None,
            };
            let [previous, growth] = row.map_or_else(|| [Nothing, Nothing], |r| self.growth(r));
            let mut cells = vec![
                Text(name.clone()),
                FigureValue::whole(row.map_or(Some(0), |r| r.contracts), Hidden),
                FigureValue::whole(fen, Hidden),
                FigureValue::whole(row.map_or(Some(0), |r| r.tech_fen), Hidden),
                FigureValue::whole(sum, Hidden),
                previous,
                growth,
            ];
            cells.extend(targets.iter().map(|t| FigureValue::whole(line(t, month), Nothing)));
            rows.push(FigureRow::new(name, cells));
            month = month.next();
        }
        let mut columns = self.columns(&[
            ("label", "月份", "Month", FigureUnit::Text),
            CONTRACTS,
            TOTAL,
            TECH,
            ("cumulative_fen", "累计成交额", "Cumulative", FigureUnit::Fen),
            PREVIOUS,
            GROWTH,
        ]);
        let first = columns.len();
        columns.extend(targets.iter().map(|t| FigureColumn {
            key: "target_line_fen",
            label: self.words.target_line(t),
            unit: FigureUnit::Fen,
        }));
        let lines = [4].into_iter().chain(first..columns.len()).collect();
        let chart = Some(FigureChart::Months { label: 0, value: 2, lines });
        Ok(one(key, title, columns, rows, self.source(answer), chart))
    }

    /// Places with what they gained or lost.
    pub fn ranking(&self, key: &'static str, title: String, answer: &Rankings) -> Figure {
        let rows = answer.rows.iter().map(|p| {
            let of = |value: Option<i64>| {
                FigureValue::whole(value, if p.suppressed { Hidden } else { self.missing() })
            };
            let ratio = |value: Option<Decimal>| {
                FigureValue::decimal(value, if p.suppressed { Hidden } else { self.missing() })
            };
            let name = p.name.clone().unwrap_or_else(|| p.region_code.clone());
            FigureRow::new(
                &p.region_code,
                vec![
                    of(p.place),
                    Text(name),
                    of(p.contracts),
                    of(p.total_fen),
                    ratio(p.share),
                    of(p.previous_fen),
                    // nothing before gives no growth
                    if p.previous_fen.is_some() {
                        FigureValue::decimal(p.growth, Nothing)
                    } else {
                        ratio(None)
                    },
                    of(p.change),
                ],
            )
        });
        let rows = rows.collect();
        let columns = self.columns(&[
            ("place", "位次", "Place", FigureUnit::Count),
            ("label", "地区", "Region", FigureUnit::Text),
            CONTRACTS,
            TOTAL,
            SHARE,
            PREVIOUS,
            GROWTH,
            ("change", "位次变化", "Change of place", FigureUnit::Change),
        ]);
        let source = FigureCall {
            query: calls::rankings(&answer.query),
            digest: answer.digest.clone(),
            cut_off: CutOff { day: answer.until, position: answer.position },
            basis: self.words.ranking(answer),
        };
        let chart = Some(FigureChart::Bars { label: 1, value: 3 });
        one(key, title, columns, rows, source, chart)
    }

    /// Output, absorbed and local, and both rates with their denominators.
    pub fn conversion(&self, key: &'static str, title: String, answer: &Conversion) -> Figure {
        let words = self.words;
        let fen = |value: Option<i64>| FigureValue::whole(value, Hidden);
        let name = |zh, en| Text(words.pick(zh, en).to_owned());
        let amount = |key: &str, zh, en, value| {
            FigureRow::new(key, vec![name(zh, en), fen(value), Nothing, Nothing])
        };
        let rate = |key: &str, (zh, en), value, whole: Option<i64>, (of_zh, of_en)| {
            let seen = answer.local_fen.is_some() && whole.is_some();
            let value = FigureValue::decimal(value, if seen { Nothing } else { Hidden });
            FigureRow::new(key, vec![name(zh, en), Nothing, value, name(of_zh, of_en)])
        };
        let rows = vec![
            amount("output", "技术输出额", "Output (sellers in the region)", answer.output_fen),
            amount(
                "absorbed",
                "技术吸纳额",
                "Absorbed (buyers in the region)",
                answer.absorbed_fen,
            ),
            amount("local", "本地转化额", "Local (both in the region)", answer.local_fen),
            rate(
                "rate_of_output",
                ("本地转化率（占输出）", "Local conversion rate, of the output"),
                answer.rate_of_output,
                answer.output_fen,
                ("技术输出额", "Output"),
            ),
            rate(
                "rate_of_absorbed",
                ("本地转化率（占吸纳）", "Local conversion rate, of what was absorbed"),
                answer.rate_of_absorbed,
                answer.absorbed_fen,
                ("技术吸纳额", "Absorbed"),
            ),
        ];
        let columns = self.columns(&[
            LABEL,
            TOTAL,
            ("rate", "比率", "Rate", FigureUnit::Ratio),
            ("denominator", "分母", "Denominator", FigureUnit::Text),
        ]);
        let source = FigureCall {
            query: calls::conversion(&answer.query),
            digest: answer.digest.clone(),
            cut_off: self.cut_off(answer.query.to, answer.position),
            basis: answer.basis.clone(),
        };
        one(key, title, columns, rows, source, None)
    }

    /// The steps of the funnel.
    pub fn funnel(&self, key: &'static str, title: String, answer: &MarketFunnel) -> Figure {
        let rows = answer.steps.iter().map(|step| {
            let (from, to) = (self.words.code(step.from), self.words.code(step.to));
            let of = |value: Option<i64>| FigureValue::whole(value, Hidden);
            let seen = !step.suppressed;
            let rate = FigureValue::decimal(step.rate, if seen { Nothing } else { Hidden });
            let timed = step.timed.is_some();
            let days = |value| FigureValue::decimal(value, if timed { Nothing } else { Hidden });
            FigureRow::new(
                step.to.slug(),
                vec![
                    Text(format!("{from} → {to}")),
                    of(step.entered),
                    of(step.reached),
                    rate,
                    of(step.ended),
                    of(step.open),
                    days(step.median_days),
                    days(step.p90_days),
                    of(step.timed),
                ],
            )
        });
        let rows = rows.collect();
        let columns = self.columns(&[
            ("label", "环节", "Step", FigureUnit::Text),
            ("entered", "进入（件）", "Entered", FigureUnit::Count),
            ("reached", "到达（件）", "Reached", FigureUnit::Count),
            ("rate", "转化率", "Rate", FigureUnit::Ratio),
            ("ended", "中止（件）", "Ended", FigureUnit::Count),
            ("open", "在办（件）", "Open", FigureUnit::Count),
            ("median_days", "用时中位数（天）", "Median days", FigureUnit::Days),
            ("p90_days", "九成用时（天）", "Nine in ten, days", FigureUnit::Days),
            ("timed", "用时依据（件）", "Cases timed", FigureUnit::Count),
        ]);
        let source = FigureCall {
            query: calls::funnel(&answer.query),
            digest: answer.digest.clone(),
            cut_off: CutOff { day: answer.query.as_of, position: answer.position },
            basis: answer.basis.clone(),
        };
        one(key, title, columns, rows, source, None)
    }

    /// The largest sums that went from one region to another.
    pub fn flows(&self, key: &'static str, title: String, answer: &Flows, most: usize) -> Figure {
        let mut cells: Vec<_> = answer.cells.iter().filter(|c| c.seller != c.buyer).collect();
        cells.sort_by_key(|c| Reverse(c.total_fen));
        let name = |code: &str| Text(places::name(code).unwrap_or_else(|| code.to_owned()));
        let rows = cells.into_iter().take_while(|c| c.total_fen.is_some()).take(most).map(|c| {
            FigureRow::new(
                format!("{}-{}", c.seller, c.buyer),
                vec![
                    name(&c.seller),
                    name(&c.buyer),
                    FigureValue::whole(c.contracts, Hidden),
                    FigureValue::whole(c.total_fen, Hidden),
                    FigureValue::whole(c.tech_fen, Hidden),
                ],
            )
        });
        let rows = rows.collect();
        let columns = self.columns(&[
            ("seller", "卖方地区", "Seller's region", FigureUnit::Text),
            ("buyer", "买方地区", "Buyer's region", FigureUnit::Text),
            CONTRACTS,
            TOTAL,
            TECH,
        ]);
        let source = FigureCall {
            query: calls::flows(&answer.query),
            digest: answer.digest.clone(),
            cut_off: self.cut_off(answer.query.to, answer.position),
            basis: self.words.flows(&answer.query, most),
        };
        one(key, title, columns, rows, source, None)
    }

    /// What fell behind the year before, the furthest first.
    pub fn lag(&self, key: &'static str, title: String, answer: &Turnover) -> Figure {
        let change =
            |row: &Row| row.compared.as_ref().map(|g| g.current_fen.saturating_sub(g.previous_fen));
        let mut rows: Vec<&Row> = answer.rows.iter().collect();
        rows.sort_by_key(|row| (change(row).is_none(), change(row)));
        let rows = rows.into_iter().map(|row| {
            let none = if row.suppressed { Hidden } else { self.missing() };
            let current = row.compared.as_ref().map(|g| g.current_fen);
            let [previous, growth] = self.growth(row);
            let cells = vec![
                Text(self.words.row(answer.query.by, row)),
                FigureValue::whole(current, none.clone()),
                previous,
                FigureValue::whole(change(row), none),
                growth,
            ];
            FigureRow::new(&row.key, cells)
        });
        let rows = rows.collect();
        let by = answer.query.by;
        let columns = self.columns(&[
            ("label", by.zh(), by.en(), FigureUnit::Text),
            CURRENT,
            PREVIOUS,
            ("change_fen", "同比增减", "Change", FigureUnit::Fen),
            GROWTH,
        ]);
        one(key, title, columns, rows, self.source(answer), None)
    }

    /// Where each target stands: sums of money, or other values in their own units.
    pub fn targets(
        &self,
        key: &'static str,
        title: String,
        standing: &[(&Target, &Progress)],
        money: bool,
    ) -> Result<Figure> {
        let value = |d: Option<Decimal>, otherwise: FigureValue| match d {
            None => otherwise,
            Some(d) if money => FigureValue::whole(d.at_scale(0), otherwise),
            Some(d) => FigureValue::Decimal(d),
        };
        let (mut rows, mut sources) = (Vec::new(), Vec::new());
        for (target, progress) in standing {
            let none = self.missing();
            let seen = progress.actual.is_some();
            let gap = progress.actual.zip(progress.expected_by_now).and_then(|(is, ought)| {
                let scale = is.scale().max(ought.scale());
                let more = is.at_scale(scale)?.checked_sub(ought.at_scale(scale)?)?;
                Some(Decimal::new(more, i64::from(scale)))
            });
            let mut cells = vec![
                Text(self.words.target(target)),
                value(Some(progress.value), Nothing),
                value(progress.actual, none.clone()),
                FigureValue::decimal(progress.ratio, none.clone()),
                FigureValue::Decimal(progress.elapsed),
                value(progress.expected_by_now, Nothing),
                value(gap, none.clone()),
                value(progress.required_per_month, if seen { Nothing } else { none.clone() }),
                progress.pace.map_or(none, |pace| Text(self.words.code(pace).to_owned())),
            ];
            if !money {
                cells.insert(1, Text(progress.unit.to_owned()));
            }
            rows.push(FigureRow::new(target.id.to_string(), cells));
            sources.push(FigureCall {
                query: calls::progress(target.id, progress.as_of),
                digest: progress.digest.clone(),
                cut_off: CutOff { day: progress.as_of, position: progress.position },
                basis: progress.basis.clone(),
            });
        }
        let unit = if money { FigureUnit::Fen } else { FigureUnit::Number };
        let mut specs: Vec<Spec> = vec![
            ("label", "目标", "Target", FigureUnit::Text),
            ("value", "目标值", "Value", unit),
            ("actual", "实际完成", "Actual", unit),
            ("ratio", "完成率", "Ratio", FigureUnit::Ratio),
            ("elapsed", "时间进度", "Elapsed", FigureUnit::Ratio),
            ("expected_by_now", "序时应达", "Expected by now", unit),
            ("gap", "超（欠）序时", "Ahead of it", unit),
            ("required_per_month", "余期月均需", "Required per month", unit),
            ("pace", "进度", "Pace", FigureUnit::Text),
        ];
        if !money {
            specs.insert(1, ("unit", "单位", "Unit", FigureUnit::Text));
        }
        let digests: Vec<&str> = sources.iter().map(|s| s.digest.as_str()).collect();
        let digest = match digests.as_slice() {
            [only] => (*only).to_owned(),
            all => super::digest(&all)?,
        };
        let columns = self.columns(&specs);
        Ok(Figure { key, title, columns, rows, sources, digest, chart: None })
    }
}

fn one(
    key: &'static str,
    title: String,
    columns: Vec<FigureColumn>,
    rows: Vec<FigureRow>,
    source: FigureCall,
    chart: Option<FigureChart>,
) -> Figure {
    let digest = source.digest.clone();
    Figure { key, title, columns, rows, sources: vec![source], digest, chart }
}

fn past_the_range() -> crate::kernel::Error {
    anyhow::anyhow!("a sum of turnover leaves the range of an i64").into()
}

/// `sum / n`, rounded half up.
fn rounded(sum: i64, n: i64) -> i64 {
    let (sum, n) = (i128::from(sum), i128::from(n));
    i64::try_from((sum * 2 + n).div_euclid(n * 2)).unwrap_or(i64::MAX)
}

/// What a straight line to the target has come to at the end of a month.
fn line(target: &Target, month: Month) -> Option<i64> {
    let span = rules::Span::of_years(target.first_year, target.last_year)?;
    rules::standing(span, month.last_day()?, Some(0), target.value, 0).expected_by_now
}

/// Whether a target's straight line can be drawn through the months of `asked`.
pub fn has_line(target: &Target, asked: &Asked) -> bool {
    let year = i64::from(asked.from.year());
    rules::is_turnover(target) && (target.first_year, target.last_year) == (year, year)
}
