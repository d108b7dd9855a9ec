-- +goose Up

-- An article that was filed otherwise while it was withdrawn was taken twice from
-- what it had left: counted anew.
UPDATE scopes SET items = (SELECT COUNT(*) FROM filings f JOIN articles a ON a.id = f.article
        WHERE f.part = scopes.part AND f.to_seq = 0 AND a.state = 'released' AND a.archive = 0)
    WHERE part LIKE 'section/%' OR part LIKE 'district/%';
