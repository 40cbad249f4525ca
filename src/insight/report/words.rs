//! The words of a report, Chinese or English. Names of regions and papers are Chinese in both.
use super::Money;
use crate::{
    contracts::model::{Category, Objective, PartyType, PlanSource, Subcategory},
    insight::{
        model::{
            Asked, Basis, By, FigureUnit, Flow, FlowsAsked, Month, Rankings, ReportAsked,
            ReportKind, Row, Target,
        },
        places,
    },
    kernel::{Code, Day, Fen, Lang},
    markets::model::{Field, IpKind},
};

#[derive(Debug, Clone, Copy)]
pub struct Words(pub Lang);

impl Words {
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    pub fn code<C: Code>(&self, code: C) -> &'static str {
        match self.0 {
            Lang::Zh => code.zh(),
            Lang::En => code.en(),
        }
    }

    fn slug<C: Code>(&self, slug: &str) -> Option<String> {
        C::from_slug(slug).map(|code| self.code(code).to_owned())
    }

    /// The name of a row of turnover.
    pub fn row(&self, by: By, row: &Row) -> String {
        let key = row.key.as_str();
        let named = match by {
            By::Category => self.slug::<Category>(key),
            By::Subcategory => self.slug::<Subcategory>(key),
            By::Field => self.slug::<Field>(key),
            By::SellerType | By::BuyerType => self.slug::<PartyType>(key),
            By::IpKind => self.slug::<IpKind>(key),
            By::PlanSource => self.slug::<PlanSource>(key),
            By::Objective => self.slug::<Objective>(key),
            By::Month | By::Industry | By::Region => row.label.clone(),
        };
        named.unwrap_or_else(|| key.to_owned())
    }

    pub fn title(&self, asked: &ReportAsked) -> String {
        let place = place_name(asked.region.as_str());
        match self.0 {
            Lang::Zh => format!("{place}技术市场{}", asked.kind.zh()),
            Lang::En => format!("Technology market of {place}: {}", asked.kind.en()),
        }
    }

    pub fn period(&self, asked: &ReportAsked) -> String {
        let (year, month) = (asked.from.year(), asked.from.month0() + 1);
        match (self.0, asked.kind) {
            (Lang::En, _) => asked.period.clone(),
            (Lang::Zh, ReportKind::Monthly) => format!("{year}年{month}月"),
            (Lang::Zh, ReportKind::Quarterly) => {
                let name = ["一", "二", "三", "四"];
                let at = usize::try_from(asked.from.quarter0()).unwrap_or_default();
                format!("{year}年第{}季度", name.get(at).copied().unwrap_or_default())
            }
            (Lang::Zh, ReportKind::Annual) => format!("{year}年"),
        }
    }

    /// January to a month.
    pub fn since_january(&self, to: Month) -> String {
        match self.0 {
            Lang::Zh if to.month0() == 0 => format!("{}年1月", to.year()),
            Lang::Zh => format!("{}年1—{}月累计", to.year(), to.month0() + 1),
            Lang::En => format!("{}-01 to {to}", to.year()),
        }
    }

    fn basis(&self, basis: Basis) -> &'static str {
        self.code(basis)
    }

    pub fn turnover(&self, asked: &Asked, until: Option<Day>) -> String {
        let place = asked.region.as_ref().map_or("CN", |r| r.as_str());
        let place = place_name(place);
        let (from, to) = (asked.from, asked.to);
        match self.0 {
            Lang::Zh => {
                let flow = match asked.flow {
                    Flow::Output => format!("卖方所在地为{place}（技术输出）"),
                    Flow::Absorbed => format!("买方所在地为{place}（技术吸纳）"),
                    Flow::Local => format!("买卖双方均在{place}（本地转化）"),
                };
                let compared = until.map_or_else(String::new, |day| {
                    format!("；同比为本期截至 {day} 与上年同期截至同一日相比")
                });
                format!(
                    "{flow}的已登记技术合同，登记日期在 {from} 至 {to}（北京时间），{}{compared}。",
                    self.basis(asked.basis)
                )
            }
            Lang::En => {
                let compared = until.map_or_else(String::new, |day| {
                    format!("; growth compares both years up to {day}")
                });
                format!(
                    "Registered contracts, {} ({place}), registered from {from} to {to} (Asia/Shanghai). {}{compared}.",
                    asked.flow.en(),
                    self.basis(asked.basis)
                )
            }
        }
    }

    pub fn ranking(&self, answer: &Rankings) -> String {
        let asked = &answer.query;
        let until = answer.until;
        match self.0 {
            Lang::Zh => format!(
                "按{}已登记技术合同成交额排位，{} 至 {}，截至 {until}；上年同期截至同一日，金额相同者并列；{}。",
                asked.flow.zh(),
                asked.from,
                asked.to,
                self.basis(asked.basis)
            ),
            Lang::En => format!(
                "By turnover of registered contracts, {}, {} to {}, up to {until}; the year before up to the same day; equal amounts share a place. {}.",
                asked.flow.en(),
                asked.from,
                asked.to,
                self.basis(asked.basis)
            ),
        }
    }

    pub fn flows(&self, asked: &FlowsAsked, most: usize) -> String {
        match self.0 {
            Lang::Zh => format!(
                "卖方地区至买方地区的已登记技术合同，{} 至 {}，跨地区流向中金额最大的 {most} 条，{}。",
                asked.from,
                asked.to,
                self.basis(asked.basis)
            ),
            Lang::En => format!(
                "Registered contracts by seller's and buyer's region, {} to {}: the {most} largest flows between regions. {}.",
                asked.from,
                asked.to,
                self.basis(asked.basis)
            ),
        }
    }

    /// What a target asks for, by which paper.
    pub fn target(&self, target: &Target) -> String {
        let issued = target.document_issued_on.map_or_else(String::new, |day| format!("，{day}"));
        let money = target.indicator.unit() == "fen";
        let value = if money {
            format!("{}亿元", Fen(target.value).in_yi())
        } else {
            format!("{}{}", target.value(), target.indicator.unit())
        };
        format!(
            "{}（{}）{}{value}（{}{issued}）",
            target.label,
            target.period(),
            self.code(target.operator),
            target.document_title
        )
    }

    pub fn target_line(&self, target: &Target) -> String {
        let yi = Fen(target.value).in_yi();
        let of = target.document_issued_on.map_or_else(String::new, |day| format!("，{day}"));
        match self.0 {
            Lang::Zh => format!("目标线 {yi} 亿元{of}"),
            Lang::En => format!("Line to {yi} 亿元{of}"),
        }
    }

    /// A column's heading with the unit that its amounts are shown in.
    pub fn heading(&self, label: &str, unit: FigureUnit, money: Money) -> String {
        match (unit, self.0) {
            (FigureUnit::Fen, Lang::Zh) => format!("{label}（{}）", self.code(money)),
            (FigureUnit::Fen, Lang::En) => format!("{label} ({})", self.code(money)),
            _ => label.to_owned(),
        }
    }
}

/// The name of a place, or its code.
pub fn place_name(code: &str) -> String {
    places::name(code).unwrap_or_else(|| code.to_owned())
}
