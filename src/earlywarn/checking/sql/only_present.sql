-- Schools without a single absence in their last 60 reported school days: children and child-days.
-- Where only exceptions are listed, a reported day counts for every child that was enrolled.
-- Reads child_days.
WITH counted AS (
    SELECT
        school_id,
        student_id,
        bit_count(
            CASE WHEN $exceptions THEN reported_60 & ~early ELSE recorded & reported_60 END
        ) AS days,
        absent & reported_60 <> 0 AS away
    FROM child_days
    WHERE NOT on_leave
)
SELECT
    school_id,
    count(DISTINCT student_id) FILTER (WHERE days > 0) AS children,
    CAST(sum(days) AS BIGINT) AS child_days
FROM counted
GROUP BY school_id
HAVING NOT bool_or(away) AND sum(days) >= $least
ORDER BY school_id
