//! Search and explained matching for Chinese technical text.
//!
//! A copy of what may be found, made from the tables and never the other way round. Knows no
//! database, no HTTP and no clock; it is fed by whoever reads the journal.
//!
//! **Words.** A *listing* is an achievement or a demand. A *term* is a piece of folded text in one
//! of two views, words or character pairs. A *request* is what somebody asks, a *plan* the weighted
//! terms it becomes. *Points* are what a listing earns for a request. A *part* is one reason for
//! points, with the *evidence* it rests on. The *stamp* of a commit is the journal position it
//! reaches and the *fingerprint* of everything that shapes terms. The *grade* says how sure
//! it is that a match is worth a request; where none has one, the honest answer is "nothing suitable yet".
//!
//! **Promises.**
//! - No text is ever a query language, too long or too odd: any characters are plain text.
//! - A hidden listing is in no answer whose request does not say `include_hidden`.
//! - The parts of a match add up to its score, to 1e-6.
//! - Highlights are offsets in characters of the original text, however it was folded.
//! - A damaged folder is emptied and says so; an outdated one answers until another takes over; a
//!   folder in use is left alone ([`Error::Busy`]).
//! - What `commit` returned from is durable, visible, and stamped with its position.
//! - The same commit and request give the same answer, in the same order.
//!
//! **Map.** [`analysis`] text to terms · [`listing`] what is indexed · [`index`] open, write, commit
//! · `view` what one commit shows · [`weights`] the constants of the ranking · [`request`] questions and
//! answers · [`ranking`] plans, points, matches · `retrieval` the best of them without weighing all ·
//! `search` the search box · [`percolator`] saved questions that a listing answers · [`explanation`] parts
//! and sentences · `evidence` where they stand · [`calibration`] points as probability · [`likeness`]
//! near-duplicates · [`exposure`] evening out what is shown · [`semantic`] ranking by meaning, where
//! there is a model (read with the feature of that name) · [`evaluation`] quality on a test set ·
//! [`fitting`] the constants from a test set · [`recombine`] markets of any size for benchmarks ·
//! [`measure`] speed against the bare engine · `parallel` all cores.

pub mod analysis;
pub mod calibration;
mod error;
pub mod evaluation;
mod evidence;
pub mod explanation;
pub mod exposure;
pub mod fitting;
pub mod index;
pub mod likeness;
pub mod listing;
pub mod measure;
mod number;
mod parallel;
pub mod percolator;
pub mod ranking;
pub mod recombine;
pub mod request;
mod retrieval;
mod search;
pub mod semantic;
mod view;
pub mod weights;

pub use calibration::Grade;
pub use error::{Error, Result};
pub use explanation::{Evidence, Explanation, Lang, Misfit, Part, PartKind, Place, Span};
pub use index::{Index, Opened};
pub use listing::{Kind, Listing};
pub use percolator::{Percolator, Saved};
pub use request::{
    FacetCount, Facets, Filters, Highlight, HighlightField, MAX_LIMIT, MAX_QUERY, MAX_TEXT, Match,
    MatchPath, MatchRequest, SearchAfter, SearchItem, SearchPage, SearchRequest, Sort,
};
pub use retrieval::Effort;
pub use search::SNIPPET_CHARS;
pub use weights::{Ranking, model};
