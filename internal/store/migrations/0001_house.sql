-- One text for SQLite and PostgreSQL: TEXT and BIGINT only. Instants that people
-- see (published, updated, at, notice) are Unix seconds; instants of the machinery
-- (due, until, release_at, checked) are Unix milliseconds. Flags are 0 or 1.

-- +goose Up

-- Named counters. 'change' is the change sequence: its row is locked first by every
-- transaction that changes what anybody can see, so numbers rise in commit order.
CREATE TABLE clock (
    name TEXT PRIMARY KEY,
    n    BIGINT NOT NULL,
    doc  TEXT NOT NULL
);
INSERT INTO clock (name, n, doc) VALUES ('change', 0, ''), ('incident', 0, ''), ('presentation', 0, '');

CREATE TABLE papers (
    key      TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    city     TEXT NOT NULL,
    zone     TEXT NOT NULL,
    language TEXT NOT NULL,
    url      TEXT NOT NULL,
    link     TEXT NOT NULL,
    rights   TEXT NOT NULL,
    retired  BIGINT NOT NULL,
    stamp    BIGINT NOT NULL  -- greatest published or updated ever handed out; the row that a release locks
);

CREATE TABLE sources (
    key       TEXT PRIMARY KEY,
    paper     TEXT NOT NULL,
    name      TEXT NOT NULL,
    platform  TEXT NOT NULL,
    url       TEXT NOT NULL,
    retired   BIGINT NOT NULL,
    seen      BIGINT NOT NULL,  -- the first look at it has been completed
    state     TEXT NOT NULL,
    problem   TEXT NOT NULL,
    since     BIGINT NOT NULL,
    checked   BIGINT NOT NULL,  -- last successful look, seconds
    tried     BIGINT NOT NULL,  -- last look, seconds
    edition   TEXT NOT NULL,    -- newest edition day known
    failures  BIGINT NOT NULL   -- looks that failed in a row
);

CREATE TABLE schedule (
    source   TEXT PRIMARY KEY,
    span     TEXT NOT NULL,    -- 05:00-09:00: look often here
    step     BIGINT NOT NULL,  -- interval outside it, milliseconds
    due      BIGINT NOT NULL,  -- next look; pushed ahead while one is under way
    done     BIGINT NOT NULL   -- when the last look ended
);

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- What conditional requests need, and the bodies of index pages.
CREATE TABLE documents (
    url      TEXT PRIMARY KEY,
    etag     TEXT NOT NULL,
    modified TEXT NOT NULL,
    type     TEXT NOT NULL,
    body     TEXT NOT NULL,
    at       BIGINT NOT NULL
);

CREATE TABLE editions (
    paper    TEXT NOT NULL,
    day      TEXT NOT NULL,
    url      TEXT NOT NULL,
    build    TEXT NOT NULL,
    state    TEXT NOT NULL,
    history  BIGINT NOT NULL,  -- it was there when the source was first seen, or came by backfill
    problem  TEXT NOT NULL,
    listed   BIGINT NOT NULL,
    read     BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    seen     BIGINT NOT NULL,  -- first listed, seconds
    complete BIGINT NOT NULL,  -- first complete, seconds; 0 while it is not
    PRIMARY KEY (paper, day)
);
CREATE INDEX editions_day ON editions (day DESC, paper);

CREATE TABLE edition_pages (
    paper   TEXT NOT NULL,
    day     TEXT NOT NULL,
    number  TEXT NOT NULL,
    place   BIGINT NOT NULL,
    name    TEXT NOT NULL,
    url     TEXT NOT NULL,
    picture TEXT NOT NULL,
    pdf     TEXT NOT NULL,
    areas   TEXT NOT NULL,  -- JSON
    listed  BIGINT NOT NULL,
    read    BIGINT NOT NULL,
    failed  BIGINT NOT NULL,
    PRIMARY KEY (paper, day, number)
);

-- What publishers list, and how far we got with it. day is '' for feeds.
CREATE TABLE refs (
    source   TEXT NOT NULL,
    day      TEXT NOT NULL,
    origin   TEXT NOT NULL,
    paper    TEXT NOT NULL,
    url      TEXT NOT NULL,
    page     TEXT NOT NULL,
    place    BIGINT NOT NULL,  -- ordinal in the edition
    mark     TEXT NOT NULL,    -- of the listing when it was last read; changes when the listing says that the article changed
    listed   TEXT NOT NULL,    -- the same of the newest listing
    state    TEXT NOT NULL,    -- listed, read, failed
    listing  BIGINT NOT NULL,  -- milliseconds of the listing that last had it
    history  BIGINT NOT NULL,
    article  TEXT NOT NULL,
    tries    BIGINT NOT NULL,
    problem  TEXT NOT NULL,
    checked  BIGINT NOT NULL,
    gone     BIGINT NOT NULL,  -- looks in a row that found it neither listed nor at its URL
    gone_at  BIGINT NOT NULL,  -- milliseconds of the last of them
    PRIMARY KEY (source, day, origin)
);
CREATE INDEX refs_article ON refs (article);
CREATE INDEX refs_edition ON refs (paper, day);

CREATE TABLE articles (
    id          TEXT PRIMARY KEY,
    paper       TEXT NOT NULL,
    day         TEXT NOT NULL,
    source      TEXT NOT NULL,
    page        TEXT NOT NULL,
    ordinal     BIGINT NOT NULL,
    state       TEXT NOT NULL,    -- ingested, released, withdrawn, withheld
    version     BIGINT NOT NULL,  -- 0 before its release
    published   BIGINT NOT NULL,
    updated     BIGINT NOT NULL,
    notice      BIGINT NOT NULL,  -- until when feeds tell of its correction or withdrawal; 0: no notice
    release_at  BIGINT NOT NULL,  -- when it, or what is pending, may be released
    history     BIGINT NOT NULL,
    archive     BIGINT NOT NULL,  -- archives, pages and search only; never a current feed
    hash        TEXT NOT NULL,    -- of the newest content, pending included
    fingerprint TEXT NOT NULL,    -- of headline and body, to know it again after a redesign
    pending     TEXT NOT NULL,    -- '', correct, withdraw, restore
    reason      TEXT NOT NULL,    -- of a withdrawal: publisher, or the editor's words
    draft       TEXT NOT NULL,    -- JSON of the content that a pending correction brings
    doc         TEXT NOT NULL     -- JSON of the content
);
CREATE INDEX articles_published ON articles (published DESC, id DESC) WHERE state = 'released' AND archive = 0;
CREATE INDEX articles_paper ON articles (paper, published DESC, id DESC);
CREATE INDEX articles_edition ON articles (paper, day, ordinal);
CREATE INDEX articles_day ON articles (day, paper);
CREATE INDEX articles_ready ON articles (paper, release_at) WHERE state = 'ingested' OR pending <> '';
CREATE INDEX articles_notice ON articles (notice) WHERE notice > 0;

CREATE TABLE versions (
    article TEXT NOT NULL,
    version BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    hash    TEXT NOT NULL,
    page    TEXT NOT NULL,
    doc     TEXT NOT NULL,
    PRIMARY KEY (article, version)
);

-- (paper, key) -> article; key is o:{source}:{day}:{origin} or u:{url}.
CREATE TABLE aliases (
    paper   TEXT NOT NULL,
    key     TEXT NOT NULL,
    article TEXT NOT NULL,
    PRIMARY KEY (paper, key)
);

-- How an article is filed, with its evidence; apart from the article so that
-- re-filing never rewrites one. filed is what the release turns into filings.
CREATE TABLE evidence (
    article TEXT PRIMARY KEY,
    doc     TEXT NOT NULL,
    draft   TEXT NOT NULL
);

-- Article x section or district (with city and province), from one version of
-- the scope to another. Ended, never deleted.
CREATE TABLE filings (
    part      TEXT NOT NULL,
    article   TEXT NOT NULL,
    from_seq  BIGINT NOT NULL,
    to_seq    BIGINT NOT NULL,  -- 0 while it lasts
    published BIGINT NOT NULL,
    PRIMARY KEY (article, part, from_seq)
);
CREATE INDEX filings_part ON filings (part, published DESC, article DESC);

-- Single parts of scopes and all.
CREATE TABLE scopes (
    part  TEXT PRIMARY KEY,
    seq   BIGINT NOT NULL,
    at    BIGINT NOT NULL,
    items BIGINT NOT NULL,
    last  TEXT NOT NULL
);
CREATE INDEX scopes_seq ON scopes (seq);

CREATE TABLE sections (
    slug TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    auto BIGINT NOT NULL
);

CREATE TABLE outbox (
    seq     BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    kind    TEXT NOT NULL,   -- article.published, article.corrected, article.withdrawn, edition.complete
    paper   TEXT NOT NULL,
    article TEXT NOT NULL,
    version BIGINT NOT NULL,
    parts   TEXT NOT NULL,   -- JSON list
    at      BIGINT NOT NULL,
    PRIMARY KEY (seq, n)
);

CREATE TABLE incidents (
    id      BIGINT PRIMARY KEY,
    source  TEXT NOT NULL,
    state   TEXT NOT NULL,
    problem TEXT NOT NULL,
    began   BIGINT NOT NULL,
    ended   BIGINT NOT NULL,
    told     BIGINT NOT NULL,  -- the operator has been told of its beginning
    told_end BIGINT NOT NULL   -- and of its end
);
CREATE INDEX incidents_source ON incidents (source, ended);
