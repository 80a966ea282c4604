-- The newest reported school day up to $today; where nothing is reported, the newest snapshot.
-- Reads attendance, reported_days, calendar, students.
WITH days AS (
    SELECT date FROM attendance WHERE date <= $today
    UNION
    SELECT date FROM reported_days WHERE date <= $today
)
SELECT coalesce(
    max(date) FILTER (WHERE date IN (SELECT date FROM calendar WHERE is_school_day)),
    max(date),
    (SELECT max(snapshot_date) FROM students WHERE snapshot_date <= $today)
)
FROM days
