-- +goose Up

-- What changed after what: the list of cards to be read again.
CREATE INDEX versions_seq ON versions (seq, article);
