-- The token of a form is bound to the cookie by the web site itself, so a session needs none of its own.
ALTER TABLE identity_session DROP COLUMN csrf;
