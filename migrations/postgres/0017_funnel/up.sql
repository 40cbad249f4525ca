-- the funnel reads listings by the time they were published, and the first request about each
CREATE INDEX achievements_published ON achievements (published_at, id);
CREATE INDEX demands_published ON demands (published_at, id);
CREATE INDEX match_requests_of_achievement ON match_requests (achievement_id, created_at);
CREATE INDEX match_requests_of_demand ON match_requests (demand_id, created_at);
