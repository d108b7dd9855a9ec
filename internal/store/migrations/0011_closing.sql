-- When an edition may be closed.

-- +goose Up

ALTER TABLE editions ADD COLUMN listing TEXT NOT NULL DEFAULT '';        -- digest of which articles and pages are listed
ALTER TABLE editions ADD COLUMN same_since BIGINT NOT NULL DEFAULT 0;    -- milliseconds of the look that first found these
ALTER TABLE editions ADD COLUMN same_at BIGINT NOT NULL DEFAULT 0;       -- and of the last, of the source that was looked at longest ago
-- Looks that found a listed article missing at its URL, or its page empty.
ALTER TABLE refs ADD COLUMN dead BIGINT NOT NULL DEFAULT 0;
