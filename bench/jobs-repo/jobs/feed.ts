import { XMLBuilder } from 'fast-xml-parser'
import { keep } from '../lib/bucket'
import { openDatabase } from '../lib/database'

/** The feed of products for search engines. */
export async function run() {
  const db = openDatabase()
  const item = await db('products').select('name', 'price')
  await db.destroy()
  await keep('feed.xml', new XMLBuilder({ format: true }).build({ rss: { channel: { item } } }))
}
