-- Who tries the messages to a city: one process at a time, so that a newer message never overtakes an older one.
CREATE TABLE store_line (
    recipient TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Nonces of messages that were taken; a row goes when no clock would take its message any more.
CREATE TABLE store_nonce (
    sender TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (sender, nonce)
);

CREATE INDEX store_nonce_until ON store_nonce (until);
