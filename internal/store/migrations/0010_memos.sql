-- +goose Up

-- Small values that outlive a process and are shared by all of them: tokens of the
-- WeChat account, what was uploaded there, which messages were answered and how.
CREATE TABLE memos (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    until BIGINT NOT NULL  -- milliseconds; 0: for ever
);
CREATE INDEX memos_until ON memos (until) WHERE until > 0;
