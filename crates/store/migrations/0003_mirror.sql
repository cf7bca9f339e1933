-- How much of another city's log this city holds a copy of.
CREATE TABLE store_mirror (
    city TEXT NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- The leaves of the copy, byte for byte; append-only.
CREATE TABLE store_mirror_leaf (
    city TEXT NOT NULL,
    position BIGINT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (city, position)
);

-- Hashes of complete subtrees of the copy, numbered as in store_hash; append-only.
CREATE TABLE store_mirror_hash (
    city TEXT NOT NULL,
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (city, position)
);

-- That this store came out of a backup; while finished is NULL the node signs nothing.
CREATE TABLE store_restored (
    archive TEXT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL,
    size BIGINT NOT NULL,
    finished BIGINT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Cities whose answer an operator decided not to wait for; append-only.
CREATE TABLE store_restored_without (
    archive TEXT NOT NULL REFERENCES store_restored (archive),
    city TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (archive, city)
);
