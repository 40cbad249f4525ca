//! The catalogue: every code list of every room on one page, so that a client needs to know none by
//! heart. It stands above the rooms because each list lives in the room that owns it.
use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::get;
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::model::{BrokerLevel, BrokerState, OrganizationState},
    achievements, contracts, demands,
    kernel::{Label, Reply, Result, labels},
    markets::{self, regions},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(codes);
}

/// All code lists by their names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, Vec<Label>>)]
struct Catalogue(BTreeMap<&'static str, Vec<Label>>);

static ALL: LazyLock<Catalogue> = LazyLock::new(|| {
    let accounts = vec![
        ("organization_state", labels::<OrganizationState>()),
        ("broker_level", labels::<BrokerLevel>()),
        ("broker_state", labels::<BrokerState>()),
    ];
    // regions have no English names
    let regions = regions::all().map(|r| Label { code: r.code, zh: r.name, en: r.name }).collect();
    let rooms = [
        markets::model::codes(),
        accounts,
        achievements::model::codes(),
        demands::model::codes(),
        contracts::code_lists(),
        vec![("regions", regions)],
    ];
    Catalogue(rooms.into_iter().flatten().collect())
});

/// All code lists with Chinese and English labels, the regions and zones among them.
///
/// `GET /regions` tells which region lies in which.
#[utoipa::path(tag = "markets", responses((status = 200, body = Catalogue)), security(()))]
#[get("/codes")]
async fn codes() -> Result<Reply> {
    Reply::ok(&*ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_stands_there_once_and_every_code_once_in_it() {
        for (name, list) in &ALL.0 {
            let slugs: std::collections::BTreeSet<_> = list.iter().map(|l| l.code).collect();
            assert_eq!(slugs.len(), list.len(), "{name}");
        }
        let names: Vec<_> = ALL.0.iter().map(|(name, l)| format!("{name} {}", l.len())).collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
