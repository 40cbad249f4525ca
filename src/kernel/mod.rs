//! What every room stands on: the database, ids, time, money, pages, errors, the caller, the journal.
//!
//! Words: an *actor* is whoever makes a request; a *moment* is an instant in UTC, a *day* is cut in
//! Asia/Shanghai; a *code* is a value of a list with a slug and labels; an *event* is one line of the
//! journal; a *consumer* follows the journal and makes consequences of it.
//!
//! Promises:
//! - a row is changed only inside a [`Tx`], and what happened is in the journal of the same transaction;
//! - an [`Error`] tells the caller what to do, and never a cause of ours;
//! - a [`Secret`] does not print.
//!
//! May use: nothing. Used by: everyone.
pub mod actor;
pub mod answers;
pub mod archive;
pub mod body;
pub mod code;
pub mod config;
pub mod db;
pub mod document;
pub mod error;
pub mod id;
pub mod idempotency;
pub mod journal;
pub mod json;
pub mod limits;
pub mod moment;
pub mod money;
pub mod page;
pub mod region;
pub mod reply;
pub mod secret;
pub mod storage;
pub mod table;
pub mod task;
pub mod telemetry;
pub mod text;
pub mod upload;

pub use {
    actor::{Actor, Lang, MemberRole, OrganizationKind, PlatformRole, Visitor, Writer},
    answers::Answers,
    body::{At, Body, IfMatch, Nothing, Part, Query},
    code::{Code, Label, labels},
    config::{CommissionCap, Config},
    db::{Db, DbConn, Tx, blocking},
    error::{Error, Fault, Faults, Problem, Result, is_unique_violation},
    id::{Id, of},
    json::JsonText,
    limits::Limits,
    moment::{Day, Moment, month_of},
    money::Fen,
    page::{After, Page, Window},
    region::Region,
    reply::Reply,
    secret::Secret,
    storage::Storage,
    task::Task,
    upload::{Received, Upload},
};
