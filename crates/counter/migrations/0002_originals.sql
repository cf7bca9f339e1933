CREATE TABLE counter_original (
    id TEXT PRIMARY KEY,
    paper TEXT NOT NULL,
    step BIGINT NOT NULL,
    case_id TEXT NOT NULL,
    way TEXT NOT NULL,
    party TEXT NOT NULL,
    courier TEXT NOT NULL,
    pages BIGINT NOT NULL,
    content TEXT NOT NULL,
    office TEXT NOT NULL,
    clerk TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    UNIQUE (paper, step)
);
CREATE INDEX counter_original_case ON counter_original (case_id, at);
