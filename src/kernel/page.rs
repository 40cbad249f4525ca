//! Lists: keyset pages with an opaque cursor, stable while others insert.
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Error, Id, Moment, Result};

pub const DEFAULT_LIMIT: i64 = 20;
pub const MAX_LIMIT: i64 = 100;

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` to get the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// How many there are in all, over all pages.
    #[schema(example = 1239)]
    pub total: i64,
}

impl<T> Page<T> {
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next_cursor: self.next_cursor,
            total: self.total,
        }
    }
}

/// The place after the last row of a page, in lists ordered newest first.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct After<T: 'static> {
    pub at: Moment,
    pub id: Id<T>,
}

/// What a caller asked of a list: how many, and after what.
pub struct Window<C> {
    pub limit: i64,
    pub after: Option<C>,
}

impl<C: DeserializeOwned + Serialize> Window<C> {
    /// Reads `limit` and `cursor` of a query string.
    pub fn read(limit: Option<i64>, cursor: Option<&str>) -> Result<Self> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::invalid(
                "limit",
                "out_of_range",
                format!("limit 应在 1 与 {MAX_LIMIT} 之间。"),
            ));
        }
        let after = cursor.map(decode).transpose()?;
        Ok(Self { limit, after })
    }

    /// Makes a page of `rows`, of which a store has fetched `limit + 1` to see whether more follow.
    pub fn page<T>(
        &self,
        mut rows: Vec<T>,
        total: i64,
        place: impl Fn(&T) -> C,
    ) -> Result<Page<T>> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if more => Some(encode(&place(last))?),
            _ => None,
        };
        Ok(Page { items: rows, next_cursor, total })
    }
}

pub fn encode(place: &impl Serialize) -> Result<String> {
    Ok(BASE64.encode(serde_json::to_vec(place)?))
}

/// A cursor is read back or refused; it is never a reason to fail.
pub fn decode<C: DeserializeOwned>(cursor: &str) -> Result<C> {
    BASE64.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(
        || {
            Error::invalid(
                "cursor",
                "bad_cursor",
                "cursor 无效：请原样使用上一页给出的 next_cursor。",
            )
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_cursor_breaks_the_server(text in ".*") {
            prop_assert!(Window::<After<super::super::id::of::Deal>>::read(None, Some(&text)).is_err());
        }
        #[test]
        fn a_cursor_comes_back_as_it_went(micros in 0i64..4_102_444_800_000_000) {
            let at = Moment::from_unix_micros(micros).unwrap();
            let id = Id::<super::super::id::of::Deal>::fresh();
            let back: After<super::super::id::of::Deal> = decode(&encode(&After { at, id }).unwrap()).unwrap();
            prop_assert_eq!((back.at, back.id), (at, id));
        }
    }

    #[test]
    fn the_last_page_has_no_next() {
        let window = Window::<i64>::read(Some(2), None).unwrap();
        assert!(window.page(vec![1, 2, 3], 3, |n| *n).unwrap().next_cursor.is_some());
        assert!(window.page(vec![1, 2], 2, |n| *n).unwrap().next_cursor.is_none());
        assert!(Window::<i64>::read(Some(0), None).is_err());
        assert!(Window::<i64>::read(Some(101), None).is_err());
    }
}
