-- From schema 7 to 8. What each part changes stands under a heading of its own.

-- Sign-in by passkey ------------------------------------------------------------------------------------------------------
-- Each sign-in wrote a page of it, and clearing up needs it seldom.
DROP INDEX spent_challenges_by_end;
