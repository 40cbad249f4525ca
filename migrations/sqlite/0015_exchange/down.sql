DROP INDEX contracts_registrar_year;
DROP TABLE national_numbers;
DROP TABLE import_rows;
DROP TABLE import_faults;
DROP TABLE imports;
