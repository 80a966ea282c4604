-- The few children whom the round is about, and what their last 60 school days were.
-- Reads attendance, student_keys, reach, reach_back, roster, cohort.

CREATE OR REPLACE TEMP TABLE candidates AS
SELECT DISTINCT student_id
FROM attendance
WHERE status = 'unexcused' AND date BETWEEN $first_day AND $as_of
UNION
SELECT student_id FROM reach_back;

DELETE FROM roster
WHERE student_id NOT IN (SELECT student_id FROM candidates)
    OR student_id IN (SELECT student_id FROM cohort WHERE on_leave);

-- One row per candidate and day: the worst of the day's sessions, as its place in `$statuses`.
CREATE OR REPLACE TEMP TABLE attendance_days AS
WITH rows AS (
    SELECT r.sid, a.date, a.status
    FROM attendance AS a
    JOIN roster AS r ON r.student_id = a.student_id
    WHERE a.date BETWEEN $first_day AND $as_of
    UNION ALL
    SELECT k.sid, f.date, f.status
    FROM /*further back*/ (SELECT * FROM attendance WHERE FALSE) AS f
    JOIN student_keys AS k ON k.student_id = f.student_id
)
SELECT sid, date, CAST(max(list_position($statuses, status) - 1) AS TINYINT) AS severity
FROM rows
GROUP BY sid, date;
