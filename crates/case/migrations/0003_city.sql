-- When and against which promise a case was decided; the lists of a whole city.
ALTER TABLE case_index ADD COLUMN decided BIGINT;
ALTER TABLE case_index ADD COLUMN promised BIGINT;
UPDATE case_index SET decided = (
    SELECT MIN(case_event.at) FROM case_event
    WHERE case_event.case_id = case_index.case_id AND case_event.kind = 'decided'
);
CREATE INDEX case_index_running ON case_index (
    (COALESCE(due, 9000000000000000000)), case_id, office, item, phase
) WHERE is_over = 0;
CREATE INDEX case_index_collected ON case_index (collected, case_id);
CREATE INDEX case_index_decided ON case_index (decided, case_id) WHERE decided IS NOT NULL;
