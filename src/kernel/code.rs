//! Code lists: an enum whose values have one slug (in JSON, in the database, in the docs) and a
//! Chinese and an English label. [`codes!`](crate::codes) writes the whole of it from one list, so
//! the slug that a client sends can never differ from the one that is stored.
use serde::Serialize;
use utoipa::openapi::{
    ObjectBuilder, RefOr,
    schema::{Schema, Type},
};

use super::{Error, Result};

/// A value of a code list.
pub trait Code: Copy + Eq + 'static {
    /// Every value, in the order of the list.
    const ALL: &'static [Self];
    fn slug(self) -> &'static str;
    fn zh(self) -> &'static str;
    fn en(self) -> &'static str;
    fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|c| c.slug() == slug)
    }
}

/// The value that a text outside of a body names: a parameter, or a part of a form. Refuses by `pointer`, and
/// says what there is to choose from.
pub fn chosen<C: Code>(pointer: &str, slug: &str) -> Result<C> {
    C::from_slug(slug).ok_or_else(|| {
        let all: Vec<_> = C::ALL.iter().map(|c| c.slug()).collect();
        Error::invalid(pointer, "not_in_list", format!("应为 {} 之一。", all.join("、")))
    })
}

/// One value of a code list, as `GET /codes` shows it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Label {
    #[schema(example = "01")]
    pub code: &'static str,
    #[schema(example = "电子信息")]
    pub zh: &'static str,
    #[schema(example = "Electronic information")]
    pub en: &'static str,
}

/// A whole code list with its labels.
pub fn labels<C: Code>() -> Vec<Label> {
    C::ALL.iter().map(|c| Label { code: c.slug(), zh: c.zh(), en: c.en() }).collect()
}

/// The published schema of a code list: its slugs, and what they mean.
pub fn schema<C: Code>() -> RefOr<Schema> {
    let meaning = |c: &C| format!("`{}` {}", c.slug(), c.zh());
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(C::ALL.iter().map(|c| c.slug())))
        .description(Some(C::ALL.iter().map(meaning).collect::<Vec<_>>().join("、")))
        .build()
        .into()
}

/// `codes! { /// docs  pub enum Field { Electronics = "01" "电子信息" "Electronic information", … } }`
#[macro_export]
macro_rules! codes {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $value:ident = $slug:literal $zh:literal $en:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        $vis enum $name { $($(#[$vmeta])* #[serde(rename = $slug)] $value),+ }

        impl $crate::kernel::Code for $name {
            const ALL: &'static [Self] = &[$(Self::$value),+];
            fn slug(self) -> &'static str { match self { $(Self::$value => $slug),+ } }
            fn zh(self) -> &'static str { match self { $(Self::$value => $zh),+ } }
            fn en(self) -> &'static str { match self { $(Self::$value => $en),+ } }
        }
        // the derive reads no `rename` that a macro has passed on: it would publish the Rust names
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::kernel::code::schema::<Self>()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
        }
        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, DB>>::to_sql($crate::kernel::Code::slug(*self), out)
            }
        }
        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(raw: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(raw)?;
                $crate::kernel::Code::from_slug(&text)
                    .ok_or_else(|| format!("{text:?} is no {}", stringify!($name)).into())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    codes! {
        enum Signal {
            Go = "go" "通行" "Go",
            Halt = "stop_here" "停止" "Stop",
        }
    }

    #[test]
    fn the_published_values_are_the_slugs() {
        let published = serde_json::to_value(schema::<Signal>()).unwrap();
        assert_eq!(published["enum"], serde_json::json!(["go", "stop_here"]));
        assert_eq!(
            serde_json::to_value(<Signal as utoipa::PartialSchema>::schema()).unwrap(),
            published
        );
        assert_eq!(serde_json::to_value(Signal::Halt).unwrap(), "stop_here");
    }
}
