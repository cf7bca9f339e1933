-- Whether the account has a password that somebody knows: not while a one-time code waits for its first one.
ALTER TABLE identity_account ADD COLUMN has_password BIGINT NOT NULL DEFAULT 1;

UPDATE identity_account SET has_password = 0
WHERE id IN (SELECT account FROM identity_reset WHERE purpose = 'first' AND state = 'open');
