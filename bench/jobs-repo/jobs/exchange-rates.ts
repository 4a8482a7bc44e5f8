import axios from 'axios'
import { XMLParser } from 'fast-xml-parser'
import { openDatabase } from '../lib/database'

/** Today's exchange rates, into the database. */
export async function run() {
  const { data } = await axios.get<string>('http://127.0.0.1:9/eurofxref-daily.xml')
  const { Envelope } = new XMLParser({ ignoreAttributes: false, removeNSPrefix: true }).parse(data)
  const rates = Envelope.Cube.Cube.Cube as { '@_currency': string; '@_rate': string }[]
  const db = openDatabase()
  await db('rates').insert(rates.map(each => ({ currency: each['@_currency'], rate: each['@_rate'] })))
  await db.destroy()
}
