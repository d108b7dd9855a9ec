-- +goose Up

-- Who is pushed to; see paper.Receiver. Each reads the outbox from its own cursor.
CREATE TABLE receivers (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    scope       TEXT NOT NULL,
    url         TEXT NOT NULL,
    host        TEXT NOT NULL,
    doc         TEXT NOT NULL,    -- JSON of its kind's own
    seq         BIGINT NOT NULL,  -- cursor: behind the event seq, n
    n           BIGINT NOT NULL,
    state       TEXT NOT NULL,
    problem     TEXT NOT NULL,
    attempts    BIGINT NOT NULL,  -- failed tries of what comes next
    since       BIGINT NOT NULL,  -- first failure after the last success, seconds
    retry_at    BIGINT NOT NULL,  -- milliseconds
    owner       TEXT NOT NULL,    -- the drain under way; empty while one is only queued
    lease_until BIGINT NOT NULL,  -- milliseconds
    created     BIGINT NOT NULL,
    expires     BIGINT NOT NULL,  -- 0: never
    deliveries  BIGINT NOT NULL   -- tries that were logged
);
CREATE INDEX receivers_behind ON receivers (seq, n) WHERE state = 'live';
CREATE INDEX receivers_kind ON receivers (kind, host);
CREATE INDEX receivers_expires ON receivers (expires) WHERE expires > 0;

-- The newest tries to deliver, a bounded number of each receiver.
CREATE TABLE deliveries (
    receiver TEXT NOT NULL,
    n        BIGINT NOT NULL,
    event    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       BIGINT NOT NULL,  -- milliseconds
    took     BIGINT NOT NULL,  -- milliseconds
    status   BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    PRIMARY KEY (receiver, n)
);
CREATE INDEX deliveries_at ON deliveries (at);

-- Events that were given up. The event is kept, not what was sent: what is sent
-- again is made anew, so that nothing withdrawn lies here.
CREATE TABLE dead_letters (
    receiver TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    event    TEXT NOT NULL,  -- JSON
    at       BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    PRIMARY KEY (receiver, seq, n)
);
