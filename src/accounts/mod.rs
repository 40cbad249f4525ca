//! Accounts: people, organizations, memberships, sessions, API keys, brokers.
//!
//! Words: an *account* is one person; an *organization* is who offers, asks and registers; a *member*
//! may speak for it, an *admin* manages it; a *session* is one sign-in with the family of refresh
//! tokens that descends from it; a *link* is a token that came by mail and works once; a *broker* is a
//! member of an agency whose certificate an operator has seen, and works in the name of that agency
//! alone; the *caseload limit* says how many cases a broker of a level may have open.
//!
//! Promises:
//! - a password, a token, a key or a code is stored as a hash or sealed, and is in no log, no error
//!   and no line of the journal;
//! - a stolen refresh token is worth one use: the second ends the whole session;
//! - an organization changes its state only through a [`rules::Move`], and never by its own members;
//! - an organization always keeps an administrator;
//! - only an operator makes a broker verified or ends a suspension; a certificate that is past its day,
//!   a new one, and another agency all take the verification away.
//!
//! Its events: `account.registered|created|invited|verified|verification_requested|changed`,
//! `account.password_reset_requested|password_changed|totp_begun|totp_enabled|totp_disabled`,
//! `session.opened|closed|reuse_detected` (on `account:ID`),
//! `organization.registered|created|changed|verified|rejected|suspended`,
//! `organization.member_added|member_removed|api_key_created|api_key_revoked`,
//! `broker.created|changed|verified|rejected|suspended|expired|transferred`.
//!
//! The app holds a [`credentials::Hasher`] and [`credentials::Keys`] as data and wraps the API in
//! [`http::recognise`].
//!
//! May use: `kernel`, `markets`. Used by: everyone above.
pub mod credentials;
pub mod http;
pub mod model;
pub mod rules;
pub mod service;
mod store;

pub use rules::uscc;
pub use service::{
    brokers::{caseload_limit, transfer as transfer_broker},
    people::mint_link,
    setup::{
        NewAccount, add_member, create_account, create_broker, create_organization, is_empty,
        open_session, tick,
    },
    sign_in::{actor_again, actor_by_email},
    tasks,
};
pub use store::{
    agencies, broker, broker_of,
    brokers::{
        Profile as BrokerProfile, caseload_limits, in_practice as brokers_in_practice,
        of_agencies as brokers_of_agencies, profile as broker_profile, set_caseload_limit,
    },
    members, organization, organizations, person, registrars,
};
