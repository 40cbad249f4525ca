-- By period first: what is new lies together at the end, a recount of a month reads neighbours, and no
-- second index has to be kept for it.
CREATE TABLE figure_cells_anew (
    layer TEXT NOT NULL CHECK (layer IN ('registered', 'adjusted', 'restated')),
    flow TEXT NOT NULL CHECK (flow IN ('output', 'absorbed', 'local')),
    place TEXT NOT NULL,
    dimension TEXT NOT NULL,
    period TEXT NOT NULL,
    value TEXT NOT NULL,
    contracts BIGINT NOT NULL,
    total_fen BIGINT NOT NULL,
    tech_fen BIGINT NOT NULL,
    largest_fen BIGINT NOT NULL,
    PRIMARY KEY (period, flow, place, dimension, layer, value)
) WITHOUT ROWID;
INSERT INTO figure_cells_anew (layer, flow, place, dimension, period, value, contracts, total_fen, tech_fen, largest_fen)
SELECT layer, flow, place, dimension, period, value, contracts, total_fen, tech_fen, largest_fen
FROM figure_cells ORDER BY period, flow, place, dimension, layer, value;
DROP TABLE figure_cells;
ALTER TABLE figure_cells_anew RENAME TO figure_cells;

CREATE TABLE figure_days_anew (
    layer TEXT NOT NULL CHECK (layer IN ('registered', 'adjusted', 'restated')),
    flow TEXT NOT NULL CHECK (flow IN ('output', 'absorbed', 'local')),
    place TEXT NOT NULL,
    day DATE NOT NULL,
    contracts BIGINT NOT NULL,
    total_fen BIGINT NOT NULL,
    tech_fen BIGINT NOT NULL,
    largest_fen BIGINT NOT NULL,
    PRIMARY KEY (day, flow, place, layer)
) WITHOUT ROWID;
INSERT INTO figure_days_anew (layer, flow, place, day, contracts, total_fen, tech_fen, largest_fen)
SELECT layer, flow, place, day, contracts, total_fen, tech_fen, largest_fen
FROM figure_days ORDER BY day, flow, place, layer;
DROP TABLE figure_days;
ALTER TABLE figure_days_anew RENAME TO figure_days;

-- A registration is posted on its own day: only corrections are looked for by the day of the act.
DROP INDEX turnover_postings_posted;
CREATE INDEX turnover_postings_corrections ON turnover_postings (posted_on) WHERE kind <> 'registration';
