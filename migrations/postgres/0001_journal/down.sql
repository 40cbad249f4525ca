DROP TABLE kept_answers;
DROP TABLE cursors;
DROP TABLE leases;
DROP TABLE journal;
DROP FUNCTION journal_is_append_only;
