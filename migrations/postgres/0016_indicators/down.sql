DROP TABLE indicator_values;
ALTER TABLE targets DROP COLUMN kind_stated;
