//! Exchange: files of drafts that come in, many at once.
//!
//! Words: an *import* is one file on its way in, of one *kind*, in the name of one organization; the *check*
//! reads every row and finds *faults*, which forbid the import, and *warnings*, which do not; a dry run ends
//! with the check, and a *commit* writes all rows or none; the *porter* is the worker that does both.
//!
//! Promises:
//! - every faulty cell is told by its address, and a file with a faulty cell leaves nothing behind;
//! - what is written are drafts, by the same rules and rights as by the calls that write one;
//! - what is committed is the very file that was checked, and it is checked again in between;
//! - an import whose worker dies is taken up by another, and is written at most once;
//! - the file itself is gone when it is of no more use.
//!
//! Its events: `import.begun`, `import.checked|faulty`, `import.ordered` (somebody lets it be written),
//! `import.committed|failed|expired`, and those of every draft.
//!
//! May use: `kernel`, `markets`, `accounts`, the listings, `contracts`. Used by: `console`.
pub mod command;
pub mod http;
pub mod model;
mod rules;
mod service;
mod store;
mod template;

pub use model::{ImportKind, ImportState};
pub use service::{Order, Porter, Stored, begin, code_lists, commit, sweep, tick, view, work_off};
