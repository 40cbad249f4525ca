DROP TABLE brokers;
DROP TABLE api_keys;
DROP TABLE links;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE memberships;
DROP TABLE organizations;
DROP TABLE accounts;
