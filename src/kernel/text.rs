//! Text in conditions: searching without regard to case on both databases.
diesel::define_sql_function! {
    /// SQLite folds ASCII only, PostgreSQL what its locale says; Chinese has no case.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// The pattern for `lower(column) LIKE …` that finds `needle` anywhere, taken literally.
pub fn containing(needle: &str) -> String {
    format!("%{}%", literal(&needle.to_lowercase()))
}

/// Takes the meaning from `%`, `_` and `\\`, which is the escape character on both databases when the
/// query says `.escape('\\')`.
fn literal(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_are_taken_literally() {
        assert_eq!(super::containing("A_50%"), r"%a\_50\%%");
    }
}
