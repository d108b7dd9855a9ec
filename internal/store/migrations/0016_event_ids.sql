-- +goose Up

-- Ids of events hold the instant since then, for a number comes again after a backup was
-- restored. What is here by now keeps the id that it was sent with.
ALTER TABLE outbox ADD COLUMN plain BIGINT NOT NULL DEFAULT 0;
UPDATE outbox SET plain = 1;
UPDATE dead_letters SET event = REPLACE(event, '{"Seq":', '{"Plain":true,"Seq":');
