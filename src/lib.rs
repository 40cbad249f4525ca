//! keshi (科市), a technology market: the map of its rooms, and [`app`], which puts them together.
//!
//! Imports run down only:
//! `kernel ← markets ← accounts ← {achievements, demands} ← discovery ← deals ← contracts ← brokerage
//! ← exchange
//! ← {insight, notices} ← console`.

pub mod accounts; // people, organizations, sessions, keys, brokers
pub mod achievements; // what universities offer
pub mod brokerage; // the brokers' desk, their figures, agencies
pub mod console; // inbox and code lists
pub mod contracts; // registration of technology contracts
pub mod deals; // match requests and what follows
pub mod demands; // what firms ask for
pub mod demo; // the demo market and the benchmarks
pub mod discovery; // search and explained matching
pub mod exchange; // files of drafts
pub mod insight; // targets and turnover
pub mod kernel; // database, ids, time, money, errors, the caller, the journal
pub mod markets; // regions, code lists, the life of a listing
pub mod notices; // subscriptions, notices, mail, webhooks
pub mod openapi; // the document that clients read
pub mod operations; // health and metrics
pub mod schema; // every table
pub mod worker; // sealing, consumers, mail, deadlines

use std::path::Path;

use actix_web::{
    App,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::{Compress, from_fn},
    web::{self, Data},
};
use keshi_index::semantic::Semantic;
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

use accounts::credentials::{Hasher, Keys};
use discovery::Catalogue;
use kernel::{Answers, Config, Db, Error, Limits, Result, Storage, telemetry};

/// Everything a request may need; cheap to clone.
#[derive(Clone)]
pub struct Keshi {
    pub config: Data<Config>,
    pub db: Db,
    pub catalogue: Catalogue,
    pub limits: Data<Limits>,
    pub hasher: Data<Hasher>,
    pub keys: Data<Keys>,
    pub answers: Data<Answers>,
    pub grids: Data<insight::Grids>,
    /// Where documents are kept.
    pub storage: Storage,
}

impl Keshi {
    /// Opens database and index by the configuration; the schema must be up to date.
    pub fn open(config: Config) -> Result<Self> {
        if let Some(folder) = &config.rules_dir {
            contracts::rulebook::install(folder).map_err(|why| anyhow::anyhow!("{why}"))?;
        }
        contracts::rulebook::book();
        use_ranking(&config)?;
        let db = Db::open(&config.database_url)?;
        let mut catalogue = Catalogue::open(&config.index_dir(), config.exposure)?;
        if let Some(semantic) = meaning(&config, &config.data_dir)? {
            catalogue = catalogue.by_meaning(semantic);
        }
        let limits = Data::new(Limits::new(config.rate_limit));
        let hasher = Data::new(Hasher::strong()?);
        let keys = Data::new(Keys::new(&config.jwt_secret));
        let storage = Storage::open(&config)?;
        let (config, answers, grids) = (Data::new(config), Data::default(), Data::default());
        Ok(Self { config, db, catalogue, limits, hasher, keys, answers, grids, storage })
    }
}

/// Ranks by the operator's constants from now on, where the configuration names a file with them.
pub fn use_ranking(config: &Config) -> Result<()> {
    match &config.ranking {
        Some(file) => Ok(keshi_index::weights::install(file)?),
        None => Ok(()),
    }
}

/// The operator's model for ranking by meaning, where the configuration names one; the vectors made with it
/// are kept in `folder`.
pub fn meaning(config: &Config, folder: &Path) -> Result<Option<Semantic>> {
    let Some(model) = &config.semantic_model else { return Ok(None) };
    Ok(Some(Semantic::open(model, folder)?))
}

/// Every route under `/api/v1`.
pub fn api(cfg: &mut ServiceConfig<'_>) {
    accounts::http::routes(cfg);
    // before `/demands/{id}` and the like
    discovery::http::routes(cfg);
    achievements::http::routes(cfg);
    demands::http::routes(cfg);
    deals::http::routes(cfg);
    contracts::http::routes(cfg);
    brokerage::http::routes(cfg);
    exchange::http::routes(cfg);
    insight::http::routes(cfg);
    notices::http::routes(cfg);
    markets::http::routes(cfg);
    console::http::routes(cfg);
}

/// The service as it is served, and as the tests ask it.
pub fn app(
    keshi: &Keshi,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    let (app, _) = App::new()
        .into_utoipa_app()
        .app_data(keshi.config.clone())
        .app_data(Data::new(keshi.db.clone()))
        .app_data(Data::new(keshi.catalogue.clone()))
        .app_data(keshi.answers.clone())
        .app_data(keshi.grids.clone())
        .app_data(keshi.limits.clone())
        .app_data(keshi.hasher.clone())
        .app_data(keshi.keys.clone())
        .app_data(Data::new(keshi.storage.clone()))
        .service(utoipa_actix_web::scope("/api/v1").configure(api))
        .configure(operations::routes)
        .split_for_parts();
    app.configure(openapi::pages)
        .default_service(web::to(|| async { Err::<String, _>(Error::NotFound("页面")) }))
        .wrap(Compress::default())
        .wrap(from_fn(accounts::http::recognise))
        .wrap(from_fn(telemetry::observe))
}
