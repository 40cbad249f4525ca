//! Reading one achievement.
use actix_web::{App, HttpResponse, HttpServer, web};

use super::{ROUNDS, ask, connect, hammer, serve, tell};
use crate::{Keshi, demo::market, kernel::Config};

pub fn run(config: &Config) -> anyhow::Result<()> {
    market::load(config, None)?;
    let keshi = Keshi::open(config.clone())?;
    let id = market::any_achievement(&keshi)?;
    let path = format!("/api/v1/achievements/{id}");
    let ours = serve(move |l| {
        Ok(HttpServer::new(move || crate::app(&keshi))
            .workers(2)
            .worker_max_blocking_threads(2)
            .listen(l)?
            .run())
    })?;
    let body = ask(&mut connect(ours)?, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))?;
    let bare =
        serve(move |l| {
            let body = web::Bytes::from(body);
            Ok(HttpServer::new(move || {
                let body = body.clone();
                App::new().route("/bare", web::get().to(move || {
                let body = body.clone();
                async move { HttpResponse::Ok().content_type("application/json").body(body) }
            }))
            })
            .workers(2)
            .listen(l)?
            .run())
        })?;
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let ours = hammer(ours, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))?;
        rates.push((ours, hammer(bare, "GET /bare HTTP/1.1\r\nHost: x\r\n\r\n")?));
    }
    tell("GET /achievements/{id}", "bare route of the same bytes", "requests/s", &rates);
    Ok(())
}
