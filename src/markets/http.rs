//! Regions over HTTP.
use actix_web::get;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::regions::{self, RegionInfo};
use crate::kernel::{Faults, Query, Region, Reply, Result};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RegionQuery {
    /// The region whose parts are asked for; the provinces when left out.
    #[param(example = "210100")]
    parent: Option<Region>,
}

/// The regions right below one: the provinces, the cities and zones of a province, or the districts
/// and counties of a city.
#[utoipa::path(
    tag = "codes",
    params(RegionQuery),
    responses((status = 200, body = Vec<RegionInfo>),),
    security(()),
)]
#[get("/regions")]
async fn list(query: Query<RegionQuery>) -> Result<Reply> {
    let mut faults = Faults::default();
    if let Some(parent) = &query.0.parent {
        faults.keep(regions::check("parent", parent));
    }
    faults.finish()?;
    let parent = query.0.parent.as_ref().map_or("", Region::as_str);
    Reply::ok(&regions::all().filter(|region| region.parent == parent).collect::<Vec<_>>())
}
