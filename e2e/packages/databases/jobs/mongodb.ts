import { MongoClient } from 'mongodb'
import { startMongo } from '../servers/mongo'

interface Reading {
  _id: number
  place: string
  value: number
}

/** The driver, with a server on loopback that keeps what it is given. */
export async function run() {
  const { port, stop } = await startMongo()
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`)
  await client.connect()
  const readings = client.db('test').collection<Reading>('readings')
  const { insertedCount } = await readings.insertMany([
    { _id: 1, place: 'roof', value: 3.5 },
    { _id: 2, place: 'cellar', value: 11 },
  ])
  const found = await readings.find({ value: { $gt: 4 } }).toArray()
  await client.close()
  await stop()
  return { insertedCount, found }
}
