-- Jobs of one line are done one after the other and by one process at a time: a newer one never overtakes an older one.
ALTER TABLE store_job ADD COLUMN line TEXT;

-- What a city sent stands in the line of that city; its code begins the key.
UPDATE store_job SET line = kind || '/' || substr(key, 1, 6) WHERE kind = 'exchange.process';

-- Which process does the jobs of a line, and until when.
CREATE TABLE store_job_line (
    line TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
