-- What backfill brings in, and the days it need not ask for again.

-- +goose Up

ALTER TABLE editions ADD COLUMN archive BIGINT NOT NULL DEFAULT 0;  -- it came by backfill: its articles never stand in a current feed
ALTER TABLE refs ADD COLUMN archive BIGINT NOT NULL DEFAULT 0;

-- Days that a publisher did not have when it was asked.
CREATE TABLE gaps (
    source TEXT NOT NULL,
    day    TEXT NOT NULL,
    until  BIGINT NOT NULL,  -- believed until then, milliseconds
    PRIMARY KEY (source, day)
);
