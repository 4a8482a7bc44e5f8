import { createReadStream, writeFileSync } from 'node:fs'
import { parse } from 'csv-parse'
import { parse as parseText } from 'csv-parse/sync'

/** A stream of rows, a text at once, and a mistake with its line. */
export async function run() {
  writeFileSync('data/readings.csv', 'place;value\nroof;3.5\n"cel;lar";11\n')
  const sums: Record<string, number> = {}
  const rows = createReadStream('data/readings.csv').pipe(
    parse({ columns: true, delimiter: ';', cast: true }),
  )
  for await (const { place, value } of rows) sums[place] = (sums[place] ?? 0) + value
  const text = parseText('a,b\n1,2', { columns: true })
  let mistake = ''
  try {
    parseText('a,b\n1,2,3', { columns: true })
  } catch (error) {
    mistake = `${(error as { code?: string }).code} ${(error as Error).message}`
  }
  return { sums, text, mistake }
}
