CREATE TABLE mails (
    id TEXT NOT NULL PRIMARY KEY,
    to_address TEXT NOT NULL,
    to_name TEXT NOT NULL,
    lang TEXT NOT NULL CHECK (lang IN ('zh-CN', 'en')),
    template TEXT NOT NULL,
    params TEXT NOT NULL,
    message_id TEXT NOT NULL,
    event_position BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'stuck')),
    attempts BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    next_try_at TIMESTAMP NOT NULL,
    lease_until TIMESTAMP,
    last_error TEXT,
    created_at TIMESTAMP NOT NULL,
    sent_at TIMESTAMP,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state <> 'sent' OR params = '{}')
);
CREATE UNIQUE INDEX mails_once ON mails (event_position, to_address, template);
CREATE INDEX mails_due ON mails (next_try_at, id) WHERE state = 'queued';
CREATE INDEX mails_stuck ON mails (created_at) WHERE state = 'stuck';
CREATE INDEX mails_sent ON mails (sent_at) WHERE state = 'sent';
