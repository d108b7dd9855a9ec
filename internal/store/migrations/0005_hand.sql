-- +goose Up

-- How an editor filed an article: JSON of ByHand.
CREATE TABLE by_hand (
    article TEXT PRIMARY KEY,
    doc     TEXT NOT NULL
);

-- What editors did, in order. Never deleted.
CREATE TABLE decisions (
    n       BIGINT PRIMARY KEY,
    article TEXT NOT NULL,
    action  TEXT NOT NULL,
    who     TEXT NOT NULL,
    why     TEXT NOT NULL,
    at      BIGINT NOT NULL,
    doc     TEXT NOT NULL  -- JSON of the decision
);
CREATE INDEX decisions_article ON decisions (article, n);
INSERT INTO clock (name, n, doc) VALUES ('decision', 0, '');
