//! How a few hundred texts become a market of the size of a real fair.
//!
//! The size is that of the Shenyang fair of 2018: 1,239 achievements and 1,302 demands. The first of each
//! are the texts as written. The rest are variations, made by rule and always the same:
//!
//! 1. each text is taken in turn, and put into another setting of use (a list for each field below);
//! 2. the setting stands behind the title and opens the text; of the sentences of the original the last one is
//!    left out in turn, so that two variations of one text differ in what they tell;
//! 3. owner, region, stage and price are drawn anew from a fixed seed; the TRL follows the stage.
//!
//! Variations carry no judgements: quality is measured on the texts as written.
use super::text::{DemoAchievement, DemoDemand, Texts};
use crate::{
    achievements::model::Stage,
    kernel::{Code, Result},
    markets::model::Field,
};

pub const ACHIEVEMENTS: usize = 1_239;
pub const DEMANDS: usize = 1_302;

/// Settings of use for each field, in the order of [`Field::ALL`].
const SETTINGS: [[&str; 8]; 11] = [
    [
        "智慧港口",
        "矿山井下",
        "冶金轧线",
        "智能电网",
        "车载终端",
        "远洋渔船",
        "化工园区",
        "文物场馆",
    ],
    [
        "无人运输机",
        "通用航空",
        "航空发动机试车",
        "卫星地面站",
        "直升机旋翼",
        "航空维修",
        "机场场面",
        "商业火箭",
    ],
    [
        "重型机床",
        "风电齿轮箱",
        "压缩机机组",
        "工程机械",
        "阀门铸造",
        "轴承磨削",
        "锻压车间",
        "包装产线",
    ],
    [
        "基层医院",
        "原料药车间",
        "兽用制品",
        "康复机构",
        "体外诊断",
        "疫苗灌装",
        "中药提取",
        "口腔诊疗",
    ],
    [
        "耐火材料",
        "海工涂层",
        "高速列车部件",
        "电子封装",
        "汽车轻量化",
        "建筑节能",
        "石化管件",
        "包装薄膜",
    ],
    [
        "热电联产",
        "海上风电",
        "油田伴生气",
        "工业余热",
        "农村清洁取暖",
        "钢铁煤气",
        "换电站",
        "冷链仓储",
    ],
    ["尾矿库", "印染园区", "焦化废水", "近岸海域", "垃圾焚烧", "矿山复垦", "电镀车间", "市政污泥"],
    [
        "核电常规岛",
        "放疗中心",
        "辐照加工",
        "核电检修",
        "环境监测站",
        "工业探伤",
        "同位素药房",
        "退役设施",
    ],
    [
        "辽西旱作区",
        "盘锦稻区",
        "设施大棚",
        "海参池塘",
        "肉牛牧场",
        "苹果果园",
        "食用菌厂",
        "玉米制种",
    ],
    [
        "地铁车辆段",
        "港口集疏运",
        "高寒铁路",
        "新能源公交",
        "跨海桥梁",
        "城市快速路",
        "内河航道",
        "物流枢纽",
    ],
    [
        "老旧小区",
        "城市管廊",
        "历史街区",
        "应急指挥",
        "供热管网",
        "社区养老",
        "寒区道路",
        "博物馆展陈",
    ],
];

/// A small generator of the same numbers everywhere (SplitMix64); the demo must not differ by machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Less than `n`; zero for zero.
    pub fn below(&mut self, n: usize) -> usize {
        match u64::try_from(n) {
            Ok(n) if n > 0 => usize::try_from(self.roll() % n).unwrap_or(0),
            _ => 0,
        }
    }
    pub fn pick<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        items.get(self.below(items.len()))
    }
    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = usize::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.below(span)).unwrap_or(0)
    }
}

/// Brings `texts` to the size of the fair.
pub fn to_full_size(texts: &mut Texts) -> Result<()> {
    let mut dice = Dice::new(2018);
    let written = texts.achievements.clone();
    for (n, original) in
        written.iter().cycle().enumerate().take(ACHIEVEMENTS.saturating_sub(written.len()))
    {
        texts.achievements.push(achievement(original, n / written.len(), &mut dice));
    }
    let written = texts.demands.clone();
    for (n, original) in
        written.iter().cycle().enumerate().take(DEMANDS.saturating_sub(written.len()))
    {
        texts.demands.push(demand(original, n / written.len(), &mut dice));
    }
    Ok(())
}

fn setting(field: Field, round: usize) -> &'static str {
    let settings = Field::ALL.iter().position(|f| *f == field).and_then(|at| SETTINGS.get(at));
    settings.and_then(|s| s.get(round % s.len())).copied().unwrap_or("一般工业")
}

/// The text without one of its sentences, another in each round; the first is what it is about and stays.
fn without_a_sentence(text: &str, round: usize) -> String {
    let sentences: Vec<&str> = text.split_inclusive(['。', '；', '？']).collect();
    if sentences.len() < 4 {
        return text.to_owned();
    }
    let gone = 1 + round % (sentences.len() - 1);
    sentences.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, s)| *s).collect()
}

fn achievement(original: &DemoAchievement, round: usize, dice: &mut Dice) -> DemoAchievement {
    let setting = setting(original.field, round);
    let (stage, trl) = match dice.below(10) {
        0..=2 => (Stage::Early, dice.between(2, 4)),
        3..=6 => (Stage::Pilot, dice.between(5, 7)),
        _ => (Stage::Mature, dice.between(8, 9)),
    };
    DemoAchievement {
        key: format!("{}-{}", original.key, round + 1),
        title: format!("{}（{setting}）", original.title),
        text: format!("面向{setting}的工况作了适配。{}", without_a_sentence(&original.text, round)),
        keywords: original.keywords.iter().cloned().chain([setting.to_owned()]).collect(),
        stage,
        trl,
        price_wan: original.price_wan.map(|wan| (wan * dice.between(60, 160) / 100).max(1)),
        owner: None,
        ..original.clone()
    }
}

fn demand(original: &DemoDemand, round: usize, dice: &mut Dice) -> DemoDemand {
    let setting = setting(original.field, round);
    DemoDemand {
        key: format!("{}-{}", original.key, round + 1),
        title: format!("{}（{setting}）", original.title),
        text: format!("我单位用于{setting}。{}", without_a_sentence(&original.text, round)),
        keywords: original.keywords.iter().cloned().chain([setting.to_owned()]).collect(),
        budget_wan: original.budget_wan.map(|wan| (wan * dice.between(60, 160) / 100).max(1)),
        matches: Vec::new(),
        owner: None,
        ..original.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_market_has_the_size_of_the_fair_and_no_text_twice() {
        let mut texts = Texts::shipped().unwrap();
        to_full_size(&mut texts).unwrap();
        assert_eq!((texts.achievements.len(), texts.demands.len()), (ACHIEVEMENTS, DEMANDS));
        let distinct: BTreeSet<_> =
            texts.achievements.iter().map(|a| (&a.title, &a.text)).collect();
        assert_eq!(distinct.len(), ACHIEVEMENTS);
        let distinct: BTreeSet<_> = texts.demands.iter().map(|d| (&d.title, &d.text)).collect();
        assert_eq!(distinct.len(), DEMANDS);
        assert!(
            texts
                .achievements
                .iter()
                .all(|a| a.title.chars().count() <= 120 && a.keywords.len() <= 10)
        );
    }

    #[test]
    fn the_dice_fall_the_same_everywhere() {
        // the first two numbers of SplitMix64 from 1, as published with the generator
        let mut dice = Dice::new(1);
        assert_eq!([dice.roll() % 1000, dice.roll() % 1000], [465, 519]);
        assert!((0..100).all(|_| (3..=5).contains(&dice.between(3, 5))));
    }
}
