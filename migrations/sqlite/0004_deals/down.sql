DROP TABLE deals;
DROP TABLE match_requests;
