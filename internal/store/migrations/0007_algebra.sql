-- +goose Up

-- Paced feeds for schedulers (paper.Drip), one row each, made when first asked for.
CREATE TABLE drips (
    part  TEXT PRIMARY KEY,  -- paper.Drip.Part
    scope TEXT NOT NULL,
    pace  BIGINT NOT NULL,   -- seconds
    most  BIGINT NOT NULL,   -- slots of one edition, late articles of its front page aside
    day   TEXT NOT NULL,     -- newest edition that has slots; older ones get none any more
    last  BIGINT NOT NULL,   -- the last slot given, seconds; 0 for none
    made  BIGINT NOT NULL,   -- seconds
    asked BIGINT NOT NULL    -- last asked for, seconds, to within some hours
);

-- When an article stands in a paced feed from.
CREATE TABLE slots (
    drip    TEXT NOT NULL,
    article TEXT NOT NULL,
    day     TEXT NOT NULL,
    at      BIGINT NOT NULL,  -- seconds; never moves once it is out
    out     BIGINT NOT NULL,  -- 1 once it has come
    PRIMARY KEY (drip, article)
);
CREATE INDEX slots_at ON slots (drip, at DESC);
CREATE INDEX slots_pending ON slots (at) WHERE out = 0;
-- When slots were last seen to, seconds: a longer pause than a minute was an outage.
INSERT INTO clock (name, n, doc) VALUES ('drip', 0, '');

-- Where an article's words stand in the search index: published, then the low 24 bits
-- of the change that first let it out, so that newest first is a walk along the index.
-- 0: not indexed yet.
ALTER TABLE articles ADD COLUMN search_row BIGINT NOT NULL DEFAULT 0;
CREATE INDEX articles_search ON articles (search_row);
CREATE INDEX articles_unsearched ON articles (published DESC) WHERE search_row = 0 AND state = 'released';

-- The days on which something ever stood in a part. closed, of papers only, says
-- whether the day is closed; -1 for other parts.
CREATE TABLE days (
    part   TEXT NOT NULL,
    day    TEXT NOT NULL,
    closed BIGINT NOT NULL,
    PRIMARY KEY (part, day)
);
CREATE INDEX days_open ON days (day) WHERE closed = 0;
INSERT INTO days (part, day, closed) SELECT DISTINCT f.part, a.day, -1 FROM filings f JOIN articles a ON a.id = f.article;
INSERT INTO days (part, day, closed) SELECT DISTINCT 'paper/' || paper, day, 0 FROM articles WHERE state IN ('released','withdrawn');
INSERT INTO days (part, day, closed) SELECT DISTINCT 'all', day, -1 FROM articles WHERE state IN ('released','withdrawn');

-- When a paper's day was closed: its archive documents hold what stood in their scope
-- at that number, for ever.
CREATE TABLE closings (
    paper   TEXT NOT NULL,
    day     TEXT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    edition BIGINT NOT NULL,  -- 0: items of feeds
    archive BIGINT NOT NULL,  -- it came by backfill
    PRIMARY KEY (paper, day)
);
CREATE INDEX closings_day ON closings (day);
-- The number at which an article's day was closed while it stood; 0: not, or late.
ALTER TABLE articles ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;
