-- +goose Up

-- What ties articles of a paper together; see paper.Relation. article is the one
-- that the relation is told of: a notice corrects, a brief has a fuller story.
CREATE TABLE relations (
    article  TEXT NOT NULL,
    relation TEXT NOT NULL,
    other    TEXT NOT NULL,
    PRIMARY KEY (article, relation, other)
);
CREATE INDEX relations_other ON relations (other);

-- Articles that go on on another page (下转), as they were read, and what goes on
-- there (上接): what is kept as the article is made of both.
CREATE TABLE pieces (
    source TEXT NOT NULL,
    day    TEXT NOT NULL,
    origin TEXT NOT NULL,
    doc    TEXT NOT NULL,  -- JSON, ingest's own
    PRIMARY KEY (source, day, origin)
);

-- JSON of our copy of a page's picture; empty where there is none.
ALTER TABLE edition_pages ADD COLUMN mirror TEXT NOT NULL DEFAULT '';
