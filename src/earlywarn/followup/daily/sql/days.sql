-- For each calendar in `wanted_calendars`: its school days up to the as-of date from $since on, those
-- after it that the calendar names, and the last date of which it says anything. The most specific
-- row of a date decides, as in calendar.sql (features).
-- Reads wanted_calendars, calendar, school_days.
WITH rows AS (
    SELECT w.cal, r.date, arg_max(
        r.is_school_day,
        CASE WHEN r.school_id IS NULL THEN 0 ELSE 2 END
        + CASE WHEN r.class_id IS NULL THEN 0 ELSE 1 END
    ) AS is_school_day
    FROM wanted_calendars AS w
    JOIN calendar AS r
        ON (r.school_id IS NULL OR r.school_id = w.school_id)
        AND (r.class_id IS NULL OR r.class_id = w.class_id)
    WHERE r.date > $as_of AND r.date <= $until
    GROUP BY w.cal, r.date
),
days AS (
    SELECT cal, date, TRUE AS is_school_day
    FROM school_days
    WHERE date >= $since AND cal IN (SELECT cal FROM wanted_calendars)
    UNION ALL
    SELECT cal, date, is_school_day FROM rows
)
SELECT cal, list(date ORDER BY date) FILTER (WHERE is_school_day) AS days, max(date) AS last
FROM days
GROUP BY cal
ORDER BY cal
