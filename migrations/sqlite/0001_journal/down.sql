DROP TABLE kept_answers;
DROP TABLE cursors;
DROP TABLE leases;
DROP TABLE journal;
