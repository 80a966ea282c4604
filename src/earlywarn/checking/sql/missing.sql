-- Schools, and classes that report for themselves: their school days that somebody looks at (since
-- the school year began, and the last 60), those not handed in, how many have passed since the last
-- one that was, and whether any was ever handed in. A row with no day: not even a calendar tells one.
-- Reads calendars, calendar_of, school_days (features).
WITH days AS (
    SELECT
        k.school_id,
        k.class_id,
        d.date,
        d.back,
        coalesce(d.reported, FALSE) AS reported,
        coalesce(d.back < 60 OR d.date >= $year_start, FALSE) AS looked_at
    FROM calendars AS k
    LEFT JOIN school_days AS d ON d.cal = k.cal
    WHERE k.private_to IS NULL
),
children AS (
    SELECT school_id, class_id, count(*) AS children
    FROM calendar_of
    GROUP BY school_id, class_id
)
SELECT
    d.school_id,
    d.class_id,
    n.children,
    coalesce(list(d.date ORDER BY d.date) FILTER (WHERE d.looked_at), []) AS school_days,
    coalesce(list(d.date ORDER BY d.date) FILTER (WHERE d.looked_at AND NOT d.reported), [])
        AS missing,
    coalesce(min(d.back) FILTER (WHERE d.reported), count(d.date)) AS silent,
    bool_or(d.reported) AS ever_reported
FROM days AS d
JOIN children AS n
    ON n.school_id = d.school_id AND n.class_id IS NOT DISTINCT FROM d.class_id
GROUP BY d.school_id, d.class_id, n.children
HAVING bool_or(d.looked_at AND NOT d.reported) OR NOT bool_or(d.reported)
ORDER BY d.school_id, d.class_id NULLS FIRST
