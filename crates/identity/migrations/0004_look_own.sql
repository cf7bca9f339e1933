-- Reading one's own data is a look that can be proven, but no entry of the list of who looked. Contents are
-- canonical JSON, so a word stands in one form only.
ALTER TABLE identity_look ADD COLUMN own BIGINT NOT NULL DEFAULT 0;
UPDATE identity_look
SET own = 1
WHERE content LIKE '%"role":"resident"%'
    AND content NOT LIKE '%"kind":"verify"%'
    AND content NOT LIKE '%"ground":"consent:%';
