"use strict";
// Sorts a table by a column: numbers from the largest, texts from A. Empty cells come last.
document.querySelectorAll("table.sortable thead button").forEach((button) => {
  button.addEventListener("click", () => {
    const header = button.parentElement;
    const body = header.closest("table").tBodies[0];
    const column = header.cellIndex;
    const number = (row) => parseFloat(row.cells[column].dataset.sort);
    const text = (row) => row.cells[column].textContent;
    const rows = Array.from(body.rows);
    const isNumber = rows.some((row) => !isNaN(number(row)));
    const first = isNumber ? "descending" : "ascending";
    const second = isNumber ? "ascending" : "descending";
    const order = header.getAttribute("aria-sort") === first ? second : first;
    const sign = order === "ascending" ? 1 : -1;
    rows.sort((a, b) => {
      const emptyA = text(a) === "";
      const emptyB = text(b) === "";
      if (emptyA || emptyB) return emptyA - emptyB;
      return sign * (isNumber ? number(a) - number(b) : text(a).localeCompare(text(b)));
    });
    header.parentElement.querySelectorAll("th").forEach((th) => th.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", order);
    rows.forEach((row) => body.appendChild(row));
  });
});
