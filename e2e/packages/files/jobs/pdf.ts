import { createHash } from 'node:crypto'
import { createWriteStream, readFileSync } from 'node:fs'
import { finished } from 'node:stream/promises'
import PDFDocument from 'pdfkit'

/** An invoice with a standard font, whose measures pdfkit reads from a file beside itself. */
export async function run() {
  const document = new PDFDocument({ compress: false, info: { CreationDate: new Date(0) } })
  const file = createWriteStream('data/invoice.pdf')
  document.pipe(file)
  document.font('Helvetica-Bold').fontSize(20).text('Invoice 1001')
  document.font('Times-Roman').fontSize(12).text('Tea 3.50', { align: 'right' })
  document.rect(100, 200, 50, 50).stroke()
  document.addPage().text('Thank you')
  document.end()
  await finished(file)
  const bytes = readFileSync('data/invoice.pdf')
  const text = bytes.toString('latin1')
  return {
    head: text.slice(0, 8),
    pages: text.match(/\/Type \/Page\b/g)?.length,
    fonts: [...new Set(text.match(/\/BaseFont \/[\w-]+/g))],
    hash: createHash('sha256').update(bytes).digest('hex'),
  }
}
