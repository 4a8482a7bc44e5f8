import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JobContext } from 'longhouse/jobs'
import pLimit from 'p-limit'
import initSqlJs from 'sql.js'

const prices: Record<string, number> = { tea: 350, coffee: 280, cake: 620, bread: 480 }

export async function priceWatch({ state, log }: JobContext) {
  // A shop that is always open.
  const shop = createServer((request, response) => {
    response.end(JSON.stringify({ cents: prices[String(request.url).slice(1)] }))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => shop.once('listening', resolve))
  const { port } = shop.address() as AddressInfo

  const limit = pLimit(2)
  const found = await Promise.all(
    Object.keys(prices).map(name =>
      limit(async () => {
        const response = await fetch(`http://127.0.0.1:${port}/${name}`)
        const { cents } = (await response.json()) as { cents: number }
        return [name, cents] as const
      }),
    ),
  )
  shop.close()

  const SQL = await initSqlJs()
  const db = new SQL.Database()
  db.run('CREATE TABLE prices (name TEXT, cents INTEGER)')
  for (const [name, cents] of found) db.run('INSERT INTO prices VALUES (?, ?)', [name, cents])
  const [dear] = db.exec(
    'SELECT name, cents FROM prices WHERE cents > (SELECT avg(cents) FROM prices) ORDER BY name',
  )
  db.close()

  const before = (await state.get<Record<string, number>>('prices')) ?? {}
  const changed = found.filter(([name, cents]) => before[name] !== cents).map(([name]) => name)
  await state.set('prices', Object.fromEntries(found))
  log(`${changed.length} prices changed`)
  return { dear: dear?.values, changed }
}
