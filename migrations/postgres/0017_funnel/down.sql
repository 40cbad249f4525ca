DROP INDEX match_requests_of_demand;
DROP INDEX match_requests_of_achievement;
DROP INDEX demands_published;
DROP INDEX achievements_published;
