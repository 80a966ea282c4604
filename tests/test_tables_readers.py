"""Readers: every row and line accounted for, in each kind of file."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earlywarn.errors import EarlywarnError
from earlywarn.tables import csvfile, readers, source
from earlywarn.tables.readers import number_text, open_source


def rows_of(opened: source.Source) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    for chunk in opened.chunks():
        columns = [column.to_pylist() for column in chunk.columns]
        for i, number in enumerate(chunk.rows.to_pylist()):
            found.append((number, [column[i] or "" for column in columns]))
    return found


def wrong_of(opened: source.Source) -> list[tuple[int, str]]:
    return [(w.row, w.code) for chunk in opened.chunks() for w in chunk.wrong]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, end: str) -> None:
    text = f"学号,姓名{end}001,张三{end}002,李四"
    opened = open_source(write(tmp_path / "a.csv", text.encode(encoding)))
    assert opened.headings == ["学号", "姓名"]
    assert rows_of(opened) == [(2, ["001", "张三"]), (3, ["002", "李四"])]


def test_blank_lines_count_as_lines_and_not_as_rows(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "a.csv", "\na,b\n1,2\n\n,\n 3,4,\n"))
    assert rows_of(opened) == [(3, ["1", "2"]), (6, [" 3", "4"])]
    assert wrong_of(opened) == []


def test_quotes_may_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    text = 'a,b,c\n1,"x, ""y""",z\n2,"one\nline",w\n3,v,u\n'
    opened = open_source(write(tmp_path / "a.csv", text))
    assert rows_of(opened) == [
        (2, ["1", 'x, "y"', "z"]),
        (3, ["2", "one\nline", "w"]),
        (5, ["3", "v", "u"]),
    ]


@pytest.mark.parametrize(
    ("body", "kept", "wrong"),
    [
        ('1,"x,y\n2,b,c\n3,d,e\n', [3, 4], [(2, "open_quote")]),
        ('1,"x,y\n2,b",c\n3,d,e\n', [4], [(2, "open_quote"), (3, "nothing")]),
        ('1,x,"y"z\n2,b,c\n', [3], [(2, "open_quote")]),
        ('1,x,y\n2,b,"c', [2], [(3, "open_quote")]),
        ("1,x\n2,b,c\n3,d,e,f\n", [3], [(2, "ragged"), (4, "ragged")]),
    ],
)
def test_a_broken_row_takes_no_other_with_it(
    tmp_path: Path, body: str, kept: list[int], wrong: list[tuple[int, str]]
) -> None:
    opened = open_source(write(tmp_path / "a.csv", "a,b,c\n" + body))
    numbers = [number for number, _ in rows_of(opened)]
    refused = dict(wrong_of(opened))
    assert set(kept) <= set(numbers)
    for row, code in wrong:
        assert row in numbers or row in refused
        if code != "nothing":
            assert refused[row] == code


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.text(alphabet=st.sampled_from(list('ab,,"é张 ')), max_size=12), max_size=8)
)
def test_every_line_is_in_a_row_or_wrong_or_blank(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.csv"
    write(path, "h1,h2,h3\n" + "".join(line + "\n" for line in lines))
    opened = open_source(path)
    numbers = [n for n, _ in rows_of(opened)] + [n for n, _ in wrong_of(opened)]
    assert len(numbers) == len(set(numbers))
    # Lines that are whole rows without a quote must come through, whatever stands around them,
    # unless an earlier quote really closes later.
    if not any('"' in line for line in lines):
        cells = {i: line.split(",") for i, line in enumerate(lines, 2)}
        # a row is whole if it has three cells, or more of which the others are empty
        whole = [i for i, c in cells.items() if len(c) >= 3 and not any(c[3:])]
        assert {n for n, cells in rows_of(opened)} == {
            n for n in whole if lines[n - 2].replace(",", "")
        }


def test_row_numbers_hold_over_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "CHUNK_ROWS", 3)
    plain = "a,b\n" + "".join(f"{i},x\n" for i in range(2, 12))
    quoted = plain.replace("7,x", '7,"x"').replace("9,x", '"9,x')
    for text in (plain, quoted):
        opened = open_source(write(tmp_path / "a.csv", text))
        for number, row in rows_of(opened):
            assert row[0] == str(number)
    assert wrong_of(open_source(tmp_path / "a.csv")) == [(9, "open_quote")]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    opened = open_source(write(tmp_path / "a.csv", "a,b\n1,2\n"))
    write(tmp_path / "a.csv", "a,b\n1,2\n3,4\n")
    with pytest.raises(EarlywarnError, match="3 lines were read, but the file has 2"):
        rows_of(opened)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, sign: str, encoding: str) -> None:
    text = '\n"学号",姓名,说明\r\n001,张三,"甲,\n""乙"""\r\n,,\r\n7,一,\r\n'.replace(",", sign)
    opened = open_source(write(tmp_path / "a.csv", text.encode(encoding)))
    assert opened.headings == ["学号", "姓名", "说明"]
    assert rows_of(opened) == [(3, ["001", "张三", f'甲{sign}\n"乙"']), (6, ["7", "一", ""])]
    assert wrong_of(opened) == []
    plain = sign == "," and not encoding.startswith("utf-16")
    assert [note.en for note in opened.notes if "delimiter" in note.en] == (
        []
        if plain
        else [
            {"utf-16": "encoding UTF-16 LE, ", "utf-16-be": "encoding UTF-16 BE, "}.get(
                encoding, ""
            )
            + f"delimiter {'Tab' if sign == chr(9) else sign}"
        ]
    )


def test_a_broken_row_takes_no_other_with_it_under_any_delimiter(tmp_path: Path) -> None:
    text = 'a;b;c\n1;"x;y\n2;b;c\n3;d\n4;e;f\n'
    for encoding in ("utf-8", "utf-16-le"):
        opened = open_source(write(tmp_path / "a.csv", text.encode(encoding)))
        assert [number for number, _ in rows_of(opened)] == [3, 5]
        assert wrong_of(opened) == [(2, "open_quote"), (4, "ragged")]
        assert next(w.cells for c in opened.chunks() for w in c.wrong) == ("1", '"x', "y")


def test_full_width_commas_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match="separated by a full-width comma"):
        open_source(write(tmp_path / "a.csv", "学号，姓名\n1，2\n"))


def test_broken_utf16_is_refused_with_the_line(tmp_path: Path) -> None:
    content = "a,b\n1,2\n3,4\n".encode("utf-16") + b"\x00\xd8\x41\x00"
    with pytest.raises(EarlywarnError, match="line 4 is no valid UTF-16"):
        open_source(write(tmp_path / "a.csv", content))


def test_utf16_row_numbers_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "_BLOCK", 5)
    monkeypatch.setattr(csvfile, "CHUNK_ROWS", 3)
    text = "编号,名\r\n" + "".join(f"{i},一\r\n" for i in range(2, 12))
    opened = open_source(write(tmp_path / "a.csv", text.encode("utf-16-le")))
    assert rows_of(opened) == [(i, [str(i), "一"]) for i in range(2, 12)]


def test_binary_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(EarlywarnError, match="line 2 is neither"):
        open_source(write(tmp_path / "a.csv", b"a,b\n\xff\xff\xff,1\n"))


def test_xlsx(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["编号", "日期", "数", "序列", "是"])
    sheet.append(["007", date(2026, 11, 20), 1.5, 46346, True])
    sheet.append([])
    sheet.append([7, datetime(2026, 1, 2, 3, 4), 0.1, None, False])
    book.create_sheet("other").append(["x"])
    book.save(tmp_path / "a.xlsx")
    opened = open_source(tmp_path / "a.xlsx")
    assert opened.headings == ["编号", "日期", "数", "序列", "是"]
    assert rows_of(opened) == [
        (2, ["007", "2026-11-20", "1.5", "46346", "true"]),
        (4, ["7", "2026-01-02 03:04:00", "0.1", "", "false"]),
    ]
    assert opened.numeric == {0, 2, 3}
    assert opened.serial_epoch == date(1899, 12, 30)


def test_xlsx_of_1904_and_rows_above_the_headings(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = datetime(1904, 1, 1)
    sheet = book.active
    assert sheet is not None
    sheet["A3"] = "a"
    sheet["B3"] = "b"
    sheet["A5"] = "1"
    sheet["C5"] = "no heading"
    sheet["A6"] = "2"
    book.save(tmp_path / "a.xlsx")
    opened = open_source(tmp_path / "a.xlsx")
    assert opened.serial_epoch == date(1904, 1, 1)
    assert rows_of(opened) == [(6, ["2", ""])]
    assert wrong_of(opened) == [(5, "ragged")]


@pytest.mark.parametrize("cut", [3, 400, -40])
def test_truncated_xlsx(tmp_path: Path, cut: int) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "whole.xlsx")
    write(tmp_path / "a.xlsx", (tmp_path / "whole.xlsx").read_bytes()[:cut])
    with pytest.raises(EarlywarnError, match="not a whole XLSX"):
        open_source(tmp_path / "a.xlsx")


def test_xlsx_with_a_broken_sheet_inside(tmp_path: Path) -> None:
    import zipfile

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["a", "b"])
    book.save(tmp_path / "whole.xlsx")
    with (
        zipfile.ZipFile(tmp_path / "whole.xlsx") as old,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new,
    ):
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, data[:-60] if "sheet1.xml" in info.filename else data)
    with pytest.raises(EarlywarnError, match=r"not a whole XLSX|empty"):
        rows_of(open_source(tmp_path / "a.xlsx"))


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(["01", None], pa.string()),
            "code": pa.array(["x", "y"]).dictionary_encode(),
            "day": pa.array([date(2026, 11, 20), None]),
            "at": pa.array([datetime(2026, 11, 20, 5), None]),
            "score": pa.array([Decimal("87.500000"), None], pa.decimal128(12, 6)),
            "float": pa.array([2.2e17, 3.0]),
            "whole": pa.array([220102201501011234, 1], pa.int64()),
            "yes": pa.array([True, False]),
            "nested": pa.array([[1], [2]]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    opened = open_source(tmp_path / "a.parquet")
    assert "nested" not in opened.headings
    assert rows_of(opened) == [
        (
            1,
            [
                *("01", "x", "2026-11-20", "2026-11-20", "87.500000"),
                *("2.20000000000000E+17", "220102201501011234", "true"),
            ],
        ),
        (2, ["", "y", "", "", "", "3", "1", "false"]),
    ]


def test_parquet_with_a_nul_and_a_huge_cell(tmp_path: Path) -> None:
    table = pa.table({"id": ["1", "2\0", "3"], "name": ["a", "b", "x" * 200_000]})
    pq.write_table(table, tmp_path / "a.parquet")
    opened = open_source(tmp_path / "a.parquet")
    assert rows_of(opened) == [(1, ["1", "a"])]
    assert wrong_of(opened) == [(2, "nul"), (3, "too_long")]


def test_missing_folder_and_unknown_kind(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "none.csv", "There is no file"),
        (tmp_path, "is a folder"),
        (write(tmp_path / "a.doc", "x"), "unknown kind of file .doc"),
    ):
        with pytest.raises(EarlywarnError, match=says):
            open_source(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (87.5, "87.5"),
        (999_999_999_999_999.0, "999999999999999"),
        (1e15, "1.00000000000000E+15"),
        (-3.0, "-3"),
    ],
)
def test_number_text(value: float, text: str) -> None:
    assert readers.number_text(value) == number_text(value) == text


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused_plainly(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for path in (folder / "a.csv", folder / "a.xlsx", folder / "a.parquet"):
        with suppress(EarlywarnError):
            rows_of(open_source(write(path, content)))
