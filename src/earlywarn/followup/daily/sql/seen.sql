-- Days on which a child has an attendance row, for the schools whose school days or reported days
-- only attendance can tell. calendar.sql (features) asks for whose and when, never for the status.
-- Reads attendance, known_students, calendars (features).

CREATE OR REPLACE TEMP TABLE attendance_days AS
SELECT DISTINCT k.sid, a.date, CAST(0 AS TINYINT) AS severity
FROM attendance AS a
JOIN known_students AS k ON k.student_id = a.student_id
WHERE a.date BETWEEN $first_day AND $as_of
    AND k.school_id IN (
        SELECT school_id FROM calendars WHERE NOT has_calendar OR NOT has_reported
    );
