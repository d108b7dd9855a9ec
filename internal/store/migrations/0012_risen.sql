-- +goose Up

-- The greatest instant at which a version ever rose, seconds: Last-Modified of
-- whatever is made of several parts never stands still or goes back.
INSERT INTO clock (name, n, doc) SELECT 'risen', COALESCE(MAX(at), 0), '' FROM scopes;
