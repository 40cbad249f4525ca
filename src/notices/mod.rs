//! Notices: what the market tells people by mail.
//!
//! Words: a *letter* is what an event wants to tell one person; a *mail* is the letter in the queue;
//! the *postman* follows the journal and writes mails; a *post* carries them away, by SMTP or into a
//! folder; a mail is *stuck* when trying again would be in vain.
//!
//! Promises:
//! - one event gives one person at most one mail of a kind, however often the event is seen;
//! - a server that is down delays mails and loses none: only answers of the server make a mail stuck,
//!   and a stuck mail is kept and counted;
//! - no transaction is open while a mail travels, and no two nodes carry the same mail;
//! - a mail that is sent again after a crash carries the same `Message-ID`;
//! - one-time links are gone from the table once their mail is sent.
//!
//! May use: `kernel`, `markets`, `accounts`, the listings, `deals`, `contracts`. Used by: `console`.
mod letters;
pub mod model;
mod post;
pub mod rules;
mod service;
mod store;

pub use model::{Backlog, OutgoingMail, Sender};
pub use post::{Post, SendError, transport};
pub use service::{Postman, deliver, deliver_at, pass_over, tick};
pub use store::backlog;
