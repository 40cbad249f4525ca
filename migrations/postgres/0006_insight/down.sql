DROP TABLE targets;
DROP TABLE turnover_entries;
DROP TABLE turnover_cells;
