//! What is said, shown and arranged within a deal: messages, documents, meetings.
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::DealSide;
use crate::{
    codes,
    kernel::{Faults, Id, Moment, Result, document::Given, of},
    schema::{deal_documents, deal_meetings, deal_messages},
};

codes! {
    /// Where a meeting stands.
    pub enum MeetingState {
        Proposed = "proposed" "待确认" "Proposed",
        Agreed = "agreed" "已约定" "Agreed",
        Cancelled = "cancelled" "已取消" "Cancelled",
    }
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = deal_messages)]
pub struct Message {
    pub id: Id<of::DealMessage>,
    pub deal_id: Id<of::Deal>,
    pub account_id: Id<of::Account>,
    pub side: DealSide,
    pub body: String,
    pub created_at: Moment,
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    #[schema(
        min_length = 1,
        max_length = 10000,
        example = "附件是小试数据，请先看第三页的循环曲线。"
    )]
    pub body: String,
}

impl NewMessage {
    pub fn check(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.check(!self.body.trim().is_empty(), "/body", "empty", "不能为空。");
        faults.finish()
    }
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MessageView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::DealMessage>,
    /// In what part the author spoke.
    pub side: DealSide,
    #[schema(example = "王牵线")]
    pub author: String,
    #[schema(example = "附件是小试数据，请先看第三页的循环曲线。")]
    pub body: String,
    pub created_at: Moment,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = deal_documents)]
pub struct Document {
    pub id: Id<of::DealDocument>,
    pub deal_id: Id<of::Deal>,
    pub account_id: Id<of::Account>,
    pub side: DealSide,
    /// A label, never a path.
    pub name: String,
    pub media_type: String,
    pub size: i64,
    pub sha256: String,
    pub storage_key: String,
    pub created_at: Moment,
    pub removed_at: Option<Moment>,
    pub removed_by: Option<Id<of::Account>>,
}

impl Document {
    /// What is given out of it.
    pub fn given(self) -> Given {
        let Self { name, media_type, size, sha256, storage_key, .. } = self;
        Given { name, media_type, size, sha256, storage_key }
    }
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DocumentView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::DealDocument>,
    /// What the caller can do now.
    #[schema(example = json!(["remove"]))]
    pub allowed_actions: Vec<&'static str>,
    pub side: DealSide,
    #[schema(example = "小试数据.xlsx")]
    pub name: String,
    /// Found in the content, whatever the sender said.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    /// In bytes.
    #[schema(example = 482113)]
    pub size: i64,
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
    pub created_at: Moment,
}

/// The form of an upload, for the published document: one part, `file`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // read part by part, never as a whole
pub struct NewDocument {
    /// PDF, Word, Excel or PowerPoint, PNG, JPEG, GIF or WebP, plain text or CSV in UTF-8, ZIP.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    pub file: Vec<u8>,
}

#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = deal_meetings)]
pub struct Meeting {
    pub id: Id<of::Meeting>,
    pub deal_id: Id<of::Deal>,
    pub account_id: Id<of::Account>,
    pub side: DealSide,
    pub topic: String,
    pub starts_at: Moment,
    pub ends_at: Moment,
    pub place: Option<String>,
    pub online_url: Option<String>,
    pub state: MeetingState,
    pub buyer_agreed_at: Option<Moment>,
    pub seller_agreed_at: Option<Moment>,
    /// Grows with every change that calendars must learn of (RFC 5545 `SEQUENCE`).
    pub sequence: i64,
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
}

#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMeeting {
    #[schema(min_length = 1, max_length = 200, example = "中试线现场技术交流")]
    pub topic: String,
    #[schema(example = "2026-12-03T01:30:00Z")]
    pub starts_at: Moment,
    #[schema(example = "2026-12-03T03:00:00Z")]
    pub ends_at: Moment,
    /// Where to go; a meeting has a place, a link, or both.
    #[schema(min_length = 1, max_length = 200, example = "沈阳市浑南区创新路 1 号会议室（示例）")]
    pub place: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 500,
        pattern = "^https://",
        example = "https://meet.example/8241"
    )]
    pub online_url: Option<String>,
}

impl NewMeeting {
    pub fn check(&self, now: Moment) -> Result<()> {
        let mut faults = Faults::default();
        faults.check(!self.topic.trim().is_empty(), "/topic", "empty", "不能为空。");
        faults.check(self.starts_at > now, "/starts_at", "in_the_past", "开始时间应在将来。");
        faults.check(
            self.starts_at <= now.plus_days(366),
            "/starts_at",
            "too_far",
            "开始时间应在一年以内。",
        );
        faults.check(
            self.ends_at > self.starts_at,
            "/ends_at",
            "before_start",
            "结束时间应晚于开始时间。",
        );
        faults.check(
            self.ends_at <= self.starts_at.plus_days(7),
            "/ends_at",
            "too_long",
            "会议不应超过七天。",
        );
        let blank = |text: &Option<String>| text.as_ref().is_some_and(|t| t.trim().is_empty());
        faults.check(!blank(&self.place), "/place", "empty", "不能为空。");
        let link = self.online_url.as_ref().is_none_or(|link| url::Url::parse(link).is_ok());
        faults.check(link, "/online_url", "bad_format", "应为完整的 https 链接。");
        faults.check(
            self.place.is_some() || self.online_url.is_some(),
            "/place",
            "required",
            "应给出会议地点 place 或线上链接 online_url。",
        );
        faults.finish()
    }
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct MeetingView {
    #[schema(value_type = String, format = Uuid)]
    pub id: Id<of::Meeting>,
    #[schema(value_type = String, format = Uuid)]
    pub deal_id: Id<of::Deal>,
    pub state: MeetingState,
    /// What the caller can do now, each as `POST /deals/{id}/meetings/{meeting}/{action}`.
    #[schema(example = json!(["agree", "cancel"]))]
    pub allowed_actions: Vec<&'static str>,
    pub side: DealSide,
    #[schema(example = "中试线现场技术交流")]
    pub topic: String,
    pub starts_at: Moment,
    pub ends_at: Moment,
    #[schema(example = "沈阳市浑南区创新路 1 号会议室（示例）")]
    pub place: Option<String>,
    pub online_url: Option<String>,
    pub buyer_agreed_at: Option<Moment>,
    pub seller_agreed_at: Option<Moment>,
    #[schema(example = 0)]
    pub sequence: i64,
    #[schema(example = 1)]
    pub version: i64,
    pub created_at: Moment,
    pub updated_at: Moment,
}
