-- +goose Up

-- The edition that an event is about.
ALTER TABLE outbox ADD COLUMN day TEXT NOT NULL DEFAULT '';
