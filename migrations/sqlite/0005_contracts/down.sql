DROP TABLE registration_serials;
DROP TABLE registrar_numbers;
DROP TABLE contracts;
