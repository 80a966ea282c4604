-- Attendance read once and kept, for many as-of dates. Reads attendance_days (days.sql).

CREATE OR REPLACE TEMP TABLE kept_days AS
SELECT sid, date, severity FROM attendance_days;

CREATE OR REPLACE TEMP VIEW attendance_days AS
SELECT sid, date, severity FROM kept_days;
