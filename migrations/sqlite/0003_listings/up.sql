CREATE TABLE achievements (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_by TEXT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('draft', 'in_review', 'published', 'expired', 'withdrawn', 'suspended')),
    title TEXT NOT NULL,
    abstract TEXT NOT NULL,
    keywords TEXT NOT NULL,
    field TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('early', 'pilot', 'mature')),
    trl BIGINT NOT NULL CHECK (trl BETWEEN 1 AND 9),
    ip_kind TEXT,
    patents TEXT NOT NULL,
    transfer_modes TEXT NOT NULL,
    price_fen BIGINT CHECK (price_fen >= 0),
    price_negotiable BOOLEAN NOT NULL,
    region_code TEXT NOT NULL,
    industry TEXT,
    chain TEXT,
    details TEXT,
    reasons TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP,
    expires_on DATE
);
CREATE INDEX achievements_newest ON achievements (state, created_at, id);
CREATE INDEX achievements_owner ON achievements (organization_id, created_at, id);

CREATE TABLE achievement_versions (
    achievement_id TEXT NOT NULL REFERENCES achievements (id),
    version BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    changed TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (achievement_id, version)
);

CREATE TABLE demands (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_by TEXT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('draft', 'in_review', 'published', 'expired', 'withdrawn', 'suspended')),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    keywords TEXT NOT NULL,
    field TEXT NOT NULL,
    kind TEXT NOT NULL,
    cooperation_modes TEXT NOT NULL,
    indicators TEXT NOT NULL,
    budget_fen BIGINT CHECK (budget_fen >= 0),
    budget_negotiable BOOLEAN NOT NULL,
    deadline DATE,
    min_trl BIGINT CHECK (min_trl BETWEEN 1 AND 9),
    region_code TEXT NOT NULL,
    industry TEXT,
    chain TEXT,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'masked', 'private')),
    broker_ids TEXT NOT NULL,
    reasons TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP
);
CREATE INDEX demands_newest ON demands (state, created_at, id);
CREATE INDEX demands_owner ON demands (organization_id, created_at, id);

CREATE TABLE demand_versions (
    demand_id TEXT NOT NULL REFERENCES demands (id),
    version BIGINT NOT NULL,
    at TIMESTAMP NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    changed TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (demand_id, version)
);
