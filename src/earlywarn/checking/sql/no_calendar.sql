-- Schools of the cohort for which no row of the calendar applies, and their children.
-- Reads calendars, calendar_of (features).
SELECT
    count(DISTINCT k.school_id) AS schools,
    count(*) AS children,
    (SELECT count(DISTINCT school_id) FROM calendars) AS of_schools,
    min(k.school_id, 3) AS some
FROM calendars AS k
JOIN calendar_of AS o
    ON o.school_id = k.school_id
    AND o.class_id IS NOT DISTINCT FROM k.class_id
    AND o.private_to IS NOT DISTINCT FROM k.private_to
WHERE NOT k.has_calendar
HAVING count(*) > 0
