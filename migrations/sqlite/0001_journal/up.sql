CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TIMESTAMP NOT NULL,
    actor TEXT NOT NULL,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    position BIGINT,
    hash TEXT
);
CREATE UNIQUE INDEX journal_position ON journal (position) WHERE position IS NOT NULL;
CREATE INDEX journal_unsealed ON journal (id) WHERE position IS NULL;
CREATE INDEX journal_subject ON journal (subject, id);
CREATE TRIGGER journal_keeps_its_rows BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_keeps_its_words BEFORE UPDATE ON journal
WHEN OLD.position IS NOT NULL OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor OR NEW.topic IS NOT OLD.topic
    OR NEW.subject IS NOT OLD.subject OR NEW.body IS NOT OLD.body OR NEW.id IS NOT OLD.id
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE leases (name TEXT NOT NULL PRIMARY KEY, until TIMESTAMP NOT NULL);
INSERT INTO leases (name, until) VALUES ('sealer', '2000-01-01 00:00:00');

CREATE TABLE cursors (name TEXT NOT NULL PRIMARY KEY, position BIGINT NOT NULL);

CREATE TABLE kept_answers (
    caller TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    at TIMESTAMP NOT NULL,
    PRIMARY KEY (caller, key_hash)
);
CREATE INDEX kept_answers_at ON kept_answers (at);
