'use strict';
// Clicking a heading sorts the rows by its column, and again the other way round.
for (const heading of document.querySelectorAll('th')) {
  const button = document.createElement('button');
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener('click', () => {
    const body = document.querySelector('tbody');
    const up = heading.getAttribute('aria-sort') !== 'ascending';
    const text = (row) => row.cells[heading.cellIndex].textContent;
    const rows = Array.from(body.rows);
    const order = new Intl.Collator(undefined, { numeric: true });
    rows.sort((a, b) => order.compare(text(a), text(b)) * (up ? 1 : -1));
    for (const row of rows) body.append(row);
    for (const other of document.querySelectorAll('th')) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  });
}
