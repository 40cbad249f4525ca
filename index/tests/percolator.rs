//! Saved questions against a market that grows and shrinks: what is named is what asking would show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
use keshi_index::{
    Index, Kind, Listing, MAX_LIMIT, MatchRequest, Percolator, Saved, SearchRequest,
};

const WORDS: [&str; 20] = [
    "石墨烯",
    "镁碳砖",
    "耐火材料",
    "锂离子电池",
    "正极材料",
    "制备",
    "废水处理",
    "膜",
    "传感器",
    "机器人",
    "视觉",
    "检测",
    "催化剂",
    "脱硫",
    "工艺",
    "钢铁",
    "冶炼",
    "高温",
    "抗氧化",
    "寿命",
];

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    /// Words one after the other, and between them characters whose pairs are rare.
    fn text(&mut self, words: usize) -> String {
        let mut text = String::new();
        for _ in 0..words {
            match self.below(3) {
                0 => text.extend(char::from_u32(0x4E00 + self.below(700) as u32 * 7)),
                _ => text.push_str(WORDS[self.below(20)]),
            }
        }
        text
    }
}

fn put(index: &Index, dice: &mut Dice, number: usize, words: usize) -> (Kind, String) {
    let kind = if number.is_multiple_of(4) { Kind::Demand } else { Kind::Achievement };
    let text = dice.text(words);
    let listing = Listing { text, ..Listing::new(kind, format!("l{number}"), dice.text(2)) };
    index.put(&listing).unwrap();
    (kind, listing.id)
}

/// Whether asking shows the listing, and whether it shows all there is.
fn asked(index: &Index, saved: &Saved, kind: Kind, id: &str) -> (bool, bool) {
    match saved {
        Saved::Search(request) => {
            let page = index.search(request).unwrap();
            (page.items.iter().any(|i| i.kind == kind && i.id == id), page.next.is_none())
        }
        Saved::Match(request) => {
            let found = index.matches(request).unwrap();
            (found.iter().any(|m| m.kind == kind && m.id == id), found.len() < MAX_LIMIT)
        }
    }
}

/// More than the thousand listings below which every market counts as one of a thousand.
#[test]
fn bounds_hold_while_a_market_grows_and_shrinks() {
    // as an operator's own ranking may be: so few terms are kept that even short questions are cut
    let own = include_str!("../lexicon/ranking.toml").replace("most_terms = 160", "most_terms = 8");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), own).unwrap();
    keshi_index::weights::install(file.path()).unwrap();
    let (mut dice, index) = (Dice(7), Index::in_memory().unwrap());
    for number in 0..1_400 {
        put(&index, &mut dice, number, 1 + number % 9);
    }
    index.commit(1).unwrap();
    let mut percolator = Percolator::new().unwrap();
    let mut questions = Vec::new();
    for number in 0..48_usize {
        let want = if number.is_multiple_of(5) { Kind::Demand } else { Kind::Achievement };
        let of = |text| MatchRequest { text, want, limit: MAX_LIMIT, ..MatchRequest::default() };
        let saved = match number % 3 {
            // long ones are cut to their strongest terms
            0 => Saved::Match(MatchRequest {
                title: Some(dice.text(3)).filter(|_| number.is_multiple_of(2)),
                ..of(dice.text(150 + number * 5))
            }),
            // a few words are weighed by their runs as well
            1 => Saved::Match(of(dice.text(3 + number % 7))),
            _ => Saved::Search(SearchRequest {
                q: dice.text(4),
                kind: Some(want).filter(|_| number.is_multiple_of(2)),
                limit: MAX_LIMIT,
                ..SearchRequest::default()
            }),
        };
        percolator.put(&format!("q{number:02}"), saved.clone());
        questions.push(saved);
    }
    percolator.warm(&index, 1_000).unwrap();
    let (mut shown, mut missing, mut at) = (0, 0, 1_400);
    for round in 2..20 {
        // some come, some are written anew, some go; at times very many
        for _ in 0..(if round % 6 == 0 { 150 } else { 4 }) {
            let words = dice.below(60) + 1;
            put(&index, &mut dice, at, words);
            let old = dice.below(at);
            put(&index, &mut dice, old, words / 2);
            let gone = dice.below(at);
            for kind in Kind::ALL {
                index.remove(kind, &format!("l{gone}")).unwrap();
            }
            at += 1;
        }
        let (kind, id) = put(&index, &mut dice, at, 40);
        at += 1;
        index.commit(round).unwrap();
        let hits = percolator.hits(&index, kind, &id).unwrap();
        for (number, saved) in questions.iter().enumerate() {
            let is_hit = hits.contains(&format!("q{number:02}"));
            let (is_shown, is_all) = asked(&index, saved, kind, &id);
            assert!(is_hit == is_shown || is_hit && !is_all, "{round} {id} {is_hit} {saved:?}");
            shown += usize::from(is_hit);
            missing += usize::from(!is_hit);
        }
    }
    assert!(shown > 50 && missing > 50, "{shown} {missing}");
}
