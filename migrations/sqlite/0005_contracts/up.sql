-- The states after registration and the side steps of the review are allowed here already:
-- SQLite can change a CHECK only by copying the table.
CREATE TABLE contracts (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'supplement_requested', 'accepted', 'under_review',
        'expert_review', 'registered', 'refused', 'withdrawn', 'cancelled', 'revoked')),
    version BIGINT NOT NULL,
    filer_id TEXT REFERENCES organizations (id),
    deal_id TEXT REFERENCES deals (id),
    title TEXT NOT NULL,
    category TEXT NOT NULL CHECK (category IN ('development', 'transfer', 'license', 'consulting', 'service')),
    subcategory TEXT NOT NULL,
    field TEXT NOT NULL,
    total_fen BIGINT NOT NULL CHECK (total_fen > 0),
    tech_fen BIGINT NOT NULL CHECK (tech_fen > 0 AND tech_fen <= total_fen),
    seller_organization_id TEXT REFERENCES organizations (id),
    seller_uscc TEXT,
    seller_region TEXT NOT NULL,
    seller_type TEXT NOT NULL,
    buyer_organization_id TEXT REFERENCES organizations (id),
    buyer_region TEXT NOT NULL,
    buyer_type TEXT NOT NULL,
    parties TEXT NOT NULL,
    terms TEXT NOT NULL,
    registrar_id TEXT NOT NULL REFERENCES organizations (id),
    digest TEXT NOT NULL,
    submitted_at TIMESTAMP,
    accepted_at TIMESTAMP,
    examiner_id TEXT REFERENCES accounts (id),
    registered_by TEXT REFERENCES accounts (id),
    registration_no TEXT,
    registered_on DATE,
    grounds TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX contracts_live ON contracts (digest)
    WHERE state NOT IN ('draft', 'refused', 'withdrawn', 'cancelled', 'revoked');
CREATE UNIQUE INDEX contracts_registration_no ON contracts (registration_no);
CREATE INDEX contracts_newest ON contracts (created_at, id);
CREATE INDEX contracts_filer ON contracts (filer_id, created_at, id);
CREATE INDEX contracts_seller ON contracts (seller_organization_id, created_at, id);
CREATE INDEX contracts_buyer ON contracts (buyer_organization_id, created_at, id);
CREATE INDEX contracts_registrar ON contracts (registrar_id, state, created_at, id);
CREATE INDEX contracts_registered ON contracts (registered_on);

CREATE TABLE registrar_numbers (
    registrar_id TEXT NOT NULL REFERENCES organizations (id),
    area TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 99),
    PRIMARY KEY (registrar_id, area)
);
CREATE UNIQUE INDEX registrar_numbers_in_area ON registrar_numbers (area, number);

CREATE TABLE registration_serials (
    registrar_id TEXT NOT NULL REFERENCES organizations (id),
    year BIGINT NOT NULL,
    last BIGINT NOT NULL CHECK (last BETWEEN 1 AND 999999),
    PRIMARY KEY (registrar_id, year)
);
