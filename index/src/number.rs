//! Conversions that cannot truncate silently; the arithmetic of scores needs many of them.

/// Counts are far below 2^32 here; larger ones saturate, which no score can tell apart.
pub(crate) fn real(count: usize) -> f64 {
    f64::from(small(count))
}

pub(crate) fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

pub(crate) fn index(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

pub(crate) fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// For sums whose rounding is allowed for; nothing that is shown.
#[expect(clippy::as_conversions, reason = "there is no other way from 64 to 32 bits")]
pub(crate) fn rough(value: f64) -> f32 {
    value as f32
}

/// Exact below 2^24.
#[expect(clippy::as_conversions, reason = "there is no other way from 32 bits to 24")]
pub(crate) fn rough_count(count: u32) -> f32 {
    count as f32
}
