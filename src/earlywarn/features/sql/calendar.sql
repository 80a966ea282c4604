-- School days: one calendar per school (and class, where a class has rows of its own), and one of
-- their own for children with a past long leave.
-- Reads calendar, reported_days, attendance_days (days.sql), known_students, cohort, past_leaves.

-- Calendar rows that exist on the as-of date, with how specific they are.
CREATE OR REPLACE TEMP TABLE calendar_rows AS
SELECT
    date,
    school_id,
    class_id,
    is_school_day,
    CASE
        WHEN school_id IS NOT NULL AND class_id IS NOT NULL THEN 3
        WHEN school_id IS NOT NULL THEN 2
        WHEN class_id IS NOT NULL THEN 1
        ELSE 0
    END AS specific
FROM calendar
WHERE date <= $as_of;

CREATE OR REPLACE TEMP TABLE reported_rows AS
SELECT school_id, class_id, date
FROM reported_days
WHERE date <= $as_of;

-- Which calendar a child follows: its school's, its class's where the class has rows of its own in
-- calendar or reported_days, its own (private_to) after a long leave.
CREATE OR REPLACE TEMP TABLE calendar_of AS
WITH own_class AS (
    SELECT DISTINCT school_id, class_id FROM calendar_rows WHERE class_id IS NOT NULL
    UNION
    SELECT DISTINCT school_id, class_id FROM reported_rows WHERE class_id IS NOT NULL
)
SELECT
    c.student_id,
    c.sid,
    c.school_id,
    CASE
        WHEN EXISTS (
            SELECT 1 FROM own_class AS o
            WHERE o.class_id = c.class_id
                AND (o.school_id = c.school_id OR o.school_id IS NULL)
        ) THEN c.class_id
    END AS class_id,
    CASE
        WHEN EXISTS (SELECT 1 FROM past_leaves AS l WHERE l.student_id = c.student_id)
            THEN c.student_id
    END AS private_to,
    c.enrolled_on
FROM cohort AS c;

CREATE OR REPLACE TEMP TABLE calendars AS
SELECT
    row_number() OVER (ORDER BY school_id, class_id, private_to) AS cal,
    k.*,
    EXISTS (
        SELECT 1 FROM calendar_rows AS r
        WHERE (r.school_id IS NULL OR r.school_id = k.school_id)
            AND (r.class_id IS NULL OR r.class_id = k.class_id)
    ) AS has_calendar,
    EXISTS (SELECT 1 FROM reported_rows AS r WHERE r.school_id = k.school_id) AS has_reported
FROM (SELECT DISTINCT school_id, class_id, private_to FROM calendar_of) AS k;

-- Dates on which any child of a school (by its current record) has an attendance row: for schools
-- that have no calendar or hand in no reported days.
CREATE OR REPLACE TEMP TABLE seen_days AS
SELECT DISTINCT k.school_id, a.date
FROM attendance_days AS a
JOIN known_students AS k ON k.sid = a.sid
WHERE a.date <= $as_of
    AND k.school_id IN (
        SELECT school_id FROM calendars WHERE NOT has_calendar OR NOT has_reported
    );

-- One row per calendar and school day: `back` = 0 for the last one, 1 for the one before ...
CREATE OR REPLACE TEMP TABLE school_days AS
WITH decided AS (  -- the most specific row of a date decides
    SELECT k.cal, r.date, arg_max(r.is_school_day, r.specific) AS is_school_day
    FROM calendars AS k
    JOIN calendar_rows AS r
        ON (r.school_id IS NULL OR r.school_id = k.school_id)
        AND (r.class_id IS NULL OR r.class_id = k.class_id)
    GROUP BY k.cal, r.date
),
days AS (
    SELECT cal, date FROM decided WHERE is_school_day
    UNION ALL
    SELECT k.cal, s.date
    FROM calendars AS k
    JOIN seen_days AS s ON s.school_id = k.school_id
    WHERE NOT k.has_calendar
),
away AS (  -- days of past long leaves are no school days of the child
    SELECT k.cal, l.first_day, l.last_day
    FROM calendars AS k
    JOIN past_leaves AS l ON l.student_id = k.private_to
),
own_days AS (
    SELECT d.cal, d.date
    FROM days AS d
    ANTI JOIN away AS a ON a.cal = d.cal AND d.date >= a.first_day AND d.date <= a.last_day
),
reported_on AS (
    SELECT k.cal, r.date
    FROM calendars AS k
    JOIN reported_rows AS r ON r.school_id = k.school_id
    WHERE r.class_id IS NULL
    UNION
    SELECT k.cal, r.date
    FROM calendars AS k
    JOIN reported_rows AS r ON r.school_id = k.school_id AND r.class_id = k.class_id
),
newest_seen AS (SELECT school_id, max(date) AS date FROM seen_days GROUP BY school_id)
SELECT
    d.cal,
    d.date,
    row_number() OVER (PARTITION BY d.cal ORDER BY d.date DESC) - 1 AS back,
    lead(d.date) OVER (PARTITION BY d.cal ORDER BY d.date DESC) AS day_before,
    CASE
        WHEN k.has_reported THEN r.cal IS NOT NULL
        WHEN $exceptions THEN coalesce(d.date <= n.date, FALSE)
        ELSE s.date IS NOT NULL
    END AS reported
FROM own_days AS d
JOIN calendars AS k ON k.cal = d.cal
LEFT JOIN reported_on AS r ON r.cal = d.cal AND r.date = d.date
LEFT JOIN seen_days AS s ON s.school_id = k.school_id AND s.date = d.date
LEFT JOIN newest_seen AS n ON n.school_id = k.school_id;

-- The last gap of at least five calendar days between two school days of a calendar (five days that
-- are no school days), the day after it in the last 365 days; and whether any of the three school
-- days after it was reported.
CREATE OR REPLACE TEMP TABLE last_breaks AS
WITH found AS (
    SELECT cal, min(back) AS break_back, max(day_before) AS day_before
    FROM school_days
    WHERE date_diff('day', day_before, date) - 1 >= 5 AND date > $year_ago
    GROUP BY cal
)
SELECT f.cal, f.break_back, f.day_before, bool_or(d.reported) AS reported_after
FROM found AS f
JOIN school_days AS d
    ON d.cal = f.cal AND d.back <= f.break_back AND d.back > f.break_back - 3
GROUP BY f.cal, f.break_back, f.day_before;

-- One row per child of the cohort: its calendar, how many school days it has had since enrolment
-- (days), how many of them were reported in this school year, and its last break, if it was here.
CREATE OR REPLACE TEMP TABLE roster AS
WITH keys AS (
    SELECT DISTINCT k.cal, o.enrolled_on
    FROM calendar_of AS o
    JOIN calendars AS k
        ON k.school_id = o.school_id
        AND k.class_id IS NOT DISTINCT FROM o.class_id
        AND k.private_to IS NOT DISTINCT FROM o.private_to
),
counted AS (
    SELECT
        e.cal,
        e.enrolled_on,
        count(d.date) AS days,
        count(d.date) FILTER (WHERE d.reported AND d.date >= $year_start) AS reported_ytd,
        coalesce(
            bit_or(
                CASE WHEN d.back < 60 AND d.reported
                    THEN CAST(1 AS BIGINT) << CAST(d.back AS INTEGER)
                END
            ),
            0
        ) AS reported
    FROM keys AS e
    LEFT JOIN school_days AS d
        ON d.cal = e.cal AND (e.enrolled_on IS NULL OR d.date >= e.enrolled_on)
    GROUP BY e.cal, e.enrolled_on
)
SELECT
    o.student_id,
    o.sid,
    o.school_id,
    k.cal,
    n.days,
    n.reported_ytd,
    n.reported,
    CASE
        WHEN o.enrolled_on IS NULL OR b.day_before >= o.enrolled_on THEN b.break_back
    END AS break_back,
    b.reported_after
FROM calendar_of AS o
JOIN calendars AS k
    ON k.school_id = o.school_id
    AND k.class_id IS NOT DISTINCT FROM o.class_id
    AND k.private_to IS NOT DISTINCT FROM o.private_to
JOIN counted AS n ON n.cal = k.cal AND n.enrolled_on IS NOT DISTINCT FROM o.enrolled_on
LEFT JOIN last_breaks AS b ON b.cal = k.cal;
