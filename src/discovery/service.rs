//! What people can find, and why.
use std::collections::HashMap;

use keshi_index as index;

use super::{
    Catalogue,
    catalogue::{listing_of_achievement, listing_of_demand},
    model::{
        AchievementCard, BatchFilter, BatchItem, BatchLine, DemandCard, ExplanationView, Kind,
        ListingOwner, MatchAnswer, MatchBody, MatchItem, SearchAnswer,
    },
};
use crate::{
    accounts, achievements, demands,
    demands::{
        diagnosis::{advice, model::Item, reading::Asked},
        model::Demand,
    },
    kernel::{Actor, Code, DbConn, Error, Id, Lang, Result, of, page},
    markets::{publication::State, regions},
};

/// How many matches are shown where the caller names no number.
pub const DEFAULT_MATCHES: usize = 20;

/// One page of a search; only published listings that are no secret.
pub fn search(catalogue: &Catalogue, mut request: index::SearchRequest) -> Result<SearchAnswer> {
    request.filters.include_hidden = false;
    let page = catalogue.index().search(&request)?;
    catalogue.exposure().shown(page.items.iter().map(|item| (item.kind.into(), &*item.id)));
    Ok(SearchAnswer {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.as_ref().map(page::encode).transpose()?,
        total: page.total,
        facets: page.facets.into(),
    })
}

/// Achievements for a demand that the caller may see.
pub fn matches_of_demand(
    catalogue: &Catalogue,
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Demand>,
    limit: usize,
    lang: Lang,
) -> Result<MatchAnswer> {
    let demand = demands::find(conn, id)?.ok_or(Error::NotFound("需求"))?;
    if !demands::is_visible(conn, actor, &demand)? {
        return Err(Error::NotFound("需求"));
    }
    let request =
        index::MatchRequest { limit, ..index::MatchRequest::from(&listing_of_demand(&demand)) };
    let content = demand.content();
    explain(catalogue, conn, &request, lang, || unsaid(&Asked::from(&content)))
}

/// Demands for an achievement that the caller may see.
pub fn matches_of_achievement(
    catalogue: &Catalogue,
    conn: &mut DbConn,
    actor: Option<&Actor>,
    id: Id<of::Achievement>,
    limit: usize,
    lang: Lang,
) -> Result<MatchAnswer> {
    let achievement = achievements::find(conn, id)?.ok_or(Error::NotFound("成果"))?;
    if !achievements::is_visible(actor, &achievement) {
        return Err(Error::NotFound("成果"));
    }
    let request = index::MatchRequest {
        limit,
        ..index::MatchRequest::from(&listing_of_achievement(&achievement))
    };
    explain(catalogue, conn, &request, lang, Vec::new)
}

/// Partners for text that nobody has listed.
pub fn matches_of_text(
    catalogue: &Catalogue,
    conn: &mut DbConn,
    body: MatchBody,
    lang: Lang,
) -> Result<MatchAnswer> {
    let request = index::MatchRequest {
        title: body.title,
        text: body.text,
        want: body.want.into(),
        limit: body.limit.unwrap_or(DEFAULT_MATCHES),
        filters: body.filters.unwrap_or_default().to_index(),
        ..index::MatchRequest::default()
    };
    let asked = Asked {
        title: request.title.as_deref().unwrap_or_default(),
        description: &request.text,
        indicators: &[],
        budget_fen: None,
        budget_negotiable: false,
        deadline: None,
    };
    let is_need = body.want == Kind::Achievement;
    let missing = || if is_need { unsaid(&asked) } else { Vec::new() };
    explain(catalogue, conn, &request, lang, missing)
}

fn explain(
    catalogue: &Catalogue,
    conn: &mut DbConn,
    request: &index::MatchRequest,
    lang: Lang,
    missing: impl FnOnce() -> Vec<Item>,
) -> Result<MatchAnswer> {
    let mut found = evened_out(catalogue, request)?;
    catalogue.index().locate(&mut found)?;
    catalogue.exposure().shown(found.iter().map(|m| (m.kind.into(), &*m.id)));
    let mut cards = Cards::load(conn, request.want.into(), &found)?;
    let items: Vec<MatchItem> = found
        .iter()
        .filter_map(|m| {
            let (achievement, demand) = cards.take(&m.id)?;
            let explanation = ExplanationView::of(&m.explanation, lang);
            Some(MatchItem {
                rank: 0,
                score: m.score,
                probability: m.probability,
                grade: m.grade.slug(),
                achievement,
                demand,
                explanation,
            })
        })
        .zip(1..)
        .map(|(item, rank)| MatchItem { rank, ..item })
        .collect();
    let missing = if items.is_empty() { missing() } else { Vec::new() };
    let advice = items.is_empty().then(|| nothing_yet(request.want.into(), &missing, lang));
    let missing = missing.into_iter().map(Code::slug).collect();
    let path = request.path().slug();
    let model = catalogue.model().to_owned();
    Ok(MatchAnswer { items, model, path, advice, missing })
}

/// What a demand leaves out of what matching reads; budget and deadline are not.
fn unsaid(asked: &Asked<'_>) -> Vec<Item> {
    let mut missing = advice::missing(asked);
    missing.retain(|item| item.is_element() || *item == Item::Indicators);
    missing
}

/// What to do where the market has nothing suitable.
fn nothing_yet(want: Kind, missing: &[Item], lang: Lang) -> String {
    let is_need = want == Kind::Achievement;
    match lang {
        Lang::Zh => {
            let names: Vec<&str> = missing.iter().map(|item| item.zh()).collect();
            let add = match (is_need, names.is_empty()) {
                (true, false) => format!("补充{}后再试", names.join("、")),
                (true, true) => "换用更具体的技术名称再试".to_owned(),
                (false, _) => "补充应用场合与解决的问题后再试".to_owned(),
            };
            format!(
                "市场上暂时没有合适的对象：{add}，或订阅（POST /subscriptions），有新发布时会通知您。"
            )
        }
        Lang::En => {
            let names: Vec<String> = missing.iter().map(|item| item.en().to_lowercase()).collect();
            let add = match (is_need, names.is_empty()) {
                (true, false) => format!("add {}", names.join(", ")),
                (true, true) => "try more specific technical terms".to_owned(),
                (false, _) => "add where it is used and which problem it solves".to_owned(),
            };
            format!(
                "Nothing in the market is suitable yet: {add}, or subscribe (POST /subscriptions) to hear of new listings."
            )
        }
    }
}

/// The matches; where the market evens out what is shown, of twice as many those that deserve it.
fn evened_out(catalogue: &Catalogue, request: &index::MatchRequest) -> Result<Vec<index::Match>> {
    let (strength, limit) = (catalogue.strength(), request.limit);
    if strength <= 0.0 {
        return catalogue.matches(request);
    }
    let wider = index::MatchRequest { limit: index::exposure::reach(limit), ..request.clone() };
    let mut found = catalogue.matches(&wider)?;
    catalogue.exposure().even_out(&mut found, limit, strength, catalogue.index().len());
    Ok(found)
}

/// The rows behind what the index found. A listing that was withdrawn since is left out: the table
/// is the truth.
#[derive(Default)]
struct Cards {
    achievements: HashMap<String, AchievementCard>,
    demands: HashMap<String, DemandCard>,
}

impl Cards {
    fn load(conn: &mut DbConn, kind: Kind, found: &[index::Match]) -> Result<Self> {
        let mut cards = Self::default();
        match kind {
            Kind::Achievement => {
                let ids: Vec<Id<of::Achievement>> =
                    found.iter().filter_map(|m| m.id.parse().ok()).collect();
                let rows = achievements::find_many(conn, &ids)?;
                let owners = owners(conn, rows.iter().map(|r| r.organization_id))?;
                for row in rows.iter().filter(|r| r.state == State::Published) {
                    let owner = owners.get(&row.organization_id).cloned();
                    cards.achievements.insert(row.id.to_string(), AchievementCard::of(row, owner));
                }
            }
            Kind::Demand => {
                let ids: Vec<Id<of::Demand>> =
                    found.iter().filter_map(|m| m.id.parse().ok()).collect();
                let rows = demands::find_many(conn, &ids)?;
                let owners = owners(conn, rows.iter().map(|r| r.organization_id))?;
                for row in rows.iter().filter(|r| r.state == State::Published) {
                    let owner = owners.get(&row.organization_id).cloned();
                    cards.demands.insert(row.id.to_string(), DemandCard::of(row, owner));
                }
            }
        }
        Ok(cards)
    }

    fn take(&mut self, id: &str) -> Option<(Option<AchievementCard>, Option<DemandCard>)> {
        let (achievement, demand) = (self.achievements.remove(id), self.demands.remove(id));
        (achievement.is_some() || demand.is_some()).then_some((achievement, demand))
    }
}

fn owners(
    conn: &mut DbConn,
    ids: impl Iterator<Item = Id<of::Organization>>,
) -> Result<HashMap<Id<of::Organization>, ListingOwner>> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(accounts::organizations(conn, &ids)?.iter().map(|o| (o.id, ListingOwner::from(o))).collect())
}

/// The demands a batch is about: published ones that the caller may see. Naming another is an error,
/// a filter just leaves it out.
pub fn batch_demands(
    conn: &mut DbConn,
    actor: &Actor,
    named: Option<&[Id<of::Demand>]>,
    filter: &BatchFilter,
) -> Result<Vec<Demand>> {
    let mut rows = match named {
        Some(ids) => demands::find_many(conn, ids)?,
        None => all_published(conn)?,
    };
    let mut visible = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        if row.state == State::Published && demands::is_visible(conn, Some(actor), &row)? {
            visible.push(row);
        }
    }
    if let Some(at) =
        named.and_then(|ids| ids.iter().position(|id| !visible.iter().any(|d| d.id == *id)))
    {
        return Err(Error::invalid(
            &format!("/demand_ids/{at}"),
            "unknown_demand",
            "没有这个已发布的需求，或您无权查看。",
        ));
    }
    visible.retain(|d| {
        filter.field.is_none_or(|f| d.field == f)
            && filter.region.as_ref().is_none_or(|r| regions::covers(r, &d.region_code))
    });
    visible.sort_by_key(|d| d.id);
    visible.dedup_by_key(|d| d.id);
    Ok(visible)
}

fn all_published(conn: &mut DbConn) -> Result<Vec<Demand>> {
    let mut all: Vec<Demand> = Vec::new();
    loop {
        let next = demands::all_published(conn, all.last().map(|d| d.id), 1_000)?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next);
    }
}

/// The matches of some demands, one line each, computed on both cores.
pub fn cross_match(
    catalogue: &Catalogue,
    demands: &[Demand],
    limit: usize,
    lang: Lang,
) -> Result<Vec<BatchLine>> {
    let requests: Vec<_> = demands
        .iter()
        .map(|d| index::MatchRequest { limit, ..index::MatchRequest::from(&listing_of_demand(d)) })
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found = catalogue.match_many(&requests, threads)?;
    catalogue.index().locate_many(&mut found, threads)?;
    Ok(demands
        .iter()
        .zip(&requests)
        .zip(found)
        .map(|((demand, request), matches)| BatchLine {
            demand_id: demand.id,
            items: matches
                .into_iter()
                .zip(1..)
                .map(|(m, rank)| BatchItem {
                    rank,
                    score: m.score,
                    probability: m.probability,
                    grade: m.grade.slug(),
                    explanation: ExplanationView::of(&m.explanation, lang),
                    achievement_id: m.id,
                    title: m.title,
                })
                .collect(),
            model: catalogue.model().to_owned(),
            path: request.path().slug(),
        })
        .collect())
}
