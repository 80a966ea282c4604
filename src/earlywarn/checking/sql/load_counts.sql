-- By school: rows before and now, and over how many units (days, papers) they spread.
-- Reads load_rows.
SELECT
    school_id,
    count(*) FILTER (WHERE NOT now) AS before,
    count(*) FILTER (WHERE now) AS now,
    count(DISTINCT unit) FILTER (WHERE NOT now) AS units_before,
    count(DISTINCT unit) FILTER (WHERE now) AS units_now
FROM load_rows
GROUP BY school_id
ORDER BY school_id
