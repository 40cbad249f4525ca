-- whether the paper says what kind of figure it sets
ALTER TABLE targets ADD COLUMN kind_stated BOOLEAN NOT NULL DEFAULT TRUE;

-- figures that nobody counts here, as somebody published them; a correction is another row
CREATE TABLE indicator_values (
    id TEXT NOT NULL PRIMARY KEY,
    region_code TEXT NOT NULL,
    indicator TEXT NOT NULL,
    period TEXT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    value BIGINT NOT NULL CHECK (value >= 0),
    scale BIGINT NOT NULL CHECK (scale BETWEEN 0 AND 4),
    source TEXT NOT NULL,
    source_date DATE NOT NULL,
    created_by TEXT NOT NULL REFERENCES accounts (id),
    created_at TIMESTAMP NOT NULL,
    CHECK (first_day <= last_day)
);
CREATE INDEX indicator_values_place ON indicator_values (region_code, indicator, last_day);
CREATE INDEX indicator_values_newest ON indicator_values (indicator, created_at, id);
