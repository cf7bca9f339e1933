CREATE TABLE counter_undo (
    case_id TEXT PRIMARY KEY,
    command TEXT NOT NULL,
    state TEXT NOT NULL,
    content TEXT NOT NULL,
    office TEXT NOT NULL,
    clerk TEXT NOT NULL,
    asked BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
