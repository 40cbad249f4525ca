DROP TABLE demand_versions;
DROP TABLE demands;
DROP TABLE achievement_versions;
DROP TABLE achievements;
