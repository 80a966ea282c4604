-- Attendance as it is: what attendance_days (days.sql) reads, until attendance.sql says which rows
-- can say something. Made anew for every as-of date.

CREATE OR REPLACE TEMP VIEW attendance_rows AS
SELECT student_id, date, status FROM attendance;
