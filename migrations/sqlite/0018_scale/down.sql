DROP INDEX turnover_postings_corrections;
CREATE INDEX turnover_postings_posted ON turnover_postings (posted_on);

CREATE TABLE figure_days_anew (
    layer TEXT NOT NULL CHECK (layer IN ('registered', 'adjusted', 'restated')),
    flow TEXT NOT NULL CHECK (flow IN ('output', 'absorbed', 'local')),
    place TEXT NOT NULL,
    day DATE NOT NULL,
    contracts BIGINT NOT NULL,
    total_fen BIGINT NOT NULL,
    tech_fen BIGINT NOT NULL,
    largest_fen BIGINT NOT NULL,
    PRIMARY KEY (flow, place, day, layer)
) WITHOUT ROWID;
INSERT INTO figure_days_anew (layer, flow, place, day, contracts, total_fen, tech_fen, largest_fen)
SELECT layer, flow, place, day, contracts, total_fen, tech_fen, largest_fen FROM figure_days;
DROP TABLE figure_days;
ALTER TABLE figure_days_anew RENAME TO figure_days;
CREATE INDEX figure_days_day ON figure_days (day);

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
    PRIMARY KEY (flow, place, dimension, period, layer, value)
) WITHOUT ROWID;
INSERT INTO figure_cells_anew (layer, flow, place, dimension, period, value, contracts, total_fen, tech_fen, largest_fen)
SELECT layer, flow, place, dimension, period, value, contracts, total_fen, tech_fen, largest_fen FROM figure_cells;
DROP TABLE figure_cells;
ALTER TABLE figure_cells_anew RENAME TO figure_cells;
CREATE INDEX figure_cells_period ON figure_cells (period);
