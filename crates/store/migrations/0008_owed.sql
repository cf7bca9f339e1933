-- Leaves that other cities owe: they said that they took a message or answered a question, and the copy of their log
-- does not hold it yet. A row goes when it does; missing says since when it is known to be left out.
CREATE TABLE store_owed_leaf (
    city TEXT NOT NULL,
    message TEXT NOT NULL,
    kind BIGINT NOT NULL,
    leaf BYTEA,
    since BIGINT NOT NULL,
    missing BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (city, message, kind)
);

CREATE INDEX store_owed_leaf_open ON store_owed_leaf (city, since) WHERE missing IS NULL;
CREATE INDEX store_owed_leaf_missing ON store_owed_leaf (missing) WHERE missing IS NOT NULL;
