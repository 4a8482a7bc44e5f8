import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import PDFDocument from 'pdfkit'
import { openDatabase } from '../lib/database'

/** Prints the invoices that are due. */
export async function run() {
  const db = openDatabase()
  for (const { id, customer, total } of await db('invoices').where('printed', false)) {
    const document = new PDFDocument()
    const file = document.pipe(createWriteStream(`data/invoice-${id}.pdf`))
    document.text(`Invoice ${id} for ${customer}: ${total} €`)
    document.end()
    await finished(file)
  }
  await db.destroy()
}
