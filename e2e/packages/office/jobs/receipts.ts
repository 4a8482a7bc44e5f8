import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createWorker } from 'tesseract.js'

/** The package has the language in several sizes; without it, it would be downloaded. */
const language = fileURLToPath(new URL('4.0.0_best_int', import.meta.resolve('@tesseract.js-data/eng')))
const inbox = new URL('../inbox/', import.meta.url)

export async function receipts() {
  const attachment = await readFile(new URL('receipt.png.base64', inbox), 'utf8')
  const worker = await createWorker('eng', 1, { langPath: language, cachePath: 'data' })
  const { data } = await worker.recognize(Buffer.from(attachment, 'base64'))
  await worker.terminate()
  const total = /Total (\d+\.\d\d) EUR/.exec(data.text)
  return { text: data.text.trim().split('\n'), total: Number(total?.[1]) }
}
