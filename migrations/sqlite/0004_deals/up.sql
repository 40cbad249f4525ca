CREATE TABLE match_requests (
    id TEXT NOT NULL PRIMARY KEY,
    demand_id TEXT NOT NULL REFERENCES demands (id),
    achievement_id TEXT NOT NULL REFERENCES achievements (id),
    demand_organization_id TEXT NOT NULL REFERENCES organizations (id),
    achievement_organization_id TEXT NOT NULL REFERENCES organizations (id),
    demand_region_code TEXT NOT NULL,
    achievement_region_code TEXT NOT NULL,
    requested_by TEXT NOT NULL REFERENCES accounts (id),
    side TEXT NOT NULL CHECK (side IN ('demand', 'achievement', 'broker')),
    broker_id TEXT REFERENCES brokers (id),
    message TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'accepted', 'declined', 'withdrawn', 'expired')),
    reason TEXT CHECK (reason IN ('too_early', 'benefit_unclear', 'market_unclear', 'description_unclear', 'technical_doubt', 'price', 'already_solved', 'no_capacity', 'other')),
    comment TEXT,
    demand_accepted_at TIMESTAMP,
    achievement_accepted_at TIMESTAMP,
    respond_by TIMESTAMP NOT NULL,
    deal_id TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((side = 'broker') = (broker_id IS NOT NULL)),
    CHECK ((state = 'accepted') = (deal_id IS NOT NULL)),
    CHECK ((state = 'declined') = (reason IS NOT NULL))
);
CREATE UNIQUE INDEX match_requests_open ON match_requests (demand_id, achievement_id) WHERE state = 'requested';
CREATE INDEX match_requests_newest ON match_requests (created_at, id);
CREATE INDEX match_requests_demand ON match_requests (demand_organization_id, created_at, id);
CREATE INDEX match_requests_achievement ON match_requests (achievement_organization_id, created_at, id);
CREATE INDEX match_requests_waiting ON match_requests (respond_by) WHERE state = 'requested';

CREATE TABLE deals (
    id TEXT NOT NULL PRIMARY KEY,
    match_request_id TEXT NOT NULL REFERENCES match_requests (id),
    demand_id TEXT NOT NULL REFERENCES demands (id),
    achievement_id TEXT NOT NULL REFERENCES achievements (id),
    buyer_organization_id TEXT NOT NULL REFERENCES organizations (id),
    seller_organization_id TEXT NOT NULL REFERENCES organizations (id),
    buyer_region_code TEXT NOT NULL,
    seller_region_code TEXT NOT NULL,
    broker_id TEXT REFERENCES brokers (id),
    state TEXT NOT NULL CHECK (state IN ('negotiating', 'intent_signed', 'contracted', 'registered', 'closed')),
    reason TEXT,
    contract_id TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CHECK ((state = 'closed') = (reason IS NOT NULL)),
    CHECK ((state IN ('contracted', 'registered')) = (contract_id IS NOT NULL))
);
CREATE UNIQUE INDEX deals_match_request ON deals (match_request_id);
CREATE UNIQUE INDEX deals_open ON deals (demand_id, achievement_id) WHERE state IN ('negotiating', 'intent_signed', 'contracted');
CREATE INDEX deals_newest ON deals (created_at, id);
CREATE INDEX deals_buyer ON deals (buyer_organization_id, created_at, id);
CREATE INDEX deals_seller ON deals (seller_organization_id, created_at, id);
