-- Trust lists with their contracts as they were put in force here, in order; each is a leaf of the log.
CREATE TABLE store_trust (
    number BIGINT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    package TEXT NOT NULL,
    leaf BYTEA NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Two histories that one log signed, as this node's witness saw them; append-only.
CREATE TABLE store_fork (
    id TEXT NOT NULL PRIMARY KEY,
    origin TEXT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

CREATE INDEX store_fork_origin ON store_fork (origin, at);
