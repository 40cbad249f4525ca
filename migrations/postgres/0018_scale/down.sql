DROP INDEX turnover_postings_corrections;
CREATE INDEX turnover_postings_posted ON turnover_postings (posted_on);
ALTER TABLE figure_days DROP CONSTRAINT figure_days_pkey, ADD PRIMARY KEY (flow, place, day, layer);
CREATE INDEX figure_days_day ON figure_days (day);
ALTER TABLE figure_cells DROP CONSTRAINT figure_cells_pkey,
    ADD PRIMARY KEY (flow, place, dimension, period, layer, value);
CREATE INDEX figure_cells_period ON figure_cells (period);
