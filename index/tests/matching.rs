//! Matching from outside: the account of a score, what counts for and against, who is left out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
use keshi_index::*;
use proptest::prelude::*;

const SUBJECTS: [&str; 8] = [
    "石墨烯导热膜的连续制备与散热应用",
    "钙钛矿太阳能电池的界面钝化",
    "稻瘟病抗性基因的分子标记",
    "焦化废水的臭氧氧化处理",
    "滚动轴承故障诊断与剩余寿命预测",
    "菱镁矿浮选脱硅药剂",
    "海参养殖池塘的水质在线监测",
    "燃气轮机叶片热障涂层喷涂工艺",
];

/// A moment in 2026, and the length of a day.
const NOW: i64 = 1_795_000_000_000_000;
const DAY: i64 = 86_400_000_000;

fn achievements() -> Vec<Listing> {
    let mut list = Vec::new();
    for (i, subject) in SUBJECTS.iter().enumerate() {
        for (j, detail) in ["给出了中试参数。", "讨论了失效机理与改进方向，并与现有工艺做了比较。"]
            .iter()
            .enumerate()
        {
            list.push(Listing {
                text: format!("本成果围绕{subject}展开，{detail}"),
                keywords: vec![subject.chars().take(4).collect()],
                field: Some(format!("{:02}", i % 5 + 1)),
                region: Some(["210100", "210200", "220100"][(i + j) % 3].into()),
                industry: Some(["C26", "C35"][j].into()),
                trl: Some(3 + (i as u8 + j as u8) % 7),
                amount_fen: Some(10_000_000 * (i as i64 + 1)),
                owner: format!("org{}", i % 3),
                ..Listing::new(Kind::Achievement, format!("{i}-{j}"), *subject)
            });
        }
    }
    list
}

fn index_of(listings: &[Listing]) -> Index {
    let index = Index::in_memory().unwrap();
    for listing in listings {
        index.put(listing).unwrap();
    }
    index.commit(1).unwrap();
    index
}

fn demand(text: &str) -> MatchRequest {
    MatchRequest { text: text.into(), ..Default::default() }
}

#[test]
fn the_right_subject_comes_first_and_says_why() {
    let index = index_of(&achievements());
    let request = MatchRequest {
        title: Some("轴承寿命预测技术需求".into()),
        text: "我公司成立于1998年，现有员工300人，占地面积2万平方米。风机用滚动轴承早期故障难以发现，希望寻求故障诊断与剩余寿命预测的解决方案。".into(),
        field: Some("05".into()),
        region: Some("210100".into()),
        trl: Some(9),
        amount_fen: Some(1_000_000),
        ..Default::default()
    };
    let matches = index.matches(&request).unwrap();
    assert!(matches[0].title.contains("滚动轴承") && matches[0].suitable);
    assert!(matches[0].grade > Grade::None && matches[0].probability > 0.0);
    let explanation = &matches[0].explanation;
    let terms: Vec<&str> =
        explanation.parts.iter().flat_map(|p| &p.evidence).map(|e| e.term.as_str()).collect();
    assert!(terms.iter().any(|t| t.contains("轴承")), "{terms:?}");
    assert!(explanation.misfits.iter().any(|m| matches!(m, Misfit::AboveBudget { .. })));
    assert!(explanation.misfits.iter().any(|m| matches!(m, Misfit::TooEarly { needs: 9, .. })));
    let zh = explanation.summary(Lang::Zh);
    assert!(
        zh.contains("轴承")
            && zh.contains("技术领域相同")
            && zh.contains("报价高于预算")
            && zh.contains("成熟度偏早")
            && zh.ends_with('。'),
        "{zh}"
    );
    let en = explanation.summary(Lang::En);
    assert!(
        en.starts_with("Both deal with") && en.contains("price above budget") && en.ends_with('.'),
        "{en}"
    );
}

#[test]
fn nothing_suitable_is_an_answer() {
    let index = index_of(&achievements());
    let strange = demand(
        "为客户提供婚礼摄影场地布置与花艺造型，需要会唱歌的主持人和乐队若干名，最好自带音响。",
    );
    assert_eq!(index.matches(&strange).unwrap(), []);
    let all = index.matches(&MatchRequest { include_unsuitable: true, ..strange }).unwrap();
    assert!(all.iter().all(|m| !m.suitable && m.grade == Grade::None));
    for nothing in ["", "的了和", "，。！", "😀"] {
        assert_eq!(index.matches(&demand(nothing)).unwrap(), [], "{nothing}");
    }
}

#[test]
fn exclusions_filters_and_limit_hold() {
    let index = index_of(&achievements());
    let base = MatchRequest {
        include_unsuitable: true,
        limit: 100,
        ..demand("焦化废水处理与浮选药剂，太阳能电池，热障涂层，导热膜，基因，轴承，海参")
    };
    let all = index.matches(&base).unwrap();
    assert_eq!(all.len(), 16);
    let without = index
        .matches(&MatchRequest {
            exclude_owner: Some("org0".into()),
            exclude_id: Some("1-0".into()),
            ..base.clone()
        })
        .unwrap();
    assert!(without.iter().all(|m| m.owner != "org0" && m.id != "1-0") && without.len() == 9);
    let filters = Filters { region: Some("210000".into()), trl_min: Some(5), ..Default::default() };
    assert!(index.matches(&MatchRequest { filters, ..base.clone() }).unwrap().len() < all.len());
    let three = index.matches(&MatchRequest { limit: 3, ..base.clone() }).unwrap();
    assert_eq!(three, all[..3]);
    assert_eq!(index.matches(&MatchRequest { limit: 0, ..base }).unwrap(), all[..1]);
}

#[test]
fn age_parts_what_the_wording_leaves_level() {
    let text = "焦化废水的臭氧氧化处理";
    let aged = [("d", 5_000), ("c", 730), ("b", 365), ("a", 0)];
    let mut list: Vec<Listing> = aged
        .iter()
        .map(|(id, days)| Listing {
            published_at: NOW - days * DAY - DAY / 2,
            ..Listing::new(Kind::Achievement, *id, text)
        })
        .collect();
    list.push(Listing::new(Kind::Achievement, "undated", text));
    let index = index_of(&list);
    let level = index.matches(&demand("焦化废水，臭氧")).unwrap();
    let found =
        index.matches(&MatchRequest { now: Some(NOW), ..demand("焦化废水，臭氧") }).unwrap();
    let ids: Vec<&str> = found.iter().map(|m| &*m.id).collect();
    assert_eq!(ids, ["a", "undated", "b", "c", "d"]);
    let expected = [0.0, 0.0, 1.0 - 0.5_f64.sqrt(), 0.5, 1.0 - 0.5_f64.powf(5_000.0 / 730.0)];
    for (one, cost) in found.iter().zip(expected) {
        let part = one.explanation.parts.iter().find(|p| p.part == PartKind::Freshness);
        assert!((part.map_or(0.0, |p| p.contribution) + cost).abs() < 1e-9, "{part:?}");
        assert_eq!(part.is_some(), cost > 0.0);
        let before = level.iter().find(|m| m.id == one.id).unwrap();
        assert!((before.score - cost - one.score).abs() < 1e-9);
        assert_eq!((one.probability, one.grade), (before.probability, before.grade));
    }
    let told = |m: &Match| [Lang::Zh, Lang::En].map(|lang| m.explanation.summary(lang));
    assert!(told(&found[0]).iter().all(|t| !t.contains("发布") && !t.contains("published")));
    let [zh, en] = told(&found[3]);
    assert!(zh.ends_with("；但发布较早（约24个月前）。"), "{zh}");
    assert!(en.ends_with("; but published about 24 months ago."), "{en}");
}

#[test]
fn boiler_plate_and_generic_words_do_not_decide() {
    let mut list = achievements();
    list.push(Listing {
        text: "公司成立于某年，现有员工若干，占地面积很大，是高新技术企业。".repeat(3),
        ..Listing::new(Kind::Achievement, "plate", "高新技术企业研发产业化关键技术")
    });
    let index = index_of(&list);
    let text = "公司成立于2003年，现有员工500人，占地面积3万平方米，高新技术企业，年产值5亿元。研发产业化关键技术，需处理焦化废水。";
    assert_ne!(index.matches(&demand(text)).unwrap()[0].id, "plate");
    assert!(index.matches(&demand(text)).unwrap()[0].title.contains("焦化废水"));
}

#[test]
fn both_directions_work() {
    let index = index_of(&[
        Listing {
            text: "需要滚动轴承的在线监测与故障诊断装置。".into(),
            ..Listing::new(Kind::Demand, "d1", "轴承故障诊断需求")
        },
        Listing {
            text: "需要改良盐碱地。".into(),
            ..Listing::new(Kind::Demand, "d2", "盐碱地改良")
        },
    ]);
    let request = MatchRequest::from(&achievements()[8]);
    assert_eq!(request.want, Kind::Demand);
    let matches = index.matches(&request).unwrap();
    assert_eq!((matches[0].id.as_str(), matches[0].kind), ("d1", Kind::Demand));
}

#[test]
fn many_at_once_is_the_same_as_one_by_one() {
    let index = index_of(&achievements());
    let requests: Vec<MatchRequest> =
        SUBJECTS.iter().map(|s| demand(&format!("{s}，有何成熟方案？"))).collect();
    let one_by_one: Vec<_> = requests.iter().map(|r| index.matches(r).unwrap()).collect();
    for threads in [0, 1, 2, 5] {
        assert_eq!(index.match_many(&requests, threads).unwrap(), one_by_one);
    }
    assert!(index.match_many(&[], 2).unwrap().is_empty());

    let mut located = one_by_one.clone();
    located.iter_mut().for_each(|matches| index.locate(matches).unwrap());
    assert_ne!(located, one_by_one);
    for threads in [0, 1, 2, 5] {
        let mut many = one_by_one.clone();
        index.locate_many(&mut many, threads).unwrap();
        assert_eq!(many, located);
    }
    index.locate_many(&mut [], 2).unwrap();
}

/// Evidence of the wording points at itself in the listing's own text.
fn stands_there(evidence: &Evidence, listing: &Listing) {
    if evidence.field == Place::Value {
        return assert_eq!(evidence.span, None);
    }
    let span = evidence.span.unwrap_or_else(|| panic!("{evidence:?} in {listing:?}"));
    let text = match evidence.field {
        Place::Title => &listing.title,
        Place::Keywords => &listing.keywords[span.keyword.unwrap()],
        _ => &listing.text,
    };
    let there: String = text.chars().skip(span.start).take(span.end - span.start).collect();
    let folded = keshi_index::analysis::fold(&there).text;
    assert!(folded.starts_with(&evidence.term), "{evidence:?} is {there:?}");
}

#[test]
fn a_character_alone_is_not_joined_to_the_next_pair() {
    let index = Index::in_memory().unwrap();
    let offer = |title: &str, text: &str| Listing {
        text: text.into(),
        ..Listing::new(Kind::Achievement, title, title)
    };
    let offers = [offer("石墨烯", "寿命，𠮷，"), offer("电池", "轴承"), offer("废水", "基因")];
    offers.iter().for_each(|offer| index.put(offer).unwrap());
    index.commit(0).unwrap();
    let need =
        Listing { text: "𠮷 寿命".into(), ..Listing::new(Kind::Demand, "n", "石墨烯") };
    let request = MatchRequest { include_unsuitable: true, ..MatchRequest::from(&need) };
    let mut matches = index.matches(&request).unwrap();
    index.locate(&mut matches).unwrap();
    let evidence = || matches[0].explanation.parts.iter().flat_map(|part| &part.evidence);
    evidence().for_each(|evidence| stands_there(evidence, &offers[0]));
    assert!(evidence().any(|evidence| evidence.term == "寿命"), "{matches:?}");
}

/// Text from a small alphabet of real words, so that requests and listings overlap.
fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "石墨烯",
        "导热膜",
        "电池",
        "故障诊断",
        "废水",
        "的",
        "研发",
        "，",
        "。",
        "lifepo4/c",
        "5G-NR",
        "67%",
        " ",
        "轴承",
        "寿命",
        "𠮷",
        "員工",
        "占地面积",
        "batteries",
        "基因",
    ]);
    prop::collection::vec(word, words).prop_map(|w| w.concat())
}

prop_compose! {
    fn any_listing(kind: Kind)(
        title in text(1..6), body in text(0..40), keywords in prop::collection::vec(text(1..3), 0..4),
        field in prop::option::of("0[1-4]"), region in prop::option::of(prop::sample::select(vec!["210000", "210100", "210102", "220100", "x"])),
        trl in prop::option::of(0_u8..=12), amount in prop::option::of(prop::sample::select(vec![-5_i64, 0, 1, 1_000_000, i64::MAX])),
        industry in prop::option::of("C2[0-2]"), owner in "[ab]",
        published_at in prop::sample::select(vec![i64::MIN, -1, 0, 1, NOW - 400 * DAY, NOW - DAY, NOW - 1, NOW + DAY, i64::MAX]),
    ) -> Listing {
        Listing { text: body, keywords, field, region: region.map(Into::into), trl, amount_fen: amount, industry, owner, published_at, ..Listing::new(kind, "", title) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_parts_add_up_to_the_score(
        offers in prop::collection::vec(any_listing(Kind::Achievement), 1..12),
        needs in prop::collection::vec(any_listing(Kind::Demand), 1..4),
        short in text(1..3),
        split in 0_usize..12,
    ) {
        let index = Index::in_memory().unwrap();
        for (i, offer) in offers.iter().enumerate() {
            index.put(&Listing { id: format!("o{i}"), ..offer.clone() }).unwrap();
            if i == split {
                index.commit(0).unwrap(); // more than one segment
            }
        }
        if offers.len() > 2 {
            index.remove(Kind::Achievement, "o1").unwrap();
        }
        index.commit(1).unwrap();
        let mut requests: Vec<MatchRequest> = needs.iter().map(|n| MatchRequest { include_unsuitable: true, now: Some(NOW), ..n.into() }).collect();
        requests.push(MatchRequest { text: short, include_unsuitable: true, ..Default::default() });
        for request in &requests {
            let mut matches = index.matches(request).unwrap();
            index.locate(&mut matches).unwrap();
            for m in &matches {
                let listing = offers.iter().zip(0..).find(|(_, i)| format!("o{i}") == m.id).unwrap().0;
                for evidence in m.explanation.parts.iter().flat_map(|p| &p.evidence) {
                    stands_there(evidence, listing);
                }
                prop_assert_eq!(m.suitable, m.grade > Grade::None);
                prop_assert!(m.probability >= 0.0 && m.probability <= 1.0);
                let sum: f64 = m.explanation.parts.iter().map(|p| p.contribution).sum();
                prop_assert!((sum - m.score).abs() < 1e-6);
                for part in &m.explanation.parts {
                    prop_assert!(part.contribution.is_finite() && part.contribution != 0.0);
                    prop_assert!(!part.evidence.is_empty(), "{:?}", part);
                    prop_assert!(part.contribution > 0.0 || matches!(part.part, PartKind::Stage | PartKind::Amount | PartKind::Freshness));
                }
                prop_assert!(m.explanation.summary(Lang::Zh).ends_with('。'));
                prop_assert!(m.id != "o1" || offers.len() <= 2);
            }
            prop_assert!(matches.windows(2).all(|w| w[0].score >= w[1].score));
        }
    }
}
