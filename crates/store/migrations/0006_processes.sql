-- The processes of the city that live: each says so every few seconds. What is not seen any more is gone.
CREATE TABLE store_process (
    id TEXT NOT NULL PRIMARY KEY,
    duty TEXT NOT NULL,
    program TEXT NOT NULL,
    started BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    tx TEXT NOT NULL
);

-- Figures for those who watch a city are read every few seconds: each from an index of its own.
CREATE INDEX store_outbox_dead ON store_outbox (created, id) WHERE state = 'dead';
CREATE INDEX store_job_failed ON store_job (kind, key) WHERE 0 < attempts;
