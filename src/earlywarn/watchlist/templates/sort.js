"use strict";
Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), function (table) {
  var body = table.tBodies[0];
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
  heads.forEach(function (head, column) {
    var kind = head.getAttribute("data-k");
    if (!kind) return;
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var was = head.getAttribute("aria-sort");
      var down = was ? was === "ascending" : kind === "n";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var rows = Array.prototype.slice.call(body.rows).map(function (row, place) {
        var cell = row.cells[column];
        var text = cell.getAttribute("data-v") || cell.textContent;
        return { row: row, place: place, key: kind === "n" ? parseFloat(text.replace(/,/g, "")) || 0 : text };
      });
      rows.sort(function (a, b) {
        var order = kind === "n" ? a.key - b.key : a.key.localeCompare(b.key, document.documentElement.lang);
        return (down ? -order : order) || a.place - b.place;
      });
      rows.forEach(function (item) { body.appendChild(item.row); });
    });
  });
});
