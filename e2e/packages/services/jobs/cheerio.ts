import * as cheerio from 'cheerio'

const page = `<table id="prices">
  <tr><th>Name</th><th>Price</th></tr>
  <tr><td>Tea</td><td data-cents="350">3.50 €</td></tr>
  <tr><td>Coffee &amp; cake</td><td data-cents="720">7.20 €</td></tr>
</table>`

/** Reads a table out of a page, and changes the page. */
export async function run() {
  const $ = cheerio.load(page)
  const rows = $('#prices tr')
    .slice(1)
    .map((_, row) => ({
      name: $(row).find('td').first().text(),
      cents: Number($(row).find('td').last().attr('data-cents')),
    }))
    .get()
  $('td').last().addClass('dear').text('free')
  const extracted = $.extract({ names: ['td:first-child'] })
  return { rows, html: $('tr').last().html(), extracted }
}
