// Sorts a table.sortable by the column whose title is clicked; again: the other way.
document.addEventListener('click', (event) => {
  const title = event.target.closest('table.sortable th');
  if (!title) return;
  const table = title.closest('table');
  const column = title.cellIndex;
  const down = title.getAttribute('aria-sort') !== 'ascending';
  table.querySelectorAll('th').forEach((cell) => cell.removeAttribute('aria-sort'));
  title.setAttribute('aria-sort', down ? 'ascending' : 'descending');
  const text = (row) => row.cells[column].textContent;
  const rows = [...table.tBodies[0].rows].sort((a, b) =>
    text(a).localeCompare(text(b), 'en', { numeric: true }));
  table.tBodies[0].append(...(down ? rows : rows.reverse()));
});
