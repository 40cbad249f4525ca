//! The one inbox and the code lists.
use std::{collections::BTreeMap, sync::LazyLock};

use actix_web::{get, web::Data};
use serde::{Deserialize, Serialize};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    accounts, achievements, brokerage, contracts, deals, demands, discovery, exchange, insight,
    kernel::{
        Actor, Db, Label, Moment, Page, Query, Reply, Result, Window, page::MAX_LIMIT, task::Task,
    },
    markets::{self, regions},
    notices,
};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(tasks).service(codes);
}

/// The place after the last task of a page: tasks are ordered by this, and nothing else.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    without_deadline: bool,
    deadline: Option<Moment>,
    subject: String,
    kind: String,
}

impl Place {
    fn of(task: &Task) -> Self {
        Self {
            without_deadline: task.deadline.is_none(),
            deadline: task.deadline,
            subject: task.subject.clone(),
            kind: task.kind.to_owned(),
        }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TaskList {
    /// At most this many.
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What waits for the caller, with deadlines.
///
/// Derived from the life cycles of everything the caller may act on; nothing is stored beside them.
/// Those with a deadline come first, the nearest at the top; `total` counts all of them.
#[utoipa::path(
    tag = "identity",
    params(TaskList),
    responses(
        (status = 200, description = "A page of tasks", body = Page<Task>),
    ),
    security(("bearer" = []), ("api_key" = [])),
)]
#[get("/me/tasks")]
async fn tasks(actor: Actor, db: Data<Db>, query: Query<TaskList>) -> Result<Reply> {
    let limit = query.0.limit.unwrap_or(MAX_LIMIT);
    let window = Window::<Place>::read(Some(limit), query.0.cursor.as_deref())?;
    let mut items = db
        .read(move |conn| {
            let mut items = accounts::tasks(conn, &actor)?;
            items.extend(achievements::tasks(conn, &actor)?);
            items.extend(demands::tasks(conn, &actor)?);
            items.extend(discovery::tasks(conn, &actor)?);
            items.extend(deals::tasks(conn, &actor)?);
            items.extend(contracts::tasks(conn, &actor)?);
            items.extend(brokerage::tasks(conn, &actor)?);
            Ok(items)
        })
        .await?;
    items.sort_by_cached_key(Place::of);
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if let Some(after) = &window.after {
        items.retain(|task| Place::of(task) > *after);
    }
    Reply::ok(&window.page(items, total, Place::of)?)
}

/// All code lists by the names of the fields that take them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, Vec<Label>>)]
struct CodeLists(BTreeMap<&'static str, Vec<Label>>);

static CODES: LazyLock<CodeLists> = LazyLock::new(|| {
    // regions have no English names
    let regions = regions::all().map(|r| Label { code: r.code, zh: r.name, en: r.name }).collect();
    let lists = [
        markets::model::codes(),
        accounts::model::codes(),
        achievements::model::codes(),
        demands::model::codes(),
        deals::model::codes(),
        contracts::code_lists(),
        exchange::code_lists(),
        brokerage::codes(),
        insight::model::codes(),
        notices::model::codes(),
        vec![("regions", regions)],
    ];
    CodeLists(lists.into_iter().flatten().collect())
});

/// All code lists with Chinese and English labels, the regions and zones among them.
///
/// `GET /regions` tells which region lies in which.
#[utoipa::path(tag = "codes", responses((status = 200, body = CodeLists)), security(()))]
#[get("/codes")]
async fn codes() -> Result<Reply> {
    Reply::ok(&*CODES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_stands_there_once_and_every_code_once_in_it() {
        for (name, list) in &CODES.0 {
            let distinct: std::collections::BTreeSet<_> = list.iter().map(|l| l.code).collect();
            assert_eq!(distinct.len(), list.len(), "{name}");
        }
        let names: Vec<_> = CODES.0.iter().map(|(name, l)| format!("{name} {}", l.len())).collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
