//! What telling a thing is worth to matching. Every demand that ships with a known answer is matched by its
//! title alone, and again with the clauses that tell the thing: the difference is its gain to a demand that
//! says hardly anything. As a control, as many clauses are added at random: saying more helps, whatever it
//! is. And the clauses are taken out of the whole demand: what is lost then is the gain to one that says
//! everything else.
//!
//! Keywords are left out on all sides. The record is `demands/diagnosis/gains.json`; `keshi eval --diagnosis`
//! writes it anew.
use std::{collections::BTreeMap, ops::Range};

use keshi_index::{Index, Kind, Listing, MatchRequest, model};

use super::text::{DemoDemand, Texts};
use crate::{
    demands::diagnosis::{
        advice::Gains,
        model::{Gain, Item},
        reading::{clauses, clauses_telling},
    },
    kernel::{Code, Moment},
};

const RESAMPLES: usize = 1_000;
const SEED: u64 = 20_260_101;
const DEPTH: usize = 10;

const NOTE: &str = "在随程序发布、有已知答案的虚构需求上测量：只用标题匹配，再加上说明某一项的分句（指标一项为 indicators \
    与含指标的分句），nDCG@10 的提高即为该项的增益；at_random 是随机加上同样多分句的提高，明显高于它的部分才归于该项本身；\
    when_complete 是从完整需求中去掉这些分句的下降。各侧都不用关键词。集合小、需求写得完整、由同一批作者撰写和判定，\
    数值只说明大小顺序，不是对某一条需求的承诺。预算与期限不参与匹配，没有增益。";

/// Measures the gain of every item that matching reads.
pub fn gains() -> anyhow::Result<Gains> {
    let texts = Texts::shipped()?;
    let index = Index::in_memory()?;
    for a in &texts.achievements {
        let listing = Listing::new(Kind::Achievement, a.key.clone(), a.title.clone());
        index.put(&Listing {
            text: a.text.clone(),
            keywords: a.keywords.clone(),
            field: Some(a.field.slug().to_owned()),
            ..listing
        })?;
    }
    index.commit(1)?;
    let answered: Vec<_> =
        texts.demands.iter().filter(|d| d.matches.iter().any(|j| j.grade == 3)).collect();
    let mut dice = Dice(SEED);
    let mut items = BTreeMap::new();
    for item in Item::ALL.iter().filter(|i| i.is_element() || **i == Item::Indicators) {
        let (mut gained, mut controls, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for demand in &answered {
            let told = clauses_telling(*item, &demand.text);
            let figures = *item == Item::Indicators && !demand.indicators.is_empty();
            if told.is_empty() && !figures {
                continue;
            }
            let all = clauses(&demand.text);
            let fields = if figures { demand.indicators.len() } else { 0 };
            let by_chance = dice.some(&all, told.len() + fields);
            let rest: Vec<_> = all.iter().filter(|c| !told.contains(c)).cloned().collect();
            let bare = ndcg(&index, demand, &[], false)?;
            gained.push(ndcg(&index, demand, &told, figures)? - bare);
            controls.push(ndcg(&index, demand, &by_chance, false)? - bare);
            lost.push(ndcg(&index, demand, &all, true)? - ndcg(&index, demand, &rest, !figures)?);
        }
        let (ndcg_10, (low, high)) = (mean(&gained), interval(&gained, &mut dice));
        let (at_random, when_complete) = (mean(&controls), mean(&lost));
        let gain = Gain { ndcg_10, low, high, at_random, when_complete, demands: gained.len() };
        items.insert(item.slug().to_owned(), rounded(gain));
    }
    Ok(Gains {
        model: model().to_owned(),
        measured_on: Moment::now().day().to_string(),
        demands: answered.len(),
        note: NOTE.to_owned(),
        items,
    })
}

/// Figures of a small set are not worth more than four places.
fn rounded(gain: Gain) -> Gain {
    let four = |x: f64| (x * 1e4).round() / 1e4 + 0.0;
    Gain {
        ndcg_10: four(gain.ndcg_10),
        low: four(gain.low),
        high: four(gain.high),
        at_random: four(gain.at_random),
        when_complete: four(gain.when_complete),
        ..gain
    }
}

/// nDCG@10 of the demand's title with some of its clauses, with gain `2^grade − 1`.
fn ndcg(
    index: &Index,
    demand: &DemoDemand,
    with: &[Range<usize>],
    indicators: bool,
) -> anyhow::Result<f64> {
    let piece = |r: &Range<usize>| {
        demand.text.chars().skip(r.start).take(r.len()).chain(['，']).collect::<String>()
    };
    let mut text: String = with.iter().map(piece).collect();
    if indicators {
        for i in &demand.indicators {
            text.push_str(&format!("\n{}：{}", i.name, i.target));
        }
    }
    let request = MatchRequest {
        title: Some(demand.title.clone()),
        text,
        want: Kind::Achievement,
        limit: DEPTH,
        ..MatchRequest::default()
    };
    let grade =
        |id: &str| demand.matches.iter().find(|j| j.achievement == id).map_or(0, |j| j.grade);
    let found: Vec<u8> = index.matches(&request)?.iter().map(|m| grade(&m.id)).collect();
    let mut best: Vec<u8> = demand.matches.iter().map(|j| j.grade).collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    Ok(discounted(&found) / discounted(&best))
}

fn discounted(grades: &[u8]) -> f64 {
    let ranks = (2u32..).map(f64::from);
    let gain = |grade: &u8| f64::from(2u32.pow(u32::from(*grade)) - 1);
    grades.iter().take(DEPTH).zip(ranks).map(|(g, rank)| gain(g) / rank.log2()).sum()
}

fn mean(values: &[f64]) -> f64 {
    let n = u32::try_from(values.len().max(1)).map_or(f64::INFINITY, f64::from);
    values.iter().sum::<f64>() / n
}

/// The 95 % bootstrap interval of the mean.
fn interval(values: &[f64], dice: &mut Dice) -> (f64, f64) {
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let again: Vec<f64> = (0..values.len())
                .filter_map(|_| values.get(dice.below(values.len())).copied())
                .collect();
            mean(&again)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let at = |place: usize| means.get(place).copied().unwrap_or_default();
    (at(RESAMPLES / 40), at(RESAMPLES - RESAMPLES / 40 - 1))
}

/// The same numbers every time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let n = u64::try_from(n.max(1)).unwrap_or(u64::MAX);
        usize::try_from(z % n).unwrap_or_default()
    }

    /// `most` different ones of `all`.
    fn some(&mut self, all: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
        let mut left = all.to_vec();
        let mut taken = Vec::new();
        while taken.len() < most && !left.is_empty() {
            taken.push(left.swap_remove(self.below(left.len())));
        }
        taken
    }
}
