-- One row per known child and day: how bad the day was.
-- Reads attendance_rows (rows.sql), student_keys (keys.sql).

CREATE OR REPLACE TEMP VIEW attendance_days AS
WITH days AS (
    SELECT
        k.sid,
        a.date,
        CAST(CASE a.status
            WHEN 'present' THEN 0
            WHEN 'home_teaching' THEN 1
            WHEN 'left_early' THEN 2
            WHEN 'late' THEN 3
            WHEN 'sick' THEN 4
            WHEN 'leave' THEN 5
            ELSE 6
        END AS TINYINT) AS severity
    FROM attendance_rows AS a
    JOIN student_keys AS k ON k.student_id = a.student_id
),
worst AS (SELECT sid, date, max(severity) AS severity FROM days GROUP BY sid, date)
SELECT sid, date, severity FROM /*one row a day*/ worst;
