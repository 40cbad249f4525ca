//! What to add to a demand: an example of each thing that is missing, and what telling it was worth.
use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::{
    model::{Advice, DiagnosisReport, Example, Gain, GainBasis, Item, Status},
    reading::{Asked, Reading, sentence_around},
};
use crate::{
    demands::model::{Demand, DemandIndicator},
    kernel::{Code, Id, Result, of},
    markets::model::Field,
};

/// How many public demands are looked through for examples.
pub const LOOKED_AT: i64 = 60;

/// The whole answer to a demand. `public` are demands of the same field that may be quoted.
pub fn report(
    asked: &Asked<'_>,
    field: Option<Field>,
    public: &[Demand],
) -> Result<DiagnosisReport> {
    let reading = Reading::of(asked);
    let gains = gains()?;
    let models = field.map(|field| Models::of(field, public));
    let advice = reading
        .checks
        .iter()
        .filter(|check| matches!(check.status, Status::Missing | Status::Vague))
        .map(|check| Advice {
            item: check.item,
            what: check.item.what(),
            example: models.as_ref().and_then(|models| models.example(check.item)),
            gain: gains.items.get(check.item.slug()).cloned(),
        })
        .collect();
    Ok(DiagnosisReport {
        language: reading.language,
        found: reading.found(),
        checks: reading.checks,
        advice,
        gain_basis: GainBasis {
            model: gains.model.clone(),
            measured_on: gains.measured_on.clone(),
            demands: gains.demands,
            note: gains.note.clone(),
        },
    })
}

/// What a demand leaves out or only touches on.
pub fn missing(asked: &Asked<'_>) -> Vec<Item> {
    let checks = Reading::of(asked).checks.into_iter();
    let open = checks.filter(|c| matches!(c.status, Status::Missing | Status::Vague));
    open.map(|c| c.item).collect()
}

/// One sentence for whoever submits all the same; none where nothing is missing.
pub fn hint(asked: &Asked<'_>) -> Option<String> {
    let missing: Vec<_> = missing(asked).into_iter().map(Item::zh).collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "已提交。若补充{}，更容易找到合适的成果；可用 GET /demands/{{id}}/diagnosis 查看建议与示例。",
        missing.join("、")
    ))
}

impl Item {
    fn what(self) -> &'static str {
        match self {
            Self::Object => {
                "写明问题出在什么东西上：具体的材料、部件、设备、工序或生物，而不是“产品”“设备”。"
            }
            Self::Method => "写明技术途径：希望采用的、试过而不行的、现在使用的或不能采用的方法。",
            Self::Effect => "写明要改善什么、改善到什么程度，而不是“提高质量”“降低成本”。",
            Self::Product => "写明希望得到的东西：样机、装置、软件、配方、工艺规程等。",
            Self::Application => {
                "写明用在哪里、在什么条件下使用：产线、设备、场所、温度、介质、气候。"
            }
            Self::Indicators => {
                "写明要达到的数值：指标名称、不低于或不超过、数值和单位；最好填在 indicators。"
            }
            Self::Budget => "给出预算 budget_fen 或其范围；只写面议时，对方难以判断方案的规模。",
            Self::Deadline => "给出期限 deadline：何时之前需要，或何时停产、检修可以实施。",
        }
    }
}

/// Where sentences may be quoted from: the public demands that tell everything, then the one that ships.
struct Models<'a> {
    good: Vec<(Reading, Model<'a>)>,
}

struct Model<'a> {
    title: &'a str,
    description: &'a str,
    indicators: &'a [DemandIndicator],
    budget_fen: Option<i64>,
    deadline: Option<String>,
    demand_id: Option<Id<of::Demand>>,
}

impl<'a> Models<'a> {
    fn of(field: Field, public: &'a [Demand]) -> Self {
        let mut good = Vec::new();
        for row in public {
            let asked = Asked {
                title: &row.title,
                description: &row.description,
                indicators: &row.indicators,
                budget_fen: row.budget_fen,
                budget_negotiable: row.budget_negotiable,
                deadline: row.deadline,
            };
            let reading = Reading::of(&asked);
            if reading.is_exemplary() {
                let model = Model {
                    title: &row.title,
                    description: &row.description,
                    indicators: &row.indicators,
                    budget_fen: row.budget_fen.map(|fen| fen.0),
                    deadline: row.deadline.map(|day| day.to_string()),
                    demand_id: Some(row.id),
                };
                good.push((reading, model));
            }
        }
        good.extend(SHIPPED.iter().filter(|s| s.field == field).map(|s| {
            let model = Model {
                title: &s.title,
                description: &s.description,
                indicators: &s.indicators,
                budget_fen: None,
                deadline: None,
                demand_id: None,
            };
            (Reading::of(&s.asked()), model)
        }));
        Self { good }
    }

    fn example(&self, item: Item) -> Option<Example> {
        self.good.iter().find_map(|(reading, model)| {
            let check = reading.check(item).filter(|c| c.status == Status::Found)?;
            let sentence = model.sentence(item, &check.passages.last()?.pointer, check)?;
            Some(Example { sentence, title: model.title.to_owned(), demand_id: model.demand_id })
        })
    }
}

impl Model<'_> {
    /// The sentence in which the demand tells it; what stands in a field of its own, told as one.
    fn sentence(&self, item: Item, pointer: &str, check: &super::model::Check) -> Option<String> {
        match (item, pointer) {
            (Item::Indicators, at) if at.starts_with("/indicators/") => {
                let told = self.indicators.iter().map(|i| format!("{} {}", i.name, i.target));
                Some(told.collect::<Vec<_>>().join("；"))
            }
            (Item::Budget, "/budget_fen") => {
                let wan = self.budget_fen? / crate::kernel::money::FEN_PER_WAN;
                (wan > 0).then(|| format!("预算 {wan} 万元。"))
            }
            (Item::Deadline, "/deadline") => {
                self.deadline.as_ref().map(|day| format!("希望在 {day} 之前完成。"))
            }
            _ => {
                let told = check.passages.iter().find(|p| p.pointer == "/description");
                match told {
                    Some(passage) => sentence_around(self.description, passage.start),
                    None => Some(self.title.to_owned()),
                }
            }
        }
    }
}

/// A demand written for this project, as an example of its field.
#[derive(Debug, Deserialize)]
struct Shipped {
    field: Field,
    title: String,
    description: String,
    #[serde(default)]
    indicators: Vec<DemandIndicator>,
}

impl Shipped {
    fn asked(&self) -> Asked<'_> {
        Asked {
            title: &self.title,
            description: &self.description,
            indicators: &self.indicators,
            budget_fen: None,
            budget_negotiable: false,
            deadline: None,
        }
    }
}

static SHIPPED: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
    include_str!("examples.jsonl").lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
});

/// The recorded ablation: what clauses that tell an item were worth to matching.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
pub struct Gains {
    pub model: String,
    pub measured_on: String,
    pub demands: usize,
    pub note: String,
    pub items: BTreeMap<String, Gain>,
}

static GAINS: LazyLock<std::result::Result<Gains, String>> =
    LazyLock::new(|| serde_json::from_str(include_str!("gains.json")).map_err(|e| e.to_string()));

/// The record that ships.
pub fn gains() -> Result<&'static Gains> {
    GAINS.as_ref().map_err(|cause| anyhow::anyhow!("gains.json: {cause}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_ships_an_example_of_everything() {
        assert_eq!(SHIPPED.len(), include_str!("examples.jsonl").lines().count(), "a broken line");
        for field in Field::ALL {
            let models = Models::of(*field, &[]);
            for item in Item::ALL {
                let example = models.example(*item);
                assert!(example.is_some(), "{}: no example of {}", field.slug(), item.slug());
            }
        }
    }

    #[test]
    fn the_record_is_read() {
        let gains = gains().unwrap();
        for item in Item::ALL {
            let measured = item.is_element() || *item == Item::Indicators;
            assert_eq!(gains.items.contains_key(item.slug()), measured, "{}", item.slug());
        }
    }

    #[test]
    fn a_hint_names_what_is_missing() {
        let asked = Asked {
            title: "技术合作",
            description: "希望提高产品质量。",
            indicators: &[],
            budget_fen: None,
            budget_negotiable: true,
            deadline: None,
        };
        let hint = hint(&asked).unwrap();
        assert!(
            hint.contains("对象或材料、方法、效果、产品、应用、量化指标、预算、期限"),
            "{hint}"
        );
    }
}
