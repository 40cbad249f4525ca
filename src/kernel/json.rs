//! A value kept as JSON text in a column of either database.
use std::ops::Deref;

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    serialize::{self, Output, ToSql},
    sql_types::Text,
};
use serde::{Serialize, de::DeserializeOwned};

use super::Result;

/// The value beside its text: diesel binds by reference, so the text must live as long as the row.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct JsonText<T> {
    value: T,
    text: String,
}

impl<T: Serialize> JsonText<T> {
    pub fn of(value: T) -> Result<Self> {
        let text = serde_json::to_string(&value)?;
        Ok(Self { value, text })
    }
}
impl<T> JsonText<T> {
    pub fn into_inner(self) -> T {
        self.value
    }
    pub fn text(&self) -> &str {
        &self.text
    }
}
impl<T> Deref for JsonText<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: std::fmt::Debug, DB: Backend> ToSql<Text, DB> for JsonText<T>
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <str as ToSql<Text, DB>>::to_sql(&self.text, out)
    }
}
impl<T: DeserializeOwned, DB: Backend> FromSql<Text, DB> for JsonText<T>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let text = String::from_sql(raw)?;
        Ok(Self { value: serde_json::from_str(&text)?, text })
    }
}
