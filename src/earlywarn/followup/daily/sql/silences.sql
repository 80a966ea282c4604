-- Schools, and classes that report for themselves, whose last school days are not handed in: the last
-- day that is (within the last 60), and how many school days have passed since then.
-- Reads calendars, calendar_of, school_days (features).
WITH counted AS (
    SELECT
        k.school_id,
        k.class_id,
        max(d.date) FILTER (WHERE d.reported AND d.back < 60) AS last_reported,
        -- back of the last reported day = school days since; none within 60: all of them
        coalesce(min(d.back) FILTER (WHERE d.reported AND d.back < 60), least(count(*), 60))
            AS missing
    FROM calendars AS k
    JOIN school_days AS d ON d.cal = k.cal
    WHERE k.private_to IS NULL
    GROUP BY k.school_id, k.class_id
),
children AS (
    SELECT school_id, class_id, count(*) AS children
    FROM calendar_of
    GROUP BY school_id, class_id
)
SELECT c.school_id, c.class_id, n.children, c.last_reported, c.missing
FROM counted AS c
JOIN children AS n
    ON n.school_id = c.school_id AND n.class_id IS NOT DISTINCT FROM c.class_id
WHERE c.missing > 0
ORDER BY c.school_id, c.class_id NULLS FIRST
