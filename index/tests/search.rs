//! The search box from outside: bad input, filters, order, pages, marks.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
use keshi_index::*;
use proptest::prelude::*;

fn listing(id: &str, title: &str, text: &str) -> Listing {
    Listing {
        text: text.into(),
        owner: format!("org-{id}"),
        ..Listing::new(Kind::Achievement, id, title)
    }
}

fn index_of(listings: &[Listing]) -> Index {
    let index = Index::in_memory().unwrap();
    for listing in listings {
        index.put(listing).unwrap();
    }
    index.commit(1).unwrap();
    index
}

fn market() -> Index {
    let mut list = vec![
        listing(
            "a1",
            "石墨烯导热膜的连续制备",
            "以氧化石墨烯浆料为原料，经涂布、还原得到导热膜，用于手机散热。",
        ),
        listing(
            "a2",
            "散热器用铝合金压铸工艺",
            "讨论压铸缺陷。作为对比也提到石墨烯、石墨烯涂层与石墨烯填料。",
        ),
        listing(
            "a3",
            "LiFePO4/C正极材料的碳包覆",
            "采用喷雾干燥得到磷酸铁锂，首次放电容量提高12%，适用于5G-NR基站备用电源。",
        ),
        listing("a4", "稻瘟病抗性基因的定位", "利用重组自交系群体定位了两个抗性位点。"),
        listing(
            "a5",
            "Graphene oxide membranes for batteries",
            "Thin membranes were cast on foils.",
        ),
        listing("a6", "𠮷野樱的组织培养", "以𠮷野樱茎段为外植体建立快繁体系。"),
    ];
    let values = [
        ("05", "210100", "early", 3),
        ("03", "210200", "pilot", 6),
        ("05", "210102", "pilot", 6),
        ("09", "220100", "mature", 9),
        ("05", "110108", "early", 4),
        ("09", "210200", "early", 3),
    ];
    for (i, (l, (field, region, stage, trl))) in list.iter_mut().zip(values).enumerate() {
        l.field = Some(field.into());
        l.region = Some(region.into());
        l.stage = Some(stage.into());
        l.trl = Some(trl);
        l.amount_fen = Some(1_000_000 * (i as i64 + 1));
        l.published_at = 1_000 + i as i64;
    }
    let mut secret = Listing::new(Kind::Demand, "d1", "求购石墨烯散热膜");
    secret.hidden = true;
    secret.region = Some("210100".into());
    list.push(secret);
    let mut open = Listing::new(Kind::Demand, "d2", "寻找散热材料供应方");
    open.published_at = 5;
    list.push(open);
    index_of(&list)
}

fn ids(page: &SearchPage) -> Vec<&str> {
    page.items.iter().map(|i| i.id.as_str()).collect()
}

fn ask(index: &Index, q: &str) -> SearchPage {
    index.search(&SearchRequest { q: q.into(), ..Default::default() }).unwrap()
}

/// The characters a highlight covers.
fn marked(item: &SearchItem, full_text: &str) -> Vec<String> {
    item.highlights
        .iter()
        .map(|h| {
            let source = if h.field == HighlightField::Title { &item.title } else { full_text };
            assert!(h.start < h.end && h.end <= source.chars().count(), "{h:?} in {source}");
            source.chars().skip(h.start).take(h.end - h.start).collect()
        })
        .collect()
}

#[test]
fn the_title_beats_mere_frequency() {
    let index = market();
    assert_eq!(ids(&ask(&index, "石墨烯"))[..2], ["a1", "a2"]);
}

#[test]
fn folding_meets_whatever_was_typed() {
    let index = market();
    for q in ["石墨烯导热膜", "石墨烯導熱膜", "石墨烯 导热膜", "「石墨烯」導热膜！"]
    {
        assert_eq!(ids(&ask(&index, q))[0], "a1", "{q}");
    }
    for q in ["LiFePO4/C", "lifepo4", "ＬｉＦｅＰＯ４／Ｃ正極材料", "5g-nr", "5G NR", "12%"]
    {
        assert_eq!(ids(&ask(&index, q))[0], "a3", "{q}");
    }
    for q in ["membrane", "battery", "GRAPHENE OXIDE"] {
        assert_eq!(ids(&ask(&index, q))[0], "a5", "{q}");
    }
    assert_eq!(ids(&ask(&index, "𠮷野樱"))[0], "a6");
    assert_eq!(ids(&ask(&index, "𠮷"))[0], "a6");
    assert_eq!(ids(&ask(&index, "膜")), ["a1"]);
}

#[test]
fn no_text_is_a_query_language() {
    let index = market();
    let long = "石墨烯导热膜".repeat(2_000);
    let odd = [
        "\") OR *:*",
        "石墨烯 AND NOT (",
        "title:石墨烯^9",
        "[a TO z]",
        "\\",
        "\"",
        "-石墨烯",
        "😀",
        "👨‍👩‍👧‍👦 石墨烯",
        "مرحبا بالعالم",
        "\u{202e}烯墨石",
        "a",
        "的",
        "的 了 和",
        "，。！？",
        "   ",
        "\0",
        "%_'; DROP TABLE x;--",
        "é\u{301}\u{301}",
        "𠮷",
        "\u{feff}石墨烯",
        "１２３",
        "ﬁ",
        "㍿",
        "İ",
        &long,
    ];
    for q in odd {
        let page = ask(&index, q);
        assert!(page.total >= page.items.len(), "{q}");
    }
    // without a word everything is listed, newest first, the hidden one left out
    for q in ["", "，。！？", "   ", "\") (*"] {
        assert_eq!(ids(&ask(&index, q)), ["a6", "a5", "a4", "a3", "a2", "a1", "d2"], "{q}");
    }
    assert_eq!(ids(&ask(&index, &long))[0], "a1");
    assert_eq!(ids(&ask(&index, "石墨烯 AND NOT ("))[0], "a1");
    assert_eq!(ask(&index, "量子纠缠").total, 0);
}

#[test]
fn filters_narrow_and_facets_count() {
    let index = market();
    let with = |filters: Filters| {
        let request =
            SearchRequest { filters, kind: Some(Kind::Achievement), ..Default::default() };
        let page = index.search(&request).unwrap();
        ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let region = |code: &str| with(Filters { region: Some(code.into()), ..Default::default() });
    assert_eq!(region("210000"), ["a6", "a3", "a2", "a1"]);
    assert_eq!(region("210100"), ["a3", "a1"]);
    assert_eq!(region("210102"), ["a3"]);
    assert_eq!(region("220000"), ["a4"]);
    assert_eq!(region("999999"), Vec::<String>::new());
    assert_eq!(with(Filters { stage: Some("pilot".into()), ..Default::default() }), ["a3", "a2"]);
    assert_eq!(with(Filters { trl_min: Some(6), ..Default::default() }), ["a4", "a3", "a2"]);
    assert_eq!(
        with(Filters { price_max_fen: Some(2_000_000), ..Default::default() }),
        ["a2", "a1"]
    );
    assert_eq!(with(Filters { field: Some("09".into()), ..Default::default() }), ["a6", "a4"]);

    let page = index.search(&SearchRequest { limit: 1, ..Default::default() }).unwrap();
    assert_eq!((page.items.len(), page.total), (1, 7));
    let count = |value: &str, count| FacetCount { value: value.into(), count };
    assert_eq!(page.facets.field, [count("05", 3), count("09", 2), count("03", 1)]);
    assert_eq!(page.facets.stage, [count("early", 3), count("pilot", 2), count("mature", 1)]);
    assert_eq!(page.facets.region[0], count("210200", 2));
}

#[test]
fn hidden_listings_need_to_be_asked_for() {
    let index = market();
    let mut request =
        SearchRequest {
            q: "石墨烯散热膜".into(), kind: Some(Kind::Demand), ..Default::default()
        };
    assert!(!ids(&index.search(&request).unwrap()).contains(&"d1"));
    request.filters.include_hidden = true;
    assert_eq!(ids(&index.search(&request).unwrap())[0], "d1");

    let mut request = MatchRequest {
        text: "石墨烯散热膜".into(),
        want: Kind::Demand,
        include_unsuitable: true,
        ..Default::default()
    };
    assert!(index.matches(&request).unwrap().iter().all(|m| m.id != "d1"));
    request.filters.include_hidden = true;
    assert_eq!(index.matches(&request).unwrap()[0].id, "d1");
}

#[test]
fn marks_stand_in_the_original() {
    let title = "ＬｉＦｅＰＯ４正極材料與鋰離子電池";
    let text = format!("{}採用噴霧乾燥法製備鋰離子電池，㎏級中試。", "無關的開頭。".repeat(50));
    let index = index_of(&[listing("x", title, &text)]);
    let page = ask(&index, "锂离子电池");
    let item = &page.items[0];
    assert_eq!(marked(item, &text), ["鋰離子電池", "鋰離子電池"]);
    let shown: String =
        text.chars().skip(item.snippet_start).take(item.snippet.chars().count()).collect();
    assert_eq!(item.snippet, shown);
    assert!(item.snippet.contains("鋰離子電池") && item.snippet.chars().count() <= SNIPPET_CHARS);
    assert_eq!(marked(&ask(&index, "lifepo4").items[0], &text), ["ＬｉＦｅＰＯ４"]);
    assert_eq!(marked(&ask(&index, "kg级").items[0], &text), ["㎏級"]);
}

#[test]
fn pages_join_without_gap_or_repeat() {
    let list: Vec<Listing> = (0..57)
        .map(|i| Listing {
            published_at: i / 3,
            ..listing(&format!("n{i:02}"), "石墨烯薄膜", "同样的文字")
        })
        .collect();
    let index = index_of(&list);
    for (q, sort) in [("石墨烯", Sort::Relevance), ("石墨烯", Sort::Newest), ("", Sort::Relevance)]
    {
        let mut request = SearchRequest { q: q.into(), sort, limit: 10, ..Default::default() };
        let mut seen: Vec<String> = Vec::new();
        loop {
            let page = index.search(&request).unwrap();
            assert_eq!(page.total, 57);
            seen.extend(page.items.iter().map(|i| i.id.clone()));
            let Some(next) = page.next else { break };
            // through JSON, as a caller's cursor would take it
            let json = serde_json::to_string(&next).unwrap();
            request.after = Some(serde_json::from_str(&json).unwrap());
            if seen.len() == 20 {
                // the item that marks the place goes away: nothing is lost for it
                index.remove(Kind::Achievement, seen.last().unwrap()).unwrap();
                index.put(&listing(seen.last().unwrap(), "石墨烯薄膜", "同样的文字")).unwrap();
            }
        }
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((seen.len(), unique.len()), (57, 57), "{q} {sort:?}");
    }
}

#[test]
fn a_vanished_item_still_marks_its_place() {
    let list: Vec<Listing> = (0..30)
        .map(|i| Listing { published_at: i, ..listing(&format!("n{i:02}"), "薄膜", "") })
        .collect();
    let index = index_of(&list);
    let first = index.search(&SearchRequest { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(first.items[9].id, "n20");
    index.remove(Kind::Achievement, "n20").unwrap();
    index.put(&Listing { published_at: 99, ..listing("n99", "薄膜", "") }).unwrap();
    index.commit(2).unwrap();
    let second = index
        .search(&SearchRequest { limit: 10, after: first.next, ..Default::default() })
        .unwrap();
    assert_eq!(second.items[0].id, "n19");
}

#[test]
fn a_change_shows_at_the_commit_and_not_before() {
    let index = index_of(&[listing("a", "旧标题石墨烯", "")]);
    index.put(&listing("a", "新标题钙钛矿", "")).unwrap();
    assert_eq!(ask(&index, "石墨烯").total, 1);
    index.commit(2).unwrap();
    assert_eq!((ask(&index, "石墨烯").total, ask(&index, "钙钛矿").total, index.len()), (0, 1, 1));
    index.clear().unwrap();
    index.commit(3).unwrap();
    assert!(index.is_empty());
    assert_eq!(ask(&index, "").total, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_answered(q in any::<String>(), title in any::<String>(), text in "\\PC{0,200}") {
        let index = index_of(&[listing("p", &title, &text)]);
        for q in [&q, &title, &text] {
            for item in ask(&index, q).items {
                marked(&item, &text);
            }
            index.matches(&MatchRequest { text: q.clone(), include_unsuitable: true, ..Default::default() }).unwrap();
        }
    }
}
