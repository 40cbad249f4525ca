//! Typed ids: an `Id<Deal>` can never be passed where an `Id<Demand>` is wanted.
//!
//! UUIDv7, so ids made later sort later; text of 36 characters in both databases and in JSON.
use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{
    KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
    schema::{Schema, Type},
};
use uuid::Uuid;

#[derive(AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Id<T: 'static> {
    text: [u8; 36],
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// A new id that sorts after all earlier ones of this process.
    pub fn fresh() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }
    pub fn from_uuid(raw: Uuid) -> Self {
        let mut text = [0; 36];
        raw.hyphenated().encode_lower(&mut text);
        Self { text, of: PhantomData }
    }
    pub fn as_str(&self) -> &str {
        // made by `Uuid` alone, so always ASCII
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
    /// The same id read as the id of another kind of thing, where one table serves two names.
    pub fn cast<U>(self) -> Id<U> {
        Id { text: self.text, of: PhantomData }
    }
}

impl<T> FromStr for Id<T> {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self::from_uuid)
    }
}
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, h: &mut H) {
        self.text.hash(h)
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<T> utoipa::PartialSchema for Id<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .examples(["0199f3a4-5c1e-7d3a-9b52-2f6c0a1d7e10"])
            .build()
            .into()
    }
}
impl<T> utoipa::ToSchema for Id<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Id")
    }
}

impl<T, DB: Backend> ToSql<Text, DB> for Id<T>
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        let _: IsNull = <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)?;
        Ok(IsNull::No)
    }
}
impl<T, DB: Backend> FromSql<Text, DB> for Id<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(String::from_sql(raw)?.parse()?)
    }
}

/// Names for what ids point at, where the row itself lives in a higher room.
pub mod of {
    #[derive(Debug)]
    pub enum Account {}
    #[derive(Debug)]
    pub enum Organization {}
    #[derive(Debug)]
    pub enum Session {}
    #[derive(Debug)]
    pub enum ApiKey {}
    #[derive(Debug)]
    pub enum Achievement {}
    #[derive(Debug)]
    pub enum Demand {}
    #[derive(Debug)]
    pub enum MatchRequest {}
    #[derive(Debug)]
    pub enum Deal {}
    #[derive(Debug)]
    pub enum Engagement {}
    #[derive(Debug)]
    pub enum DealMessage {}
    #[derive(Debug)]
    pub enum DealDocument {}
    #[derive(Debug)]
    pub enum Intent {}
    #[derive(Debug)]
    pub enum Meeting {}
    #[derive(Debug)]
    pub enum Introduction {}
    #[derive(Debug)]
    pub enum Contract {}
    #[derive(Debug)]
    pub enum Paper {}
    #[derive(Debug)]
    pub enum Receipt {}
    #[derive(Debug)]
    pub enum Broker {}
    #[derive(Debug)]
    pub enum Target {}
    #[derive(Debug)]
    pub enum Diagnosis {}
    #[derive(Debug)]
    pub enum Import {}
}
