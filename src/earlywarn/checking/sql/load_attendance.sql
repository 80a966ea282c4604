-- The last four weeks of attendance in its last two loads, by the school of the child's record.
-- Reads known_students (features).
CREATE OR REPLACE TEMP TABLE load_rows AS
WITH rows AS (
    SELECT TRUE AS now, student_id, date, status
    FROM read_parquet($now)
    WHERE date > (SELECT max(date) FROM read_parquet($now)) - 28
    UNION ALL
    SELECT FALSE, student_id, date, status
    FROM read_parquet($before)
    WHERE date > (SELECT max(date) FROM read_parquet($before)) - 28
)
SELECT r.now, k.school_id, CAST(r.date AS VARCHAR) AS unit, r.status
FROM rows AS r
JOIN known_students AS k ON k.student_id = r.student_id;
