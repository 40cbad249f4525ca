CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    lang TEXT NOT NULL CHECK (lang IN ('zh-CN', 'en')),
    email_verified_at TIMESTAMP,
    totp_secret TEXT,
    totp_confirmed_at TIMESTAMP,
    totp_last_step BIGINT,
    platform_role TEXT CHECK (platform_role IN ('operator', 'auditor')),
    platform_region TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CHECK ((platform_role IS NULL) = (platform_region IS NULL))
);
CREATE UNIQUE INDEX accounts_email ON accounts (email);

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('university', 'institute', 'hospital', 'company', 'agency', 'registrar', 'government', 'investor')),
    uscc TEXT NOT NULL,
    region_code TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'verified', 'rejected', 'suspended')),
    reason TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX organizations_uscc ON organizations (uscc) WHERE state <> 'rejected';
CREATE INDEX organizations_newest ON organizations (created_at, id);

CREATE TABLE memberships (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (account_id, organization_id)
);
CREATE INDEX memberships_organization ON memberships (organization_id);

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    second_factor BOOLEAN NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX sessions_account ON sessions (account_id);

CREATE TABLE refresh_tokens (
    digest TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE links (
    digest TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'accept_invitation')),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX links_account ON links (account_id);

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_by TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);

CREATE TABLE brokers (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    level TEXT NOT NULL CHECK (level IN ('junior', 'intermediate', 'senior')),
    certificate_no TEXT NOT NULL,
    fields TEXT NOT NULL,
    region_codes TEXT NOT NULL,
    languages TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'verified')),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX brokers_account ON brokers (account_id);
