//! Finds out once per request who is asking; everyone else reads it from the request.
use actix_web::{
    HttpMessage, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
    web::Data,
};

use crate::{
    accounts::{
        credentials::{Keys, NoEntry},
        service::sign_in::{self, Shown},
    },
    kernel::{Config, Db, Error, Moment, Result, actor::Recognised, secret},
};

/// Goes around the whole API: `.wrap(from_fn(accounts::http::recognise))`.
pub async fn recognise(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match caller(&req).await {
        Ok(who) => {
            req.extensions_mut().insert(who);
            Ok(next.call(req).await?.map_into_left_body())
        }
        // an answer, not an error: the layers outside still give it its id and its log line
        Err(error) => Ok(req.into_response(error.error_response()).map_into_right_body()),
    }
}

async fn caller(req: &ServiceRequest) -> Result<Recognised> {
    let mut given = req.headers().get_all(header::AUTHORIZATION);
    let Some(first) = given.next() else { return Ok(Recognised::Nobody) };
    let bearer = first.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let (Some(token), None) = (bearer, given.next()) else { return Ok(invalid()) };
    let (Some(keys), Some(db), Some(config)) =
        (req.app_data::<Data<Keys>>(), req.app_data::<Data<Db>>(), req.app_data::<Data<Config>>())
    else {
        return Err(Error::Internal(anyhow::anyhow!("the app lacks keys, database or config")));
    };
    let now = Moment::now();
    let shown = if token.starts_with("ks_") {
        Shown::Key(secret::digest(token))
    } else {
        match keys.read(token, now) {
            Ok(claims) => Shown::Token(claims),
            Err(NoEntry::Expired) => {
                return Ok(Recognised::Refused {
                    code: "token_expired",
                    why: "访问令牌已过期：请用 POST /auth/refresh 换取新令牌。",
                });
            }
            Err(NoEntry::Invalid) => return Ok(invalid()),
        }
    };
    let require_totp = config.require_totp;
    db.read(move |conn| sign_in::recognise(conn, &shown, now, require_totp)).await
}

fn invalid() -> Recognised {
    Recognised::Refused { code: "token_invalid", why: "访问令牌无效，请重新登录。" }
}
