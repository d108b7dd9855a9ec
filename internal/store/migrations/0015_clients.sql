-- +goose Up

-- Who asked for what is not verified yet: one client gets only its share.
ALTER TABLE receivers ADD COLUMN client TEXT NOT NULL DEFAULT '';
