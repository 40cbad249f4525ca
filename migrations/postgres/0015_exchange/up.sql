-- Files of drafts on their way in: each is checked in pieces and committed at once.
CREATE TABLE imports (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('achievements', 'demands', 'contracts')),
    state TEXT NOT NULL CHECK (state IN ('checking', 'checked', 'faulty', 'committing', 'committed', 'failed',
        'expired')),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    region_code TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES accounts (id),
    api_key_id TEXT,
    dry_run BOOLEAN NOT NULL,
    file_name TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('xlsx', 'csv')),
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    storage_key TEXT,
    rows_total BIGINT,
    rows_done BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    warnings BIGINT NOT NULL,
    reason TEXT,
    attempts BIGINT NOT NULL,
    lease_until TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX imports_newest ON imports (created_at, id);
CREATE INDEX imports_organization ON imports (organization_id, created_at, id);
CREATE INDEX imports_waiting ON imports (state, created_at, id);
CREATE INDEX imports_storage_key ON imports (storage_key);

CREATE TABLE import_faults (
    import_id TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL,
    line BIGINT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error', 'warning')),
    cell TEXT NOT NULL,
    head TEXT NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (import_id, seq)
);

-- What each row of a committed file became.
CREATE TABLE import_rows (
    import_id TEXT NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    line BIGINT NOT NULL,
    made_id TEXT NOT NULL,
    PRIMARY KEY (import_id, line)
);

-- What the national system says of a registrar's contracts: its number and its amount.
CREATE TABLE national_numbers (
    registrar_id TEXT NOT NULL REFERENCES organizations (id),
    national_no TEXT NOT NULL,
    year BIGINT NOT NULL,
    registration_no TEXT,
    total_fen BIGINT NOT NULL CHECK (total_fen > 0),
    told_on DATE NOT NULL,
    told_by TEXT NOT NULL REFERENCES accounts (id),
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (registrar_id, national_no)
);
CREATE UNIQUE INDEX national_numbers_registration ON national_numbers (registrar_id, registration_no);
CREATE INDEX national_numbers_year ON national_numbers (registrar_id, year, national_no);
-- for the reconciliation of a registrar's year
CREATE INDEX contracts_registrar_year ON contracts (registrar_id, registered_on, id);
