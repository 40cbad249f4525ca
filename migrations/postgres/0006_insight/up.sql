CREATE TABLE turnover_cells (
    month TEXT NOT NULL,
    category TEXT NOT NULL,
    field TEXT NOT NULL,
    seller_region TEXT NOT NULL,
    buyer_region TEXT NOT NULL,
    seller_type TEXT NOT NULL,
    buyer_type TEXT NOT NULL,
    contracts BIGINT NOT NULL,
    total_fen BIGINT NOT NULL,
    tech_fen BIGINT NOT NULL,
    largest_fen BIGINT NOT NULL,
    PRIMARY KEY (month, category, field, seller_region, buyer_region, seller_type, buyer_type)
);
CREATE INDEX turnover_cells_seller ON turnover_cells (seller_region, month);
CREATE INDEX turnover_cells_buyer ON turnover_cells (buyer_region, month);

CREATE TABLE turnover_entries (
    contract_id TEXT NOT NULL PRIMARY KEY,
    registered_on DATE NOT NULL,
    seller_region TEXT NOT NULL,
    total_fen BIGINT NOT NULL
);
CREATE INDEX turnover_entries_day ON turnover_entries (registered_on);

CREATE TABLE targets (
    id TEXT NOT NULL PRIMARY KEY,
    region_code TEXT NOT NULL,
    indicator TEXT NOT NULL,
    label TEXT NOT NULL,
    first_year BIGINT NOT NULL,
    last_year BIGINT NOT NULL,
    operator TEXT NOT NULL CHECK (operator IN ('>=', '>', '=', 'approx', 'between')),
    value BIGINT NOT NULL CHECK (value >= 0),
    upper BIGINT,
    scale BIGINT NOT NULL CHECK (scale BETWEEN 0 AND 4),
    kind TEXT NOT NULL CHECK (kind IN ('level', 'flow', 'cumulative', 'ratio')),
    document_title TEXT NOT NULL,
    document_issued_on DATE,
    supersedes TEXT REFERENCES targets (id),
    baseline BIGINT,
    breakdown TEXT NOT NULL,
    note TEXT,
    created_by TEXT REFERENCES accounts (id),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK (first_year <= last_year),
    CHECK ((operator = 'between') = (upper IS NOT NULL))
);
CREATE INDEX targets_newest ON targets (created_at, id);
CREATE INDEX targets_region ON targets (region_code, indicator);
