-- +goose Up

-- The edition of a slot: how many it has, and which is the newest of its paper, is
-- asked at every release. An item of a feed, which has no page, is of none.
ALTER TABLE slots ADD COLUMN paper TEXT NOT NULL DEFAULT '';
ALTER TABLE slots ADD COLUMN printed BIGINT NOT NULL DEFAULT 0;
UPDATE slots SET paper = COALESCE((SELECT a.paper FROM articles a WHERE a.id = slots.article), ''),
    printed = COALESCE((SELECT CASE WHEN a.page <> '' THEN 1 ELSE 0 END FROM articles a WHERE a.id = slots.article), 0);
CREATE INDEX slots_edition ON slots (drip, paper, printed, day);
ALTER TABLE drips DROP COLUMN day;
