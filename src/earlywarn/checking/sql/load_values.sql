-- By school and field: how often each value stood before and stands now (NULL: the field is empty).
-- Reads load_rows.
WITH cells AS (/*cells*/)
SELECT
    school_id,
    field,
    value,
    count(*) FILTER (WHERE NOT now) AS before,
    count(*) FILTER (WHERE now) AS now
FROM cells
GROUP BY school_id, field, value
ORDER BY school_id, field, value
