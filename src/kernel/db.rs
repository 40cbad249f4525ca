//! One database handle for both backends.
//!
//! [`Db::read`] and [`Db::write`] are the only ways in. A write is always one transaction with one
//! `now`; SQLite takes its write lock at the start, because a deferred transaction that turns writer
//! half-way fails at once, whatever the busy timeout says.
use std::{
    ops::{Deref, DerefMut},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::web;
use anyhow::Context;
use diesel::{
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    prelude::*,
    r2d2::{ManageConnection, Pool, R2D2Connection},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Error, Moment, Result};

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

#[derive(diesel::MultiConnection)]
pub enum DbConn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs the same expression on the concrete connection, for what the joint backend refuses
/// (batch insert, upsert, union).
#[macro_export]
macro_rules! each_db {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::kernel::DbConn::Postgres($c) => $body,
            $crate::kernel::DbConn::Sqlite($c) => $body,
        }
    };
}

impl DbConn {
    /// Opens one connection by the scheme of `url`: `postgres://…`, `postgresql://…` or `sqlite:PATH`.
    ///
    /// The derived `establish` tries each backend in turn and hides why the right one failed.
    pub fn open(url: &str) -> ConnectionResult<Self> {
        let setup = ConnectionError::CouldntSetupConfiguration;
        if is_postgres(url) {
            let mut c = PgConnection::establish(url)?;
            c.batch_execute("SET timezone = 'UTC'; SET lock_timeout = '10s'").map_err(setup)?;
            Ok(Self::Postgres(c))
        } else {
            let path = url
                .strip_prefix("sqlite://")
                .or_else(|| url.strip_prefix("sqlite:"))
                .ok_or_else(|| {
                    ConnectionError::BadConnection(format!(
                        "{:?} is neither `sqlite:PATH` nor `postgres://…`",
                        url.split("://").next().unwrap_or_default()
                    ))
                })?;
            let mut c = SqliteConnection::establish(path)?;
            c.batch_execute(
                "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456; PRAGMA cache_size = -16000;",
            )
            .map_err(setup)?;
            Ok(Self::Sqlite(c))
        }
    }

    /// Brings the schema up to date; answers how many migrations ran.
    pub fn migrate(&mut self) -> Result<usize> {
        let known = match self {
            Self::Postgres(_) => POSTGRES_MIGRATIONS,
            Self::Sqlite(_) => SQLITE_MIGRATIONS,
        };
        let ran =
            self.run_pending_migrations(known).map_err(|e| anyhow::anyhow!("migrating: {e}"))?;
        Ok(ran.len())
    }

    /// Writes a whole copy of an SQLite database into `file`, consistent while others write.
    pub fn copy_to(&mut self, file: &std::path::Path) -> Result<()> {
        let name = file.display().to_string();
        diesel::sql_query("VACUUM INTO $1")
            .bind::<diesel::sql_types::Text, _>(name)
            .execute(self)
            .with_context(|| format!("copying the database to {}", file.display()))?;
        Ok(())
    }

    /// Takes every migration back, newest first: proves that each `down.sql` undoes its `up.sql`.
    pub fn revert_all(&mut self) -> Result<usize> {
        let known = match self {
            Self::Postgres(_) => POSTGRES_MIGRATIONS,
            Self::Sqlite(_) => SQLITE_MIGRATIONS,
        };
        let gone =
            self.revert_all_migrations(known).map_err(|e| anyhow::anyhow!("reverting: {e}"))?;
        Ok(gone.len())
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

struct Manager {
    url: String,
}

impl ManageConnection for Manager {
    type Connection = DbConn;
    type Error = diesel::r2d2::Error;
    fn connect(&self) -> std::result::Result<DbConn, Self::Error> {
        DbConn::open(&self.url).map_err(diesel::r2d2::Error::ConnectionError)
    }
    fn is_valid(&self, conn: &mut DbConn) -> std::result::Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }
    fn has_broken(&self, conn: &mut DbConn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// Rung after every commit, so that the consumers of the journal need not wait for their next look.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }
    /// Waits for a ring, at most `patience`: other nodes' commits ring no bell here.
    pub fn wait(&self, patience: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .heard
            .wait_timeout_while(rung, patience, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// A write that waits for its turn: runs in a savepoint, and is told afterwards whether the whole
/// transaction was committed.
type Job = Box<dyn FnOnce(&mut DbConn) -> Verdict + Send>;
type Verdict = Box<dyn FnOnce(bool) + Send>;

/// Writes that share one commit at the most.
const GROUP: usize = 64;

#[derive(Clone)]
pub struct Db {
    readers: Pool<Manager>,
    writers: Pool<Manager>,
    bell: Arc<Bell>,
    postgres: bool,
    /// SQLite: writes that came while another was being committed.
    queue: Arc<Mutex<Vec<Job>>>,
    generation: Arc<AtomicU64>,
}

impl Db {
    /// Opens the pools. SQLite has one writer by nature: a queue in the pool is fairer than its lock.
    pub fn open(url: &str) -> Result<Self> {
        let postgres = is_postgres(url);
        let pool = |size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(postgres)
                .connection_timeout(Duration::from_secs(10))
                .build(Manager { url: url.to_owned() })
                .context("opening the database")
        };
        let writers = pool(if postgres { 8 } else { 1 })?;
        let readers = pool(if postgres { 8 } else { 4 })?;
        let (bell, queue, generation) = <(Arc<_>, Arc<_>, Arc<_>)>::default();
        Ok(Self { readers, writers, bell, postgres, queue, generation })
    }

    pub fn is_postgres(&self) -> bool {
        self.postgres
    }

    /// Changes with every commit that this node makes or learns of; what was read under an older
    /// generation may be stale.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Says that rows have changed: after a commit, or when the journal tells of another node's.
    pub fn touch(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    pub async fn read<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
    {
        let (db, span) = (self.clone(), tracing::Span::current());
        blocking(move || span.in_scope(|| db.read_now(f))).await
    }

    /// Like [`read`](Self::read), of one state of the database: what others commit meanwhile is not seen.
    /// For answers whose parts must agree with each other.
    pub async fn read_snapshot<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
    {
        self.read(move |conn| snapshot(conn, f)).await
    }

    /// Runs `f` in a transaction; when the answer comes, it is durable or undone.
    ///
    /// On SQLite, writes that arrive while another is being committed share the next commit, each in a
    /// savepoint of its own: a disk that can flush a thousand times a second is no limit of a thousand
    /// writes. PostgreSQL does the same by itself.
    pub async fn write<T, F>(&self, f: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (db, span) = (self.clone(), tracing::Span::current());
        if self.postgres {
            return blocking(move || span.in_scope(|| db.write_now(f))).await;
        }
        let (tell, told) = tokio::sync::oneshot::channel::<Result<T>>();
        let job: Job = Box::new(move |conn| {
            let now = Moment::now();
            let done = span.in_scope(|| conn.transaction(|conn| f(&mut Tx { conn, now })));
            Box::new(move |committed| {
                let answer = match done {
                    Ok(_) if !committed => {
                        Err(Error::Internal(anyhow::anyhow!("the commit failed")))
                    }
                    done => done,
                };
                if tell.send(answer).is_err() {
                    tracing::debug!("the client went away before its answer");
                }
            })
        });
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        blocking(move || db.commit_queue()).await?;
        // a job that is dropped untold has done nothing
        told.await.map_err(|_| Error::busy("database_busy", 2))?
    }

    /// Takes everything that waits and commits it together.
    fn commit_queue(&self) -> Result<()> {
        let take = || {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let most = queue.len().min(GROUP);
            queue.drain(..most).collect::<Vec<Job>>()
        };
        let Ok(mut conn) = self.writers.get() else {
            drop(take());
            return Ok(());
        };
        let jobs = take();
        if jobs.is_empty() {
            return Ok(());
        }
        let DbConn::Sqlite(inner) = &mut *conn else { return Ok(()) };
        AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")?;
        let verdicts: Vec<Verdict> = jobs.into_iter().map(|job| job(&mut conn)).collect();
        let committed = <DbConn as Connection>::TransactionManager::commit_transaction(&mut *conn);
        if let Err(cause) = &committed {
            tracing::error!(%cause, "a group of writes could not be committed");
        }
        drop(conn);
        self.touch();
        verdicts.into_iter().for_each(|tell| tell(committed.is_ok()));
        self.bell.ring();
        Ok(())
    }

    /// Like [`read`](Self::read), on this thread: for commands and consumers, which have their own.
    pub fn read_now<T>(&self, f: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        let mut conn = self.readers.get().map_err(|_| Error::busy("database_busy", 2))?;
        f(&mut conn)
    }

    /// Like [`read_snapshot`](Self::read_snapshot), on this thread.
    pub fn read_snapshot_now<T>(&self, f: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        self.read_now(|conn| snapshot(conn, f))
    }

    /// Like [`write`](Self::write), on this thread.
    pub fn write_now<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let mut conn = self.writers.get().map_err(|_| Error::busy("database_busy", 2))?;
        let done = Tx::run(&mut conn, f)?;
        self.touch();
        self.bell.ring();
        Ok(done)
    }
}

fn snapshot<T>(conn: &mut DbConn, f: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
    type Manager = <DbConn as Connection>::TransactionManager;
    match conn {
        DbConn::Postgres(c) => AnsiTransactionManager::begin_transaction_sql(
            c,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        )?,
        // what is read first fixes what is seen
        DbConn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN DEFERRED")?,
    }
    let done = f(conn);
    // nothing was written; a connection that cannot end its transaction is dropped by the pool
    Manager::rollback_transaction(conn)?;
    done
}

/// Hands work to the blocking pool: hashing a password, searching the index, any query.
pub async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    #[allow(clippy::disallowed_methods)] // this is the one place
    let done = web::block(f).await;
    done.context("blocking pool")?
}

/// Proof that a write transaction is open. Every change of a row takes one.
pub struct Tx<'c> {
    conn: &'c mut DbConn,
    now: Moment,
}

impl Tx<'_> {
    pub fn run<T>(conn: &mut DbConn, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        Self::run_at(conn, Moment::now(), f)
    }

    /// A transaction that believes it is `now`: for histories that are loaded and for tests of clocks.
    pub fn run_at<T>(
        conn: &mut DbConn,
        now: Moment,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        type Manager = <DbConn as Connection>::TransactionManager;
        match conn {
            DbConn::Postgres(c) => AnsiTransactionManager::begin_transaction(c)?,
            DbConn::Sqlite(c) => {
                AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE")?
            }
        }
        match f(&mut Tx { conn, now }) {
            Ok(value) => {
                Manager::commit_transaction(conn)?;
                Ok(value)
            }
            Err(error) => {
                if let Err(cause) = Manager::rollback_transaction(conn) {
                    tracing::warn!(%cause, "rollback failed; the connection will be dropped");
                }
                Err(error)
            }
        }
    }

    /// The same transaction, continued as if it were `now`.
    pub fn at<T>(&mut self, now: Moment, f: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        f(&mut Tx { conn: self.conn, now })
    }

    /// Runs `f` in a savepoint. PostgreSQL gives up the whole transaction after a failed statement,
    /// so an insert that may meet a unique constraint belongs in here.
    pub fn savepoint<T>(
        &mut self,
        f: impl FnOnce(&mut DbConn) -> QueryResult<T>,
    ) -> QueryResult<T> {
        self.conn.transaction(f)
    }

    pub fn now(&self) -> Moment {
        self.now
    }
}

impl Deref for Tx<'_> {
    type Target = DbConn;
    fn deref(&self) -> &DbConn {
        self.conn
    }
}
impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut DbConn {
        self.conn
    }
}
