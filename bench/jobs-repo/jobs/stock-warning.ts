import { openDatabase } from '../lib/database'
import { mailTeam } from '../lib/mail'

/** What has to be ordered. */
export async function run() {
  const db = openDatabase()
  const low = await db('stock').where('count', '<', 10).pluck('sku')
  await db.destroy()
  if (low.length > 0) await mailTeam('Low stock', low.join('\n'))
}
