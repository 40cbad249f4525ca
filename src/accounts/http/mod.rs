//! Accounts over HTTP: parse, call the service, render. No decisions here.
mod auth;
mod brokers;
mod me;
mod organizations;
mod recognise;

use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use utoipa_actix_web::service_config::ServiceConfig;

pub use recognise::recognise;

use crate::kernel::{Actor, Error, Id, Lang, Result, actor::address, of};

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(auth::routes);
    cfg.configure(me::routes);
    cfg.configure(organizations::routes);
    cfg.configure(brokers::routes);
}

/// Whoever knocks, known or not. An old token in the header is no reason to refuse: these are the
/// calls that give a new one.
struct Knock {
    address: IpAddr,
    lang: Lang,
}

impl Knock {
    /// The name under which a repeated request without a caller is found again.
    fn name(&self) -> String {
        format!("address:{}", self.address)
    }
}

impl FromRequest for Knock {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { address: address(req), lang: Lang::of(req) }))
    }
}

/// A person who signed in, not a system with a key. A missing second factor is no hindrance: here it
/// is set up.
struct InPerson {
    actor: Actor,
    session: Id<of::Session>,
    address: IpAddr,
}

impl FromRequest for InPerson {
    type Error = Error;
    type Future = Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let found =
            Actor::from_request(req, payload).into_inner().and_then(|actor| match actor.session {
                Some(session) => Ok(Self { actor, session, address: address(req) }),
                None => {
                    let why = "API 密钥不能代替本人：请以个人身份登录后再操作。";
                    Err(Error::forbidden("session_required", why))
                }
            });
        ready(found)
    }
}
