import { openDatabase } from '../lib/database'
import { yesterday } from '../lib/days'
import { mailTeam } from '../lib/mail'
import { asTable } from '../lib/tables'

/** Yesterday's orders, as an email. */
export async function run() {
  const db = openDatabase()
  const rows = await db('orders').where('day', yesterday().toISODate()).select('id', 'total')
  await db.destroy()
  await mailTeam('Orders of yesterday', asTable(rows.map(({ id, total }) => [id, total])))
}
