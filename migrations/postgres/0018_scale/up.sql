-- By period first: what is new lies together at the end, a recount of a month reads neighbours, and no
-- second index has to be kept for it.
DROP INDEX figure_cells_period;
ALTER TABLE figure_cells DROP CONSTRAINT figure_cells_pkey,
    ADD PRIMARY KEY (period, flow, place, dimension, layer, value);
DROP INDEX figure_days_day;
ALTER TABLE figure_days DROP CONSTRAINT figure_days_pkey, ADD PRIMARY KEY (day, flow, place, layer);

-- A registration is posted on its own day: only corrections are looked for by the day of the act.
DROP INDEX turnover_postings_posted;
CREATE INDEX turnover_postings_corrections ON turnover_postings (posted_on) WHERE kind <> 'registration';
