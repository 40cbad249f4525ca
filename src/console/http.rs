//! The one inbox and the code lists.
use std::collections::BTreeMap;

use actix_web::{get, web::Data};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts::{self, model::BrokerLevel},
    achievements::{self, model::{Stage, TransferMode}},
    contracts, deals,
    demands::{self, model::{CooperationMode, DemandKind, Visibility}},
    kernel::{Actor, Db, Label, MemberRole, OrganizationKind, Problem, Reply, Result, labels, task::Task},
    markets::model::{Chain, Field, IpKind},
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(tasks).service(codes);
}

/// Everything that waits for the caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Tasks {
    /// Those with a deadline first, the nearest at the top.
    items: Vec<Task>,
}

/// What waits for the caller, with deadlines.
///
/// Derived from the life cycles of everything the caller may act on; nothing is stored beside them.
#[utoipa::path(
    tag = "identity",
    responses((status = 200, body = Tasks), (status = 401, body = Problem)),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/me/tasks")]
async fn tasks(actor: Actor, db: Data<Db>) -> Result<Reply> {
    let mut items = db
        .read(move |conn| {
            let mut items = accounts::tasks(conn, &actor)?;
            items.extend(achievements::tasks(conn, &actor)?);
            items.extend(demands::tasks(conn, &actor)?);
            items.extend(deals::tasks(conn, &actor)?);
            items.extend(contracts::tasks(conn, &actor)?);
            Ok(items)
        })
        .await?;
    items.sort_by_key(|task| (task.deadline.is_none(), task.deadline));
    Reply::ok(&Tasks { items })
}

/// Every code list, by the name of the field that takes it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(value_type = BTreeMap<String, Vec<Label>>)]
struct CodeLists(BTreeMap<&'static str, Vec<Label>>);

/// The code lists with Chinese and English labels.
#[utoipa::path(tag = "codes", responses((status = 200, body = CodeLists)), security(()))]
#[get("/codes")]
async fn codes() -> Result<Reply> {
    let mut lists = BTreeMap::from([
        ("field", labels::<Field>()),
        ("ip_kinds", labels::<IpKind>()),
        ("chain", labels::<Chain>()),
        ("stage", labels::<Stage>()),
        ("transfer_modes", labels::<TransferMode>()),
        ("demand_kind", labels::<DemandKind>()),
        ("cooperation_modes", labels::<CooperationMode>()),
        ("visibility", labels::<Visibility>()),
        ("organization_kind", labels::<OrganizationKind>()),
        ("member_role", labels::<MemberRole>()),
        ("broker_level", labels::<BrokerLevel>()),
        ("decline_reason", labels::<deals::rules::Reason>()),
    ]);
    lists.extend(contracts::code_lists());
    Reply::ok(&CodeLists(lists))
}
