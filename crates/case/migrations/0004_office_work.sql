-- The points of an item that an officer has ticked while she examines a case: hers alone.
CREATE TABLE case_tick (
    case_id TEXT NOT NULL,
    staff TEXT NOT NULL,
    point TEXT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (case_id, staff, point)
);

-- One act on several cases, and what became of each.
CREATE TABLE case_bulk (
    bulk TEXT PRIMARY KEY,
    staff TEXT NOT NULL,
    office TEXT NOT NULL,
    act TEXT NOT NULL,
    begun BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL
);
CREATE INDEX case_bulk_office ON case_bulk (office, begun);

CREATE TABLE case_bulk_row (
    bulk TEXT NOT NULL,
    case_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    command TEXT NOT NULL,
    seen BIGINT NOT NULL,
    state TEXT NOT NULL,
    refusal TEXT,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    tx TEXT NOT NULL,
    PRIMARY KEY (bulk, case_id)
);
