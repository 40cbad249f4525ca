//! What happens without anyone asking: the journal is sealed, its consumers are fed, mail goes out,
//! deadlines pass.
//!
//! Everything here can be stopped at any line and begun again: what is not finished is still in a
//! table. Errors are logged and tried again; one consumer in trouble does not hold up the others.
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::{
    Keshi, accounts, achievements, contracts, deals, demands,
    discovery::{Catalogue, LikenessFeed, LinkFeed, exposure::FLUSH_EVERY},
    exchange,
    insight::RollUps,
    kernel::{
        Db, Moment, Result, Storage, Tx, idempotency,
        journal::{self, Consumer},
        telemetry,
    },
    markets::listing::OwnerFeed,
    notices::{self, Post, Postman},
};

/// How long to wait for a commit of another node before looking oneself.
const LOOK_EVERY: Duration = Duration::from_millis(400);
const TELL_EVERY: Duration = Duration::from_millis(200);
const TICK_EVERY: Duration = Duration::from_secs(30);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Vectors that are made before the thread asks whether to stop.
const VECTORS_AT_ONCE: usize = 8;

/// Seals the journal and feeds everything that follows it.
pub struct Consumers {
    db: Db,
    consumers: Vec<Box<dyn Consumer>>,
}

impl Consumers {
    /// All of them, to be fed in turns.
    pub fn new(keshi: &Keshi) -> Result<Self> {
        let mut all = Self::without_notices(keshi);
        all.consumers.push(Box::new(Postman::new(&keshi.config, &keshi.catalogue)?));
        Ok(all)
    }

    /// Those that must never wait: what is published has to be found within a second, however many
    /// saved questions it is held against.
    fn without_notices(keshi: &Keshi) -> Self {
        let consumers: Vec<Box<dyn Consumer>> = vec![
            Box::new(keshi.catalogue.feed()),
            Box::new(LikenessFeed::new(keshi.catalogue.clone())),
            Box::new(LinkFeed::new(keshi.catalogue.clone())),
            Box::new(RollUps),
            Box::new(OwnerFeed::new("owners of achievements", achievements::follow_owner)),
            Box::new(OwnerFeed::new("owners of demands", demands::follow_owner)),
        ];
        Self { db: keshi.db.clone(), consumers }
    }

    /// One round; answers how much there was to do. The first error is reported after all had their turn.
    pub fn turn(&mut self) -> Result<usize> {
        let mut done = journal::seal(&self.db);
        for consumer in &mut self.consumers {
            let fed = journal::feed(&self.db, consumer.as_mut());
            done = match (done, fed) {
                (Ok(a), Ok(b)) => Ok(a + b),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
        }
        done
    }

    /// Rounds until nothing is left to do.
    pub fn settle(&mut self) -> Result<()> {
        while self.turn()? > 0 {}
        Ok(())
    }

    /// Names and distances of the consumers from the end of the sealed journal.
    pub fn lag(&self) -> Result<Vec<(&'static str, i64)>> {
        let (head, _) = self.db.read_now(journal::head)?;
        self.consumers.iter().map(|c| Ok((c.name(), head - c.position(&self.db)?))).collect()
    }

    fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            match self.turn() {
                Ok(0) => {
                    self.report();
                    self.db.bell().wait(LOOK_EVERY);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, cause = ?error, "a consumer of the journal failed; it will try again");
                    std::thread::sleep(LOOK_EVERY);
                }
            }
        }
    }

    fn report(&self) {
        if let Ok(lags) = self.lag() {
            for (name, events) in lags {
                telemetry::consumer_lag(name, events);
            }
        }
    }
}

/// What each room does when time passes.
pub const CLOCKS: [fn(&mut Tx<'_>) -> Result<usize>; 7] = [
    accounts::tick,
    achievements::tick,
    demands::tick,
    deals::tick,
    exchange::tick,
    notices::tick,
    idempotency::forget_old,
];

/// Passes the deadlines of every room; answers how many acts that were.
pub fn tick(db: &Db) -> Result<usize> {
    CLOCKS.iter().try_fold(0, |done, room| Ok(done + db.write_now(room)?))
}

/// The threads of a running server.
pub struct Worker {
    stop: Arc<AtomicBool>,
    db: Db,
    catalogue: Catalogue,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts one thread for the journal, one for notices, one for webhooks, one for imports, one for mail
    /// and deadlines (a mail server that hangs must not keep a listing from being found), one that keeps house
    /// and, where matches are ranked by meaning, one that compares listings ahead of time.
    pub fn start(keshi: &Keshi) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let post = notices::transport(&keshi.config)?;
        let (consumers, journal_stop) = (Consumers::without_notices(keshi), stop.clone());
        let postman = Postman::new(&keshi.config, &keshi.catalogue)?;
        let (notices_db, notices_stop) = (keshi.db.clone(), stop.clone());
        let dispatch = notices::Dispatch::new(&keshi.db, &keshi.config);
        let hooks_stop = stop.clone();
        let (porter, porter_stop) =
            (exchange::Porter::new(&keshi.db, &keshi.storage), stop.clone());
        let mail_stop = stop.clone();
        let mail_keshi = keshi.clone();
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new()
                .name(name.into())
                .spawn(work)
                .context("starting a worker thread")
        };
        let (house, house_stop) = (keshi.clone(), stop.clone());
        let mut threads = vec![
            spawn("housekeeping", Box::new(move || keep_house(&house, &house_stop)))?,
            spawn("journal", Box::new(move || consumers.run(&journal_stop)))?,
            spawn("notices", Box::new(move || tell(&notices_db, postman, &notices_stop)))?,
            spawn("webhooks", Box::new(move || dispatch.run(&hooks_stop)))?,
            spawn("imports", Box::new(move || porter.run(&porter_stop)))?,
            spawn(
                "mail",
                Box::new(move || mail_and_clock(&mail_keshi, post.as_ref(), &mail_stop)),
            )?,
        ];
        if keshi.catalogue.meaning().is_some() {
            let (catalogue, meaning_stop) = (keshi.catalogue.clone(), stop.clone());
            threads.push(spawn(
                "meaning",
                Box::new(move || follow_meaning(&catalogue, &meaning_stop)),
            )?);
        }
        Ok(Self { stop, db: keshi.db.clone(), catalogue: keshi.catalogue.clone(), threads })
    }

    /// Lets all threads finish their round, and writes what was shown since.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.db.bell().ring();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a worker thread had panicked; its work is still in the tables");
            }
        }
        // the last answers have gone out
        write_exposure(&self.catalogue, &self.db);
    }
}

/// Counts what was shown, looks at every file of the index once and sweeps the storage: none of these may
/// hold up the journal or the mail.
fn keep_house(keshi: &Keshi, stop: &AtomicBool) {
    let (catalogue, db) = (&keshi.catalogue, &keshi.db);
    let mut swept: Option<Instant> = None;
    if catalogue.strength() > 0.0
        && let Err(error) = catalogue.exposure().load(db)
    {
        tracing::error!(%error, cause = ?error, "what was shown could not be read; answers are not evened out");
    }
    if let Err(error) = catalogue.check() {
        tracing::error!(%error, cause = ?error, "the index could not be checked");
    }
    if let Err(error) = keshi.grids.warm(db, stop) {
        tracing::error!(%error, cause = ?error, "what the public may see was not worked out ahead");
    }
    let mut written = Instant::now();
    while !stop.load(Ordering::Acquire) {
        std::thread::sleep(LOOK_EVERY);
        if written.elapsed() > FLUSH_EVERY {
            write_exposure(catalogue, db);
            written = Instant::now();
        }
        if swept.is_none_or(|at| at.elapsed() > SWEEP_EVERY) {
            if let Err(error) = sweep(db, &keshi.storage) {
                tracing::error!(%error, cause = ?error, "the storage could not be swept; it will be tried again");
            }
            swept = Some(Instant::now());
        }
    }
}

/// Makes the vectors of listings that have none yet, no more than half of the time: answers need the cores,
/// too.
fn follow_meaning(catalogue: &Catalogue, stop: &AtomicBool) {
    let Some(meaning) = catalogue.meaning() else { return };
    let mut is_behind = true;
    while !stop.load(Ordering::Acquire) {
        let begun = Instant::now();
        match meaning.tend(catalogue.index(), VECTORS_AT_ONCE) {
            Ok(0) => {
                if is_behind {
                    tracing::info!(
                        vectors = meaning.vectors(),
                        "every listing can be compared by meaning"
                    );
                    is_behind = false;
                }
                std::thread::sleep(LOOK_EVERY);
            }
            Ok(_) => {
                is_behind = true;
                std::thread::sleep(begun.elapsed());
            }
            Err(error) => {
                tracing::error!(%error, cause = ?error, "listings could not be compared by meaning; it will be tried again");
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    }
}

fn write_exposure(catalogue: &Catalogue, db: &Db) {
    if let Err(error) = catalogue.exposure().flush(db) {
        tracing::error!(%error, cause = ?error, "what was shown could not be written; it waits");
    }
}

/// Feeds the postman. It rings no bell and waits for none: the bell is the index's.
fn tell(db: &Db, mut postman: Postman, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        match told(db, &mut postman) {
            Ok(true) => {}
            Ok(false) => std::thread::sleep(TELL_EVERY),
            Err(error) => {
                tracing::error!(%error, cause = ?error, "notices could not be made; they will be tried again");
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

/// One round; answers whether there was anything to do.
fn told(db: &Db, postman: &mut Postman) -> Result<bool> {
    let before = postman.position(db)?;
    journal::feed(db, postman)?;
    let (after, (head, _)) = (postman.position(db)?, db.read_now(journal::head)?);
    telemetry::consumer_lag(postman.name(), head - after);
    Ok(after > before || postman.prepare(db)?)
}

/// Removes stored objects that no document, no paper and no open import names.
pub fn sweep(db: &Db, storage: &Storage) -> Result<usize> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting a runtime for the storage")?;
    runtime.block_on(async {
        let now = Moment::now();
        Ok(storage.tidy(now).await?
            + deals::sweep(db, storage, now).await?
            + contracts::sweep(db, storage, now).await?
            + exchange::sweep(db, storage, now).await?)
    })
}

fn mail_and_clock(keshi: &Keshi, post: &dyn Post, stop: &AtomicBool) {
    let (db, config, limits) = (&keshi.db, &keshi.config, &keshi.limits);
    let mut ticked: Option<Instant> = None;
    while !stop.load(Ordering::Acquire) {
        match notices::deliver(db, post, config) {
            Ok(0) => std::thread::sleep(LOOK_EVERY),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, cause = ?error, "delivering mail failed; it will be tried again");
                std::thread::sleep(Duration::from_secs(2));
            }
        }
        if ticked.is_none_or(|at| at.elapsed() > TICK_EVERY) {
            if let Err(error) = tick(db) {
                tracing::error!(%error, cause = ?error, "deadlines could not be passed; they will be tried again");
            }
            limits.tidy();
            ticked = Some(Instant::now());
        }
    }
}
