'use strict';
const table = document.querySelector('main table');
const body = table.tBodies[0];
// What is done to a hundred thousand rows is done while they are not shown.
function unseen(change) {
  body.remove();
  change();
  table.append(body);
}
// Clicking a heading sorts the rows by its column, and again the other way round.
const headings = table.querySelectorAll('th');
for (const heading of headings) {
  const button = document.createElement('button');
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener('click', () => {
    const way = heading.getAttribute('aria-sort') !== 'ascending' ? 1 : -1;
    const column = heading.cellIndex;
    const order = new Intl.Collator(undefined, { numeric: true });
    unseen(() => {
      const rows = Array.from(body.rows, (row) => [row.cells[column].textContent, row]);
      rows.sort((a, b) => order.compare(a[0], b[0]) * way);
      body.classList.add('sorted');
      for (const [, row] of rows) body.append(row);
    });
    for (const other of headings) other.removeAttribute('aria-sort');
    heading.setAttribute('aria-sort', way > 0 ? 'ascending' : 'descending');
  });
}
// Typing leaves the rows that have every word in their link or target.
const search = document.createElement('input');
search.type = 'search';
search.placeholder = 'link or target';
search.setAttribute('aria-label', 'Show links with these words');
table.before(search);
let texts;
let waiting;
search.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    texts ??= Array.from(body.rows, (row) => [row, `${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase()]);
    const words = search.value.toLowerCase().split(' ');
    unseen(() => {
      for (const [row, text] of texts) {
        const hidden = !words.every((word) => text.includes(word));
        if (row.hidden !== hidden) row.hidden = hidden;
      }
    });
  }, 150);
});
