//! The text of the demo market: written for this project, or real text from a folder.
use std::{fs, io::BufRead, path::Path};

use anyhow::{Context, anyhow};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    achievements::model::{Stage, TransferMode},
    demands::model::{CooperationMode, DemandIndicator, DemandKind},
    kernel::{OrganizationKind, Region, Result, money::FEN_PER_WAN},
    markets::{
        model::{Field, IpKind},
        regions,
    },
};

macro_rules! shipped {
    ($kind:literal: $($field:literal)+) => {
        [$(include_str!(concat!("text/", $kind, "-", $field, ".jsonl"))),+]
    };
}

const ACHIEVEMENTS: [&str; 11] =
    shipped!("achievements": "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11");
const DEMANDS: [&str; 11] =
    shipped!("demands": "01" "02" "03" "04" "05" "06" "07" "08" "09" "10" "11");
const ORGANIZATIONS: &str = include_str!("text/organizations.jsonl");

/// An organization of the demo. Those that ship are fictional and marked （示例）.
#[derive(Debug, Clone, Deserialize)]
pub struct DemoOrganization {
    /// `u01`, `c17`, … for those that ship; the name itself for those of a folder.
    pub key: String,
    pub name: String,
    pub kind: OrganizationKind,
    pub region_code: Region,
    /// Of companies: GB/T 4754-2017 section letter and two digits.
    #[serde(default)]
    pub industry: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DemoAchievement {
    pub key: String,
    pub title: String,
    #[serde(rename = "abstract")]
    pub text: String,
    pub keywords: Vec<String>,
    pub field: Field,
    pub stage: Stage,
    pub trl: i64,
    pub ip_kind: Option<IpKind>,
    pub transfer_modes: Vec<TransferMode>,
    pub price_wan: Option<i64>,
    pub industry: Option<String>,
    /// Key of the owner where the text names one.
    #[serde(default)]
    pub owner: Option<String>,
    /// Day of publication where the text has one, `YYYY-MM-DD`.
    #[serde(default)]
    pub published_on: Option<String>,
}

/// A judgement of how well an achievement answers a demand: 3 answers it, 2 would with adaptation,
/// 1 the same topic, 0 only looks alike.
#[derive(Debug, Clone, Deserialize)]
pub struct Judged {
    pub achievement: String,
    pub grade: u8,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DemoDemand {
    pub key: String,
    pub title: String,
    #[serde(rename = "description")]
    pub text: String,
    pub keywords: Vec<String>,
    pub field: Field,
    pub kind: DemandKind,
    pub cooperation_modes: Vec<CooperationMode>,
    pub indicators: Vec<DemandIndicator>,
    pub budget_wan: Option<i64>,
    pub min_trl: Option<i64>,
    pub industry: Option<String>,
    #[serde(default)]
    pub matches: Vec<Judged>,
    #[serde(default)]
    pub owner: Option<String>,
}

/// Everything a market is loaded from.
#[derive(Debug)]
pub struct Texts {
    pub organizations: Vec<DemoOrganization>,
    pub achievements: Vec<DemoAchievement>,
    pub demands: Vec<DemoDemand>,
}

impl Texts {
    /// The text that ships, before variation.
    pub fn shipped() -> Result<Self> {
        Ok(Self {
            organizations: lines(ORGANIZATIONS, "organizations")?,
            achievements: all(&ACHIEVEMENTS, "achievements")?,
            demands: all(&DEMANDS, "demands")?,
        })
    }

    /// Real text from `folder`: `achievements.jsonl` and `demands.jsonl`. The organizations that the
    /// text does not bring (agencies, registrars, offices) are the fictional ones that ship.
    pub fn from_folder(folder: &Path) -> Result<Self> {
        let mut organizations: Vec<DemoOrganization> = lines(ORGANIZATIONS, "organizations")?;
        organizations.retain(|o| {
            !matches!(
                o.kind,
                OrganizationKind::University
                    | OrganizationKind::Institute
                    | OrganizationKind::Company
            )
        });
        let achievements: Vec<FolderAchievement> = read(&folder.join("achievements.jsonl"))?;
        let demands: Vec<FolderDemand> = read(&folder.join("demands.jsonl"))?;
        let mut known = std::collections::BTreeSet::new();
        let mut add = |name: &str, kind, city: &str, industry: Option<&str>| {
            if known.insert(name.to_owned()) {
                organizations.push(DemoOrganization {
                    key: name.to_owned(),
                    name: name.to_owned(),
                    kind,
                    region_code: place(name, city),
                    industry: industry.map(str::to_owned),
                });
            }
        };
        for a in &achievements {
            add(&a.owner, kind_of(&a.owner), &a.owner_city, None);
        }
        for d in &demands {
            add(&d.firm, OrganizationKind::Company, &d.city, Some(&d.industry_code));
        }
        Ok(Self {
            organizations,
            achievements: achievements
                .into_iter()
                .map(FolderAchievement::read)
                .collect::<Result<_>>()?,
            demands: demands.into_iter().map(FolderDemand::read).collect::<Result<_>>()?,
        })
    }
}

/// Writes the shipped texts as a matching test set into `dir`: `corpus.jsonl`, `queries.jsonl` and
/// `qrels.tsv`, with the demands that have an answer of grade 3 as queries.
pub fn write_test_set(dir: &Path) -> anyhow::Result<()> {
    let texts = Texts::shipped()?;
    let (mut corpus, mut queries, mut qrels) = (String::new(), String::new(), String::new());
    for a in &texts.achievements {
        let line = json!({
            "id": a.key, "title": a.title, "abstract": a.text, "keywords": a.keywords, "field": a.field
        });
        corpus.push_str(&format!("{line}\n"));
    }
    for d in texts.demands.iter().filter(|d| d.matches.iter().any(|j| j.grade == 3)) {
        let line = json!({ "id": d.key, "title": d.title, "text": d.text, "kind": "demand" });
        queries.push_str(&format!("{line}\n"));
        for judged in &d.matches {
            qrels.push_str(&format!("{}\t{}\t{}\n", d.key, judged.achievement, judged.grade));
        }
    }
    for (name, text) in [("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.tsv", qrels)]
    {
        let path = dir.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn all<T: DeserializeOwned>(files: &[&str], what: &str) -> Result<Vec<T>> {
    let mut items = Vec::new();
    for file in files {
        items.extend(lines::<T>(file, what)?);
    }
    Ok(items)
}

fn lines<T: DeserializeOwned>(text: &str, what: &str) -> Result<Vec<T>> {
    let parsed: std::result::Result<Vec<T>, _> = text
        .lines()
        .enumerate()
        .map(|(n, line)| {
            serde_json::from_str(line).with_context(|| format!("{what}, line {}", n + 1))
        })
        .collect();
    Ok(parsed?)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let file = fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    let mut items = Vec::new();
    for (n, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("{}, line {}", path.display(), n + 1))?;
        if !line.trim().is_empty() {
            let item = serde_json::from_str(&line)
                .with_context(|| format!("{}, line {}", path.display(), n + 1))?;
            items.push(item);
        }
    }
    Ok(items)
}

/// A line of a folder's `achievements.jsonl`; other members are not needed.
#[derive(Deserialize)]
struct FolderAchievement {
    id: String,
    title: String,
    #[serde(rename = "abstract")]
    text: String,
    keywords: Vec<String>,
    field: String,
    owner: String,
    #[serde(default)]
    owner_city: String,
    stage: String,
    #[serde(default)]
    published_at: Option<String>,
}

/// A line of a folder's `demands.jsonl`.
#[derive(Deserialize)]
struct FolderDemand {
    id: String,
    title: String,
    description: String,
    keywords: Vec<String>,
    field: String,
    #[serde(default)]
    industry_code: String,
    firm: String,
    #[serde(default)]
    city: String,
    budget_wan: Option<i64>,
    gold_achievement: Option<String>,
}

impl FolderAchievement {
    fn read(self) -> Result<DemoAchievement> {
        let (stage, trl) = match self.stage.as_str() {
            "实验室" => (Stage::Early, 3),
            "小试" => (Stage::Early, 4),
            "中试" => (Stage::Pilot, 6),
            "产业化" => (Stage::Mature, 9),
            other => return Err(anyhow!("{}: unknown stage {other:?}", self.id).into()),
        };
        Ok(DemoAchievement {
            field: field_of(&self.field)?,
            key: self.id,
            title: self.title,
            text: self.text,
            keywords: short(self.keywords),
            stage,
            trl,
            ip_kind: None,
            transfer_modes: vec![
                TransferMode::Transfer,
                TransferMode::License,
                TransferMode::JointDevelopment,
            ],
            price_wan: None,
            industry: None,
            owner: Some(self.owner),
            published_on: self.published_at,
        })
    }
}

impl FolderDemand {
    fn read(self) -> Result<DemoDemand> {
        Ok(DemoDemand {
            field: field_of(&self.field)?,
            key: self.id,
            title: self.title,
            text: self.description,
            keywords: short(self.keywords),
            kind: DemandKind::KeyTechnology,
            cooperation_modes: vec![
                CooperationMode::CommissionedDevelopment,
                CooperationMode::JointDevelopment,
            ],
            indicators: Vec::new(),
            budget_wan: self.budget_wan.filter(|wan| wan.checked_mul(FEN_PER_WAN).is_some()),
            min_trl: None,
            industry: Some(self.industry_code).filter(|code| code.len() == 3),
            matches: self
                .gold_achievement
                .map(|achievement| Judged { achievement, grade: 3 })
                .into_iter()
                .collect(),
            owner: Some(self.firm),
        })
    }
}

/// A listing carries at most ten keywords of thirty characters.
fn short(keywords: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    keywords
        .into_iter()
        .map(|k| k.trim().to_owned())
        .filter(|k| (1..=30).contains(&k.chars().count()) && seen.insert(k.clone()))
        .take(10)
        .collect()
}

/// The fields of the folder's text as codes of 技术领域.
fn field_of(name: &str) -> Result<Field> {
    Ok(match name {
        "电子信息" => Field::Electronics,
        "能源与矿业" => Field::Energy,
        "装备制造" | "仪器与自动化" => Field::Manufacturing,
        "化工与轻工" | "新材料与冶金" => Field::Materials,
        "土木水利" => Field::Cities,
        "现代农业" => Field::Agriculture,
        "资源环境" => Field::Environment,
        "生物医药" => Field::Medicine,
        other => return Err(anyhow!("unknown field {other:?}").into()),
    })
}

fn kind_of(owner: &str) -> OrganizationKind {
    if owner.contains("医院") {
        OrganizationKind::Hospital
    } else if owner.contains("大学") || owner.contains("学院") && !owner.contains("科学院") {
        OrganizationKind::University
    } else if owner.contains("公司") || owner.contains("集团") {
        OrganizationKind::Company
    } else {
        OrganizationKind::Institute
    }
}

/// The region of an organization by its city; outside Liaoning by the place in its name. Where nothing
/// tells, the market's own province: a listing must lie somewhere, and the organization is marked by name.
fn place(name: &str, city: &str) -> Region {
    let by_name = |wanted: &str| {
        regions::all()
            .filter(|r| r.level == "city" || r.level == "province")
            .find(|r| r.name == wanted || r.name.trim_end_matches(['省', '市']) == wanted)
    };
    let named = || {
        regions::all()
            .filter(|r| r.level == "city" || r.level == "province")
            .find(|r| name.contains(short_name(r.name)))
    };
    Some(city)
        .filter(|c| !c.is_empty())
        .and_then(by_name)
        .or_else(named)
        .and_then(|r| r.code.parse().ok())
        .unwrap_or_else(home)
}

/// `内蒙古` of 内蒙古自治区, `沈阳` of 沈阳市.
fn short_name(name: &str) -> &str {
    ["壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市", "地区", "盟"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// 辽宁省.
pub fn home() -> Region {
    regions::LIAONING.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_shipped_text_keeps_its_promises() {
        let texts = Texts::shipped().unwrap();
        assert!(texts.achievements.len() >= 150 && texts.demands.len() >= 150);
        let keys: BTreeSet<_> = texts.achievements.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys.len(), texts.achievements.len(), "a key twice");
        let fields: BTreeSet<_> = texts.achievements.iter().map(|a| a.field).collect();
        assert_eq!(fields.len(), 11);
        let judged: Vec<_> = texts.demands.iter().flat_map(|d| &d.matches).collect();
        assert!(judged.iter().all(|j| keys.contains(j.achievement.as_str()) && j.grade <= 3));
        let answered =
            texts.demands.iter().filter(|d| d.matches.iter().any(|j| j.grade == 3)).count();
        assert!(
            answered * 10 >= texts.demands.len() * 7,
            "most demands have a judged match: {answered}"
        );
        assert!(texts.organizations.iter().all(|o| o.name.ends_with("（示例）")));
        for a in &texts.achievements {
            let fits = match a.stage {
                Stage::Early => 1..=4,
                Stage::Pilot => 5..=7,
                Stage::Mature => 8..=9,
            };
            assert!(fits.contains(&a.trl), "{}: stage and TRL", a.key);
        }
    }

    #[test]
    fn an_institution_outside_lies_where_its_name_says() {
        assert_eq!(place("中国科学院沈阳应用生态研究所", "沈阳市").as_str(), "210100");
        assert_eq!(place("新疆大学", "").as_str(), "650000");
        assert_eq!(place("某研究组", ""), home());
    }
}
