-- Copies of publishers' pictures. BYTEA is PostgreSQL's word; SQLite takes any, and
-- keeps what is given to such a column as it is, so the text stays one.

-- +goose Up

CREATE TABLE pictures (
    name   TEXT PRIMARY KEY,  -- {hash}.{ext}; of a resized one {hash}-{width}.{ext}
    hash   TEXT NOT NULL,     -- SHA-256 of the picture, or of the one it was made from
    type   TEXT NOT NULL,
    width  BIGINT NOT NULL,
    height BIGINT NOT NULL,
    length BIGINT NOT NULL,
    source TEXT NOT NULL,     -- URL; empty for a resized one, which can be made again
    used   BIGINT NOT NULL,   -- last asked for, seconds, to within some hours
    day    TEXT NOT NULL,     -- of the newest article that shows it
    kept   BIGINT NOT NULL    -- 0: its bytes went for the quota
);
CREATE INDEX pictures_used ON pictures (used, name, length) WHERE kept = 1;

-- What became of a picture's address: the copy, or how often it was tried in vain.
CREATE TABLE picture_urls (
    url   TEXT PRIMARY KEY,
    name  TEXT NOT NULL,
    tries BIGINT NOT NULL
);

-- Which articles show a copy, or would once they are released.
CREATE TABLE picture_articles (
    name    TEXT NOT NULL,
    article TEXT NOT NULL,
    PRIMARY KEY (name, article)
);

-- The bytes where processes share no files, in pieces, so that nobody needs a
-- whole picture in memory to send it. With SQLite they stand in files.
CREATE TABLE blobs (
    name TEXT NOT NULL,
    n    BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (name, n)
);
